/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Headers from scratch, with the fields that rows carry left zero, and the sums over the rest: a row's
 * checksums are then a few additions.
 */
#include "frames.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <string.h>

#include "base/addr.h"
#include "world.h"

#define UDP_DATA   18
#define HOPS	   64
#define TCP_WINDOW 501

struct icmp_error {
	uint8_t type, code;
	uint16_t check;
	uint32_t unused;
	struct iphdr ip;
	__be16 sport, dport;
	__be32 seq;
} __attribute__((packed));

struct arp {
	__be16 hardware, protocol;
	uint8_t hardware_len, protocol_len;
	__be16 operation;
	uint8_t sender[10], target[10];
} __attribute__((packed));

static uint32_t sum16(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;
	uint32_t sum = 0;
	uint16_t w;

	for (size_t i = 0; i + 1 < len; i += 2) {
		memcpy(&w, b + i, 2);
		sum += w;
	}
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}

static struct iphdr ip4_header(uint8_t proto, size_t l4_len)
{
	return (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(sizeof(struct iphdr) + l4_len)),
		.frag_off = htons(0x4000),
		.ttl = HOPS,
		.protocol = proto,
	};
}

static void put_tcp(uint8_t *at, uint8_t flags)
{
	struct tcphdr tcp = {
		.seq = htonl(1000000),
		.ack_seq = htonl(flags & FRAME_ACK ? 2000000 : 0),
		.doff = sizeof(tcp) / 4,
		.window = htons(TCP_WINDOW),
		.syn = !!(flags & FRAME_SYN),
		.ack = !!(flags & FRAME_ACK),
	};

	memcpy(at, &tcp, sizeof(tcp));
}

static void put_udp(uint8_t *at)
{
	struct udphdr udp = {.len = htons(sizeof(udp) + UDP_DATA)};

	memcpy(at, &udp, sizeof(udp));
}

/*
 * Host unreachable about a TCP packet that went the other way. The quoted header's identification
 * is chosen so that its checksum is the outer header's, whatever the addresses: both have the same.
 */
static void put_icmp(uint8_t *at, const struct iphdr *outer)
{
	struct icmp_error e = {.type = 3, .code = 1, .seq = htonl(1000000)};

	e.ip = ip4_header(IPPROTO_TCP, sizeof(struct tcphdr));
	e.ip.id = fold(sum16(outer, sizeof(*outer)) + (uint16_t)~fold(sum16(&e.ip, sizeof(e.ip))));
	memcpy(at, &e, sizeof(e));
}

/* Returns the length of the layer 4 header and data, checksum fields zero. */
static size_t put_l4(const struct shape *s, uint8_t *at)
{
	switch (s->patch) {
	case BENCH_PATCH_TCP4:
	case BENCH_PATCH_TCP6:
		put_tcp(at, s->tcp_flags);
		return sizeof(struct tcphdr);
	case BENCH_PATCH_UDP4:
	case BENCH_PATCH_UDP6:
	case BENCH_PATCH_QUIC4:
		put_udp(at);
		return sizeof(struct udphdr) + UDP_DATA;
	case BENCH_PATCH_ICMP4:
		return sizeof(struct icmp_error);
	case BENCH_PATCH_NONE:
		break;
	}
	return 0;
}

static uint8_t proto_of(enum bench_patch patch)
{
	if (patch == BENCH_PATCH_ICMP4)
		return IPPROTO_ICMP;
	return patch == BENCH_PATCH_TCP4 || patch == BENCH_PATCH_TCP6 ? IPPROTO_TCP : IPPROTO_UDP;
}

static void put_ip4(const struct shape *s, uint8_t *at, struct image *out)
{
	uint8_t *l4 = at + sizeof(struct iphdr);
	size_t len = put_l4(s, l4);
	struct iphdr ip = ip4_header(proto_of(s->patch), len);

	if (s->patch == BENCH_PATCH_ICMP4)
		put_icmp(l4, &ip);
	memcpy(at, &ip, sizeof(ip));
	out->l3_sum = sum16(&ip, sizeof(ip));
	out->l4_sum = sum16(l4, len);
	if (s->patch != BENCH_PATCH_ICMP4)
		out->l4_sum += (uint32_t)htons(ip.protocol) + htons((uint16_t)len);
}

static void put_ip6(const struct shape *s, uint8_t *at, struct image *out)
{
	uint8_t *l4 = at + sizeof(struct ipv6hdr);
	size_t len = put_l4(s, l4);
	struct ipv6hdr ip = {
		.version = 6,
		.payload_len = htons((uint16_t)len),
		.nexthdr = proto_of(s->patch),
		.hop_limit = HOPS,
	};

	memcpy(&ip.saddr, &s->saddr, 12);
	memcpy(&ip.daddr, &s->daddr, 12);
	memcpy(at, &ip, sizeof(ip));
	out->l4_sum = sum16(l4, len) + htons(ip.nexthdr) + htons((uint16_t)len) +
		      sum16(&s->saddr, 12) + sum16(&s->daddr, 12);
}

static void put_arp(uint8_t *at)
{
	struct arp arp = {
		.hardware = htons(1),
		.protocol = htons(ETH_P_IP),
		.hardware_len = 6,
		.protocol_len = 4,
		.operation = htons(1),
	};

	memcpy(arp.sender, world_router_mac, 6);
	memcpy(at, &arp, sizeof(arp));
}

void frame_image(const struct shape *s, struct image *out)
{
	uint8_t b[BENCH_FRAME + BENCH_IMAGE_PAD] = {0}, *eth = b + BENCH_IMAGE_PAD;
	bool v6 = s->patch == BENCH_PATCH_TCP6 || s->patch == BENCH_PATCH_UDP6;
	__be16 proto = htons(v6 ? ETH_P_IPV6 : ETH_P_IP);

	*out = (struct image){.patch = s->patch};
	memcpy(eth, world_mac, 6);
	memcpy(eth + 6, world_router_mac, 6);
	if (s->patch == BENCH_PATCH_NONE) {
		proto = htons(ETH_P_ARP);
		memset(eth, 0xff, 6);
		put_arp(eth + ETH_HLEN);
	} else if (v6) {
		put_ip6(s, eth + ETH_HLEN, out);
	} else {
		put_ip4(s, eth + ETH_HLEN, out);
	}
	memcpy(eth + 12, &proto, sizeof(proto));
	memcpy(out->words, b, sizeof(b));
}

void frame_bytes(const struct image *image, uint8_t out[BENCH_FRAME])
{
	memcpy(out, (const uint8_t *)image->words + BENCH_IMAGE_PAD, BENCH_FRAME);
}

void frame_check(const struct image *image, struct bench_row *row)
{
	uint32_t addrs = sum16(&row->saddr, 8);
	uint32_t ports = (uint32_t)row->sport + row->dport;
	const __be32 id = bench_id_word(row);

	row->l3_check = (uint16_t)~fold(image->l3_sum + addrs);
	if (image->patch == BENCH_PATCH_ICMP4)
		ports += row->l3_check;
	if (image->patch == BENCH_PATCH_QUIC4)
		ports += sum16(&id, sizeof(id));
	row->l4_check = (uint16_t)~fold(image->l4_sum + addrs + ports);
	if (!row->l4_check && proto_of(image->patch) == IPPROTO_UDP)
		row->l4_check = 0xffff;
}
