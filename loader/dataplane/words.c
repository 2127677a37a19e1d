/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An endpoint's word has two writers, the compiler's result and the operator's wish, so every write
 * is a compare-and-swap that keeps the other's bits.
 *
 * Strays are flows of direct return that were opened elsewhere while their slot's endpoint could not be
 * picked. Tables that change hands set its slots in motion; those that stay are set in motion for them.
 */
#include "dataplane/state.h"

static void swap_bits(struct dataplane *dp, uint32_t id, uint32_t mask, uint32_t bits)
{
	__u32 *word, old;

	if (id >= dp->meta.max_endpoints)
		return;
	word = &dp->maps.words[id].word;
	old = __atomic_load_n(word, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(word, &old, spw_word_with(old, mask, bits), false,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

void word_write(struct dataplane *dp, uint32_t id, bool pickable, bool up)
{
	swap_bits(dp, id, SPW_WORD_PICKABLE | SPW_WORD_UP,
		  (pickable ? SPW_WORD_PICKABLE : 0) | (up ? SPW_WORD_UP : 0));
}

void word_clear(struct dataplane *dp, uint32_t id, uint32_t but)
{
	if (id < dp->meta.max_endpoints)
		__atomic_store_n(&dp->maps.words[id].word, but, __ATOMIC_RELEASE);
}

void dataplane_set_word(struct dataplane *dp, uint32_t endpoint_id, bool pickable, bool up)
{
	word_write(dp, endpoint_id, pickable, up);
}

/* The packet path heeds the operator's bits by themselves; no compile has to follow. */
void dataplane_set_admin(struct dataplane *dp, uint32_t endpoint_id, enum spw_admin admin)
{
	swap_bits(dp, endpoint_id, SPW_WORD_ADMIN_MASK | SPW_WORD_BY_HAND,
		  (uint32_t)admin << SPW_WORD_ADMIN_SHIFT);
}

void dataplane_set_admin_unkept(struct dataplane *dp, uint32_t endpoint_id, enum spw_admin admin)
{
	swap_bits(dp, endpoint_id, SPW_WORD_ADMIN_MASK | SPW_WORD_BY_HAND,
		  (uint32_t)admin << SPW_WORD_ADMIN_SHIFT | SPW_WORD_BY_HAND);
}

void dataplane_set_reset(struct dataplane *dp, uint32_t endpoint_id, bool reset)
{
	swap_bits(dp, endpoint_id, SPW_WORD_RESET, reset ? SPW_WORD_RESET : 0);
	if (reset)
		sweep_soon(dp);
}

bool dataplane_admin_by_hand(const struct dataplane *dp, uint32_t endpoint_id)
{
	if (endpoint_id >= dp->meta.max_endpoints)
		return false;
	return __atomic_load_n(&dp->maps.words[endpoint_id].word, __ATOMIC_ACQUIRE) &
	       SPW_WORD_BY_HAND;
}

enum spw_admin dataplane_admin(const struct dataplane *dp, uint32_t endpoint_id)
{
	uint32_t word;

	if (endpoint_id >= dp->meta.max_endpoints)
		return SPW_ADMIN_AUTO;
	word = __atomic_load_n(&dp->maps.words[endpoint_id].word, __ATOMIC_ACQUIRE);
	return (enum spw_admin)((word & SPW_WORD_ADMIN_MASK) >> SPW_WORD_ADMIN_SHIFT);
}

static uint32_t word_of(const struct dataplane *dp, uint32_t id)
{
	return __atomic_load_n(&dp->maps.words[id].word, __ATOMIC_ACQUIRE);
}

static bool has_strays(uint32_t word)
{
	return (word & (SPW_WORD_STRAYS | SPW_WORD_STRAYS_SEEN)) == SPW_WORD_STRAYS;
}

void dataplane_read_strays(struct dataplane *dp, struct arena *a, struct tables *have)
{
	bool *strays = NULL;

	for (size_t i = 0; i < have->endpoint_count; i++) {
		const uint32_t id = have->endpoints[i].id;

		if (id >= dp->meta.max_endpoints || !has_strays(word_of(dp, id)))
			continue;
		if (!strays)
			strays = arena_array(a, SPW_ENDPOINTS_LIMIT, sizeof(*strays));
		strays[id] = true;
	}
	have->strays = strays;
}

bool dataplane_has_strays(const struct dataplane *dp)
{
	for (uint32_t id = 1; id < dp->endpoints_end; id++) {
		if (has_strays(word_of(dp, id)) && spw_word_is_pickable(word_of(dp, id)))
			return true;
	}
	return false;
}

void dataplane_strays_seen(struct dataplane *dp)
{
	for (uint32_t id = 1; id < dp->endpoints_end; id++) {
		if (has_strays(word_of(dp, id)) && spw_word_is_pickable(word_of(dp, id)))
			swap_bits(dp, id, 0, SPW_WORD_STRAYS_SEEN);
	}
}

void dataplane_end_strays(struct dataplane *dp)
{
	if (dataplane_apply_wait_ms(dp))
		return;
	for (uint32_t id = 1; id < dp->endpoints_end; id++) {
		if (word_of(dp, id) & SPW_WORD_STRAYS_SEEN)
			swap_bits(dp, id, SPW_WORD_STRAYS | SPW_WORD_STRAYS_SEEN, 0);
	}
}
