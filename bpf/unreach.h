/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Nobody is there to take the packet, and the client is told by ICMP destination unreachable: the
 * only word that UDP has, and for TCP where the service asks for it. UDP gets "port unreachable",
 * which hosts hand to the application as a refusal; TCP gets "host unreachable" (IPv6: "address
 * unreachable"), which ends its attempt to connect.
 *
 * The answer is longer than what it answers and quotes it, so its rate is limited on each CPU (RFC
 * 1812, 4.3.2.8; RFC 4443, 2.4). Only whole TCP and UDP packets to a service come here, to one
 * host's MAC and from an address that a host can have: never ICMP, a fragment or a group.
 */
#ifndef SPILLWAY_BPF_UNREACH_H
#define SPILLWAY_BPF_UNREACH_H

#include "icmp.h"
#include "reject.h"

#define UNREACH_EVERY_NS 1000000ULL   /* 1,000 a second on a CPU */
#define UNREACH_BURST_NS 100000000ULL /* at most 100 at once */
#define UNREACH_TOS	 0xc0	      /* internetwork control (RFC 1812, 4.3.2.5) */

struct unreach4 {
	struct ethhdr eth;
	struct iphdr ip;
	struct icmp_head icmp;
} __attribute__((packed));

struct unreach6 {
	struct ethhdr eth;
	struct ipv6hdr ip;
	struct icmp_head icmp;
} __attribute__((packed));

static inline struct unreach *unreach_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&unreach, &zero);
}

/*
 * A bucket of tokens kept as a time: up to then they are used up. The clock's steps are of a few
 * milliseconds, which the burst covers.
 */
static inline bool unreach_may(struct unreach *u, __u64 now_ns)
{
	__s64 behind = now_ns - u->paid_ns;

	if (behind > (__s64)UNREACH_BURST_NS)
		u->paid_ns = now_ns - UNREACH_BURST_NS;
	else if (behind < (__s64)UNREACH_EVERY_NS)
		return false;
	u->paid_ns += UNREACH_EVERY_NS;
	return true;
}

/* Copies what is quoted, with zeros behind it, as checksums want it; false when that fails. */
static inline bool unreach_quote(struct pkt *p, struct unreach *u)
{
	__u32 len = p->l3_len;

	if (len > UNREACH_QUOTE)
		len = UNREACH_QUOTE;
	if (len < sizeof(struct iphdr))
		return false;
	u->quote_len = len;
	__builtin_memset(u->quote, 0, sizeof(u->quote));
	return !bpf_xdp_load_bytes(p->ctx, sizeof(struct ethhdr), u->quote, len);
}

/* The checksum of the ICMP message with this first word, on top of `sum`. */
static inline __u16 unreach_csum(struct unreach *u, __be32 first, __u32 sum)
{
	__u32 len = (u->quote_len + 3) & ~3U;
	__s64 all;

	if (len > UNREACH_QUOTE)
		len = UNREACH_QUOTE;
	all = bpf_csum_diff(NULL, 0, (__be32 *)u->quote, len, sum);
	return csum_fold((__u64)(__u32)all + first);
}

/* Cuts off what is not quoted, and gains `more` bytes in front. No packet pointer is valid then. */
static __noinline int unreach_resize(struct xdp_md *ctx, __u32 quote_len, int more)
{
	int have = bpf_xdp_get_buff_len(ctx);

	if (bpf_xdp_adjust_tail(ctx, (int)sizeof(struct ethhdr) + (int)quote_len - have))
		return -1;
	return bpf_xdp_adjust_head(ctx, -more);
}

static inline bool unreach_ip4(struct pkt *p, struct unreach *u)
{
	__u8 code = p->key->proto == IPPROTO_UDP ? ICMP4_PORT : ICMP4_HOST;
	struct unreach4 *a;

	if (unreach_resize(p->ctx, u->quote_len, sizeof(*a) - sizeof(a->eth)))
		return false;
	a = (void *)(long)p->ctx->data;
	if ((void *)(a + 1) > pkt_end(p))
		return false;
	a->eth = u->eth;
	__builtin_memset(&a->ip, 0, sizeof(a->ip) + sizeof(a->icmp));
	a->ip.version = 4;
	a->ip.ihl = sizeof(a->ip) / 4;
	a->ip.tos = UNREACH_TOS;
	a->ip.tot_len = bpf_htons(sizeof(a->ip) + sizeof(a->icmp) + u->quote_len);
	a->ip.frag_off = REJECT_IP4_DF;
	a->ip.ttl = REJECT_TTL;
	a->ip.protocol = IPPROTO_ICMP;
	a->ip.saddr = p->key->daddr.w[3];
	a->ip.daddr = p->key->saddr.w[3];
	a->ip.check = csum_fold((__u32)bpf_csum_diff(NULL, 0, (void *)&a->ip, sizeof(a->ip), 0));
	a->icmp.type = ICMP4_UNREACH;
	a->icmp.code = code;
	a->icmp.check = unreach_csum(u, bpf_htons(ICMP4_UNREACH << 8 | code), 0);
	return true;
}

static inline bool unreach_ip6(struct pkt *p, struct unreach *u)
{
	__u8 code = p->key->proto == IPPROTO_UDP ? ICMP6_PORT : ICMP6_ADDR;
	struct unreach6 *a;
	__be16 len;
	__u32 sum;

	if (unreach_resize(p->ctx, u->quote_len, sizeof(*a) - sizeof(a->eth)))
		return false;
	a = (void *)(long)p->ctx->data;
	if ((void *)(a + 1) > pkt_end(p))
		return false;
	len = bpf_htons(sizeof(a->icmp) + u->quote_len);
	a->eth = u->eth;
	__builtin_memset(&a->ip, 0, sizeof(a->ip) + sizeof(a->icmp));
	a->ip.version = 6;
	a->ip.payload_len = len;
	a->ip.nexthdr = IPPROTO_ICMPV6;
	a->ip.hop_limit = REJECT_TTL;
	__builtin_memcpy(&a->ip.saddr, &p->key->daddr, sizeof(a->ip.saddr));
	__builtin_memcpy(&a->ip.daddr, &p->key->saddr, sizeof(a->ip.daddr));
	sum = bpf_csum_diff(NULL, 0, (void *)&a->ip.saddr, 2 * sizeof(a->ip.saddr),
			    len + bpf_htons(IPPROTO_ICMPV6));
	a->icmp.type = ICMP6_UNREACH;
	a->icmp.code = code;
	a->icmp.check = unreach_csum(u, bpf_htons(ICMP6_UNREACH << 8 | code), sum);
	return true;
}

/* Where no answer can leave, or too many have left, the packet is dropped without one. */
static __noinline enum verdict unreachable(struct pkt *p)
{
	struct unreach *u = unreach_scratch();
	enum verdict v = DROP;
	bool made;

	if (!u || !p->eth || !egress_is_attached(p, p->ctx->ingress_ifindex))
		return DROP;
	if (!unreach_may(u, bpf_ktime_get_coarse_ns())) {
		count(SPW_COUNT_UNREACHABLE_LIMITED);
		return DROP;
	}
	u->eth = *p->eth;
	reject_eth(&u->eth);
	if (!unreach_quote(p, u))
		return DROP;
	made = addr_is_v4(&p->key->saddr) ? unreach_ip4(p, u) : unreach_ip6(p, u);
	if (made)
		v = send_out(p);
	if (v != DROP)
		count(SPW_COUNT_UNREACHABLE_SENT);
	return v;
}

#endif
