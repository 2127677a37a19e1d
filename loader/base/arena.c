/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A chain of blocks with a bump pointer; nothing is ever freed singly. Blocks come zeroed and grow with
 * the arena, up to a size that malloc() asks the kernel for and gives back to it at once.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK_BYTES	65536
#define BLOCK_BYTES_MAX (1u << 20)
#define PAGE_BYTES	4096u

struct block {
	struct block *next;
	size_t size_bytes;
	size_t used_bytes;
	alignas(max_align_t) char data[];
};

struct arena {
	struct block *head;
	size_t used_bytes;
	size_t holders;
};

/*
 * All pages of a large block at once: it is going to be used, and one call costs a fraction of a
 * fault for each of them. What cannot be had so comes by faults.
 */
static void populate(struct block *b, size_t size_bytes)
{
	const uintptr_t first = ((uintptr_t)b + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
	const uintptr_t end = ((uintptr_t)b + size_bytes) / PAGE_BYTES * PAGE_BYTES;

	(void)madvise((char *)b + (first - (uintptr_t)b), end - first, MADV_POPULATE_WRITE);
}

static struct block *block_new(size_t size_bytes)
{
	struct block *b = calloc(1, sizeof(*b) + size_bytes);

	if (!b)
		return NULL;
	if (size_bytes == BLOCK_BYTES_MAX)
		populate(b, size_bytes);
	b->size_bytes = size_bytes;
	return b;
}

struct arena *arena_new(void)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->head = block_new(BLOCK_BYTES);
	if (!a->head) {
		free(a);
		return NULL;
	}
	a->holders = 1;
	return a;
}

struct arena *arena_share(struct arena *a)
{
	a->holders++;
	return a;
}

void arena_free(struct arena *a)
{
	struct block *next;

	if (!a || --a->holders)
		return;
	for (struct block *b = a->head; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

static struct block *block_for(struct arena *a, size_t size)
{
	size_t next = a->head->size_bytes * 2;
	struct block *b;

	if (a->head->size_bytes - a->head->used_bytes >= size)
		return a->head;
	if (next > BLOCK_BYTES_MAX)
		next = BLOCK_BYTES_MAX;
	b = block_new(size > next ? size : next);
	if (!b)
		abort();
	b->next = a->head;
	a->head = b;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct block *b;
	void *p;

	if (size > SIZE_MAX - align)
		abort();
	size = (size + align - 1) / align * align;
	b = block_for(a, size);
	p = b->data + b->used_bytes;
	b->used_bytes += size;
	a->used_bytes += size;
	return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		abort();
	return arena_alloc(a, total);
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0)
		abort();
	text = arena_alloc(a, (size_t)len + 1);
	(void)vsnprintf(text, (size_t)len + 1, fmt, ap);
	return text;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return text;
}

size_t arena_used(const struct arena *a)
{
	return a->used_bytes;
}

/* The capacity is not stored: it is the next power of two of the count, at least 8. */
void arena_grow_(struct arena *a, void **items, size_t *count, size_t size)
{
	size_t n = *count;
	void *grown;

	if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
		grown = arena_array(a, n ? n * 2 : 8, size);
		if (n)
			memcpy(grown, *items, n * size);
		*items = grown;
	}
	(*count)++;
}
