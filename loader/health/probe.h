/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A probe: one run of a check against one endpoint. What every type of check has in common; the
 * types are check_<type>.c. Timeouts are not theirs: the scheduler cancels a probe that is late.
 */
#ifndef SPILLWAY_HEALTH_PROBE_H
#define SPILLWAY_HEALTH_PROBE_H

#include <sys/socket.h>
#include <uv.h>

#include "health/rise_fall.h"
#include "model/check.h"
#include "model/model.h"
#include <spillway/abi.h>

#define REASON_MAX 96 /* bytes, NUL included */

struct verdict {
	enum verdict_kind kind;
	char reason[REASON_MAX];
	bool connected; /* it is what someone said who took the connection */
};

/*
 * Whom to ask, and what. Owned by the target and at a fixed address; while a probe is under way
 * the pointers may be replaced by ones to equal contents (a new model with the same profile), so
 * a probe reads them anew each time and never keeps a copy.
 */
struct probe_job {
	enum endpoint_kind kind;
	struct spw_addr addr; /* ENDPOINT_IP */
	const char *host;     /* ENDPOINT_FQDN: the name; ENDPOINT_UNIX: the path; else NULL */
	uint16_t port;	      /* host order; overrides.port is in it already; 0: a Unix socket */
	const struct check *check;
	const struct tls_settings *tls; /* NULL: plain */
	enum app_protocol app;
	const char *hostname; /* endpoints[].hostname, or NULL */
};

typedef void probe_done_fn(void *ctx, const struct verdict *v);

/* First member of every type's own struct. */
struct probe {
	const struct probe_job *job;
	struct spw_addr addr; /* whom to connect to: the job's address, or one of its name's */
	probe_done_fn *done;  /* called once, from the loop, unless cancelled before */
	void *ctx;
	bool connected; /* there is, or was, a connection (with TLS: and the handshake is done) */
	void (*cancel)(struct probe *p); /* releases the probe without calling `done` */
};

/* What a type's start function is given: copied into the probe. */
struct probe_order {
	const struct probe_job *job;
	struct spw_addr addr;
	probe_done_fn *done;
	void *ctx;
};

struct dns;
struct http;
struct tls_cache;

/* What the probes of a loop share; the scheduler's. */
struct probe_tools {
	uv_loop_t *loop;
	struct http *http; /* one curl multi handle */
	struct tls_cache *tls;
	struct dns *dns;
	bool on_host; /* a name may mean this host itself */
};

/*
 * Starts a probe of the job's type. NULL when the result is known at once, or nothing could be
 * started: *now is filled in then, and `done` is not called. A probe releases itself after `done`.
 */
struct probe *probe_start(const struct probe_tools *tools, const struct probe_order *order,
			  struct verdict *now);

/* The same to a name: its addresses in turn, until one connects (probe_name.c). */
struct probe *probe_name_start(const struct probe_tools *tools, const struct probe_order *order,
			       struct verdict *now);

/* The types, for probe_start(). */
struct probe *check_tcp_start(const struct probe_tools *tools, const struct probe_order *order,
			      struct verdict *now);
struct probe *check_http_start(const struct probe_tools *tools, const struct probe_order *order,
			       struct verdict *now);
struct probe *check_grpc_start(const struct probe_tools *tools, const struct probe_order *order,
			       struct verdict *now);

/* See http_loop.h. */
int http_new(uv_loop_t *loop, struct http **out);
void http_free(struct http *h); /* no probe may be under way; run the loop afterwards */

struct verdict verdict_make(enum verdict_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* What an errno of socket(), connect(), send() or recv() says about the endpoint. */
struct verdict verdict_errno(int err);

/* A stream socket towards the probe's address, non-blocking; the address for connect(). */
int probe_socket(const struct probe *p, struct sockaddr_storage *to, socklen_t *to_len);

/*
 * Unix sockets are looked at with the permissions of the user who connects to them for clients; until it
 * is told, or with 0, with the daemon's own.
 */
void probe_set_socket_user(uid_t uid, gid_t gid);

#endif
