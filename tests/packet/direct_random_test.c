/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random packets of direct return, of all modes, families and kinds: each leaves as it would if it were
 * built from scratch with one hop less, put behind its headers and tagged; and all of its checksums hold.
 */
#include "direct_world.h"
#include "groups.h"
#include "world.h"

#include <string.h>

#include <bpf/libbpf.h>

#include "dataplane/ticks.h"
#include "spillway.skel.h"

#define PACKETS	   100000
#define EPOCH	   500 /* packets until endpoints, modes and clients are others */
#define CLIENTS	   16  /* of each service */
#define WAY_MTU	   1400
#define IP6_END	   (FRAME_ETH + 40)
#define PIECE	   264 /* bytes of a fragment */
#define PIECES	   4
#define MSS_OPTION 4

enum kind { PLAIN, BETWEEN, PIECEWISE, UNFINISHED, ERROR, MSS, KINDS };

/* What a flow's outer headers have in common. */
struct mark {
	uint32_t label;
	uint16_t port;
	uint8_t source[16];
};

static struct {
	uint32_t rnd;
	bool generic;
	uint32_t in_vlan, out_vlan; /* SPW_UNTAGGED or one */
	uint8_t mode[UDP6 + 1];
	struct desc clients[UDP6 + 1][CLIENTS];
	struct mark marks[UDP6 + 1][CLIENTS];
	uint64_t sent[KINDS], tagged, finished;
	bool unfinished; /* the present packet leaves without its checksum, for the kernel to finish */
} play;

static const uint32_t endpoint_of[] = {[TCP4] = WEB4_A, FAR4, WEB6_A, WEB6_B};

static uint32_t below(uint32_t n)
{
	return random_u32(&play.rnd) % n;
}

static uint16_t get16(const struct frame *f, size_t at)
{
	return (uint16_t)(f->b[at] << 8 | f->b[at + 1]);
}

static uint32_t more_of(uint32_t service)
{
	const uint32_t ip = direct_is_v6(service) ? 40 : 20;

	return play.mode[service] == SPW_MODE_L2     ? 0
	       : play.mode[service] == SPW_MODE_IPIP ? ip
						     : ip + 8;
}

/* A row of the daemon's is the way, or there is none and the kernel's routes are. */
static void set_way(uint32_t id, bool row)
{
	struct spw_next_hop hop = {.ifindex = (uint32_t)world.if_server,
				   .vlan = (uint16_t)play.out_vlan,
				   .mtu = WAY_MTU};
	struct spw_endpoint e = world_endpoint(id);
	uint32_t now = 0;

	mac_of(&e.addr, hop.dmac);
	if (id == FAR4)
		memcpy(hop.dmac, mac_router, 6);
	memcpy(hop.smac, mac_gateway_server, 6);
	direct_put_row(world.skel->maps.next_hops, id, &hop);
	assert_true(ticks_now(bpf_program__fd(world.skel->progs.spillway_sweep), &now));
	world.config.hops_until = row ? now + 600 * ticks_a_second() : now;
}

static void new_client(uint32_t service, uint32_t n)
{
	struct desc *d = &play.clients[service][n];

	*d = from_client(service);
	for (int i = desc_is_v4(d) ? 13 : 2; i < 16; i++)
		d->src.b[i] = (uint8_t)below(256);
	d->sport = (uint16_t)below(65536);
	memset(&play.marks[service][n], 0, sizeof(play.marks[service][n]));
}

static void new_epoch(void)
{
	static const uint8_t modes[] = {SPW_MODE_L2, SPW_MODE_IPIP, SPW_MODE_GUE};
	static const uint32_t vlans[] = {SPW_UNTAGGED, 5, 200};
	struct spw_endpoint far = world_endpoint(FAR4);

	far.addr.b[14] = (uint8_t)below(256);
	far.addr.b[15] = (uint8_t)below(256);
	world_put_endpoint(FAR4, &far);
	play.generic = below(4) == 0;
	play.out_vlan = vlans[below(3)];
	world_attach(world.if_client,
		     SPW_IF_TX | SPW_IF_PARTIAL | (play.generic ? SPW_IF_GENERIC : 0));
	for (uint32_t s = TCP4; s <= UDP6; s++) {
		const uint32_t id = endpoint_of[s];

		play.mode[s] = modes[below(3)];
		direct_set_mode(id, play.mode[s]);
		world_serve(s, (uint16_t[]){(uint16_t)id}, 1);
		direct_set_row(s, 0);
		set_way(id, play.out_vlan != SPW_UNTAGGED || below(2));
		for (uint32_t n = 0; n < CLIENTS; n++)
			new_client(s, n);
	}
	direct_on();
}

static void vary(uint32_t service, struct desc *d, size_t header)
{
	const uint32_t room = WAY_MTU - more_of(service) - (uint32_t)header;

	d->payload = 0;
	d->payload = below(2) ? below(64) : below(room - (uint32_t)desc_l3_len(d) + 1);
	d->seed = below(UINT32_MAX);
	d->tos = (uint8_t)below(256);
	d->ttl = (uint8_t)(2 + below(254));
	d->flags = d->proto == IPPROTO_TCP ? (uint8_t)below(64) : 0;
	d->no_checksum = d->proto == IPPROTO_UDP && below(8) == 0;
}

static struct mark mark_of(const struct frame *got, const struct desc *d, uint8_t mode)
{
	const uint8_t *ip = got->b + FRAME_ETH;
	const bool v4 = desc_is_v4(d);
	struct mark m;

	memset(&m, 0, sizeof(m));
	memcpy(m.source, ip + (v4 ? 12 : 8), v4 ? 4 : 16);
	if (!v4)
		m.label = (uint32_t)((ip[1] & 15) << 16 | ip[2] << 8 | ip[3]);
	if (mode == SPW_MODE_GUE)
		m.port = (uint16_t)(ip[v4 ? 20 : 40] << 8 | ip[v4 ? 21 : 41]);
	return m;
}

static void expect_same_mark(uint32_t service, uint32_t n, const struct frame *got)
{
	static const struct mark none;
	const struct desc *d = &play.clients[service][n];
	struct mark *was = &play.marks[service][n], m = mark_of(got, d, play.mode[service]);

	if (play.mode[service] == SPW_MODE_L2)
		return;
	if (memcmp(was, &none, sizeof(m)) != 0)
		assert_memory_equal(was, &m, sizeof(m));
	*was = m;
}

/* As the kernel does, in place of what generic XDP leaves for it: the sum of the pseudo header. */
static void finish(uint32_t service, const struct desc *d, const struct frame *inner,
		   struct frame *out)
{
	const size_t check = frame_check_at(d), at = check + more_of(service);

	assert_int_equal(get16(out, at), frame_pseudo(d, inner->len - frame_l4(d)));
	frame_put16(out, at, get16(inner, check));
	play.finished++;
}

static void untag(struct frame *f)
{
	memmove(f->b + 12, f->b + 16, f->len - 16);
	f->len -= 4;
}

/*
 * Outer checksums once more, by adding up what left. Zero where `d` says so. The inner ones are as in
 * the frame that is expected inside.
 */
static void expect_sums(uint8_t mode, const struct desc *d, const struct frame *got)
{
	if (mode == SPW_MODE_GUE)
		assert_true(frame_sums_hold(got, d->no_checksum));
}

/* Sends `in`; what leaves is `inner` with one hop less, on its way to the service's endpoint. */
static void expect(uint32_t service, uint32_t n, const struct desc *d, const struct frame *in,
		   const struct frame *inner)
{
	const uint16_t tci = (uint16_t)(below(8) << 13 | 7);
	const bool tagged = below(3) == 0;
	struct frame sent = *in, out, want;

	if (tagged)
		frame_tag(&sent, tci);
	world_expect_verdict(world.if_client, &sent, &out, XDP_REDIRECT);
	if (play.out_vlan != SPW_UNTAGGED) {
		assert_int_equal(out.b[12] << 8 | out.b[13], 0x8100);
		assert_int_equal(out.b[14] << 8 | out.b[15],
				 play.out_vlan | (tagged ? tci & 0xe000u : 0));
		untag(&out);
	}
	if (play.unfinished)
		finish(service, d, inner, &out);
	direct_expected(play.mode[service], &out, endpoint_of[service], d, inner, &want);
	frame_assert_equal(&out, &want);
	expect_sums(play.mode[service], d, &out);
	expect_same_mark(service, n, &out);
	play.tagged += tagged;
}

static void send_plain(uint32_t service, uint32_t n)
{
	struct desc d = play.clients[service][n];
	struct frame in;

	vary(service, &d, 0);
	frame_build(&d, &in);
	expect(service, n, &d, &in, &in);
}

/* Padding, a router alert, a record of the route or timestamps, and the end. */
static size_t make_options(uint8_t bytes[40])
{
	static const uint8_t types[] = {148, 7, 68};
	const size_t len = 4 * (1 + below(10)), pad = below((uint32_t)len - 3);

	memset(bytes, 0, 40);
	memset(bytes, 1, pad);
	bytes[pad] = types[below(3)];
	bytes[pad + 1] = (uint8_t)(2 + below((uint32_t)(len - pad) - 1));
	for (size_t i = pad + 2; i < pad + bytes[pad + 1]; i++)
		bytes[i] = (uint8_t)below(256);
	return len;
}

/* One extension header at `at`, in front of `next`. */
static size_t make_extension(uint8_t *at, uint8_t type, uint8_t next)
{
	const size_t len = 8 * (type == 44 ? 1 : 1 + below(4));

	memset(at, 0, len);
	at[0] = next;
	if (type == 44) { /* an atomic fragment */
		at[7] = (uint8_t)below(256);
		return len;
	}
	at[1] = (uint8_t)(len / 8 - 1);
	at[2] = type == 43 ? 2 : 1; /* a way that is used up, or PadN over all the rest */
	at[3] = type == 43 ? 0 : (uint8_t)(len - 4);
	return len;
}

static size_t make_extensions(uint8_t bytes[128], uint8_t proto, uint8_t *first)
{
	static const uint8_t types[] = {60, 43, 44};
	const uint32_t count = 1 + below(3);
	uint8_t chain[4];
	size_t len = 0;

	for (uint32_t i = 0; i < count; i++)
		chain[i] = types[i];
	if (below(2))
		chain[0] = 0; /* hop-by-hop */
	chain[count] = proto;
	for (uint32_t i = 0; i < count; i++)
		len += make_extension(bytes + len, chain[i], chain[i + 1]);
	*first = chain[0];
	return len;
}

/* With options or extension headers. */
static void send_between(uint32_t service, uint32_t n)
{
	struct desc d = play.clients[service][n];
	const size_t at = frame_l4(&d);
	uint8_t bytes[128], first = 0;
	const size_t len =
		desc_is_v4(&d) ? make_options(bytes) : make_extensions(bytes, d.proto, &first);
	struct frame in;

	vary(service, &d, len);
	frame_build(&d, &in);
	memmove(in.b + at + len, in.b + at, in.len - at);
	memcpy(in.b + at, bytes, len);
	in.len += len;
	if (desc_is_v4(&d)) {
		in.b[FRAME_ETH] = (uint8_t)(0x45 + len / 4);
		frame_put16(&in, FRAME_ETH + 2, (uint16_t)(get16(&in, FRAME_ETH + 2) + len));
		frame_fix_ip4(&in);
	} else {
		in.b[FRAME_ETH + 6] = first;
		frame_put16(&in, FRAME_ETH + 4, (uint16_t)(get16(&in, FRAME_ETH + 4) + len));
	}
	d.no_checksum = true;
	expect(service, n, &d, &in, &in);
}

/* The nth piece of `whole`, as a fragment. */
static void cut(const struct desc *d, const struct frame *whole, uint16_t id, size_t nth,
		struct frame *f)
{
	const size_t l4 = frame_l4(d), from = nth * PIECE, head = desc_is_v4(d) ? 0 : 8;
	size_t len = whole->len - l4 - from;
	const bool more = len > PIECE;

	len = more ? PIECE : len;
	*f = *whole;
	memcpy(f->b + l4 + head, whole->b + l4 + from, len);
	f->len = l4 + head + len;
	if (desc_is_v4(d)) {
		frame_put16(f, FRAME_ETH + 2, (uint16_t)(20 + len));
		frame_put16(f, FRAME_ETH + 4, id);
		frame_put16(f, FRAME_ETH + 6, (uint16_t)(more << 13 | from / 8));
		frame_fix_ip4(f);
		return;
	}
	frame_put16(f, FRAME_ETH + 4, (uint16_t)(8 + len));
	f->b[FRAME_ETH + 6] = 44;
	memset(f->b + IP6_END, 0, 8);
	f->b[IP6_END] = d->proto;
	frame_put16(f, IP6_END + 2, (uint16_t)(from | more));
	frame_put16(f, IP6_END + 6, id);
}

/* A first fragment and those that follow, in any order. */
static void send_pieces(uint32_t service, uint32_t n)
{
	const uint16_t id = (uint16_t)below(65536);
	const size_t turn = below(PIECES - 1);
	struct desc d = play.clients[service][n];
	struct frame whole, in;

	vary(service, &d, 0);
	d.payload = (PIECES - 1) * PIECE + 1 + below(PIECE - 40);
	frame_build(&d, &whole);
	d.no_checksum = true;
	for (size_t i = 0; i < PIECES; i++) {
		cut(&d, &whole, id, i ? 1 + (i + turn) % (PIECES - 1) : 0, &in);
		expect(service, n, &d, &in, &in);
	}
}

/* From a local sender, who left the checksum to hardware. Generic XDP leaves it to the kernel. */
static void send_unfinished(uint32_t service, uint32_t n)
{
	struct desc d = play.clients[service][n];
	struct frame in, whole;

	vary(service, &d, 0);
	d.no_checksum = false;
	frame_build(&d, &whole);
	in = whole;
	frame_put16(&in, frame_check_at(&d), frame_pseudo(&d, in.len - frame_l4(&d)));
	play.unfinished = play.generic;
	expect(service, n, &d, &in, &whole);
	play.unfinished = false;
}

/* ICMP about what the endpoint sent to the client. */
static void send_error(uint32_t service, uint32_t n)
{
	struct desc d = play.clients[service][n], answer = d, error = d;
	const bool v4 = desc_is_v4(&d);
	struct frame quoted, in;
	size_t least;

	vary(service, &answer, v4 ? 28 : 48);
	answer.src = d.dst;
	answer.dst = d.src;
	answer.sport = d.dport;
	answer.dport = d.sport;
	frame_build(&answer, &quoted);
	vary(service, &error, 0);
	least = desc_l3_len(&answer) - answer.payload;
	error.proto = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	error.type = v4 ? 3 : 2;
	error.code = v4 ? 4 : 0;
	error.rest = 1280;
	error.no_checksum = false;
	error.bytes = quoted.b + FRAME_ETH;
	error.payload = least + below((uint32_t)answer.payload + 1);
	if (!v4 && error.payload > 1280 - 48) /* RFC 4443, 2.4 */
		error.payload = 1280 - 48;
	error.src = answer.dst;
	error.src.b[15] ^= 0x55; /* a router on the way */
	frame_build(&error, &in);
	expect(service, n, &error, &in, &in);
}

/* A SYN whose MSS may be more than fits the way with the outer headers. */
static void send_mss(uint32_t service, uint32_t n)
{
	const uint32_t limit = WAY_MTU - more_of(service) - (direct_is_v6(service) ? 60 : 40);
	const uint32_t mss = below(4) ? limit - 3 + below(6) : below(65536);
	const uint32_t lower = mss < limit ? mss : limit;
	const uint8_t before[MSS_OPTION] = {2, 4, (uint8_t)(mss >> 8), (uint8_t)mss};
	const uint8_t after[MSS_OPTION] = {2, 4, (uint8_t)(lower >> 8), (uint8_t)lower};
	struct desc d = play.clients[service][n];
	struct frame in, inner;

	if (d.proto != IPPROTO_TCP) {
		send_plain(service, n);
		return;
	}
	d.doff = 6;
	d.options = before;
	vary(service, &d, 0);
	d.flags = TCP_SYN;
	frame_build(&d, &in);
	d.options = after;
	frame_build(&d, &inner);
	expect(service, n, &d, &in, &inner);
}

static void random_packets_leave_in_headers_as_if_built_from_scratch(void **state)
{
	static void (*const send[KINDS])(uint32_t service, uint32_t n) = {
		send_plain, send_between, send_pieces, send_unfinished, send_error, send_mss};
	const uint32_t packets = repeats(PACKETS);

	(void)state;
	memset(&play, 0, sizeof(play));
	play.rnd = 20250202;
	for (uint32_t i = 0, next = 0; i < packets;) {
		const enum kind kind = below(KINDS);

		if (i >= next) {
			new_epoch();
			next = i + EPOCH;
		}
		send[kind](TCP4 + below(4), below(CLIENTS));
		play.sent[kind]++;
		i += kind == PIECEWISE ? PIECES : 1;
	}
	assert_int_equal(world_flow_count(), 0);
	for (int k = 0; k < KINDS; k++)
		assert_true(play.sent[k] > packets / 20);
	assert_true(play.finished && world_stat(SPW_COUNT_CHECKSUM_COMPLETED) > play.finished);
	print_message(
		"packets %u, tagged %llu, ICMP %llu, checksums finished %llu, MSS lowered %llu\n",
		packets, (unsigned long long)play.tagged,
		(unsigned long long)world_stat(SPW_COUNT_FORWARD_ICMP),
		(unsigned long long)world_stat(SPW_COUNT_CHECKSUM_COMPLETED),
		(unsigned long long)world_stat(SPW_COUNT_MSS_CLAMPED));
}

int direct_random_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(random_packets_leave_in_headers_as_if_built_from_scratch,
				       world_reset),
	};

	return cmocka_run_group_tests_name("direct, random", tests, NULL, NULL);
}
