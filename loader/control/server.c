/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libmicrohttpd in its external mode: its epoll descriptor is one uv_poll, its next timeout one
 * uv_timer, so requests run on the loop's thread like everything else and need no locks. Connections
 * are accepted here and handed over once the peer is known to be allowed.
 */
#include "control/server.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "control/call.h"
#include "control/peer.h"
#include "control/socket.h"

#define CONNECTIONS_MAX	 64u
#define IDLE_TIMEOUT_S	 60u
#define LARGE_BODY_BYTES (1u << 20)

struct server {
	struct engine *engine;
	struct MHD_Daemon *daemon;
	char *path;
	int fd; /* listening */
	gid_t group;
	uv_poll_t accepting, polling;
	uv_timer_t timeout;
	int handles;		/* open ones of the three */
	size_t uploading_bytes; /* of all bodies that are arriving */
};

/* A request whose body is arriving; owned by libmicrohttpd's connection until it completes. */
struct upload {
	struct strbuf body;
	const char *refused; /* a whole answer, or NULL */
	int code;	     /* of that */
};

static const char too_large_text[] =
	"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"the body "
	"is larger than 64 MiB: send it in parts\",\"reason\":\"RequestEntityTooLarge\",\"code\":"
	"413}";
static const char busy_text[] =
	"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"too "
	"many large requests at the same time: try again\",\"reason\":\"ServiceUnavailable\","
	"\"code\":503}";
static const char forbidden_text[] =
	"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"only "
	"root and members of the socket's group may connect: see --socket-group of spillwayd\","
	"\"reason\":\"Forbidden\",\"code\":403}";

static enum MHD_Result send_answer(struct MHD_Connection *conn, int code, const char *type,
				   char *text, enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), text, mode);
	enum MHD_Result result;

	if (!r) {
		if (mode == MHD_RESPMEM_MUST_FREE)
			free(text);
		return MHD_NO;
	}
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	result = MHD_queue_response(conn, (unsigned int)code, r);
	MHD_destroy_response(r);
	return result;
}

static enum MHD_Result note_query(void *ctx, enum MHD_ValueKind kind, const char *name,
				  const char *value)
{
	struct call *c = ctx;

	(void)kind;
	if (c->query_count == CALL_QUERY_MAX)
		return MHD_NO;
	c->query[c->query_count++] = (struct call_query){name, value ? value : ""};
	return MHD_YES;
}

static enum MHD_Result answer(struct server *s, struct MHD_Connection *conn, const char *method,
			      const char *url, const struct upload *u)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct call c = {
		.engine = s->engine,
		.arena = a,
		.method = method,
		.path = url,
		.body = u->body.text,
		.body_len = u->body.len,
	};

	if (!a)
		return MHD_NO;
	(void)MHD_get_connection_values(conn, MHD_GET_ARGUMENT_KIND, note_query, &c);
	call_dispatch(&c);
	log_debug("http: %s %s: %d", method, url, c.code);
	return send_answer(conn, c.code, c.content_type, c.answer, MHD_RESPMEM_MUST_FREE);
}

/* What the kernel knew of the peer when it connected. */
static bool is_allowed(const struct server *s, struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info && peer_is_allowed(info->connect_fd, s->group);
}

static enum MHD_Result begin(struct server *s, struct MHD_Connection *conn, void **req)
{
	if (!is_allowed(s, conn)) {
		log_warn("socket: a peer that is neither root nor in the socket's group: refused");
		return send_answer(conn, 403, "application/json", (char *)forbidden_text,
				   MHD_RESPMEM_PERSISTENT);
	}
	*req = calloc(1, sizeof(struct upload));
	return *req ? MHD_YES : MHD_NO;
}

static void drop_body(struct server *s, struct upload *u)
{
	s->uploading_bytes -= u->body.len;
	strbuf_done(&u->body);
}

/* What is refused is read on, so that the client hears why. */
static void take_piece(struct server *s, struct upload *u, const char *data, size_t len)
{
	if (u->refused)
		return;
	if (u->body.len + len > LIMIT_MANIFEST_BYTES) {
		u->refused = too_large_text;
		u->code = 413;
	} else if (s->uploading_bytes + len > LIMIT_UPLOAD_BYTES) {
		u->refused = busy_text;
		u->code = 503;
	}
	if (u->refused) {
		drop_body(s, u);
		return;
	}
	strbuf_add(&u->body, data, len);
	s->uploading_bytes += len;
}

/* Called once when the headers are there, then per piece of the body, then once without data. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *conn, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *len, void **req)
{
	struct upload *u = *req;

	(void)version;
	if (!u)
		return begin(ctx, conn, req);
	if (*len) {
		take_piece(ctx, u, data, *len);
		*len = 0;
		return MHD_YES;
	}
	if (u->refused)
		return send_answer(conn, u->code, "application/json", (char *)u->refused,
				   MHD_RESPMEM_PERSISTENT);
	return answer(ctx, conn, method, url, u);
}

static void on_completed(void *ctx, struct MHD_Connection *conn, void **req,
			 enum MHD_RequestTerminationCode why)
{
	struct upload *u = *req;

	const bool is_large = u && u->body.len > LARGE_BODY_BYTES;

	(void)conn;
	(void)why;
	if (u)
		drop_body(ctx, u);
	free(u);
	*req = NULL;
	if (is_large)
		(void)malloc_trim(0); /* it was read into many small pieces */
}

static bool is_full(const struct server *s)
{
	return MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
		       ->num_connections >= CONNECTIONS_MAX;
}

/* Takes what waits in the backlog. libmicrohttpd owns each descriptor at once. */
static void accept_waiting(struct server *s)
{
	struct sockaddr addr = {.sa_family = AF_UNIX};
	int fd;

	while (!is_full(s)) {
		fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		(void)MHD_add_connection(s->daemon, fd, &addr, sizeof(addr.sa_family));
	}
}

static void on_connect(uv_poll_t *p, int status, int events); /* run() and it call each other */

/* Runs what is ready, sets the timer to when libmicrohttpd wants to run again, and accepts anew. */
static void run(uv_timer_t *timeout)
{
	struct server *s = timeout->data;
	MHD_UNSIGNED_LONG_LONG next_ms;

	(void)MHD_run(s->daemon);
	if (MHD_get_timeout(s->daemon, &next_ms) == MHD_YES)
		(void)uv_timer_start(timeout, run, next_ms, 0);
	else
		(void)uv_timer_stop(timeout);
	if (!is_full(s) && !uv_is_active((uv_handle_t *)&s->accepting))
		(void)uv_poll_start(&s->accepting, UV_READABLE, on_connect);
}

static void on_ready(uv_poll_t *p, int status, int events)
{
	struct server *s = p->data;

	(void)status;
	(void)events;
	run(&s->timeout);
}

/* When all places are taken, those who come wait in the backlog. */
static void on_connect(uv_poll_t *p, int status, int events)
{
	struct server *s = p->data;

	(void)status;
	(void)events;
	accept_waiting(s);
	if (is_full(s))
		(void)uv_poll_stop(p);
	run(&s->timeout);
}

static void on_closed(uv_handle_t *h)
{
	struct server *s = h->data;

	if (--s->handles)
		return;
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	fd_close(s->fd);
	free(s->path);
	free(s);
}

void server_close(struct server *s)
{
	(void)unlink(s->path);
	uv_close((uv_handle_t *)&s->accepting, on_closed);
	uv_close((uv_handle_t *)&s->polling, on_closed);
	uv_close((uv_handle_t *)&s->timeout, on_closed);
}

static struct MHD_Daemon *start_daemon(struct server *s)
{
	const unsigned int flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET;

	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_NOTIFY_COMPLETED,
				on_completed, s, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
				MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, MHD_OPTION_END);
}

static void start_handles(struct server *s, uv_loop_t *loop, int epoll_fd)
{
	s->handles = 3;
	s->accepting.data = s;
	s->polling.data = s;
	s->timeout.data = s;
	(void)uv_poll_init(loop, &s->accepting, s->fd);
	(void)uv_poll_init(loop, &s->polling, epoll_fd);
	(void)uv_timer_init(loop, &s->timeout);
	(void)uv_poll_start(&s->accepting, UV_READABLE, on_connect);
	(void)uv_poll_start(&s->polling, UV_READABLE, on_ready);
}

static int open_daemon(struct arena *a, struct server *s, const char **why)
{
	s->daemon = start_daemon(s);
	if (s->daemon)
		return 0;
	*why = arena_printf(a, "%s: the HTTP server did not start: %s", s->path, strerror(errno));
	return -EIO;
}

static int find_group(struct arena *a, const char *name, gid_t *out, const char **why)
{
	int err = peer_group(name, out);

	if (err == -ENOENT)
		*why = arena_printf(a, "--socket-group %s: no such group: make it with groupadd -r",
				    name);
	return err;
}

int server_check(struct arena *a, const struct server_options *opts, const char **why)
{
	gid_t group;
	int err;

	*why = NULL;
	err = find_group(a, opts->group, &group, why);
	return err ? err : socket_check(a, opts->path, why);
}

int server_open(struct arena *a, uv_loop_t *loop, struct engine *e,
		const struct server_options *opts, struct server **out, const char **why)
{
	struct server *s = calloc(1, sizeof(*s));
	const union MHD_DaemonInfo *info;
	int err;

	*why = "out of memory";
	if (!s)
		return -ENOMEM;
	*s = (struct server){.engine = e, .fd = -1, .path = strdup(opts->path)};
	err = s->path ? find_group(a, opts->group, &s->group, why) : -ENOMEM;
	if (!err)
		err = socket_listen(a, s->path, s->group, &s->fd, why);
	if (!err)
		err = open_daemon(a, s, why);
	if (err) {
		fd_close(s->fd);
		free(s->path);
		free(s);
		return err;
	}
	info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	start_handles(s, loop, info->epoll_fd);
	*out = s;
	return 0;
}
