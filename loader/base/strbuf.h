/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that grows: rendering of YAML, JSON and tables. */
#ifndef SPILLWAY_BASE_STRBUF_H
#define SPILLWAY_BASE_STRBUF_H

#include <stddef.h>

/* Zero-initialise; `text` is NULL until something was added, then NUL-terminated. */
struct strbuf {
	char *text;
	size_t len;
	size_t capacity;
};

/* These abort() when memory runs out, like the arena. */
void strbuf_add(struct strbuf *b, const char *bytes, size_t len);
void strbuf_puts(struct strbuf *b, const char *s);
void strbuf_printf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The text for the caller to free(), "" when empty; the buffer is empty afterwards. */
char *strbuf_take(struct strbuf *b);
void strbuf_done(struct strbuf *b);

#endif
