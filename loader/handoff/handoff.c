/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Endpoints come and go by their numbers. What each is to be stands in `want`, what HAProxy has in `have`;
 * whenever they differ it is told, or a new process is begun that has it all.
 */
#include "handoff/handoff.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "handoff/state.h"

#define DOWN_GRACE_MS 3000  /* without a process before endpoints count as not ready */
#define RETRY_MOST_MS 10000 /* between starts that fail */
#define STEADY_MS     10000 /* a process that ran so long was no failure */
#define OLD_STOP_MS                                                                                \
	2000 /* what waits in the queues of the sockets before ours is accepted by then */
#define POLL_MS 1000

void handoff_set_problem(struct handoff *h, const char *text)
{
	free(h->problem);
	h->problem = text ? strdup(text) : NULL;
}

/* Of the sockets that an old daemon's process listens on nothing is led there any more. */
static void stop_old(struct handoff *h)
{
	if (h->now)
		process_stop_old(h, h->now);
}

/* What its configuration has for the entry, by the number of the line, from 1; 0: nothing. */
static void take_line(struct handoff *h, struct entry *e, const struct process *p, size_t line)
{
	const struct config_line *l = line ? &p->lines[line - 1] : NULL;
	struct server s = {0};

	if (!l || l->slot != e->slot) {
		if (e->have.number)
			entry_lose(h, e);
		return;
	}
	server_set(&s, &l->server, l->number);
	entry_now_has(h, e, &s);
	server_done(&s);
}

void handoff_took_over(struct handoff *h, struct process *p)
{
	AUTO(free) size_t *lines = calloc(SPW_ENDPOINTS_LIMIT, sizeof(*lines));
	struct process *old = h->now;

	if (!lines)
		abort();
	for (size_t i = 0; i < p->line_count; i++)
		lines[p->lines[i].id] = i + 1;
	h->now = p;
	h->next = NULL;
	h->down_ms = 0;
	h->silent = 0;
	h->is_counting = false;
	for (size_t i = 0; i < h->retired_count; i++)
		free(h->retired[i].pool);
	h->retired_count = 0;
	for (size_t i = 0; i < h->live_count; i++) {
		struct entry *e = h->entries[h->live[i]];

		e->pushing = false;
		if (!e->is_frontend)
			take_line(h, e, p, lines[e->id]);
		else if (e->has_want && !e->problem && e->want.number < p->numbered)
			entry_have(h, e);
	}
	if (old) {
		(void)uv_process_kill(&old->child[1], SIGUSR1);
		process_forget(old);
	} else {
		h->old_stop_ms = clock_ms() + OLD_STOP_MS;
	}
	l7_took_over(h);
	files_sweep(h, p->number);
	files_forget_ended(h);
	handoff_set_problem(h, NULL);
	log_info("proxy: haproxy runs as process %d, with %zu endpoints",
		 (int)uv_process_get_pid(&p->child[1]), h->live_count);
	if (h->reload_wanted) {
		h->reload_wanted = false;
		handoff_settle(h);
	}
	handoff_arm(h, OLD_STOP_MS);
	h->hooks.changed(h->hooks.ctx);
}

void handoff_failed(struct handoff *h, struct process *p)
{
	const bool was_now = p == h->now;
	uint64_t wait_ms;

	if (was_now && clock_ms() - p->started_ms > STEADY_MS)
		h->failures = 0;
	if (was_now)
		h->now = NULL;
	else
		h->next = NULL;
	process_forget(p);
	wait_ms = h->failures ? 100u << (h->failures < 7 ? h->failures : 7) : 0;
	if (wait_ms > RETRY_MOST_MS)
		wait_ms = RETRY_MOST_MS;
	h->failures++;
	if (!h->now && !h->down_ms)
		h->down_ms = clock_ms();
	handoff_set_problem(h, was_now ? "HAProxy ended and is started again"
				       : "HAProxy cannot be started: see the daemon's log");
	h->retry_ms = clock_ms() + wait_ms;
	handoff_arm(h, wait_ms);
}

/*
 * The tables lead to them until the new ones are ready, and a process that is about to take over has them in
 * its map.
 */
static void drop_leavers(struct handoff *h, uint64_t now)
{
	const bool is_early = h->next || handoff_is_pending(h);

	for (size_t i = h->live_count; i > 0; i--) {
		struct entry *e = h->entries[h->live[i - 1]];

		if (!e->has_want && e->leave_ms && is_early)
			e->leave_ms = now + LEAVE_MS;
		if (e->has_want || !e->leave_ms || e->leave_ms > now)
			continue;
		h->hooks.steer(h->hooks.ctx, e->id, -1, -1);
		if (!e->is_frontend) {
			if (e->have.number)
				push_unmap(h, e->slot);
			push_retire(h, &e->have);
		}
		entry_free(h, i - 1);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct handoff *h = timer->data;
	const uint64_t now = clock_ms();

	drop_leavers(h, now);
	push_drop_retired(h);
	if (h->old_stop_ms && now >= h->old_stop_ms) {
		h->old_stop_ms = 0;
		stop_old(h);
	}
	if (h->retry_ms && now >= h->retry_ms) {
		h->retry_ms = 0;
		if (!h->next)
			process_begin(h);
	}
	if (h->down_ms && !h->down_told && now - h->down_ms >= DOWN_GRACE_MS) {
		h->down_told = true;
		h->hooks.changed(h->hooks.ctx);
	}
	if (!h->down_ms)
		h->down_told = false;
	if (h->live_count || h->retired_count || h->retry_ms || h->down_ms || h->old_stop_ms)
		handoff_arm(h, h->down_ms || h->retry_ms ? 100 : 1000);
}

/* The earliest of what was asked for. */
void handoff_arm(struct handoff *h, uint64_t wait_ms)
{
	if (h->closing ||
	    (uv_is_active((uv_handle_t *)&h->timer) && uv_timer_get_due_in(&h->timer) <= wait_ms))
		return;
	uv_update_time(h->loop);
	(void)uv_timer_start(&h->timer, on_timer, wait_ms, 0);
}

void handoff_trust(struct handoff *h, uint32_t id)
{
	if (id < SPW_ENDPOINTS_LIMIT)
		h->trusted[id] = true;
}

bool handoff_is_ready(const struct handoff *h, uint32_t id)
{
	const struct entry *e = id < SPW_ENDPOINTS_LIMIT ? h->entries[id] : NULL;

	if (h->down_ms && clock_ms() - h->down_ms >= DOWN_GRACE_MS)
		return false;
	return e && !e->problem && (e->have.number || h->trusted[id]);
}

bool handoff_is_pending(const struct handoff *h)
{
	bool any = false;

	if (h->problem && h->failures > 1)
		return false; /* nobody knows when */
	for (size_t i = 0; i < h->live_count && !any; i++) {
		const struct entry *e = h->entries[h->live[i]];

		any = e->has_want && !e->problem && !e->have.number && !h->trusted[e->id];
	}
	return any;
}

const char *handoff_obstacle(const struct handoff *h, uint32_t id)
{
	const struct entry *e = id < SPW_ENDPOINTS_LIMIT ? h->entries[id] : NULL;

	if (e && e->problem)
		return e->problem;
	if (e && e->path_error)
		return reach_text(e->path_error);
	return reach_text(reach_behind_rules(h, id));
}

bool handoff_has_obstacles(const struct handoff *h)
{
	bool any = h->l7_path_errors > 0;

	for (size_t i = 0; i < h->live_count && !any; i++)
		any = h->entries[h->live[i]]->problem || h->entries[h->live[i]]->path_error;
	return any;
}

const char *handoff_endpoint_problem(const struct handoff *h, uint32_t id)
{
	const struct entry *e = id < SPW_ENDPOINTS_LIMIT ? h->entries[id] : NULL;
	const char *obstacle = handoff_obstacle(h, id);

	if (obstacle)
		return obstacle;
	if (h->problem)
		return h->problem;
	if (!e && h->lacks_sockets)
		return "there is no listening socket for it: raise the daemon's limit of "
		       "descriptors";
	return e && (e->have.number || h->trusted[id]) ? NULL : "HAProxy is about to learn of it";
}

void handoff_user(const struct handoff *h, uid_t *uid, gid_t *gid)
{
	*uid = h->uid;
	*gid = h->gid;
}

const char *handoff_problem(const struct handoff *h)
{
	if (h->problem)
		return h->problem;
	return h->l7_problem ? h->l7_problem : h->plan_problem;
}

const char *handoff_missing(const char *haproxy)
{
	if (haproxy && access(haproxy, X_OK) == 0)
		return NULL;
	return "HAProxy, which is to carry them, is not installed: apt-get install haproxy, then "
	       "restart spillwayd";
}

static void on_poll(uv_timer_t *timer)
{
	(void)reach_look(timer->data);
	count_poll(timer->data);
}

static void release(struct handoff *h)
{
	while (h->live_count)
		entry_free(h, 0);
	for (size_t i = 0; i < h->retired_count; i++)
		free(h->retired[i].pool);
	sockets_close(h->sockets, h->slot_count);
	arena_free(h->plan_arena);
	arena_free(h->l7_arena);
	free(h->l7_refused.keys);
	free(h->l7_problem);
	free(h->plan_problem);
	free(h->sockets);
	free(h->slot_ids);
	free(h->entries);
	free(h->trusted);
	free(h->live);
	free(h->retired);
	free(h->problem);
	free(h->dir);
	free(h->haproxy);
	free(h);
}

static void on_closed(uv_handle_t *handle)
{
	struct handoff *h = handle->data;

	if (--h->handles == 0)
		release(h);
}

int handoff_new(uv_loop_t *loop, const struct handoff_options *opts, struct handoff **out)
{
	struct handoff *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	h->loop = loop;
	h->hooks = opts->hooks;
	h->resolver_port = opts->resolver_port;
	h->local_clients = opts->local_clients;
	h->next_number = h->next_process = (uint64_t)time(NULL) * 1000;
	h->haproxy = strdup(opts->haproxy);
	h->entries = calloc(SPW_ENDPOINTS_LIMIT, sizeof(struct entry *));
	h->trusted = calloc(SPW_ENDPOINTS_LIMIT, sizeof(*h->trusted));
	h->live = calloc(SPW_ENDPOINTS_LIMIT, sizeof(*h->live));
	err = h->haproxy && h->entries && h->trusted && h->live ? 0 : -ENOMEM;
	if (!err)
		err = files_prepare(h, opts->run_dir);
	if (!err)
		err = slots_grow(h);
	if (err) {
		release(h);
		return err;
	}
	(void)uv_timer_init(loop, &h->timer);
	(void)uv_timer_init(loop, &h->poll_timer);
	h->timer.data = h->poll_timer.data = h;
	h->handles = 2;
	(void)uv_timer_start(&h->poll_timer, on_poll, POLL_MS, POLL_MS);
	*out = h;
	return 0;
}

void handoff_free(struct handoff *h)
{
	if (!h)
		return;
	h->closing = true;
	process_forget(TAKE(h->now));
	process_forget(TAKE(h->next));
	uv_close((uv_handle_t *)&h->timer, on_closed);
	uv_close((uv_handle_t *)&h->poll_timer, on_closed);
}

int handoff_detach(const char *run_dir)
{
	AUTO(arena_free) struct arena *a = arena_new();
	const char *dir;

	if (!a)
		return -ENOMEM;
	dir = arena_printf(a, "%s/proxy", run_dir);
	process_end_all(dir);
	files_remove(dir);
	return 0;
}
