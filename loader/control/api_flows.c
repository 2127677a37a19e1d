/* SPDX-License-Identifier: BSD-2-Clause */
/* `flows`: read from the map when asked for; there is no second list of them. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "control/api.h"

#define DEFAULT_LIMIT 1000
#define LIMIT_MAX     100000 /* about 30 MB of answer */

struct walk {
	struct call *c;
	struct node *list;
	size_t limit;
	bool has_filter, truncated;
	struct spw_addr addr;
	uint16_t port; /* 0: any */
};

static const char *state_text(const struct flow_row *row)
{
	if (row->state & (SPW_FLOW_CLOSED | SPW_FLOW_RESET))
		return "closed";
	if (row->state & (SPW_FLOW_FIN_CLIENT | SPW_FLOW_FIN_ENDPOINT))
		return "closing";
	return row->state & SPW_FLOW_ESTABLISHED ? "established" : "embryonic";
}

static bool is_wanted(const struct walk *w, const struct flow_row *row)
{
	if (!w->has_filter)
		return true;
	return addr_equal(&row->endpoint, &w->addr) && (!w->port || row->endpoint_port == w->port);
}

void api_add_flow(struct call *c, struct node *list, const struct flow_row *row)
{
	struct arena *a = c->arena;
	const struct spw_flow_key *k = &row->key;
	struct node *n = tree_append_map(a, list);
	char text[ADDR_PORT_TEXT_MAX];

	tree_set_text(a, n, "protocol", k->proto == IPPROTO_UDP ? "UDP" : "TCP");
	tree_set_text(a, n, "client", addr_print_port(&k->saddr, ntohs(k->sport), text));
	tree_set_text(a, n, "vip", addr_print_port(&k->daddr, ntohs(k->dport), text));
	tree_set_text(a, n, "source",
		      row->source_port ? addr_print_port(&row->source, row->source_port, text)
				       : NULL);
	tree_set_text(a, n, "endpoint", addr_print_port(&row->endpoint, row->endpoint_port, text));
	tree_set_text(a, n, "state", state_text(row));
	tree_set_int(a, n, "ageSeconds", (int64_t)(row->age_ms / 1000));
	tree_set_int(a, n, "idleSeconds", (int64_t)(row->idle_ms / 1000));
}

static bool add_flow(void *ctx, const struct flow_row *row)
{
	struct walk *w = ctx;

	if (!is_wanted(w, row))
		return true;
	if (node_count(w->list) == w->limit) {
		w->truncated = true;
		return false;
	}
	api_add_flow(w->c, w->list, row);
	return true;
}

static bool read_limit(const struct call *c, size_t *out)
{
	const char *text = call_query(c, "limit");
	char *end;
	unsigned long n;

	*out = DEFAULT_LIMIT;
	if (!text)
		return true;
	n = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || n < 1)
		return false;
	*out = n < LIMIT_MAX ? n : LIMIT_MAX;
	return true;
}

void api_flows(struct call *c)
{
	const char *endpoint = call_query(c, "endpoint");
	struct node *answer = tree_map(c->arena);
	struct walk w = {.c = c, .list = tree_list(c->arena)};
	int err;

	if (!read_limit(c, &w.limit)) {
		call_fail(c, 400, "BadRequest", "limit: must be a number from 1");
		return;
	}
	w.has_filter = endpoint && endpoint[0];
	if (w.has_filter && addr_parse_port(endpoint, &w.addr, &w.port) &&
	    addr_parse(endpoint, &w.addr)) {
		call_fail(c, 400, "BadRequest", "endpoint \"%s\": must be ADDR:PORT or ADDR",
			  endpoint);
		return;
	}
	err = dataplane_each_flow(c->engine->dp, add_flow, &w);
	if (err) {
		call_fail(c, 503, "ServiceUnavailable", "flows: %s", strerror(-err));
		return;
	}
	tree_set_int(c->arena, answer, "count", (int64_t)node_count(w.list));
	tree_set_bool(c->arena, answer, "truncated", w.truncated);
	node_set(c->arena, answer, "flows", w.list);
	call_answer(c, 200, answer);
}

void api_flows_count(struct call *c)
{
	struct node *answer = tree_map(c->arena);

	tree_set_int(c->arena, answer, "count", (int64_t)dataplane_flow_count(c->engine->dp));
	tree_set_int(c->arena, answer, "max", dataplane_meta(c->engine->dp)->max_flows);
	tree_set_int(c->arena, answer, "maxIPv6", dataplane_meta(c->engine->dp)->max_flows6);
	call_answer(c, 200, answer);
}
