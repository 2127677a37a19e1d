/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An endpoint's word has two writers, the compiler's result and the operator's wish, so every write
 * is a compare-and-swap that keeps the other's bits.
 */
#include "dataplane/state.h"

static void swap_bits(struct dataplane *dp, uint32_t id, uint32_t mask, uint32_t bits)
{
	__u32 *word, old;

	if (id >= dp->meta.max_endpoints)
		return;
	word = &dp->maps.words[id].word;
	old = __atomic_load_n(word, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(word, &old, (old & ~mask) | bits, false,
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
	swap_bits(dp, id, UINT32_MAX, but);
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
