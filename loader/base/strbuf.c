/* SPDX-License-Identifier: BSD-2-Clause */
/* Doubling buffer, always NUL-terminated. */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reserve(struct strbuf *b, size_t more)
{
	size_t need = b->len + more + 1;
	size_t capacity = b->capacity ? b->capacity : 64;

	if (need <= b->capacity)
		return;
	while (capacity < need)
		capacity *= 2;
	b->text = realloc(b->text, capacity);
	if (!b->text)
		abort();
	b->capacity = capacity;
}

void strbuf_add(struct strbuf *b, const char *bytes, size_t len)
{
	reserve(b, len);
	memcpy(b->text + b->len, bytes, len);
	b->len += len;
	b->text[b->len] = '\0';
}

void strbuf_puts(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		abort();
	reserve(b, (size_t)len);
	va_start(ap, fmt);
	(void)vsnprintf(b->text + b->len, (size_t)len + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)len;
}

char *strbuf_take(struct strbuf *b)
{
	char *text;

	reserve(b, 0);
	b->text[b->len] = '\0';
	text = b->text;
	*b = (struct strbuf){0};
	return text;
}

void strbuf_done(struct strbuf *b)
{
	free(b->text);
	*b = (struct strbuf){0};
}
