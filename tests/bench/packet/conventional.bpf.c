/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conventional reference: a balancer as published XDP ones are built. Kernel hash maps for
 * services and flows, a consistent ring for packets without a flow, encapsulation towards the
 * server, which answers the client directly: half of the traffic never comes back this way, and no
 * packet is checked for what a shared host's own traffic might be. It knows no health, no ports, no
 * end of a flow; so it is the cost of the design, not an equal.
 */
#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "shared.h"

#define IP4_FRAGMENT 0x3fff
#define OUTER_TTL    64
#define GUE_PORT     6080
#define SOURCE4	     0x0a020001 /* 10.2.0.1 */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, struct bench_vip_key);
	__type(value, struct bench_vip);
} vips SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct bench_flow_key);
	__type(value, struct bench_flow);
} lru SEC(".maps");

/* Two rings: IPv4 servers, IPv6 servers. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * BENCH_RING);
	__type(key, __u32);
	__type(value, __u32);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, struct bench_real);
} reals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, struct bench_sum);
} sums SEC(".maps");

__u8 router_mac[ETH_ALEN];

struct packet {
	struct bench_flow_key key;
	__u32 l3_len;
	bool v4;
	bool gue;
};

static inline bool parse4(struct packet *p, const struct iphdr *ip, const void *end)
{
	if ((const void *)(ip + 1) > end || ip->ihl != 5)
		return false;
	if (ip->frag_off & bpf_htons(IP4_FRAGMENT))
		return false;
	p->key.saddr[0] = ip->saddr;
	p->key.daddr[0] = ip->daddr;
	p->key.proto = ip->protocol;
	p->l3_len = bpf_ntohs(ip->tot_len);
	p->v4 = true;
	return true;
}

static inline bool parse6(struct packet *p, const struct ipv6hdr *ip, const void *end)
{
	if ((const void *)(ip + 1) > end)
		return false;
	__builtin_memcpy(p->key.saddr, &ip->saddr, sizeof(p->key.saddr));
	__builtin_memcpy(p->key.daddr, &ip->daddr, sizeof(p->key.daddr));
	p->key.proto = ip->nexthdr;
	p->l3_len = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	return true;
}

static inline bool parse(struct xdp_md *ctx, struct packet *p)
{
	const void *end = (void *)(long)ctx->data_end;
	const struct ethhdr *eth = (void *)(long)ctx->data;
	const struct udphdr *ports;

	if ((const void *)(eth + 1) > end)
		return false;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		if (!parse4(p, (const void *)(eth + 1), end))
			return false;
		ports = (const void *)(eth + 1) + sizeof(struct iphdr);
	} else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		if (!parse6(p, (const void *)(eth + 1), end))
			return false;
		ports = (const void *)(eth + 1) + sizeof(struct ipv6hdr);
	} else {
		return false;
	}
	if (p->key.proto != IPPROTO_TCP && p->key.proto != IPPROTO_UDP)
		return false;
	if ((const void *)(ports + 1) > end)
		return false;
	p->key.sport = ports->source;
	p->key.dport = ports->dest;
	return true;
}

static inline const struct bench_vip *find_vip(const struct packet *p)
{
	struct bench_vip_key key = {.port = p->key.dport, .proto = p->key.proto};

	__builtin_memcpy(key.addr, p->key.daddr, sizeof(key.addr));
	return bpf_map_lookup_elem(&vips, &key);
}

static inline __u32 mix(__u32 h, __u32 w)
{
	h = (h ^ w) * 0x85ebca6b;
	return h ^ h >> 13;
}

static inline __u32 hash(const struct bench_flow_key *k)
{
	const __u32 *ports = (const __u32 *)&k->sport;
	__u32 h = k->proto;

#pragma unroll
	for (int i = 0; i < 4; i++)
		h = mix(h, k->saddr[i]);
	return mix(h, *ports) * 0xc2b2ae35;
}

/* The flow's server, or for a new flow the ring's, which is remembered. */
static inline bool find_real(const struct packet *p, const struct bench_vip *vip, __u32 *real)
{
	struct bench_flow *known = bpf_map_lookup_elem(&lru, &p->key);
	struct bench_flow flow = {};
	__u32 at, *slot;

	if (known) {
		*real = known->real;
		if (p->key.proto == IPPROTO_UDP)
			known->seen_ns = bpf_ktime_get_ns();
		return true;
	}
	at = vip->ring + hash(&p->key) % BENCH_RING;
	slot = bpf_map_lookup_elem(&ring, &at);
	if (!slot)
		return false;
	flow.real = *slot;
	flow.seen_ns = bpf_ktime_get_ns();
	bpf_map_update_elem(&lru, &p->key, &flow, BPF_ANY);
	*real = flow.real;
	return true;
}

static inline void outer4(struct iphdr *ip, const struct packet *p, const struct bench_real *real)
{
	const __u16 *w = (const __u16 *)ip;
	__u32 sum = 0;

	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = 5;
	ip->ttl = OUTER_TTL;
	ip->protocol = p->gue ? IPPROTO_UDP : IPPROTO_IPIP;
	ip->tot_len = bpf_htons(p->l3_len + sizeof(*ip) + (p->gue ? sizeof(struct udphdr) : 0));
	ip->saddr = bpf_htonl(SOURCE4);
	ip->daddr = real->addr[0];
#pragma unroll
	for (int i = 0; i < (int)sizeof(*ip) / 2; i++)
		sum += w[i];
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~(sum + (sum >> 16));
}

static inline void outer6(struct ipv6hdr *ip, const struct packet *p, const struct bench_real *real)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 6;
	ip->hop_limit = OUTER_TTL;
	ip->nexthdr = p->gue ? IPPROTO_UDP : IPPROTO_IPV6;
	ip->payload_len = bpf_htons(p->l3_len + (p->gue ? sizeof(struct udphdr) : 0));
	ip->saddr.s6_addr32[0] = bpf_htonl(0x01000000);
	ip->saddr.s6_addr32[3] = p->key.saddr[3];
	__builtin_memcpy(&ip->daddr, real->addr, sizeof(ip->daddr));
}

/* The source port says the flow, so that the server's card spreads flows over its queues. */
static inline void outer_udp(struct udphdr *udp, const struct packet *p)
{
	udp->source = bpf_htons(0x8000 | (hash(&p->key) & 0x7fff));
	udp->dest = bpf_htons(GUE_PORT);
	udp->len = bpf_htons(p->l3_len + sizeof(*udp));
	udp->check = 0;
}

static inline int encapsulate(struct xdp_md *ctx, const struct packet *p,
			      const struct bench_real *real)
{
	__u32 ip_len = p->v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	__u32 len = ip_len + (p->gue ? sizeof(struct udphdr) : 0);
	struct ethhdr *eth, *old;
	void *end, *ip;

	if (bpf_xdp_adjust_head(ctx, -(int)len))
		return XDP_DROP;
	eth = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	old = (void *)eth + len;
	ip = eth + 1;
	if ((void *)(old + 1) > end || ip + sizeof(struct ipv6hdr) + sizeof(struct udphdr) > end)
		return XDP_DROP;
	__builtin_memcpy(eth->h_source, old->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, router_mac, ETH_ALEN);
	eth->h_proto = p->v4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	if (p->v4)
		outer4(ip, p, real);
	else
		outer6(ip, p, real);
	if (p->gue)
		outer_udp(ip + ip_len, p);
	return XDP_TX;
}

static inline int balance(struct xdp_md *ctx, bool gue)
{
	struct packet p = {.gue = gue};
	const struct bench_vip *vip;
	const struct bench_real *real;
	struct bench_sum *sum;
	__u32 id, number;

	if (!parse(ctx, &p))
		return XDP_PASS;
	vip = find_vip(&p);
	if (!vip)
		return XDP_PASS;
	number = vip->number;
	if (!find_real(&p, vip, &id))
		return XDP_DROP;
	real = bpf_map_lookup_elem(&reals, &id);
	sum = bpf_map_lookup_elem(&sums, &number);
	if (!real || !sum)
		return XDP_DROP;
	sum->packets++;
	sum->bytes += p.l3_len;
	return encapsulate(ctx, &p, real);
}

SEC("xdp")
int bench_ipip(struct xdp_md *ctx)
{
	return balance(ctx, false);
}

SEC("xdp")
int bench_gue(struct xdp_md *ctx)
{
	return balance(ctx, true);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
