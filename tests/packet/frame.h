/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames built from a description, every checksum computed from scratch: what a test sends, and
 * byte for byte what it expects to come out.
 */
#ifndef SPILLWAY_TESTS_FRAME_H
#define SPILLWAY_TESTS_FRAME_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spillway/abi.h>

#define FRAME_MAX 2048
#define FRAME_ETH 14

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10

struct frame {
	uint8_t b[FRAME_MAX];
	size_t len;
};

/* The address family is that of src. Zero means the usual: ttl 64, no flags, no payload. */
struct desc {
	uint8_t dmac[6], smac[6];
	struct spw_addr src, dst;
	uint16_t sport, dport; /* host order */
	uint8_t proto;
	uint8_t flags; /* TCP_* */
	uint8_t ttl;
	uint8_t tos;
	uint8_t doff; /* 32-bit words of TCP header; 0: 5 */
	uint32_t seq; /* 0: 1, but in an RST */
	uint32_t ack;
	bool no_checksum; /* UDP: zero */
	uint32_t seed;	  /* of the payload's bytes */
	size_t payload;
	uint8_t type, code;	/* ICMP and ICMPv6, which have no ports */
	uint32_t rest;		/* of their header */
	const uint8_t *bytes;	/* of the payload; NULL: by the seed */
	const uint8_t *options; /* of TCP, to fill doff; NULL: zeros */
};

struct spw_addr addr_of(const char *text);
bool desc_is_v4(const struct desc *d);
size_t desc_l3_len(const struct desc *d);
void frame_build(const struct desc *d, struct frame *out);

/* Offsets in a frame without IP options or extension headers. */
size_t frame_l4(const struct desc *d);
size_t frame_check_at(const struct desc *d); /* of TCP and UDP */
uint16_t frame_sport(const struct desc *d, const struct frame *f);
void frame_put16(struct frame *f, size_t at, uint16_t host_order);

/* The pseudo header's sum for a segment of `len` bytes, header included; not complemented. */
uint16_t frame_pseudo(const struct desc *d, size_t len);

/*
 * Chooses the last two of the payload's `bytes`, an even number, so that the finished checksum is the
 * sum of the pseudo header for a segment of `len` bytes.
 */
void frame_look_partial(const struct desc *d, uint8_t *bytes, size_t len);

/* Puts an 802.1Q tag in. */
void frame_tag(struct frame *f, uint16_t tci);

/* The IPv4 header's checksum again, after a test has changed the header. */
void frame_fix_ip4(struct frame *f);

/*
 * TCP or UDP as it came out, checksums added up anew from its own bytes. A UDP checksum of zero
 * holds over IPv4 when `none` says that it had none.
 */
bool frame_sums_hold(const struct frame *f, bool none);

/* Prints both and fails unless they are equal. */
void frame_assert_equal(const struct frame *got, const struct frame *want);

uint32_t random_u32(uint32_t *state);

#endif
