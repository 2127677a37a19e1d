/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two registers of numbers, endpoints and services, each an array of rows by number. A number in
 * flows or in rows under way must not come to mean something else, so what has gone rests first.
 * A new assignment is worked out on a copy and taken over at the end.
 */
#include "tables/ids.h"

#include <errno.h>
#include <stdlib.h>

#include "base/addr.h"
#include "tables/registry.h"

struct ids {
	struct registry endpoints;
	struct registry services;
	uint32_t *endpoint_ids; /* by instance.index of the model of the latest ids_assign() */
	size_t endpoint_count;
	/* All of it as it was before the latest ids_assign(), for ids_undo(). */
	struct registry endpoints_before, services_before;
	uint32_t *ids_before;
	size_t count_before;
	bool may_undo;
};

static struct registry_key endpoint_key(const struct spw_addr *addr, uint16_t port, uint8_t mode,
					uint64_t profile)
{
	struct registry_key k = {.addr = *addr, .port = port, .kind = mode, .profile = profile};

	return k;
}

static struct registry_key service_key(const struct spw_addr *vip, uint16_t port, uint8_t proto)
{
	struct registry_key k = {.addr = *vip, .port = port, .kind = proto};

	return k;
}

struct ids *ids_new(const struct ids_limits *limits)
{
	struct ids *ids = calloc(1, sizeof(*ids));

	if (!ids)
		return NULL;
	if (registry_init(&ids->endpoints, 1, limits->max_endpoints) ||
	    registry_init(&ids->services, 0, limits->max_services)) {
		ids_free(ids);
		return NULL;
	}
	return ids;
}

void ids_free(struct ids *ids)
{
	if (!ids)
		return;
	ids_settle(ids);
	registry_done(&ids->endpoints);
	registry_done(&ids->services);
	free(ids->endpoint_ids);
	free(ids);
}

/*
 * A removed endpoint's row has lost its mode, but for a flag. It gets the one it had, so that who comes
 * back finds its number, unless it is back already under another.
 */
static void seed_removed(struct ids *ids, const struct table_endpoint *e)
{
	uint8_t mode = e->was_mode			 ? e->was_mode
		       : e->flags & SPW_ENDPOINT_HANDOFF ? SPW_MODE_HANDOFF
							 : SPW_MODE_NAT;
	struct registry_key k = endpoint_key(&e->addr, e->port, mode, e->profile);

	if (registry_find(&ids->endpoints, &k) != REGISTRY_NONE)
		k = endpoint_key(&e->addr, e->port, SPW_MODE_NONE, e->profile);
	registry_seed_resting(&ids->endpoints, e->id, &k);
}

void ids_seed(struct ids *ids, const struct tables *have)
{
	for (size_t i = 0; i < have->endpoint_count; i++) {
		const struct table_endpoint *e = &have->endpoints[i];
		const struct registry_key k = endpoint_key(&e->addr, e->port, e->mode, e->profile);

		if (e->mode != SPW_MODE_NONE)
			registry_seed(&ids->endpoints, e->id, &k);
	}
	registry_seed_end(&ids->endpoints);
	for (size_t i = 0; i < have->endpoint_count; i++) {
		if (have->endpoints[i].mode == SPW_MODE_NONE)
			seed_removed(ids, &have->endpoints[i]);
	}
	for (size_t i = 0; i < have->service_count; i++) {
		const struct table_service *s = &have->services[i];
		const struct registry_key k = service_key(&s->vip, s->port, s->proto);

		registry_seed(&ids->services, s->id, &k);
	}
	registry_seed_end(&ids->endpoints);
	registry_seed_end(&ids->services);
}

/* Those that get no traffic need none. */
static bool has_number(const struct instance *i)
{
	return i->carried;
}

static size_t count_numbered(const struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->instance_count; i++)
		n += has_number(&m->instances[i]);
	return n;
}

/* Spreads numbers[], those of the instances that have one in order, to the instances' places. */
static void spread_numbers(const struct model *m, size_t count, uint32_t *numbers)
{
	for (size_t i = m->instance_count; i > 0; i--)
		numbers[i - 1] =
			has_number(&m->instances[i - 1]) ? numbers[--count] : SPW_ENDPOINT_NONE;
}

/* out[] by instance. Most have the index that they had in the model before. */
static int assign_endpoints(const struct ids *ids, const struct model *m, struct registry *next,
			    uint32_t *out)
{
	struct registry_key *keys = calloc(m->instance_count + 1, sizeof(*keys));
	size_t n = 0;
	int err;

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < m->instance_count; i++) {
		const struct instance *in = &m->instances[i];

		if (!has_number(in))
			continue;
		out[n] = ids_endpoint(ids, in);
		keys[n++] = endpoint_key(&in->addr, in->port, (uint8_t)in->mode, in->profile);
	}
	err = registry_assign(&ids->endpoints, keys, n, next, out);
	if (!err)
		spread_numbers(m, n, out);
	free(keys);
	return err;
}

static size_t count_rows(const struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->service_count; i++)
		n += !m->services[i].proxied;
	return n;
}

static int assign_services(const struct registry *now, const struct model *m, struct registry *next)
{
	struct registry_key *keys = calloc(m->service_count + 1, sizeof(*keys));
	uint32_t *numbers = calloc(m->service_count + 1, sizeof(*numbers));
	int err = -ENOMEM;
	size_t n = 0;

	if (keys && numbers) {
		for (size_t i = 0; i < m->service_count; i++) {
			const struct service *s = &m->services[i];

			if (!s->proxied)
				keys[n++] = service_key(&s->vip, s->port, s->proto);
		}
		err = registry_assign(now, keys, n, next, numbers);
	}
	free(keys);
	free(numbers);
	return err;
}

static const char *explain(struct arena *a, const struct registry *r, size_t wanted,
			   const char *what, const char *option)
{
	return arena_printf(a,
			    "%zu %s do not fit: there are %u numbers, %u of them still in use "
			    "by flows: raise %s, which takes effect after spillwayd --detach",
			    wanted, what, r->end - r->first, registry_resting(r), option);
}

int ids_assign(struct ids *ids, const struct model *m, const char **why)
{
	uint32_t *numbers = calloc(m->instance_count + 1, sizeof(*numbers));
	struct registry endpoints = {0}, services = {0};
	int err;

	err = numbers ? assign_endpoints(ids, m, &endpoints, numbers) : -ENOMEM;
	if (err == -ENOSPC)
		*why = explain(m->arena, &ids->endpoints, count_numbered(m), "endpoints",
			       "--max-endpoints");
	if (!err) {
		err = assign_services(&ids->services, m, &services);
		if (err == -ENOSPC)
			*why = explain(m->arena, &ids->services, count_rows(m), "services",
				       "--max-services");
	}
	if (err) {
		if (err == -ENOMEM)
			*why = "out of memory";
		registry_done(&endpoints);
		registry_done(&services);
		free(numbers);
		return err;
	}
	ids_settle(ids);
	ids->endpoints_before = ids->endpoints;
	ids->services_before = ids->services;
	ids->ids_before = ids->endpoint_ids;
	ids->count_before = ids->endpoint_count;
	ids->may_undo = true;
	ids->endpoints = endpoints;
	ids->services = services;
	ids->endpoint_ids = numbers;
	ids->endpoint_count = m->instance_count;
	return 0;
}

void ids_settle(struct ids *ids)
{
	registry_done(&ids->endpoints_before);
	registry_done(&ids->services_before);
	free(ids->ids_before);
	ids->ids_before = NULL;
	ids->may_undo = false;
}

bool ids_undo(struct ids *ids)
{
	if (!ids->may_undo)
		return false;
	registry_replace(&ids->endpoints, &ids->endpoints_before);
	registry_replace(&ids->services, &ids->services_before);
	free(ids->endpoint_ids);
	ids->endpoint_ids = ids->ids_before;
	ids->endpoint_count = ids->count_before;
	ids->ids_before = NULL;
	ids->may_undo = false;
	return true;
}

uint32_t ids_endpoint(const struct ids *ids, const struct instance *i)
{
	return i->index < ids->endpoint_count ? ids->endpoint_ids[i->index] : SPW_ENDPOINT_NONE;
}

uint32_t ids_service(const struct ids *ids, const struct service *s)
{
	const struct registry_key k = service_key(&s->vip, s->port, s->proto);

	return registry_find(&ids->services, &k);
}

static bool is_always_free(void *ctx, uint32_t number)
{
	(void)ctx;
	(void)number;
	return true;
}

uint32_t ids_endpoints_taken(const struct ids *ids)
{
	return ids->endpoints.order_count;
}

void ids_release(struct ids *ids, bool (*fn)(void *ctx, uint32_t endpoint_id), void *ctx)
{
	ids_settle(ids);
	registry_release(&ids->endpoints, fn, ctx);
	registry_release(&ids->services, is_always_free, NULL);
}
