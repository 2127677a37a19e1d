/* SPDX-License-Identifier: BSD-2-Clause */
/* The way out: next hops, interfaces, and every reason not to send. */
#include "groups.h"
#include "world.h"

#include <arpa/inet.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "spillway.skel.h"

static void a_packet_with_its_last_hop_left_ends_here(void **state)
{
	static const uint32_t services[] = {TCP4, UDP4, TCP6, UDP6};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		uint32_t id = i < 2 ? WEB4_A : WEB6_A;
		struct desc d = from_client(services[i]), sent, reply;

		d.ttl = 1;
		world_expect_exceeded(world.if_client, &d);
		assert_int_equal(world_flow_count(), 2 * i);
		d.ttl = 2;
		sent = world_expect_to(id, &d);
		d.ttl = 1;
		world_expect_exceeded(world.if_client, &d);
		reply = from_endpoint(&sent);
		reply.ttl = 1;
		world_expect_exceeded(world.if_server, &reply);
		reply.ttl = 255;
		world_expect_reply(world.if_server, &d, &reply);
	}
}

static void an_endpoint_behind_the_clients_interface_is_reached_by_tx(void **state)
{
	struct desc d = from_client(TCP4), sent, reply;

	(void)state;
	world_serve(TCP4, (uint16_t[]){NEAR4}, 1);
	sent = world_expect_to(NEAR4, &d);
	reply = from_endpoint(&sent);
	world_expect_reply(world.if_client, &d, &reply);
	assert_int_equal(world_stat(SPW_FORWARD_TX), 2);
}

static void without_tx_the_same_interface_is_left_by_redirect(void **state)
{
	struct desc d = from_client(TCP4);
	struct frame out;

	(void)state;
	world_attach(world.if_client, 0);
	world_serve(TCP4, (uint16_t[]){NEAR4}, 1);
	assert_int_equal(world_send(world.if_client, &d, &out), XDP_REDIRECT);
	assert_int_equal(world_stat(SPW_FORWARD_REDIRECT), 1);
}

static void an_endpoint_behind_a_router_gets_the_routers_mac(void **state)
{
	struct desc d = from_client(TCP4);

	(void)state;
	world_serve(TCP4, (uint16_t[]){FAR4}, 1);
	world_expect_to(FAR4, &d);
}

static void ways_that_cannot_be_gone_have_a_name_each(void **state)
{
	static const struct {
		uint32_t service;
		uint16_t endpoint;
		enum spw_stat row;
	} ways[] = {
		{TCP4, UNATTACHED4, SPW_DROP_NOT_ATTACHED},
		{TCP4, SILENT4, SPW_DROP_NO_NEIGHBOUR},
		{TCP6, SILENT6, SPW_DROP_NO_NEIGHBOUR},
		{UDP4, FAR_SILENT4, SPW_DROP_NO_NEIGHBOUR},
		{TCP4, LOST4, SPW_DROP_NO_ROUTE},
		{UDP4, LOCAL4, SPW_DROP_NO_ROUTE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct desc d = from_client(ways[i].service);

		d.sport = (uint16_t)(d.sport + i);
		world_serve(ways[i].service, &ways[i].endpoint, 1);
		world_expect_end(world.if_client, &d, ways[i].row);
	}
	assert_int_equal(world_stat(SPW_FORWARD_REDIRECT), 0);
}

static void a_packet_larger_than_the_way_out_is_dropped(void **state)
{
	static const uint32_t services[] = {UDP4, UDP6};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct desc d = from_client(services[i]);

		d.payload = 1400 - desc_l3_len(&d) + d.payload;
		world_expect_to(i ? WEB6_A : WEB4_A, &d);
		d.payload++;
		world_expect_too_big(world.if_client, &d, 1400);
	}
}

static void a_reply_larger_than_the_clients_link_is_dropped(void **state)
{
	struct desc d = from_client(UDP4), sent = world_expect_to(WEB4_A, &d);
	struct desc reply = from_endpoint(&sent);

	(void)state;
	reply.payload = 1500 - desc_l3_len(&reply) + reply.payload;
	world_expect_reply(world.if_server, &d, &reply);
	reply.payload++;
	world_expect_too_big(world.if_server, &reply, 1500);
}

static void without_forwarding_nothing_is_sent(void **state)
{
	static const char path[] = "/proc/sys/net/ipv4/conf/client/forwarding";
	struct desc d = from_client(TCP4);

	(void)state;
	assert_int_equal(world_sysctl(path, "0"), 0);
	world_expect_end(world.if_client, &d, SPW_DROP_FWD_DISABLED);
	assert_int_equal(world_sysctl(path, "1"), 0);
	world_expect_to(WEB4_A, &d);
}

static void an_interface_without_a_redirect_entry_is_our_own_mistake(void **state)
{
	struct desc d = from_client(TCP4);
	struct frame out;

	(void)state;
	assert_int_equal(
		bpf_map_delete_elem(bpf_map__fd(world.skel->maps.tx_ports), &world.if_server), 0);
	assert_int_equal(world_send(world.if_client, &d, &out), XDP_DROP);
	assert_int_equal(world_stat(SPW_DROP_INTERNAL), 1);
}

static void a_reply_is_routed_when_the_clients_way_is_not_known(void **state)
{
	struct desc d = from_client(UDP4), sent, reply;
	struct desc routed = d;
	struct flow f;

	(void)state;
	sent = world_expect_to(WEB4_A, &d);
	reply = from_endpoint(&sent);
	assert_true(world_flow(&reply, &f));
	f.client_ifindex = 0;
	world_put_flow(&reply, &f);
	mac_of(&d.src, routed.smac); /* its neighbour entry */
	world_expect_reply(world.if_server, &routed, &reply);
	f.client_ifindex = (uint32_t)world.if_other; /* not attached */
	world_put_flow(&reply, &f);
	world_expect_reply(world.if_server, &routed, &reply);
	world_detach(world.if_client);
	world_expect_end(world.if_server, &reply, SPW_DROP_NOT_ATTACHED);
}

struct heard {
	struct spw_event events[64];
	size_t count;
};

static int hear(void *ctx, void *data, size_t size)
{
	struct heard *h = ctx;

	assert_int_equal(size, sizeof(h->events[0]));
	assert_in_range(h->count, 0, 63);
	memcpy(&h->events[h->count++], data, size);
	return 0;
}

static struct heard listen_events(void)
{
	struct heard h = {};
	struct ring_buffer *rb =
		ring_buffer__new(bpf_map__fd(world.skel->maps.events), hear, &h, NULL);

	assert_non_null(rb);
	assert_true(ring_buffer__consume(rb) >= 0);
	ring_buffer__free(rb);
	return h;
}

static void an_unresolved_next_hop_is_told_once_in_a_while(void **state)
{
	static const struct {
		uint32_t service;
		uint16_t endpoint;
		const char *next_hop;
	} rows[] = {{UDP4, SILENT4, "10.2.0.99"},
		    {UDP6, SILENT6, "fd00:2::99"},
		    {UDP4, FAR_SILENT4, "10.2.0.98"}};

	(void)state;
	listen_events();
	for (size_t i = 0; i < 3; i++) {
		struct desc d = from_client(rows[i].service);
		struct spw_addr want = addr_of(rows[i].next_hop);
		struct heard h;

		world_serve(rows[i].service, &rows[i].endpoint, 1);
		for (uint16_t n = 0; n < 20; n++) {
			d.sport = (uint16_t)(5000 + 20 * i + n);
			world_expect_end(world.if_client, &d, SPW_DROP_NO_NEIGHBOUR);
		}
		h = listen_events();
		assert_in_range(h.count, 1, 2); /* 20 packets take less than 100 ms */
		assert_int_equal(h.events[0].type, SPW_EVENT_NO_NEIGHBOUR);
		assert_int_equal(h.events[0].ifindex, world.if_server);
		assert_memory_equal(&h.events[0].addr, &want, sizeof(want));
	}
}

int way_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest way[] = {
		T(a_packet_with_its_last_hop_left_ends_here),
		T(an_endpoint_behind_the_clients_interface_is_reached_by_tx),
		T(without_tx_the_same_interface_is_left_by_redirect),
		T(an_endpoint_behind_a_router_gets_the_routers_mac),
		T(ways_that_cannot_be_gone_have_a_name_each),
		T(a_packet_larger_than_the_way_out_is_dropped),
		T(a_reply_larger_than_the_clients_link_is_dropped),
		T(without_forwarding_nothing_is_sent),
		T(an_interface_without_a_redirect_entry_is_our_own_mistake),
		T(a_reply_is_routed_when_the_clients_way_is_not_known),
		T(an_unresolved_next_hop_is_told_once_in_a_while),
	};
#undef T

	return cmocka_run_group_tests(way, NULL, NULL);
}
