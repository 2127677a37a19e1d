/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Removes flows whose time has passed, and UDP flows whose endpoint is gone or is to reset its flows:
 * UDP cannot be told. Run by the daemon now and then. It only tidies up: packets check the same
 * themselves, and flows that come and go meanwhile may be met twice or not at all.
 */
#ifndef SPILLWAY_BPF_SWEEP_H
#define SPILLWAY_BPF_SWEEP_H

#include "flow.h"
#include "pick.h"

struct sweep {
	__u64 now_ns;
	__u64 live;
	__u64 expired;
};

/* TCP flows stay, for their packets to be carried or answered. */
static inline bool sweep_purges(const struct spw_flow_key *key, const struct spw_flow *f)
{
	__u32 id = f->endpoint;
	const struct spw_endpoint *e;

	if (key->proto != IPPROTO_UDP)
		return false;
	e = bpf_map_lookup_elem(&endpoints, &id);
	return !e || e->mode == SPW_MODE_NONE || (endpoint_word(id) & SPW_WORD_RESET);
}

static inline void sweep_forward(struct sweep *s, const struct spw_settings *settings,
				 const struct spw_flow_key *key, struct spw_flow *f)
{
	bool expired = flow_is_expired(f, key->proto, settings, s->now_ns);

	if (!expired && !sweep_purges(key, f)) {
		s->live++;
		return;
	}
	if (!flow_remove(key, f))
		return;
	count_shared(expired ? SPW_COUNT_FLOW_EXPIRED : SPW_COUNT_FLOW_PURGED);
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
