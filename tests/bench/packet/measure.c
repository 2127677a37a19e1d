/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every round runs all targets one after the other over the same packets, each round beginning with
 * another target, so that what the machine does meanwhile meets all alike; a round's differences are
 * what counts. Each run proves that its packets went the way that the scenario is about.
 */
#include "measure.h"

#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "fill.h"
#include "rival.h"
#include "traffic.h"

#define WARM_UP	    20000
#define TOLERATED   1000 /* one packet in so many may end otherwise: the kernel sends some too */
#define CACHE_BYTES (64u << 20) /* more than any cache here holds */
#define CACHE_LINE  64

struct rounds {
	const struct scenario *scenario;
	const struct measure_options *options;
	uint32_t packets; /* of a run */
	double ns[BENCH_TARGETS][MEASURE_ROUNDS_MAX];
};

static int fail(const struct scenario *s, const char *what, int err)
{
	fprintf(stderr, "%s: %s: %s\n", s->name, what, strerror(-err));
	return err;
}

static bool is_measured(const struct scenario *s, enum bench_target target)
{
	switch (target) {
	case BENCH_EMPTY:
	case BENCH_PRODUCT:
		return true;
	case BENCH_REFLECTOR:
		return s->ends == SPW_FORWARD_TX;
	case BENCH_IPIP:
	case BENCH_GUE:
		return s->balanced;
	case BENCH_TARGETS:
		break;
	}
	return false;
}

/* The maps stay filled while the next scenario wants the same. */
static int fill_both(const struct scenario *s)
{
	static struct fill_want filled;
	const struct fill_want want = {.services = scenario_services(s),
				       .endpoints = scenario_endpoints(s),
				       .mode = scenario_mode(s),
				       .extra = s->extra,
				       .moves = s->moves};
	int err;

	if (want.services == filled.services && want.endpoints == filled.endpoints &&
	    want.mode == filled.mode && want.extra == filled.extra && !want.moves && !filled.moves)
		return 0;
	filled = (struct fill_want){0};
	err = fill_services(&want);
	if (!err)
		err = rival_services(want.services, want.endpoints);
	if (err)
		return fail(s, "the maps cannot be filled", err);
	filled = want;
	return 0;
}

static int clear_both(const struct scenario *s)
{
	int err = fill_clear();

	if (err)
		return fail(s, "the product keeps flows", err);
	err = rival_clear();
	return err ? fail(s, "the conventional balancer keeps flows", err) : 0;
}

/* Every packet of the trace once. */
static int pass(const struct traffic *t, uint8_t tcp_flags, enum bench_target target)
{
	struct driver_run run;
	uint32_t rows = traffic_load(t, tcp_flags, ORDER_EACH);
	int err = driver_run(target, 0, rows, &run);

	return err || !run.failed ? err : -EIO;
}

/* Flows of direct return are remembered where slots are in motion, by any of their packets. */
static int open_direct(const struct scenario *s, const struct traffic *clients)
{
	int err = s->moves ? pass(clients, FRAME_ACK, BENCH_PRODUCT) : 0;

	if (!err && s->balanced)
		err = pass(clients, FRAME_SYN, BENCH_IPIP);
	return err ? err : fill_settle();
}

/* The handshakes of all flows; UDP is established by an answer. */
static int open_flows(const struct scenario *s, const struct traffic *clients)
{
	struct traffic answers = {0};
	int err = pass(clients, FRAME_SYN, BENCH_PRODUCT);

	if (!err && s->balanced)
		err = pass(clients, FRAME_SYN, BENCH_IPIP);
	if (!err)
		err = traffic_endpoints(s->family, s->proto, s->flows, &answers);
	if (!err)
		err = pass(&answers, FRAME_SYN | FRAME_ACK, BENCH_PRODUCT);
	if (!err)
		err = pass(clients, FRAME_ACK, BENCH_PRODUCT);
	if (!err)
		err = fill_settle();
	traffic_done(&answers);
	return err;
}

static int draw_traffic(const struct scenario *s, uint32_t packets, struct traffic *out)
{
	uint32_t flows = s->flows ? s->flows : packets;

	switch (s->kind) {
	case SCENARIO_CLIENT:
		if (scenario_direct(s) && !s->moves)
			return traffic_clients(s->family, s->proto, flows, scenario_used(s), out);
		return traffic_known(s->family, s->proto, flows, out);
	case SCENARIO_NEW:
	case SCENARIO_STRAY:
		return traffic_clients(s->family, s->proto, flows, scenario_used(s), out);
	case SCENARIO_ENDPOINT:
		return traffic_endpoints(s->family, s->proto, flows, out);
	case SCENARIO_FOREIGN:
		return traffic_foreign(s->family, flows, out);
	case SCENARIO_ARP:
		return traffic_arp(out);
	case SCENARIO_ERROR:
		return traffic_errors(flows, out);
	}
	return -EINVAL;
}

static int traffic_of(const struct scenario *s, uint32_t packets, struct traffic *out)
{
	int err = draw_traffic(s, packets, out);

	if (s->extra == SCENARIO_QUIC)
		out->shape.patch = BENCH_PATCH_QUIC4;
	return err;
}

/* Brings the tables to where the scenario begins and the trace into the driver. */
static int prepare(const struct scenario *s, uint32_t packets)
{
	struct traffic clients = {0}, t = {0};
	enum order order = scenario_fresh(s) ? ORDER_EACH : ORDER_UNIFORM;
	int err = fill_both(s);

	if (!err)
		err = clear_both(s);
	if (err)
		return err;
	if (scenario_opens(s)) {
		err = traffic_clients(s->family, s->proto, s->flows, scenario_used(s), &clients);
		if (s->extra == SCENARIO_QUIC)
			clients.shape.patch = BENCH_PATCH_QUIC4;
		if (!err)
			err = scenario_direct(s) ? open_direct(s, &clients)
						 : open_flows(s, &clients);
		traffic_done(&clients);
		if (err)
			return fail(s, "flows cannot be opened", err);
	}
	err = traffic_of(s, packets, &t);
	if (!err)
		(void)traffic_load(&t, s->kind == SCENARIO_NEW ? FRAME_SYN : FRAME_ACK,
				   s->skewed ? ORDER_SKEWED : order);
	traffic_done(&t);
	return err ? fail(s, "no traffic", err) : 0;
}

static uint64_t seen_by(const struct scenario *s, enum bench_target target)
{
	uint64_t stats[SPW_STAT_MAX];

	if (target == BENCH_IPIP || target == BENCH_GUE)
		return rival_packets();
	if (target != BENCH_PRODUCT)
		return 0;
	fill_stats(stats);
	return stats[scenario_goes_by_id(s) ? SPW_COUNT_QUIC_ROUTED : s->ends];
}

static uint32_t verdict_of(const struct scenario *s, enum bench_target target)
{
	if (target == BENCH_EMPTY || target == BENCH_REFLECTOR || s->ends == SPW_FORWARD_TX)
		return XDP_TX;
	/* What has no flow is a flow to be made, there. */
	if (s->kind == SCENARIO_STRAY && target != BENCH_PRODUCT)
		return XDP_TX;
	return XDP_PASS;
}

static bool is_counted(const struct scenario *s, enum bench_target target)
{
	return target == BENCH_PRODUCT ||
	       ((target == BENCH_IPIP || target == BENCH_GUE) && verdict_of(s, target) == XDP_TX);
}

/* Else who shares a table, or just its keys' places, with the target before would find them near. */
static void cool_caches(void)
{
	static uint8_t *bytes;

	if (!bytes)
		bytes = malloc(CACHE_BYTES);
	for (size_t i = 0; bytes && i < CACHE_BYTES; i += CACHE_LINE)
		((volatile uint8_t *)bytes)[i]++;
}

static int run_one(struct rounds *r, enum bench_target target, uint32_t round)
{
	const struct scenario *s = r->scenario;
	uint32_t at = scenario_fresh(s) ? 0 : round * r->packets;
	struct driver_run run;
	uint64_t before, ended;
	int err = 0;

	if (scenario_fresh(s) && target != BENCH_EMPTY && target != BENCH_REFLECTOR)
		err = clear_both(s);
	cool_caches();
	if (!err && !scenario_fresh(s))
		err = driver_run(target, at + r->packets, WARM_UP, &run);
	before = seen_by(s, target);
	if (!err)
		err = driver_run(target, at, r->packets, &run);
	if (err)
		return fail(s, "a run failed", err);
	ended = seen_by(s, target) - before;
	if (run.failed || run.verdict != verdict_of(s, target) ||
	    (is_counted(s, target) && ended + r->packets / TOLERATED < r->packets)) {
		fprintf(stderr,
			"%s: target %d: %llu of %u packets ended as they should, %llu reached no "
			"program; verdict %u\n",
			s->name, target, (unsigned long long)ended, r->packets,
			(unsigned long long)run.failed, run.verdict);
		return -EPROTO;
	}
	r->ns[target][round] = run.ns;
	return 0;
}

static int run_rounds(struct rounds *r)
{
	int err = 0;

	for (uint32_t round = 0; round < r->options->rounds && !err; round++) {
		for (int i = 0; i < BENCH_TARGETS && !err; i++) {
			enum bench_target target =
				(enum bench_target)((i + (int)round) % BENCH_TARGETS);

			if (is_measured(r->scenario, target))
				err = run_one(r, target, round);
		}
	}
	return err;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Between the two values around it, as most programs do. */
static double quantile(const double *sorted, uint32_t count, double part)
{
	double place = part * (count - 1);
	uint32_t at = (uint32_t)place;
	double rest = place - at;

	return at + 1 < count ? sorted[at] * (1 - rest) + sorted[at + 1] * rest : sorted[at];
}

static struct summary summarize(double *values, uint32_t count)
{
	qsort(values, count, sizeof(*values), by_value);
	return (struct summary){
		.measured = true,
		.median = quantile(values, count, 0.5),
		.low = quantile(values, count, 0.25),
		.high = quantile(values, count, 0.75),
	};
}

int measure(const struct scenario *s, const struct measure_options *o, struct measurement *out)
{
	static struct rounds r;
	double net[MEASURE_ROUNDS_MAX];
	int err;

	r.scenario = s;
	r.options = o;
	r.packets = scenario_fresh(s) ? o->new_packets : o->packets;
	err = prepare(s, r.packets);
	if (!err)
		err = run_rounds(&r);
	if (err)
		return err;
	*out = (struct measurement){.scenario = s};
	for (int t = 0; t < BENCH_TARGETS; t++) {
		if (t == BENCH_EMPTY || !is_measured(s, (enum bench_target)t))
			continue;
		for (uint32_t i = 0; i < o->rounds; i++)
			net[i] = r.ns[t][i] - r.ns[BENCH_EMPTY][i];
		out->net[t] = summarize(net, o->rounds);
	}
	out->empty = summarize(r.ns[BENCH_EMPTY], o->rounds).median;
	return 0;
}
