/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that lives and dies together: manifests, a model and its tables are one arena each. */
#ifndef SPILLWAY_BASE_ARENA_H
#define SPILLWAY_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

struct arena;

/* NULL when out of memory. */
struct arena *arena_new(void);
/* One more holder: it takes as many arena_free() as there are. */
struct arena *arena_share(struct arena *a);
void arena_free(struct arena *a); /* NULL is fine */
AUTO_DEFINE(struct arena *, arena_free)

/*
 * Zeroed memory, aligned for any type. An arena never returns NULL: running out of memory in the
 * middle of a compile is answered by abort(), since no caller could do better.
 */
void *arena_alloc(struct arena *a, size_t size);
void *arena_array(struct arena *a, size_t count, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* Bytes handed out so far. */
size_t arena_used(const struct arena *a);

/*
 * Appends to an array of the arena: *items grows by doubling, the new element is zeroed and
 * returned. `count` is read and raised. The old block stays in the arena.
 */
#define arena_push(a, items, count)                                                                \
	(arena_grow_((a), (void **)&(items), &(count), sizeof(*(items))), &(items)[(count) - 1])
void arena_grow_(struct arena *a, void **items, size_t *count, size_t size);

#endif
