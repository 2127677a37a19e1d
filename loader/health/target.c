/* SPDX-License-Identifier: BSD-2-Clause */
/* A chained hash table keyed by address and port; the few profiles of one share its chain. */
#include "health/target.h"

#include <errno.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/hash.h"

#define BUCKETS_MIN 64

static size_t bucket_of(const struct spw_addr *addr, uint16_t port, size_t bucket_count)
{
	return hash_bytes(addr, sizeof(*addr), port) & (bucket_count - 1);
}

static void link_in(struct target **buckets, size_t bucket_count, struct target *target)
{
	size_t b = bucket_of(&target->addr, target->port, bucket_count);

	target->next = buckets[b];
	buckets[b] = target;
}

int target_table_reserve(struct target_table *t, size_t count)
{
	size_t bucket_count = t->bucket_count ? t->bucket_count : BUCKETS_MIN;
	struct target **buckets;

	while (bucket_count < count)
		bucket_count *= 2;
	if (bucket_count == t->bucket_count)
		return 0;
	buckets = calloc(bucket_count, sizeof(struct target *));
	if (!buckets)
		return -ENOMEM;
	for (size_t b = 0; b < t->bucket_count; b++) {
		struct target *next;

		for (struct target *i = t->buckets[b]; i; i = next) {
			next = i->next;
			link_in(buckets, bucket_count, i);
		}
	}
	free(t->buckets);
	t->buckets = buckets;
	t->bucket_count = bucket_count;
	return 0;
}

struct target *target_chain(const struct target_table *t, const struct spw_addr *addr,
			    uint16_t port)
{
	return t->bucket_count ? t->buckets[bucket_of(addr, port, t->bucket_count)] : NULL;
}

struct target *target_find(const struct target_table *t, const struct spw_addr *addr, uint16_t port,
			   uint64_t profile)
{
	for (struct target *i = target_chain(t, addr, port); i; i = i->next)
		if (i->port == port && i->profile == profile && addr_equal(&i->addr, addr))
			return i;
	return NULL;
}

struct target *target_add(struct target_table *t, const struct spw_addr *addr, uint16_t port,
			  uint64_t profile)
{
	struct target *target = calloc(1, sizeof(*target));

	if (!target)
		return NULL;
	target->addr = *addr;
	target->port = port;
	target->profile = profile;
	link_in(t->buckets, t->bucket_count, target);
	t->count++;
	return target;
}

void target_sweep(struct target_table *t, bool (*gone)(const struct target *target),
		  void (*drop)(void *ctx, struct target *target), void *ctx)
{
	for (size_t b = 0; b < t->bucket_count; b++) {
		struct target **link = &t->buckets[b];

		while (*link) {
			struct target *target = *link;

			if (!gone(target)) {
				link = &target->next;
				continue;
			}
			*link = target->next;
			t->count--;
			drop(ctx, target);
		}
	}
}

void target_table_done(struct target_table *t)
{
	free(t->buckets);
	*t = (struct target_table){0};
}
