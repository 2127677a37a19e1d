/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How packets find services: a perfect hash in two mapped arrays, one half for each side. It is
 * built anew only when the services themselves have changed; else the other side's is copied.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/log.h"
#include "dataplane/state.h"
#include "tables/perfect.h"

#define SEEDS 64

struct halves {
	uint16_t *displace;
	uint32_t displace_count;
	uint32_t *slots;
	uint32_t slot_count;
};

static struct halves half(struct dataplane *dp, uint32_t side)
{
	struct halves h = {
		.displace_count = perfect_displace_count(dp->meta.max_services),
		.slot_count = perfect_slot_count(dp->meta.max_services),
	};

	h.displace = dp->maps.displace[0].at + (size_t)side * h.displace_count;
	h.slots = dp->maps.service_slots[0].id + (size_t)side * h.slot_count;
	return h;
}

/* Does the half find just these services? Then the services are as many as its slots name. */
static bool finds_all(const struct halves *h, uint32_t seed, const struct spw_service_key *keys,
		      const uint32_t *ids, size_t count)
{
	size_t named = 0;

	for (uint32_t i = 0; i < h->slot_count; i++)
		named += h->slots[i] != SPW_SERVICE_NONE;
	for (size_t i = 0; i < count; i++) {
		if (perfect_find(&keys[i], seed, h->displace, h->displace_count, h->slots,
				 h->slot_count) != ids[i])
			return false;
	}
	return named == count;
}

static void copy_half(struct dataplane *dp, uint32_t side)
{
	struct halves to = half(dp, side), from = half(dp, !side);

	memcpy(to.displace, from.displace, to.displace_count * sizeof(*to.displace));
	memcpy(to.slots, from.slots, to.slot_count * sizeof(*to.slots));
}

/* A seed fails once in many thousands; that all of them do is a bug, and said. */
static void build(struct dataplane *dp, const struct halves *h, const struct spw_service_key *keys,
		  const uint32_t *ids, size_t count)
{
	int err = -1;

	for (uint32_t i = 0; err && i < SEEDS; i++) {
		dp->settings.service_seed = i;
		err = perfect_build(keys, ids, count, i, h->displace, h->displace_count, h->slots,
				    h->slot_count);
	}
	if (err)
		log_error("lookup: %zu services cannot be entered: %s", count, strerror(-err));
}

void lookup_write(struct dataplane *dp, uint32_t side, const struct tables *want)
{
	AUTO(free) struct spw_service_key *keys = NULL;
	AUTO(free) uint32_t *ids = NULL;
	struct halves to = half(dp, side), from = half(dp, !side);
	size_t count = want ? want->service_count : 0;

	keys = calloc(count + 1, sizeof(*keys));
	ids = calloc(count + 1, sizeof(*ids));
	if (!keys || !ids || !want) {
		copy_half(dp, side);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct table_service *s = &want->services[i];

		keys[i].vip = s->vip;
		keys[i].port = htons(s->port);
		keys[i].proto = s->proto;
		ids[i] = s->id;
	}
	if (dp->applied && finds_all(&from, dp->settings.service_seed, keys, ids, count))
		copy_half(dp, side);
	else
		build(dp, &to, keys, ids, count);
}
