/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Slots in motion. Direct return knows no flows, so when a slot gets another endpoint, the flows of the
 * one before are told from new ones by time: first everything still goes there and is remembered, then
 * whatever is no SYN. When the longest silence of a flow has passed since, who has no entry is the new
 * endpoint's; entries count until the sweep meets none any more.
 */
#ifndef SPILLWAY_BPF_MOTION_H
#define SPILLWAY_BPF_MOTION_H

#include "flow.h"
#include "pick.h"

#define MOTION_PHASE_SHIFT 16

enum motion_phase {
	MOTION_SETTLED, /* no flow of the slot has an entry */
	MOTION_FIRST,	/* no entry: the endpoint of before, SYNs included; it is remembered */
	MOTION_SECOND, /* no entry: a SYN is the new endpoint's, all else the old one's; likewise */
	MOTION_OVER,   /* no entry: the new endpoint */
};

/* A slot in motion, as it was at one moment. */
struct motion {
	enum motion_phase phase;
	__u32 was;
};

/*
 * Of the block that begins with line `first`; NULL: there is none. `hash` is the key's pick_hash(); a table
 * of before may have been picked from otherwise than the one in force.
 */
static inline struct spw_motion *motion_slot(__u32 first, __u32 hash, const struct spw_flow_key *k,
					     __u32 seed)
{
	struct spw_motion_line *head = bpf_map_lookup_elem(&motions, &first), *l;
	__u32 slot, line;

	if (!head || !head->at[0].since)
		return NULL;
	if (head->at[0].was == SPW_MOTION_BY_SOURCE)
		hash = pick_hash_source(k, seed);
	slot = pick_scale(hash, head->at[0].since);
	line = first + 1 + slot / SPW_MOTION_LINE;
	l = bpf_map_lookup_elem(&motions, &line);
	return l ? &l->at[slot % SPW_MOTION_LINE] : NULL;
}

/* Ticks that phase 1 takes, and all of it. UDP has no SYN: it is over when its flows would be. */
static inline enum motion_phase motion_phase(const struct spw_motion *m, __u32 service, bool udp,
					     __u32 side, __u32 now)
{
	__u32 age = now - m->since;
	__u32 all = flow_idle_s(SPW_FLOW_ESTABLISHED, service, udp, side) * ticks_a_second;
	__u32 first = udp ? all : SPW_MOTION_PHASE1_S * ticks_a_second;

	if (age < first)
		return MOTION_FIRST;
	return age < all ? MOTION_SECOND : MOTION_OVER;
}

/*
 * Who had the slot, and above it the phase; of a block's packets with this key. `hash` as for motion_slot(),
 * `row` is the service's. Global, so that the verifier walks it once and its callers go on with numbers.
 */
__noinline __u32 motion_find(__u32 first, __u32 hash, const struct spw_flow_key *k, __u32 row)
{
	const struct spw_settings *settings = config_settings(row & 1);
	const struct spw_motion *m;

	if (!k || !settings)
		return 0;
	m = motion_slot(first, hash, k, settings->seed);
	if (!m || !m->was)
		return 0;
	return m->was |
	       motion_phase(m, row / 2, k->proto == IPPROTO_UDP, row & 1, (__u32)bpf_jiffies64())
		       << MOTION_PHASE_SHIFT;
}

/* Of the service's packets with this key, whose hashes are known. */
static inline void motion_read(const struct pkt *p, const struct spw_service_row *row,
			       const struct spw_flow_key *k, struct motion *out)
{
	__u32 found = 0;

	if (row->flags & SPW_SERVICE_MOTION)
		found = motion_find(row->motion, p->carry->hash, k, p->service * 2 + p->side);
	out->was = found & 0xffff;
	out->phase = found >> MOTION_PHASE_SHIFT & 3;
}

/* Are flows of the slot to have entries? */
static inline bool motion_is_remembered(const struct motion *m)
{
	return m->phase == MOTION_FIRST || m->phase == MOTION_SECOND;
}

/* Whose a flow without an entry is, SYNs aside. `slot` is the slot's endpoint. */
static inline __u32 motion_owner(const struct motion *m, __u32 slot)
{
	return m->was != SPW_MOTION_NOBODY && motion_is_remembered(m) ? m->was : slot;
}

#endif
