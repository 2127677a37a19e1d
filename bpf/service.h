/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A packet without a flow: does it ask for a service, and may it open a flow? */
#ifndef SPILLWAY_BPF_SERVICE_H
#define SPILLWAY_BPF_SERVICE_H

#include <spillway/hash.h>

#include "stats.h"

static inline const struct spw_service_row *service_row_on(__u32 side, __u32 id)
{
	__u32 row = id * 2 + side;

	return bpf_map_lookup_elem(&service_rows, &row);
}

static inline const struct spw_service_row *service_row(const struct pkt *p, __u32 id)
{
	return service_row_on(p->side, id);
}

static inline __u32 service_displace_of(__u32 side, __u32 at)
{
	__u32 place = side * (displace_mask + 1) + (at & displace_mask);
	__u32 line = place / SPW_DISPLACE_LINE;
	const struct spw_displace_line *l = bpf_map_lookup_elem(&service_displace, &line);

	return l ? l->at[place % SPW_DISPLACE_LINE] : 0;
}

static inline __u32 service_in_slot(__u32 side, __u32 slot)
{
	__u32 place = side * (slot_mask + 1) + (slot & slot_mask);
	__u32 line = place / SPW_SERVICE_LINE;
	const struct spw_service_line *l = bpf_map_lookup_elem(&service_slots, &line);

	return l ? l->id[place % SPW_SERVICE_LINE] : SPW_SERVICE_NONE;
}

/*
 * The service that packets with this key ask for, or NULL, SPW_SERVICE_NONE: the perfect hash leads to
 * one row; whether that is the packet's, the row says.
 */
static inline const struct spw_service_row *service_find(const struct spw_flow_key *k, __u32 side,
							 __u32 seed, __u32 *id)
{
	__u64 h = spw_service_hash(&k->daddr, k->dport, k->proto, seed);
	const struct spw_service_row *row;

	*id = service_in_slot(side, spw_service_slot(h, service_displace_of(side, h)));
	if (*id == SPW_SERVICE_NONE)
		return NULL;
	row = service_row_on(side, *id);
	if (!row || !(row->flags & SPW_SERVICE_VALID) || row->key.port != k->dport ||
	    row->key.proto != k->proto || !addr_equal(&row->key.vip, &k->daddr))
		return NULL;
	return row;
}

static inline __u32 service_of(const struct spw_flow_key *k, __u32 side, __u32 seed)
{
	__u32 id;

	return service_find(k, side, seed, &id) ? id : SPW_SERVICE_NONE;
}

/* Another's address, a VIP without this service, or a source address without this flow. */
static __noinline enum verdict service_none(const struct pkt *p)
{
	__u32 *flags = bpf_map_lookup_elem(&addrs, &p->key->daddr);

	if (!flags)
		return pass(SPW_PASS_NOT_OURS);
	return pass(*flags & SPW_ADDR_VIP ? SPW_PASS_NO_SERVICE : SPW_PASS_NO_FLOW);
}

static inline enum verdict service_match(struct pkt *p)
{
	if (p->line)
		return NEXT;
	p->service = service_of(p->key, p->side, p->settings->service_seed);
	if (p->service == SPW_SERVICE_NONE)
		return service_none(p);
	if (p->tcp && !pkt_is_syn(p))
		return pass(SPW_PASS_NO_FLOW);
	return NEXT;
}

#endif
