/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP errors to VIPs of direct return, which endpoints are to know of. */
#ifndef SPILLWAY_BPF_DIRECT_ICMP_H
#define SPILLWAY_BPF_DIRECT_ICMP_H

#include "direct.h"
#include "fwd_icmp.h"

/* The endpoint that the packets in question go to, or SPW_ENDPOINT_NONE. */
static inline __u32 direct_meant(struct pkt *p)
{
	struct quote *q = quote_scratch();
	const struct spw_service_row *row;
	struct motion m;
	__u32 slot, id;

	if (!q || !quote_load(p->ctx, icmp_at(p), p->l4_len, p->v6) ||
	    !quote_key(q, &p->key->daddr, p->v6))
		return SPW_ENDPOINT_NONE;
	row = direct_service(p, &q->key);
	if (!row)
		return SPW_ENDPOINT_NONE;
	slot = direct_slot(p, row, &q->key, &m);
	id = motion_owner(&m, slot);
	if (m.phase != MOTION_SETTLED || !word_is_settled(endpoint_word(slot))) {
		if (flow_get(&q->key, p->v6, p->f) != TABLE_NONE) {
			if (!(p->f->core.flags & SPW_FLOW_DIRECT))
				return SPW_ENDPOINT_NONE;
			id = p->f->core.endpoint;
		}
	}
	return direct_reaches(id, p->v6) ? id : SPW_ENDPOINT_NONE;
}

/* Into p->endpoint. Sending comes later, since it takes the stack that this one takes. */
static __noinline int direct_find_meant(struct pkt *p)
{
	p->endpoint = direct_meant(p);
	return 0;
}

/*
 * A stage: an ICMP error to a VIP is about an endpoint's answer to a client: its way has become narrower,
 * or the client is gone. It goes to the endpoint that the client's packets go to, as it is. NEXT: it is no
 * error, or no service of direct return's.
 */
static inline enum verdict direct_icmp(struct pkt *p)
{
	enum verdict v;

	if (p->key->proto == IPPROTO_ICMP ? !p->ip4 : p->key->proto != IPPROTO_ICMPV6 || !p->ip6)
		return NEXT;
	direct_find_meant(p);
	if (p->endpoint == SPW_ENDPOINT_NONE)
		return NEXT;
	v = icmp_silently(direct_send(p));
	if (v == TX || v == REDIRECT)
		count(SPW_COUNT_FORWARD_ICMP);
	return v;
}

#endif
