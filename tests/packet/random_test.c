/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random packets both ways: what leaves must equal a frame built from scratch, checksums included,
 * whatever the addresses, ports, lengths and bytes; or, of many more, its checksums must hold.
 */
#include "groups.h"
#include "world.h"

#include <arpa/inet.h>
#include <string.h>

#define PACKETS	  100000
#define MANY	  1000000
#define FLOWS_MAX 500

struct pair {
	uint32_t id;
	struct desc client, reply;
};

static struct pair pairs[FLOWS_MAX];

static void random_endpoint(uint32_t service, uint32_t *rnd)
{
	bool v4 = service == TCP4 || service == UDP4;
	struct spw_endpoint e = world_endpoint(v4 ? FAR4 : WEB6_A);

	/* Behind the router any address will do; IPv6 neighbours are two, their ports are not. */
	if (v4) {
		e.addr.b[14] = (uint8_t)random_u32(rnd);
		e.addr.b[15] = (uint8_t)random_u32(rnd);
	}
	e.port = htons((uint16_t)(1 + random_u32(rnd) % 65535));
	world_put_endpoint(v4 ? FAR4 : WEB6_A, &e);
}

static struct pair random_pair(uint32_t *rnd)
{
	uint32_t service = TCP4 + random_u32(rnd) % 4;
	struct pair p = {.client = from_client(service)};
	struct desc sent;

	random_endpoint(service, rnd);
	p.id = desc_is_v4(&p.client) ? FAR4 : WEB6_A;
	p.client.sport = (uint16_t)random_u32(rnd);
	for (int i = desc_is_v4(&p.client) ? 13 : 2; i < 16; i++)
		p.client.src.b[i] = (uint8_t)random_u32(rnd);
	for (int i = 1; i < 6; i++)
		p.client.smac[i] = (uint8_t)random_u32(rnd);
	sent = world_expect_to(p.id, &p.client);
	p.reply = from_endpoint(&sent);
	return p;
}

static void vary(struct desc *d, uint32_t *rnd)
{
	/* Whatever flags: only a SYN could open another flow. */
	d->flags = d->proto == IPPROTO_TCP ? (uint8_t)(random_u32(rnd) & 0x38) | TCP_ACK : 0;
	d->payload = random_u32(rnd) % (random_u32(rnd) % 8 ? 64 : 1300);
	d->seed = random_u32(rnd);
	d->tos = (uint8_t)random_u32(rnd);
	d->ttl = (uint8_t)(2 + random_u32(rnd) % 254);
	d->no_checksum = random_u32(rnd) % 16 == 0;
}

static void expect_client_packet(const struct pair *p)
{
	struct desc sent = p->reply;
	struct desc want = p->client;
	struct frame in, out, built;

	frame_build(&p->client, &in);
	world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
	want.src = sent.dst;
	want.sport = sent.dport;
	want.dst = sent.src;
	want.dport = sent.sport;
	memcpy(want.smac, sent.dmac, 6);
	memcpy(want.dmac, sent.smac, 6);
	want.ttl--;
	frame_build(&want, &built);
	frame_assert_equal(&out, &built);
}

static void random_packets_leave_as_if_built_from_scratch(void **state)
{
	uint32_t rnd = 4711, flows = 0;

	(void)state;
	world_serve(TCP4, (uint16_t[]){FAR4}, 1);
	world_serve(UDP4, (uint16_t[]){FAR4}, 1);
	for (uint32_t i = 0; i < PACKETS; i++) {
		struct pair *p = &pairs[i % FLOWS_MAX];

		if (i / FLOWS_MAX % 8 == 0) {
			*p = random_pair(&rnd);
			flows++;
		}
		vary(&p->client, &rnd);
		vary(&p->reply, &rnd);
		if (i % 2)
			expect_client_packet(p);
		else
			world_expect_reply(world.if_server, &p->client, &p->reply);
		if (i % (8 * FLOWS_MAX) == 8 * FLOWS_MAX - 1)
			world_sweep(10000 * SECOND_NS);
	}
	assert_in_range(flows, PACKETS / 8, PACKETS / 7);
}

static void vary_frame(const struct desc *d, struct frame *f, uint32_t *rnd)
{
	struct desc v = *d;

	vary(&v, rnd);
	frame_build(&v, f);
}

static void expect_sums(const struct pair *p, bool reply, uint32_t *rnd)
{
	const struct desc *d = reply ? &p->reply : &p->client;
	int ifindex = reply ? world.if_server : world.if_client;
	struct frame in, out;
	size_t sum = frame_l4(d) + 6;
	bool none;

	vary_frame(d, &in, rnd);
	none = d->proto == IPPROTO_UDP && !in.b[sum] && !in.b[sum + 1];
	world_expect_verdict(ifindex, &in, &out, XDP_REDIRECT);
	assert_int_equal(out.len, in.len);
	if (!frame_sums_hold(&out, none))
		frame_assert_equal(&out, &in);
	/* It was rewritten, and only where it should be. */
	assert_memory_not_equal(out.b + frame_l4(d) - 8, in.b + frame_l4(d) - 8, 12);
	assert_memory_equal(out.b + frame_l4(d) + 8, in.b + frame_l4(d) + 8,
			    d->proto == IPPROTO_TCP ? 8 : in.len - frame_l4(d) - 8);
}

/* All rewrites: both families and protocols, both ways, addresses and ports of many flows. */
static void checksums_of_a_million_packets_hold(void **state)
{
	struct desc one = from_client(TCP4);
	uint32_t rnd = 815;
	struct frame f;

	(void)state;
	world_serve(TCP4, (uint16_t[]){FAR4}, 1);
	world_serve(UDP4, (uint16_t[]){FAR4}, 1);
	frame_build(&one, &f);
	assert_true(frame_sums_hold(&f, false));
	f.b[FRAME_ETH + 20] ^= 1;
	assert_false(frame_sums_hold(&f, false));
	for (uint32_t i = 0; i < repeats(MANY); i++) {
		struct pair *p = &pairs[i % FLOWS_MAX];

		if (i / FLOWS_MAX % 16 == 0)
			*p = random_pair(&rnd);
		expect_sums(p, random_u32(&rnd) % 2, &rnd);
		if (i % (16 * FLOWS_MAX) == 16 * FLOWS_MAX - 1)
			world_sweep(10000 * SECOND_NS);
	}
}

int random_tests(void)
{
	const struct CMUnitTest random[] = {
		cmocka_unit_test_setup(random_packets_leave_as_if_built_from_scratch, world_reset),
		cmocka_unit_test_setup(checksums_of_a_million_packets_hold, world_reset),
	};

	return cmocka_run_group_tests(random, NULL, NULL);
}
