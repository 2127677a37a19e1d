/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instances by identity: address, port, mode, profile, and the name of what has no address. Open
 * addressing, grown by doubling.
 */
#include <string.h>

#include "base/addr.h"
#include "base/hash.h"
#include "model/resolver.h"

struct instances {
	struct arena *arena;
	struct instance **list; /* by index */
	size_t count;
	struct instance **table;
	size_t size; /* a power of two */
};

struct instances *instances_new(struct arena *a)
{
	struct instances *all = arena_alloc(a, sizeof(*all));

	all->arena = a;
	all->size = 64;
	all->table = arena_array(a, all->size, sizeof(struct instance *));
	return all;
}

static bool is_same(const struct instance *a, const struct instance *b)
{
	return addr_equal(&a->addr, &b->addr) && a->port == b->port && a->mode == b->mode &&
	       a->profile == b->profile && a->kind == b->kind && a->carried == b->carried &&
	       (a->kind == ENDPOINT_IP || strcmp(a->name, b->name) == 0);
}

static size_t place(const struct instances *all, const struct instance *want)
{
	const uint64_t seed = want->profile ^ want->port;
	size_t at = hash_bytes(want->addr.b, sizeof(want->addr.b), seed) & (all->size - 1);

	while (all->table[at] && !is_same(all->table[at], want))
		at = (at + 1) & (all->size - 1);
	return at;
}

static void grow(struct instances *all)
{
	all->size *= 2;
	all->table = arena_array(all->arena, all->size, sizeof(struct instance *));
	for (size_t i = 0; i < all->count; i++)
		all->table[place(all, all->list[i])] = all->list[i];
}

static struct instance wanted(const struct backend *b, const struct endpoint *e,
			      const struct judges *j)
{
	struct instance i = {
		.kind = e->kind,
		.addr = e->addr,
		.port = e->port,
		.mode = e->handoff ? SPW_MODE_HANDOFF : b->mode,
		.carried = !e->unusable,
		.name = e->name,
		.host = e->host,
		.fqdn = e->fqdn,
		.check = j->check,
		.tls = e->tls,
		.pool = e->handoff ? j->pool : NULL,
		.app = b->app,
		.slow_start_ms = j->slow_start_ms,
		.hostname = e->hostname,
		.zone = e->zone,
		.backend = b->name,
	};

	/* Nobody sees traffic of those that have none, and answers that go another way. */
	if (i.carried && !mode_is_direct(i.mode))
		i.passive = j->passive[b->udp_replies];
	i.proto = i.passive ? j->proto : 0;
	if (!e->handoff && !e->hostname && b->app == APP_HTTP1)
		i.profile = j->plain_profile[b->udp_replies];
	else
		i.profile = instance_profile(&i);
	return i;
}

static struct instance *add(struct instances *all, const struct instance *want, size_t at)
{
	struct instance *i = arena_alloc(all->arena, sizeof(*i));

	*i = *want;
	i->index = (uint32_t)all->count;
	all->table[at] = i;
	*arena_push(all->arena, all->list, all->count) = i;
	return i;
}

struct instance *instances_get(struct instances *all, const struct backend *b,
			       const struct endpoint *e, const struct judges *j)
{
	const struct instance want = wanted(b, e, j);
	struct instance *i;

	if (2 * (all->count + 1) > all->size)
		grow(all);
	i = all->table[place(all, &want)];
	if (!i)
		i = add(all, &want, place(all, &want));
	/* What Backends that share it say besides: the first word on its zone, any for a reset. */
	if (!i->zone)
		i->zone = want.zone;
	i->reset_on_removal = i->reset_on_removal || b->reset_on_removal;
	return i;
}

struct instance *instances_finish(struct instances *all, size_t *count)
{
	struct instance *out = arena_array(all->arena, all->count, sizeof(*out));

	for (size_t i = 0; i < all->count; i++)
		out[i] = *all->list[i];
	*count = all->count;
	return out;
}

static int compare_addresses(const struct instance *x, const struct instance *y)
{
	int order = addr_compare(&x->addr, &y->addr);

	return order ? order : (int)x->port - (int)y->port;
}

/* Without an address the name is the identity. */
int instance_compare_places(const struct instance *x, const struct instance *y)
{
	int order = (int)x->kind - (int)y->kind;

	if (!order)
		order = compare_addresses(x, y);
	return order || x->kind == ENDPOINT_IP ? order : strcmp(x->name, y->name);
}

int instance_compare(const struct instance *x, const struct instance *y)
{
	int order = instance_compare_places(x, y);

	if (!order)
		order = (int)x->mode - (int)y->mode;
	return order ? order : (x->profile > y->profile) - (x->profile < y->profile);
}
