/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP check: connects, over TLS with a handshake; writes `send` and waits for `receive` when they
 * are given. Own sockets with uv_poll, because uv_tcp hides the half-open states and allocates for
 * every write.
 *
 * A connection ends with a normal close, never with SO_LINGER 0: an RST in place of a FIN makes
 * many servers log an error at every probe, and one that has not called accept() yet would find
 * a connection that is gone. The price is TIME_WAIT here: 10,000 endpoints every 3 s keep
 * 200,000 sockets for 60 s, about 50 MiB of the kernel's, 20 for each endpoint. Ports do not run
 * out, since the kernel gives the same port out again for another destination.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "health/finder.h"
#include "health/probe.h"
#include "health/stream.h"
#include "health/tls.h"

#define READ_BYTES	4096
#define READS_PER_EVENT 16 /* a flood of bytes must not hold the loop; the rest comes next turn */

struct tcp_probe {
	struct probe probe;
	uv_poll_t poll;
	struct stream stream;
	struct tls_context *tls; /* NULL: plain */
	bool open;		 /* the socket is connected */
	size_t sent;
	struct finder answer;
};

static void on_closed(uv_handle_t *handle)
{
	struct tcp_probe *t = handle->data;

	finder_done(&t->answer);
	free(t);
}

static void release(struct tcp_probe *t)
{
	(void)uv_poll_stop(&t->poll);
	stream_close(&t->stream);
	tls_context_put(t->tls);
	uv_close((uv_handle_t *)&t->poll, on_closed);
}

static void cancel(struct probe *p)
{
	release((struct tcp_probe *)p);
}

static void finish(struct tcp_probe *t, struct verdict v)
{
	v.connected = t->probe.connected;
	release(t);
	t->probe.done(t->probe.ctx, &v);
}

/* 0 once connected, else the errno that connecting ended with. */
static int connect_error(struct tcp_probe *t)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(t->stream.fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return errno;
	return err;
}

static bool is_wait(ssize_t result)
{
	return result == STREAM_WANTS_READ || result == STREAM_WANTS_WRITE;
}

static int events_of(ssize_t result)
{
	return result == STREAM_WANTS_WRITE ? UV_READABLE | UV_WRITABLE : UV_READABLE;
}

static struct verdict failure(const struct tcp_probe *t, int err)
{
	const struct stream *s = &t->stream;

	if (s->ssl && !t->probe.connected && err == -EPIPE)
		return tls_verdict(t->probe.job->tls, X509_V_OK, "connection closed");
	if (err != -EPROTO)
		return verdict_errno(-err);
	if (t->probe.connected)
		return verdict_make(VERDICT_BAD, "TLS: %s", s->text);
	return tls_verdict(t->probe.job->tls, SSL_get_verify_result(s->ssl), s->text);
}

/* 0 when all is written, else what stream_write() says. */
static ssize_t write_rest(struct tcp_probe *t)
{
	const struct check_payload *text = &t->probe.job->check->send;

	while (t->sent < text->len) {
		ssize_t n = stream_write(&t->stream, text->bytes + t->sent, text->len - t->sent);

		if (n < 0)
			return n;
		t->sent += (size_t)n;
	}
	return 0;
}

/* 0 when the result is there: *v, else what to wait for. */
static ssize_t read_answer(struct tcp_probe *t, struct verdict *v)
{
	uint8_t data[READ_BYTES];

	for (int i = 0; i < READS_PER_EVENT; i++) {
		ssize_t n = stream_read(&t->stream, data, sizeof(data));

		if (is_wait(n))
			return n;
		if (n <= 0) {
			*v = failure(t, n < 0 ? (int)n : -EPIPE);
			return 0;
		}
		if (finder_feed(&t->answer, &t->probe.job->check->receive, data, (size_t)n)) {
			*v = verdict_make(VERDICT_GOOD, "answered");
			return 0;
		}
	}
	/* OpenSSL may hold bytes that no event will tell of: writable is at once. */
	return t->stream.ssl ? STREAM_WANTS_WRITE : STREAM_WANTS_READ;
}

/* The events to wait for, or 0 when the result is there: *v. */
static int talk(struct tcp_probe *t, struct verdict *v)
{
	bool wants_answer = t->probe.job->check->receive.len != 0;
	ssize_t written = write_rest(t), got;

	/* With an answer to come, an error of writing is left to reading: the answer may be here. */
	if (wants_answer) {
		got = read_answer(t, v);
		if (!got)
			return 0;
		return events_of(written == STREAM_WANTS_WRITE ? written : got);
	}
	if (is_wait(written))
		return events_of(written);
	*v = written ? failure(t, (int)written) : verdict_make(VERDICT_GOOD, "connected");
	return 0;
}

/* As talk(), from the first event on. */
static int go_on(struct tcp_probe *t, struct verdict *v)
{
	int err = t->open ? 0 : connect_error(t);

	if (err) {
		*v = verdict_errno(err);
		return 0;
	}
	t->open = true;
	if (!t->probe.connected) {
		err = stream_handshake(&t->stream);
		if (is_wait(err))
			return err == STREAM_WANTS_WRITE ? UV_WRITABLE : UV_READABLE;
		if (err) {
			*v = failure(t, err);
			return 0;
		}
		t->probe.connected = true;
	}
	return talk(t, v);
}

/* `status` is not needed: libuv says EBADF for any error, the socket says which. */
static void on_event(uv_poll_t *poll, int status, int events)
{
	struct tcp_probe *t = poll->data;
	struct verdict v;

	(void)status;
	events = go_on(t, &v);
	if (events)
		(void)uv_poll_start(poll, events, on_event); /* fails only when closing */
	else
		finish(t, v);
}

/* Takes the descriptor and the TLS context over on success. */
static struct probe *watch(uv_loop_t *loop, const struct probe *common, int fd,
			   struct tls_context *tls)
{
	AUTO(free) struct tcp_probe *t = calloc(1, sizeof(*t));

	if (!t || finder_init(&t->answer, &common->job->check->receive))
		return NULL;
	t->probe = *common;
	t->stream.fd = fd;
	t->poll.data = t;
	t->stream.ssl = tls ? tls_connection(tls, fd) : NULL;
	if ((tls && !t->stream.ssl) || uv_poll_init(loop, &t->poll, fd)) {
		SSL_free(t->stream.ssl);
		finder_done(&t->answer);
		return NULL;
	}
	t->tls = tls;
	(void)uv_poll_start(&t->poll, UV_WRITABLE, on_event); /* fails only when closing */
	return &TAKE(t)->probe;
}

/* A socket that connects; or -1: *now. */
static int open_socket(const struct probe *common, struct verdict *now)
{
	struct sockaddr_storage to;
	socklen_t to_len = 0;
	int one = 1;
	AUTO(fd_close) int fd = probe_socket(common, &to, &to_len);

	if (fd < 0) {
		*now = verdict_errno(-fd);
		return -1;
	}
	if (to.ss_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&to, to_len) == 0 || errno == EINPROGRESS)
		return fd_take(&fd);
	*now = to.ss_family == AF_UNIX && errno == EAGAIN
		       ? verdict_make(VERDICT_BAD, "the queue of the socket is full")
		       : verdict_errno(errno);
	return -1;
}

struct probe *check_tcp_start(const struct probe_tools *tools, const struct probe_order *order,
			      struct verdict *now)
{
	const struct probe common = {order->job, order->addr, order->done,
				     order->ctx, false,	      cancel};
	const struct tls_settings *s = order->job->tls;
	struct tls_context *tls = NULL;
	struct probe *p;
	int fd;

	if (s) {
		tls = tls_context_get(tools->tls, s, NULL, now);
		if (!tls)
			return NULL;
	}
	fd = open_socket(&common, now);
	if (fd < 0) {
		tls_context_put(tls);
		return NULL;
	}
	p = watch(tools->loop, &common, fd, tls);
	if (p)
		return p;
	(void)close(fd);
	tls_context_put(tls);
	*now = verdict_errno(ENOMEM);
	return NULL;
}
