/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Removes flows whose time has passed, and UDP flows whose endpoint is gone or is to reset its flows:
 * UDP cannot be told. Run by the daemon now and then, over so many sets at a time. It only tidies
 * up: packets check the same themselves, and flows that come and go meanwhile may be met or not.
 */
#ifndef SPILLWAY_BPF_SWEEP_H
#define SPILLWAY_BPF_SWEEP_H

#include "flow.h"
#include "motion.h"
#include "pick.h"

#define SWEEP_SETS_MAX (1U << 18) /* in a run: bpf_loop() ends at 2^23 rounds */

struct sweep {
	__u32 v6;
	__u32 first; /* line */
	__u32 now;
	__u32 side;
	__u64 live;
	__u64 expired;
	__u32 round; /* what slots in motion are told */
};

/* TCP flows stay, for their packets to be carried or answered. */
static inline bool sweep_purges(const struct spw_flow_core *c)
{
	__u32 id = c->endpoint;
	const struct spw_endpoint *e;

	if (c->proto != IPPROTO_UDP)
		return false;
	e = bpf_map_lookup_elem(&endpoints, &id);
	return !e || e->mode == SPW_MODE_NONE || (endpoint_word(id) & SPW_WORD_RESET);
}

/* A flow's slot in motion hears that an entry of it lives. */
static __noinline int sweep_keeps(__u32 v6, __u32 line, __u32 service, __u32 side, __u32 round)
{
	const struct spw_settings *settings = config_settings(side);
	const struct spw_service_row *row = service_row_on(side, service);
	struct pair_scratch *s = lines_scratch(LINES_SWEEP);
	struct spw_motion *m;

	if (!row || !settings || !s || !(row->flags & SPW_SERVICE_MOTION))
		return 0;
	pair_tenant(v6, line, LINES_SWEEP);
	m = motion_slot(row->motion, pick_hash(&s->key, settings->seed), &s->key, settings->seed);
	if (m)
		m->kept = round;
	return 0;
}

static inline void sweep_forward(struct sweep *s, __u32 line, const struct spw_flow_core *c)
{
	bool expired =
		flow_is_expired(c->word, c->service, c->proto == IPPROTO_UDP, s->side, s->now);

	if (!expired && !sweep_purges(c)) {
		s->live++;
		sweep_keeps(s->v6, line, c->service, s->side, s->round);
		return;
	}
	if (!pair_remove(s->v6, line, c->word, LINES_SWEEP))
		return;
	count_shared(expired ? SPW_COUNT_FLOW_EXPIRED : SPW_COUNT_FLOW_PURGED);
	s->expired++;
}

/* A reverse entry that has no partner, and not because the pair is being made or removed. */
static __noinline int sweep_reverse(__u32 v6, __u32 line, __u64 word, __u32 now)
{
	struct pair_scratch *s = lines_scratch(LINES_SWEEP);
	struct spw_flow_core *c = lines_at(v6, line);
	__u32 partner;

	if (!s || !c || flow_idle(word, now) < lines_settled())
		return 0;
	pair_tenant(v6, line, LINES_SWEEP);
	if (!word_is_same(load64(&c->word), word))
		return 0;
	pair_partner_key(&s->entry, &s->partner_key);
	partner = pair_line(&s->partner_key, pair_hash(&s->partner_key, v6), v6);
	if (partner != TABLE_NONE &&
	    pair_leads_to(&s->key, v6, partner, LINES_PARTNER(LINES_SWEEP)))
		return 0;
	if (!line_claim(v6, line, word))
		return 0;
	line_free(v6, line, c, pair_hash(&s->key, v6));
	return 1;
}

/* One line. */
static long sweep_line(__u32 nth, struct sweep *s)
{
	__u32 line = s->first + nth;
	struct spw_flow_core *c, t;

	c = lines_at(s->v6, line);
	if (!c)
		return 1;
	t.word = load64(&c->word);
	load_fence();
	if (!word_is_live(t.word))
		return 0;
	*(word64 *)&t.sport = load64(&c->sport);
	*(word64 *)&t.service = load64(&c->service);
	load_fence();
	if (!word_is_same(load64(&c->word), t.word))
		return 0;
	if (t.dir == SPW_FLOW_FORWARD)
		sweep_forward(s, line, &t);
	else
		sweep_reverse(s->v6, line, t.word, s->now);
	return 0;
}

/* The sets of one family from `first` on, `sets` of them at most; returns how many there were. */
static inline __u32 sweep_sets(struct sweep *s, __u32 first, __u32 sets)
{
	__u32 all = lines_sets(s->v6);

	if (first >= all)
		return 0;
	if (sets > all - first)
		sets = all - first;
	if (sets > SWEEP_SETS_MAX)
		sets = SWEEP_SETS_MAX;
	s->first = table_line(first, 0);
	bpf_loop(sets * SPW_SET_WAYS, sweep_line, s, 0);
	return sets;
}

#endif
