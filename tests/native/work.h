/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPUs do to the flow table: open, follow, mark and remove flows as the packet path does, and
 * sweep as bpf/sweep.h does. Time passes only when everybody who works has begun lately: no opening
 * takes so long that its half pair looks forgotten, as none does that runs undisturbed on a CPU.
 */
#ifndef SPILLWAY_TESTS_NATIVE_WORK_H
#define SPILLWAY_TESTS_NATIVE_WORK_H

#include "check.h"

#define WORKERS	   4
#define BOTH_FINS  (SPW_FLOW_FIN_CLIENT | SPW_FLOW_FIN_ENDPOINT)
#define PORT_TRIES 6

struct worker {
	__u32 nth, now;
	__u64 rnd, operations;
	/* What became of them; `torn` must stay 0. */
	__u64 found, torn, raced, full, busy, reused;
};

static atomic_uint ticks = 1000, at_work[WORKERS];
static atomic_bool over;

static void work_begin(struct worker *w)
{
	do {
		w->now = atomic_load(&ticks);
		atomic_store(&at_work[w->nth], w->now);
	} while (atomic_load(&ticks) != w->now);
}

static void work_end(const struct worker *w)
{
	atomic_store(&at_work[w->nth], 0);
}

static void tick(void)
{
	for (int i = 0; i < WORKERS; i++) {
		__u32 since = atomic_load(&at_work[i]);

		if (since && atomic_load(&ticks) - since >= SETTLED - 2)
			return;
	}
	atomic_fetch_add(&ticks, 1);
}

static __u32 below(struct worker *w, __u32 n)
{
	w->rnd = w->rnd * 6364136223846793005ULL + 1442695040888963407ULL;
	return (w->rnd >> 33) % n;
}

static struct flow any_flow(struct worker *w)
{
	struct flow f = {.v6 = below(w, 2),
			 .client = below(w, CLIENTS),
			 .endpoint = below(w, ENDPOINTS),
			 .port = below(w, PORTS)};

	return f;
}

/* As flow_get() does; whatever is read must be one tenant's and the key's own. */
static __u32 get(struct worker *w, const struct spw_flow_key *key, __u32 v6, struct entry *out)
{
	__u32 line = line_of_key(key, v6);

	if (line == TABLE_NONE || !line_read(lines_at(v6, line), key, v6, out))
		return TABLE_NONE;
	w->found++;
	w->torn += !entry_is_whole(key, out, v6);
	return line;
}

static void mark(__u32 v6, __u32 line, __u64 word, __u32 bits)
{
	__u32 state = line_mark(v6, line, word, bits) | bits;

	if ((state & BOTH_FINS) != BOTH_FINS && !(state & SPW_FLOW_RESET))
		return;
	if (!(line_mark(v6, line, word, SPW_FLOW_CLOSED) & SPW_FLOW_CLOSED))
		lines_closed(0);
}

/* A port whose flow is over is taken from it, as port.h does. */
static bool take_port(struct worker *w, const struct spw_flow_key *back, __u32 v6)
{
	struct spw_flow_key partner;
	struct entry r, f;
	__u32 line;

	if (get(w, back, v6, &r) == TABLE_NONE)
		return false;
	pair_partner_key(&r, &partner);
	line = get(w, &partner, v6, &f);
	if (line == TABLE_NONE || !(f.core.word & SPW_FLOW_CLOSED) ||
	    (__s32)(w->now - word_seen(f.core.word)) < SETTLED)
		return false;
	return pair_remove(v6, line, f.core.word, 0);
}

/* Where there is no room, another flow may give way. */
static long put(const struct worker *w, const struct spw_flow_key *key, const struct entry *e,
		__u32 v6)
{
	long err = insert(key, e, v6, w->now);

	if (err == -INSERT_E2BIG && evict(key, v6, w->now))
		err = insert(key, e, v6, w->now);
	return err;
}

static long reserve(struct worker *w, struct flow *f)
{
	long err = -INSERT_EEXIST;

	for (int i = 0; i < PORT_TRIES && err == -INSERT_EEXIST; i++) {
		struct spw_flow_key back;
		struct entry r;

		f->port = (f->port + 1) % PORTS;
		back = reverse_key(f);
		r = flow_entry(f, SPW_FLOW_REVERSE);
		err = put(w, &back, &r, f->v6);
		if (err == -INSERT_EEXIST && take_port(w, &back, f->v6)) {
			w->reused++;
			err = put(w, &back, &r, f->v6);
		}
	}
	return err;
}

/* Now and then others get on in between, where two CPUs would have to meet within nanoseconds. */
static void let_others(struct worker *w)
{
	if (!below(w, 32))
		sched_yield();
}

/* The reverse entry first, which is the reservation. */
static void open_flow(struct worker *w, struct flow f)
{
	struct spw_flow_key there = forward_key(&f), back;
	struct entry e;
	long err = reserve(w, &f);

	if (err > 0) {
		let_others(w);
		e = flow_entry(&f, SPW_FLOW_FORWARD);
		err = put(w, &there, &e, f.v6);
		if (err > 0) {
			atomic_fetch_add_explicit(&opened, 1, memory_order_relaxed);
			return;
		}
		back = reverse_key(&f);
		pair_drop(&back, f.v6);
		w->raced += err == -INSERT_EEXIST;
	}
	w->full += err == -INSERT_E2BIG;
	w->busy += err == -INSERT_EBUSY;
}

static __u32 client_bits(struct worker *w)
{
	static const __u32 bits[16] = {
		SPW_FLOW_REPLIED | SPW_FLOW_ESTABLISHED | SPW_FLOW_RANKED,
		SPW_FLOW_FIN_CLIENT,
		SPW_FLOW_FIN_ENDPOINT,
		SPW_FLOW_RESET,
	};

	return bits[below(w, 16)];
}

/* A client's packet: its flow is followed, marked, removed; or there is none, and one is opened. */
static void client_packet(struct worker *w)
{
	struct flow f = any_flow(w);
	struct spw_flow_key key = forward_key(&f);
	struct entry e;
	__u32 line = get(w, &key, f.v6, &e);

	if (line == TABLE_NONE) {
		open_flow(w, f);
		return;
	}
	if (!below(w, 6)) {
		pair_remove(f.v6, line, e.core.word, 0);
		return;
	}
	mark(f.v6, line, e.core.word, client_bits(w));
	if (w->now != word_seen(e.core.word))
		line_touch(f.v6, line, e.core.word, w->now);
}

static void endpoint_packet(struct worker *w)
{
	struct flow f = any_flow(w);
	struct spw_flow_key key = reverse_key(&f), partner;
	struct entry r, e;
	__u32 line = get(w, &key, f.v6, &r), there;

	if (line == TABLE_NONE)
		return;
	let_others(w);
	pair_partner_key(&r, &partner);
	there = get(w, &partner, f.v6, &e);
	if (there == TABLE_NONE)
		return;
	mark(f.v6, there, e.core.word, below(w, 4) ? SPW_FLOW_REPLIED : SPW_FLOW_FIN_ENDPOINT);
	line_mark(f.v6, line, r.core.word, SPW_FLOW_REPLIED);
	line_touch(f.v6, line, r.core.word, w->now);
	line_touch(f.v6, there, e.core.word, w->now);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (__u64 i = 0; i < w->operations; i++) {
		work_begin(w);
		if (below(w, 3))
			client_packet(w);
		else
			endpoint_packet(w);
		work_end(w);
	}
	return NULL;
}

static void sweep_reverse(__u32 v6, __u32 line, __u64 word, __u32 now)
{
	struct pair_scratch *s = lines_scratch(LINES_SWEEP);
	struct spw_flow_core *c = lines_at(v6, line);
	__u32 partner;

	if ((__s32)(now - word_seen(word)) < SETTLED)
		return;
	pair_tenant(v6, line, LINES_SWEEP);
	if (!word_is_same(load64(&c->word), word))
		return;
	pair_partner_key(&s->entry, &s->partner_key);
	partner = line_of_key(&s->partner_key, v6);
	if (partner != TABLE_NONE &&
	    pair_leads_to(&s->key, v6, partner, LINES_PARTNER(LINES_SWEEP)))
		return;
	if (line_claim(v6, line, word))
		line_free(v6, line, c, pair_hash(&s->key, v6));
}

static void sweep_line(__u32 v6, __u32 line, __u32 now)
{
	struct spw_flow_core *c = lines_at(v6, line), t;

	if (line == TABLE_NONE)
		return;
	t.word = load64(&c->word);
	if (!word_is_live(t.word))
		return;
	*(word64 *)&t.sport = load64(&c->sport);
	if (!word_is_same(load64(&c->word), t.word))
		return;
	if (t.dir == SPW_FLOW_REVERSE)
		sweep_reverse(v6, line, t.word, now);
	else if ((__s32)(now - word_seen(t.word)) > IDLE)
		pair_remove(v6, line, t.word, LINES_SWEEP);
}

static void sweep_all(__u32 now)
{
	for (__u32 line = 0; line < 2 * LINES; line++)
		sweep_line(line / LINES, line % LINES, now);
}

static void *sweep(void *arg)
{
	(void)arg;
	while (!atomic_load(&over)) {
		sweep_all(atomic_load(&ticks));
		atomic_store(&far_first, atomic_load(&ticks) >> 3 & 3);
		tick();
		sched_yield();
	}
	return NULL;
}

#endif
