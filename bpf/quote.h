/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP errors to an address of ours about a packet that we sent: its first bytes are quoted there,
 * and name the flow. Turned round they are the key of the entry that the other side's packets have,
 * which says where the error is to go (fwd_icmp.h).
 *
 * Destination unreachable about a packet to an endpoint is counted as the flow's failure. Who knows
 * a flow's ports could forge one, so it ends nothing.
 */
#ifndef SPILLWAY_BPF_QUOTE_H
#define SPILLWAY_BPF_QUOTE_H

#include "bounds.h"
#include "config.h"
#include "flow.h"
#include "icmp.h"
#include "parse.h"
#include "signal.h"

#define QUOTE_IP4_PLAIN	 0x45 /* version 4, no options: so we send */
#define QUOTE_IP4_OFFSET 0x1fff
#define QUOTE_PORTS	 8 /* behind the IP header every host quotes at least these (RFC 792) */

/* What is looked at behind the IP header, up to the end of TCP's without options. */
struct quote_l4 {
	__be16 sport;
	__be16 dport;
	__be16 udp_len;
	__sum16 udp_check;
	__be16 tcp[4];
	__sum16 tcp_check;
	__be16 urgent;
};

struct quote4 {
	struct iphdr ip;
	struct quote_l4 l4;
};

struct quote6 {
	struct ipv6hdr ip;
	struct quote_l4 l4;
};

union quoted {
	struct quote4 q4;
	struct quote6 q6;
};

/* An ICMP error under the eye. */
struct quote {
	struct icmp_head icmp;
	union quoted was; /* zeros behind what is quoted */
	union quoted now; /* as it goes on */
	__u32 len;	  /* of `was` that is quoted */
	struct spw_flow_key key;
};

/* Writer: the packet path. Not kept. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct quote);
} quote SEC(".maps");

static inline struct quote *quote_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&quote, &zero);
}

/* The ICMP message at `at`, `len` bytes long, into the scratch: 0 when it is too short to be one. */
__noinline int quote_load(struct xdp_md *ctx, __u32 at, __u32 len, __u32 v6)
{
	__u32 most = v6 ? sizeof(struct quote6) : sizeof(struct quote4);
	__u32 least = most - sizeof(struct quote_l4) + QUOTE_PORTS;
	struct quote *q = quote_scratch();

	if (!q || len < sizeof(q->icmp) + least)
		return 0;
	len -= sizeof(q->icmp);
	if (len > most)
		len = most;
	if (!bounds_fit(&len, sizeof(q->was)))
		return 0;
	__builtin_memset(&q->was, 0, sizeof(q->was));
	q->len = len;
	return !bpf_xdp_load_bytes(ctx, at, &q->icmp, sizeof(q->icmp)) &&
	       !bpf_xdp_load_bytes(ctx, at + sizeof(q->icmp), &q->was, len);
}

static inline bool quote_is_unreachable(const struct icmp_head *icmp, __u32 v6)
{
	if (v6)
		return icmp->type == ICMP6_UNREACH;
	return icmp->type == ICMP4_UNREACH && icmp->code != ICMP4_FRAG_NEEDED;
}

static inline bool quote_is_error(const struct icmp_head *icmp, __u32 v6)
{
	if (v6)
		return icmp->type >= ICMP6_UNREACH && icmp->type <= ICMP6_BAD_PARAM;
	if (icmp->type == ICMP4_UNREACH)
		return icmp->code <= ICMP4_LAST_UNREACH;
	return icmp->type == ICMP4_EXCEEDED || icmp->type == ICMP4_BAD_PARAM;
}

/* The quoted packet's 5-tuple turned round. */
static inline bool quote_key4(struct quote *q)
{
	const struct quote4 *was = &q->was.q4;

	if (*(__u8 *)&was->ip != QUOTE_IP4_PLAIN ||
	    (was->ip.frag_off & bpf_htons(QUOTE_IP4_OFFSET)))
		return false;
	addr_map_v4(&q->key.saddr, was->ip.daddr);
	addr_map_v4(&q->key.daddr, was->ip.saddr);
	q->key.sport = was->l4.dport;
	q->key.dport = was->l4.sport;
	q->key.proto = was->ip.protocol;
	return true;
}

static inline bool quote_key6(struct quote *q)
{
	const struct quote6 *was = &q->was.q6;

	if (was->ip.version != 6)
		return false;
	__builtin_memcpy(&q->key.saddr, &was->ip.daddr, sizeof(q->key.saddr));
	__builtin_memcpy(&q->key.daddr, &was->ip.saddr, sizeof(q->key.daddr));
	q->key.sport = was->l4.dport;
	q->key.dport = was->l4.sport;
	q->key.proto = was->ip.nexthdr;
	return !addr_is_v4(&q->key.saddr) && !addr_is_v4(&q->key.daddr);
}

/* Who is told must be who sent the packet. */
static inline bool quote_key(struct quote *q, const struct spw_addr *told, __u32 v6)
{
	__builtin_memset(&q->key, 0, sizeof(q->key));
	if (!quote_is_error(&q->icmp, v6) || !(v6 ? quote_key6(q) : quote_key4(q)))
		return false;
	return (q->key.proto == IPPROTO_TCP || q->key.proto == IPPROTO_UDP) &&
	       addr_equal(&q->key.daddr, told);
}

/*
 * The line of the entry that the error goes by, which is copied to carry->f with the flow's state in
 * carry->forward; TABLE_NONE when there is none, its time has passed, or this host's stack is who
 * sent the packet.
 */
__noinline __u32 quote_find(__u32 v6, __u32 side, __u32 now)
{
	struct carry *c = carry_scratch();
	struct quote *q = quote_scratch();
	__u32 line;

	if (!c || !q || !quote_key(q, &c->key.daddr, v6))
		return TABLE_NONE;
	line = flow_get(&q->key, v6, &c->f);
	if (line == TABLE_NONE || (c->f.core.flags & SPW_FLOW_ALONE))
		return TABLE_NONE;
	if (c->f.core.dir == SPW_FLOW_FORWARD)
		flow_refer(&c->f, line, &c->forward);
	else if (!flow_find_forward(&q->key, &c->f, v6, &c->forward))
		return TABLE_NONE;
	if (flow_is_expired(c->forward.word, c->forward.service, q->key.proto == IPPROTO_UDP, side,
			    now))
		return TABLE_NONE;
	return line;
}

/* TCP that has been answered finds out for itself; UDP has nobody else to tell. */
__noinline int quote_heed(__u32 v6)
{
	struct carry *c = carry_scratch();
	struct quote *q = quote_scratch();
	__u32 old, over;

	if (!c || !q || !quote_is_unreachable(&q->icmp, v6))
		return 0;
	over = SPW_FLOW_FAILED | (q->key.proto == IPPROTO_TCP ? SIGNAL_OVER : 0);
	if (c->f.core.dir != SPW_FLOW_REVERSE || (c->forward.word & over))
		return 0;
	old = line_mark(v6, c->forward.line, c->forward.word, SPW_FLOW_FAILED);
	if (!(old & over))
		signal_failed(c->forward.endpoint, c->forward.born, old, SPW_FAILURE_UNREACHABLE);
	return 0;
}

#endif
