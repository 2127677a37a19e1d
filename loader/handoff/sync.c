/* SPDX-License-Identifier: BSD-2-Clause */
/* From a model to what each endpoint is to be: whatever differs from what HAProxy has is told, or begun anew. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "handoff/state.h"

#define LOCAL_MOST 1024 /* endpoints that have sockets for local clients only */

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
			entry_want(h, &s);
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
	h->lacks_sockets = false;
	for (size_t i = 0; i < p.server_count; i++)
		entry_want(h, &p.servers[i]);
	want_frontends(h, &l7);
	l7_keep(h, &l7);
	l7_hash(h);
	if (h->l7_hash + h->l7_servers != before) {
		if (h->now && h->l7_refused.count)
			h->now->l7_hash = 0; /* it lacks what was refused, and shall try again */
		l7_forgive(h);
	}
	free(h->plan_problem);
	h->plan_problem = l7.problem ? strdup(l7.problem) : NULL;
	for (size_t i = 0; !h->is_synced && i < SPW_ENDPOINTS_LIMIT; i++)
		h->trusted[i] = h->trusted[i] && h->entries[i];
	h->is_synced = true;
	keep_plan(h, &p);
	leave_others(h);
	handoff_settle(h);
	handoff_arm(h, LEAVE_MS);
}
