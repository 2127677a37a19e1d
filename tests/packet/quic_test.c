/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Server ids in QUIC connection IDs. By addresses and ports every datagram here is the first endpoint's,
 * so whatever goes elsewhere has been read.
 */
#include "direct_world.h"
#include "groups.h"
#include "world.h"

#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/arena.h"
#include "base/network.h"
#include "spillway.skel.h"
#include "tables/quic.h"

#define TABLE_LINE (WORLD_SLOT_LINES / 4) /* no pick table lies there */
#define ALIVE	   (SPW_WORD_UP | SPW_WORD_PICKABLE)
#define DATAGRAM   64
#define PIECE	   240 /* octets of a fragment */

enum header { SHORT, LONG, HEADERS };

static const uint8_t modes[] = {SPW_MODE_NAT, SPW_MODE_L2, SPW_MODE_IPIP, SPW_MODE_GUE};
static const uint32_t services[] = {UDP4, UDP6};

#define MODES (sizeof(modes) / sizeof(modes[0]))

static struct arena *arena;
static struct quic_map map;
static uint16_t owners[1024];
static uint16_t next_port;

static int setup(void **state)
{
	arena = arena_new();
	memset(&map, 0, sizeof(map));
	next_port = 10000;
	return arena ? world_reset(state) : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* Of the endpoint in this configuration, whose ids are of this length. */
static union spw_quic_key key_of(uint8_t config, uint8_t len, uint32_t endpoint)
{
	union spw_quic_key k = {.b = {config}};

	for (uint8_t i = 1; i <= len; i++)
		k.b[i] = (uint8_t)(0xa0 + i);
	k.b[len] = (uint8_t)endpoint;
	if (len > 1)
		k.b[len - 1] = (uint8_t)(endpoint >> 8);
	return k;
}

static void know(union spw_quic_key key, uint8_t len, uint32_t endpoint)
{
	owners[map.count] = (uint16_t)endpoint;
	map.id_len[key.b[0]] = len;
	*arena_push(arena, map.ids, map.count) = (struct quic_id){.key = key};
}

/* The ids that are known so far are the service's. */
static void give(uint32_t service)
{
	struct spw_service_extra x = {0};
	struct table_slots t;

	quic_build(arena, &map, owners, &t);
	world_put_slots(TABLE_LINE * SPW_LINE_SLOTS, t.slots, t.size);
	x.quic = (struct spw_table_ref){TABLE_LINE * SPW_LINE_SLOTS, t.size};
	for (uint32_t side = 0; side < 2; side++) {
		struct spw_service_row row = world_row(service, side);

		direct_put_row(world.skel->maps.service_extras, service * 2 + side, &x);
		row.flags |= SPW_SERVICE_QUIC;
		world_row_on_side(service, side, &row);
	}
}

/* Beside the ids: one source is denied, and new flows are limited to `burst`, if that is not 0. */
static void guard(uint32_t service, const char *denied, uint32_t burst)
{
	const uint32_t key = service * 2 + world.config.active, at = TABLE_LINE + 64;
	struct spw_service_row row = world_row(service, world.config.active);
	struct networks n = {0};
	struct network_slip slip;
	struct netlist list;
	struct spw_service_extra x;

	assert_int_equal(networks_add_text(arena, &n, denied, strlen(denied), &slip), 0);
	netlist_build(arena, &n, &list);
	for (uint32_t i = 0; i < list.count; i++)
		direct_put_row(world.skel->maps.slots, at + i, &list.lines[i]);
	direct_put_row(world.skel->maps.service_buckets, service, &(struct spw_bucket){0});
	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(world.skel->maps.service_extras), &key, &x), 0);
	x.deny = (struct spw_table_ref){at * SPW_LINE_SLOTS, list.count * SPW_LINE_SLOTS};
	x.every_ns = burst ? 3600 * SECOND_NS : 0;
	x.burst_ns = burst * x.every_ns;
	direct_put_row(world.skel->maps.service_extras, key, &x);
	row.flags |= SPW_SERVICE_GUARDED;
	world_row_on_side(service, world.config.active, &row);
}

static uint32_t first_of(uint32_t service)
{
	return direct_is_v6(service) ? WEB6_A : WEB4_A;
}

static uint32_t second_of(uint32_t service)
{
	return direct_is_v6(service) ? WEB6_B : WEB4_B;
}

/* A service whose first endpoint has everything, and whose second has an id of two octets too. */
static uint32_t serve(uint32_t service, uint8_t mode)
{
	const uint32_t id = second_of(service);

	direct_set_mode(first_of(service), SPW_MODE_NAT);
	if (mode == SPW_MODE_NAT)
		world_serve(service, (uint16_t[]){(uint16_t)first_of(service)}, 1);
	else
		direct_service(service, mode);
	direct_set_mode(id, mode);
	map.count = 0;
	know(key_of(2, 2, first_of(service)), 2, first_of(service));
	know(key_of(2, 2, id), 2, id);
	give(service);
	return id;
}

/* The first octets of a datagram with this connection ID, of `cid` octets; the rest is there already. */
static void write_header(enum header header, union spw_quic_key key, uint8_t cid, uint8_t *b)
{
	const size_t at = header == SHORT ? 1 : 6;

	b[0] = header == SHORT ? 0x40 : 0xc0;
	if (header == LONG) {
		memcpy(b + 1, (uint8_t[]){0, 0, 0, 1}, 4);
		b[5] = cid;
	}
	memcpy(b + at, key.b, map.id_len[key.b[0] % 8] + 1u);
	b[at] = (uint8_t)(key.b[0] << 5 | (cid - 1));
}

/* Such a datagram of a client with a port of its own; `b` has room for DATAGRAM octets. */
static struct desc datagram(uint32_t service, enum header header, union spw_quic_key key,
			    uint8_t *b)
{
	struct desc d = from_client(service);

	for (size_t i = 0; i < DATAGRAM; i++)
		b[i] = (uint8_t)(0x31 + 7 * i);
	write_header(header, key, 12, b);
	d.sport = next_port++;
	d.bytes = b;
	d.payload = DATAGRAM;
	return d;
}

static void expect_to(uint8_t mode, uint32_t id, const struct desc *d)
{
	struct frame in, out, want;

	if (mode == SPW_MODE_NAT) {
		world_expect_to(id, d);
		return;
	}
	frame_build(d, &in);
	world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
	direct_expected(mode, &out, id, d, &in, &want);
	frame_assert_equal(&out, &want);
	assert_int_equal(world_flow_count(), 0);
}

/* For both families, all modes and both headers. */
static void each_way(void (*fn)(uint32_t service, uint8_t mode, enum header header))
{
	for (size_t s = 0; s < 2; s++) {
		for (size_t m = 0; m < MODES; m++) {
			world_empty_flows();
			serve(services[s], modes[m]);
			fn(services[s], modes[m], SHORT);
			fn(services[s], modes[m], LONG);
		}
	}
}

static void goes_by_its_id(uint32_t service, uint8_t mode, enum header header)
{
	const uint64_t routed = world_stat(SPW_COUNT_QUIC_ROUTED);
	const uint32_t id = second_of(service);
	uint8_t b[DATAGRAM];
	struct desc d = datagram(service, header, key_of(2, 2, id), b);

	expect_to(mode, id, &d);
	d.sport = next_port++;
	expect_to(mode, id, &d);
	d.src.b[15] ^= 9;
	expect_to(mode, id, &d);
	assert_int_equal(world_stat(SPW_COUNT_QUIC_ROUTED), routed + 3);
	d = datagram(service, header, key_of(2, 2, first_of(service)), b);
	expect_to(mode, first_of(service), &d);
	assert_int_equal(world_stat(SPW_COUNT_QUIC_UNKNOWN), 0);
}

static void a_client_whose_address_changes_keeps_its_endpoint(void **state)
{
	(void)state;
	each_way(goes_by_its_id);
}

static void goes_by_addresses(uint32_t service, uint8_t mode, enum header header)
{
	const union spw_quic_key key = key_of(2, 2, second_of(service));
	const uint64_t unknown = world_stat(SPW_COUNT_QUIC_UNKNOWN);
	const size_t at = header == SHORT ? 1 : 6;
	uint8_t b[DATAGRAM];
	struct desc d;

	for (uint8_t config = 0; config < 8; config++) {
		d = datagram(service, header, key, b);
		b[at] = (uint8_t)(config << 5 | (b[at] & 31));
		expect_to(mode, config == 2 ? second_of(service) : first_of(service), &d);
	}
	assert_int_equal(world_stat(SPW_COUNT_QUIC_UNKNOWN), unknown);
	for (size_t i = 1; i <= 2; i++) {
		d = datagram(service, header, key, b);
		b[at + i] ^= 0x40;
		expect_to(mode, first_of(service), &d);
	}
	assert_int_equal(world_stat(SPW_COUNT_QUIC_UNKNOWN), unknown + (header == SHORT ? 2 : 0));
	d = datagram(service, header, key, b);
	memset(b + 1, 0, header == LONG ? 4 : 0); /* version negotiation */
	expect_to(mode, header == LONG ? first_of(service) : second_of(service), &d);
}

static void what_names_nobody_goes_by_addresses_and_ports(void **state)
{
	(void)state;
	each_way(goes_by_addresses);
}

static void is_read_as_far_as_it_goes(uint32_t service, uint8_t mode, enum header header)
{
	const uint32_t id = second_of(service);
	const size_t least = header == SHORT ? 1 + 1 + 2 + 4 : 6 + 12;
	uint8_t b[DATAGRAM];

	for (size_t len = 0; len <= DATAGRAM; len++) {
		struct desc d = datagram(service, header, key_of(2, 2, id), b);

		d.payload = len;
		expect_to(mode, len < least ? first_of(service) : id, &d);
	}
	for (unsigned int cid = 0; cid < 256 && header == LONG; cid++) {
		struct desc d = datagram(service, header, key_of(2, 2, id), b);

		b[5] = (uint8_t)cid;
		expect_to(mode, cid < 7 || cid > 20 ? first_of(service) : id, &d);
	}
}

static void datagrams_of_every_length_are_read_as_far_as_they_go(void **state)
{
	(void)state;
	each_way(is_read_as_far_as_it_goes);
}

static void what_lies_behind_the_datagram_is_not_read(void **state)
{
	uint8_t b[DATAGRAM];
	struct desc d;
	struct frame in, out;
	struct flow f;

	(void)state;
	serve(UDP4, SPW_MODE_NAT);
	for (uint16_t len = 0; len <= 16; len++) {
		d = datagram(UDP4, SHORT, key_of(2, 2, WEB4_B), b);
		frame_build(&d, &in);
		frame_put16(&in, frame_l4(&d) + 4, (uint16_t)(8 + len));
		world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
		assert_true(world_flow(&d, &f));
		assert_int_equal(f.endpoint, len < 8 ? WEB4_A : WEB4_B);
	}
}

static void ids_of_every_length_are_read_in_every_configuration(void **state)
{
	uint8_t b[DATAGRAM];

	(void)state;
	world_serve(UDP4, (uint16_t[]){WEB4_A}, 1);
	for (uint8_t config = 0; config < SPW_QUIC_CONFIGS; config++) {
		for (uint8_t len = 1; len <= SPW_QUIC_ID_MAX; len++) {
			memset(&map, 0, sizeof(map));
			know(key_of(config, len, WEB4_B), len, WEB4_B);
			know(key_of(config, len, WEB4_C), len, WEB4_C);
			give(UDP4);
			for (uint32_t id = WEB4_A; id <= WEB4_C; id++) {
				struct desc d = datagram(UDP4, SHORT, key_of(config, len, id), b);

				world_expect_to(id, &d);
				d = datagram(UDP4, LONG, key_of(config, len, id), b);
				write_header(LONG, key_of(config, len, id), 20, b);
				world_expect_to(id, &d);
				b[5] = (uint8_t)(1 + len + 4 - 1);
				d.sport = next_port++;
				world_expect_to(WEB4_A, &d);
			}
		}
	}
}

/* Half of the ways are taken, so some ids lie some lines on. */
static void many_ids_are_told_apart(void **state)
{
	uint8_t b[DATAGRAM];

	(void)state;
	serve(UDP4, SPW_MODE_L2);
	direct_set_mode(WEB4_C, SPW_MODE_L2);
	map.count = 0;
	for (uint32_t i = 0; i < 1000; i++)
		know(key_of(2, 2, i), 2, i % 2 ? WEB4_B : WEB4_C);
	give(UDP4);
	for (uint32_t i = 0; i < 1200; i++) {
		struct desc d = datagram(UDP4, SHORT, key_of(2, 2, i), b);

		expect_to(SPW_MODE_L2, i >= 1000 ? WEB4_A : i % 2 ? WEB4_B : WEB4_C, &d);
	}
}

static void a_flow_that_has_an_entry_keeps_to_it(void **state)
{
	uint8_t b[DATAGRAM];
	struct desc d, sent, reply;

	(void)state;
	serve(UDP4, SPW_MODE_NAT);
	d = datagram(UDP4, SHORT, key_of(2, 2, WEB4_C), b);
	world_expect_to(WEB4_A, &d);
	write_header(SHORT, key_of(2, 2, WEB4_B), 12, b);
	sent = world_expect_to(WEB4_A, &d);
	assert_int_equal(world_stat(SPW_COUNT_QUIC_ROUTED), 0);
	d.sport = next_port++;
	sent = world_expect_to(WEB4_B, &d);
	reply = from_endpoint(&sent);
	world_expect_reply(world.if_server, &d, &reply);
}

/* Endpoints of a tier that is not in use are in no table either, as the second one here. */
static void lists_and_limits_come_before_ids(void **state)
{
	uint8_t b[DATAGRAM];
	struct desc d;

	(void)state;
	for (size_t m = 0; m < MODES; m++) {
		const bool nat = modes[m] == SPW_MODE_NAT;
		const uint64_t routed = world_stat(SPW_COUNT_QUIC_ROUTED);

		world_empty_flows();
		serve(UDP4, modes[m]);
		guard(UDP4, "10.1.0.15", nat ? 2 : 0);
		for (uint64_t i = 0; i < 2; i++) {
			const enum header header = i ? LONG : SHORT;

			d = datagram(UDP4, header, key_of(2, 2, WEB4_B), b);
			d.src = addr_of("10.1.0.15");
			world_expect_end(world.if_client, &d, SPW_DROP_SOURCE_DENIED);
			d.src = addr_of("10.1.0.16");
			expect_to(modes[m], WEB4_B, &d);
		}
		d.sport = next_port++;
		if (nat)
			world_expect_end(world.if_client, &d, SPW_DROP_RATE_LIMITED);
		assert_int_equal(world_stat(SPW_COUNT_QUIC_ROUTED), routed + 2);
	}
}

/* An entry whose endpoint is down is none any more, and the ID decides. */
static void a_flow_whose_endpoint_went_down_goes_on_by_its_id(void **state)
{
	uint8_t b[DATAGRAM];
	struct desc d;

	(void)state;
	serve(UDP4, SPW_MODE_NAT);
	d = datagram(UDP4, SHORT, key_of(2, 2, WEB4_A), b);
	world_expect_to(WEB4_A, &d);
	world_set_word(WEB4_A, 0);
	write_header(SHORT, key_of(2, 2, WEB4_B), 12, b);
	world_expect_to(WEB4_B, &d);
}

/* Words of an endpoint, and whether connections that it has still go there. */
static const struct {
	uint32_t word;
	bool keeps;
} words[] = {
	{ALIVE, true},
	{SPW_WORD_UP, true},	   /* not to be picked */
	{SPW_WORD_PICKABLE, true}, /* in panic */
	{ALIVE | SPW_ADMIN_DRAIN << SPW_WORD_ADMIN_SHIFT, true},
	{SPW_WORD_UP | SPW_ADMIN_DRAIN << SPW_WORD_ADMIN_SHIFT, true},
	{SPW_ADMIN_DRAIN << SPW_WORD_ADMIN_SHIFT, false},
	{ALIVE | SPW_ADMIN_DOWN << SPW_WORD_ADMIN_SHIFT, false},
	{ALIVE | SPW_WORD_RESET, false},
	{0, false},
};

static void goes_where_it_lives(uint32_t service, uint8_t mode, enum header header)
{
	const uint32_t id = second_of(service);
	uint64_t unknown = world_stat(SPW_COUNT_QUIC_UNKNOWN);
	struct spw_endpoint e = world_endpoint(id), gone = e;
	uint8_t b[DATAGRAM];
	struct desc d;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		d = datagram(service, header, key_of(2, 2, id), b);
		world_set_word(id, words[i].word);
		expect_to(mode, words[i].keeps ? id : first_of(service), &d);
		unknown += header == SHORT && !words[i].keeps;
		assert_int_equal(world_stat(SPW_COUNT_QUIC_UNKNOWN), unknown);
	}
	world_set_word(id, ALIVE);
	gone.mode = SPW_MODE_NONE;
	gone.was_mode = mode == SPW_MODE_NAT ? 0 : mode;
	world_put_endpoint(id, &gone);
	d = datagram(service, header, key_of(2, 2, id), b);
	expect_to(mode, first_of(service), &d);
	gone.mode = SPW_MODE_HANDOFF;
	world_put_endpoint(id, &gone);
	d.sport = next_port++;
	expect_to(mode, first_of(service), &d);
	world_put_endpoint(id, &e);
}

static void connections_move_with_endpoints_that_drain_and_leave_those_that_are_down(void **state)
{
	(void)state;
	each_way(goes_where_it_lives);
}

static void an_endpoint_of_the_other_family_is_nobody(void **state)
{
	uint8_t b[DATAGRAM];
	struct desc d;

	(void)state;
	serve(UDP4, SPW_MODE_NAT);
	know(key_of(2, 2, WEB6_A), 2, WEB6_A);
	give(UDP4);
	d = datagram(UDP4, SHORT, key_of(2, 2, WEB6_A), b);
	world_expect_to(WEB4_A, &d);
}

static void slots_in_motion_and_entries_are_nothing_to_an_id(void **state)
{
	uint8_t b[DATAGRAM];
	struct desc d = datagram(UDP4, SHORT, key_of(1, 1, 0), b);

	(void)state;
	direct_moved(UDP4, 0); /* WEB4_B's now, and WEB4_A's before */
	direct_set_mode(WEB4_C, SPW_MODE_IPIP);
	know(key_of(2, 2, WEB4_C), 2, WEB4_C);
	know(key_of(2, 2, WEB4_B), 2, WEB4_B);
	give(UDP4);
	d.payload = 5; /* an entry for WEB4_A */
	d.sport = 7000;
	assert_int_equal(world_send(world.if_client, &d, &(struct frame){0}), XDP_REDIRECT);
	assert_int_equal(world_flow_count(), 1);
	world_empty_flows();
	d = datagram(UDP4, SHORT, key_of(2, 2, WEB4_B), b);
	expect_to(SPW_MODE_IPIP, WEB4_B, &d);
	d = datagram(UDP4, LONG, key_of(2, 2, WEB4_C), b);
	expect_to(SPW_MODE_IPIP, WEB4_C, &d);
	direct_set_motion(UDP4, WEB4_A, 180 * SECOND_NS);
	expect_to(SPW_MODE_IPIP, WEB4_C, &d);
}

/* An id that names an endpoint of mode nat, in a service that has direct return too, and the other way round. */
static void services_of_several_modes_go_by_ids_to_each(void **state)
{
	uint8_t b[DATAGRAM];
	struct desc d, sent, reply;

	(void)state;
	serve(UDP4, SPW_MODE_GUE);
	direct_set_mode(WEB4_B, SPW_MODE_NAT);
	for (int i = 0; i < 3; i++) {
		d = datagram(UDP4, i % 2 ? LONG : SHORT, key_of(2, 2, WEB4_B), b);
		sent = world_expect_to(WEB4_B, &d);
		reply = from_endpoint(&sent);
		world_expect_reply(world.if_server, &d, &reply);
	}
	assert_int_equal(world_flow_count(), 6);
	assert_int_equal(world_stat(SPW_COUNT_QUIC_ROUTED), 3); /* though two programs looked */
	world_empty_flows();
	d = datagram(UDP4, SHORT, key_of(2, 2, WEB4_A), b);
	expect_to(SPW_MODE_GUE, WEB4_A, &d);
	assert_int_equal(world_stat(SPW_COUNT_QUIC_ROUTED), 4);
	serve(UDP4, SPW_MODE_NAT);
	direct_set_row(UDP4, 0);
	direct_on();
	direct_set_mode(WEB4_B, SPW_MODE_L2);
	d = datagram(UDP4, SHORT, key_of(2, 2, WEB4_B), b);
	expect_to(SPW_MODE_L2, WEB4_B, &d);
	d = datagram(UDP4, SHORT, key_of(2, 2, WEB4_A), b);
	world_expect_to(WEB4_A, &d);
	assert_int_equal(world_stat(SPW_COUNT_QUIC_UNKNOWN), 0);
	d = datagram(UDP4, SHORT, key_of(2, 2, WEB4_C), b);
	world_expect_to(WEB4_A, &d);
	assert_int_equal(world_stat(SPW_COUNT_QUIC_UNKNOWN), 1);
}

/* A slot in motion made an entry of direct return, and then an ID of that port names an endpoint of mode nat. */
static void an_entry_of_direct_return_gives_way_to_an_id_of_mode_nat(void **state)
{
	uint8_t b[DATAGRAM];
	struct desc d, sent, reply;
	struct flow f;

	(void)state;
	direct_moved(UDP4, 0); /* WEB4_B's now, and WEB4_A's before */
	know(key_of(2, 2, WEB4_C), 2, WEB4_C);
	give(UDP4);
	d = datagram(UDP4, SHORT, key_of(1, 1, 0), b);
	assert_int_equal(world_send(world.if_client, &d, &(struct frame){0}), XDP_REDIRECT);
	assert_true(world_flow(&d, &f));
	assert_int_equal(f.flags, SPW_FLOW_DIRECT);
	write_header(SHORT, key_of(2, 2, WEB4_C), 12, b);
	sent = world_expect_to(WEB4_C, &d);
	reply = from_endpoint(&sent);
	world_expect_reply(world.if_server, &d, &reply);
	assert_int_equal(world_flow_count(), 2);
}

/* The nth piece of an IPv4 datagram. */
static void piece(const struct desc *d, size_t nth, struct frame *out)
{
	struct frame whole;
	const size_t from = nth * PIECE, left = desc_l3_len(d) - 20 - from;
	const size_t len = left > PIECE ? PIECE : left;

	frame_build(d, &whole);
	memcpy(out->b, whole.b, FRAME_ETH + 20);
	memcpy(out->b + FRAME_ETH + 20, whole.b + FRAME_ETH + 20 + from, len);
	out->len = FRAME_ETH + 20 + len;
	frame_put16(out, FRAME_ETH + 2, (uint16_t)(20 + len));
	frame_put16(out, FRAME_ETH + 4, d->sport);
	frame_put16(out, FRAME_ETH + 6, (uint16_t)((left > PIECE) << 13 | from / 8));
	frame_fix_ip4(out);
}

static void fragments_go_where_the_first_one_goes(void **state)
{
	static uint8_t b[3 * PIECE - 100];
	struct frame in, out, want;

	(void)state;
	for (size_t m = 1; m < MODES; m++) {
		struct desc d = from_client(UDP4);

		serve(UDP4, modes[m]);
		write_header(SHORT, key_of(2, 2, WEB4_B), 12, b);
		d.sport = next_port++;
		d.bytes = b;
		d.payload = sizeof(b);
		d.no_checksum = true; /* the outer header has none */
		for (size_t i = 0; i < 3; i++) {
			piece(&d, i, &in);
			world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
			direct_expected(modes[m], &out, WEB4_B, &d, &in, &want);
			frame_assert_equal(&out, &want);
		}
		/* The second server went away in between: all the rest is the slot's. */
		d.sport = next_port++;
		piece(&d, 0, &in);
		world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
		world_set_word(WEB4_B, 0);
		piece(&d, 1, &in);
		world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
		direct_expected(modes[m], &out, WEB4_A, &d, &in, &want);
		frame_assert_equal(&out, &want);
		world_set_word(WEB4_B, ALIVE);
		assert_int_equal(world_flow_count(), 0);
	}
}

/* The first one names an endpoint of mode nat; the slot is direct return's. */
static void fragments_follow_an_id_to_another_mode(void **state)
{
	static uint8_t b[3 * PIECE - 100];
	struct desc d = from_client(UDP4);
	struct spw_endpoint_stats was, now;
	struct frame in, out;

	(void)state;
	serve(UDP4, SPW_MODE_L2);
	direct_set_mode(WEB4_B, SPW_MODE_NAT);
	write_header(SHORT, key_of(2, 2, WEB4_B), 12, b);
	d.sport = next_port++;
	d.bytes = b;
	d.payload = sizeof(b);
	for (size_t i = 0; i < 3; i++) {
		was = world_endpoint_stats(WEB4_B);
		piece(&d, i, &in);
		world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
		now = world_endpoint_stats(WEB4_B);
		print_message("piece %zu: %llu to WEB4_B\n", i,
			      (unsigned long long)(now.packets_in - was.packets_in));
		assert_int_equal(now.packets_in, was.packets_in + 1);
	}
}

/* The record of a datagram to another service says nothing of ids. */
static void fragments_of_other_services_know_no_ids(void **state)
{
	uint8_t b[2 * PIECE];
	struct desc d = from_client(UDP4);
	struct frame in, out, want;

	(void)state;
	serve(UDP4, SPW_MODE_L2);
	write_header(SHORT, key_of(2, 2, WEB4_B), 12, b);
	d.bytes = b;
	d.payload = sizeof(b);
	d.no_checksum = true;
	for (int quic = 1; quic >= 0; quic--) {
		if (!quic)
			world_serve(UDP4, (uint16_t[]){WEB4_A}, 1);
		direct_set_row(UDP4, 0);
		d.sport = next_port++;
		for (size_t i = 0; i < 2; i++) {
			piece(&d, i, &in);
			world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
			direct_expected(SPW_MODE_L2, &out, quic ? WEB4_B : WEB4_A, &d, &in, &want);
			frame_assert_equal(&out, &want);
		}
	}
}

static void a_tag_and_options_in_front_are_looked_behind(void **state)
{
	uint8_t b[DATAGRAM];
	struct desc d;
	struct frame in, out;
	struct flow f;

	(void)state;
	serve(UDP4, SPW_MODE_NAT);
	d = datagram(UDP4, LONG, key_of(2, 2, WEB4_B), b);
	frame_build(&d, &in);
	memmove(in.b + FRAME_ETH + 20 + 40, in.b + FRAME_ETH + 20, in.len - FRAME_ETH - 20);
	memset(in.b + FRAME_ETH + 20, 1, 40);
	in.b[FRAME_ETH] = 0x4f;
	in.len += 40;
	frame_put16(&in, FRAME_ETH + 2, (uint16_t)(in.len - FRAME_ETH));
	frame_fix_ip4(&in);
	frame_tag(&in, 5);
	world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
	assert_true(world_flow(&d, &f));
	assert_int_equal(f.endpoint, WEB4_B);
}

static void a_table_that_is_not_there_is_none(void **state)
{
	static const struct spw_table_ref refs[] = {
		{0, 0},
		{TABLE_LINE * SPW_LINE_SLOTS, SPW_LINE_SLOTS},
		{WORLD_SLOT_LINES * SPW_LINE_SLOTS, 4 * SPW_LINE_SLOTS},
		{(WORLD_SLOT_LINES - 1) * SPW_LINE_SLOTS, 4000 * SPW_LINE_SLOTS},
		{0xffffffe0, 0xffffffff},
	};
	uint8_t b[DATAGRAM];

	(void)state;
	serve(UDP4, SPW_MODE_NAT);
	for (size_t i = 0; i < sizeof(refs) / sizeof(refs[0]); i++) {
		const struct spw_service_extra x = {.quic = refs[i]};
		struct desc d = datagram(UDP4, SHORT, key_of(2, 2, WEB4_B), b);

		direct_put_row(world.skel->maps.service_extras, UDP4 * 2 + world.config.active, &x);
		world_expect_to(WEB4_A, &d);
	}
}

int quic_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_client_whose_address_changes_keeps_its_endpoint),
		TEST(what_names_nobody_goes_by_addresses_and_ports),
		TEST(datagrams_of_every_length_are_read_as_far_as_they_go),
		TEST(what_lies_behind_the_datagram_is_not_read),
		TEST(ids_of_every_length_are_read_in_every_configuration),
		TEST(many_ids_are_told_apart),
		TEST(a_flow_that_has_an_entry_keeps_to_it),
		TEST(lists_and_limits_come_before_ids),
		TEST(a_flow_whose_endpoint_went_down_goes_on_by_its_id),
		TEST(connections_move_with_endpoints_that_drain_and_leave_those_that_are_down),
		TEST(an_endpoint_of_the_other_family_is_nobody),
		TEST(slots_in_motion_and_entries_are_nothing_to_an_id),
		TEST(services_of_several_modes_go_by_ids_to_each),
		TEST(an_entry_of_direct_return_gives_way_to_an_id_of_mode_nat),
		TEST(fragments_go_where_the_first_one_goes),
		TEST(fragments_follow_an_id_to_another_mode),
		TEST(fragments_of_other_services_know_no_ids),
		TEST(a_tag_and_options_in_front_are_looked_behind),
		TEST(a_table_that_is_not_there_is_none),
	};

	return cmocka_run_group_tests_name("quic", tests, NULL, NULL);
}
