/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet path on two CPUs at once while the sweep runs, in a table too small for all flows; and
 * flows whose requests come on one CPU and whose replies on the other.
 */
#include "cpus.h"
#include "dataplane/state.h"
#include "groups.h"
#include "whole.h"
#include "world.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "spillway.skel.h"

#define CLIENTS	   6000
#define PORTS	   6000
#define FIRST_PORT 20000

static atomic_uint wrong, senders;
static atomic_bool over;

/* All but the verdicts of a thread; failures are only counted, since cmocka belongs to one thread. */
static int send_frame(int ifindex, const struct frame *in, struct frame *out)
{
	struct xdp_md ctx = {.data_end = (uint32_t)in->len, .ingress_ifindex = (uint32_t)ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->b, .data_size_in = (uint32_t)in->len,
		    .data_out = out->b, .data_size_out = sizeof(out->b), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));

	if (bpf_prog_test_run_opts(bpf_program__fd(world.skel->progs.spillway_xdp), &opts))
		return -1;
	out->len = opts.data_size_out;
	return (int)opts.retval;
}

static uint8_t any_flags(uint32_t *rnd)
{
	static const uint8_t flags[8] = {
		TCP_SYN, TCP_SYN, TCP_SYN, TCP_ACK, TCP_ACK, TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST,
	};

	return flags[random_u32(rnd) % 8];
}

static struct desc any_client(uint32_t *rnd)
{
	static const uint32_t services[4] = {TCP4, TCP6, TCP4, UDP4};
	struct desc d = from_client(services[random_u32(rnd) % 4]);

	d.sport = (uint16_t)(10000 + random_u32(rnd) % CLIENTS);
	if (d.proto == IPPROTO_TCP)
		d.flags = any_flags(rnd);
	return d;
}

/* To any source port: perhaps there is a flow. */
static struct desc any_endpoint(uint32_t *rnd)
{
	struct desc d = any_client(rnd);
	bool v4 = desc_is_v4(&d);

	d.src = addr_of(v4 ? "10.2.0.11" : "fd00:2::11");
	d.dst = addr_of(v4 ? "10.2.0.1" : "fd00:2::1");
	d.sport = 8080;
	d.dport = (uint16_t)(FIRST_PORT + random_u32(rnd) % PORTS);
	if (d.flags & TCP_SYN)
		d.flags |= TCP_ACK;
	mac_of(&d.src, d.smac);
	memcpy(d.dmac, mac_gateway_server, 6);
	return d;
}

/* What is forwarded is whole and goes to where one of its flows may lead. */
static bool is_right(const struct desc *d, bool client, const struct frame *out)
{
	struct spw_addr want = addr_of(desc_is_v4(d) ? client ? "10.2.0.11" : CLIENT4
				       : client	     ? "fd00:2::11"
						     : CLIENT6);
	size_t len = desc_is_v4(d) ? 4 : 16;

	return frame_sums_hold(out, false) &&
	       !memcmp(out->b + frame_l4(d) - len, want.b + 16 - len, len);
}

static void send_random(struct cpu_job *job)
{
	const uint32_t packets = times(150000, 2000000);
	struct frame in, out;

	for (uint32_t i = 0; i < packets; i++) {
		bool client = random_u32(&job->rnd) % 3;
		struct desc d = client ? any_client(&job->rnd) : any_endpoint(&job->rnd);
		int verdict;

		frame_build(&d, &in);
		verdict = send_frame(client ? world.if_client : world.if_server, &in, &out);
		if (verdict < 0 || verdict == XDP_ABORTED ||
		    (verdict == XDP_REDIRECT && !is_right(&d, client, &out)))
			wrong++;
	}
	if (!--senders)
		over = true;
}

static void sweep(struct cpu_job *job)
{
	int fd = bpf_program__fd(world.skel->progs.spillway_sweep);

	(void)job;
	while (!over) {
		struct spw_sweep s = {.sets = 64};

		while (s.first < world.sets * 2) {
			LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &s,
				    .ctx_size_in = sizeof(s));

			if (bpf_prog_test_run_opts(fd, &opts)) {
				wrong++;
				return;
			}
		}
	}
}

static uint64_t open_by_count(void)
{
	struct spw_endpoint_stats s4 = world_endpoint_stats(WEB4_A);
	struct spw_endpoint_stats s6 = world_endpoint_stats(WEB6_A);

	return s4.flows_opened + s6.flows_opened - s4.flows_closed - s6.flows_closed;
}

static void two_cpus_and_the_sweep_leave_the_table_whole(void **state)
{
	const uint32_t idle_s[2][SPW_IDLE_MAX] = {{1, 4, 1}, {1, 4, 1}};
	struct cpu_job jobs[] = {{.fn = send_random, .cpu = 0, .rnd = 17},
				 {.fn = send_random, .cpu = 1, .rnd = 4711},
				 {.fn = sweep, .cpu = 0}};
	uint64_t before = open_by_count();
	size_t entries;

	(void)state;
	world_set_ports(PORTS);
	for (int side = 0; side < 2; side++)
		memcpy(world.config.settings[side].idle_s, idle_s, sizeof(idle_s));
	world_put_config();
	wrong = 0;
	senders = 2;
	over = false;
	cpus_run(jobs, 3);
	entries = whole_expect();
	print_message(
		"entries %zu, created %llu, raced %llu, replaced %llu, expired %llu, full %llu\n",
		entries, (unsigned long long)world_stat(SPW_COUNT_FLOW_CREATED),
		(unsigned long long)world_stat(SPW_COUNT_FLOW_RACED),
		(unsigned long long)world_stat(SPW_COUNT_FLOW_REPLACED),
		(unsigned long long)world_stat(SPW_COUNT_FLOW_EXPIRED),
		(unsigned long long)world_stat(SPW_DROP_FLOWS_FULL));
	assert_int_equal(wrong, 0);
	assert_int_equal(open_by_count() - before, whole_unclosed());
}

#define CROSSING 500

static struct crossing {
	struct frame request, forwarded, reply, returned;
} crossings[CROSSING];

/* The frames of an established flow both ways, and as each leaves. */
static void connect_crossing(struct crossing *c, uint32_t n)
{
	struct desc syn = from_client(n % 2 ? TCP4 : TCP6), sent, reply, want;

	syn.sport = (uint16_t)(10000 + n);
	sent = world_expect_to(n % 2 ? WEB4_A : WEB6_A, &syn);
	reply = from_endpoint(&sent);
	world_expect_reply(world.if_server, &syn, &reply);
	syn.flags = reply.flags = TCP_ACK;
	syn.payload = reply.payload = n % 60;
	sent = world_expect_to(n % 2 ? WEB4_A : WEB6_A, &syn);
	frame_build(&syn, &c->request);
	frame_build(&sent, &c->forwarded);
	frame_build(&reply, &c->reply);
	want = reply;
	want.src = syn.dst;
	want.dst = syn.src;
	want.sport = syn.dport;
	want.dport = syn.sport;
	want.ttl = 63;
	memcpy(want.smac, syn.dmac, 6);
	memcpy(want.dmac, syn.smac, 6);
	frame_build(&want, &c->returned);
}

static void send_one_way(struct cpu_job *job)
{
	const uint32_t packets = times(100000, 1000000);
	const bool client = job->ctx;
	struct frame out;

	for (uint32_t i = 0; i < packets; i++) {
		const struct crossing *c = &crossings[i % CROSSING];
		const struct frame *in = client ? &c->request : &c->reply;
		const struct frame *want = client ? &c->forwarded : &c->returned;

		if (send_frame(client ? world.if_client : world.if_server, in, &out) !=
			    XDP_REDIRECT ||
		    out.len != want->len || memcmp(out.b, want->b, out.len))
			wrong++;
	}
}

static void requests_and_replies_on_different_cpus_all_arrive(void **state)
{
	struct cpu_job jobs[] = {{.fn = send_one_way, .cpu = 0, .ctx = crossings},
				 {.fn = send_one_way, .cpu = 1}};

	(void)state;
	for (uint32_t i = 0; i < CROSSING; i++)
		connect_crossing(&crossings[i], i);
	wrong = 0;
	cpus_run(jobs, 2);
	assert_int_equal(wrong, 0);
	assert_int_equal(whole_expect(), 2 * CROSSING);
}

static struct dataplane entering; /* as far as interface_row_put() goes */

static void enter_again(struct cpu_job *job)
{
	const uint32_t entries = times(100000, 1000000);
	struct link_info link = {.ifindex = (uint32_t)world.if_client, .mtu = 1500};

	(void)job;
	memcpy(link.mac, mac_gateway_client, sizeof(link.mac));
	for (uint32_t i = 0; i < entries; i++)
		wrong += interface_row_put(&entering, &link, SPW_IF_TX) != 0;
	over = true;
}

static void send_replies(struct cpu_job *job)
{
	const struct crossing *c = &crossings[0];
	struct frame out;

	(void)job;
	while (!over)
		wrong += send_frame(world.if_server, &c->reply, &out) != XDP_REDIRECT;
}

/* As at each restart of the daemon, and at each change of a link. */
static void an_interface_that_is_entered_again_loses_no_packet(void **state)
{
	struct cpu_job jobs[] = {{.fn = enter_again, .cpu = 0}, {.fn = send_replies, .cpu = 1}};
	const size_t bytes = SPW_INTERFACES * sizeof(struct spw_interface);
	void *rows = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			  bpf_map__fd(world.skel->maps.interfaces), 0);

	(void)state;
	assert_true(rows != MAP_FAILED);
	entering.maps.interfaces = rows;
	entering.maps.fd[MAP_TX_PORTS] = bpf_map__fd(world.skel->maps.tx_ports);
	connect_crossing(&crossings[0], 1);
	wrong = 0;
	over = false;
	cpus_run(jobs, 2);
	(void)munmap(rows, bytes);
	assert_int_equal(wrong, 0);
}

int threads_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest threads[] = {
		T(two_cpus_and_the_sweep_leave_the_table_whole),
		T(requests_and_replies_on_different_cpus_all_arrive),
		T(an_interface_that_is_entered_again_loses_no_packet),
	};
#undef T

	return cmocka_run_group_tests(threads, NULL, NULL);
}
