/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL's errors are in a queue of the thread: it is emptied before each call, so that what is in
 * it afterwards belongs to that call.
 *
 * What is left in the receive queue is taken out before the close, which would send an RST for it.
 */
#include "health/stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRAIN_BYTES (1u << 20)

/* What became of an OpenSSL call that returned `done` <= 0. */
static int trouble(struct stream *s, int done)
{
	int err = errno;

	switch (SSL_get_error(s->ssl, done)) {
	case SSL_ERROR_WANT_READ:
		return STREAM_WANTS_READ;
	case SSL_ERROR_WANT_WRITE:
		return STREAM_WANTS_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return err ? -err : -EPIPE;
	}
	s->text = ERR_reason_error_string(ERR_peek_last_error());
	if (!s->text)
		s->text = "unknown error";
	return -EPROTO;
}

static void begin(void)
{
	ERR_clear_error();
	errno = 0;
}

int stream_handshake(struct stream *s)
{
	int done;

	if (!s->ssl)
		return 0;
	begin();
	done = SSL_do_handshake(s->ssl);
	return done == 1 ? 0 : trouble(s, done) ?: -EPIPE;
}

ssize_t stream_write(struct stream *s, const void *data, size_t len)
{
	size_t written = 0;
	ssize_t n;

	if (s->ssl) {
		begin();
		n = SSL_write_ex(s->ssl, data, len, &written);
		return n == 1 ? (ssize_t)written : trouble(s, (int)n) ?: -EPIPE;
	}
	n = send(s->fd, data, len, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN ? STREAM_WANTS_WRITE : -errno;
	return n;
}

ssize_t stream_read(struct stream *s, void *data, size_t len)
{
	size_t got = 0;
	ssize_t n;

	if (s->ssl) {
		begin();
		n = SSL_read_ex(s->ssl, data, len, &got);
		return n == 1 ? (ssize_t)got : trouble(s, (int)n);
	}
	n = recv(s->fd, data, len, 0);
	return n < 0 ? -errno : n;
}

void stream_close(struct stream *s)
{
	if (s->ssl && SSL_is_init_finished(s->ssl)) {
		begin();
		(void)SSL_shutdown(s->ssl);
	}
	SSL_free(s->ssl);
	ERR_clear_error();
	(void)recv(s->fd, NULL, DRAIN_BYTES, MSG_TRUNC);
	(void)close(s->fd);
}
