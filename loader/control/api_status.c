/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon about itself: version, counters, what is attached and what is wrong. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "control/api.h"
#include "control/reach.h"

#define UNMET_MAX 100 /* of them in `problems`; all are in the resources' own conditions */

static const struct {
	const char *name, *kind, *description;
} stat_rows[] = {
#define STAT_ROW(kind, id, name, text) {name, #kind, text},
	SPW_STATS(STAT_ROW)
#undef STAT_ROW
};

static const struct {
	const char *stats_h, *answer;
} stat_kinds[] = {
	{"PASS", "pass"},
	{"FORWARD", "forward"},
	{"DROP", "drop"},
	{"COUNT", "count"},
};

static const char *stat_kind(const char *word)
{
	for (size_t i = 0; i < sizeof(stat_kinds) / sizeof(stat_kinds[0]); i++) {
		if (strcmp(stat_kinds[i].stats_h, word) == 0)
			return stat_kinds[i].answer;
	}
	return word;
}

void api_version(struct call *c)
{
	struct node *answer = tree_map(c->arena);
	const char *dot = strchr(SPILLWAY_VERSION, '.');
	const size_t major_len = strcspn(SPILLWAY_VERSION, ".");

	tree_set_text(c->arena, answer, "gitVersion", "v" SPILLWAY_VERSION);
	tree_set_text(c->arena, answer, "major",
		      arena_strndup(c->arena, SPILLWAY_VERSION, major_len));
	tree_set_text(c->arena, answer, "minor",
		      dot ? arena_strndup(c->arena, dot + 1, strcspn(dot + 1, ".")) : "");
	call_answer(c, 200, answer);
}

void api_healthz(struct call *c)
{
	call_answer_text(c, 200, "ok");
}

/* Of services that may refuse new flows: how many they did. */
static void add_guarded(struct call *c, struct node *list)
{
	const struct tables *t = &c->engine->have;
	char text[ADDR_PORT_TEXT_MAX];
	struct spw_service_stats n;
	struct node *row;

	for (size_t i = 0; i < t->service_count; i++) {
		const struct table_service *s = &t->services[i];

		if (!s->guarded)
			continue;
		dataplane_service_stats(c->engine->dp, s->id, &n);
		row = tree_append_map(c->arena, list);
		tree_set_text(c->arena, row, "address", addr_print_port(&s->vip, s->port, text));
		tree_set_text(c->arena, row, "protocol", s->proto == IPPROTO_UDP ? "UDP" : "TCP");
		tree_set_int(c->arena, row, "denied", (int64_t)n.denied);
		tree_set_int(c->arena, row, "notAllowed", (int64_t)n.not_allowed);
		tree_set_int(c->arena, row, "limited", (int64_t)n.limited);
		tree_set_int(c->arena, row, "sourceLimited", (int64_t)n.source_limited);
	}
}

void api_stats(struct call *c)
{
	struct node *answer = tree_map(c->arena), *row;
	struct node *list = tree_set_list(c->arena, answer, "counters");
	uint64_t stats[SPW_STAT_MAX] = {0};

	dataplane_stats(c->engine->dp, stats);
	for (size_t i = 0; i < SPW_STAT_MAX; i++) {
		row = tree_append_map(c->arena, list);
		tree_set_text(c->arena, row, "name", stat_rows[i].name);
		tree_set_text(c->arena, row, "kind", stat_kind(stat_rows[i].kind));
		tree_set_text(c->arena, row, "description", stat_rows[i].description);
		tree_set_int(c->arena, row, "value", (int64_t)stats[i]);
	}
	add_guarded(c, tree_set_list(c->arena, answer, "services"));
	call_answer(c, 200, answer);
}

static void add_interfaces(struct call *c, struct node *answer, const struct dataplane_status *s)
{
	struct node *list = tree_set_list(c->arena, answer, "interfaces"), *row;
	const struct interface_status *i;

	for (size_t n = 0; n < s->interface_count; n++) {
		i = &s->interfaces[n];
		row = tree_append_map(c->arena, list);
		tree_set_text(c->arena, row, "name", i->name);
		tree_set_bool(c->arena, row, "attached", i->attached);
		tree_set_text(c->arena, row, "mode",
			      !i->attached ? NULL
			      : i->native  ? "native"
					   : "generic");
		tree_set_text(c->arena, row, "modeReason", i->generic);
		tree_set_text(c->arena, row, "driver", i->driver);
		tree_set_text(c->arena, row, "problem", i->problem);
	}
}

static void add_texts(struct call *c, struct node *list, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		node_append(c->arena, list, tree_text(c->arena, texts[i]));
}

static void add_host(struct call *c, struct node *answer, const struct dataplane_status *s)
{
	struct node *sources;
	char text[ADDR_TEXT_MAX];

	sources = tree_set_list(c->arena, answer, "sources");
	for (size_t i = 0; i < s->source_count; i++)
		node_append(c->arena, sources,
			    tree_text(c->arena, addr_print(&s->sources[i], text)));
	add_texts(c, tree_set_list(c->arena, answer, "sysctls"), s->sysctls, s->sysctl_count);
	add_texts(c, tree_set_list(c->arena, answer, "offloads"), s->offloads, s->offload_count);
}

static void add_vips(struct call *c, struct node *answer)
{
	struct node *list = tree_set_list(c->arena, answer, "vips"), *row;
	const struct model *m = c->engine->now->model;
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < m->vip_count; i++) {
		row = tree_append_map(c->arena, list);
		tree_set_text(c->arena, row, "address", addr_print(&m->vips[i], text));
		tree_set_text(c->arena, row, "problem",
			      dataplane_vip_problem(c->engine->dp, c->arena, &m->vips[i]));
	}
}

static void add_resources(struct call *c, struct node *answer)
{
	struct node *map = tree_set_map(c->arena, answer, "resources");
	const struct model *m = c->engine->now->model;
	int64_t counts[KIND_MAX] = {0};

	for (size_t i = 0; i < m->object_count; i++)
		counts[m->objects[i].res.kind->id]++;
	for (size_t i = 0; i < KIND_MAX; i++) {
		if (counts[i])
			tree_set_int(c->arena, map, kinds[i].name, counts[i]);
	}
}

static void add_one_unmet(struct call *c, struct node *list, const struct object *o,
			  const struct condition *k)
{
	const char *text;

	if (node_count(list) >= UNMET_MAX)
		return;
	text = arena_printf(c->arena, "%s %s/%s: %s=False (%s): %s", o->res.kind->name,
			    o->res.namespace, o->res.name, k->type, k->reason, k->message);
	node_append(c->arena, list, tree_text(c->arena, text));
}

/*
 * Resources that do not do what they say: a refused Backend, a share that moved, a field unheeded,
 * endpoints that this host's set-up keeps packets from.
 */
static void add_unmet(struct call *c, struct node *list)
{
	const struct model *m = c->engine->now->model;
	const struct object *o;

	for (size_t i = 0; i < m->object_count; i++) {
		struct condition reach = {.type = "Programmed", .reason = REACH_REASON};

		o = &m->objects[i];
		for (size_t n = 0; n < o->condition_count; n++) {
			if (!o->conditions[n].status)
				add_one_unmet(c, list, o, &o->conditions[n]);
		}
		if (o->res.kind->id == KIND_BACKEND && node_count(list) < UNMET_MAX)
			reach.message = reach_problem(c->engine, c->arena, o);
		if (reach.message)
			add_one_unmet(c, list, o, &reach);
	}
}

/* Instances by standing, those that the packet path does not carry included. */
static void add_health(struct call *c, struct node *answer)
{
	struct node *map = tree_set_map(c->arena, answer, "health");
	const struct generation *g = c->engine->now;
	int64_t counts[STANDING_DRAINING + 1] = {0};

	for (size_t i = 0; i < g->model->instance_count; i++)
		counts[health_standing(&g->entries[i])]++;
	for (size_t i = 0; i <= STANDING_DRAINING; i++)
		tree_set_int(c->arena, map, standing_text((enum standing)i), counts[i]);
}

static void add_problems(struct call *c, struct node *answer)
{
	struct node *list = tree_set_list(c->arena, answer, "problems");
	const struct engine *e = c->engine;

	if (e->problem)
		node_append(c->arena, list, tree_text(c->arena, e->problem));
	if (e->handoff && handoff_problem(e->handoff))
		node_append(c->arena, list,
			    tree_text(c->arena, arena_printf(c->arena, "proxy: %s",
							     handoff_problem(e->handoff))));
	for (size_t i = 0; i < e->refused_count; i++) {
		if (e->refused[i].why)
			node_append(c->arena, list, tree_text(c->arena, e->refused[i].why));
	}
	add_unmet(c, list);
}

/* The latest one that wrote anything: when the tables were in force, and how long they took. */
static void add_rebuild(struct call *c, struct node *answer)
{
	struct node *n = tree_set_map(c->arena, answer, "rebuild");

	tree_set_int(c->arena, n, "endMonotonicNs", (int64_t)c->engine->rebuilt_ns);
	tree_set_int(c->arena, n, "tookNs", (int64_t)c->engine->rebuild_took_ns);
}

static void add_one_fill(struct call *c, struct node *map, const char *name, uint64_t count,
			 uint64_t max)
{
	struct node *n = tree_set_map(c->arena, map, name);

	tree_set_int(c->arena, n, "count", (int64_t)count);
	tree_set_int(c->arena, n, "max", (int64_t)max);
}

/* What the maps hold of what they could. An endpoint's number counts until no flow has it any more. */
static void add_fill(struct call *c, struct node *answer)
{
	struct node *map = tree_set_map(c->arena, answer, "maps");
	const struct spw_meta *meta = dataplane_meta(c->engine->dp);
	const struct tables *have = &c->engine->have;

	add_one_fill(c, map, "services", have->service_count, meta->max_services);
	add_one_fill(c, map, "endpoints", ids_endpoints_taken(c->engine->ids),
		     meta->max_endpoints - 1);
	add_one_fill(c, map, "slots", tables_slots_taken(have),
		     (uint64_t)meta->slot_lines * SPW_LINE_SLOTS);
}

void api_status(struct call *c)
{
	struct engine *e = c->engine;
	struct node *answer = tree_map(c->arena), *flows;
	const struct model *m = e->now->model;
	struct dataplane_status s = {0};

	dataplane_status(e->dp, c->arena, &s);
	tree_set_text(c->arena, answer, "version", SPILLWAY_VERSION);
	tree_set_int(c->arena, answer, "pid", getpid());
	tree_set_int(c->arena, answer, "uptimeSeconds",
		     (int64_t)((clock_ms() - e->started_ms) / 1000));
	add_interfaces(c, answer, &s);
	add_host(c, answer, &s);
	add_vips(c, answer);
	flows = tree_set_map(c->arena, answer, "flows");
	tree_set_int(c->arena, flows, "count", (int64_t)dataplane_flow_count(e->dp));
	tree_set_int(c->arena, flows, "max", dataplane_meta(e->dp)->max_flows);
	tree_set_int(c->arena, flows, "maxIPv6", dataplane_meta(e->dp)->max_flows6);
	tree_set_int(c->arena, flows, "bytes", (int64_t)s.flow_bytes);
	tree_set_int(c->arena, answer, "mapBytes", (int64_t)s.map_bytes);
	add_fill(c, answer);
	add_resources(c, answer);
	tree_set_int(c->arena, answer, "services", (int64_t)m->service_count);
	tree_set_int(c->arena, answer, "endpoints", (int64_t)m->instance_count);
	add_health(c, answer);
	add_rebuild(c, answer);
	tree_set_text(c->arena, answer, "zone", e->model_options.zone);
	tree_set_text(c->arena, answer, "resourceVersion",
		      arena_printf(c->arena, "%lld", (long long)store_version(e->store)));
	add_problems(c, answer);
	call_answer(c, 200, answer);
}
