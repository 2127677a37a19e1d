/* SPDX-License-Identifier: BSD-2-Clause */
/* `endpoints`: every service's members with share, state and counters; and the operator's word. */
#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "control/api.h"
#include "control/operator.h"
#include "tables/compile.h"

static const char *state_text(enum spw_admin admin, const struct health_info *info)
{
	switch (admin) {
	case SPW_ADMIN_UP:
		return "up";
	case SPW_ADMIN_DOWN:
		return "down";
	case SPW_ADMIN_DRAIN:
		return "draining";
	case SPW_ADMIN_AUTO:
		break;
	}
	switch (info->state) {
	case HEALTH_UP:
		return "up";
	case HEALTH_DOWN:
		return "down";
	case HEALTH_UNKNOWN:
		return info->checked ? "unknown" : "up";
	}
	return "unknown";
}

static void add_counters(struct call *c, struct node *row, const struct instance *i)
{
	struct engine *e = c->engine;
	const uint32_t id = e->numbered ? ids_endpoint(e->ids, i) : SPW_ENDPOINT_NONE;
	struct spw_endpoint_stats s = {0};
	const char *problem = NULL;

	if (id != SPW_ENDPOINT_NONE) {
		dataplane_endpoint_stats(e->dp, id, &s);
		problem = dataplane_endpoint_problem(e->dp, c->arena, id);
	}
	tree_set_int(c->arena, row, "activeFlows",
		     s.flows_opened > s.flows_closed ? (int64_t)(s.flows_opened - s.flows_closed)
						     : 0);
	tree_set_int(c->arena, row, "totalFlows", (int64_t)s.flows_opened);
	tree_set_int(c->arena, row, "packetsIn", (int64_t)s.packets_in);
	tree_set_int(c->arena, row, "bytesIn", (int64_t)s.bytes_in);
	tree_set_int(c->arena, row, "packetsOut", (int64_t)s.packets_out);
	tree_set_int(c->arena, row, "bytesOut", (int64_t)s.bytes_out);
	tree_set_text(c->arena, row, "problem", problem);
}

static void add_endpoint(struct call *c, struct node *list, const struct share *share)
{
	struct arena *a = c->arena;
	const struct instance *i = share->instance;
	const struct object *backend = share->locality->backend;
	const enum spw_admin admin = c->engine->now->entries[i->index].admin;
	struct node *row = tree_append_map(a, list);
	struct health_info info = {0};
	char text[ADDR_PORT_TEXT_MAX];

	health_get(c->engine->health, i, &info);
	tree_set_text(a, row, "backend",
		      arena_printf(a, "%s/%s", backend->res.namespace, backend->res.name));
	tree_set_text(a, row, "address", addr_print_port(&i->addr, i->port, text));
	tree_set_int(a, row, "tier", share->locality->tier);
	tree_set_int(a, row, "weight", share->locality->weight);
	tree_set_number(a, row, "sharePercent", share->share_ppm / 10000.0);
	tree_set_text(a, row, "state", state_text(admin, &info));
	tree_set_text(a, row, "reason",
		      admin == SPW_ADMIN_AUTO ? info.reason : "set by the operator");
	tree_set_text(a, row, "admin", admin_text(admin));
	tree_set_int(a, row, "sinceSeconds",
		     info.since_ms ? (int64_t)((clock_ms() - info.since_ms) / 1000) : 0);
	tree_set_bool(a, row, "checked", info.checked);
	add_counters(c, row, i);
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
		tree_set_int(c->arena, row, "loadPercent", plan->tiers[t].load_percent);
		tree_set_bool(c->arena, row, "panic", plan->tiers[t].panic);
	}
}

static void add_service(struct call *c, struct node *list, const struct service *s)
{
	const struct health_view view = generation_view(c->engine->now);
	const struct resource *gateway = &s->gateway->res;
	struct node *row = tree_append_map(c->arena, list), *endpoints;
	struct service_plan plan = {0};
	char text[ADDR_TEXT_MAX];

	tables_plan(c->arena, s, &view, &plan);
	tree_set_text(c->arena, row, "name", s->name);
	tree_set_text(c->arena, row, "listener", s->listener);
	tree_set_text(c->arena, row, "gateway",
		      arena_printf(c->arena, "%s/%s", gateway->namespace, gateway->name));
	tree_set_text(c->arena, row, "vip", addr_print(&s->vip, text));
	tree_set_int(c->arena, row, "port", s->port);
	tree_set_text(c->arena, row, "protocol", s->proto == IPPROTO_UDP ? "UDP" : "TCP");
	add_tiers(c, row, &plan);
	endpoints = tree_set_list(c->arena, row, "endpoints");
	for (size_t i = 0; i < plan.share_count; i++)
		add_endpoint(c, endpoints, &plan.shares[i]);
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
	const struct service *s;

	if (name && !strchr(name, '/'))
		name = arena_printf(c->arena, "%s/%s", namespace ? namespace : "default", name);
	for (size_t i = 0; i < m->service_count; i++) {
		s = &m->services[i];
		if (strcmp(s->project, c->project) != 0)
			continue;
		if (name ? strcmp(s->name, name) == 0 : !namespace || is_in_namespace(s, namespace))
			add_service(c, list, s);
	}
	call_answer(c, 200, answer);
}

static void answer_changes(struct call *c, const struct operator_result *r)
{
	struct node *answer = tree_map(c->arena), *row;
	struct node *list = tree_set_list(c->arena, answer, "endpoints");
	char text[ADDR_PORT_TEXT_MAX];

	for (size_t i = 0; i < r->count; i++) {
		row = tree_append_map(c->arena, list);
		tree_set_text(c->arena, row, "address",
			      addr_print_port(&r->changes[i].addr, r->changes[i].port, text));
		tree_set_text(c->arena, row, "from", admin_text(r->changes[i].from));
		tree_set_text(c->arena, row, "to", admin_text(r->changes[i].to));
	}
	call_answer(c, 200, answer);
}

void api_set_state(struct call *c)
{
	const struct node *body = call_body(c);
	const char *address = node_text_at(body, "address", "");
	const char *state = node_text_at(body, "state", "");
	struct operator_request request = {0};
	struct operator_result result;
	int err;

	if (!body)
		return;
	if (admin_parse(state, &request.admin)) {
		call_fail(c, 400, "BadRequest", "state \"%s\": must be up, down, drain or auto",
			  state);
		return;
	}
	if (addr_parse_port(address, &request.addr, &request.port) &&
	    addr_parse(address, &request.addr)) {
		call_fail(c, 400, "BadRequest",
			  "address \"%s\": must be ADDR:PORT, [ADDR]:PORT or ADDR", address);
		return;
	}
	err = operator_set(c->engine, c->arena, &request, &result);
	if (err == -ENOENT)
		call_fail(c, 404, "NotFound", "endpoint \"%s\" not found", address);
	else if (err)
		call_fail(c, 503, "ServiceUnavailable", "%s", result.why);
	else
		answer_changes(c, &result);
}
