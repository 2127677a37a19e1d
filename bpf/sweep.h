/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Removes flows whose time has passed, run by the daemon now and then. It only tidies up: packets
 * check the time themselves, and flows that come and go meanwhile may be met twice or not at all.
 */
#ifndef SPILLWAY_BPF_SWEEP_H
#define SPILLWAY_BPF_SWEEP_H

#include "flow.h"

struct sweep {
	__u64 now_ns;
	__u64 live;
	__u64 expired;
};

static inline void sweep_forward(struct sweep *s, const struct spw_settings *settings,
				 const struct spw_flow_key *key, struct spw_flow *f)
{
	if (!flow_is_expired(f, key->proto, settings, s->now_ns)) {
		s->live++;
		return;
	}
	if (!flow_remove(key, f))
		return;
	count_shared(SPW_COUNT_FLOW_EXPIRED);
	s->expired++;
}

/* A reverse entry that has no partner, and not because the pair is being made or removed. */
static inline void sweep_reverse(const struct sweep *s, const struct spw_flow_key *key,
				 const struct spw_flow *r)
{
	if (flow_idle_ns(r, s->now_ns) >= FLOW_SETTLED_NS && !flow_partner(r, key->proto))
		bpf_map_delete_elem(&flows, key);
}

struct bpf_map;

static long sweep_entry(struct bpf_map *map, const struct spw_flow_key *entry_key,
			struct spw_flow *f, struct sweep *s)
{
	struct spw_flow_key key = *entry_key; /* deletion needs it to stay as it is */
	const struct spw_settings *settings = config_settings(config_side());

	if (!settings)
		return 1;
	if (f->dir == SPW_FLOW_FORWARD)
		sweep_forward(s, settings, &key, f);
	else
		sweep_reverse(s, &key, f);
	return 0;
}

#endif
