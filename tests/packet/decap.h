/* SPDX-License-Identifier: BSD-2-Clause */
/* spillway-decap's programs, loaded with a few VIPs, and the tunnels' packets that are sent to them. */
#ifndef SPILLWAY_TESTS_DECAP_H
#define SPILLWAY_TESTS_DECAP_H

#include <spillway/decap.h>

#include "frame.h"

#define DECAP_PORT  6080
#define DECAP_PORT2 7070

/* cmocka's functions for a group and for a test: counters start from 0. */
int decap_open(void **state);
int decap_close(void **state);
int decap_reset(void **state);

enum wrap_kind { WRAP_IPIP, WRAP_GUE1, WRAP_GUE0 };

/* What is put around a packet. */
struct wrap {
	int family;
	enum wrap_kind kind;
	struct spw_addr from, to;
	uint8_t tos;
	uint8_t options;      /* words, of IPv4 */
	bool limit;	      /* an encapsulation limit, of IPv6 */
	uint16_t fragment;    /* IPv4's field */
	uint16_t port;	      /* of GUE */
	uint16_t udp_sum;     /* as it is */
	uint8_t gue_words;    /* of optional fields */
	uint16_t tag;	      /* 0: none */
	uint16_t shorter;     /* so much less is the outer length */
	uint16_t udp_shorter; /* and UDP's */
	size_t padding;	      /* behind it all */
};

/* A gateway's to this host. */
struct wrap decap_wrap(int family, enum wrap_kind kind);
/* Where the inner packet begins in a frame without a tag. */
size_t wrap_payload(const struct wrap *w);

/* A client's packet to a VIP, with the MACs of the tunnel's frame. */
struct desc decap_client(int family);
void decap_build(const struct desc *inner, const struct wrap *w, struct frame *out);
/* Sets IPv4's and UDP's lengths to the whole frame's, those of the inner packet at `at` as well. */
void decap_put_lengths(uint8_t *frame, size_t len, size_t at);

int decap_send(const struct frame *in, struct frame *out);
int decap_send_bytes(const uint8_t *in, size_t len, uint8_t *out); /* out: as large */
/* The way out: what spillway_mss makes of a frame. */
void decap_send_out(const struct frame *in, struct frame *out);
uint64_t decap_stat(enum spw_decap_stat row);

/* The inner packet comes out, with this traffic class. */
void decap_expect(const struct desc *inner, const struct wrap *w, uint8_t tos);
void decap_expect_dropped(const struct desc *inner, const struct wrap *w);
/* It passes untouched, for this reason. */
void decap_expect_pass(const struct frame *f, enum spw_decap_stat reason);

#endif
