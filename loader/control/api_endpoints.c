/* SPDX-License-Identifier: BSD-2-Clause */
/* `endpoints`: every service's members with share, state and counters; and the operator's word. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "control/api.h"
#include "control/operator.h"
#include "control/path_reason.h"
#include "model/idle.h"
#include "model/mode.h"
#include "tables/compile.h"
#include "tables/motion.h"

#define SINGLES 64 /* more endpoints than these: all counters are read at once */

/* An answer being made. */
struct listing {
	struct call *c;
	struct spw_endpoint_stats *all; /* counters by number; NULL: each is asked for by itself */
	size_t all_count;
};

/* One row's member of a service. */
struct row {
	const struct instance *instance;
	const struct object *backend;
	const char *zone;
	uint8_t tier;
	uint32_t weight, share_ppm;
};

static const char *const kind_texts[] = {
	[ENDPOINT_IP] = "ip",
	[ENDPOINT_FQDN] = "fqdn",
	[ENDPOINT_UNIX] = "unix",
	[ENDPOINT_PROXY] = "proxy",
};

static const char *const no_endpoint_texts[] = {
	[SPW_NO_ENDPOINT_ANSWER] = "answer", [SPW_NO_ENDPOINT_UNREACHABLE] = "unreachable",
	[SPW_NO_ENDPOINT_DROP] = "drop",     [SPW_NO_ENDPOINT_PASS] = "pass",
	[SPW_NO_ENDPOINT_LEAVE] = "leave",
};

static void read_counters(const struct listing *l, uint32_t id, struct spw_endpoint_stats *out)
{
	if (!l->all)
		dataplane_endpoint_stats(l->c->engine->dp, id, out);
	else if (id < l->all_count)
		*out = l->all[id];
}

/*
 * Flows and answers of direct return are not seen: null. It remembers a few flows, which says nothing of
 * the others.
 */
static void add_seen(struct call *c, struct node *row, const struct instance *i,
		     const struct spw_endpoint_stats *s)
{
	static const char *const keys[] = {"activeFlows", "totalFlows", "packetsOut", "bytesOut"};
	const uint64_t active =
		s->flows_opened > s->flows_closed ? s->flows_opened - s->flows_closed : 0;
	const uint64_t values[] = {active, s->flows_opened, s->packets_out, s->bytes_out};

	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		if (mode_is_direct(i->mode))
			tree_set_text(c->arena, row, keys[k], NULL);
		else
			tree_set_int(c->arena, row, keys[k], (int64_t)values[k]);
	}
}

static void add_counters(const struct listing *l, struct node *row, const struct instance *i)
{
	struct call *c = l->c;
	const uint32_t id = engine_endpoint_id(c->engine, i);
	struct spw_endpoint_stats s = {0};
	const char *problem = NULL;

	if (id != SPW_ENDPOINT_NONE) {
		read_counters(l, id, &s);
		problem = dataplane_endpoint_problem(c->engine->dp, c->arena, id);
	}
	if (i->mode == SPW_MODE_HANDOFF && c->engine->handoff) {
		struct handoff_counters n;

		handoff_count(c->engine->handoff, id, &n);
		s.bytes_in = n.bytes_in;
		s.bytes_out = n.bytes_out;
		tree_set_int(c->arena, row, "failedConnections", (int64_t)n.failed);
		problem = i->steered ? handoff_endpoint_problem(c->engine->handoff, id)
				     : handoff_obstacle(c->engine->handoff, id);
		if (!problem && !i->steered)
			problem = handoff_problem(c->engine->handoff);
	}
	add_seen(c, row, i, &s);
	tree_set_int(c->arena, row, "packetsIn", (int64_t)s.packets_in);
	tree_set_int(c->arena, row, "bytesIn", (int64_t)s.bytes_in);
	tree_set_text(c->arena, row, "problem", problem);
}

static void add_health(struct call *c, struct node *row, const struct instance *i)
{
	struct arena *a = c->arena;
	struct health_info info = {.reason = "", .latest = ""};

	health_get(c->engine->health, i, &info);
	tree_set_text(a, row, "state", standing_text(info.standing));
	tree_set_text(a, row, "reason", info.reason);
	tree_set_text(a, row, "latest", info.latest);
	tree_set_text(a, row, "admin",
		      admin_text(i->kind == ENDPOINT_IP
					 ? admins_get(&c->engine->admins, &i->addr, i->port)
					 : SPW_ADMIN_AUTO));
	tree_set_int(a, row, "sinceSeconds",
		     info.since_ms ? (int64_t)(clock_ms() - info.since_ms) / 1000 : 0);
	tree_set_bool(a, row, "checked", info.checked);
	tree_set_bool(a, row, "passive", info.passive);
	tree_set_int(a, row, "ejections", info.ejections);
	tree_set_int(a, row, "ejectedSecondsLeft", (int64_t)(info.ejected_left_ms + 999) / 1000);
	tree_set_int(a, row, "rampPercent", info.ramp_percent);
}

static void add_endpoint(const struct listing *l, struct node *list, const struct service *s,
			 const struct row *r)
{
	struct arena *a = l->c->arena;
	const struct instance *i = r->instance;
	const struct resource *backend = &r->backend->res;
	struct node *row = tree_append_map(a, list);

	tree_set_text(a, row, "backend",
		      arena_printf(a, "%s/%s", backend->namespace, backend->name));
	tree_set_text(a, row, "address", i->name);
	tree_set_text(a, row, "kind", kind_texts[i->kind]);
	tree_set_bool(a, row, "carried", i->carried);
	tree_set_text(a, row, "path", i->mode == SPW_MODE_HANDOFF ? "userspace" : "xdp");
	tree_set_text(a, row, "pathReason", path_reason(a, s, i));
	tree_set_text(a, row, "fqdn", i->fqdn);
	tree_set_text(a, row, "zone", r->zone);
	tree_set_int(a, row, "tier", r->tier);
	tree_set_int(a, row, "weight", r->weight);
	tree_set_number(a, row, "sharePercent", r->share_ppm / 10000.0);
	add_health(l->c, row, i);
	add_counters(l, row, i);
}

/* Those with shares first, then those that no packet reaches in this version. */
static void add_endpoints(const struct listing *l, struct node *service, const struct service *s,
			  const struct service_plan *plan)
{
	struct node *list = tree_set_list(l->c->arena, service, "endpoints");
	const struct share *share;
	struct row row;

	for (size_t i = 0; i < plan->share_count; i++) {
		share = &plan->shares[i];
		row = (struct row){
			.instance = share->instance,
			.backend = share->backend,
			.zone = share->zone,
			.tier = share->locality->tier,
			.weight = share->locality->weight,
			.share_ppm = share->share_ppm,
		};
		add_endpoint(l, list, s, &row);
	}
	for (size_t i = 0; i < s->handoff_count; i++) {
		row = (struct row){
			.instance = s->handoff[i],
			.backend = s->handoff_backends[i],
			.zone = s->handoff[i]->zone,
			.tier = s->handoff_tiers[i],
		};
		add_endpoint(l, list, s, &row);
	}
}

static void add_tiers(struct call *c, struct node *service, const struct service_plan *plan)
{
	struct node *list = tree_set_list(c->arena, service, "tiers"), *row;

	for (int t = 0; t < MODEL_TIERS; t++) {
		if (!plan->tiers[t].total)
			continue;
		row = tree_append_map(c->arena, list);
		tree_set_int(c->arena, row, "tier", t);
		tree_set_int(c->arena, row, "total", plan->tiers[t].total);
		tree_set_int(c->arena, row, "healthy", plan->tiers[t].healthy);
		tree_set_int(c->arena, row, "availablePercent", plan->tiers[t].available_percent);
		tree_set_int(c->arena, row, "loadPercent", plan->tiers[t].load_percent);
		tree_set_bool(c->arena, row, "panic", plan->tiers[t].panic);
	}
}

static bool is_empty(const struct service_plan *plan)
{
	for (size_t i = 0; i < plan->share_count; i++) {
		if (plan->shares[i].share_ppm)
			return false;
	}
	return true;
}

/* Of the states that flows of the protocol have. */
static void add_idle(struct call *c, struct node *row, const struct service *s)
{
	struct node *idle = tree_set_map(c->arena, row, "idleTimeoutSeconds");

	for (unsigned int i = 0; i < SPW_IDLE_MAX; i++) {
		if (idle_has(s->proto, (enum spw_idle)i))
			tree_set_int(c->arena, idle, idle_name((enum spw_idle)i), s->idle_s[i]);
	}
}

static const struct table_service *in_force(const struct engine *e, const struct service *s)
{
	const uint32_t id = ids_service(e->ids, s);
	size_t low = 0, high = e->have.service_count, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (e->have.services[mid].id == id)
			return &e->have.services[mid];
		if (e->have.services[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* What packets go by now; null: nobody is picked. */
static void add_table(struct call *c, struct node *row, const struct service *s)
{
	struct engine *e = c->engine;
	const struct table_service *t = in_force(e, s);
	struct node *table;

	if (!t || t->table == TABLE_NONE) {
		tree_set_text(c->arena, row, "table", NULL);
		return;
	}
	table = tree_set_map(c->arena, row, "table");
	tree_set_int(c->arena, table, "size", e->have.slots[t->table].size);
	tree_set_int(c->arena, table, "inMotion", motions_of(&e->have, t));
	tree_set_text(c->arena, table, "digest",
		      arena_printf(c->arena, "%016" PRIx64, tables_digest(&e->have, t)));
}

static void add_service(const struct listing *l, struct node *list, const struct service *s)
{
	struct call *c = l->c;
	const struct health_view view = generation_view(c->engine->now);
	const struct resource *gateway = &s->gateway->res;
	struct node *row = tree_append_map(c->arena, list), *rule;
	struct service_plan plan = {0};
	char text[ADDR_TEXT_MAX];

	tables_plan(c->arena, s, &view, &plan);
	tree_set_text(c->arena, row, "name", s->name);
	tree_set_text(c->arena, row, "route", s->route ? s->route->res.kind->name : NULL);
	tree_set_text(c->arena, row, "listener", s->listener);
	tree_set_text(c->arena, row, "gateway",
		      arena_printf(c->arena, "%s/%s", gateway->namespace, gateway->name));
	tree_set_text(c->arena, row, "vip", addr_print(&s->vip, text));
	tree_set_int(c->arena, row, "port", s->port);
	tree_set_text(c->arena, row, "protocol", s->proto == IPPROTO_UDP ? "UDP" : "TCP");
	rule = tree_set_map(c->arena, row, "noEndpoint");
	tree_set_text(c->arena, rule, "new", no_endpoint_texts[s->new_flows]);
	tree_set_text(c->arena, rule, "established", no_endpoint_texts[s->live_flows]);
	add_idle(c, row, s);
	tree_set_text(c->arena, row, "zone", s->local_zone);
	tree_set_text(c->arena, row, "zoneNote", s->zone_note);
	tree_set_bool(c->arena, row, "empty", is_empty(&plan));
	add_table(c, row, s);
	add_tiers(c, row, &plan);
	add_endpoints(l, row, s, &plan);
}

static bool is_in_namespace(const struct service *s, const char *namespace)
{
	const size_t len = strlen(namespace);

	return strncmp(s->name, namespace, len) == 0 && s->name[len] == '/';
}

void api_endpoints(struct call *c)
{
	const struct model *m = c->engine->now->model;
	const char *name = call_query(c, "service"), *namespace = call_query(c, "namespace");
	struct node *answer = tree_map(c->arena);
	struct node *list = tree_set_list(c->arena, answer, "services");
	struct listing l = {.c = c};
	const struct service *s;

	if (name && !strchr(name, '/'))
		name = arena_printf(c->arena, "%s/%s", namespace ? namespace : "default", name);
	if (!name && m->instance_count > SINGLES)
		dataplane_all_endpoint_stats(c->engine->dp, c->arena, &l.all, &l.all_count);
	for (size_t i = 0; i < m->service_count; i++) {
		s = &m->services[i];
		if (strcmp(s->project, c->project) != 0)
			continue;
		if (name ? strcmp(s->name, name) == 0 : !namespace || is_in_namespace(s, namespace))
			add_service(&l, list, s);
	}
	call_answer(c, 200, answer);
}

static void answer_changes(struct call *c, const struct operator_request *r)
{
	struct node *answer = tree_map(c->arena), *row;
	struct node *list = tree_set_list(c->arena, answer, "endpoints");
	char text[ADDR_PORT_TEXT_MAX];

	for (size_t i = 0; i < r->count; i++) {
		row = tree_append_map(c->arena, list);
		tree_set_text(c->arena, row, "address",
			      addr_print_port(&r->changes[i].addr, r->changes[i].port, text));
		tree_set_text(c->arena, row, "from", admin_text(r->changes[i].from));
		tree_set_text(c->arena, row, "to", admin_text(r->admin));
	}
	call_answer(c, 200, answer);
}

void api_set_state(struct call *c)
{
	const struct node *body = call_body(c);
	const char *address = node_text_at(body, "address", "");
	const char *state = node_text_at(body, "state", "");
	struct operator_request request = {0};
	const char *why = NULL;
	struct spw_addr addr;
	uint16_t port = 0;

	if (!body)
		return;
	if (admin_parse(state, &request.admin)) {
		call_fail(c, 400, "BadRequest", "state \"%s\": must be up, down, drain or auto",
			  state);
		return;
	}
	if (addr_parse_port(address, &addr, &port) && addr_parse(address, &addr)) {
		call_fail(c, 400, "BadRequest",
			  "address \"%s\": must be ADDR:PORT, [ADDR]:PORT or ADDR", address);
		return;
	}
	operator_pick_address(c->engine, c->arena, &addr, port, &request);
	if (!request.count)
		call_fail(c, 404, "NotFound", "endpoint \"%s\" not found", address);
	else if (operator_set(c->engine, c->arena, &request, &why))
		call_fail(c, 503, "ServiceUnavailable", "%s", why);
	else
		answer_changes(c, &request);
}
