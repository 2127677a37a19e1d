/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flows lie in memory in no order, and a trace draws from them at random but is read in its order: the
 * driver prefetches, the program under test cannot.
 */
#include "traffic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "driver.h"
#include "fill.h"
#include "world.h"

#define FLOWS_A_CLIENT 32
#define FIRST_PORT     20000
#define SKEW	       7.2  /* ln 0.2 / ln 0.8 */
#define REFUSED	       1000 /* a full table may refuse one flow in so many */

/* Of our own, so that runs are alike (Marsaglia's xorshift64*). */
static uint64_t draw(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ull;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull;
}

static uint32_t draw_below(uint32_t n)
{
	return (uint32_t)((draw() >> 32) * n >> 32);
}

static double draw_unit(void)
{
	return (double)(draw() >> 11) * 0x1p-53;
}

static enum bench_patch patch_of(int family, uint8_t proto)
{
	if (family == 4)
		return proto == IPPROTO_TCP ? BENCH_PATCH_TCP4 : BENCH_PATCH_UDP4;
	return proto == IPPROTO_TCP ? BENCH_PATCH_TCP6 : BENCH_PATCH_UDP6;
}

static void shuffle(struct bench_row *rows, uint32_t count)
{
	for (uint32_t i = count; i > 1; i--) {
		struct bench_row *other = &rows[draw_below(i)], swap = rows[i - 1];

		rows[i - 1] = *other;
		*other = swap;
	}
}

/* Packets of a set share all of an address but the last word: so the first one's rest is taken. */
static int start(struct traffic *out, enum bench_patch patch, uint32_t flows)
{
	*out = (struct traffic){
		.shape.patch = patch,
		.rows = calloc(flows, sizeof(*out->rows)),
	};
	return out->rows ? 0 : -ENOMEM;
}

static void add(struct traffic *t, const struct spw_addr *saddr, uint16_t sport,
		const struct spw_addr *daddr, uint16_t dport)
{
	if (!t->count) {
		t->shape.saddr = *saddr;
		t->shape.daddr = *daddr;
	}
	t->rows[t->count++] = (struct bench_row){
		.saddr = saddr->w[3],
		.daddr = daddr->w[3],
		.sport = htons(sport),
		.dport = htons(dport),
	};
}

static uint16_t client_port(uint32_t flow)
{
	return (uint16_t)(FIRST_PORT + flow % FLOWS_A_CLIENT * 1021);
}

int traffic_clients(int family, uint8_t proto, uint32_t flows, uint32_t services,
		    struct traffic *out)
{
	int err = start(out, patch_of(family, proto), flows);

	for (uint32_t i = 0; i < flows && !err; i++) {
		struct spw_addr client = world_client(family, i / FLOWS_A_CLIENT);
		struct spw_addr vip = world_vip(family, i % services);

		add(out, &client, client_port(i), &vip,
		    proto == IPPROTO_TCP ? FILL_TCP_PORT : FILL_UDP_PORT);
	}
	if (!err)
		shuffle(out->rows, flows);
	return err;
}

int traffic_foreign(int family, uint32_t flows, struct traffic *out)
{
	int err = start(out, patch_of(family, IPPROTO_TCP), flows);

	for (uint32_t i = 0; i < flows && !err; i++) {
		struct spw_addr client = world_client(family, i / FLOWS_A_CLIENT);
		struct spw_addr other = world_foreign(family, i);

		add(out, &client, client_port(i), &other, FILL_TCP_PORT);
	}
	if (!err)
		shuffle(out->rows, flows);
	return err;
}

struct collect {
	struct traffic *out;
	uint8_t proto;
	bool from_client;
	uint32_t room;
};

static bool collect_one(void *ctx, const struct flow_row *row)
{
	const struct collect *c = ctx;

	if (row->key.proto != c->proto)
		return true;
	if (c->out->count == c->room)
		return false;
	if (c->from_client)
		add(c->out, &row->key.saddr, ntohs(row->key.sport), &row->key.daddr,
		    ntohs(row->key.dport));
	else
		add(c->out, &row->endpoint, row->endpoint_port, &row->source, row->source_port);
	return true;
}

static int collect(struct collect *c, int family)
{
	int err = start(c->out, patch_of(family, c->proto), c->room);

	if (err)
		return err;
	err = fill_each_flow(collect_one, c);
	if (!err && c->out->count < c->room - c->room / REFUSED)
		err = -ENODATA;
	if (!err)
		shuffle(c->out->rows, c->out->count);
	return err;
}

int traffic_known(int family, uint8_t proto, uint32_t flows, struct traffic *out)
{
	struct collect c = {out, proto, true, flows};

	return collect(&c, family);
}

int traffic_endpoints(int family, uint8_t proto, uint32_t flows, struct traffic *out)
{
	struct collect c = {out, proto, false, flows};

	return collect(&c, family);
}

int traffic_errors(uint32_t flows, struct traffic *out)
{
	int err = traffic_endpoints(4, IPPROTO_TCP, flows, out);

	out->shape.patch = BENCH_PATCH_ICMP4;
	return err;
}

int traffic_arp(struct traffic *out)
{
	int err = start(out, BENCH_PATCH_NONE, 1);

	out->count = 1;
	return err;
}

void traffic_done(struct traffic *t)
{
	free(t->rows);
	*t = (struct traffic){0};
}

static uint32_t choose(const struct traffic *t, uint32_t at, enum order order)
{
	switch (order) {
	case ORDER_EACH:
		return at;
	case ORDER_UNIFORM:
		return draw_below(t->count);
	case ORDER_SKEWED:
		return (uint32_t)(pow(draw_unit(), SKEW) * t->count);
	}
	return 0;
}

uint32_t traffic_load(const struct traffic *t, uint8_t tcp_flags, enum order order)
{
	struct bench_row *trace = driver_trace();
	struct shape shape = t->shape;
	uint32_t length = DRIVER_ROWS;
	struct image image;

	if (order == ORDER_EACH || t->count == 1)
		length = t->count < DRIVER_ROWS ? t->count : DRIVER_ROWS;
	shape.tcp_flags = tcp_flags;
	frame_image(&shape, &image);
	for (uint32_t i = 0; i < length; i++) {
		trace[i] = t->rows[choose(t, i, order)];
		frame_check(&image, &trace[i]);
	}
	driver_image(&image);
	driver_length(length);
	return length;
}
