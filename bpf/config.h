/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The side of the double buffer that is in force. Read once a packet, so that one packet never
 * sees half of two generations.
 */
#ifndef SPILLWAY_BPF_CONFIG_H
#define SPILLWAY_BPF_CONFIG_H

#include "bounds.h"
#include "stats.h"

static inline __u32 config_side(void)
{
	__u32 zero = 0;
	struct spw_config *c = bpf_map_lookup_elem(&config, &zero);

	return c ? *(volatile __u32 *)&c->active & 1 : 0;
}

/* Is there any service of direct return? */
static inline bool config_has_direct(void)
{
	__u32 zero = 0;
	struct spw_config *c = bpf_map_lookup_elem(&config, &zero);

	return c && *(volatile __u32 *)&c->direct;
}

static inline const struct spw_settings *config_settings(__u32 side)
{
	__u32 zero = 0;
	struct spw_config *c = bpf_map_lookup_elem(&config, &zero);

	if (!c)
		return NULL;
	bounds_here(c);
	return &c->settings[side & 1];
}

#define CONFIG_LEASE_MAX_S 3600 /* the daemon's is of a few seconds, a benchmark's of an hour */

/*
 * Does a daemon keep the rows of next hops? 0: none ever did, and ticks count from before 0, so it may
 * lie ahead. No lease lies far ahead, or one of months ago would do so again when ticks have wrapped.
 */
static inline bool config_lease_runs(__u32 until, __u32 now)
{
	return until && until - now - 1 < CONFIG_LEASE_MAX_S * ticks_a_second;
}

static inline enum verdict config_read(struct pkt *p)
{
	__u32 zero = 0;
	struct spw_config *c = bpf_map_lookup_elem(&config, &zero);

	if (!c)
		return drop(SPW_DROP_INTERNAL);
	bounds_here(c);
	p->side = *(volatile __u32 *)&c->active & 1;
	p->settings = &c->settings[p->side];
	p->carry->hops_until = *(volatile __u32 *)&c->hops_until;
	p->carry->flow_seed = c->flow_seed;
	p->carry->far_first = *(volatile __u32 *)&c->far_first;
	p->now = bpf_jiffies64();
	return NEXT;
}

#endif
