/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP check: connects; writes `send` and waits for `receive` when they are given. Own sockets with
 * uv_poll, because uv_tcp hides the half-open states and allocates for every write.
 *
 * A connection ends with a normal close, never with SO_LINGER 0: an RST in place of a FIN makes
 * many servers log an error at every probe, and one that has not called accept() yet would find
 * a connection that is gone. The price is TIME_WAIT here: 10,000 endpoints every 3 s keep
 * 200,000 sockets for 60 s, about 50 MiB of the kernel's, 20 for each endpoint. Ports do not run
 * out, since the kernel gives the same port out again for another destination. What is left in
 * the receive queue is taken out first, as close() would send an RST for it, too.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "health/finder.h"
#include "health/probe.h"

#define READ_BYTES	4096
#define READS_PER_EVENT 16 /* a flood of bytes must not hold the loop; the rest comes next turn */
#define DRAIN_BYTES	(1u << 20)

struct tcp_probe {
	struct probe probe;
	uv_poll_t poll;
	int fd;
	bool connected;
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
	(void)recv(t->fd, NULL, DRAIN_BYTES, MSG_TRUNC);
	(void)close(t->fd);
	uv_close((uv_handle_t *)&t->poll, on_closed);
}

static void cancel(struct probe *p)
{
	release((struct tcp_probe *)p);
}

static void finish(struct tcp_probe *t, struct verdict v)
{
	release(t);
	t->probe.done(t->probe.ctx, &v);
}

/* 0 once connected, else the errno that connecting ended with. */
static int connect_error(struct tcp_probe *t)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return errno;
	return err;
}

/* 0 when all is written, 1 when the socket is full, else a negative errno. */
static int write_rest(struct tcp_probe *t)
{
	const struct check_payload *send_text = &t->probe.job->check->send;

	while (t->sent < send_text->len) {
		ssize_t n = send(t->fd, send_text->bytes + t->sent, send_text->len - t->sent,
				 MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN ? 1 : -errno;
		t->sent += (size_t)n;
	}
	return 0;
}

/* True when the answer, or the end of it, is there: *v says which. */
static bool read_answer(struct tcp_probe *t, struct verdict *v)
{
	uint8_t data[READ_BYTES];

	for (int i = 0; i < READS_PER_EVENT; i++) {
		ssize_t n = recv(t->fd, data, sizeof(data), 0);

		if (n < 0 && errno == EAGAIN)
			return false;
		if (n <= 0) {
			*v = verdict_errno(n < 0 ? errno : EPIPE);
			return true;
		}
		if (finder_feed(&t->answer, &t->probe.job->check->receive, data, (size_t)n)) {
			*v = verdict_make(VERDICT_GOOD, "answered");
			return true;
		}
	}
	return false;
}

/* The events to wait for, or 0 when the result is there: *v. */
static int go_on(struct tcp_probe *t, struct verdict *v)
{
	bool wants_answer = t->probe.job->check->receive.len != 0;
	int full = write_rest(t);

	/* With an answer to come, an error of writing is left to reading: the answer may be here. */
	if (wants_answer && read_answer(t, v))
		return 0;
	if (wants_answer || full == 1)
		return full == 1 ? UV_READABLE | UV_WRITABLE : UV_READABLE;
	*v = full ? verdict_errno(-full) : verdict_make(VERDICT_GOOD, "connected");
	return 0;
}

/* `status` is not needed: libuv says EBADF for any error, the socket says which. */
static void on_event(uv_poll_t *poll, int status, int events)
{
	struct tcp_probe *t = poll->data;
	struct verdict v;
	int err = t->connected ? 0 : connect_error(t);

	(void)status;
	if (err) {
		finish(t, verdict_errno(err));
		return;
	}
	t->connected = true;
	events = go_on(t, &v);
	if (events)
		(void)uv_poll_start(poll, events, on_event); /* fails only when closing */
	else
		finish(t, v);
}

/* Takes the descriptor over on success. */
static struct probe *watch(uv_loop_t *loop, const struct probe_order *order, int fd)
{
	AUTO(free) struct tcp_probe *t = calloc(1, sizeof(*t));

	if (!t || finder_init(&t->answer, &order->job->check->receive))
		return NULL;
	t->probe = (struct probe){order->job, order->done, order->ctx, cancel};
	t->fd = fd;
	t->poll.data = t;
	if (uv_poll_init(loop, &t->poll, fd)) {
		finder_done(&t->answer);
		return NULL;
	}
	(void)uv_poll_start(&t->poll, UV_WRITABLE, on_event); /* fails only when closing */
	return &TAKE(t)->probe;
}

struct probe *check_tcp_start(uv_loop_t *loop, const struct probe_order *order, struct verdict *now)
{
	struct sockaddr_storage to;
	socklen_t to_len = 0;
	struct probe *p;
	int one = 1;
	AUTO(fd_close) int fd = probe_socket(order->job, &to, &to_len);

	if (fd < 0) {
		*now = verdict_errno(-fd);
		return NULL;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&to, to_len) && errno != EINPROGRESS) {
		*now = verdict_errno(errno);
		return NULL;
	}
	p = watch(loop, order, fd);
	if (!p) {
		*now = verdict_errno(ENOMEM);
		return NULL;
	}
	(void)fd_take(&fd);
	return p;
}
