/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet that does not go on, and whose sender is told why by ICMP:
 *
 * - Nobody is there to take it: UDP has no other word, TCP where the service asks for it. UDP gets
 *   "port unreachable", which hosts hand to the application as a refusal; TCP gets "host unreachable"
 *   (IPv6: "address unreachable"), which ends its attempt to connect.
 * - It is larger than the MTU of its way: the sender finds the path's MTU by that (RFC 1191, 8201).
 *   IPv4 without DF is told the same: nothing is cut into fragments here, since that would take
 *   several packets out of one, and senders heed the word without having set DF.
 * - Its hops are used up, which is how a traceroute sees this gateway.
 *
 * The answer comes from the address that the packet was sent to; that a service's packet has used its
 * hops up, from an address of this host's own (RFC 1812, 4.3.2.4), or a trace would end here as at its
 * destination. It may be longer than what it answers and quotes it, so its rate is limited on each CPU
 * (RFC 1812, 4.3.2.8; RFC 4443, 2.4). Only whole TCP and UDP packets to a service or of a flow come
 * here, to one host's MAC and from an address that a host can have: never ICMP, a fragment or a group.
 */
#ifndef SPILLWAY_BPF_ANSWER_H
#define SPILLWAY_BPF_ANSWER_H

#include "answer_scratch.h"
#include "icmp.h"
#include "reject.h"

#define ANSWER_EVERY_NS 1000000ULL   /* 1,000 a second on a CPU */
#define ANSWER_BURST_NS 100000000ULL /* at most 100 at once */
#define ANSWER_TOS	0xc0	     /* internetwork control (RFC 1812, 4.3.2.5) */

struct answer4 {
	struct iphdr ip;
	struct icmp_head icmp;
};

struct answer6 {
	struct ipv6hdr ip;
	struct icmp_head icmp;
};

_Static_assert(sizeof(struct answer4) <= ANSWER_HEAD, "head too short");
_Static_assert(sizeof(struct answer6) <= ANSWER_HEAD, "head too short");

/*
 * A bucket of tokens kept as a time: up to then they are used up. The clock's steps are of a few
 * milliseconds, which the burst covers.
 */
static inline bool answer_may(struct answer *a, __u64 now_ns)
{
	__s64 behind = now_ns - a->paid_ns;

	if (behind > (__s64)ANSWER_BURST_NS)
		a->paid_ns = now_ns - ANSWER_BURST_NS;
	else if (behind < (__s64)ANSWER_EVERY_NS)
		return false;
	a->paid_ns += ANSWER_EVERY_NS;
	return true;
}

/* Ethernet and its tag, which the answer keeps. */
static inline __u32 answer_l3_at(const struct pkt *p)
{
	return sizeof(struct ethhdr) + (p->vlan == SPW_UNTAGGED ? 0 : sizeof(struct vlan_tag));
}

/* Copies what is quoted, with zeros behind it, as checksums want it; false when that fails. */
static inline bool answer_quote(struct pkt *p, struct answer *a)
{
	__u32 len = p->l3_len;

	if (len > ANSWER_QUOTE)
		len = ANSWER_QUOTE;
	if (len < sizeof(struct iphdr))
		return false;
	a->quote_len = len;
	__builtin_memset(a->quote, 0, sizeof(a->quote));
	return !bpf_xdp_load_bytes(p->ctx, answer_l3_at(p), a->quote, len);
}

/* The MAC it came from is the one it goes to. */
static inline bool answer_eth(struct pkt *p, struct answer *a)
{
	if (bpf_xdp_load_bytes(p->ctx, 0, a->eth, answer_l3_at(p)))
		return false;
	reject_eth((void *)a->eth);
	return true;
}

/* The way out is the one it came; p->mtu stays that of the way on. */
static inline bool answer_way(struct pkt *p)
{
	__u16 mtu = p->mtu;

	if (!egress_is_attached(p, p->ctx->ingress_ifindex))
		return false;
	p->mtu = mtu;
	return true;
}

/* What is said: all of the ICMP header but its checksum. */
static inline void answer_say(const struct pkt *p, enum verdict why, struct icmp_head *icmp)
{
	bool udp = p->key->proto == IPPROTO_UDP;

	icmp->check = 0;
	icmp->rest = 0;
	if (why == TOO_BIG) {
		icmp->type = p->v6 ? ICMP6_TOO_BIG : ICMP4_UNREACH;
		icmp->code = p->v6 ? 0 : ICMP4_FRAG_NEEDED;
		icmp->rest = bpf_htonl(p->mtu);
	} else if (why == EXPIRED) {
		icmp->type = p->v6 ? ICMP6_EXCEEDED : ICMP4_EXCEEDED;
		icmp->code = 0;
	} else if (p->v6) {
		icmp->type = ICMP6_UNREACH;
		icmp->code = udp ? ICMP6_PORT : ICMP6_ADDR;
	} else {
		icmp->type = ICMP4_UNREACH;
		icmp->code = udp ? ICMP4_PORT : ICMP4_HOST;
	}
}

/* The checksum of the ICMP message with this header, on top of `sum`. */
static inline __u16 answer_csum(struct answer *a, struct icmp_head *icmp, __u32 sum)
{
	__u32 len = (a->quote_len + 3) & ~3U;

	if (len > ANSWER_QUOTE)
		len = ANSWER_QUOTE;
	sum = bpf_csum_diff(NULL, 0, (void *)icmp, sizeof(*icmp), sum);
	return csum_fold((__u32)bpf_csum_diff(NULL, 0, (void *)a->quote, len, sum));
}

/* The first source address of the packet's family, where a gateway speaks as a router. */
static inline void answer_from(const struct pkt *p, enum verdict why, struct answer *a)
{
	const struct spw_settings *s = config_settings(p->side);
	__u32 i;

	a->from = p->key->daddr;
	for (i = 0; why == EXPIRED && !pkt_is_reply(p) && s && i < SPW_SOURCES_MAX; i++) {
		if (addr_is_none(&s->source[i]) || addr_is_v4(&s->source[i]) == p->v6)
			continue;
		a->from = s->source[i];
		break;
	}
}

static inline void answer_ip4(const struct pkt *p, enum verdict why, struct answer *a)
{
	struct answer4 *h = (void *)a->head;

	__builtin_memset(&h->ip, 0, sizeof(h->ip));
	h->ip.version = 4;
	h->ip.ihl = sizeof(h->ip) / 4;
	h->ip.tos = ANSWER_TOS;
	h->ip.tot_len = bpf_htons(sizeof(*h) + a->quote_len);
	h->ip.frag_off = REJECT_IP4_DF;
	h->ip.ttl = REJECT_TTL;
	h->ip.protocol = IPPROTO_ICMP;
	h->ip.saddr = a->from.w[3];
	h->ip.daddr = p->key->saddr.w[3];
	h->ip.check = csum_fold((__u32)bpf_csum_diff(NULL, 0, (void *)&h->ip, sizeof(h->ip), 0));
	answer_say(p, why, &h->icmp);
	h->icmp.check = answer_csum(a, &h->icmp, 0);
}

static inline void answer_ip6(const struct pkt *p, enum verdict why, struct answer *a)
{
	struct answer6 *h = (void *)a->head;
	__u32 sum;

	__builtin_memset(&h->ip, 0, sizeof(h->ip));
	h->ip.version = 6;
	h->ip.payload_len = bpf_htons(sizeof(h->icmp) + a->quote_len);
	h->ip.nexthdr = IPPROTO_ICMPV6;
	h->ip.hop_limit = REJECT_TTL;
	__builtin_memcpy(&h->ip.saddr, &a->from, sizeof(h->ip.saddr));
	__builtin_memcpy(&h->ip.daddr, &p->key->saddr, sizeof(h->ip.daddr));
	sum = bpf_csum_diff(NULL, 0, (void *)&h->ip.saddr, 2 * sizeof(h->ip.saddr),
			    h->ip.payload_len + bpf_htons(IPPROTO_ICMPV6));
	answer_say(p, why, &h->icmp);
	h->icmp.check = answer_csum(a, &h->icmp, sum);
}

/* Cuts off what is not quoted and puts the headers in front. No packet pointer is valid then. */
static inline bool answer_write(struct pkt *p, struct answer *a)
{
	int more = p->v6 ? sizeof(struct answer6) : sizeof(struct answer4);
	int have = bpf_xdp_get_buff_len(p->ctx), l3_at = answer_l3_at(p);

	return !bpf_xdp_adjust_tail(p->ctx, l3_at + (int)a->quote_len - have) &&
	       !bpf_xdp_adjust_head(p->ctx, -more) &&
	       !bpf_xdp_store_bytes(p->ctx, 0, a->eth, l3_at) &&
	       !bpf_xdp_store_bytes(p->ctx, l3_at, a->head, more);
}

static inline enum spw_stat answer_stat(enum verdict why)
{
	if (why == TOO_BIG)
		return SPW_COUNT_TOO_BIG_SENT;
	return why == EXPIRED ? SPW_COUNT_TTL_EXCEEDED_SENT : SPW_COUNT_UNREACHABLE_SENT;
}

/* Where no answer can leave, or too many have left, the packet is dropped without one. */
static __noinline enum verdict answer(struct pkt *p, enum verdict why)
{
	struct answer *a = answer_scratch();
	enum verdict v = DROP;

	if (!a || !answer_way(p))
		return DROP;
	if (!answer_may(a, bpf_ktime_get_coarse_ns())) {
		count(SPW_COUNT_UNREACHABLE_LIMITED);
		return DROP;
	}
	if (!answer_eth(p, a) || !answer_quote(p, a))
		return DROP;
	answer_from(p, why, a);
	if (p->v6)
		answer_ip6(p, why, a);
	else
		answer_ip4(p, why, a);
	if (answer_write(p, a))
		v = send_out(p);
	if (v != DROP)
		count(answer_stat(why));
	return v;
}

#endif
