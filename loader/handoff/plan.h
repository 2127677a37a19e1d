/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the userspace path is to do for a model, in HAProxy's words: a server for each endpoint that
 * connections are handed off to, the pool (a backend section) with its connections' settings, and the
 * certificates that both need. Pure: from a model to data.
 */
#ifndef SPILLWAY_HANDOFF_PLAN_H
#define SPILLWAY_HANDOFF_PLAN_H

#include "base/arena.h"
#include "model/model.h"
#include "tables/ids.h"

/* A PEM text that HAProxy reads from a file, or is told at run time under the file's name. */
enum plan_file_kind {
	PLAN_FILE_CERT, /* a certificate with its key */
	PLAN_FILE_CA,	/* a bundle of authorities */
	PLAN_FILE_LIST, /* no PEM: which certificate is for which name */
};

struct plan_file {
	const char *path;
	const char *pem;
	enum plan_file_kind kind;
};

struct plan_server {
	uint32_t id; /* the endpoint's number */
	const struct instance *instance;
	const char *address; /* "192.0.2.1:443", "unix@/run/x.sock" */
	const char *params;  /* the rest of its `server` line, with a space in front; or "" */
	const char *pool;    /* name of its section */
	uint64_t identity;   /* of all that: equal ones need no change */
	const char *refusal; /* why HAProxy is not told of it, or NULL */
};

struct plan_pool {
	const char *name;
	struct pool_settings settings; /* those that a section is for */
};

struct plan {
	struct plan_server *servers; /* by id, ascending */
	size_t server_count;
	struct plan_pool *pools; /* by name, each once */
	size_t pool_count;
	struct plan_file *files; /* each path once */
	size_t file_count;
	size_t left_out; /* plain endpoints beyond local_most */
};

struct plan_options {
	const char *dir; /* for files */
	/* Plain endpoints of TCP services have servers as well, up to so many: for local clients. */
	size_t local_most;
};

/*
 * Those of `m` that are carried in mode SPW_MODE_HANDOFF, under the numbers of `ids`. Files get paths
 * below the directory, named by their content. Everything is in `a`; texts of the model are not copied.
 */
void plan_make(struct arena *a, const struct model *m, const struct ids *ids,
	       const struct plan_options *opts, struct plan *out);

/* The path of a text, which is added to p->files unless it is there. */
const char *plan_add_file(struct arena *a, struct plan *p, const char *dir, const char *text,
			  enum plan_file_kind kind);
/* Of an endpoint's server line; certificates are added likewise. */
/* Why HAProxy is not told of it, or NULL. */
const char *plan_refusal(struct arena *a, const struct instance *i);
const char *plan_address(struct arena *a, const struct instance *i);
const char *plan_params(struct arena *a, struct plan *p, const char *dir, const struct instance *i);

#endif
