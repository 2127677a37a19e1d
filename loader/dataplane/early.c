/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragments that came before the first one of their datagram. The packet path hands them over; they are
 * held until it has come, which is mostly so already, and put back in where they came in. Those whose
 * datagram is the host's own, and those for which no first fragment came, go to the host's stack.
 *
 * How many are held is bounded. While all places are taken the ring buffer is left to fill up, so a
 * flood costs the daemon no more than that many a second.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "base/log.h"
#include "dataplane/state.h"
#include "dataplane/ticks.h"

#define HELD_MAX 512
#define TURN_MAX 64 /* taken from the ring in one turn of the loop */
#define NO_TIME	 UINT64_MAX
#define TRIES	 (sizeof(due_after_ms) / sizeof(due_after_ms[0]))

/* When the table is looked at, after the fragment came; with the last the waiting ends. */
static const uint32_t due_after_ms[] = {2, 5, 20, 100, 400, 1000};

struct held {
	uint64_t since_ms;
	size_t tries;
	struct spw_early fragment;
};

struct early {
	struct ring_buffer *ring;
	uv_poll_t poll;
	uv_timer_t timer;
	int pass_fd;		     /* owned: a program that hands every frame to the stack */
	struct held *held[HELD_MAX]; /* owned, without gaps */
	size_t count;
	size_t turn;  /* taken in this turn of the loop */
	bool resting; /* the ring is not read */
	bool failed;  /* and said so */
};

static bool key_equal(const struct spw_fragment_key *a, const struct spw_fragment_key *b)
{
	return !memcmp(&a->saddr, &b->saddr, 16) && !memcmp(&a->daddr, &b->daddr, 16) &&
	       a->id == b->id && a->proto == b->proto;
}

/* One look: a line that is being written is read at the next. */
static enum spw_fragment_fate fate_of(const struct dataplane *dp,
				      const struct spw_fragment_key *key)
{
	const struct spw_fragment *f =
		dp->maps.fragments + spw_fragment_bucket(key, dp->maps.config->flow_seed);
	uint32_t live = SPW_FRAGMENT_LIVE_S * ticks_a_second();
	struct spw_fragment copy;
	uint32_t seq, now;

	for (int i = 0; i < SPW_FRAGMENT_WAYS; i++, f++) {
		seq = __atomic_load_n(&f->seq, __ATOMIC_ACQUIRE);
		copy = *f;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if ((seq & 1) || seq != __atomic_load_n(&f->seq, __ATOMIC_ACQUIRE))
			continue;
		if (copy.fate && key_equal(&copy.key, key) && ticks_now(dp->sweep_fd, &now) &&
		    now - copy.seen < live)
			return (enum spw_fragment_fate)copy.fate;
	}
	return SPW_FRAGMENT_UNKNOWN;
}

/* The frame comes in once more, to `program`. */
static void put_in(struct early *e, int program, const struct spw_early *f)
{
	struct xdp_md ctx = {.data_end = f->len, .ingress_ifindex = f->ifindex};
	struct bpf_test_run_opts opts = {
		.sz = sizeof(opts),
		.data_in = f->frame,
		.data_size_in = f->len,
		.ctx_in = &ctx,
		.ctx_size_in = sizeof(ctx),
		.repeat = 1,
		.batch_size = 1,
		.flags = BPF_F_TEST_XDP_LIVE_FRAMES,
	};
	int err = bpf_prog_test_run_opts(program, &opts);

	if (err && !e->failed)
		log_warn("early: interface %u: a fragment cannot be put back in: %s: those that "
			 "come out of order are lost",
			 f->ifindex, strerror(-err));
	e->failed = err != 0;
}

/* True when the fragment need not be held any longer. */
static bool settle(struct dataplane *dp, struct held *h, uint64_t now_ms)
{
	struct early *e = dp->early;

	switch (fate_of(dp, &h->fragment.key)) {
	case SPW_FRAGMENT_FORWARD:
		put_in(e, dp->xdp_fd, &h->fragment);
		return true;
	case SPW_FRAGMENT_PASS:
		put_in(e, e->pass_fd, &h->fragment);
		return true;
	case SPW_FRAGMENT_DROP:
		return true;
	case SPW_FRAGMENT_UNKNOWN:
		break;
	}
	while (h->tries < TRIES && now_ms - h->since_ms >= due_after_ms[h->tries])
		h->tries++;
	if (h->tries < TRIES)
		return false;
	put_in(e, e->pass_fd, &h->fragment);
	return true;
}

static void on_timer(uv_timer_t *timer);

static void wait_for_next(struct early *e)
{
	uint64_t now_ms = clock_ms(), next_ms = NO_TIME, due_ms;

	for (size_t i = 0; i < e->count; i++) {
		due_ms = e->held[i]->since_ms + due_after_ms[e->held[i]->tries];
		if (due_ms < next_ms)
			next_ms = due_ms;
	}
	if (next_ms == NO_TIME)
		(void)uv_timer_stop(&e->timer);
	else
		(void)uv_timer_start(&e->timer, on_timer, next_ms > now_ms ? next_ms - now_ms : 0,
				     0);
}

static int on_fragment(void *ctx, void *data, size_t size)
{
	struct dataplane *dp = ctx;
	struct early *e = dp->early;
	struct held *h;

	if (size < sizeof(h->fragment) || e->count == HELD_MAX)
		return 0;
	h = malloc(sizeof(*h));
	if (!h)
		return 0;
	*h = (struct held){.since_ms = clock_ms()};
	memcpy(&h->fragment, data, sizeof(h->fragment));
	if (h->fragment.len > SPW_EARLY_FRAME || settle(dp, h, h->since_ms))
		free(h);
	else
		e->held[e->count++] = h;
	/* Anything below 0 ends the reading; what was read is taken. */
	return e->count == HELD_MAX || ++e->turn >= TURN_MAX ? -EAGAIN : 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct dataplane *dp = poll->data;
	struct early *e = dp->early;

	(void)status;
	(void)events;
	e->turn = 0;
	(void)ring_buffer__consume(e->ring);
	if (e->count == HELD_MAX) {
		(void)uv_poll_stop(&e->poll);
		e->resting = true;
	}
	wait_for_next(e);
}

/* libuv's clock is that of the turn's beginning: a timer may be a moment early, and is set again. */
static void on_timer(uv_timer_t *timer)
{
	struct dataplane *dp = timer->data;
	struct early *e = dp->early;
	uint64_t now_ms = clock_ms();
	size_t kept = 0;

	for (size_t i = 0; i < e->count; i++) {
		struct held *h = e->held[i];

		if (now_ms - h->since_ms >= due_after_ms[h->tries] && settle(dp, h, now_ms))
			free(h);
		else
			e->held[kept++] = h;
	}
	e->count = kept;
	if (e->resting && e->count < HELD_MAX) {
		e->resting = false;
		(void)uv_poll_start(&e->poll, UV_READABLE, on_readable);
	}
	wait_for_next(e);
}

static int load_pass(void)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "spillway_pass", "GPL", insns, 2, NULL);
}

int early_open(struct dataplane *dp)
{
	struct early *e = calloc(1, sizeof(*e));
	int err;

	if (!e)
		return -ENOMEM;
	dp->early = e;
	e->pass_fd = load_pass();
	if (e->pass_fd < 0)
		return e->pass_fd;
	e->ring = ring_buffer__new(dp->maps.fd[MAP_EARLY_FRAGMENTS], on_fragment, dp, NULL);
	if (!e->ring)
		return -errno;
	err = uv_timer_init(dp->loop, &e->timer);
	if (err)
		return err;
	handle_opened(dp, &e->timer);
	err = uv_poll_init(dp->loop, &e->poll, ring_buffer__epoll_fd(e->ring));
	if (err)
		return err;
	handle_opened(dp, &e->poll);
	return uv_poll_start(&e->poll, UV_READABLE, on_readable);
}

void early_stop(struct dataplane *dp)
{
	if (!dp->early)
		return;
	handle_close(dp, &dp->early->timer);
	handle_close(dp, &dp->early->poll);
}

void early_close(struct dataplane *dp)
{
	struct early *e = dp->early;

	if (!e)
		return;
	for (size_t i = 0; i < e->count; i++)
		free(e->held[i]);
	ring_buffer__free(e->ring);
	fd_close(e->pass_fd);
	free(e);
	dp->early = NULL;
}
