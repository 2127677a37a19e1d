/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What packets of direct return need besides: which VIPs have such services, by a bit each, and whether
 * there are any; where slot tables and blocks of motions lie; how outer headers are made.
 */
#include <stdlib.h>
#include <string.h>

#include <spillway/hash.h>

#include "dataplane/state.h"

static uint32_t bit_of(const struct dataplane *dp, const struct spw_addr *addr)
{
	return spw_addr_hash(addr) & (maps_addr_bits(dp->meta.max_services) - 1);
}

/* Before the switch to rows that have them; a bit too many costs a look. */
void direct_put(struct dataplane *dp, const struct tables *want)
{
	bool any = false;

	for (size_t i = 0; i < want->service_count; i++) {
		uint32_t bit = bit_of(dp, &want->services[i].vip);

		if (!want->services[i].direct)
			continue;
		any = true;
		__atomic_fetch_or(&dp->maps.direct_bits[bit / SPW_ADDR_LINE_BITS]
					   .w[bit % SPW_ADDR_LINE_BITS / 64],
				  1ull << bit % 64, __ATOMIC_RELEASE);
	}
	if (any)
		__atomic_store_n(&dp->maps.config->direct, 1, __ATOMIC_RELEASE);
}

/* After the switch: word by word, so that a bit that stays is never off in between. */
void direct_prune(struct dataplane *dp, const struct tables *want)
{
	const uint32_t words = maps_addr_bits(dp->meta.max_services) / 64;
	AUTO(free) uint64_t *bits = calloc(words, sizeof(*bits));
	bool any = false;

	if (!bits || !dp->maps.config->direct)
		return;
	for (size_t i = 0; i < want->service_count; i++) {
		uint32_t bit = bit_of(dp, &want->services[i].vip);

		if (!want->services[i].direct)
			continue;
		any = true;
		bits[bit / 64] |= 1ull << bit % 64;
	}
	for (uint32_t i = 0; i < words; i++)
		__atomic_store_n(&dp->maps.direct_bits[i / 8].w[i % 8], bits[i], __ATOMIC_RELEASE);
	__atomic_store_n(&dp->maps.config->direct, any, __ATOMIC_RELEASE);
}

/*
 * Packets read it meanwhile when an earlier run goes on. Nothing is written where nothing changes; else no
 * bit varies while the addresses change, so that no packet takes one that neither prefix has.
 */
void tunnels_put(struct dataplane *dp, const struct spw_tunnels *t)
{
	struct spw_tunnels *to = dp->maps.tunnels;

	if (memcmp(to, t, sizeof(*to)) == 0)
		return;
	__atomic_store_n(&to->bits4, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&to->bits6, 0, __ATOMIC_RELEASE);
	to->source4 = t->source4;
	to->source6 = t->source6;
	__atomic_store_n(&to->gue_port, t->gue_port, __ATOMIC_RELEASE);
	__atomic_store_n(&to->bits4, t->bits4, __ATOMIC_RELEASE);
	__atomic_store_n(&to->bits6, t->bits6, __ATOMIC_RELEASE);
}

void spaces_set(struct dataplane *dp, const struct tables *t)
{
	const size_t most = t->slots_count > t->motion_count ? t->slots_count : t->motion_count;
	AUTO(free) struct line_range *list = calloc(most + 1, sizeof(*list));

	if (!list)
		return;
	for (size_t i = 0; i < t->slots_count; i++)
		list[i] = (struct line_range){
			t->slots[i].base, (t->slots[i].size + SPW_LINE_SLOTS - 1) / SPW_LINE_SLOTS};
	space_set(&dp->slot_space, list, t->slots_count);
	for (size_t i = 0; i < t->motion_count; i++)
		list[i] = (struct line_range){t->motions[i].line, motion_lines(t->motions[i].size)};
	space_set(&dp->motion_space, list, t->motion_count);
}

void dataplane_resting(struct dataplane *dp, struct arena *a, struct line_space *slots,
		       struct line_space *motions)
{
	struct line_range *ranges;

	slots->lines = dp->meta.slot_lines;
	space_resting(&dp->slot_space, a, &ranges, &slots->resting_count);
	slots->resting = ranges;
	motions->lines = motion_room(dp->meta.slot_lines);
	space_resting(&dp->motion_space, a, &ranges, &motions->resting_count);
	motions->resting = ranges;
}

void dataplane_read_motions(struct dataplane *dp, struct arena *a, struct tables *have)
{
	for (size_t i = 0; i < have->motion_count; i++) {
		struct table_motion *m = &have->motions[i];
		struct spw_motion *slots = arena_array(a, m->size, sizeof(*slots));

		memcpy(slots, &dp->maps.motions[m->line + 1], m->size * sizeof(*slots));
		m->slots = slots;
	}
}
