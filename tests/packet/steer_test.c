/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program that finds sockets, with real ones: two endpoints of the userspace path, each with a
 * listening socket of each family. Connections come over loopback, which no XDP sees, or as frames of
 * the test's own making through the interface of the clients, with the packet path attached there.
 */
#include "groups.h"
#include "steer_sockets.h"
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "spillway.skel.h"
#include "steer.skel.h"

static const uint16_t hands[] = {HAND_A, HAND_B};
static struct steer_bpf *steer;
static struct bpf_link *steer_link;
static struct listeners sockets[2]; /* of `hands` */

static void put_socket(uint32_t endpoint, uint32_t family, int fd)
{
	uint32_t key = endpoint * SPW_STEER_FAMILIES + family;
	uint64_t value = (uint64_t)fd;
	int map = bpf_map__fd(world.skel->maps.steer_sockets);

	if (fd < 0)
		(void)bpf_map_delete_elem(map, &key);
	else
		assert_int_equal(bpf_map_update_elem(map, &key, &value, BPF_ANY), 0);
}

static void take_sockets(uint32_t endpoint)
{
	put_socket(endpoint, SPW_STEER_IPV4, -1);
	put_socket(endpoint, SPW_STEER_IPV6, -1);
}

static void share_maps(void)
{
	struct bpf_map *map, *shared;

	bpf_object__for_each_map(map, steer->obj)
	{
		shared = bpf_object__find_map_by_name(world.skel->obj, bpf_map__name(map));
		if (shared && !bpf_map__is_internal(map))
			assert_int_equal(bpf_map__reuse_fd(map, bpf_map__fd(shared)), 0);
	}
}

static int attach(void **state)
{
	int netns = steer_netns();

	(void)state;
	steer = steer_bpf__open();
	assert_non_null(steer);
	share_maps();
	assert_int_equal(sizeof(*steer->rodata), sizeof(*world.skel->rodata));
	memcpy(steer->rodata, world.skel->rodata, sizeof(*steer->rodata));
	assert_int_equal(steer_bpf__load(steer), 0);
	steer_link = bpf_program__attach_netns(steer->progs.spillway_steer, netns);
	assert_non_null(steer_link);
	close(netns);
	steer_vips_add();
	assert_int_equal(world_pass(false), 0);
	assert_int_equal(bpf_xdp_attach(world.if_client,
					bpf_program__fd(world.skel->progs.spillway_xdp), 0, NULL),
			 0);
	wire_open();
	return 0;
}

static int detach(void **state)
{
	(void)state;
	wire_close();
	assert_int_equal(bpf_xdp_detach(world.if_client, 0, NULL), 0);
	steer_vips_del();
	bpf_link__destroy(steer_link);
	steer_bpf__destroy(steer);
	return world_pass(true);
}

/* New sockets, and both services' flows to go to either endpoint. */
static int begin(void **state)
{
	int err = world_reset(state);

	for (size_t i = 0; i < 2; i++) {
		listeners_open(&sockets[i]);
		put_socket(hands[i], SPW_STEER_IPV4, sockets[i].v4);
		put_socket(hands[i], SPW_STEER_IPV6, sockets[i].v6);
	}
	world_serve(TCP4, hands, 2);
	world_serve(TCP6, hands, 2);
	return err;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		listeners_close(&sockets[i]);
	return world_sysctl(SYNCOOKIES, "1");
}

/* The endpoint whose socket has got a connection; SPW_ENDPOINT_NONE: nobody's. */
static uint32_t who_accepts(void)
{
	int at = listeners_accept(sockets, 2);

	return at < 0 ? SPW_ENDPOINT_NONE : hands[at];
}

/* Whom the packet path gives such a flow to. */
static uint32_t picked(const struct desc *d)
{
	struct frame out;
	struct flow f;

	assert_int_equal(world_send(world.if_client, d, &out), XDP_PASS);
	assert_true(world_flow(d, &f));
	return f.endpoint;
}

/* A SYN of this host's, whose connection is to be made over loopback. */
static struct desc from_here(uint32_t service, uint16_t port)
{
	struct desc d = from_client(service);

	d.src = addr_of(desc_is_v4(&d) ? "10.1.0.1" : "fd00:1::1");
	d.sport = port;
	return d;
}

static uint32_t connect_here(const struct desc *d)
{
	int fd = steer_connect(d);
	uint32_t by;

	assert_true(fd >= 0);
	by = who_accepts();
	close(fd);
	return by;
}

static void local_clients_meet_the_endpoint_that_others_would(void **state)
{
	uint32_t count[2] = {0};

	(void)state;
	for (uint16_t i = 0; i < 60; i++) {
		struct desc d = from_here(i % 2 ? TCP6 : TCP4, (uint16_t)(41000 + i));
		uint32_t want = picked(&d);

		world_empty_flows();
		assert_int_equal(connect_here(&d), want);
		count[want == HAND_B]++;
	}
	assert_true(count[0] > 10 && count[1] > 10);
	assert_int_equal(world_stat(SPW_COUNT_STEERED), 60);
	assert_int_equal(world_stat(SPW_COUNT_STEER_REPICKED), 60);
	assert_int_equal(world_flow_count(), 0);
}

static void the_entry_counts_and_not_the_table_as_it_is_by_now(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 20; i++) {
		struct desc d = from_here(i % 2 ? TCP6 : TCP4, (uint16_t)(42000 + i));
		uint16_t other;
		uint32_t want;

		world_serve(i % 2 ? TCP6 : TCP4, hands, 2);
		want = picked(&d);
		other = want == HAND_A ? HAND_B : HAND_A;
		world_serve(i % 2 ? TCP6 : TCP4, &other, 1);
		assert_int_equal(connect_here(&d), want);
	}
	assert_int_equal(world_stat(SPW_COUNT_STEER_REPICKED), 0);
}

static void an_endpoint_without_a_socket_is_passed_by(void **state)
{
	(void)state;
	take_sockets(HAND_A);
	for (uint16_t i = 0; i < 20; i++) {
		struct desc d = from_here(i % 2 ? TCP6 : TCP4, (uint16_t)(43000 + i));

		if (i < 10)
			(void)picked(&d);
		assert_int_equal(connect_here(&d), HAND_B);
	}
}

static void an_endpoint_that_was_taken_out_is_not_picked(void **state)
{
	(void)state;
	world_set_word(HAND_A, SPW_WORD_PICKABLE | SPW_ADMIN_DRAIN << SPW_WORD_ADMIN_SHIFT);
	for (uint16_t i = 0; i < 20; i++) {
		struct desc d = from_here(i % 2 ? TCP6 : TCP4, (uint16_t)(44000 + i));

		assert_int_equal(connect_here(&d), HAND_B);
	}
}

/* Endpoints of mode nat are none that the stack has a socket for. */
static void the_spare_table_and_the_last_look_are_taken_too(void **state)
{
	uint16_t many[64];
	struct desc d = from_here(TCP4, 45000);

	(void)state;
	world_serve(TCP4, (uint16_t[]){WEB4_A}, 1);
	world_serve_spare(TCP4, (uint16_t[]){HAND_B}, 1);
	assert_int_equal(connect_here(&d), HAND_B);
	for (size_t i = 0; i < 64; i++)
		many[i] = i % 8 ? WEB4_A : HAND_A;
	world_serve(TCP4, many, 64);
	world_serve_spare(TCP4, (uint16_t[]){WEB4_B}, 1);
	d.sport++;
	assert_int_equal(connect_here(&d), HAND_A);
}

static void expect_refused_here(const struct desc *d)
{
	assert_int_equal(steer_connect(d), -ECONNREFUSED);
}

static void without_any_socket_the_host_answers_itself(void **state)
{
	struct desc d = from_here(TCP4, 46000);
	int own;

	(void)state;
	take_sockets(HAND_A);
	take_sockets(HAND_B);
	expect_refused_here(&d);
	assert_int_equal(world_stat(SPW_COUNT_STEER_NO_SOCKET), 1);
	own = steer_listen(VIP4, 80);
	d.sport++;
	assert_true(steer_connect_closes(&d));
	close(own);
	world_no_endpoint(TCP4, SPW_SERVICE_EMPTY, SPW_NO_ENDPOINT_PASS, SPW_NO_ENDPOINT_LEAVE);
	put_socket(HAND_A, SPW_STEER_IPV4, sockets[0].v4);
	d.sport++;
	expect_refused_here(&d);
	assert_int_equal(world_stat(SPW_COUNT_STEER_NO_SOCKET), 2);
}

static void what_is_no_service_of_the_userspace_path_is_left_alone(void **state)
{
	struct desc d = from_here(TCP4, 47000);

	(void)state;
	d.dport = 81;
	expect_refused_here(&d);
	d.dport = 80;
	d.dst = addr_of("10.2.0.1");
	expect_refused_here(&d);
	d.dst = addr_of(VIP4);
	world_serve(TCP4, (uint16_t[]){WEB4_A}, 1);
	expect_refused_here(&d);
	assert_int_equal(world_stat(SPW_COUNT_STEERED), 0);
	assert_int_equal(world_stat(SPW_COUNT_STEER_NO_SOCKET), 0);
}

/* The client's part of a handshake on the wire; `between` SYN and ACK something may change. */
static uint32_t handshake(const struct desc *syn, void (*between)(const struct desc *syn))
{
	struct desc d = *syn;

	wire_send(&d);
	d.ack = wire_answer(&d) + 1;
	d.seq++;
	d.flags = TCP_ACK;
	if (between)
		between(syn);
	wire_send(&d);
	return who_accepts();
}

static struct desc on_the_wire(uint32_t service, uint16_t port)
{
	struct desc d = from_client(service);

	d.sport = port;
	d.seq = 1000;
	return d;
}

static uint32_t endpoint_of(const struct desc *d)
{
	struct flow f;

	assert_true(world_flow(d, &f));
	return f.endpoint;
}

static void remote_clients_meet_the_socket_of_their_flow(void **state)
{
	uint32_t count[2] = {0};

	(void)state;
	for (uint16_t i = 0; i < 40; i++) {
		struct desc d = on_the_wire(i % 2 ? TCP6 : TCP4, (uint16_t)(48000 + i));
		uint32_t got = handshake(&d, NULL);

		assert_int_equal(got, endpoint_of(&d));
		count[got == HAND_B]++;
	}
	assert_true(count[0] > 5 && count[1] > 5);
	assert_int_equal(world_stat(SPW_COUNT_STEER_REPICKED), 0);
	assert_int_equal(world_stat(SPW_COUNT_STEERED), 40);
}

/* The other endpoint only, from now on, and the first may not be picked any more. */
static void change_table(const struct desc *syn)
{
	uint16_t was = (uint16_t)endpoint_of(syn), other = was == HAND_A ? HAND_B : HAND_A;

	world_serve(desc_is_v4(syn) ? TCP4 : TCP6, &other, 1);
	world_set_word(was, SPW_WORD_UP);
}

static void lose_entry(const struct desc *syn)
{
	(void)syn;
	world_empty_flows();
}

/* The ACK that has the cookie finds no request and asks for a listener again. */
static void a_cookie_comes_back_to_the_socket_that_made_it(void **state)
{
	(void)state;
	assert_int_equal(world_sysctl(SYNCOOKIES, "2"), 0);
	for (uint16_t i = 0; i < 20; i++) {
		struct desc d = on_the_wire(i % 2 ? TCP6 : TCP4, (uint16_t)(49000 + i));
		uint32_t got;

		world_serve(i % 2 ? TCP6 : TCP4, hands, 2);
		world_set_word(HAND_A, SPW_WORD_UP | SPW_WORD_PICKABLE);
		world_set_word(HAND_B, SPW_WORD_UP | SPW_WORD_PICKABLE);
		got = handshake(&d, change_table);
		assert_int_not_equal(got, SPW_ENDPOINT_NONE);
		assert_int_equal(got, endpoint_of(&d));
	}
	assert_int_equal(world_stat(SPW_COUNT_STEERED), 40);
	assert_int_equal(world_stat(SPW_COUNT_STEER_REPICKED), 0);
}

static void a_cookie_comes_back_without_an_entry_too(void **state)
{
	(void)state;
	assert_int_equal(world_sysctl(SYNCOOKIES, "2"), 0);
	for (uint16_t i = 0; i < 20; i++) {
		struct desc d = on_the_wire(i % 2 ? TCP6 : TCP4, (uint16_t)(50000 + i));
		uint32_t want = picked(&d);

		assert_int_equal(handshake(&d, lose_entry), want);
	}
	assert_int_equal(world_stat(SPW_COUNT_STEER_REPICKED), 20);
}

int steer_tests(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest steers[] = {
		T(local_clients_meet_the_endpoint_that_others_would),
		T(the_entry_counts_and_not_the_table_as_it_is_by_now),
		T(an_endpoint_without_a_socket_is_passed_by),
		T(an_endpoint_that_was_taken_out_is_not_picked),
		T(the_spare_table_and_the_last_look_are_taken_too),
		T(without_any_socket_the_host_answers_itself),
		T(what_is_no_service_of_the_userspace_path_is_left_alone),
		T(remote_clients_meet_the_socket_of_their_flow),
		T(a_cookie_comes_back_to_the_socket_that_made_it),
		T(a_cookie_comes_back_without_an_entry_too),
	};
#undef T

	return cmocka_run_group_tests(steers, attach, detach);
}
