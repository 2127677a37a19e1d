/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragments: those of a service's datagrams go the way of the first one, both ways, and each leaves
 * exactly as if the datagram that the far side gets had been cut into pieces.
 */
#include "groups.h"
#include "dataplane/ticks.h"
#include "world.h"

#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "spillway.skel.h"

#define IP	   FRAME_ETH
#define IP6_HEADER 40
#define PIECE	   600
#define PIECES	   3

static const struct {
	uint32_t service, endpoint;
} families[] = {{UDP4, WEB4_A}, {UDP6, WEB6_A}, {TCP4, WEB4_A}, {TCP6, WEB6_A}};

#define FAMILIES (sizeof(families) / sizeof(families[0]))

/* Bytes `nth * PIECE` and on of the datagram's payload, as a fragment with this identification. */
static void piece(const struct desc *d, uint32_t id, size_t nth, struct frame *f)
{
	size_t l4 = frame_l4(d), from = nth * PIECE, len, more, head = desc_is_v4(d) ? 0 : 8;
	struct frame whole;

	frame_build(d, &whole);
	len = whole.len - l4 - from;
	more = len > PIECE;
	len = more ? PIECE : len;
	memcpy(f->b, whole.b, l4);
	memcpy(f->b + l4 + head, whole.b + l4 + from, len);
	f->len = l4 + head + len;
	if (desc_is_v4(d)) {
		frame_put16(f, IP + 2, (uint16_t)(20 + len));
		frame_put16(f, IP + 4, (uint16_t)id);
		frame_put16(f, IP + 6, (uint16_t)(more << 13 | from / 8));
		frame_fix_ip4(f);
		return;
	}
	frame_put16(f, IP + 4, (uint16_t)(8 + len));
	f->b[IP + 6] = 44;
	f->b[l4] = d->proto;
	f->b[l4 + 1] = 0;
	frame_put16(f, l4 + 2, (uint16_t)(from | more));
	frame_put16(f, l4 + 4, (uint16_t)(id >> 16));
	frame_put16(f, l4 + 6, (uint16_t)id);
}

static uint32_t id_of(const struct desc *d, const struct frame *f)
{
	size_t at = frame_l4(d) + 4;

	if (desc_is_v4(d))
		return (uint32_t)(f->b[IP + 4] << 8 | f->b[IP + 5]);
	return (uint32_t)f->b[at] << 24 |
	       (uint32_t)(f->b[at + 1] << 16 | f->b[at + 2] << 8 | f->b[at + 3]);
}

/* Sends one and expects the same piece of `want` to leave; returns the identification it has. */
static uint32_t expect_piece(int ifindex, const struct desc *d, uint32_t id, size_t nth,
			     const struct desc *want)
{
	struct frame in, out, built;
	uint32_t new_id;

	piece(d, id, nth, &in);
	world_expect_verdict(ifindex, &in, &out, XDP_REDIRECT);
	new_id = id_of(want, &out);
	piece(want, new_id, nth, &built);
	frame_assert_equal(&out, &built);
	return new_id;
}

/* A flow of the service's, its packets from now on of PIECES pieces. */
struct flow_pair {
	struct desc client, sent, reply, answered;
};

static void grow(struct desc *d)
{
	d->payload = PIECES * PIECE - 100;
	d->seed = 99;
	if (d->proto == IPPROTO_TCP)
		d->flags = TCP_ACK;
}

static struct flow_pair open_flow(const struct desc *client, uint32_t endpoint)
{
	struct flow_pair f = {.client = *client, .sent = world_expect_to(endpoint, client)};

	grow(&f.client);
	f.reply = from_endpoint(&f.sent);
	grow(&f.sent);
	grow(&f.reply);
	f.sent.ttl = 63;
	f.answered = f.reply;
	f.answered.src = client->dst;
	f.answered.dst = client->src;
	f.answered.sport = client->dport;
	f.answered.dport = client->sport;
	f.answered.ttl = 63;
	memcpy(f.answered.smac, client->dmac, 6);
	memcpy(f.answered.dmac, client->smac, 6);
	return f;
}

static struct flow_pair flow_of_family(size_t i)
{
	struct desc d = from_client(families[i].service);

	return open_flow(&d, families[i].endpoint);
}

static void pieces_go_both_ways_byte_for_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAMILIES; i++) {
		struct flow_pair f = flow_of_family(i);
		uint32_t there = expect_piece(world.if_client, &f.client, 7, 0, &f.sent);
		uint32_t back = expect_piece(world.if_server, &f.reply, 7, 0, &f.answered);

		for (size_t n = 1; n < PIECES; n++) {
			assert_int_equal(expect_piece(world.if_client, &f.client, 7, n, &f.sent),
					 there);
			assert_int_equal(expect_piece(world.if_server, &f.reply, 7, n, &f.answered),
					 back);
		}
	}
	assert_int_equal(world_stat(SPW_COUNT_FORWARD_FRAGMENT), FAMILIES * 2 * PIECES);
}

/* Its checksum is of the whole datagram, and may be the sum of the piece's pseudo header by chance. */
static void a_first_piece_that_looks_unfinished_keeps_its_checksum(void **state)
{
	uint8_t bytes[PIECES * PIECE - 100] = "whatever";

	(void)state;
	world_attach(world.if_client, SPW_IF_TX | SPW_IF_PARTIAL);
	for (size_t i = 0; i < FAMILIES; i++) {
		struct flow_pair f = flow_of_family(i);

		f.client.bytes = f.sent.bytes = bytes;
		frame_look_partial(&f.client, bytes, PIECE);
		expect_piece(world.if_client, &f.client, 7, 0, &f.sent);
	}
	assert_int_equal(world_stat(SPW_COUNT_CHECKSUM_COMPLETED), 0);
}

static void a_first_piece_opens_a_flow(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct desc d = from_client(families[i].service);
		struct frame in, out;
		struct flow_pair f;

		grow(&d);
		piece(&d, 9, 0, &in);
		world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
		d.payload = 1;
		f = open_flow(&d, families[i].endpoint);
		expect_piece(world.if_client, &f.client, 9, 2, &f.sent);
		expect_piece(world.if_client, &f.client, 9, 1, &f.sent);
	}
	assert_int_equal(world_stat(SPW_COUNT_FLOW_CREATED), 2);
}

/* Twice the same datagram is one; the same number with other ports is another. */
static void a_piece_that_comes_twice_keeps_its_identification(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAMILIES; i++) {
		struct flow_pair f = flow_of_family(i), other;
		uint32_t id = expect_piece(world.if_client, &f.client, 5, 0, &f.sent);
		struct desc d = from_client(families[i].service);

		assert_int_equal(expect_piece(world.if_client, &f.client, 5, 0, &f.sent), id);
		assert_int_equal(expect_piece(world.if_client, &f.client, 5, 1, &f.sent), id);
		assert_int_equal(expect_piece(world.if_client, &f.client, 5, 1, &f.sent), id);
		d.sport++;
		other = open_flow(&d, families[i].endpoint);
		assert_int_not_equal(
			expect_piece(world.if_client, &other.client, 5, 0, &other.sent), id);
		expect_piece(world.if_client, &other.client, 5, 2, &other.sent);
	}
}

static void clients_with_one_identification_get_different_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAMILIES; i++) {
		struct desc d = from_client(families[i].service);
		struct flow_pair a = open_flow(&d, families[i].endpoint), b;
		uint32_t id_a, id_b;

		d.src.b[15]++;
		b = open_flow(&d, families[i].endpoint);
		id_a = expect_piece(world.if_client, &a.client, 77, 0, &a.sent);
		id_b = expect_piece(world.if_client, &b.client, 77, 0, &b.sent);
		assert_int_not_equal(id_a, id_b);
		for (size_t n = PIECES - 1; n; n--) {
			assert_int_equal(expect_piece(world.if_client, &b.client, 77, n, &b.sent),
					 id_b);
			assert_int_equal(expect_piece(world.if_client, &a.client, 77, n, &a.sent),
					 id_a);
		}
	}
}

/* As if a daemon ran: it is there to hold early ones. */
static void a_daemon_runs(void)
{
	world.config.hops_until = world_sweep(0).now + 60 * ticks_a_second();
	world_put_config();
}

struct heard {
	size_t count;
	struct spw_early last;
};

static int hear(void *ctx, void *data, size_t size)
{
	struct heard *h = ctx;

	assert_int_equal(size, sizeof(h->last));
	memcpy(&h->last, data, sizeof(h->last));
	h->count++;
	return 0;
}

static void pieces_before_the_first_are_handed_to_the_daemon(void **state)
{
	struct heard heard = {};
	struct ring_buffer *ring =
		ring_buffer__new(bpf_map__fd(world.skel->maps.early_fragments), hear, &heard, NULL);

	(void)state;
	assert_non_null(ring);
	(void)ring_buffer__consume(ring);
	heard.count = 0;
	for (size_t i = 0; i < FAMILIES; i++) {
		struct flow_pair f = flow_of_family(i);
		struct frame in, out;

		a_daemon_runs();
		piece(&f.client, (uint32_t)i, 2, &in);
		world_expect_verdict(world.if_client, &in, &out, XDP_DROP);
		assert_int_equal(ring_buffer__consume(ring), 1);
		assert_int_equal(heard.last.ifindex, world.if_client);
		assert_int_equal(heard.last.len, in.len);
		assert_memory_equal(heard.last.frame, in.b, in.len);
		expect_piece(world.if_client, &f.client, (uint32_t)i, 0, &f.sent);
		expect_piece(world.if_client, &f.client, (uint32_t)i, 1, &f.sent);
		expect_piece(world.if_client, &f.client, (uint32_t)i, 2, &f.sent);
		world.config.hops_until = 0;
		world_put_config();
	}
	assert_int_equal(world_stat(SPW_COUNT_FRAGMENT_EARLY), FAMILIES);
	assert_int_equal(heard.count, FAMILIES);
	ring_buffer__free(ring);
}

static void early_pieces_are_the_stacks_while_no_daemon_runs(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAMILIES; i++) {
		struct flow_pair f = flow_of_family(i);
		struct frame in;

		piece(&f.client, 4, 1, &in);
		world_expect_frame_end(world.if_client, &in, SPW_PASS_FRAGMENT);
	}
}

static void pieces_follow_a_first_that_is_passed(void **state)
{
	(void)state;
	a_daemon_runs();
	for (size_t i = 0; i < FAMILIES; i++) {
		struct desc d = from_client(families[i].service);
		struct frame in;

		d.dport = 81;
		grow(&d);
		piece(&d, 11, 0, &in);
		world_expect_frame_end(world.if_client, &in, SPW_PASS_NO_SERVICE);
		for (size_t n = 1; n < PIECES; n++) {
			piece(&d, 11, n, &in);
			world_expect_frame_end(world.if_client, &in, SPW_PASS_FRAGMENT);
		}
	}
	world.config.hops_until = 0;
	world_put_config();
}

static void pieces_follow_a_first_that_is_dropped(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct desc d = from_client(families[i].service);
		struct frame in, out;

		world_serve(families[i].service, (uint16_t[]){0}, 1);
		grow(&d);
		piece(&d, 12, 0, &in);
		world_expect_verdict(world.if_client, &in, &out, XDP_TX); /* ICMP */
		piece(&d, 12, 1, &in);
		world_expect_frame_end(world.if_client, &in, SPW_DROP_FRAGMENT);
	}
}

/* More datagrams than the table holds: none is refused, and the latest are whole. */
static void a_flood_of_first_pieces_leaves_the_table_as_large_as_it_was(void **state)
{
	struct flow_pair f = flow_of_family(0), g = flow_of_family(1);

	(void)state;
	for (uint32_t id = 0; id < 3 * SPW_FRAGMENT_LINES; id++) {
		expect_piece(world.if_client, &f.client, id, 0, &f.sent);
		expect_piece(world.if_client, &g.client, id, 0, &g.sent);
		expect_piece(world.if_client, &g.client, id, 1, &g.sent);
		expect_piece(world.if_client, &f.client, id, 1, &f.sent);
	}
}

static void icmp_and_others_in_pieces_are_passed_at_once(void **state)
{
	struct desc d = from_client(UDP4);
	struct frame in;

	(void)state;
	a_daemon_runs();
	grow(&d);
	for (size_t n = 0; n < PIECES; n++) {
		piece(&d, 21, n, &in);
		in.b[IP + 9] = IPPROTO_ICMP;
		frame_fix_ip4(&in);
		world_expect_frame_end(world.if_client, &in, SPW_PASS_FRAGMENT);
	}
	d = from_client(UDP6);
	grow(&d);
	for (size_t n = 0; n < PIECES; n++) {
		piece(&d, 21, n, &in);
		in.b[frame_l4(&d)] = IPPROTO_ICMPV6;
		world_expect_frame_end(world.if_client, &in, SPW_PASS_FRAGMENT);
	}
	world.config.hops_until = 0;
	world_put_config();
}

static int forget_datagrams(void **state)
{
	static const struct spw_fragment nothing;
	int fd = bpf_map__fd(world.skel->maps.fragments);

	for (uint32_t i = 0; i < SPW_FRAGMENT_LINES; i++)
		assert_int_equal(bpf_map_update_elem(fd, &i, &nothing, 0), 0);
	return world_reset(state);
}

int fragment_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, forget_datagrams)
	const struct CMUnitTest fragment[] = {
		T(pieces_go_both_ways_byte_for_byte),
		T(a_first_piece_that_looks_unfinished_keeps_its_checksum),
		T(a_first_piece_opens_a_flow),
		T(a_piece_that_comes_twice_keeps_its_identification),
		T(clients_with_one_identification_get_different_ones),
		T(pieces_before_the_first_are_handed_to_the_daemon),
		T(early_pieces_are_the_stacks_while_no_daemon_runs),
		T(pieces_follow_a_first_that_is_passed),
		T(pieces_follow_a_first_that_is_dropped),
		T(a_flood_of_first_pieces_leaves_the_table_as_large_as_it_was),
		T(icmp_and_others_in_pieces_are_passed_at_once),
	};
#undef T

	return cmocka_run_group_tests(fragment, NULL, NULL);
}
