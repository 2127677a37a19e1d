/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may open flows, and how many: lists and limits of a service. */
#include "cpus.h"
#include "groups.h"
#include "world.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/network.h"
#include "spillway.skel.h"

#define LISTS_FROM (WORLD_SLOT_LINES / 2) /* lines that no table of a test has */

static struct arena *arena;
static uint32_t next_line;

static void put(struct bpf_map *map, uint32_t key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), &key, value, BPF_ANY), 0);
}

/* In one call: as many as there are lines would take an emulated processor seconds. */
static void forget_sources(void)
{
	static struct spw_source_line none[SPW_SOURCE_LINES];
	static uint32_t keys[SPW_SOURCE_LINES];
	uint32_t count = SPW_SOURCE_LINES;

	for (uint32_t i = 0; i < count; i++)
		keys[i] = i;
	assert_int_equal(bpf_map_update_batch(bpf_map__fd(world.skel->maps.source_buckets), keys,
					      none, &count, NULL),
			 0);
	assert_int_equal(count, SPW_SOURCE_LINES);
}

static int setup(void **state)
{
	static const struct spw_bucket full;
	static const struct spw_service_extra none;

	arena = arena_new();
	next_line = LISTS_FROM;
	forget_sources();
	for (uint32_t i = 0; i < WORLD_SERVICES; i++) {
		put(world.skel->maps.service_buckets, i, &full);
		put(world.skel->maps.service_extras, 2 * i, &none);
		put(world.skel->maps.service_extras, 2 * i + 1, &none);
	}
	return arena ? world_reset(state) : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct spw_table_ref put_networks(const struct networks *n)
{
	struct netlist list;
	struct spw_table_ref ref = {.base = next_line * SPW_LINE_SLOTS};

	netlist_build(arena, n, &list);
	for (uint32_t i = 0; i < list.count; i++)
		put(world.skel->maps.slots, next_line++, &list.lines[i]);
	ref.size = list.count * SPW_LINE_SLOTS;
	return ref;
}

static struct spw_table_ref list_of(const char *text)
{
	struct networks n = {0};
	struct network_slip slip;

	assert_int_equal(networks_add_text(arena, &n, text, strlen(text), &slip), 0);
	return put_networks(&n);
}

static void guard_on_side(uint32_t service, uint32_t side, const struct spw_service_extra *x)
{
	struct spw_service_row row = world_row(service, side);

	put(world.skel->maps.service_extras, service * 2 + side, x);
	row.flags |= SPW_SERVICE_GUARDED;
	world_row_on_side(service, side, &row);
}

static void guard(uint32_t service, const struct spw_service_extra *x)
{
	guard_on_side(service, world.config.active, x);
}

static struct desc client_at(uint32_t service, const char *addr, uint16_t port)
{
	struct desc d = from_client(service);

	d.src = addr_of(addr);
	d.sport = port;
	return d;
}

static void expect_drop(const struct desc *d, enum spw_stat row)
{
	world_expect_end(world.if_client, d, row);
}

static void expect_in(const struct desc *d)
{
	(void)world_endpoint_of(d);
}

static struct spw_service_stats service_stats(uint32_t service)
{
	const size_t cpus = (size_t)libbpf_num_possible_cpus();
	struct spw_service_stats *v = calloc(cpus, sizeof(*v)), sum = {0};

	assert_non_null(v);
	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(world.skel->maps.service_stats), &service, v), 0);
	for (size_t i = 0; i < cpus; i++) {
		sum.denied += v[i].denied;
		sum.not_allowed += v[i].not_allowed;
		sum.limited += v[i].limited;
		sum.source_limited += v[i].source_limited;
	}
	free(v);
	return sum;
}

static void denied_sources_open_no_flow_of_either_family(void **state)
{
	static const uint32_t services[] = {TCP4, UDP4, TCP6, UDP6};
	const struct spw_service_extra x = {
		.deny = list_of("10.1.0.0/28, fd00:1::/68, fd00:1:0:9::/64")};
	const struct spw_service_stats before = service_stats(TCP4);

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const bool v4 = services[i] == TCP4 || services[i] == UDP4;
		struct desc in = client_at(services[i], v4 ? "10.1.0.16" : "fd00:1:0:0:1000::", 1);
		struct desc out =
			client_at(services[i], v4 ? "10.1.0.15" : "fd00:1::fff:ffff:ffff:ffff", 1);
		struct desc wide = client_at(services[i], v4 ? "10.1.0.1" : "fd00:1:0:9:8::1", 1);

		guard(services[i], &x);
		expect_in(&in);
		expect_drop(&out, SPW_DROP_SOURCE_DENIED);
		expect_drop(&wide, SPW_DROP_SOURCE_DENIED);
	}
	assert_int_equal(service_stats(TCP4).denied - before.denied, 2);
}

static void only_allowed_sources_open_flows_and_deny_comes_first(void **state)
{
	const struct spw_service_extra x = {
		.allow = list_of("10.1.0.0/24"),
		.deny = list_of("10.1.0.7"),
	};
	struct desc d = client_at(TCP4, "10.1.0.20", 1);

	(void)state;
	guard(TCP4, &x);
	expect_in(&d);
	d = client_at(TCP4, "10.1.0.7", 1);
	expect_drop(&d, SPW_DROP_SOURCE_DENIED);
	d = client_at(TCP4, "10.9.0.7", 1);
	expect_drop(&d, SPW_DROP_SOURCE_NOT_ALLOWED);
	d = client_at(TCP6, CLIENT6, 1); /* another service */
	expect_in(&d);
}

static void an_allowed_list_of_nobody_admits_nobody(void **state)
{
	const struct spw_service_extra x = {.allow = list_of("# nobody")};
	struct desc d = from_client(TCP4), d6 = from_client(TCP6);

	(void)state;
	guard(TCP4, &x);
	guard(TCP6, &x);
	expect_drop(&d, SPW_DROP_SOURCE_NOT_ALLOWED);
	expect_drop(&d6, SPW_DROP_SOURCE_NOT_ALLOWED);
}

static void flows_that_exist_are_never_asked(void **state)
{
	const struct spw_service_extra x = {.deny = list_of("0.0.0.0/0"), .every_ns = 1ull << 60};
	struct desc d = from_client(TCP4), udp = from_client(UDP4);

	(void)state;
	assert_true(world_connect(&d));
	world_expect_to(WEB4_A, &udp);
	guard(TCP4, &x);
	guard(UDP4, &x);
	d.flags = TCP_ACK;
	world_expect_to(WEB4_A, &d);
	d.flags = TCP_SYN; /* within a connection */
	world_expect_to(WEB4_A, &d);
	world_expect_to(WEB4_A, &udp);
	d.sport++;
	expect_drop(&d, SPW_DROP_SOURCE_DENIED);
	d.flags = TCP_ACK; /* somebody's else, and no new flow */
	world_expect_end(world.if_client, &d, SPW_PASS_NO_FLOW);
}

static void lists_switch_with_the_rows(void **state)
{
	const struct spw_service_extra first = {.deny = list_of("10.1.0.20")};
	const struct spw_service_extra second = {.deny = list_of("10.1.0.21")};
	struct desc a = client_at(TCP4, "10.1.0.20", 1), b = client_at(TCP4, "10.1.0.21", 1);
	const struct spw_service_row row = world_row(TCP4, 0);

	(void)state;

	guard_on_side(TCP4, 0, &first);
	world_row_on_side(TCP4, 1, &row);
	guard_on_side(TCP4, 1, &second);
	expect_drop(&a, SPW_DROP_SOURCE_DENIED);
	world.config.active = 1;
	world_put_config();
	expect_in(&a);
	expect_drop(&b, SPW_DROP_SOURCE_DENIED);
}

static struct network random_network(uint32_t *rnd, bool v6)
{
	struct network n = {.addr = addr_of("::ffff:0.0.0.0")};

	for (int i = v6 ? 0 : 3; i < 4; i++)
		n.addr.w[i] = random_u32(rnd);
	n.addr.b[0] = v6 ? 0x20 : 0;
	n.addr.b[12] = v6 ? n.addr.b[12] : (uint8_t)(1 + n.addr.b[12] % 99);
	n.bits = (uint8_t)(v6 ? 30 + random_u32(rnd) % 99 : 116 + random_u32(rnd) % 13);
	return n;
}

/* A client in a network, or just behind its last address. */
static struct spw_addr edge(const struct network *n, bool behind)
{
	struct spw_addr a = n->addr;

	for (unsigned int bit = n->bits; bit < 128; bit++)
		a.b[bit / 8] |= (uint8_t)(1 << (7 - bit % 8));
	for (int i = 15; behind && i >= 0 && ++a.b[i] == 0;)
		i--;
	return a;
}

static void packets_find_in_lists_what_the_daemon_finds(void **state)
{
	uint32_t rnd = 7, inside = 0;
	struct networks nets = {0};
	struct netlist list;
	struct spw_service_extra x = {0};

	(void)state;
	for (int i = 0; i < 6000; i++)
		*arena_push(arena, nets.items, nets.count) = random_network(&rnd, i % 2);
	netlist_build(arena, &nets, &list);
	x.deny = put_networks(&nets);
	guard(UDP4, &x);
	guard(UDP6, &x);
	for (uint32_t i = 0; i < repeats(4000); i++) {
		const struct network *n = &nets.items[random_u32(&rnd) % nets.count];
		struct frame out;
		struct desc d;
		bool in;

		d = from_client(n->addr.b[0] ? UDP6 : UDP4);
		d.src = edge(n, i % 2);
		d.sport = (uint16_t)(1 + i);
		in = netlist_has(&list, &d.src);
		inside += in;
		assert_int_equal(world_send(world.if_client, &d, &out) == XDP_DROP, in);
	}
	assert_in_range(inside, repeats(4000) / 3, repeats(4000));
}

/*
 * New flows for a second, from two CPUs; what of them was not limited. Bursts are of a second, so that a
 * machine that is held up for less loses no flow that the limit grants.
 */
struct flood {
	uint32_t sources; /* addresses that they come from */
	double seconds;
	enum spw_stat limited;
};

static atomic_uint flood_sent;
static atomic_bool flood_over;
static const struct flood *flood;
static uint8_t flood_net; /* another one each time: no SYN may find a flow */

static void send_flood(struct cpu_job *job)
{
	const uint16_t first = (uint16_t)(1024 + job->cpu * 30000);
	struct frame in, out;

	for (uint32_t i = 0; !flood_over; i++) {
		struct desc d = client_at(TCP4, "10.1.1.0", first);
		struct xdp_md ctx = {.ingress_ifindex = (uint32_t)world.if_client};
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in.b, .data_out = out.b,
			    .data_size_out = sizeof(out.b), .ctx_in = &ctx,
			    .ctx_size_in = sizeof(ctx));

		d.src.b[14] = flood_net;
		d.sport += (uint16_t)(i / flood->sources % 30000);
		d.src.w[3] = htonl(ntohl(d.src.w[3]) + 1 + i % flood->sources);
		frame_build(&d, &in);
		opts.data_size_in = ctx.data_end = (uint32_t)in.len;
		if (!bpf_prog_test_run_opts(bpf_program__fd(world.skel->progs.spillway_xdp), &opts))
			flood_sent++;
	}
}

static void stop_flood(struct cpu_job *job)
{
	struct timespec t = {.tv_sec = (time_t)flood->seconds};

	t.tv_nsec = (long)((flood->seconds - (double)t.tv_sec) * 1e9);
	nanosleep(&t, NULL);
	flood_over = true;
	(void)job;
}

/* What was let in, be there room for it or not. A SYN that is sent again to a flow is none. */
static uint64_t flows_begun(void)
{
	return world_stat(SPW_COUNT_FLOW_CREATED) + world_stat(SPW_DROP_FLOWS_FULL) +
	       world_stat(SPW_DROP_FLOWS_BUSY) + world_stat(SPW_DROP_PORTS_EXHAUSTED);
}

static uint64_t run_flood(const struct flood *f, double *seconds)
{
	struct cpu_job jobs[] = {
		{send_flood, 0, NULL, 1}, {send_flood, 1, NULL, 2}, {stop_flood, 1, NULL, 0}};
	const uint64_t before = flows_begun(), limited = world_stat(f->limited);
	const uint64_t begin = world_now_ns();
	uint64_t admitted;

	flood = f;
	flood_net++;
	flood_sent = 0;
	flood_over = false;
	cpus_run(jobs, 3);
	*seconds = (double)(world_now_ns() - begin) / 1e9;
	admitted = flows_begun() - before;
	/* Or the limit was not what held it. */
	assert_true(world_stat(f->limited) - limited > admitted);
	return admitted;
}

static void expect_about(const char *what, uint64_t got, double want)
{
	printf("%s: %llu admitted, %.0f expected\n", what, (unsigned long long)got, want);
	assert_in_range(got, (uint64_t)(want * 0.95), (uint64_t)(want * 1.05));
}

static void a_service_takes_on_as_many_flows_as_it_may_over_all_cpus(void **state)
{
	static const uint64_t rates[] = {500, 3000};
	const struct flood f = {250, 1.5, SPW_DROP_RATE_LIMITED};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const uint64_t every = SECOND_NS / rates[i];
		const struct spw_service_extra x = {.every_ns = every,
						    .burst_ns = every * rates[i]};
		const struct spw_bucket full = {0};
		double seconds;
		uint64_t got;

		put(world.skel->maps.service_buckets, TCP4, &full);
		guard(TCP4, &x);
		got = run_flood(&f, &seconds);
		expect_about("service", got, (double)rates[i] * (seconds + 1));
	}
	assert_true(service_stats(TCP4).limited > 0);
}

static void each_source_is_limited_by_itself(void **state)
{
	const uint64_t every = SECOND_NS / 100;
	const struct spw_service_extra x = {.source_every_ns = every,
					    .source_burst_ns = every * 100};
	const struct flood f = {10, 1.5, SPW_DROP_SOURCE_LIMITED};
	double seconds;
	uint64_t got;

	(void)state;
	guard(TCP4, &x);
	got = run_flood(&f, &seconds);
	expect_about("ten sources", got, 10 * (100 * seconds + 100));
}

static void of_ipv6_a_source_is_its_64(void **state)
{
	const struct spw_service_extra x = {.source_every_ns = 1ull << 40,
					    .source_burst_ns = 2ull << 40};
	struct desc d = client_at(TCP6, "fd00:1::20", 1);

	(void)state;
	guard(TCP6, &x);
	expect_in(&d);
	d = client_at(TCP6, "fd00:1::ffff:1:2:3", 1);
	expect_in(&d);
	d = client_at(TCP6, "fd00:1::21", 2);
	expect_drop(&d, SPW_DROP_SOURCE_LIMITED);
	d = client_at(TCP6, "fd00:1:0:1::20", 1);
	expect_in(&d);
	d = client_at(TCP4, "10.1.0.20", 1); /* another service */
	expect_in(&d);
}

static void one_over_its_limit_costs_the_others_nothing(void **state)
{
	const struct spw_service_extra x = {
		.every_ns = 1ull << 40,
		.burst_ns = 2ull << 40,
		.source_every_ns = 1ull << 40,
		.source_burst_ns = 1ull << 40,
	};
	struct desc d = client_at(TCP4, "10.1.0.20", 1);

	(void)state;
	guard(TCP4, &x);
	expect_in(&d);
	for (d.sport = 2; d.sport < 50; d.sport++)
		expect_drop(&d, SPW_DROP_SOURCE_LIMITED);
	d = client_at(TCP4, "10.1.0.21", 1);
	expect_in(&d);
	d = client_at(TCP4, "10.1.0.22", 1);
	expect_drop(&d, SPW_DROP_RATE_LIMITED);
}

/* Of 300,000 sources more than places for them none is let in twice as often for it. */
static void a_flood_of_sources_leaves_those_limited_that_come_often(void **state)
{
	const uint64_t every = SECOND_NS * 60;
	const struct spw_service_extra x = {.source_every_ns = every, .source_burst_ns = every * 3};
	uint32_t in = 0, sources = repeats(300000);
	struct frame out;

	(void)state;
	guard(UDP4, &x);
	for (uint32_t i = 0; i < sources; i++) {
		struct desc often = client_at(UDP4, "10.1.0.20", (uint16_t)(1 + i / 100));
		struct desc other = client_at(UDP4, "10.64.0.0", 1);

		other.src.w[3] = htonl(ntohl(other.src.w[3]) + i);
		(void)world_send(world.if_client, &other, &out);
		if (i % 100 == 0)
			in += world_send(world.if_client, &often, &out) == XDP_REDIRECT;
	}
	assert_int_equal(in, 3);
}

int admit_tests(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest admit[] = {
		T(denied_sources_open_no_flow_of_either_family),
		T(only_allowed_sources_open_flows_and_deny_comes_first),
		T(an_allowed_list_of_nobody_admits_nobody),
		T(flows_that_exist_are_never_asked),
		T(lists_switch_with_the_rows),
		T(packets_find_in_lists_what_the_daemon_finds),
		T(a_service_takes_on_as_many_flows_as_it_may_over_all_cpus),
		T(each_source_is_limited_by_itself),
		T(of_ipv6_a_source_is_its_64),
		T(one_over_its_limit_costs_the_others_nothing),
		T(a_flood_of_sources_leaves_those_limited_that_come_often),
	};
#undef T

	return cmocka_run_group_tests(admit, NULL, NULL);
}
