/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A packet without a flow: does it ask for a service, and may it open a flow? */
#ifndef SPILLWAY_BPF_SERVICE_H
#define SPILLWAY_BPF_SERVICE_H

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

static inline bool service_find(struct pkt *p)
{
	struct spw_service_key key = {
		.vip = p->key.daddr,
		.port = p->key.dport,
		.proto = p->key.proto,
	};
	const struct spw_service_row *row;
	__u32 *id = bpf_map_lookup_elem(&services, &key);

	if (!id)
		return false;
	p->service = *id;
	row = service_row(p, p->service);
	return row && (row->flags & SPW_SERVICE_VALID);
}

static inline bool is_vip(const struct spw_addr *a)
{
	__u32 *flags = bpf_map_lookup_elem(&addrs, a);

	return flags && (*flags & SPW_ADDR_VIP);
}

static inline enum verdict service_match(struct pkt *p)
{
	if (p->flow)
		return NEXT;
	if (!is_vip(&p->key.daddr))
		return pass(SPW_PASS_NO_FLOW);
	if (!service_find(p))
		return pass(SPW_PASS_NO_SERVICE);
	if (p->tcp && !pkt_is_syn(p))
		return pass(SPW_PASS_NO_FLOW);
	return NEXT;
}

#endif
