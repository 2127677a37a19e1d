/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds the program under test within BPF_PROG_TEST_RUN: each repeat writes the whole header of the
 * next packet of the trace, since bytes and length stay as the last program left them, and calls the
 * target. What this costs is measured with the empty target and taken off.
 *
 * The trace is read in its order, random as the flows in it are: the memory ahead is fetched before
 * it is asked for, so the driver waits for no cache line itself, and the target waits for its own.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "shared.h"

#define ETH  ((__u32)sizeof(struct ethhdr))
#define IP4  ((__u32)sizeof(struct iphdr))
#define IP6  ((__u32)sizeof(struct ipv6hdr))
#define ICMP 8
#define UDP  8

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, BENCH_TARGETS);
	__type(key, __u32);
	__type(value, __u32);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_row);
} trace SEC(".maps");

struct bench_drive drive;
__u32 image[BENCH_IMAGE_WORDS];

/* Encapsulation has moved the head; nothing here moves the tail. */
static inline int head_back(struct xdp_md *ctx)
{
	int grown = (int)(ctx->data_end - ctx->data) - BENCH_FRAME;

	return grown ? (int)bpf_xdp_adjust_head(ctx, grown) : 0;
}

/*
 * By words, at the places of the headers' words: a field that is read back in another width than it
 * was written in would stall, which no packet from a card does.
 */
static inline void write_image(__u8 *b)
{
	*(__u16 *)b = image[0] >> 16;
#pragma unroll
	for (int i = 1; i < BENCH_IMAGE_WORDS; i++)
		*(__u32 *)(b + i * 4 - BENCH_IMAGE_PAD) = image[i];
}

static inline void write_ports(__u8 *l4, const struct bench_row *r)
{
	*(__be16 *)l4 = r->sport;
	*(__be16 *)(l4 + 2) = r->dport;
}

static inline void write_ip4(__u8 *ip, const struct bench_row *r)
{
	*(__be16 *)(ip + 10) = r->l3_check;
	*(__be32 *)(ip + 12) = r->saddr;
	*(__be32 *)(ip + 16) = r->daddr;
}

static inline void write_ip6(__u8 *ip, const struct bench_row *r)
{
	*(__be32 *)(ip + 20) = r->saddr;
	*(__be32 *)(ip + 36) = r->daddr;
}

/* The quoted packet went the other way; its header is made to have the same checksum. */
static inline void write_icmp4(__u8 *b, const struct bench_row *r)
{
	__u8 *icmp = b + ETH + IP4, *ip = icmp + ICMP, *l4 = ip + IP4;

	write_ip4(b + ETH, r);
	*(__be16 *)(icmp + 2) = r->l4_check;
	*(__be16 *)(ip + 10) = r->l3_check;
	*(__be32 *)(ip + 12) = r->daddr;
	*(__be32 *)(ip + 16) = r->saddr;
	*(__be16 *)l4 = r->dport;
	*(__be16 *)(l4 + 2) = r->sport;
}

static inline void write_quic4(__u8 *b, const struct bench_row *r)
{
	__u8 *udp = b + ETH + IP4;

	write_ip4(b + ETH, r);
	write_ports(udp, r);
	*(__be16 *)(udp + 6) = r->l4_check;
	*(__be32 *)(udp + UDP + BENCH_ID_WORD) = bench_id_word(r);
}

static inline void write_row(__u8 *b, const struct bench_row *r)
{
	switch (drive.patch) {
	case BENCH_PATCH_TCP4:
	case BENCH_PATCH_UDP4:
		write_ip4(b + ETH, r);
		write_ports(b + ETH + IP4, r);
		*(__be16 *)(b + ETH + IP4 + (drive.patch == BENCH_PATCH_TCP4 ? 16 : 6)) =
			r->l4_check;
		break;
	case BENCH_PATCH_TCP6:
	case BENCH_PATCH_UDP6:
		write_ip6(b + ETH, r);
		write_ports(b + ETH + IP6, r);
		*(__be16 *)(b + ETH + IP6 + (drive.patch == BENCH_PATCH_TCP6 ? 16 : 6)) =
			r->l4_check;
		break;
	case BENCH_PATCH_ICMP4:
		write_icmp4(b, r);
		break;
	case BENCH_PATCH_QUIC4:
		write_quic4(b, r);
		break;
	}
}

static inline int next_packet(struct xdp_md *ctx)
{
	__u32 at = drive.at;
	const struct bench_row *r = bpf_map_lookup_elem(&trace, &at);
	__u8 *b;

	drive.at = at + 1 < drive.length ? at + 1 : 0;
	if (head_back(ctx))
		return -1;
	b = (void *)(long)ctx->data;
	if ((void *)(b + BENCH_FRAME) > (void *)(long)ctx->data_end || !r)
		return -1;
	write_image(b);
	write_row(b, r);
	return 0;
}

SEC("xdp")
int bench_drive(struct xdp_md *ctx)
{
	if (!next_packet(ctx))
		bpf_tail_call(ctx, &targets, drive.target);
	drive.failed++;
	return XDP_ABORTED;
}

/* As live frames, whose pages come back as they were left: out of the interface. */
SEC("xdp")
int bench_send(struct xdp_md *ctx)
{
	if (!next_packet(ctx))
		return XDP_TX;
	drive.failed++;
	return XDP_ABORTED;
}

SEC("xdp")
int bench_empty(struct xdp_md *ctx)
{
	return XDP_TX;
}

static inline void swap_macs(struct ethhdr *eth)
{
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
}

static inline int swap_ip4(struct iphdr *ip, void *end)
{
	__be32 addr;

	if ((void *)(ip + 1) > end)
		return XDP_ABORTED;
	addr = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = addr;
	return XDP_TX;
}

static inline int swap_ip6(struct ipv6hdr *ip, void *end)
{
	struct in6_addr addr;

	if ((void *)(ip + 1) > end)
		return XDP_ABORTED;
	addr = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = addr;
	return XDP_TX;
}

/* The least that a program which answers packets can do: no map, no checksum changes. */
SEC("xdp")
int bench_reflector(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > end)
		return XDP_ABORTED;
	swap_macs(eth);
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		return swap_ip4((void *)(eth + 1), end);
	if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		return swap_ip6((void *)(eth + 1), end);
	return XDP_TX;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
