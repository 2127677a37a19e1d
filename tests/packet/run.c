/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets in, verdicts and bytes out, and what the maps say afterwards. */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane/ticks.h"
#include "spillway.skel.h"

#define CPUS_MAX 1024

struct desc from_client(uint32_t service)
{
	bool v4 = service == TCP4 || service == UDP4;
	bool tcp = service == TCP4 || service == TCP6;
	struct desc d = {
		.src = addr_of(v4 ? CLIENT4 : CLIENT6),
		.dst = addr_of(v4 ? VIP4 : VIP6),
		.sport = 40000,
		.dport = tcp ? 80 : 53,
		.proto = tcp ? IPPROTO_TCP : IPPROTO_UDP,
		.flags = tcp ? TCP_SYN : 0,
		.payload = tcp ? 0 : 33,
		.seed = 1,
	};

	memcpy(d.smac, mac_client, 6);
	memcpy(d.dmac, mac_gateway_client, 6);
	return d;
}

struct desc from_endpoint(const struct desc *sent)
{
	struct desc d = *sent;

	d.src = sent->dst;
	d.dst = sent->src;
	d.sport = sent->dport;
	d.dport = sent->sport;
	d.ttl = 64;
	memcpy(d.smac, sent->dmac, 6);
	memcpy(d.dmac, sent->smac, 6);
	if (d.proto == IPPROTO_TCP)
		d.flags = sent->flags & TCP_SYN ? TCP_SYN | TCP_ACK : TCP_ACK;
	return d;
}

int world_run(const struct bpf_program *prog, int ifindex, const struct frame *in,
	      struct frame *out)
{
	struct xdp_md ctx = {.data_end = (uint32_t)in->len, .ingress_ifindex = (uint32_t)ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->b, .data_size_in = (uint32_t)in->len,
		    .data_out = out->b, .data_size_out = sizeof(out->b), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(prog), &opts), 0);
	out->len = opts.data_size_out;
	return (int)opts.retval;
}

int world_send_frame(int ifindex, const struct frame *in, struct frame *out)
{
	return world_run(world.skel->progs.spillway_xdp, ifindex, in, out);
}

void world_print_counters(void)
{
	static const char *const names[] = {
#define NAME(kind, id, name, text) name,
		SPW_STATS(NAME)
#undef NAME
	};

	for (int i = 0; i < SPW_STAT_MAX; i++) {
		if (world_stat((enum spw_stat)i))
			print_error("%s %llu\n", names[i],
				    (unsigned long long)world_stat((enum spw_stat)i));
	}
}

/* An unexpected verdict is explained by the counters. */
static void expect_verdict(int got, int want)
{
	if (got != want)
		world_print_counters();
	assert_int_equal(got, want);
}

void world_expect_verdict(int ifindex, const struct frame *in, struct frame *out, int want)
{
	expect_verdict(world_send_frame(ifindex, in, out), want);
}

int world_send(int ifindex, const struct desc *d, struct frame *out)
{
	struct frame in;

	frame_build(d, &in);
	return world_send_frame(ifindex, &in, out);
}

/* Where the way to an endpoint begins. */
static void expect_way(uint32_t id, const struct spw_addr *addr, struct desc *want)
{
	memcpy(want->smac, id == NEAR4 ? mac_gateway_client : mac_gateway_server, 6);
	if (id == FAR4)
		memcpy(want->dmac, mac_router, 6);
	else
		mac_of(addr, want->dmac);
}

/* The source address and port in the frame, which must be among those to choose from. */
static void expect_source(const struct frame *out, struct desc *want)
{
	const struct spw_settings *s = &world.config.settings[world.config.active];
	size_t at = FRAME_ETH + (desc_is_v4(want) ? 12 : 8), len = desc_is_v4(want) ? 4 : 16;
	uint16_t port = frame_sport(want, out);
	int i;

	for (i = 0; i < SPW_SOURCES_MAX; i++) {
		if (!memcmp(s->source[i].b + 16 - len, out->b + at, len))
			break;
	}
	assert_true(i < SPW_SOURCES_MAX);
	assert_in_range(port, 20000, 20000 + s->port_count - 1);
	want->src = s->source[i];
	want->sport = port;
}

struct desc world_expect_to(uint32_t id, const struct desc *d)
{
	struct spw_endpoint e = world_endpoint(id);
	struct desc want = *d;
	struct frame out, built;
	int verdict = world_send(world.if_client, d, &out);

	expect_verdict(verdict, id == NEAR4 ? XDP_TX : XDP_REDIRECT);
	expect_way(id, &e.addr, &want);
	expect_source(&out, &want);
	want.dst = e.addr;
	want.dport = ntohs(e.port);
	want.ttl = (uint8_t)((d->ttl ? d->ttl : 64) - 1);
	frame_build(&want, &built);
	frame_assert_equal(&out, &built);
	return want;
}

void world_expect_reply(int ifindex, const struct desc *client, const struct desc *reply)
{
	struct desc want = *reply;
	struct frame out, built;
	int verdict = world_send(ifindex, reply, &out);

	expect_verdict(verdict, ifindex == world.if_client ? XDP_TX : XDP_REDIRECT);
	want.src = client->dst;
	want.dst = client->src;
	want.sport = client->dport;
	want.dport = client->sport;
	want.ttl = (uint8_t)((reply->ttl ? reply->ttl : 64) - 1);
	memcpy(want.smac, client->dmac, 6);
	memcpy(want.dmac, client->smac, 6);
	frame_build(&want, &built);
	frame_assert_equal(&out, &built);
}

bool world_connect(const struct desc *syn)
{
	uint64_t full = world_stat(SPW_DROP_FLOWS_FULL);
	struct desc sent = *syn, reply, ack = *syn;
	struct frame out;

	if (world_send(world.if_client, syn, &out) != XDP_REDIRECT) {
		assert_int_equal(world_stat(SPW_DROP_FLOWS_FULL), full + 1);
		return false;
	}
	expect_source(&out, &sent);
	sent.dst = world_endpoint(WEB4_A).addr;
	sent.dport = 8080;
	memcpy(sent.smac, mac_gateway_server, 6);
	reply = from_endpoint(&sent);
	assert_int_equal(world_send(world.if_server, &reply, &out), XDP_REDIRECT);
	ack.flags = TCP_ACK;
	assert_int_equal(world_send(world.if_client, &ack, &out), XDP_REDIRECT);
	return true;
}

static bool is_pass(enum spw_stat row)
{
	enum kind { PASS, FORWARD, DROP, COUNT };
	static const enum kind kinds[] = {
#define KIND(kind, id, name, text) kind,
		SPW_STATS(KIND)
#undef KIND
	};

	return kinds[row] == PASS;
}

void world_expect_frame_end(int ifindex, const struct frame *in, enum spw_stat row)
{
	uint64_t before = world_stat(row);
	struct frame out;
	int verdict = world_send_frame(ifindex, in, &out);

	expect_verdict(verdict, is_pass(row) ? XDP_PASS : XDP_DROP);
	frame_assert_equal(&out, in);
	assert_int_equal(world_stat(row), before + 1);
}

void world_expect_end(int ifindex, const struct desc *d, enum spw_stat row)
{
	struct frame in;

	frame_build(d, &in);
	world_expect_frame_end(ifindex, &in, row);
}

struct desc world_refusal(const struct desc *syn)
{
	struct desc d = {
		.src = syn->dst,
		.dst = syn->src,
		.sport = syn->dport,
		.dport = syn->sport,
		.proto = IPPROTO_TCP,
		.flags = TCP_RST,
		.tos = syn->tos & 0xfc,
	};

	if (syn->flags & TCP_ACK) {
		d.seq = syn->ack;
	} else {
		d.flags |= TCP_ACK;
		d.ack = (syn->seq ? syn->seq : 1) + (uint32_t)syn->payload;
		d.ack += !!(syn->flags & TCP_SYN) + !!(syn->flags & TCP_FIN);
	}

	memcpy(d.smac, syn->dmac, 6);
	memcpy(d.dmac, syn->smac, 6);
	return d;
}

void world_expect_refused(const struct desc *syn, enum spw_stat row)
{
	uint64_t before = world_stat(row), resets = world_stat(SPW_COUNT_RESET_SENT);
	struct desc want = world_refusal(syn);
	struct frame out, built;

	expect_verdict(world_send(world.if_client, syn, &out), XDP_TX);
	frame_build(&want, &built);
	frame_assert_equal(&out, &built);
	assert_int_equal(world_stat(row), before + 1);
	assert_int_equal(world_stat(SPW_COUNT_RESET_SENT), resets + 1);
}

uint32_t world_endpoint_of(const struct desc *d)
{
	struct flow f;
	struct frame out;
	int verdict = world_send(world.if_client, d, &out);

	assert_true(verdict == XDP_TX || verdict == XDP_REDIRECT);
	assert_true(world_flow(d, &f));
	return f.endpoint;
}

uint64_t world_stat(enum spw_stat row)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t values[CPUS_MAX] = {}, sum = 0;
	uint32_t key = row;

	assert_in_range(cpus, 1, CPUS_MAX);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(world.skel->maps.stats), &key, values), 0);
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum - world.before[row];
}

struct spw_endpoint_stats world_endpoint_stats(uint32_t id)
{
	static struct spw_endpoint_stats values[CPUS_MAX];
	struct spw_endpoint_stats sum = {};

	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(world.skel->maps.endpoint_stats), &id, values), 0);
	for (int i = 0; i < libbpf_num_possible_cpus(); i++) {
		sum.flows_opened += values[i].flows_opened;
		sum.flows_closed += values[i].flows_closed;
		sum.packets_in += values[i].packets_in;
		sum.bytes_in += values[i].bytes_in;
		sum.packets_out += values[i].packets_out;
		sum.bytes_out += values[i].bytes_out;
	}
	return sum;
}

struct spw_signals world_signals(uint32_t id)
{
	struct spw_signals s;

	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(world.skel->maps.endpoint_signals), &id, &s), 0);
	return s;
}

struct spw_cohort world_outcomes(uint32_t id)
{
	struct spw_signals s = world_signals(id);
	struct spw_cohort sum = {};

	for (int i = 0; i < SPW_COHORTS; i++) {
		sum.opened += s.cohort[i].opened;
		sum.answered += s.cohort[i].answered;
		sum.refused += s.cohort[i].refused;
		sum.unreachable += s.cohort[i].unreachable;
		sum.retried += s.cohort[i].retried;
	}
	return sum;
}

struct spw_flow_key world_key(const struct desc *d)
{
	return (struct spw_flow_key){
		.saddr = d->src,
		.daddr = d->dst,
		.sport = htons(d->sport),
		.dport = htons(d->dport),
		.proto = d->proto,
	};
}

void world_age(const struct desc *d, uint64_t idle_ns)
{
	struct flow f;

	assert_true(world_flow(d, &f));
	f.seen_ns = world_now_ns() - idle_ns;
	world_put_flow(d, &f);
}

void world_born(const struct desc *d, uint64_t age_ns)
{
	struct flow f;

	assert_true(world_flow(d, &f));
	f.born_ns = world_now_ns() - age_ns;
	world_put_flow(d, &f);
}

struct spw_sweep world_sweep(uint64_t later_ns)
{
	struct spw_sweep s = {.later = (uint32_t)(later_ns / (SECOND_NS / ticks_a_second())),
			      .sets = 1u << 18};

	while (s.first < world.sets * 2) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &s, .ctx_size_in = sizeof(s));

		assert_int_equal(bpf_prog_test_run_opts(
					 bpf_program__fd(world.skel->progs.spillway_sweep), &opts),
				 0);
	}
	return s;
}

uint64_t world_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}
