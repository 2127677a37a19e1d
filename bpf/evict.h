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

/* A claimed line gets its next tenant at once, without being free in between. */
static inline void evict_vacate(__u32 v6, __u32 line, struct spw_flow_core *c,
				const struct spw_flow_key *old)
{
	__u32 set = line / SPW_SET_LINES, home = table_set(pair_hash(old, v6), v6);
	struct spw_flow_head *h = lines_head(v6, set), *at_home = lines_head(v6, home);

	if (h)
		head_tag(h, line, 0);
	if (set != home && at_home)
		__sync_fetch_and_sub(&at_home->strays, 1);
	store64(&c->word,
		word_of(load64(&c->word) + SPW_WORD_VERSION_ONE, SPW_PHASE_CLAIMED, 0, 0));
}

static inline bool evict_forward(struct pair_scratch *s, __u32 v6, struct spw_flow_core *c,
				 __u64 word, __u32 now)
{
	if (!evict_claim(c, word, now))
		return false;
	if (!(load64(&c->word) & SPW_FLOW_CLOSED))
		lines_closed(s->entry.core.endpoint);
	pair_remove_reverse(s, v6, 0);
	return true;
}

/* By its own forward entry; without one the pair is being made or removed at this moment. */
static inline bool evict_reverse(struct pair_scratch *s, __u32 v6, __u32 own, __u64 word, __u32 now)
{
	struct spw_flow_core *f;
	__u64 hash, forward;
	bool ours;
	__u32 line;

	pair_partner_key(&s->entry, &s->partner_key);
	hash = pair_hash(&s->partner_key, v6);
	line = pair_line(&s->partner_key, hash, v6);
	forward = pair_word(&s->partner_key, line, v6);
	f = lines_at(v6, line);
	if (!forward || !f || !pair_leads_to(&s->key, v6, line, LINES_PARTNER(0)) ||
	    !evict_claim(f, forward, now))
		return false;
	if (!(load64(&f->word) & SPW_FLOW_CLOSED))
		lines_closed(s->entry.core.endpoint);
	/* Ours alone to remove, so this fails only when others refresh it over and over. */
	ours = line_claim(v6, own, word);
	line_free(v6, line, f, hash);
	return ours;
}

/* Takes the line from its tenant, whose pair goes: 1, and the line is claimed; else 0. */
static inline int evict(__u32 v6, __u32 line, __u32 now)
{
	struct spw_flow_core *c = lines_at(v6, line);
	struct pair_scratch *s = lines_scratch(0);
	bool gone;
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
	if (s->entry.core.dir == SPW_FLOW_FORWARD)
		gone = evict_forward(s, v6, c, word, now);
	else
		gone = evict_reverse(s, v6, line, word, now);
	if (!gone)
		return 0;
	evict_vacate(v6, line, c, &s->key);
	lines_replaced();
	return 1;
}

/* The line of the set whose flow gives way soonest: silent for the longest. TABLE_NONE: nobody. */
__noinline __u32 evict_victim(__u32 set, __u32 v6, __u32 now)
{
	__u32 way, best = TABLE_NONE;
	__s32 longest = -1;

	for (way = 1; way < SPW_SET_LINES; way++) {
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

#endif
