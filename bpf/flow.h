/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet's flow in the table, and how long flows live. Ordinary packets copy their entry and look
 * no further than that it was seen lately.
 */
#ifndef SPILLWAY_BPF_FLOW_H
#define SPILLWAY_BPF_FLOW_H

#include "config.h"
#include "scratch.h"
#include "service.h"

#define FLOW_BOTH_FINS	 (SPW_FLOW_FIN_CLIENT | SPW_FLOW_FIN_ENDPOINT)
#define FLOW_ENDING	 (FLOW_BOTH_FINS | SPW_FLOW_RESET | SPW_FLOW_CLOSED)
#define FLOW_LONG_S	 120 /* idle times from here on are long */
#define FLOW_LONG_STEP_S 8
#define FLOW_RANK_UNITS	 (2000000000ULL >> SPW_BORN_SHIFT)

/* In units of `born`. */
static inline __u32 flow_clock(void)
{
	return bpf_ktime_get_coarse_ns() >> SPW_BORN_SHIFT;
}

static inline __u32 flow_idle(__u64 word, __u32 now)
{
	__s32 idle = now - word_seen(word);

	return idle > 0 ? idle : 0;
}

/*
 * A packet of it was noticed just now: nothing needs to be looked at or written. That is a second, or
 * eight when it lives for minutes without any, so that a million flows are not written all the time.
 */
static inline bool flow_is_fresh(__u64 word, __u32 now)
{
	__u32 step = ticks_a_second;

	if ((word & (SPW_FLOW_LONG | FLOW_ENDING)) == SPW_FLOW_LONG)
		step *= FLOW_LONG_STEP_S;
	return flow_idle(word, now) < step;
}

static inline enum spw_idle flow_stage(__u64 word, __u8 proto)
{
	if (proto == IPPROTO_TCP && (word & FLOW_ENDING))
		return SPW_IDLE_CLOSING;
	return word & SPW_FLOW_ESTABLISHED ? SPW_IDLE_ESTABLISHED : SPW_IDLE_EMBRYONIC;
}

/* Its service says how long it may be idle; a service that is gone leaves that to the settings. */
__noinline __u32 flow_idle_s(__u64 word, __u32 service, __u32 udp, __u32 side)
{
	const struct spw_service_row *row = service_row_on(side, service);
	const struct spw_settings *s = config_settings(side);
	__u32 stage = flow_stage(word, udp ? IPPROTO_UDP : IPPROTO_TCP);

	if (!s || stage >= SPW_IDLE_MAX)
		return 1;
	if (row && (row->flags & SPW_SERVICE_VALID) && row->idle_s[stage])
		return row->idle_s[stage];
	return s->idle_s[udp & 1][stage];
}

/* Packets within a step of the last one noticed leave no trace, so a flow has that much longer. */
static inline bool flow_is_expired(__u64 word, __u32 service, __u32 udp, __u32 side, __u32 now)
{
	__u32 step = word & SPW_FLOW_LONG ? FLOW_LONG_STEP_S : 1;

	return flow_idle(word, now) >
	       (flow_idle_s(word, service, udp, side) + step) * ticks_a_second;
}

/* The bit that makes steps long, when the flow is established and may have it. */
static inline __u32 flow_long(__u64 word, __u32 service, __u32 udp, __u32 side)
{
	if (!(word & SPW_FLOW_RANKED) || (word & FLOW_ENDING))
		return 0;
	return flow_idle_s(word, service, udp, side) >= FLOW_LONG_S ? SPW_FLOW_LONG : 0;
}

static inline bool flow_read(const struct spw_flow_key *key, __u32 v6, __u32 line,
			     struct entry *out)
{
	const struct spw_flow_core *c = lines_at(v6, line);

	return c && line_read(c, key, v6, out);
}

/* The entry of the packet's own key into p->f: its line, or TABLE_NONE. */
static inline __u32 flow_of(struct pkt *p, __u32 v6)
{
	__u64 hash = table_hash(p->key, v6, p->carry->flow_seed);
	bool far_first = p->carry->far_first >> v6 & 1;
	__u32 line = table_preferred(hash, table_first(hash, v6, far_first));

	if (flow_read(p->key, v6, line, p->f))
		return line;
	line = search(p->key, hash, v6);
	return line != TABLE_NONE && flow_read(p->key, v6, line, p->f) ? line : TABLE_NONE;
}

/* The entry of any key: its line, and in *out what it says; TABLE_NONE when there is none. */
__noinline __u32 flow_get(const struct spw_flow_key *key, __u32 v6, struct entry *out)
{
	__u64 hash;
	__u32 line;

	if (!key || !out)
		return TABLE_NONE;
	hash = pair_hash(key, v6);
	line = pair_line(key, hash, v6);
	if (line == TABLE_NONE)
		return TABLE_NONE;
	return TABLE_FAMILIES(v6, flow_read(key, 0, line, out), flow_read(key, 1, line, out))
		       ? line
		       : TABLE_NONE;
}

/* The other entry of a pair, into the scratch of LINES_FLOW: its line, or TABLE_NONE. */
static inline __u32 flow_partner(const struct entry *e, __u32 v6)
{
	struct pair_scratch *s = lines_scratch(LINES_FLOW);

	if (!e || !s)
		return TABLE_NONE;
	pair_partner_key(e, &s->partner_key);
	return flow_get(&s->partner_key, v6, &s->entry);
}

static inline void flow_refer(const struct entry *e, __u32 line, struct flow_ref *out)
{
	out->word = e->core.word;
	out->line = line;
	out->service = e->core.service;
	out->born = e->core.born;
	out->endpoint = e->core.endpoint;
}

/*
 * The forward entry of a reverse one and its key; false when the pair is being made or removed, also
 * when the client has another flow by now, which leads to another port.
 */
static inline bool flow_find_forward(const struct spw_flow_key *key, const struct entry *r,
				     __u32 v6, struct flow_ref *out)
{
	__u32 line = flow_partner(r, v6);
	struct pair_scratch *s = lines_scratch(LINES_FLOW);

	if (line == TABLE_NONE || !s || s->entry.core.dir != SPW_FLOW_FORWARD ||
	    !pair_is_partner(s, key))
		return false;
	flow_refer(&s->entry, line, out);
	return true;
}

/*
 * Sets state bits in a forward entry and returns what was there before, all bits when it is gone:
 * of several CPUs one sees a bit as new. The one who closes the flow counts it.
 */
__noinline __u32 flow_mark_line(__u32 v6, __u32 line, __u64 word, __u32 bits, __u32 endpoint)
{
	__u32 old = line_mark(v6, line, word, bits), state = old | bits;

	if ((state & FLOW_BOTH_FINS) != FLOW_BOTH_FINS && !(state & SPW_FLOW_RESET))
		return old;
	if (!(line_mark(v6, line, word, SPW_FLOW_CLOSED) & SPW_FLOW_CLOSED))
		count_closed(endpoint);
	return old;
}

static inline __u32 flow_mark(__u32 v6, const struct flow_ref *f, __u32 bits)
{
	return flow_mark_line(v6, f->line, f->word, bits, f->endpoint);
}

/* The packet has no flow any more. */
static inline void flow_lose(struct pkt *p)
{
	p->line = TABLE_NONE;
	p->forward->line = TABLE_NONE;
	p->carry->lost = p->carry->was_direct;
}

static inline void flow_expire(__u32 v6, const struct flow_ref *f)
{
	if (pair_remove(v6, f->line, f->word, 0))
		count_shared(SPW_COUNT_FLOW_EXPIRED);
}

#endif
