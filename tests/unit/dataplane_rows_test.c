/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows, words and signals of endpoints and services, in plain memory in the place of the maps. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "dataplane/state.h"

#define IDS	 4
#define SERVICES 4
#define ID	 2

struct rig {
	struct spw_displace_line displace[2];
	struct spw_service_line service_slots[64];
	struct spw_next_hop hop_rows[IDS];
	struct spw_interface interfaces[SPW_INTERFACES];
	struct spw_addr_line addr_bits[4096], direct_bits[4096];
	struct dataplane dp;
	struct spw_endpoint endpoints[IDS];
	struct spw_word words[IDS];
	struct spw_signals signals[IDS];
	struct next_hop next_hops[IDS];
	struct spw_service_row service_rows[2 * SERVICES];
	struct spw_service_extra service_extras[2 * SERVICES];
	struct spw_load loads[IDS];
	struct spw_port_line ports[2 * SPW_PORT_LINES];
	struct spw_config config;
	struct spw_tunnels tunnels;
	struct interface interface;
};

/* Routes are asked of the kernel, which everybody may; maps that have no memory are not there. */
static int rig_up(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->dp.meta.max_endpoints = IDS;
	r->dp.meta.max_services = SERVICES;
	r->dp.maps.endpoints = r->endpoints;
	r->dp.maps.words = r->words;
	r->dp.maps.signals = r->signals;
	r->dp.maps.service_rows = r->service_rows;
	r->dp.maps.service_extras = r->service_extras;
	r->dp.maps.loads = r->loads;
	r->dp.maps.ports = r->ports;
	r->dp.maps.config = &r->config;
	r->dp.maps.tunnels = &r->tunnels;
	r->dp.maps.displace = r->displace;
	r->dp.maps.service_slots = r->service_slots;
	r->dp.maps.next_hops = r->hop_rows;
	r->dp.maps.interfaces = r->interfaces;
	r->dp.maps.addr_bits = r->addr_bits;
	r->dp.maps.direct_bits = r->direct_bits;
	r->dp.maps.cpus = 1;
	for (int i = 0; i < MAP_COUNT; i++)
		r->dp.maps.fd[i] = -1;
	r->dp.next_hops = r->next_hops;
	assert_int_equal(netlink_open(&r->dp.netlink), 0);
	*state = r;
	return 0;
}

static int rig_down(void **state)
{
	struct rig *r = *state;

	netlink_close(&r->dp.netlink);
	free(r->dp.bound);
	free(r);
	return 0;
}

static struct table_endpoint endpoint(const char *addr, uint8_t flags)
{
	struct table_endpoint e = {.id = ID, .port = 80, .mode = SPW_MODE_NAT, .flags = flags};

	assert_int_equal(addr_parse(addr, &e.addr), 0);
	return e;
}

static uint32_t word(const struct rig *r)
{
	return r->words[ID].word;
}

static void an_endpoint_row_holds_its_flags(void **state)
{
	struct rig *r = *state;
	struct table_endpoint e = endpoint("10.0.0.1", SPW_ENDPOINT_RESET_ON_REMOVAL);

	endpoint_put(&r->dp, &e);
	assert_int_equal(r->endpoints[ID].flags, SPW_ENDPOINT_RESET_ON_REMOVAL);
	assert_int_equal(r->endpoints[ID].mode, SPW_MODE_NAT);
	assert_int_equal(ntohs(r->endpoints[ID].port), 80);
	e.flags = 0;
	endpoint_put(&r->dp, &e);
	assert_int_equal(r->endpoints[ID].flags, 0);
	endpoint_set_sources(&r->dp, ID);
	assert_int_equal(r->endpoints[ID].mode, SPW_MODE_NAT);
}

/* 127.0.0.1 has a route, as any other address would. */
static void an_endpoint_of_the_userspace_path_has_no_way(void **state)
{
	struct rig *r = *state;
	struct table_endpoint e = endpoint("127.0.0.1", SPW_ENDPOINT_RESET_ON_REMOVAL);

	endpoint_put(&r->dp, &e);
	assert_int_not_equal(r->next_hops[ID].kind, ROUTE_UNKNOWN);
	e.mode = SPW_MODE_HANDOFF;
	endpoint_put(&r->dp, &e);
	assert_int_equal(r->endpoints[ID].mode, SPW_MODE_HANDOFF);
	assert_int_equal(r->endpoints[ID].source_count, 0);
	assert_int_equal(r->next_hops[ID].kind, ROUTE_UNKNOWN);
	assert_int_equal(r->hop_rows[ID].ifindex, 0);
	endpoint_del(&r->dp, ID);
	assert_int_equal(r->endpoints[ID].mode, SPW_MODE_NONE);
	assert_int_equal(r->endpoints[ID].flags,
			 SPW_ENDPOINT_RESET_ON_REMOVAL | SPW_ENDPOINT_HANDOFF);
}

static void the_same_address_in_another_mode_is_another_endpoint(void **state)
{
	struct rig *r = *state;
	struct table_endpoint e = endpoint("10.0.0.1", 0);

	e.mode = SPW_MODE_HANDOFF;
	endpoint_put(&r->dp, &e);
	r->signals[ID].run = 3;
	endpoint_put(&r->dp, &e);
	assert_int_equal(r->signals[ID].run, 3);
	endpoint_del(&r->dp, ID);
	e.mode = SPW_MODE_NAT;
	endpoint_put(&r->dp, &e);
	assert_int_equal(r->signals[ID].run, 0);
	assert_int_equal(r->endpoints[ID].flags, 0);
}

static void a_removed_endpoint_is_reset_if_its_row_says_so(void **state)
{
	struct rig *r = *state;
	struct table_endpoint e = endpoint("10.0.0.1", SPW_ENDPOINT_RESET_ON_REMOVAL);

	endpoint_put(&r->dp, &e);
	dataplane_set_word(&r->dp, ID, true, true);
	dataplane_set_admin(&r->dp, ID, SPW_ADMIN_UP);
	endpoint_del(&r->dp, ID);
	assert_int_equal(word(r), SPW_WORD_RESET);
	assert_int_equal(r->endpoints[ID].mode, SPW_MODE_NONE);
	assert_true(addr_equal(&r->endpoints[ID].addr, &e.addr));
}

static void a_removed_endpoint_leaves_its_flows_otherwise(void **state)
{
	struct rig *r = *state;
	struct table_endpoint e = endpoint("10.0.0.1", 0);

	endpoint_put(&r->dp, &e);
	dataplane_set_word(&r->dp, ID, true, true);
	dataplane_set_reset(&r->dp, ID, true);
	endpoint_del(&r->dp, ID);
	assert_int_equal(word(r), 0);
}

static void an_endpoint_that_comes_back_is_reset_no_more(void **state)
{
	struct rig *r = *state;
	struct table_endpoint e = endpoint("10.0.0.1", SPW_ENDPOINT_RESET_ON_REMOVAL);

	endpoint_put(&r->dp, &e);
	r->signals[ID].run = 3;
	endpoint_del(&r->dp, ID);
	endpoint_put(&r->dp, &e);
	assert_int_equal(word(r), SPW_WORD_STRAYS);
	assert_int_equal(r->signals[ID].run, 3);
}

static void a_changed_row_leaves_the_reset_of_a_drain_in_force(void **state)
{
	struct rig *r = *state;
	struct table_endpoint e = endpoint("10.0.0.1", 0);

	endpoint_put(&r->dp, &e);
	dataplane_set_reset(&r->dp, ID, true);
	e.profile = 7;
	endpoint_put(&r->dp, &e);
	assert_int_equal(word(r), SPW_WORD_RESET | SPW_WORD_STRAYS);
}

static void a_number_that_changes_hands_starts_from_nothing(void **state)
{
	struct rig *r = *state;
	struct table_endpoint e = endpoint("10.0.0.1", SPW_ENDPOINT_RESET_ON_REMOVAL);
	const struct spw_signals *sig = dataplane_signals(&r->dp, ID);

	endpoint_put(&r->dp, &e);
	r->signals[ID] = (struct spw_signals){.run = 2, .run_max = 9, .last_failure = 1};
	r->signals[ID].cohort[3].opened = 5;
	r->signals[ID - 1].run = r->signals[ID + 1].run = 7;
	endpoint_del(&r->dp, ID);
	e = endpoint("10.0.0.2", 0);
	endpoint_put(&r->dp, &e);
	assert_int_equal(word(r), 0);
	assert_int_equal(sig->run, 0);
	assert_int_equal(sig->run_max, 0);
	assert_int_equal(sig->last_failure, SPW_FAILURE_NONE);
	assert_int_equal(sig->cohort[3].opened, 5); /* sums only grow */
	assert_int_equal(r->signals[ID - 1].run, 7);
	assert_int_equal(r->signals[ID + 1].run, 7);
}

static void signals_beyond_the_map_are_none(void **state)
{
	struct rig *r = *state;

	assert_ptr_equal(dataplane_signals(&r->dp, IDS - 1), &r->signals[IDS - 1]);
	assert_null(dataplane_signals(&r->dp, IDS));
	assert_null(dataplane_signals(&r->dp, UINT32_MAX));
}

static void each_writer_of_a_word_keeps_the_bits_of_the_others(void **state)
{
	struct rig *r = *state;
	uint32_t drain = SPW_ADMIN_DRAIN << SPW_WORD_ADMIN_SHIFT, strays = SPW_WORD_STRAYS;

	r->words[ID].word = SPW_WORD_PICKABLE | SPW_WORD_BY_HAND | drain;
	dataplane_set_reset(&r->dp, ID, true);
	assert_true(r->dp.sweep.again); /* for UDP flows */
	dataplane_set_word(&r->dp, ID, false, true);
	assert_int_equal(word(r), SPW_WORD_UP | SPW_WORD_RESET | SPW_WORD_BY_HAND | drain | strays);
	assert_true(dataplane_admin_by_hand(&r->dp, ID));
	assert_int_equal(dataplane_admin(&r->dp, ID), SPW_ADMIN_DRAIN);
	dataplane_set_admin(&r->dp, ID, SPW_ADMIN_AUTO);
	assert_int_equal(word(r), SPW_WORD_UP | SPW_WORD_RESET | strays);
	assert_false(dataplane_admin_by_hand(&r->dp, ID));
	dataplane_set_admin_unkept(&r->dp, ID, SPW_ADMIN_DRAIN);
	assert_int_equal(word(r), SPW_WORD_UP | SPW_WORD_RESET | SPW_WORD_BY_HAND | drain | strays);
	dataplane_set_admin(&r->dp, ID, SPW_ADMIN_AUTO);
	dataplane_set_reset(&r->dp, ID, false);
	assert_int_equal(word(r), SPW_WORD_UP | strays);
}

static bool is_told_of_strays(struct rig *r)
{
	struct table_endpoint e = {.id = ID};
	struct tables have = {.endpoints = &e, .endpoint_count = 1};
	struct arena *a = arena_new();
	bool told;

	assert_non_null(a);
	dataplane_read_strays(&r->dp, a, &have);
	told = have.strays && have.strays[ID];
	arena_free(a);
	return told;
}

static void a_word_that_was_taken_back_tells_of_strays_until_they_are_seen(void **state)
{
	const uint32_t good = SPW_WORD_PICKABLE | SPW_WORD_UP;
	struct rig *r = *state;

	r->dp.endpoints_end = ID + 1;
	dataplane_set_word(&r->dp, ID, true, true);
	assert_int_equal(word(r), good);
	assert_false(is_told_of_strays(r) || dataplane_has_strays(&r->dp));
	dataplane_set_admin(&r->dp, ID, SPW_ADMIN_DOWN);
	dataplane_strays_seen(&r->dp); /* not while it cannot be picked */
	dataplane_end_strays(&r->dp);
	assert_true(is_told_of_strays(r) && !dataplane_has_strays(&r->dp));
	dataplane_set_admin(&r->dp, ID, SPW_ADMIN_AUTO);
	assert_true(is_told_of_strays(r) && dataplane_has_strays(&r->dp));
	dataplane_strays_seen(&r->dp);
	assert_false(is_told_of_strays(r) || dataplane_has_strays(&r->dp));
	assert_true(word(r) & SPW_WORD_STRAYS);
	/* Out and back once more: what was seen is no longer all. */
	dataplane_set_word(&r->dp, ID, false, false);
	dataplane_set_word(&r->dp, ID, true, true);
	dataplane_end_strays(&r->dp);
	assert_true(is_told_of_strays(r) && dataplane_has_strays(&r->dp));
	dataplane_strays_seen(&r->dp);
	dataplane_end_strays(&r->dp);
	assert_int_equal(word(r), good);
}

static void a_service_row_says_what_becomes_of_flows_without_endpoint(void **state)
{
	struct rig *r = *state;
	struct table_service services[] = {
		{.id = 1, .table = TABLE_NONE, .spare = TABLE_NONE, .live_flows = 4},
		{.id = 2, .table = TABLE_NONE, .spare = TABLE_NONE, .empty = true, .new_flows = 2},
	};
	const struct tables want = {.services = services, .service_count = 2};
	const struct spw_service_row *rows = r->service_rows;

	side_switch(&r->dp, &want);
	assert_int_equal(r->config.active, 1);
	assert_int_equal(rows[0 * 2 + 1].flags, 0);
	assert_int_equal(rows[1 * 2 + 1].flags, SPW_SERVICE_VALID);
	assert_int_equal(rows[1 * 2 + 1].new_flows, SPW_NO_ENDPOINT_ANSWER);
	assert_int_equal(rows[1 * 2 + 1].live_flows, SPW_NO_ENDPOINT_LEAVE);
	assert_int_equal(rows[2 * 2 + 1].flags, SPW_SERVICE_VALID | SPW_SERVICE_EMPTY);
	assert_int_equal(rows[2 * 2 + 1].new_flows, SPW_NO_ENDPOINT_DROP);
	assert_true(dataplane_apply_wait_ms(&r->dp) > 0);
	side_switch(&r->dp, NULL);
	assert_int_equal(r->config.active, 0);
	assert_memory_equal(&rows[2 * 2], &rows[2 * 2 + 1], sizeof(rows[0]));
}

static void an_address_of_a_service_is_known_as_a_vip(void **state)
{
	struct rig *r = *state;
	struct table_service services[SERVICES] = {0};
	const struct tables want = {.services = services, .service_count = SERVICES};
	struct spw_addr other;

	assert_int_equal(addr_parse("192.0.2.9", &other), 0);
	assert_false(side_is_vip(&r->dp, &other));
	for (size_t i = 0; i < SERVICES; i++) {
		services[i].vip = other;
		services[i].vip.b[15] = (uint8_t)(3 * (SERVICES - i)); /* in falling order */
		services[i].port = 80;
	}
	assert_int_equal(side_bind(&r->dp, &want), 0);
	for (size_t i = 0; i < SERVICES; i++)
		assert_true(side_is_vip(&r->dp, &services[i].vip));
	other.b[15] = 4;
	assert_false(side_is_vip(&r->dp, &other));
}

static struct table_slots slots_at(uint32_t line, uint32_t size)
{
	return (struct table_slots){.base = line * SPW_LINE_SLOTS, .size = size};
}

static void lines_that_are_no_longer_used_rest(void **state)
{
	struct rig *r = *state;
	struct table_slots before[] = {slots_at(9, 31), slots_at(2, 64), slots_at(5, 33)};
	struct table_slots after[] = {slots_at(2, 64), slots_at(20, 1), slots_at(9, 31)};
	struct arena *a = arena_new();
	struct line_space resting, motions;

	r->dp.slot_space.unit = SPW_LINE_SLOTS;
	spaces_set(&r->dp, &(struct tables){.slots = before, .slots_count = 3});
	spaces_set(&r->dp, &(struct tables){.slots = after, .slots_count = 3});
	dataplane_resting(&r->dp, a, &resting, &motions);
	assert_int_equal(resting.resting_count, 1);
	assert_int_equal(resting.resting[0].base, 5 * SPW_LINE_SLOTS);
	assert_int_equal(resting.resting[0].lines, 2);
	spaces_set(&r->dp, &(struct tables){0});
	dataplane_resting(&r->dp, a, &resting, &motions);
	assert_int_equal(resting.resting_count, 4);
	space_done(&r->dp.slot_space);
	space_done(&r->dp.motion_space);
	arena_free(a);
}

#define IN_RIG(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

/* An endpoint of that mode behind this next hop, on an attached interface. */
static const char *obstacle_of(struct rig *r, struct arena *a, uint8_t mode, const char *hop)
{
	struct spw_endpoint *row = &r->endpoints[ID];

	row->mode = mode;
	assert_int_equal(addr_parse("10.0.0.1", &row->addr), 0);
	r->next_hops[ID] = (struct next_hop){.kind = ROUTE_FORWARD, .ifindex = 7};
	assert_int_equal(addr_parse(hop, &r->next_hops[ID].addr), 0);
	r->interface = (struct interface){.link = {.ifindex = 7, .name = "eth7"}, .bpf_link = 0};
	r->interface.driver.xdp_xmit = true;
	r->dp.interfaces = &r->interface;
	r->dp.interface_count = 1;
	return dataplane_endpoint_obstacle(&r->dp, a, ID);
}

static void a_router_is_an_obstacle_to_mode_l2_only(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct rig *r = *state;

	r->endpoints[ID].source_count = 1;
	assert_string_equal(obstacle_of(r, a, SPW_MODE_L2, "10.0.9.9"),
			    "its packets would go to the router 10.0.9.9, and mode l2 reaches only "
			    "hosts on a link of this gateway: put it on one, or use mode ipip");
	assert_null(obstacle_of(r, a, SPW_MODE_L2, "10.0.0.1"));
	assert_null(obstacle_of(r, a, SPW_MODE_IPIP, "10.0.9.9"));
	assert_null(obstacle_of(r, a, SPW_MODE_GUE, "10.0.9.9"));
	assert_null(obstacle_of(r, a, SPW_MODE_NAT, "10.0.9.9"));
}

static void an_outer_header_needs_a_source_of_the_route_or_a_prefix(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct spw_tunnels t = {.bits6 = 16};
	struct rig *r = *state;
	const char *text;

	assert_null(obstacle_of(r, a, SPW_MODE_L2, "10.0.0.1"));
	text = obstacle_of(r, a, SPW_MODE_NAT, "10.0.0.1");
	assert_non_null(strstr(text, "--source-address"));
	assert_null(strstr(text, "--tunnel-source"));
	assert_int_equal(addr_parse("fd00:6::", &t.source6), 0);
	tunnels_put(&r->dp, &t);
	assert_non_null(strstr(obstacle_of(r, a, SPW_MODE_IPIP, "10.0.0.1"), "--tunnel-source"));
	assert_int_equal(addr_parse("172.16.0.0", &t.source4), 0);
	t.gue_port = htons(5555);
	tunnels_put(&r->dp, &t);
	assert_memory_equal(&r->tunnels, &t, sizeof(t));
	assert_null(obstacle_of(r, a, SPW_MODE_IPIP, "10.0.0.1"));
	assert_null(obstacle_of(r, a, SPW_MODE_GUE, "10.0.9.9"));
	assert_non_null(obstacle_of(r, a, SPW_MODE_NAT, "10.0.0.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_RIG(an_endpoint_row_holds_its_flags),
		IN_RIG(an_endpoint_of_the_userspace_path_has_no_way),
		IN_RIG(the_same_address_in_another_mode_is_another_endpoint),
		IN_RIG(a_removed_endpoint_is_reset_if_its_row_says_so),
		IN_RIG(a_removed_endpoint_leaves_its_flows_otherwise),
		IN_RIG(an_endpoint_that_comes_back_is_reset_no_more),
		IN_RIG(a_changed_row_leaves_the_reset_of_a_drain_in_force),
		IN_RIG(a_number_that_changes_hands_starts_from_nothing),
		IN_RIG(signals_beyond_the_map_are_none),
		IN_RIG(each_writer_of_a_word_keeps_the_bits_of_the_others),
		IN_RIG(a_word_that_was_taken_back_tells_of_strays_until_they_are_seen),
		IN_RIG(a_service_row_says_what_becomes_of_flows_without_endpoint),
		IN_RIG(an_address_of_a_service_is_known_as_a_vip),
		IN_RIG(a_router_is_an_obstacle_to_mode_l2_only),
		IN_RIG(an_outer_header_needs_a_source_of_the_route_or_a_prefix),
		IN_RIG(lines_that_are_no_longer_used_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
