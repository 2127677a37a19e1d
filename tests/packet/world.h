/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world the packets are in: a network namespace of the test's own, with the program loaded and
 * its maps filled. One world for the whole binary; each test starts with world_reset().
 *
 *   clients 10.1.0.0/24, fd00:1::/64 -- [client]  gateway  [server] -- 10.2.0.0/24, fd00:2::/64
 *   (10.1.0.50 is an endpoint too)                [other] -- 10.3.0.0/24, not attached
 */
#ifndef SPILLWAY_TESTS_WORLD_H
#define SPILLWAY_TESTS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include <linux/bpf.h>
#include <spillway/abi.h>
#include <spillway/events.h>
#include <spillway/stats.h>

#include "frame.h"

#define SECOND_NS 1000000000ULL

/* Sizes of the maps under test. */
#define WORLD_FLOWS	 4096
#define WORLD_ENDPOINTS	 1024
#define WORLD_SERVICES	 16
#define WORLD_SLOT_LINES 16384

/* Services. */
enum { TCP4 = 1, UDP4, TCP6, UDP6 };

/* Endpoints that world_reset() puts in the maps, all pickable and up. */
enum {
	WEB4_A = 1, /* 10.2.0.11:8080 and so on */
	WEB4_B,
	WEB4_C,
	WEB6_A, /* [fd00:2::11]:8080 and so on */
	WEB6_B,
	NEAR4,	     /* 10.1.0.50:8080, behind the client's interface */
	FAR4,	     /* 10.9.0.11:8080, behind the router 10.2.0.254 */
	UNATTACHED4, /* 10.3.0.11:8080 */
	SILENT4,     /* 10.2.0.99:8080, no neighbour */
	SILENT6,     /* [fd00:2::99]:8080 */
	LOST4,	     /* 172.31.0.1:8080, no route */
	LOCAL4,	     /* 10.2.0.1:8080, the gateway itself */
	SOURCELESS4, /* 10.2.0.12:9090, no source addresses */
	FAR_SILENT4, /* 10.8.0.11:8080, behind the router 10.2.0.98 that has no neighbour */
	HAND_A,	     /* [100::1]:8443 and so on: of mode handoff, in no service's table */
	HAND_B,
	WORLD_ENDPOINT_COUNT,
};

#define VIP4	"192.0.2.10"
#define VIP6	"2001:db8::10"
#define CLIENT4 "10.1.0.20"
#define CLIENT6 "fd00:1::20"

extern const uint8_t mac_gateway_client[6], mac_gateway_server[6], mac_client[6];
extern const uint8_t mac_router[6];
/* An endpoint's static neighbour: 02:00:00:00:02:<last byte of its address>. */
void mac_of(const struct spw_addr *a, uint8_t out[6]);

struct world {
	struct spillway_bpf *skel;
	int if_client, if_server, if_other;
	struct spw_config config; /* what is in the map */
	struct spw_flow4 *flows4;
	struct spw_flow6 *flows6;
	struct spw_flow_head *heads;   /* of both families */
	uint32_t sets, lines;	       /* of one family; line 0 is none */
	uint64_t before[SPW_STAT_MAX]; /* counters at world_reset() */
};
extern struct world world;

int world_open(void);
void world_close(void);
/* The program that passes everything, on the interfaces of clients and servers. */
int world_pass(bool attached);
int world_sysctl(const char *path, const char *value);
int world_reset(void **state); /* a cmocka setup function */

/* Filling. Rows are written on the side in force unless world_row_on_side() is used. */
struct spw_endpoint world_endpoint(uint32_t id);
void world_put_endpoint(uint32_t id, const struct spw_endpoint *e);
void world_set_word(uint32_t id, uint32_t word);
void world_serve(uint32_t service, const uint16_t *ids, uint32_t count);
void world_serve_spare(uint32_t service, const uint16_t *ids, uint32_t count);
void world_put_slots(uint32_t base, const uint16_t *ids, uint32_t count);
struct spw_service_row world_row(uint32_t service, uint32_t side);
void world_row_on_side(uint32_t service, uint32_t side, const struct spw_service_row *row);
/* Whether nobody is left, and what becomes of packets then; of the service's row in force. */
void world_no_endpoint(uint32_t service, uint32_t flags, uint8_t new_flows, uint8_t live_flows);
void world_put_service(uint32_t id, const char *vip, uint16_t port, uint8_t proto);
void world_put_config(void); /* writes world.config */
void world_set_ports(uint32_t count);
void world_attach(int ifindex, uint32_t flags);
void world_detach(int ifindex);

/* Packets. */
struct desc from_client(uint32_t service);
struct desc from_endpoint(const struct desc *sent); /* the answer to a forwarded packet */
struct bpf_program;
int world_run(const struct bpf_program *prog, int ifindex, const struct frame *in,
	      struct frame *out);
int world_send_frame(int ifindex, const struct frame *in, struct frame *out); /* spillway_xdp */
void world_expect_verdict(int ifindex, const struct frame *in, struct frame *out, int want);
int world_send(int ifindex, const struct desc *d, struct frame *out);
/* A client's packet must be forwarded exactly to endpoint `id`; returns it as it left. */
struct desc world_expect_to(uint32_t id, const struct desc *d);
/* A whole handshake with WEB4_A: true, or false when the SYN found the flow table full. */
bool world_connect(const struct desc *syn);
/* An endpoint's packet must reach `client` exactly as the answer to what it sent. */
void world_expect_reply(int ifindex, const struct desc *client, const struct desc *reply);
/* Any verdict but a forward: the bytes are unchanged and the counter rose by one. */
/* Those that are not zero, to explain a failure. */
void world_print_counters(void);
void world_expect_end(int ifindex, const struct desc *d, enum spw_stat row);
void world_expect_frame_end(int ifindex, const struct frame *in, enum spw_stat row);
/* A client's SYN that cannot be served: counted in `row`, and exactly this answer goes back. */
/* The RST that answers a TCP packet, by the acknowledgement that it has or has not. */
struct desc world_refusal(const struct desc *syn);
void world_expect_refused(const struct desc *syn, enum spw_stat row);
/* Likewise ICMP, which quotes the packet: `bytes` is to be set before it is built. */
struct desc world_unreachable(const struct desc *d);
struct desc world_too_big(const struct desc *d, uint32_t mtu);
struct desc world_exceeded(const struct desc *d);
/* A packet that comes in by `ifindex` gets `want` as its answer, whose `bytes` are set here. */
void world_expect_answer(int ifindex, const struct desc *d, struct desc want, enum spw_stat row,
			 enum spw_stat sent);
void world_expect_unreachable(const struct desc *d, enum spw_stat row);
void world_expect_too_big(int ifindex, const struct desc *d, uint32_t mtu);
void world_expect_exceeded(int ifindex, const struct desc *d);
/* Sends and tells which endpoint it went to; it must have been forwarded. */
uint32_t world_endpoint_of(const struct desc *d);

/* What came of it. */
uint64_t world_stat(enum spw_stat row); /* since world_reset() */
struct spw_endpoint_stats world_endpoint_stats(uint32_t id);
struct spw_signals world_signals(uint32_t id);
/* All cohorts of an endpoint together. */
struct spw_cohort world_outcomes(uint32_t id);
/* An entry of the flow table out of its line. */
struct flow {
	struct spw_flow_key key;
	struct spw_addr saddr, daddr; /* rewritten to */
	__be16 sport, dport;
	uint16_t endpoint;
	uint8_t dir;
	uint32_t flags;
	uint32_t state;
	uint32_t service;
	uint32_t client_ifindex;
	uint8_t client_mac[6];
	uint32_t seen;		   /* ticks, exact */
	uint64_t seen_ns, born_ns; /* to a tick, and to 2^SPW_BORN_SHIFT */
};
struct spw_flow_key world_key(const struct desc *d);
bool world_flow(const struct desc *d, struct flow *out);
/* State and times of an entry that exists, or a copy of it under another key. */
void world_put_flow(const struct desc *d, const struct flow *f);
/* Calls fn for every entry. */
void world_each_flow(void (*fn)(const struct flow *f, void *ctx), void *ctx);
int world_map(void); /* the arrays into memory */
void world_empty_flows(void);
void world_age_all(uint64_t idle_ns);
void world_age(const struct desc *d, uint64_t idle_ns); /* as if silent for so long */
void world_born(const struct desc *d, uint64_t age_ns); /* as if opened so long ago */
uint32_t world_flow_count(void);			/* entries */
struct spw_sweep world_sweep(uint64_t later_ns);
uint64_t world_now_ns(void);

#endif
