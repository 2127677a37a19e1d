/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Expired flows are found at lookup, but the table would stay full of those nobody asks for. A BPF
 * program walks it; on a pool thread, since a million flows take longer than a health check may
 * wait. The next walk starts a second after the last, or nine times as long as that took, but at
 * once when endpoints were removed or reset, whose UDP flows nobody is told of.
 */
#include <errno.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/log.h"
#include "dataplane/state.h"
#include "dataplane/ticks.h"

#define PAUSE_MS     1000
#define PAUSE_FACTOR 9
#define PORTION	     8192 /* sets in one run of the program, a millisecond or so */

static void on_timer(uv_timer_t *timer);

static void work(uv_work_t *req)
{
	struct dataplane *dp = req->data;
	struct sweep *s = &dp->sweep;
	uint64_t start = clock_ms();
	uint32_t end = maps_flow_sets(dp->meta.max_flows) + maps_flow_sets(dp->meta.max_flows6);

	s->args = (struct spw_sweep){.sets = PORTION, .round = s->round};
	s->err = 0;
	for (uint32_t before = 0; !s->err && s->args.first < end; before = s->args.first) {
		struct bpf_test_run_opts opts = {
			.sz = sizeof(opts),
			.ctx_in = &s->args,
			.ctx_size_in = sizeof(s->args),
		};

		s->err = bpf_prog_test_run_opts(dp->sweep_fd, &opts);
		if (!s->err && s->args.first == before)
			s->err = -EIO;
	}
	s->took_ms = clock_ms() - start;
}

/* Half of the number that made far ones the first: so it does not change back and forth. */
void sweep_place(struct dataplane *dp, const __u64 live[2])
{
	const uint32_t max[] = {dp->meta.max_flows, dp->meta.max_flows6};
	struct spw_config *c = dp->maps.config;
	uint32_t first = c->far_first;

	for (int i = 0; i < 2; i++) {
		uint64_t room = max[i] / SPW_NEAR_SHARE;

		if (live[i] > room)
			first |= 1u << i;
		else if (live[i] < room / 2)
			first &= ~(1u << i);
	}
	if (first != c->far_first)
		__atomic_store_n(&c->far_first, first, __ATOMIC_RELAXED);
}

static void after_work(uv_work_t *req, int status)
{
	struct dataplane *dp = req->data;
	struct sweep *s = &dp->sweep;
	uint64_t pause = s->took_ms * PAUSE_FACTOR;

	if (pause < PAUSE_MS)
		pause = PAUSE_MS;
	if (s->again)
		pause = 0;
	s->again = false;

	if (!status && !s->err) {
		s->live = s->args.live[0] + s->args.live[1];
		sweep_place(dp, s->args.live);
		s->swept = true;
		s->done_round = s->began ? s->round : 0;
		s->done_began = s->began;
		s->failed = false;
	} else if (!s->failed) {
		s->failed = true;
		log_error("sweep: cannot be run: error %d: expired flows stay in the table",
			  s->err);
	}
	if (!dp->closing)
		(void)uv_timer_start(&s->timer, on_timer, pause, 0);
	handle_closed(dp);
}

static void on_timer(uv_timer_t *timer)
{
	struct dataplane *dp = timer->data;
	uint32_t now;

	/* Its number is never 0, and not soon one of an earlier run's. */
	dp->sweep.round = (uint16_t)(clock_ms() / 1000 % UINT16_MAX) + 1;
	dp->sweep.began = ticks_now(dp->sweep_fd, &now) ? now : 0;
	dp->sweep.work.data = dp;
	if (uv_queue_work(dp->loop, &dp->sweep.work, work, after_work)) {
		(void)uv_timer_start(timer, on_timer, PAUSE_MS, 0);
		return;
	}
	dp->open_handles++;
}

void sweep_soon(struct dataplane *dp)
{
	if (dp->closing)
		return;
	if (uv_is_active((uv_handle_t *)&dp->sweep.timer))
		(void)uv_timer_start(&dp->sweep.timer, on_timer, 0, 0);
	else
		dp->sweep.again = true;
}

int sweep_open(struct dataplane *dp)
{
	int err = uv_timer_init(dp->loop, &dp->sweep.timer);

	if (err)
		return err;
	handle_opened(dp, &dp->sweep.timer);
	return uv_timer_start(&dp->sweep.timer, on_timer, 0, 0);
}

void dataplane_motion_clock(struct dataplane *dp, struct motion_clock *out)
{
	*out = (struct motion_clock){
		.hz = ticks_a_second(),
		.round = dp->sweep.done_round,
		.running = dp->sweep.round,
		.round_began = dp->sweep.done_began,
	};
	(void)ticks_now(dp->sweep_fd, &out->now);
	/* A round that had begun by then may have told the block of before. */
	if ((int32_t)(out->round_began - dp->motions_put) <= 0)
		out->round = 0;
}
