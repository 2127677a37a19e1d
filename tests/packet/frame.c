/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames from descriptions. Written apart from bpf/csum.h: it is what that one is tested by. */
#include "frame.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ICMP_HEADER 8

struct spw_addr addr_of(const char *text)
{
	struct spw_addr a = {};

	if (inet_pton(AF_INET6, text, a.b) == 1)
		return a;
	a.b[10] = a.b[11] = 0xff;
	assert_int_equal(inet_pton(AF_INET, text, a.b + 12), 1);
	return a;
}

bool desc_is_v4(const struct desc *d)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(d->src.b, mapped, sizeof(mapped));
}

static bool desc_is_icmp(const struct desc *d)
{
	return d->proto == IPPROTO_ICMP || d->proto == IPPROTO_ICMPV6;
}

static size_t l4_header_len(const struct desc *d)
{
	if (d->proto == IPPROTO_UDP)
		return sizeof(struct udphdr);
	if (desc_is_icmp(d))
		return ICMP_HEADER;
	return d->doff ? d->doff * 4u : sizeof(struct tcphdr);
}

static size_t l3_header_len(const struct desc *d)
{
	return desc_is_v4(d) ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

size_t desc_l3_len(const struct desc *d)
{
	return l3_header_len(d) + l4_header_len(d) + d->payload;
}

size_t frame_l4(const struct desc *d)
{
	return FRAME_ETH + l3_header_len(d);
}

uint16_t frame_sport(const struct desc *d, const struct frame *f)
{
	return (uint16_t)(f->b[frame_l4(d)] << 8 | f->b[frame_l4(d) + 1]);
}

void frame_put16(struct frame *f, size_t at, uint16_t host_order)
{
	f->b[at] = (uint8_t)(host_order >> 8);
	f->b[at + 1] = (uint8_t)host_order;
}

static void frame_put32(struct frame *f, size_t at, uint32_t host_order)
{
	frame_put16(f, at, (uint16_t)(host_order >> 16));
	frame_put16(f, at + 2, (uint16_t)host_order);
}

/* RFC 1071: the plain sum of 16-bit words, byte by byte. */
static uint32_t sum_bytes(uint32_t sum, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return sum;
}

void frame_fix_ip4(struct frame *f)
{
	frame_put16(f, FRAME_ETH + 10, 0);
	frame_put16(f, FRAME_ETH + 10,
		    (uint16_t)~sum_bytes(0, f->b + FRAME_ETH, (f->b[FRAME_ETH] & 15u) * 4));
}

void frame_tag(struct frame *f, uint16_t tci)
{
	assert_true(f->len + 4 <= sizeof(f->b));
	memmove(f->b + 16, f->b + 12, f->len - 12);
	frame_put16(f, 12, ETH_P_8021Q);
	frame_put16(f, 14, tci);
	f->len += 4;
}

uint16_t frame_pseudo(const struct desc *d, size_t len)
{
	size_t skip = desc_is_v4(d) ? 12 : 0;
	uint8_t tail[4] = {0, d->proto, (uint8_t)(len >> 8), (uint8_t)len};
	uint32_t sum = sum_bytes(0, d->src.b + skip, 16 - skip);

	sum = sum_bytes(sum, d->dst.b + skip, 16 - skip);
	return (uint16_t)sum_bytes(sum, tail, sizeof(tail));
}

static uint16_t l4_checksum(const struct desc *d, const uint8_t *l4, size_t len)
{
	return (uint16_t)~sum_bytes(frame_pseudo(d, len), l4, len);
}

size_t frame_check_at(const struct desc *d)
{
	return frame_l4(d) + (d->proto == IPPROTO_TCP ? 16 : 6);
}

void frame_look_partial(const struct desc *d, uint8_t *bytes, size_t len)
{
	uint16_t not_wanted = (uint16_t)~frame_pseudo(d, len), last;
	struct frame f;

	assert_true(d->bytes == bytes && d->payload % 2 == 0);
	bytes[d->payload - 2] = bytes[d->payload - 1] = 0;
	frame_build(d, &f);
	last = (uint16_t)sum_bytes(not_wanted, f.b + frame_check_at(d), 2);
	bytes[d->payload - 2] = (uint8_t)(last >> 8);
	bytes[d->payload - 1] = (uint8_t)last;
}

bool frame_sums_hold(const struct frame *f, bool none)
{
	const uint8_t *ip = f->b + FRAME_ETH;
	bool v4 = ip[0] >> 4 == 4;
	size_t at = v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr), addrs = v4 ? 8 : 32;
	size_t len = f->len - FRAME_ETH - at;
	uint8_t proto = v4 ? ip[9] : ip[6];
	uint8_t tail[4] = {0, proto, (uint8_t)(len >> 8), (uint8_t)len};

	if (v4 && sum_bytes(0, ip, at) != 0xffff)
		return false;
	if (proto == IPPROTO_UDP && !ip[at + 6] && !ip[at + 7])
		return none;
	return !(none && proto == IPPROTO_UDP) &&
	       sum_bytes(sum_bytes(sum_bytes(0, ip + at - addrs, addrs), tail, sizeof(tail)),
			 ip + at, len) == 0xffff;
}

static void put_ip4(const struct desc *d, struct frame *f)
{
	uint8_t *ip = f->b + FRAME_ETH;

	ip[0] = 0x45;
	ip[1] = d->tos;
	frame_put16(f, FRAME_ETH + 2, (uint16_t)desc_l3_len(d));
	ip[6] = 0x40; /* DF */
	ip[8] = d->ttl ? d->ttl : 64;
	ip[9] = d->proto;
	memcpy(ip + 12, d->src.b + 12, 4);
	memcpy(ip + 16, d->dst.b + 12, 4);
	frame_fix_ip4(f);
}

static void put_ip6(const struct desc *d, struct frame *f)
{
	uint8_t *ip = f->b + FRAME_ETH;

	ip[0] = (uint8_t)(0x60 | d->tos >> 4);
	ip[1] = (uint8_t)(d->tos << 4);
	frame_put16(f, FRAME_ETH + 4, (uint16_t)(desc_l3_len(d) - sizeof(struct ipv6hdr)));
	ip[6] = d->proto;
	ip[7] = d->ttl ? d->ttl : 64;
	memcpy(ip + 8, d->src.b, 16);
	memcpy(ip + 24, d->dst.b, 16);
}

static void put_tcp(const struct desc *d, struct frame *f)
{
	size_t at = frame_l4(d), len = l4_header_len(d) + d->payload;

	frame_put32(f, at + 4, d->seq || (d->flags & TCP_RST) ? d->seq : 1);
	frame_put32(f, at + 8, d->ack);
	f->b[at + 12] = (uint8_t)(l4_header_len(d) / 4 << 4);
	f->b[at + 13] = d->flags;
	f->b[at + 14] = d->flags & TCP_RST ? 0 : 0xfa; /* window */
	if (d->options)
		memcpy(f->b + at + sizeof(struct tcphdr), d->options,
		       l4_header_len(d) - sizeof(struct tcphdr));
	frame_put16(f, at + 16, l4_checksum(d, f->b + at, len));
}

static void put_udp(const struct desc *d, struct frame *f)
{
	size_t at = frame_l4(d), len = l4_header_len(d) + d->payload;
	uint16_t sum;

	frame_put16(f, at + 4, (uint16_t)len);
	if (d->no_checksum)
		return;
	sum = l4_checksum(d, f->b + at, len);
	frame_put16(f, at + 6, sum ? sum : 0xffff);
}

/* ICMP's checksum knows no pseudo header, ICMPv6's does. */
static void put_icmp(const struct desc *d, struct frame *f)
{
	size_t at = frame_l4(d), len = ICMP_HEADER + d->payload;

	memset(f->b + at, 0, ICMP_HEADER);
	f->b[at] = d->type;
	f->b[at + 1] = d->code;
	frame_put32(f, at + 4, d->rest);
	if (d->proto == IPPROTO_ICMP)
		frame_put16(f, at + 2, (uint16_t)~sum_bytes(0, f->b + at, len));
	else
		frame_put16(f, at + 2, l4_checksum(d, f->b + at, len));
}

uint32_t random_u32(uint32_t *state)
{
	uint32_t x = *state ? *state : 0x9e3779b9;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*state = x;
	return x;
}

void frame_build(const struct desc *d, struct frame *out)
{
	uint32_t rnd = d->seed;
	size_t at = frame_l4(d);

	memset(out, 0, sizeof(*out));
	out->len = FRAME_ETH + desc_l3_len(d);
	assert_true(out->len <= sizeof(out->b));
	memcpy(out->b, d->dmac, 6);
	memcpy(out->b + 6, d->smac, 6);
	frame_put16(out, 12, desc_is_v4(d) ? ETH_P_IP : ETH_P_IPV6);
	frame_put16(out, at, d->sport);
	frame_put16(out, at + 2, d->dport);
	for (size_t i = 0; i < d->payload; i++)
		out->b[out->len - d->payload + i] =
			d->bytes ? d->bytes[i] : (uint8_t)(random_u32(&rnd) >> 24);
	if (desc_is_v4(d))
		put_ip4(d, out);
	else
		put_ip6(d, out);
	if (d->proto == IPPROTO_UDP)
		put_udp(d, out);
	else if (desc_is_icmp(d))
		put_icmp(d, out);
	else
		put_tcp(d, out);
}

static void print_bytes(const char *name, const struct frame *f)
{
	printf("%s (%zu):", name, f->len);
	for (size_t i = 0; i < f->len && i < 96; i++)
		printf("%s%02x", i % 2 ? "" : " ", f->b[i]);
	printf("\n");
}

void frame_assert_equal(const struct frame *got, const struct frame *want)
{
	if (got->len == want->len && !memcmp(got->b, want->b, got->len))
		return;
	print_bytes("got ", got);
	print_bytes("want", want);
	fail();
}
