/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes over a non-blocking socket, plain or by TLS: one way of reading and writing for checks. */
#ifndef SPILLWAY_HEALTH_STREAM_H
#define SPILLWAY_HEALTH_STREAM_H

#include <openssl/ssl.h>
#include <sys/types.h>

struct stream {
	int fd;
	SSL *ssl;	  /* NULL: plain */
	const char *text; /* of the latest -EPROTO: why, static or of OpenSSL's */
};

/* What a call has to wait for, besides a negative errno: never an errno of a socket itself. */
#define STREAM_WANTS_READ  (-EAGAIN)
#define STREAM_WANTS_WRITE (-EINPROGRESS)

/*
 * 0 or more: what was done (0 of stream_read(): the other side has closed). STREAM_WANTS_*: again,
 * when the socket is ready. -EPROTO: TLS failed, see `text`. Else a negative errno.
 */
int stream_handshake(struct stream *s); /* 0 at once without TLS */
ssize_t stream_write(struct stream *s, const void *data, size_t len);
ssize_t stream_read(struct stream *s, void *data, size_t len);

/* Says good-bye, and closes with a FIN, never with an RST. */
void stream_close(struct stream *s);

#endif
