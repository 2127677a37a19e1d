/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * In a full set an embryonic flow, or one that is over, gives way to a new one with its whole pair;
 * an established one never does. So a flood of packets that nobody answers takes nobody's flow.
 */
#ifndef SPILLWAY_BPF_EVICT_H
#define SPILLWAY_BPF_EVICT_H

#include "pair.h"

#define EVICT_OVER (SPW_FLOW_CLOSED | SPW_FLOW_RESET | SPW_FLOW_FIN_ENDPOINT)

/* May a forward entry give way to another flow? */
static inline bool evict_yields(__u64 word, __u32 now)
{
	if (!(word & SPW_FLOW_RANKED))
		return true;
	return (word & SPW_FLOW_CLOSED) && (__s32)(now - word_seen(word)) >= (__s32)lines_settled();
}

static inline bool evict_claim(struct spw_flow_core *c, __u64 word, __u32 now)
{
	for (int i = 0; i < WORD_TRIES; i++) {
		__u64 old = load64(&c->word);

		if (!word_is_same(old, word) || !evict_yields(old, now))
			return false;
		if (swap64(&c->word, old, word_claimed(old)))
			return true;
	}
	return false;
}

/* The line of the set whose flow gives way soonest: silent for the longest. TABLE_NONE: nobody. */
__noinline __u32 evict_victim(__u32 set, __u32 v6, __u32 now)
{
	__u32 way, best = TABLE_NONE;
	__s32 longest = -1;

	for (way = 0; way < SPW_SET_WAYS; way++) {
		const struct spw_flow_core *c = lines_at(v6, table_line(set, way));
		__u64 word = c ? load64(&c->word) : 0;
		__s32 idle = now - word_seen(word);

		if (!word_is_live(word) || idle <= longest)
			continue;
		if ((word & SPW_FLOW_RANKED) &&
		    (!(word & EVICT_OVER) || idle < (__s32)lines_settled()))
			continue;
		best = table_line(set, way);
		longest = idle;
	}
	return best;
}

/*
 * The forward entry of a tenant in the scratch, which then holds that one: its line, and in *word its
 * word; TABLE_NONE while the pair is being made or removed.
 */
static inline __u32 evict_partner(struct pair_scratch *s, __u32 v6, __u64 *word)
{
	__u32 line;

	pair_partner_key(&s->entry, &s->partner_key);
	line = pair_line(&s->partner_key, pair_hash(&s->partner_key, v6), v6);
	*word = line_word(&s->partner_key, line, v6);
	if (!*word || !pair_leads_to(&s->key, v6, line, LINES_PARTNER(0)) ||
	    !pair_tenant(v6, line, 0))
		return TABLE_NONE;
	return line;
}

/* Removes the tenant of a line with its whole pair: 1, or 0 when it does not give way. */
static inline int evict_line(__u32 v6, __u32 line, __u32 now)
{
	struct spw_flow_core *c = lines_at(v6, line);
	struct pair_scratch *s = lines_scratch(0);
	__u64 word;

	if (!c || !s)
		return 0;
	word = load64(&c->word);
	load_fence();
	if (!word_is_live(word))
		return 0;
	pair_tenant(v6, line, 0);
	load_fence();
	if (!word_is_same(load64(&c->word), word))
		return 0;
	if (s->entry.core.dir != SPW_FLOW_FORWARD) {
		line = evict_partner(s, v6, &word);
		c = lines_at(v6, line);
	}
	if (line == TABLE_NONE || !c || !evict_claim(c, word, now))
		return 0;
	/* What is in the scratch was read under the version that is claimed now. */
	if (!(load64(&c->word) & SPW_FLOW_CLOSED))
		lines_closed(s->entry.core.endpoint);
	pair_remove_reverse(s, v6, 0);
	line_free(v6, line, c, pair_hash(&s->key, v6));
	lines_replaced();
	return 1;
}

/* Makes room for a key that found none: 1, or 0 when nobody in its sets gives way. */
__noinline int evict(const struct spw_flow_key *key, __u32 v6, __u32 now)
{
	__u32 line, i;
	__u64 hash;

	if (!key)
		return 0;
	hash = pair_hash(key, v6);
	for (i = 0; i < 2; i++) {
		line = evict_victim(table_first(hash, v6, i), v6, now);
		if (line != TABLE_NONE && evict_line(v6, line, now))
			return 1;
	}
	return 0;
}

#endif
