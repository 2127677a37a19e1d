/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where resources are kept between runs. One apply is one transaction: all of it or nothing, also
 * across `kill -9` and power loss. One process at a time. Bodies are opaque JSON text here.
 */
#ifndef SPILLWAY_STORE_STORE_H
#define SPILLWAY_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct store;

/* A stored resource as Kubernetes would describe it. Strings live in the arena of the call. */
struct stored {
	const char *project;
	const char *group; /* "gateway.envoyproxy.io" */
	const char *kind;  /* "Backend" */
	const char *namespace;
	const char *name;
	const char *uid;	  /* RFC 4122 version 4, kept until deleted */
	int64_t generation;	  /* from 1, raised when the spec changes */
	int64_t resource_version; /* raised over the whole store by every change */
	int64_t created_s;	  /* unix seconds */
	const char *body;	  /* JSON: apiVersion, kind, metadata without the above, spec */
	bool applied;		  /* `apply` made or changed it at some time: it may be pruned */
};

struct stored_list {
	struct stored *items; /* ordered by project, group, kind, namespace, name */
	size_t count;
};

enum store_op { STORE_PUT, STORE_DELETE };

enum store_outcome {
	STORE_CREATED,
	STORE_CONFIGURED,
	STORE_UNCHANGED,
	STORE_DELETED,
	STORE_NOT_FOUND, /* a delete of what is not there; changes nothing */
};

struct store_change {
	enum store_op op;
	struct stored key;	    /* project, group, kind, namespace, name; PUT: body too, and
				       created_s of a new one (0: now) */
	bool spec_changed;	    /* PUT on an existing one: raise the generation */
	bool changed;		    /* PUT on an existing one: false means it stays as it is */
	bool apply;		    /* PUT: from now on it is `applied`, also when unchanged */
	enum store_outcome outcome; /* out, filled in by store_commit() */
	struct stored after;	    /* out: the row as it is now, in the arena */
};

/*
 * Opens or makes STATE_DIR/spillway.db (mode 0600; the directory 0700). *why is a sentence with
 * the remedy, static or in `a`. -EBUSY: another process has it.
 */
int store_open(struct arena *a, const char *state_dir, struct store **out, const char **why);
void store_close(struct store *s); /* NULL is fine */

/* NULL means any. Not found is an empty list. */
int store_list(struct store *s, struct arena *a, const char *project, const char *group,
	       const char *kind, const char *namespace, struct stored_list *out);
/* -ENOENT when there is none. */
int store_get(struct store *s, struct arena *a, const struct stored *key, struct stored *out);

/* All changes in one transaction, synced to disk before it returns. On failure nothing changed. */
int store_commit(struct store *s, struct arena *a, struct store_change *changes, size_t count);

/* The resourceVersion of the last change; 0 in an empty store. */
int64_t store_version(struct store *s);

/* Operator's words on endpoints, by "ADDR:PORT" text; word NULL forgets it. */
struct store_word {
	const char *endpoint, *word;
};
int store_set_admin(struct store *s, const char *endpoint, const char *word);
/* All of them in one transaction, synced once: a whole Backend's drain is one wait for the disk. */
int store_set_admins(struct store *s, const struct store_word *words, size_t count);
int store_each_admin(struct store *s, void (*fn)(void *ctx, const char *endpoint, const char *word),
		     void *ctx);

/*
 * A text of the daemon's own per resource (key and body), which a delete of the resource takes along: since
 * when its conditions hold. All of them in one transaction. Strings of a row are good for the call.
 */
int store_put_times(struct store *s, const struct stored *rows, size_t count);
int store_each_times(struct store *s, void (*fn)(void *ctx, const struct stored *row), void *ctx);

/* What failed last, and the remedy where there is one. */
const char *store_error(struct store *s);

#endif
