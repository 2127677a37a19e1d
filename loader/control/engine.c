/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening and closing of the core, and the change from one generation to the next. Everything that
 * can fail comes before `ready`; what the store says but the maps cannot hold does not: a restart
 * must never be worse than no restart.
 */
#include "control/engine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/drain.h"
#include "control/lock.h"
#include "control/operator.h"
#include "control/reaction.h"
#include "control/rebuild.h"
#include "control/rest.h"
#include "control/times.h"
#include "control/userspace.h"

#define HOUSEKEEPING_MS 5000

void engine_set_problem(struct engine *e, const char *text)
{
	char *copy;

	if (text && e->problem && strcmp(text, e->problem) == 0)
		return;
	if (text)
		log_error("tables: %s", text);
	else if (e->problem)
		log_info("tables: in force again");
	copy = text ? strdup(text) : NULL;
	free(e->problem);
	e->problem = copy;
}

struct model_options engine_model_options(struct engine *e, struct arena *a)
{
	struct model_options opts = e->model_options;
	struct spw_addr *addrs = NULL;

	dataplane_host_addrs(e->dp, a, &addrs, &opts.host_addr_count);
	opts.host_addrs = addrs;
	userspace_options(e, a, &opts);
	return opts;
}

uint32_t engine_endpoint_id(const struct engine *e, const struct instance *i)
{
	return e->numbered && i->carried ? ids_endpoint(e->ids, i) : SPW_ENDPOINT_NONE;
}

/* A failure is tried again by the housekeeping. */
static int set_vips(struct engine *e)
{
	int err = dataplane_set_vips(e->dp, e->now->model->vips, e->now->model->vip_count);

	if (err)
		log_error("vips: %s", strerror(-err));
	e->vips_lag = err != 0;
	return err;
}

/* The old model must not be freed under a checker that still looks at it: without memory, end. */
static void sync_health(struct engine *e)
{
	if (health_sync(e->health, e->now->model) == 0)
		return;
	log_error("health: out of memory: ending; a restart goes on from the store");
	abort();
}

int engine_install(struct engine *e, struct generation *g)
{
	struct generation *before = e->now;
	int err;

	e->now = g;
	rebuild_renumber(e);
	sync_health(e);
	userspace_sync(e);
	err = engine_rebuild(e);
	operator_write_all(e);
	drains_watch(e);
	times_keep(e, g);
	if (set_vips(e) && !err)
		err = -EIO;
	generation_free(before);
	return err;
}

/* The bit UP holds the operator's word as well: only without one does it tell about health. */
static void seed_from_maps(struct engine *e)
{
	const struct table_endpoint *row;

	for (size_t i = 0; i < e->have.endpoint_count; i++) {
		row = &e->have.endpoints[i];
		if (admins_get(&e->admins, &row->addr, row->port) == SPW_ADMIN_AUTO)
			health_seed(e->health, &row->addr, row->port, row->profile,
				    row->up ? HEALTH_UP : HEALTH_DOWN);
	}
}

static void refuse_row(struct engine *e, const struct stored *row, const struct diags *d)
{
	const char *text = d->count ? d->items[0].text : "not understood";
	struct refused *r = arena_push(e->arena, e->refused, e->refused_count);

	r->key = (struct stored){
		.project = arena_strdup(e->arena, row->project),
		.group = arena_strdup(e->arena, row->group),
		.kind = arena_strdup(e->arena, row->kind),
		.namespace = arena_strdup(e->arena, row->namespace),
		.name = arena_strdup(e->arena, row->name),
	};
	r->why = arena_printf(e->arena,
			      "%s %s/%s of project %s: stored, but refused by this version: %s",
			      row->kind, row->namespace, row->name, row->project, text);
	log_warn("store: %s", r->why);
}

static int load_generation(struct engine *e, struct generation **out)
{
	AUTO(arena_free) struct arena *a = arena_new();
	AUTO(arena_free) struct arena *rows_arena = arena_new();
	struct object *objects = NULL, o;
	struct stored_list rows;
	struct model_options opts;
	struct diags d;
	size_t count = 0;
	int err;

	if (!a || !rows_arena)
		return -ENOMEM;
	err = store_list(e->store, rows_arena, NULL, NULL, NULL, NULL, &rows);
	if (err)
		return err;
	for (size_t i = 0; i < rows.count; i++) {
		diags_init(&d, rows_arena);
		if (object_load(rows_arena, &d, &rows.items[i], &o)) {
			refuse_row(e, &rows.items[i], &d);
			continue;
		}
		object_freeze(&o);
		*arena_push(a, objects, count) = object_copy(a, &o);
	}
	opts = engine_model_options(e, a);
	*out = generation_new(TAKE(a), objects, count, &opts, NULL);
	times_restore(e, *out);
	for (size_t i = 0; i < count; i++)
		frozen_release((*out)->model->objects[i].body); /* the generation holds it now */
	return 0;
}

/* Gateways without addresses follow the host's. */
static void follow_host_addrs(struct engine *e)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct model_options opts;
	struct object *objects;
	const size_t size = sizeof(*opts.host_addrs);

	if (!a)
		return;
	opts = engine_model_options(e, a);
	if (opts.host_addr_count == e->now->host_addr_count &&
	    (!opts.host_addr_count ||
	     memcmp(opts.host_addrs, e->now->host_addrs, size * opts.host_addr_count) == 0))
		return;
	log_info("addresses: those of the interfaces changed");
	objects = generation_copy(e->now, a);
	(void)engine_install(
		e, generation_new(TAKE(a), objects, e->now->model->object_count, &opts, e->now));
}

static void on_housekeeping(uv_timer_t *t)
{
	struct engine *e = t->data;

	rest_release(e);
	rebuild_settle(e);
	operator_keep_again(e);
	userspace_keep(e);
	follow_host_addrs(e);
	if (e->vips_lag)
		(void)set_vips(e);
}

static int take_locks(struct engine *e, struct arena *a, const struct engine_options *o,
		      const char **why)
{
	int err = lock_take(a, o->state_dir, 0700, "--state-dir", &e->state_lock, why);

	if (err)
		return err;
	err = lock_take(a, o->dataplane.run_dir, 0755, "--run-dir", &e->run_lock, why);
	if (!err && o->dataplane.bpffs)
		err = lock_pins_patiently(a, o->dataplane.bpffs, &e->pins_lock, why);
	return err;
}

static int open_health(struct engine *e, struct arena *a, const struct engine_options *o)
{
	const struct health_options opts = {
		.hooks = reaction_hooks(e),
		.events = e->events,
		.on_host = o->on_host,
		.resolv_conf = o->resolv_conf,
		.state_file = arena_printf(a, "%s/health", o->dataplane.run_dir),
	};

	return health_new(e->loop, &opts, &e->health);
}

/* What the maps hold, and the numbers, health and words in it. */
static int take_over_maps(struct engine *e, struct arena *a, const struct engine_options *o)
{
	const struct spw_meta *meta = dataplane_meta(e->dp);
	const struct ids_limits limits = {
		.max_endpoints = meta->max_endpoints,
		.max_services = meta->max_services,
	};
	int err;

	e->have_arena = arena_new();
	e->ids = ids_new(&limits);
	e->events = event_log_new(ENGINE_EVENTS);
	e->cache = table_cache_new();
	e->rest_since_ms = calloc(SPW_ENDPOINTS_LIMIT, sizeof(*e->rest_since_ms));
	if (!e->have_arena || !e->ids || !e->events || !e->cache || !e->rest_since_ms)
		return -ENOMEM;
	err = dataplane_readback(e->dp, e->have_arena, &e->have);
	if (err)
		return err;
	ids_seed(e->ids, &e->have);
	err = open_health(e, a, o);
	if (!err)
		err = operator_load(e);
	if (!err)
		err = userspace_open(e, o);
	if (!err)
		seed_from_maps(e);
	return err;
}

/*
 * A store that never held anything beside maps that carry traffic is another directory, or a lost
 * one: going on would take all services down.
 */
static int check_store_is_ours(struct engine *e, struct arena *a, const struct engine_options *o,
			       const char **why)
{
	if (!e->have.service_count || store_version(e->store))
		return 0;
	*why = arena_printf(a,
			    "--state-dir %s: holds nothing yet, but the pinned maps carry %zu "
			    "services: give the --state-dir they came from, or take them off with "
			    "spillwayd --detach",
			    o->state_dir, e->have.service_count);
	return -EEXIST;
}

static int open_all(struct engine *e, struct arena *a, const struct engine_options *o,
		    const char **why)
{
	struct admin_entry *marked;
	struct generation *g = NULL;
	size_t marked_count;
	int err = take_locks(e, a, o, why);

	if (!err)
		err = store_open(a, o->state_dir, &e->store, why);
	if (!err)
		err = dataplane_open(a, e->loop, &o->dataplane, &e->dp, why);
	if (!err && o->dataplane.bpffs) /* it may have been mounted just now */
		err = lock_pins(a, o->dataplane.bpffs, &e->pins_lock, why);
	if (err)
		return err;
	*why = NULL;
	err = take_over_maps(e, a, o);
	if (!err)
		err = check_store_is_ours(e, a, o, why);
	if (!err)
		err = load_generation(e, &g);
	if (err) {
		if (!*why)
			*why = arena_printf(a, "%s (%s)", strerror(-err), store_error(e->store));
		return err;
	}
	marked_count = operator_find_marked(e, a, &marked);
	(void)engine_install(e, g);
	operator_adopt(e, marked, marked_count);
	(void)uv_timer_start(&e->housekeeping, on_housekeeping, HOUSEKEEPING_MS, HOUSEKEEPING_MS);
	return 0;
}

int engine_open(struct arena *a, uv_loop_t *loop, const struct engine_options *opts,
		struct engine **out, const char **why)
{
	struct engine *e = calloc(1, sizeof(*e));
	int err;

	*why = "out of memory";
	if (!e)
		return -ENOMEM;
	*e = (struct engine){
		.loop = loop,
		.arena = arena_new(),
		.model_options = {.on_host = opts->on_host,
				  .zone = opts->zone,
				  .gue_port = ntohs(opts->dataplane.tunnels.gue_port)},
		.state_lock = -1,
		.run_lock = -1,
		.pins_lock = -1,
		.started_ms = clock_ms(),
		.handles = 4,
	};
	(void)uv_timer_init(loop, &e->retry);
	(void)uv_timer_init(loop, &e->housekeeping);
	(void)uv_timer_init(loop, &e->drain_timer);
	(void)uv_timer_init(loop, &e->names_timer);
	e->retry.data = e;
	e->housekeeping.data = e;
	e->drain_timer.data = e;
	e->names_timer.data = e;
	err = e->arena ? open_all(e, a, opts, why) : -ENOMEM;
	if (err) {
		engine_close(e);
		return err;
	}
	*out = e;
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	struct engine *e = h->data;

	if (--e->handles)
		return;
	event_log_free(e->events); /* health/ may write to it until its own handles are closed */
	free(e);
}

void engine_close(struct engine *e)
{
	if (e->health)
		health_free(e->health);
	userspace_close(e);
	drains_close(e);
	rest_close(e);
	if (e->dp)
		dataplane_close(e->dp);
	generation_free(e->now);
	ids_free(e->ids);
	table_cache_free(e->cache);
	store_close(e->store);
	admins_done(&e->admins);
	arena_free(e->trial.arena);
	arena_free(e->have_arena);
	arena_free(e->arena);
	free(e->problem);
	free(e->lagging);
	free(e->rest_since_ms);
	fd_close(e->state_lock);
	fd_close(e->run_lock);
	fd_close(e->pins_lock);
	uv_close((uv_handle_t *)&e->retry, on_closed);
	uv_close((uv_handle_t *)&e->housekeeping, on_closed);
	uv_close((uv_handle_t *)&e->drain_timer, on_closed);
	uv_close((uv_handle_t *)&e->names_timer, on_closed);
}
