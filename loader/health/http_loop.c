/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * curl says which sockets and which one timeout it wants to hear of; uv_poll and a uv_timer tell
 * it. The poll handle of a socket is stopped when curl removes it, before curl closes the socket,
 * as libuv asks for.
 */
#include "health/http_loop.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "health/probe.h"

struct http {
	CURLM *multi;
	uv_timer_t timer;
	http_ended_fn *ended; /* one type of owner: the HTTP check */
};

/* One for each socket that curl watches; freed when its handle is closed. */
struct http_socket {
	uv_poll_t poll;
	struct http *http;
	curl_socket_t fd;
	int events;
};

static void take_ended(struct http *h)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(h->multi, &left))) {
		CURL *easy = msg->easy_handle;
		CURLcode code = msg->data.result;
		void *owner = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
		(void)curl_multi_remove_handle(h->multi, easy);
		h->ended(owner, code);
	}
}

/*
 * After an error libuv has stopped the handle, while curl may have bytes left to read from the
 * socket and would wait for more events: all kinds are reported, and watching goes on.
 */
static void on_socket_event(uv_poll_t *poll, int status, int events)
{
	struct http_socket *s = poll->data;
	struct http *h = s->http;
	int left, what = 0;

	if (status < 0)
		what = CURL_CSELECT_IN | CURL_CSELECT_OUT | CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		what |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		what |= CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(h->multi, s->fd, what, &left);
	if (status < 0 && !uv_is_closing((uv_handle_t *)poll))
		(void)uv_poll_start(poll, s->events, on_socket_event);
	take_ended(h);
}

static void on_socket_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static struct http_socket *watch(struct http *h, curl_socket_t fd)
{
	struct http_socket *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->http = h;
	s->fd = fd;
	s->poll.data = s;
	if (uv_poll_init_socket(h->timer.loop, &s->poll, fd)) {
		free(s);
		return NULL;
	}
	(void)curl_multi_assign(h->multi, fd, s);
	return s;
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *of_socket)
{
	struct http_socket *s = of_socket;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s)
			uv_close((uv_handle_t *)&s->poll, on_socket_closed);
		return 0;
	}
	if (!s)
		s = watch(ctx, fd);
	if (!s)
		return -1;
	s->events =
		(what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	(void)uv_poll_start(&s->poll, s->events, on_socket_event);
	return 0;
}

static void on_timer(uv_timer_t *timer)
{
	struct http *h = timer->data;
	int left;

	(void)curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &left);
	take_ended(h);
}

static int on_curl_timeout(CURLM *multi, long timeout_ms, void *ctx)
{
	struct http *h = ctx;

	(void)multi;
	if (timeout_ms < 0)
		(void)uv_timer_stop(&h->timer);
	else
		(void)uv_timer_start(&h->timer, on_timer, (uint64_t)timeout_ms, 0);
	return 0;
}

static int set_up(struct http *h)
{
	if (!h->multi || curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket) ||
	    curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) ||
	    curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_curl_timeout) ||
	    curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h))
		return -ENOMEM;
	return 0;
}

int http_new(uv_loop_t *loop, struct http **out)
{
	AUTO(free) struct http *h = calloc(1, sizeof(*h));
	int err;

	if (!h || curl_global_init(CURL_GLOBAL_DEFAULT))
		return -ENOMEM;
	h->multi = curl_multi_init();
	err = set_up(h);
	if (err) {
		(void)curl_multi_cleanup(h->multi);
		curl_global_cleanup();
		return err;
	}
	(void)uv_timer_init(loop, &h->timer); /* cannot fail */
	h->timer.data = h;
	*out = TAKE(h);
	return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void http_free(struct http *h)
{
	if (!h)
		return;
	(void)curl_multi_cleanup(h->multi);
	curl_global_cleanup();
	uv_close((uv_handle_t *)&h->timer, on_timer_closed);
}

int http_add(struct http *h, CURL *easy, void *owner, http_ended_fn *ended)
{
	h->ended = ended;
	if (curl_easy_setopt(easy, CURLOPT_PRIVATE, owner) || curl_multi_add_handle(h->multi, easy))
		return -ENOMEM;
	return 0;
}

void http_remove(struct http *h, CURL *easy)
{
	(void)curl_multi_remove_handle(h->multi, easy);
}
