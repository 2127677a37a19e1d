/* SPDX-License-Identifier: BSD-2-Clause */
/* `drain`: begins drains with their terms, and shows those under way with the flows that are left. */
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "control/api.h"
#include "control/backend_endpoints.h"
#include "control/drain.h"

#define DEADLINE_MAX_S (366 * 86400)

/* null: nobody knows. */
static void set_known(struct call *c, struct node *row, const char *key, int64_t value)
{
	if (value < 0)
		tree_set_text(c->arena, row, key, NULL);
	else
		tree_set_int(c->arena, row, key, value);
}

static int64_t known_flows(struct engine *e, const struct spw_addr *addr, uint16_t port)
{
	return drain_is_uncounted(e, addr, port) ? -1 : (int64_t)drain_open_flows(e, addr, port);
}

static void answer_begun(struct call *c, const struct operator_request *r, const bool *shared)
{
	struct node *answer = tree_map(c->arena), *row, *also;
	struct node *list = tree_set_list(c->arena, answer, "endpoints");
	const struct operator_change *n;
	char text[ADDR_PORT_TEXT_MAX];

	also = tree_set_list(c->arena, answer, "shared");
	for (size_t i = 0; i < r->count; i++) {
		n = &r->changes[i];
		row = tree_append_map(c->arena, list);
		addr_print_port(&n->addr, n->port, text);
		tree_set_text(c->arena, row, "address", text);
		tree_set_text(c->arena, row, "from", admin_text(n->from));
		tree_set_text(c->arena, row, "to", admin_text(r->admin));
		set_known(c, row, "activeFlows", known_flows(c->engine, &n->addr, n->port));
		if (shared && shared[i])
			node_append(c->arena, also, tree_text(c->arena, text));
	}
	call_answer(c, 200, answer);
}

static bool read_terms(struct call *c, const struct node *body, struct drain_terms *out)
{
	const struct node *seconds = node_member(body, "deadlineSeconds");
	const struct node *after = node_member(body, "then");
	const char *then = node_text_at(body, "then", "leave");

	*out = (struct drain_terms){
		.deadline_s = node_int_at(body, "deadlineSeconds", 0),
		.reset = strcmp(then, "reset") == 0,
	};
	if (after && after->type != NODE_STRING)
		call_fail(c, 400, "BadRequest", "then: must be leave or reset");
	else if (seconds && seconds->type != NODE_INT)
		call_fail(c, 400, "BadRequest", "deadlineSeconds: must be a whole number");
	else if (!out->reset && strcmp(then, "leave") != 0)
		call_fail(c, 400, "BadRequest", "then \"%s\": must be leave or reset", then);
	else if (out->deadline_s < 0 || out->deadline_s > DEADLINE_MAX_S)
		call_fail(c, 400, "BadRequest", "deadlineSeconds: must be from 0 (none) to %d",
			  DEADLINE_MAX_S);
	else if (out->reset && !out->deadline_s)
		call_fail(c, 400, "BadRequest",
			  "then \"reset\": needs a deadline: give deadlineSeconds");
	else
		return true;
	return false;
}

static bool pick_address(struct call *c, const char *text, struct operator_request *r)
{
	struct spw_addr addr;
	uint16_t port = 0;

	if (addr_parse_port(text, &addr, &port) && addr_parse(text, &addr)) {
		call_fail(c, 400, "BadRequest",
			  "address \"%s\": must be ADDR:PORT, [ADDR]:PORT or ADDR", text);
		return false;
	}
	operator_pick_address(c->engine, c->arena, &addr, port, r);
	if (!r->count)
		call_fail(c, 404, "NotFound", "endpoint \"%s\" not found", text);
	return r->count;
}

static bool pick_backend(struct call *c, const char *name, struct backend_endpoints *b)
{
	if (!strchr(name, '/')) {
		call_fail(c, 400, "BadRequest", "backend \"%s\": must be NAMESPACE/NAME", name);
		return false;
	}
	backend_endpoints_find(c->engine, c->arena, c->project, name, b);
	if (!b->request.count)
		call_fail(c, 404, "NotFound",
			  "backend \"%s\" not found, or no service uses its addresses", name);
	return b->request.count;
}

void api_begin_drain(struct call *c)
{
	const struct node *body = call_body(c);
	const char *address = node_text_at(body, "address", NULL);
	const char *backend = node_text_at(body, "backend", NULL);
	struct backend_endpoints b = {0};
	struct drain_terms terms;
	const char *why = NULL;

	if (!body)
		return;
	if (!address == !backend) {
		call_fail(c, 400, "BadRequest", "give either address or backend");
		return;
	}
	if (!read_terms(c, body, &terms))
		return;
	if (address ? !pick_address(c, address, &b.request) : !pick_backend(c, backend, &b))
		return;
	b.request.admin = SPW_ADMIN_DRAIN;
	b.request.terms = &terms;
	if (operator_set(c->engine, c->arena, &b.request, &why))
		call_fail(c, 503, "ServiceUnavailable", "%s", why);
	else
		answer_begun(c, &b.request, b.shared);
}

/* The list of the endpoint number, by the latest walk. */
static const struct oldest_flows *find_list(const struct drain_lists *l, uint32_t id)
{
	size_t low = 0, high = l->count, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (l->items[mid].endpoint_id == id)
			return &l->items[mid];
		if (l->items[mid].endpoint_id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static int compare_ages(const void *a, const void *b)
{
	const struct flow_row *x = *(const struct flow_row *const *)a;
	const struct flow_row *y = *(const struct flow_row *const *)b;

	return (x->age_ms < y->age_ms) - (x->age_ms > y->age_ms);
}

/* An address has one list for each policy that judges it. NULL: nothing is left of it. */
static void add_longest(struct call *c, struct node *row, const struct admin_entry *d)
{
	struct engine *e = c->engine;
	struct node *list = tree_set_list(c->arena, row, "longest");
	const struct flow_row **rows = NULL;
	const struct oldest_flows *l;
	size_t first = 0, n = 0, count = 0;

	if (d)
		count = generation_range(e->now, &d->addr, d->port, &first);
	for (size_t i = first; i < first + count; i++) {
		l = find_list(&e->drain_lists, engine_endpoint_id(e, e->now->by_address[i]));
		for (uint32_t k = 0; l && k < l->count; k++)
			*arena_push(c->arena, rows, n) = &l->rows[k];
	}
	if (n)
		qsort(rows, n, sizeof(*rows), compare_ages);
	for (size_t i = 0; i < n && i < OLDEST_FLOWS; i++)
		api_add_flow(c, list, rows[i]);
}

static void add_drain(struct call *c, struct node *list, const struct admin_entry *d)
{
	struct engine *e = c->engine;
	const int64_t now_ms = drain_now_ms(d), left_ms = d->drain.deadline_ms - now_ms;
	struct node *row = tree_append_map(c->arena, list);
	const int64_t active = known_flows(e, &d->addr, d->port);
	struct admin_entry fresh = *d;
	char text[ADDR_PORT_TEXT_MAX];
	size_t first;

	(void)generation_range(e->now, &d->addr, d->port, &first);
	fresh.course.active = active < 0 ? 0 : (uint64_t)active;
	tree_set_text(c->arena, row, "address", addr_print_port(&d->addr, d->port, text));
	tree_set_text(c->arena, row, "backend", e->now->by_address[first]->backend);
	tree_set_int(c->arena, row, "startedSeconds",
		     d->drain.started_ms ? (now_ms - d->drain.started_ms) / 1000 : 0);
	set_known(c, row, "deadlineSecondsLeft",
		  !d->drain.deadline_ms ? -1
		  : left_ms > 0		? (left_ms + 999) / 1000
					: 0);
	tree_set_text(c->arena, row, "then", d->drain.reset ? "reset" : "leave");
	set_known(c, row, "flowsAtStart", active < 0 ? -1 : (int64_t)d->drain.flows);
	set_known(c, row, "activeFlows", active);
	set_known(c, row, "estimateSeconds",
		  active < 0 ? -1 : drain_estimate_s(&fresh, clock_ms()));
	tree_set_text(c->arena, row, "state", drain_state_text(d));
	add_longest(c, row, active ? d : NULL);
}

void api_drains(struct call *c)
{
	struct engine *e = c->engine;
	const char *address = call_query(c, "address");
	struct node *answer = tree_map(c->arena);
	struct node *list = tree_set_list(c->arena, answer, "drains");
	const struct admin_entry *d;
	struct spw_addr addr;
	uint16_t port = 0;
	size_t first;

	if (address && addr_parse_port(address, &addr, &port) && addr_parse(address, &addr)) {
		call_fail(c, 400, "BadRequest",
			  "address \"%s\": must be ADDR:PORT, [ADDR]:PORT or ADDR", address);
		return;
	}
	for (size_t i = 0; i < e->admins.count; i++) {
		d = &e->admins.items[i];
		if (d->admin != SPW_ADMIN_DRAIN ||
		    (address && (!addr_equal(&d->addr, &addr) || (port && port != d->port))))
			continue;
		if (generation_range(e->now, &d->addr, d->port, &first))
			add_drain(c, list, d);
	}
	drains_look(e); /* for those who ask again */
	call_answer(c, 200, answer);
}
