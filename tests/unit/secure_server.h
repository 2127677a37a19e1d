/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An endpoint that speaks TLS, HTTP/2, or both, on loopback in a thread of its own: HTTP/1.1 by a
 * text, HTTP/2 by nghttp2 with one answer for every request. One connection after the other.
 */
#ifndef SPILLWAY_TESTS_SECURE_SERVER_H
#define SPILLWAY_TESTS_SECURE_SERVER_H

#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

#include "health_server.h"

/* What HTTP/2 answers; NULL: that header, or the trailers, are not sent. */
struct h2_answer {
	const char *status;
	const char *type;
	const char *grpc_status; /* in the trailers, or with no body in the headers */
	const char *body;
	size_t body_len;
};

struct secure {
	int fd;
	uint16_t port;
	pthread_t thread;
	SSL_CTX *tls;	      /* owned; NULL: plain */
	const char *answer;   /* HTTP/1.1; NULL: HTTP/2 */
	const char *greeting; /* written at once, instead of both */
	struct h2_answer h2;
	_Atomic bool stop;
	_Atomic unsigned accepted;
	char alpn[16], sni[64];
	char request[4096]; /* HTTP/2: "name: value\n" and then the body */
	size_t request_len;
};

struct secure_connection {
	struct secure *server;
	int fd;
	SSL *ssl;
};

static inline ssize_t secure_read(struct secure_connection *c, void *data, size_t len)
{
	return c->ssl ? SSL_read(c->ssl, data, (int)len) : recv(c->fd, data, len, 0);
}

static inline ssize_t secure_write(struct secure_connection *c, const void *data, size_t len)
{
	return c->ssl ? SSL_write(c->ssl, data, (int)len) : send(c->fd, data, len, MSG_NOSIGNAL);
}

static inline void secure_note(struct secure *s, const void *data, size_t len)
{
	if (s->request_len + len >= sizeof(s->request))
		return;
	memcpy(s->request + s->request_len, data, len);
	s->request_len += len;
	s->request[s->request_len] = '\0';
}

static inline ssize_t h2_on_send(nghttp2_session *session, const uint8_t *data, size_t len,
				 int flags, void *ctx)
{
	(void)session;
	(void)flags;
	return secure_write(ctx, data, len) == (ssize_t)len ? (ssize_t)len
							    : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static inline int h2_on_header(nghttp2_session *session, const nghttp2_frame *frame,
			       const uint8_t *name, size_t name_len, const uint8_t *value,
			       size_t value_len, uint8_t flags, void *ctx)
{
	struct secure *s = ((struct secure_connection *)ctx)->server;

	(void)session;
	(void)frame;
	(void)flags;
	secure_note(s, name, name_len);
	secure_note(s, ": ", 2);
	secure_note(s, value, value_len);
	secure_note(s, "\n", 1);
	return 0;
}

static inline int h2_on_data(nghttp2_session *session, uint8_t flags, int32_t stream,
			     const uint8_t *data, size_t len, void *ctx)
{
	(void)session;
	(void)flags;
	(void)stream;
	secure_note(((struct secure_connection *)ctx)->server, data, len);
	return 0;
}

static inline nghttp2_nv h2_pair(const char *name, const char *value)
{
	return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
			    strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static inline ssize_t h2_on_source(nghttp2_session *session, int32_t stream, uint8_t *buf,
				   size_t len, uint32_t *flags, nghttp2_data_source *source,
				   void *ctx)
{
	const struct h2_answer *a = source->ptr;

	(void)ctx;
	assert_true(a->body_len <= len);
	memcpy(buf, a->body, a->body_len);
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	if (a->grpc_status) {
		nghttp2_nv trailer = h2_pair("grpc-status", a->grpc_status);

		*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
		(void)nghttp2_submit_trailer(session, stream, &trailer, 1);
	}
	return (ssize_t)a->body_len;
}

static inline int h2_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct h2_answer *a = &((struct secure_connection *)ctx)->server->h2;
	nghttp2_data_provider body = {.source.ptr = a, .read_callback = h2_on_source};
	nghttp2_nv headers[3];
	size_t count = 0;

	if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ||
	    (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
		return 0;
	headers[count++] = h2_pair(":status", a->status);
	if (a->type)
		headers[count++] = h2_pair("content-type", a->type);
	if (a->grpc_status && !a->body)
		headers[count++] = h2_pair("grpc-status", a->grpc_status);
	return nghttp2_submit_response(session, frame->hd.stream_id, headers, count,
				       a->body ? &body : NULL);
}

static inline void h2_talk(struct secure_connection *c)
{
	nghttp2_session_callbacks *callbacks;
	nghttp2_session *session;
	uint8_t data[4096];

	assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
	nghttp2_session_callbacks_set_send_callback(callbacks, h2_on_send);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, h2_on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, h2_on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, h2_on_frame);
	assert_int_equal(nghttp2_session_server_new(&session, callbacks, c), 0);
	(void)nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0);
	while (nghttp2_session_send(session) == 0) {
		ssize_t n = secure_read(c, data, sizeof(data));

		if (n <= 0 || nghttp2_session_mem_recv(session, data, (size_t)n) < 0)
			break;
	}
	nghttp2_session_del(session);
	nghttp2_session_callbacks_del(callbacks);
}

static inline void secure_talk(struct secure_connection *c)
{
	struct secure *s = c->server;
	char data[2048];
	ssize_t n;

	if (s->greeting) {
		(void)secure_write(c, s->greeting, strlen(s->greeting));
		return;
	}
	if (!s->answer) {
		h2_talk(c);
		return;
	}
	n = secure_read(c, data, sizeof(data));
	if (n <= 0)
		return;
	secure_note(s, data, (size_t)n);
	(void)secure_write(c, s->answer, strlen(s->answer));
}

static inline void secure_note_handshake(struct secure_connection *c)
{
	const char *sni = SSL_get_servername(c->ssl, TLSEXT_NAMETYPE_host_name);
	const unsigned char *alpn = NULL;
	unsigned len = 0;

	SSL_get0_alpn_selected(c->ssl, &alpn, &len);
	(void)snprintf(c->server->sni, sizeof(c->server->sni), "%s", sni ? sni : "");
	(void)snprintf(c->server->alpn, sizeof(c->server->alpn), "%.*s", (int)len,
		       alpn ? (const char *)alpn : "");
}

/* What the other side still sends would turn the close into a reset, and lose our last words. */
static inline void secure_close(int fd)
{
	char rest[4096];

	(void)shutdown(fd, SHUT_WR);
	while (recv(fd, rest, sizeof(rest), 0) > 0)
		;
	(void)close(fd);
}

static inline void secure_serve(struct secure *s, int fd)
{
	struct secure_connection c = {s, fd, s->tls ? SSL_new(s->tls) : NULL};
	struct timeval wait = {.tv_sec = 2};

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	s->request_len = 0;
	s->request[0] = '\0';
	if (!c.ssl) {
		secure_talk(&c);
		secure_close(fd);
		return;
	}
	(void)SSL_set_fd(c.ssl, fd);
	if (SSL_accept(c.ssl) == 1) {
		secure_note_handshake(&c);
		secure_talk(&c);
		(void)SSL_shutdown(c.ssl);
	}
	SSL_free(c.ssl);
	ERR_clear_error();
	secure_close(fd);
}

static inline void *secure_run(void *ctx)
{
	struct secure *s = ctx;
	struct pollfd p = {.fd = s->fd, .events = POLLIN};

	while (!s->stop) {
		int fd;

		if (poll(&p, 1, 20) <= 0)
			continue;
		fd = accept(s->fd, NULL, NULL);
		if (fd < 0)
			continue;
		s->accepted++;
		secure_serve(s, fd);
	}
	return NULL;
}

/* Takes `tls` over; the caller sets what is answered before a probe starts. */
static inline struct secure *secure_start(SSL_CTX *tls)
{
	struct secure *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->fd = server_listen("127.0.0.1", 64, &s->port);
	s->tls = tls;
	assert_int_equal(pthread_create(&s->thread, NULL, secure_run, s), 0);
	return s;
}

static inline void secure_stop(struct secure *s)
{
	s->stop = true;
	(void)pthread_join(s->thread, NULL);
	SSL_CTX_free(s->tls);
	(void)close(s->fd);
	free(s);
}

#endif
