/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way of direct return in the first program against the stages, a program of their own:
 * of any packet it says the same as they do, byte for byte, or leaves it to them untouched.
 */
#include "direct_world.h"
#include "groups.h"
#include "spillway.skel.h"
#include "world.h"

#include <string.h>

#include <bpf/bpf.h>

#define PACKETS	      100000
#define EPOCH	      500 /* packets until modes and ways are others */
#define WAY_MTU	      1400
#define OPTIONS	      40
#define MUTABLE	      100 /* bytes from the EtherType on that may be changed at random */
#define TCP_HEADER    20
#define STAGES_DIRECT 1 /* as in bpf/stages.h */

enum fate { SHORT, LEFT, FATES };

static struct {
	uint32_t rnd;
	uint8_t mode[UDP6 + 1];
	uint64_t fates[FATES], mutated[FATES], syns[FATES];
} play;

static uint32_t below(uint32_t n)
{
	return random_u32(&play.rnd) % n;
}

/* Without it, what the short way leaves to the stages is dropped. */
static void set_stages(bool there)
{
	const int map = bpf_map__fd(world.skel->maps.stages);
	const int fd = bpf_program__fd(world.skel->progs.spillway_direct);
	const uint32_t key = STAGES_DIRECT;

	if (there)
		assert_int_equal(bpf_map_update_elem(map, &key, &fd, BPF_ANY), 0);
	else
		assert_int_equal(bpf_map_delete_elem(map, &key), 0);
}

static void set_way(uint32_t service, uint32_t id, uint32_t vlan)
{
	struct spw_next_hop hop = {
		.ifindex = (uint32_t)world.if_server, .vlan = (uint16_t)vlan, .mtu = WAY_MTU};
	struct spw_endpoint e = world_endpoint(id);

	mac_of(&e.addr, hop.dmac);
	memcpy(hop.smac, mac_gateway_server, 6);
	direct_put_row(world.skel->maps.next_hops, id, &hop);
	direct_set_row(service, 0);
}

static void keep_ways(void)
{
	world.config.hops_until = world_sweep(0).now + 600 * world.skel->rodata->ticks_a_second;
	direct_on();
}

static void new_epoch(void)
{
	static const uint8_t modes[] = {SPW_MODE_L2, SPW_MODE_IPIP, SPW_MODE_GUE};

	world_attach(world.if_client, SPW_IF_TX | (below(2) ? SPW_IF_PARTIAL : 0));
	for (uint32_t s = TCP4; s <= UDP6; s++) {
		play.mode[s] = modes[below(3)];
		set_way(s, direct_service(s, play.mode[s]), below(4) ? SPW_UNTAGGED : 5);
	}
	keep_ways();
}

static uint32_t limit_of(uint32_t service)
{
	const uint32_t ip = direct_is_v6(service) ? 40 : 20;
	const uint32_t outer = play.mode[service] == SPW_MODE_L2     ? 0
			       : play.mode[service] == SPW_MODE_IPIP ? ip
								     : ip + 8;

	return WAY_MTU - outer - ip - TCP_HEADER;
}

/* One option at `at`, as systems send them, or any bytes. */
static size_t put_option(uint32_t service, uint8_t *at, size_t room)
{
	const uint32_t mss = limit_of(service) - 4 + below(8);
	static const uint8_t samples[][10] = {
		{1}, {4, 2}, {3, 3, 7}, {8, 10, 2, 4, 2, 4, 9, 9, 2, 4}, {2, 3, 9}, {2, 4}, {0}};
	static const size_t sizes[] = {1, 2, 3, 10, 3, 2, 1};
	const uint32_t kind = below(9);

	if (kind >= 7) {
		const uint8_t option[] = {2, 4, (uint8_t)(mss >> 8), (uint8_t)mss};

		if (room < sizeof(option))
			return 0;
		memcpy(at, option, sizeof(option));
		return sizeof(option);
	}
	if (room < sizes[kind])
		return 0;
	memcpy(at, samples[kind], sizes[kind]);
	return sizes[kind];
}

static void put_options(uint32_t service, struct desc *d, uint8_t bytes[OPTIONS])
{
	static const uint8_t words[] = {5, 6, 7, 8, 9, 10, 11, 15};
	size_t at = 0, room, more;

	memset(bytes, 1, OPTIONS);
	d->doff = words[below(8)];
	d->options = bytes;
	room = d->doff * 4u - TCP_HEADER;
	if (room && below(4)) {
		const uint32_t mss = limit_of(service) - below(8);

		memcpy(bytes, (uint8_t[]){2, 4, (uint8_t)(mss >> 8), (uint8_t)mss}, 4);
		at = 4;
	}
	for (uint32_t i = below(5); i > 0; i--) {
		more = put_option(service, bytes + at, room - at);
		at += more;
	}
}

/* Returns whether it was made as a SYN. */
static bool make(uint32_t service, struct frame *f)
{
	static const uint8_t ttls[] = {64, 63, 60, 33, 128, 255, 2, 1};
	uint8_t bytes[OPTIONS];
	struct desc d = from_client(service);

	d.sport = (uint16_t)below(65536);
	d.ttl = ttls[below(8)];
	d.tos = below(2) ? (uint8_t)below(256) : 0;
	d.payload = below(3) ? below(64) : below(WAY_MTU);
	d.seed = below(UINT32_MAX);
	if (d.proto == IPPROTO_UDP)
		d.no_checksum = below(8) == 0;
	else
		d.flags = below(2) ? TCP_SYN : (uint8_t)below(64);
	if (d.flags & TCP_SYN)
		put_options(service, &d, bytes);
	frame_build(&d, f);
	if (below(8) == 0)
		frame_put16(f, frame_check_at(&d), frame_pseudo(&d, f->len - frame_l4(&d)));
	if (below(16) == 0)
		frame_tag(f, (uint16_t)below(65536));
	return d.flags & TCP_SYN;
}

/* A few bytes of the headers changed, or the end cut off or padded. */
static void mutate(struct frame *f)
{
	const uint32_t room = f->len - 12 < MUTABLE ? (uint32_t)f->len - 12 : MUTABLE;

	for (uint32_t i = below(3); i > 0; i--)
		f->b[12 + below(room)] = (uint8_t)below(256);
	if (below(4) == 0)
		f->len = FRAME_ETH + 1 + below((uint32_t)f->len - FRAME_ETH);
	else if (below(4) == 0)
		f->len += below(20);
}

static void expect_no_difference(const struct frame *in, bool mutated, bool syn)
{
	struct frame fast, slow;
	const int verdict = world_run(world.skel->progs.spillway_xdp, world.if_client, in, &fast);
	const enum fate fate = verdict == XDP_TX || verdict == XDP_REDIRECT ? SHORT : LEFT;

	play.fates[fate]++;
	play.mutated[fate] += mutated;
	play.syns[fate] += syn;
	if (fate == LEFT) {
		frame_assert_equal(&fast, in);
		return;
	}
	assert_int_equal(world_run(world.skel->progs.spillway_direct, world.if_client, in, &slow),
			 verdict);
	frame_assert_equal(&fast, &slow);
}

static void print_fates(const char *what, const uint64_t fates[FATES])
{
	print_message("%s: short %llu, left %llu\n", what, (unsigned long long)fates[SHORT],
		      (unsigned long long)fates[LEFT]);
}

static void the_short_way_says_what_the_stages_say(void **state)
{
	const uint32_t packets = repeats(PACKETS);

	(void)state;
	memset(&play, 0, sizeof(play));
	play.rnd = 20250303;
	set_stages(false);
	for (uint32_t i = 0; i < packets; i++) {
		const uint32_t service = TCP4 + below(4);
		const bool mutated = below(2);
		struct frame in;
		bool syn;

		if (i % EPOCH == 0)
			new_epoch();
		syn = make(service, &in);
		if (mutated)
			mutate(&in);
		expect_no_difference(&in, mutated, syn);
	}
	print_fates("packets", play.fates);
	print_fates("mutated", play.mutated);
	print_fates("SYNs", play.syns);
	assert_true(play.fates[SHORT] > packets / 4 && play.fates[LEFT] > packets / 4);
	assert_true(play.mutated[SHORT] > packets / 20 && play.mutated[LEFT] > packets / 20);
	assert_true(play.syns[SHORT] > packets / 40 && play.syns[LEFT] > packets / 20);
}

static void syns_of_systems_in_use_go_the_short_way(void **state)
{
	static const struct {
		uint8_t doff;
		uint8_t options[24];
	} syns[] = {
		{5, {0}},
		{6, {2, 4, 5, 0x14}},
		/* Windows, Linux, macOS: MSS first, then window scale, SACK, timestamps in their orders. */
		{8, {2, 4, 5, 0x14, 1, 3, 3, 8, 1, 1, 4, 2}},
		{10, {2, 4, 5, 0x14, 4, 2, 8, 10, 9, 8, 7, 6, 0, 0, 0, 0, 1, 3, 3, 7}},
		{11, {2, 4, 5, 0x14, 1, 3, 3, 6, 1, 1, 8, 10, 9, 8, 7, 6, 0, 0, 0, 0, 4, 2, 0, 0}},
	};

	(void)state;
	memset(&play, 0, sizeof(play));
	set_stages(false);
	for (uint32_t s = TCP4; s <= TCP6; s += TCP6 - TCP4) {
		world_attach(world.if_client, SPW_IF_TX);
		play.mode[s] = SPW_MODE_L2;
		set_way(s, direct_service(s, SPW_MODE_L2), SPW_UNTAGGED);
		keep_ways();
		for (size_t i = 0; i < sizeof(syns) / sizeof(syns[0]); i++) {
			struct desc d = from_client(s);
			struct frame in;

			d.doff = syns[i].doff;
			d.options = syns[i].options;
			frame_build(&d, &in);
			expect_no_difference(&in, false, true);
		}
	}
	assert_int_equal(play.fates[SHORT], 2 * sizeof(syns) / sizeof(syns[0]));
}

static int restore(void **state)
{
	(void)state;
	set_stages(true);
	return 0;
}

int direct_fast_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(syns_of_systems_in_use_go_the_short_way,
						world_reset, restore),
		cmocka_unit_test_setup_teardown(the_short_way_says_what_the_stages_say, world_reset,
						restore),
	};

	return cmocka_run_group_tests_name("direct, the short way", tests, NULL, NULL);
}
