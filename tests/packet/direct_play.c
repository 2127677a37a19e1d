/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP flows begin with a SYN, perhaps sent again within what a client waits for its first answer, go on
 * with ACKs and end with a FIN; UDP flows just go on, and end. The frame's destination tells the endpoint,
 * its length the mode.
 */
#include "direct_play.h"
#include "gateway.h"
#include "world.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "../../bpf/pick_hash.h"
#include "dataplane/ticks.h"

#define FIRST_BYTE   100 /* last one of member 0's address */
#define NOBODY	     PLAY_POOL
#define SYN_AGAIN_MS 2500
#define MARGIN_S     8

struct live {
	bool open, opening; /* opening: a SYN has been sent, and no more */
	uint32_t member, removals;
	uint32_t syn_at, sent; /* ticks, played ones included */
	uint32_t hash[2];      /* that its slot is chosen by: of all, and of the source */
	struct desc d;
};

struct play play;

static struct {
	uint32_t played; /* ticks */
	uint32_t next_client;
	struct live *flows;
	uint64_t opened, translated, refused, kept, again, ended, died, moved, strange, slots_moved;
	uint64_t silent_s; /* the longest that a flow has been and was kept */
	struct {
		uint64_t tcp, udp, in_motion, entries;
	} alive, at_most; /* now; then: when the most flows were of slots in motion */
	uint64_t most_alive, rounds, all_alive, all_in_motion, all_entries;
	char first[200];
} sum;

static uint32_t below(uint32_t n)
{
	return random_u32(&play.rnd) % n;
}

struct spw_addr play_addr(uint32_t n)
{
	struct spw_addr a = addr_of("10.2.0.0");

	a.b[15] = (uint8_t)(FIRST_BYTE + n);
	return a;
}

uint32_t play_member(uint8_t last_byte)
{
	return last_byte >= FIRST_BYTE && last_byte < FIRST_BYTE + PLAY_POOL
		       ? last_byte - FIRST_BYTE
		       : NOBODY;
}

uint8_t play_mode(uint32_t n)
{
	static const uint8_t modes[] = {SPW_MODE_L2, SPW_MODE_IPIP, SPW_MODE_GUE, SPW_MODE_IPIP,
					SPW_MODE_NAT};

	return modes[n % sizeof(modes)];
}

void play_neighbours(const char *what)
{
	FILE *ip = popen("ip -batch -", "w");

	assert_non_null(ip);
	for (uint32_t n = 0; n < PLAY_POOL; n++) {
		fprintf(ip, "neigh %s 10.2.0.%u dev server", what, FIRST_BYTE + n);
		if (*what == 'a')
			fprintf(ip, " lladdr 02:00:00:00:02:%02x nud permanent", FIRST_BYTE + n);
		fprintf(ip, "\n");
	}
	assert_int_equal(pclose(ip), 0);
}

static uint32_t now(void)
{
	uint32_t ticks = 0;

	assert_true(ticks_now(gateway.dp->sweep_fd, &ticks));
	return ticks + sum.played;
}

static void note(const struct live *l, const char *what, uint32_t to)
{
	const struct play_member *m = &play.pool[l->member % PLAY_POOL];

	if (!sum.first[0])
		(void)snprintf(
			sum.first, sizeof(sum.first),
			"%s: protocol %u, flags %u, of %u, which is present %d, up %d, pickable "
			"%d, drained %d; to %u, after %u ticks",
			what, l->d.proto, l->d.flags, l->member, m->present, m->up, m->pickable,
			m->drained, to, now() - l->sent);
}

static size_t more_of(uint8_t mode)
{
	return mode == SPW_MODE_IPIP ? 20 : mode == SPW_MODE_GUE ? 28 : 0;
}

/* Sends it; the member that it went to, or NOBODY. */
static uint32_t send_one(struct live *l, uint8_t flags)
{
	struct frame in, out;
	struct xdp_md ctx = {.ingress_ifindex = (uint32_t)world.if_client};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in.b, .data_out = out.b,
		    .data_size_out = sizeof(out.b), .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
	uint32_t to;

	l->d.flags = l->d.proto == IPPROTO_TCP ? flags : 0;
	frame_build(&l->d, &in);
	ctx.data_end = opts.data_size_in = (uint32_t)in.len;
	assert_int_equal(bpf_prog_test_run_opts(gateway.dp->xdp_fd, &opts), 0);
	if (opts.retval != XDP_REDIRECT)
		return NOBODY;
	to = play_member(out.b[5]);
	if (to == NOBODY) {
		sum.strange++;
		note(l, "a frame went to nobody's address", out.b[5]);
	}
	if (to != NOBODY && opts.data_size_out != in.len + more_of(play_mode(to))) {
		sum.strange++;
		note(l, "a frame's length is not its mode's", to);
	}
	return to;
}

static bool is_open_to_new(const struct play_member *m)
{
	return m->present && m->pickable && !m->drained;
}

/* UDP has no SYN: as long as its flows may be silent, a slot's former endpoint gets new ones as well. */
static bool may_open(const struct live *l)
{
	const struct play_member *m = &play.pool[l->member];

	return is_open_to_new(m) ||
	       (l->d.proto == IPPROTO_UDP && m->present && (m->up || m->pickable));
}

static void settle(struct live *l, uint32_t to)
{
	l->open = to != NOBODY;
	if (!l->open) {
		sum.refused++;
		for (uint32_t n = 0; n < PLAY_POOL; n++) {
			if (is_open_to_new(&play.pool[n])) {
				sum.strange++;
				note(l, "a new flow was refused", n);
				break;
			}
		}
		return;
	}
	l->member = to;
	l->removals = play.pool[to].removals;
	if (!may_open(l)) {
		sum.strange++;
		note(l, "a flow went to an endpoint that takes none", to);
	}
	sum.opened++;
	sum.translated += play_mode(to) == SPW_MODE_NAT;
	/* In a panic flows may go to one that is down, which is dead. */
	if (!play.pool[to].up)
		l->open = false;
}

static void make_hashes(struct live *l)
{
	const struct spw_config *c = gateway.dp->maps.config;
	const uint32_t seed = c->settings[c->active].seed;
	struct spw_flow_key k = {.saddr = l->d.src, .daddr = l->d.dst, .proto = l->d.proto};

	k.sport = htons(l->d.sport);
	k.dport = htons(l->d.dport);
	l->hash[0] = (uint32_t)pick_hash(&k, seed);
	l->hash[1] = (uint32_t)pick_hash_source(&k, seed);
}

static void open_one(struct live *l)
{
	const uint32_t client = sum.next_client++;

	l->d = from_client(below(4) ? TCP4 : UDP4);
	l->d.src = addr_of("10.77.0.0");
	l->d.src.b[14] = (uint8_t)(client >> 8);
	l->d.src.b[15] = (uint8_t)client;
	l->d.sport = (uint16_t)(1024 + client % 60000);
	make_hashes(l);
	l->opening = l->d.proto == IPPROTO_TCP;
	settle(l, send_one(l, TCP_SYN));
	l->syn_at = l->sent = now();
}

/* A packet that has to go where the flow is. */
static void send_on(struct live *l, uint8_t flags)
{
	const uint32_t to = send_one(l, flags);

	if (to == l->member) {
		const uint32_t silent_s = (now() - l->sent) / ticks_a_second();

		sum.kept++;
		sum.silent_s = silent_s > sum.silent_s ? silent_s : sum.silent_s;
	} else {
		sum.moved++;
		note(l, "a flow moved", to);
		l->open = false;
	}
	l->opening = false;
	l->sent = now();
}

/* The first SYN may have been lost behind an endpoint that takes no new flows now: that is not judged. */
static void send_syn_again(struct live *l)
{
	const uint32_t to = send_one(l, TCP_SYN);

	sum.again++;
	if (is_open_to_new(&play.pool[l->member]) && to != l->member) {
		sum.moved++;
		note(l, "a SYN sent again went elsewhere", to);
	}
	l->open = to != NOBODY && play.pool[to].up;
	l->member = to;
	if (l->open)
		l->removals = play.pool[to].removals;
	l->sent = now();
}

static void send_next(struct live *l)
{
	const uint32_t again = SYN_AGAIN_MS * ticks_a_second() / 1000;

	if (!l->open) {
		open_one(l);
		return;
	}
	if (l->opening && now() - l->syn_at < again && below(2)) {
		send_syn_again(l);
		return;
	}
	if (below(60) || l->opening) {
		send_on(l, TCP_ACK | (below(2) ? TCP_PSH : 0));
		return;
	}
	send_on(l, TCP_ACK | TCP_FIN);
	l->open = false;
	sum.ended++;
}

void play_traffic(void)
{
	for (size_t i = 0; i < play.flow_count; i++) {
		if (!below(4))
			send_next(&sum.flows[i]);
	}
}

void play_before_silence(uint32_t ticks)
{
	const uint32_t hz = ticks_a_second(), at = now();

	for (size_t i = 0; i < play.flow_count; i++) {
		struct live *l = &sum.flows[i];
		const uint32_t idle_s =
			l->d.proto == IPPROTO_TCP ? PLAY_TCP_IDLE_S : PLAY_UDP_IDLE_S;

		if (l->open && at - l->sent + ticks > (idle_s - MARGIN_S) * hz)
			send_on(l, TCP_ACK);
	}
	sum.played += ticks;
}

void play_age_flows(uint32_t ticks)
{
	const uint32_t lines = maps_flow_sets(gateway.flows) * SPW_SET_WAYS + 1;
	const uint64_t ns = ticks * (SECOND_NS / ticks_a_second());

	for (uint32_t i = 1; i < lines; i++) {
		struct spw_flow_core *c = &gateway.dp->maps.flows4[i].core;

		if (!(c->word & SPW_WORD_PHASE_MASK))
			continue;
		c->word -= (uint64_t)ticks << SPW_WORD_SEEN_SHIFT;
		c->born -= (uint32_t)(ns >> SPW_BORN_SHIFT);
	}
}

static bool is_alive(const struct live *l)
{
	const struct play_member *m = &play.pool[l->member];

	if (m->present && (m->down || !m->up))
		return false;
	return l->d.proto == IPPROTO_TCP || (m->present && m->removals == l->removals);
}

void play_end_the_dead(void)
{
	for (size_t i = 0; i < play.flow_count; i++) {
		struct live *l = &sum.flows[i];

		if (!l->open || is_alive(l))
			continue;
		l->open = false;
		sum.died++;
	}
}

static const struct table_service *service_of(const struct tables *t, uint8_t proto)
{
	for (size_t i = 0; i < t->service_count; i++) {
		if (t->services[i].proto == proto)
			return &t->services[i];
	}
	return NULL;
}

static uint16_t slot_of(const struct tables *t, const struct live *l)
{
	const struct table_service *s = service_of(t, l->d.proto);
	const struct table_slots *slots;

	if (!s || s->table == TABLE_NONE)
		return SPW_ENDPOINT_NONE;
	slots = &t->slots[s->table];
	return slots->slots[pick_scale(l->hash[s->pick == SPW_PICK_SOURCE], slots->size)];
}

static bool is_in_motion(const struct tables *t, const struct live *l)
{
	const struct table_service *s = service_of(t, l->d.proto);
	const struct table_motion *m = s ? tables_motion(t, s) : NULL;
	const struct spw_motion_line *lines;
	uint32_t slot;

	if (!m)
		return false;
	slot = pick_scale(l->hash[m->by_source], m->size);
	lines = &gateway.dp->maps.motions[m->line + 1];
	return lines[slot / SPW_MOTION_LINE].at[slot % SPW_MOTION_LINE].was;
}

static bool is_direct(const struct live *l)
{
	return l->open && play_mode(l->member) != SPW_MODE_NAT;
}

void play_note_slots(const struct tables *have, const struct tables *want)
{
	for (size_t i = 0; i < play.flow_count; i++) {
		const struct live *l = &sum.flows[i];

		if (is_direct(l))
			sum.slots_moved += slot_of(have, l) != slot_of(want, l);
	}
}

static uint64_t count_entries(void)
{
	const uint32_t lines = maps_flow_sets(gateway.flows) * SPW_SET_WAYS + 1;
	uint64_t entries = 0;

	for (uint32_t i = 1; i < lines; i++) {
		const struct spw_flow_core *c = &gateway.dp->maps.flows4[i].core;

		entries += (c->word & SPW_WORD_PHASE_MASK) && (c->flags & SPW_FLOW_DIRECT);
	}
	return entries;
}

void play_note_entries(const struct tables *have)
{
	memset(&sum.alive, 0, sizeof(sum.alive));
	for (size_t i = 0; i < play.flow_count; i++) {
		const struct live *l = &sum.flows[i];

		if (!l->open)
			continue;
		sum.alive.tcp += l->d.proto == IPPROTO_TCP;
		sum.alive.udp += l->d.proto == IPPROTO_UDP;
		sum.alive.in_motion += is_direct(l) && is_in_motion(have, l);
	}
	sum.alive.entries = count_entries();
	if (sum.alive.in_motion > sum.at_most.in_motion)
		sum.at_most = sum.alive;
	if (sum.alive.tcp + sum.alive.udp > sum.most_alive)
		sum.most_alive = sum.alive.tcp + sum.alive.udp;
	sum.rounds++;
	sum.all_alive += sum.alive.tcp + sum.alive.udp;
	sum.all_in_motion += sum.alive.in_motion;
	sum.all_entries += sum.alive.entries;
}

void play_start(uint32_t flow_count)
{
	memset(&play, 0, sizeof(play));
	memset(&sum, 0, sizeof(sum));
	play.rnd = 20250303;
	play.flow_count = flow_count;
	sum.flows = calloc(flow_count, sizeof(*sum.flows));
	assert_non_null(sum.flows);
	for (uint32_t n = 0; n < PLAY_POOL; n++)
		play.pool[n].present = n % 2;
}

void play_end(void)
{
	free(sum.flows);
	sum.flows = NULL;
}

static void report_entries(void)
{
	const uint64_t n = sum.rounds;

	print_message(
		"alive at once at most %llu; when the most flows were of slots in motion: %llu "
		"TCP and %llu UDP flows, %llu of such slots, %llu entries of %zu bytes\n",
		(unsigned long long)sum.most_alive, (unsigned long long)sum.at_most.tcp,
		(unsigned long long)sum.at_most.udp, (unsigned long long)sum.at_most.in_motion,
		(unsigned long long)sum.at_most.entries, sizeof(struct spw_flow4));
	print_message("on average %llu alive, %llu of slots in motion, %llu entries; the longest "
		      "silence %llu s\n",
		      (unsigned long long)(sum.all_alive / n),
		      (unsigned long long)(sum.all_in_motion / n),
		      (unsigned long long)(sum.all_entries / n), (unsigned long long)sum.silent_s);
}

void play_report(const uint64_t stats[SPW_STAT_MAX])
{
	print_message(
		"flows opened %llu, %llu of them translated; refused %llu, ended %llu, died %llu; "
		"packets of kept flows %llu, SYNs sent again %llu\n",
		(unsigned long long)sum.opened, (unsigned long long)sum.translated,
		(unsigned long long)sum.refused, (unsigned long long)sum.ended,
		(unsigned long long)sum.died, (unsigned long long)sum.kept,
		(unsigned long long)sum.again);
	print_message(
		"entries remembered %llu, slots of live flows that moved %llu, seconds played %u\n",
		(unsigned long long)(stats[SPW_COUNT_FLOW_CREATED] - sum.translated),
		(unsigned long long)sum.slots_moved, sum.played / ticks_a_second());
	report_entries();
	/* There was room for all of them, or they would not be promised anything. */
	assert_int_equal(stats[SPW_COUNT_DIRECT_UNKEPT], 0);
	assert_int_equal(stats[SPW_COUNT_FLOW_REPLACED], 0);
	if (sum.moved || sum.strange)
		fail_msg("%llu flows moved, %llu things are strange, the first: %s",
			 (unsigned long long)sum.moved, (unsigned long long)sum.strange, sum.first);
	assert_true(sum.kept > sum.opened && sum.slots_moved && sum.translated);
}
