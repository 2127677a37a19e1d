/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A line's word, see <spillway/flow.h>: read, and changed by compare-and-swap. Whoever has read a
 * word and acts on it later names it, so that the line's next tenant is not taken for its last.
 */
#ifndef SPILLWAY_BPF_WORD_H
#define SPILLWAY_BPF_WORD_H

#include <spillway/flow.h>

#include "atomic.h"

#define WORD_TRIES    8
#define WORD_IDENTITY (SPW_WORD_VERSION_MASK | SPW_WORD_PHASE_MASK)

static inline __u64 word_phase(__u64 word)
{
	return (word & SPW_WORD_PHASE_MASK) >> SPW_WORD_PHASE_SHIFT;
}

static inline bool word_is_live(__u64 word)
{
	return word_phase(word) == SPW_PHASE_LIVE;
}

/* Is it the same tenant of the line that the word was read of? */
static inline bool word_is_same(__u64 a, __u64 b)
{
	return !((a ^ b) & WORD_IDENTITY);
}

static inline __u64 word_of(__u64 version, __u64 phase, __u64 state, __u32 seen)
{
	return (__u64)seen << SPW_WORD_SEEN_SHIFT | (version & SPW_WORD_VERSION_MASK) |
	       phase << SPW_WORD_PHASE_SHIFT | state;
}

/* The same, its line claimed. */
static inline __u64 word_claimed(__u64 word)
{
	return (word & ~SPW_WORD_PHASE_MASK) | (__u64)SPW_PHASE_CLAIMED << SPW_WORD_PHASE_SHIFT;
}

static inline __u32 word_seen(__u64 word)
{
	return word >> SPW_WORD_SEEN_SHIFT;
}

/* From free to claimed, under the next version. */
static inline bool line_claim_free(struct spw_flow_core *c)
{
	__u64 old = load64(&c->word);

	if (word_phase(old) != SPW_PHASE_FREE)
		return false;
	return swap64(&c->word, old, word_of(old + SPW_WORD_VERSION_ONE, SPW_PHASE_CLAIMED, 0, 0));
}

#endif
