/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * May a packet open a flow? Asked once, of a SYN or datagram that has matched a service and is about to
 * pick: whoever has a flow is never asked. Lists come before limits, and a source's limit before the
 * service's, so that one that is refused costs the others none of their tokens.
 *
 * What is refused is dropped in silence: an answer would tell a client that the service is not there,
 * where it may come again, as TCP does by itself; to forged addresses it would go astray, and each
 * would cost more than the SYN that asked for it.
 */
#ifndef SPILLWAY_BPF_ADMIT_H
#define SPILLWAY_BPF_ADMIT_H

#include "bucket.h"
#include "list.h"
#include "scratch.h"
#include "service.h"

#define ADMIT_OK 0 /* of the counters below none has this number */

static inline const struct spw_service_extra *service_extra(__u32 side, __u32 id)
{
	__u32 row = id * 2 + side;

	return bpf_map_lookup_elem(&service_extras, &row);
}

static inline __u32 admit_by_lists(const struct spw_service_extra *x, const struct spw_addr *a)
{
	if (x->deny.size && list_has(&x->deny, a))
		return SPW_DROP_SOURCE_DENIED;
	if (x->allow.size && !list_has(&x->allow, a))
		return SPW_DROP_SOURCE_NOT_ALLOWED;
	return ADMIT_OK;
}

static inline __u32 admit_by_limits(const struct spw_service_extra *x, const struct carry *c,
				    __u32 service)
{
	__u64 now;

	if (!x->every_ns && !x->source_every_ns)
		return ADMIT_OK;
	now = bpf_ktime_get_ns(); /* the coarse clock's steps are longer than some limits' */
	if (x->source_every_ns &&
	    !bucket_of_source(bucket_tag(&c->key.saddr, service, c->flow_seed), now,
			      x->source_every_ns, x->source_burst_ns))
		return SPW_DROP_SOURCE_LIMITED;
	if (x->every_ns && !bucket_of_service(service, now, x->every_ns, x->burst_ns))
		return SPW_DROP_RATE_LIMITED;
	return ADMIT_OK;
}

static inline void admit_count(__u32 service, __u32 why)
{
	struct spw_service_stats *s = bpf_map_lookup_elem(&service_stats, &service);

	if (!s)
		return;
	if (why == SPW_DROP_SOURCE_DENIED)
		s->denied += 1;
	else if (why == SPW_DROP_SOURCE_NOT_ALLOWED)
		s->not_allowed += 1;
	else if (why == SPW_DROP_RATE_LIMITED)
		s->limited += 1;
	else
		s->source_limited += 1;
}

/* Of the packet whose key is in the scratch: ADMIT_OK, or the counter of why not. */
__noinline int admit_guarded(__u32 service, __u32 side)
{
	const struct spw_service_extra *x = service_extra(side & 1, service);
	const struct carry *c = carry_scratch();
	__u32 why;

	if (!x || !c)
		return ADMIT_OK;
	why = admit_by_lists(x, &c->key.saddr);
	if (why == ADMIT_OK)
		why = admit_by_limits(x, c, service);
	if (why != ADMIT_OK)
		admit_count(service, why);
	return why;
}

/* Likewise by its lists alone. */
__noinline int admit_listed(__u32 service, __u32 side)
{
	const struct spw_service_extra *x = service_extra(side & 1, service);
	const struct carry *c = carry_scratch();
	__u32 why;

	if (!x || !c)
		return ADMIT_OK;
	why = admit_by_lists(x, &c->key.saddr);
	if (why != ADMIT_OK)
		admit_count(service, why);
	return why;
}

static inline enum verdict admit(const struct pkt *p, const struct spw_service_row *row)
{
	int why;

	if (!(row->flags & SPW_SERVICE_GUARDED))
		return NEXT;
	why = admit_guarded(p->service, p->side);
	return why == ADMIT_OK ? NEXT : drop(why);
}

#endif
