/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `spillway endpoints`: who gets which share of a service's new flows, in which state, and what
 * has passed. Counters of both directions are added up; -o wide shows them apart.
 */
#include <stdio.h>

#include "base/clock.h"
#include "ctl/ctl.h"
#include "ctl/output.h"
#include "ctl/services.h"
#include "ctl/sums.h"
#include "ctl/table.h"

static const struct flag flags[] = {
	OUTPUT_FLAG("wide, yaml, json"),
	{.name = "all-namespaces",
	 .letter = 'A',
	 .type = FLAG_SWITCH,
	 .help = "Services of all namespaces"},
	{.name = NULL},
};

static long long number(const struct node *n, const char *key)
{
	return (long long)node_int_at(n, key, 0);
}

static void print_head(struct ctl *c, const struct node *service)
{
	struct table t;

	table_init(&t, c->arena);
	table_head(&t, "SERVICE VIP GATEWAY LISTENER");
	table_row(&t);
	table_cell(&t, node_text_at(service, "name", ""));
	table_cell(&t, service_address(c->arena, service));
	table_cell(&t, node_text_at(service, "gateway", ""));
	table_cell(&t, node_text_at(service, "listener", ""));
	table_print(&t, stdout);
}

/* "-" for what an endpoint does not have, so that columns can be counted. */
static void optional_cell(struct table *t, const struct node *e, const char *key)
{
	const char *text = node_text_at(e, key, "");

	table_cell(t, text[0] ? text : "-");
}

static void add_wide(struct ctl *c, const struct node *e, struct table *t)
{
	char age[24];

	table_cell(t, node_text_at(e, "kind", "ip"));
	optional_cell(t, e, "path");
	optional_cell(t, e, "fqdn");
	optional_cell(t, e, "zone");
	table_cell(t, node_text_at(e, "admin", ""));
	table_cell(t, node_bool_at(e, "checked", false) ? "yes" : "no");
	table_cell(t, node_bool_at(e, "passive", false) ? "yes" : "no");
	table_cell(t, arena_strdup(c->arena, clock_human_age(number(e, "sinceSeconds"), age)));
	table_cellf(t, "%lld", number(e, "ejections"));
	table_cell(t, count_text(c->arena, e, "totalFlows"));
	table_cell(t, count_text(c->arena, e, "packetsIn"));
	table_cell(t, count_text(c->arena, e, "packetsOut"));
	table_cell(t, count_text(c->arena, e, "bytesIn"));
	table_cell(t, count_text(c->arena, e, "bytesOut"));
	optional_cell(t, e, "latest");
}

static void print_endpoints(struct ctl *c, const struct node *service, bool wide)
{
	const struct node *list = node_member(service, "endpoints");
	const struct node *e;
	struct table t;

	table_init(&t, c->arena);
	table_head(&t, wide ? "ENDPOINT BACKEND TIER WEIGHT SHARE STATE ACTIVE PACKETS BYTES KIND "
			      "PATH NAME ZONE ADMIN CHECKED PASSIVE SINCE EJECTIONS FLOWS "
			      "PACKETS-IN PACKETS-OUT BYTES-IN BYTES-OUT LATEST REASON"
			    : "ENDPOINT BACKEND TIER WEIGHT SHARE STATE ACTIVE PACKETS BYTES "
			      "REASON");
	for (size_t i = 0; i < node_count(list); i++) {
		e = node_item(list, i);
		table_row(&t);
		table_cell(&t, node_text_at(e, "address", ""));
		table_cell(&t, node_text_at(e, "backend", ""));
		table_cellf(&t, "%lld", number(e, "tier"));
		table_cell(&t, endpoint_weight(c->arena, e));
		table_cell(&t, endpoint_share(c->arena, e));
		table_cell(&t, endpoint_state(c->arena, e));
		table_cell(&t, count_text(c->arena, e, "activeFlows"));
		table_cellf(&t, "%lld", number(e, "packetsIn") + number(e, "packetsOut"));
		table_cellf(&t, "%lld", number(e, "bytesIn") + number(e, "bytesOut"));
		if (wide)
			add_wide(c, e, &t);
		table_cell(&t, endpoint_reason(c->arena, e));
	}
	table_print(&t, stdout);
}

static int nothing_found(const char *namespace, const char *name)
{
	if (name) {
		fprintf(stderr, "Error from server (NotFound): services \"%s\" not found\n", name);
		return 1;
	}
	say_nothing_found(namespace);
	return 0;
}

static int run(struct ctl *c)
{
	const char *namespace = args_switch(&c->args, "all-namespaces") ? NULL : c->namespace;
	const char *name = c->args.word_count ? c->args.words[0] : NULL;
	const struct node *services;
	enum output_form form;
	struct node *answer;

	if (c->args.word_count > 1)
		return ctl_usage_error(c, "endpoints takes one service");
	if (output_parse(
		    c, OUTPUT_BIT(OUTPUT_WIDE) | OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_YAML),
		    &form) ||
	    services_fetch(c, namespace, name, &answer))
		return 1;
	services = node_member(answer, "services");
	if (!node_count(services) && (name || form == OUTPUT_TABLE || form == OUTPUT_WIDE))
		return nothing_found(namespace, name);
	if (form == OUTPUT_JSON || form == OUTPUT_YAML)
		return output_tree(answer, form);
	for (size_t i = 0; i < node_count(services); i++) {
		if (i)
			putchar('\n');
		print_head(c, node_item(services, i));
		putchar('\n');
		print_endpoints(c, node_item(services, i), form == OUTPUT_WIDE);
		sums_print(c->arena, node_item(services, i),
			   form == OUTPUT_WIDE ? SUMS_ALL : SUMS_SHORT, "", stdout);
	}
	return 0;
}

const struct verb verb_endpoints = {
	.name = "endpoints",
	.usage = "[SERVICE] [-A] [-o FORM]",
	.summary = "Show services' endpoints: shares, states, traffic",
	.details =
		"A service is a listener's port with the route on it; SERVICE is the route's name,\n"
		"as ROUTE or NAMESPACE/ROUTE. SHARE is the part of the new flows, STATE is what\n"
		"counts: unknown, up, starting (with its part of its share in slow start), down,\n"
		"ejected (for so long yet) or draining. ACTIVE is the flows it has now; PACKETS and\n"
		"BYTES are those of both directions.\n"
		"\n"
		"Examples:\n"
		"  spillway endpoints\n"
		"  spillway endpoints web -o wide",
	.flags = flags,
	.run = run,
};
