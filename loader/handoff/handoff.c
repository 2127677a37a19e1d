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
#define POLL_MS	   1000
#define LOCAL_MOST 1024 /* endpoints that have sockets for local clients only */

void handoff_set_problem(struct handoff *h, const char *text)
{
	free(h->problem);
	h->problem = text ? strdup(text) : NULL;
}

void server_done(struct server *s)
{
	arena_free(s->arena);
	*s = (struct server){0};
}

void server_set(struct server *to, const struct plan_server *from, uint64_t number)
{
	struct arena *a = arena_new();

	if (!a)
		abort();
	server_done(to);
	*to = (struct server){
		.arena = a,
		.number = number,
		.identity = from->identity,
		.pool = arena_strdup(a, from->pool),
		.address = arena_strdup(a, from->address),
		.params = arena_strdup(a, from->params),
	};
}

static void server_copy(struct server *to, const struct server *from)
{
	const struct plan_server s = {
		.identity = from->identity,
		.pool = from->pool,
		.address = from->address,
		.params = from->params,
	};

	server_set(to, &s, from->number);
}

void entry_have(struct handoff *h, struct entry *e)
{
	const struct socket_pair *s = &h->sockets[e->slot];

	server_copy(&e->have, &e->want);
	e->answered = e->failed = e->in = e->out = e->lost = 0;
	h->trusted[e->id] = false;
	h->hooks.steer(h->hooks.ctx, e->id, s->v4, s->v6);
}

/* What it wanted when the configuration of `p` was written, and does not any more. */
static void entry_had(struct handoff *h, struct entry *e, const struct process *p)
{
	const struct socket_pair *s = &h->sockets[e->slot];

	for (size_t i = 0; i < p->line_count; i++) {
		const struct config_line *l = &p->lines[i];

		if (l->id != e->id || l->slot != e->slot || l->number == e->have.number)
			continue;
		server_set(&e->have, &l->server, l->number);
		e->answered = e->failed = e->in = e->out = e->lost = 0;
		h->trusted[e->id] = false;
		h->hooks.steer(h->hooks.ctx, e->id, s->v4, s->v6);
	}
}

void entry_lose(struct handoff *h, struct entry *e)
{
	server_done(&e->have);
	h->hooks.steer(h->hooks.ctx, e->id, -1, -1);
}

void entry_refuse(struct handoff *h, struct entry *e, const char *why)
{
	free(e->problem);
	e->problem = strdup(why);
	log_error("proxy: endpoint %s: %s", e->want.address, why);
	h->hooks.changed(h->hooks.ctx);
}

static void free_entry(struct handoff *h, size_t nth)
{
	const uint32_t id = h->live[nth];
	struct entry *e = h->entries[id];

	h->entries[id] = NULL;
	h->live[nth] = h->live[--h->live_count];
	h->slot_ids[e->slot] = SPW_ENDPOINT_NONE;
	server_done(&e->want);
	server_done(&e->have);
	free(e->problem);
	free(e);
}

/* More sockets than are needed, so that the next endpoints need no new process. */
static int grow(struct handoff *h)
{
	const size_t wanted = h->slot_count ? 2 * h->slot_count : SLOTS_LEAST;
	uint32_t *ids = realloc(h->slot_ids, wanted * sizeof(*ids));
	int err;

	if (!ids)
		return -ENOMEM;
	h->slot_ids = ids;
	err = sockets_open(&h->sockets, &h->slot_count, wanted);
	if (err)
		return err;
	memset(ids + wanted / 2 * (wanted > SLOTS_LEAST), 0,
	       (wanted > SLOTS_LEAST ? wanted / 2 : wanted) * sizeof(*ids));
	return 0;
}

static size_t take_slot(struct handoff *h, uint32_t id, bool is_frontend)
{
	size_t i = 0;

	while (i < h->slot_count &&
	       (h->slot_ids[i] != SPW_ENDPOINT_NONE || l7_slot_is_frontends(i) != is_frontend))
		i++;
	if (i == h->slot_count && grow(h))
		return SLOT_NONE;
	while (l7_slot_is_frontends(i) != is_frontend)
		i++;
	h->slot_ids[i] = id;
	return i;
}

static struct entry *add_entry(struct handoff *h, uint32_t id, bool is_frontend)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->id = id;
	e->is_frontend = is_frontend;
	e->slot = take_slot(h, id, is_frontend);
	if (e->slot == SLOT_NONE) {
		log_error("proxy: no listening socket is to be had for one more endpoint: %s",
			  strerror(errno));
		free(e);
		return NULL;
	}
	h->entries[id] = e;
	h->live[h->live_count++] = id;
	return e;
}

static void want(struct handoff *h, const struct plan_server *s)
{
	struct entry *e = h->entries[s->id];

	if (!e)
		e = add_entry(h, s->id, !*s->pool);
	if (!e)
		return;
	e->has_want = true;
	e->leave_ms = 0;
	if (e->want.number && e->want.identity == s->identity)
		return;
	free(TAKE(e->problem));
	if (e->have.number && e->have.identity == s->identity)
		server_copy(&e->want, &e->have); /* back to what it was */
	else
		server_set(&e->want, s, h->next_number++);
	if (s->refusal)
		entry_refuse(h, e, s->refusal);
}

static bool has_pool(const struct plan_pool *pools, size_t count, const char *name)
{
	size_t i = 0;

	while (i < count && strcmp(pools[i].name, name) != 0)
		i++;
	return i < count;
}

static bool is_led_to(const struct handoff *h, const char *pool)
{
	bool any = false;

	for (size_t i = 0; i < h->live_count && !any; i++) {
		const struct server *s = &h->entries[h->live[i]]->have;

		any = s->number && strcmp(s->pool, pool) == 0;
	}
	return any;
}

/* Those of the plan, and those before that what HAProxy has is in: it may go into a new process. */
static void keep_pools(struct handoff *h, struct arena *a, const struct plan *p)
{
	struct plan_pool *all = NULL;
	size_t count = 0;

	for (size_t i = 0; i < p->pool_count; i++)
		*arena_push(a, all, count) = p->pools[i];
	for (size_t i = 0; i < h->pool_count; i++) {
		if (!has_pool(all, count, h->pools[i].name) && is_led_to(h, h->pools[i].name))
			*arena_push(a, all, count) = h->pools[i];
	}
	for (size_t i = 0; i < count; i++)
		all[i].name = arena_strdup(a, all[i].name);
	h->pools = all;
	h->pool_count = count;
}

/* A frontend is in the process or it is not: what it does there is the process's. */
static void want_frontends(struct handoff *h, const struct l7_plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct plan_server s = {
			.id = p->sections[i].id,
			.address = "",
			.params = "",
			.pool = "",
			.identity = 1,
		};

		if (s.id != SPW_ENDPOINT_NONE)
			want(h, &s);
	}
}

static void keep_plan(struct handoff *h, const struct plan *p)
{
	struct arena *a = arena_new();

	if (!a)
		abort();
	keep_pools(h, a, p);
	h->files = arena_array(a, p->file_count, sizeof(*h->files));
	h->file_count = p->file_count;
	for (size_t i = 0; i < p->file_count; i++)
		h->files[i] = (struct plan_file){
			.path = arena_strdup(a, p->files[i].path),
			.pem = arena_strdup(a, p->files[i].pem),
			.kind = p->files[i].kind,
		};
	arena_free(h->plan_arena);
	h->plan_arena = a;
}

static void leave_others(struct handoff *h)
{
	const uint64_t until = clock_ms() + LEAVE_MS;

	for (size_t i = 0; i < h->live_count; i++) {
		struct entry *e = h->entries[h->live[i]];

		if (e->has_want)
			continue;
		if (!e->have.number)
			server_done(&e->want); /* when it comes back it is another one */
		if (!e->leave_ms)
			e->leave_ms = until;
	}
}

void handoff_settle(struct handoff *h)
{
	if (h->next || h->down_ms) {
		h->reload_wanted = true;
		return;
	}
	if (!h->now && !h->live_count) { /* nobody needs a proxy yet, or any more */
		process_stop_all(h->dir);
		return;
	}
	if (push_needs_process(h))
		process_begin(h);
	else {
		push_all(h);
		l7_push_servers(h);
	}
}

void handoff_sync(struct handoff *h, const struct model *m, const struct ids *ids,
		  const struct health_view *v)
{
	AUTO(arena_free) struct arena *a = arena_new();
	const uint64_t before = h->l7_hash + h->l7_servers;
	struct plan_options opts;
	struct l7_plan_options l7_opts;
	struct l7_plan l7;
	struct plan p;

	if (!a)
		abort();
	opts = (struct plan_options){.dir = h->dir,
				     .local_most = h->local_clients ? LOCAL_MOST : 0};
	plan_make(a, m, ids, &opts, &p);
	if (p.left_out && !h->left_out)
		log_warn(
			"proxy: %zu plain endpoints have no socket for local clients: %d at most do",
			p.left_out, LOCAL_MOST);
	h->left_out = p.left_out;
	l7_opts = (struct l7_plan_options){.dir = h->dir, .resolver_port = h->resolver_port};
	l7_plan_make(a, m, ids, &l7_opts, &p, &l7);
	l7_plan_weigh(a, m, ids, v, &l7);
	for (size_t i = 0; i < h->live_count; i++)
		h->entries[h->live[i]]->has_want = false;
	for (size_t i = 0; i < p.server_count; i++)
		want(h, &p.servers[i]);
	want_frontends(h, &l7);
	l7_keep(h, &l7);
	l7_hash(h);
	if (h->l7_hash + h->l7_servers != before)
		l7_forgive(h);
	if (l7.problem && !h->l7_problem)
		h->l7_problem = strdup(l7.problem);
	keep_plan(h, &p);
	leave_others(h);
	handoff_settle(h);
	handoff_arm(h, LEAVE_MS);
}

/* Of the sockets that an old daemon's process listens on nothing is led there any more. */
static void stop_old(struct handoff *h)
{
	if (h->now)
		process_stop_old(h, h->now);
}

void handoff_took_over(struct handoff *h, struct process *p)
{
	struct process *old = h->now;

	h->now = p;
	h->next = NULL;
	h->down_ms = 0;
	for (size_t i = 0; i < h->retired_count; i++)
		free(h->retired[i].pool);
	h->retired_count = 0;
	for (size_t i = 0; i < h->live_count; i++) {
		struct entry *e = h->entries[h->live[i]];

		e->pushing = false;
		if (e->has_want && !e->problem && e->want.number < p->numbered)
			entry_have(h, e);
		else if (!e->is_frontend)
			entry_had(h, e, p);
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
			push_unmap(h, e);
			push_retire(h, &e->have);
		}
		free_entry(h, i - 1);
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

	if (!e)
		return NULL;
	return e->problem ? e->problem : reach_text(e->path_error);
}

bool handoff_has_obstacles(const struct handoff *h)
{
	bool any = false;

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
	return e && (e->have.number || h->trusted[id]) ? NULL : "HAProxy is about to learn of it";
}

void handoff_user(const struct handoff *h, uid_t *uid, gid_t *gid)
{
	*uid = h->uid;
	*gid = h->gid;
}

const char *handoff_problem(const struct handoff *h)
{
	return h->problem ? h->problem : h->l7_problem;
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
		free_entry(h, 0);
	for (size_t i = 0; i < h->retired_count; i++)
		free(h->retired[i].pool);
	sockets_close(h->sockets, h->slot_count);
	arena_free(h->plan_arena);
	arena_free(h->l7_arena);
	free(h->l7_refused.keys);
	free(h->l7_problem);
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
		err = grow(h);
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
