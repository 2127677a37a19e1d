/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is said of an endpoint in one word. Part of the contract in abi.h. */
#ifndef SPILLWAY_ENDPOINT_WORD_H
#define SPILLWAY_ENDPOINT_WORD_H

#include <linux/types.h>

/*
 * Map `endpoint_words`, by endpoint id: two writers in one word, so both use compare-and-swap.
 * The daemon owns SPW_WORD_PICKABLE, SPW_WORD_UP and SPW_WORD_RESET; SPW_WORD_ADMIN is the
 * operator's. SPW_WORD_BY_HAND says that ADMIN is in no store yet, since no daemon ran, or it was
 * only about to store it: the next one adopts the word and clears the bit. SPW_WORD_STRAYS is set by
 * whoever makes the word one that cannot be picked, in the same write, and is the daemon's to clear: when
 * SPW_WORD_STRAYS_SEEN is still there after packets under way have ended.
 */
enum spw_word_bit {
	SPW_WORD_PICKABLE = 1, /* new flows may go there (health and panic included) */
	SPW_WORD_UP = 2,       /* healthy: its UDP flows stay */
	SPW_WORD_RESET = 4,    /* its TCP flows are reset at their next packet */
	SPW_WORD_ADMIN_SHIFT = 8,
	SPW_WORD_ADMIN_MASK = 0x300,
	SPW_WORD_BY_HAND = 0x400,
	SPW_WORD_STRAYS = 0x800,       /* flows of its slots may be others', as their entries say */
	SPW_WORD_STRAYS_SEEN = 0x1000, /* the slots are in motion, which says so as well */
};

enum spw_admin {
	SPW_ADMIN_AUTO = 0,
	SPW_ADMIN_UP = 1,
	SPW_ADMIN_DOWN = 2,
	SPW_ADMIN_DRAIN = 3,
};

/* May new flows go there? */
static inline int spw_word_is_pickable(__u32 word)
{
	__u32 admin = (word & SPW_WORD_ADMIN_MASK) >> SPW_WORD_ADMIN_SHIFT;

	return (word & (SPW_WORD_PICKABLE | SPW_WORD_RESET)) == SPW_WORD_PICKABLE &&
	       admin != SPW_ADMIN_DOWN && admin != SPW_ADMIN_DRAIN;
}

/*
 * What a word becomes. Flows that are opened while it cannot be picked go elsewhere. Direct return looks for
 * their entries at slots in motion, but it may be taken back before a table sets any in motion.
 */
static inline __u32 spw_word_with(__u32 word, __u32 mask, __u32 bits)
{
	word = (word & ~mask) | bits;
	if (spw_word_is_pickable(word))
		return word;
	return (word | SPW_WORD_STRAYS) & ~(__u32)SPW_WORD_STRAYS_SEEN;
}

struct spw_word {
	__u32 word;
	__u32 pad;
};

#endif
