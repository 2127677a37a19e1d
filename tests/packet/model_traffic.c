/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failures are counted and the first one is described: cmocka belongs to the main thread. Each packet
 * is compared with one built from scratch, for the endpoint that it went to.
 */
#include "model_traffic.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "cpus.h"
#include "world.h"

#define CPUS	   2
#define FLOWS	   100 /* of each CPU at a time */
#define REOPEN	   256 /* one of so many turns ends a flow and opens another */
#define FIRST_PORT 1024
#define CPU_PORTS  30000

struct live {
	bool open;
	uint32_t member, removals; /* of the member, when the latest packet went there */
	struct desc client, sent;
};

struct sender {
	pthread_t thread;
	/* 0, or 1 more than the number of the moment in which its present packet began. */
	_Atomic uint64_t flight;
	unsigned int cpu;
	uint32_t rnd, next_port;
	/* What the present packet may have seen; the same twice when that is certain. */
	const struct member *before, *after;
	struct live flows[FLOWS];
	struct traffic_sum sum;
};

static struct {
	struct sender senders[CPUS];
	struct moment
		moments[2];	 /* number / 2 of the one in force; the other one is next, or was */
	_Atomic uint64_t number; /* odd: a step is under way */
	atomic_int prog;
	atomic_bool over;
	bool goes_on;
} traffic;

static uint32_t below(struct sender *s, uint32_t n)
{
	return random_u32(&s->rnd) % n;
}

/* The main thread looks at `flight` before it makes the next number, so one of both sees the other. */
static uint64_t take_off(struct sender *s)
{
	uint64_t number;

	do {
		number = traffic.number;
		s->flight = number + 1;
	} while (traffic.number != number);
	return number;
}

static void look_around(struct sender *s, uint64_t began)
{
	const bool sure = !(began & 1) && traffic.number == began;

	s->before = traffic.moments[began / 2 % 2].pool;
	s->after = sure ? s->before : traffic.moments[(began / 2 + 1) % 2].pool;
	s->sum.unsure += !sure;
}

static void land(struct sender *s)
{
	s->flight = 0;
}

/* The caller lands when it has judged what came of the packet. */
static int send_packet(struct sender *s, int ifindex, const struct desc *d, struct frame *out)
{
	struct frame in;
	struct xdp_md ctx = {.ingress_ifindex = (uint32_t)ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in.b, .data_out = out->b,
		    .data_size_out = sizeof(out->b), .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
	uint64_t began;
	int err;

	frame_build(d, &in);
	ctx.data_end = opts.data_size_in = (uint32_t)in.len;
	began = take_off(s);
	err = bpf_prog_test_run_opts(traffic.prog, &opts);
	look_around(s, began);
	out->len = opts.data_size_out;
	return err ? -1 : (int)opts.retval;
}

static void wrong(struct sender *s, const struct live *l, const char *what, int verdict)
{
	const struct member *a = &s->before[l->member], *b = &s->after[l->member];

	if (!s->sum.wrong++)
		(void)snprintf(
			s->sum.first_wrong, sizeof(s->sum.first_wrong),
			"%s: protocol %u, port %u, endpoint %u, verdict %d; it is present %d%d, "
			"pickable %d%d, up %d%d, drained %d%d, removed %u times, then %u",
			what, l->client.proto, l->client.sport, l->member, verdict, a->present,
			b->present, a->pickable, b->pickable, a->up, b->up, a->drained, b->drained,
			l->removals, b->removals);
}

/* May new flows go there? */
static bool is_open_to_new(const struct member *m)
{
	return m->present && m->pickable && !m->drained;
}

static bool keeps_udp(const struct live *l, const struct member *pool)
{
	const struct member *m = &pool[l->member];

	return m->present && (m->up || m->pickable) && m->removals == l->removals;
}

/* Whichever of the states it was: must the flow be where it was? TCP stays whatever becomes of it. */
static bool must_stay(const struct sender *s, const struct live *l)
{
	if (l->client.proto == IPPROTO_TCP)
		return true;
	return keeps_udp(l, s->before) && keeps_udp(l, s->after);
}

/* Where a forwarded client's packet went, and whether it went there whole. */
static bool note_way(struct live *l, const struct frame *out, uint32_t *member)
{
	struct frame want;
	struct desc d = l->client;

	memcpy(d.src.b + 12, out->b + FRAME_ETH + 12, 4);
	memcpy(d.dst.b + 12, out->b + FRAME_ETH + 16, 4);
	d.sport = frame_sport(&l->client, out);
	d.dport = SERVER_PORT;
	d.ttl = 63;
	memcpy(d.smac, mac_gateway_server, 6);
	memcpy(d.dmac, mac_router, 6);
	frame_build(&d, &want);
	l->sent = d;
	*member = ntohl(d.dst.w[3]) - 0x0a000001u;
	return *member < POOL && want.len == out->len && !memcmp(want.b, out->b, want.len);
}

static void settle(struct sender *s, struct live *l, uint32_t member)
{
	l->member = member;
	l->removals = s->before[member].removals;
	if (!is_open_to_new(&s->before[member]) && !is_open_to_new(&s->after[member]))
		wrong(s, l, "a flow went to an endpoint that takes none", XDP_REDIRECT);
}

static void send_reply(struct sender *s, struct live *l)
{
	struct desc d = from_endpoint(&l->sent), back = d;
	struct frame out, want;
	int verdict = send_packet(s, world.if_server, &d, &out);

	back.src = l->client.dst;
	back.dst = l->client.src;
	back.sport = l->client.dport;
	back.dport = l->client.sport;
	back.ttl = 63;
	memcpy(back.smac, l->client.dmac, 6);
	memcpy(back.dmac, l->client.smac, 6);
	frame_build(&back, &want);
	if (verdict == XDP_REDIRECT) {
		if (out.len != want.len || memcmp(out.b, want.b, want.len) != 0)
			wrong(s, l, "a reply was changed", verdict);
	} else if (must_stay(s, l)) {
		wrong(s, l, "a reply was not forwarded", verdict);
	}
	land(s);
}

/* A client's packet of a flow that is there. */
static void send_on(struct sender *s, struct live *l)
{
	struct frame out;
	uint32_t member = l->member;
	int verdict = send_packet(s, world.if_client, &l->client, &out);

	if (verdict != XDP_REDIRECT) {
		if (must_stay(s, l))
			wrong(s, l, "a packet was not forwarded", verdict);
		l->open = false;
	} else if (!note_way(l, &out, &member)) {
		wrong(s, l, "a packet was changed", verdict);
	} else if (member != l->member) {
		if (must_stay(s, l))
			wrong(s, l, "a flow changed its endpoint", verdict);
		s->sum.moved++;
		settle(s, l, member);
	} else {
		s->sum.kept++;
		/* UDP may have been picked again, and the same one. */
		l->removals = s->before[member].removals;
	}
	land(s);
}

/* A handshake, or a question and its answer; nobody may be there for it. */
static void open_flow(struct sender *s, struct live *l, bool tcp)
{
	struct frame out;
	uint32_t member = 0;
	int verdict;

	l->client = from_client(tcp ? TCP4 : UDP4);
	l->client.sport = (uint16_t)(FIRST_PORT + s->cpu * CPU_PORTS + s->next_port++ % CPU_PORTS);
	verdict = send_packet(s, world.if_client, &l->client, &out);
	l->open = verdict == XDP_REDIRECT;
	if (!l->open)
		s->sum.refused++;
	else if (note_way(l, &out, &member))
		settle(s, l, member);
	else
		wrong(s, l, "the first packet was changed", verdict);
	land(s);
	if (!l->open)
		return;
	s->sum.opened++;
	send_reply(s, l);
	if (!tcp)
		return;
	l->client.flags = TCP_ACK;
	send_on(s, l);
}

static void end_flow(struct sender *s, struct live *l)
{
	if (l->client.proto != IPPROTO_TCP)
		return;
	l->client.flags = TCP_RST | TCP_ACK;
	send_on(s, l);
}

static void turn(struct sender *s)
{
	uint32_t n = below(s, FLOWS);
	struct live *l = &s->flows[n];

	if (l->open && below(s, REOPEN)) {
		send_on(s, l);
		if (l->open)
			send_reply(s, l);
		return;
	}
	if (l->open)
		end_flow(s, l);
	open_flow(s, l, n % 2);
}

static void *run(void *arg)
{
	struct sender *s = arg;

	cpu_take(s->cpu);
	/* Steps are what there should be many of: packets take the time that is left. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), 19);
	while (!traffic.over)
		turn(s);
	return NULL;
}

void traffic_start(int prog, const struct moment *first)
{
	memset(traffic.senders, 0, sizeof(traffic.senders));
	traffic.moments[0] = *first;
	traffic.number = 0;
	traffic.prog = prog;
	traffic.over = false;
	traffic.goes_on = true;
	for (unsigned int i = 0; i < CPUS; i++) {
		traffic.senders[i].cpu = i;
		traffic.senders[i].rnd = 4711 + i;
		assert_int_equal(
			pthread_create(&traffic.senders[i].thread, NULL, run, &traffic.senders[i]),
			0);
	}
}

struct moment *traffic_next(void)
{
	const uint64_t number = traffic.number;
	struct moment *next = &traffic.moments[(number / 2 + 1) % 2];

	for (int i = 0; i < CPUS; i++) {
		_Atomic uint64_t *flight = &traffic.senders[i].flight;

		for (uint64_t at = *flight; at && at - 1 < number; at = *flight)
			(void)usleep(20);
	}
	*next = traffic.moments[number / 2 % 2];
	return next;
}

void traffic_step_begins(void)
{
	traffic.number++;
}

void traffic_step_ends(void)
{
	traffic.number++;
}

void traffic_prog(int prog)
{
	traffic.prog = prog;
}

struct traffic_sum traffic_stop(void)
{
	struct traffic_sum sum = {0};

	traffic.over = true;
	for (int i = 0; i < CPUS; i++) {
		const struct traffic_sum *one = &traffic.senders[i].sum;

		if (traffic.goes_on)
			pthread_join(traffic.senders[i].thread, NULL);
		sum.opened += one->opened;
		sum.kept += one->kept;
		sum.moved += one->moved;
		sum.refused += one->refused;
		sum.unsure += one->unsure;
		if (one->wrong && !sum.wrong)
			memcpy(sum.first_wrong, one->first_wrong, sizeof(sum.first_wrong));
		sum.wrong += one->wrong;
	}
	traffic.goes_on = false;
	return sum;
}
