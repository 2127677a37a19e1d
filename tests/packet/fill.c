/* SPDX-License-Identifier: BSD-2-Clause */
/* Fills the maps as the daemon would, and empties them between tests. */
#include "world.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "spillway.skel.h"
#include "tables/perfect.h"

#define FIRST_PORT	20000
#define SLOTS_A_SERVICE 512 /* a multiple of SPW_LINE_SLOTS; spare tables lie behind all others */

static const struct {
	const char *addr;
	uint16_t port;
	uint8_t sources;
} endpoint_rows[WORLD_ENDPOINT_COUNT] = {
	[WEB4_A] = {"10.2.0.11", 8080, 2},	[WEB4_B] = {"10.2.0.12", 8080, 2},
	[WEB4_C] = {"10.2.0.13", 8080, 2},	[WEB6_A] = {"fd00:2::11", 8080, 1},
	[WEB6_B] = {"fd00:2::12", 8080, 1},	[NEAR4] = {"10.1.0.50", 8080, 2},
	[FAR4] = {"10.9.0.11", 8080, 2},	[UNATTACHED4] = {"10.3.0.11", 8080, 2},
	[SILENT4] = {"10.2.0.99", 8080, 2},	[SILENT6] = {"fd00:2::99", 8080, 1},
	[LOST4] = {"172.31.0.1", 8080, 2},	[LOCAL4] = {"10.2.0.1", 8080, 2},
	[SOURCELESS4] = {"10.2.0.12", 9090, 0}, [FAR_SILENT4] = {"10.8.0.11", 8080, 2},
	[HAND_A] = {"100::1", 8443, 0},		[HAND_B] = {"100::2", 8443, 0},
};

static void put(struct bpf_map *map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), 0);
}

static void empty(struct bpf_map *map)
{
	uint8_t key[64];

	while (!bpf_map_get_next_key(bpf_map__fd(map), NULL, key))
		(void)bpf_map_delete_elem(bpf_map__fd(map), key);
}

struct spw_endpoint world_endpoint(uint32_t id)
{
	struct spw_endpoint e;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(world.skel->maps.endpoints), &id, &e), 0);
	return e;
}

void world_put_endpoint(uint32_t id, const struct spw_endpoint *e)
{
	put(world.skel->maps.endpoints, &id, e);
}

void world_set_word(uint32_t id, uint32_t word)
{
	struct spw_word w = {.word = word};

	put(world.skel->maps.endpoint_words, &id, &w);
}

void world_put_slots(uint32_t base, const uint16_t *ids, uint32_t count)
{
	for (uint32_t at = 0; at < count; at += SPW_LINE_SLOTS) {
		struct spw_slot_line line = {};
		uint32_t key = (base + at) / SPW_LINE_SLOTS;

		for (uint32_t i = 0; i < SPW_LINE_SLOTS && at + i < count; i++)
			line.endpoint[i] = ids[at + i];
		put(world.skel->maps.slots, &key, &line);
	}
}

struct spw_service_row world_row(uint32_t service, uint32_t side)
{
	uint32_t key = service * 2 + side;
	struct spw_service_row row;

	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(world.skel->maps.service_rows), &key, &row), 0);
	return row;
}

void world_row_on_side(uint32_t service, uint32_t side, const struct spw_service_row *row)
{
	uint32_t key = service * 2 + side;

	put(world.skel->maps.service_rows, &key, row);
}

void world_serve(uint32_t service, const uint16_t *ids, uint32_t count)
{
	struct spw_service_row row = world_row(service, world.config.active);

	row.flags = SPW_SERVICE_VALID;
	row.table.base = service * SLOTS_A_SERVICE;
	row.table.size = count;
	world_put_slots(row.table.base, ids, count);
	world_row_on_side(service, world.config.active, &row);
}

void world_serve_spare(uint32_t service, const uint16_t *ids, uint32_t count)
{
	struct spw_service_row row = world_row(service, world.config.active);

	row.spare.base = (WORLD_SERVICES + service) * SLOTS_A_SERVICE;
	row.spare.size = count;
	world_put_slots(row.spare.base, ids, count);
	world_row_on_side(service, world.config.active, &row);
}

void world_no_endpoint(uint32_t service, uint32_t flags, uint8_t new_flows, uint8_t live_flows)
{
	struct spw_service_row row = world_row(service, world.config.active);

	row.flags = SPW_SERVICE_VALID | flags;
	row.new_flows = new_flows;
	row.live_flows = live_flows;
	world_row_on_side(service, world.config.active, &row);
}

/* The perfect hash over all services so far, on both sides. */
static void fill_lookup(const struct spw_service_key *keys, const uint32_t *ids, size_t count)
{
	uint32_t slots = world.skel->rodata->slot_mask + 1;
	uint32_t displaces = world.skel->rodata->displace_mask + 1;
	struct spw_displace_line d[2] = {};
	struct spw_service_line s[2] = {};
	uint32_t seed = 0;

	assert_int_equal(slots, SPW_SERVICE_LINE);
	while (perfect_build(keys, ids, count, seed, d[0].at, displaces, s[0].id, slots))
		assert_true(++seed < 100);
	memcpy(d[0].at + displaces, d[0].at, displaces * sizeof(d[0].at[0]));
	s[1] = s[0];
	for (uint32_t i = 0; i < 2; i++) {
		world.config.settings[i].service_seed = seed;
		put(world.skel->maps.service_displace, &i, &d[i]);
		put(world.skel->maps.service_slots, &i, &s[i]);
	}
}

void world_put_service(uint32_t id, const char *vip, uint16_t port, uint8_t proto)
{
	struct spw_service_key key = {.vip = addr_of(vip), .port = htons(port), .proto = proto};
	struct spw_service_key keys[WORLD_SERVICES], *previous = NULL;
	uint32_t ids[WORLD_SERVICES];
	size_t count = 0;

	put(world.skel->maps.services, &key, &id);
	while (!bpf_map_get_next_key(bpf_map__fd(world.skel->maps.services), previous,
				     &keys[count])) {
		assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(world.skel->maps.services),
						     &keys[count], &ids[count]),
				 0);
		previous = &keys[count++];
	}
	fill_lookup(keys, ids, count);
	for (uint32_t side = 0; side < 2; side++) {
		struct spw_service_row row = world_row(id, side);

		row.key = key;
		world_row_on_side(id, side, &row);
	}
	world_put_config();
}

void world_put_config(void)
{
	uint32_t zero = 0;

	put(world.skel->maps.config, &zero, &world.config);
}

void world_set_ports(uint32_t count)
{
	for (uint32_t at = 0; at < count; at += SPW_LINE_SLOTS) {
		struct spw_port_line line = {};
		uint32_t key = at / SPW_LINE_SLOTS;

		for (uint32_t i = 0; i < SPW_LINE_SLOTS && at + i < count; i++)
			line.port[i] = htons((uint16_t)(FIRST_PORT + at + i));
		put(world.skel->maps.ports, &key, &line);
	}
	for (int side = 0; side < 2; side++) {
		world.config.settings[side].port_line = 0;
		world.config.settings[side].port_count = count;
	}
	world_put_config();
}

void world_attach(int ifindex, uint32_t flags)
{
	const uint8_t *mac = ifindex == world.if_client ? mac_gateway_client : mac_gateway_server;
	struct spw_interface row = {.ifindex = (uint32_t)ifindex,
				    .flags = flags,
				    .device = (uint32_t)ifindex,
				    .vlan = SPW_UNTAGGED,
				    .mtu = ifindex == world.if_server ? 1400 : 1500};
	uint32_t place = (uint32_t)ifindex % SPW_INTERFACES;

	memcpy(row.mac, mac, sizeof(row.mac));
	put(world.skel->maps.interfaces, &place, &row);
	put(world.skel->maps.tx_ports, &ifindex, &ifindex);
}

void world_detach(int ifindex)
{
	const struct spw_interface none = {};
	uint32_t place = (uint32_t)ifindex % SPW_INTERFACES;

	put(world.skel->maps.interfaces, &place, &none);
	(void)bpf_map_delete_elem(bpf_map__fd(world.skel->maps.tx_ports), &ifindex);
}

static void fill_config(void)
{
	struct spw_settings *s = &world.config.settings[0];

	memset(&world.config, 0, sizeof(world.config));
	s->source[0] = addr_of("10.2.0.1");
	s->source[1] = addr_of("10.2.0.3");
	s->source[2] = addr_of("fd00:2::1");
	memcpy(s->idle_s, (uint32_t[2][SPW_IDLE_MAX]){{30, 7200, 60}, {20, 180, 60}},
	       sizeof(s->idle_s));
	s->seed = 12345;
	world.config.settings[1] = *s;
}

static void fill_endpoints(void)
{
	for (uint32_t id = 1; id < WORLD_ENDPOINT_COUNT; id++) {
		struct spw_endpoint e = {
			.addr = addr_of(endpoint_rows[id].addr),
			.port = htons(endpoint_rows[id].port),
			.mode = id == HAND_A || id == HAND_B ? SPW_MODE_HANDOFF : SPW_MODE_NAT,
			.source_count = endpoint_rows[id].sources,
		};

		if (strchr(endpoint_rows[id].addr, ':'))
			e.source_first = 2;
		world_put_endpoint(id, &e);
		world_set_word(id, SPW_WORD_PICKABLE | SPW_WORD_UP);
	}
}

static void put_bit(const struct spw_addr *a)
{
	uint32_t bit = spw_addr_hash(a) & world.skel->rodata->addr_bits_mask;
	uint32_t line = bit / SPW_ADDR_LINE_BITS;
	struct spw_addr_line l;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(world.skel->maps.addr_bits), &line, &l),
			 0);
	l.w[bit % SPW_ADDR_LINE_BITS / 64] |= 1ull << bit % 64;
	put(world.skel->maps.addr_bits, &line, &l);
}

static void fill_addrs(void)
{
	static const struct {
		const char *addr;
		uint32_t flags;
	} rows[] = {
		{VIP4, SPW_ADDR_VIP},		{VIP6, SPW_ADDR_VIP},
		{"10.2.0.1", SPW_ADDR_SOURCE},	{"10.2.0.3", SPW_ADDR_SOURCE},
		{"fd00:2::1", SPW_ADDR_SOURCE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct spw_addr a = addr_of(rows[i].addr);

		put(world.skel->maps.addrs, &a, &rows[i].flags);
		put_bit(&a);
	}
}

static void fill_services(void)
{
	struct spw_service_row none = {};

	for (uint32_t i = 0; i < WORLD_SERVICES; i++) {
		world_row_on_side(i, 0, &none);
		world_row_on_side(i, 1, &none);
	}
	world_put_service(TCP4, VIP4, 80, IPPROTO_TCP);
	world_put_service(UDP4, VIP4, 53, IPPROTO_UDP);
	world_put_service(TCP6, VIP6, 80, IPPROTO_TCP);
	world_put_service(UDP6, VIP6, 53, IPPROTO_UDP);
	world_serve(TCP4, (uint16_t[]){WEB4_A}, 1);
	world_serve(UDP4, (uint16_t[]){WEB4_A}, 1);
	world_serve(TCP6, (uint16_t[]){WEB6_A}, 1);
	world_serve(UDP6, (uint16_t[]){WEB6_A}, 1);
}

static void forget_events(void)
{
	const uint64_t never = 0;

	for (uint32_t i = 0; i < bpf_map__max_entries(world.skel->maps.event_times); i++)
		put(world.skel->maps.event_times, &i, &never);
}

static void forget_hops(void)
{
	const struct spw_next_hop none = {};

	for (uint32_t id = 0; id < WORLD_ENDPOINT_COUNT; id++)
		put(world.skel->maps.next_hops, &id, &none);
}

static void forget_signals(void)
{
	const struct spw_signals none = {};

	for (uint32_t id = 0; id < WORLD_ENDPOINT_COUNT; id++)
		put(world.skel->maps.endpoint_signals, &id, &none);
}

/* As if no ICMP answer had been sent lately. */
static void forget_answers(void)
{
	size_t size = bpf_map__value_size(world.skel->maps.answers);
	size_t cpus = (size_t)libbpf_num_possible_cpus();
	uint8_t *none = calloc(cpus, size);
	uint32_t zero = 0;

	assert_non_null(none);
	put(world.skel->maps.answers, &zero, none);
	free(none);
}

int world_reset(void **state)
{
	(void)state;
	world_empty_flows();
	empty(world.skel->maps.addrs);
	empty(world.skel->maps.services);
	fill_config();
	world_set_ports(1000);
	fill_addrs();
	fill_endpoints();
	fill_services();
	forget_events();
	forget_signals();
	forget_hops();
	forget_answers();
	world_attach(world.if_client, SPW_IF_TX);
	world_attach(world.if_server, 0);
	memset(world.before, 0, sizeof(world.before));
	for (int i = 0; i < SPW_STAT_MAX; i++)
		world.before[i] = world_stat((enum spw_stat)i);
	return 0;
}
