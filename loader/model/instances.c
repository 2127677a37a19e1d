/* SPDX-License-Identifier: BSD-2-Clause */
/* Instances by identity: address, port, mode, profile. Open addressing, grown by doubling. */

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

static size_t place(const struct instances *all, const struct spw_addr *addr, uint16_t port,
		    uint64_t profile)
{
	size_t at = hash_bytes(addr->b, sizeof(addr->b), profile ^ port) & (all->size - 1);

	for (; all->table[at]; at = (at + 1) & (all->size - 1)) {
		const struct instance *i = all->table[at];

		if (addr_equal(&i->addr, addr) && i->port == port && i->profile == profile)
			break;
	}
	return at;
}

static void grow(struct instances *all)
{
	all->size *= 2;
	all->table = arena_array(all->arena, all->size, sizeof(struct instance *));
	for (size_t i = 0; i < all->count; i++) {
		struct instance *in = all->list[i];

		all->table[place(all, &in->addr, in->port, in->profile)] = in;
	}
}

struct instance *instances_get(struct instances *all, const struct endpoint *e,
			       const struct check *check, const char *backend)
{
	const uint64_t profile = check_profile(check, e->hostname);
	size_t at = place(all, &e->addr, e->port, profile);
	struct instance *i = all->table[at];

	if (i)
		return i;
	if (2 * (all->count + 1) > all->size) {
		grow(all);
		at = place(all, &e->addr, e->port, profile);
	}
	i = arena_alloc(all->arena, sizeof(*i));
	*i = (struct instance){
		.index = (uint32_t)all->count,
		.kind = ENDPOINT_IP,
		.name = e->name,
		.addr = e->addr,
		.port = e->port,
		.mode = SPW_MODE_NAT,
		.profile = profile,
		.check = check,
		.hostname = e->hostname,
		.zone = e->zone,
		.backend = backend,
	};
	all->table[at] = i;
	*arena_push(all->arena, all->list, all->count) = i;
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
