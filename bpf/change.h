/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A line's word by its number: changed, which others may be doing too, so it is tried a few times as
 * long as the line has the tenant whose word the caller has read; and read for a key. Global functions,
 * so that the verifier walks them once.
 */
#ifndef SPILLWAY_BPF_CHANGE_H
#define SPILLWAY_BPF_CHANGE_H

#include "table.h"

/* From live to claimed, whatever state and age it has by now; 0 when its tenant is another. */
__noinline int line_claim(__u32 v6, __u32 line, __u64 word)
{
	struct spw_flow_core *c = lines_at(v6, line);
	int i;

	for (i = 0; c && i < WORD_TRIES; i++) {
		__u64 old = load64(&c->word);

		if (!word_is_same(old, word))
			return 0;
		if (swap64(&c->word, old, word_claimed(old)))
			return 1;
	}
	return 0;
}

/* Sets state bits and returns the state before; all bits when the line has another tenant. */
__noinline __u32 line_mark(__u32 v6, __u32 line, __u64 word, __u32 bits)
{
	struct spw_flow_core *c = lines_at(v6, line);
	int i;

	for (i = 0; c && i < WORD_TRIES; i++) {
		__u64 old = load64(&c->word);

		if (!word_is_same(old, word))
			return SPW_FLOW_ALL;
		if ((old & bits) == bits || swap64(&c->word, old, old | bits))
			return old & SPW_WORD_STATE_MASK;
	}
	return SPW_FLOW_ALL;
}

/* The line lives: `seen` is its time from now on. */
__noinline int line_touch(__u32 v6, __u32 line, __u64 word, __u32 seen)
{
	struct spw_flow_core *c = lines_at(v6, line);
	int i;

	for (i = 0; c && i < WORD_TRIES; i++) {
		__u64 old = load64(&c->word);

		if (!word_is_same(old, word))
			return 0;
		if (swap64(&c->word, old, (__u64)seen << SPW_WORD_SEEN_SHIFT | (__u32)old))
			return 1;
	}
	return 0;
}

static inline __u64 line_word_if(const struct spw_flow_key *key, __u32 line, __u32 v6)
{
	const struct spw_flow_core *c = lines_at(v6, line);
	__u64 word = c ? load64(&c->word) : 0;

	load_fence();
	return c && word_is_live(word) && line_has_key(c, key, v6) ? word : 0;
}

/* The word of the line if it holds the key, else 0, which is no live line's. */
__noinline __u64 line_word(const struct spw_flow_key *key, __u32 line, __u32 v6)
{
	if (!key || line == TABLE_NONE)
		return 0;
	return TABLE_FAMILIES(v6, line_word_if(key, line, 0), line_word_if(key, line, 1));
}

#endif
