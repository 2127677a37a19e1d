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
	const char *vip = node_text_at(service, "vip", "");
	const char *open = "", *close = "";
	struct table t;

	for (const char *p = vip; *p; p++) {
		if (*p == ':') {
			open = "[";
			close = "]";
		}
	}
	table_init(&t, c->arena);
	table_head(&t, "SERVICE VIP GATEWAY LISTENER");
	table_row(&t);
	table_cell(&t, node_text_at(service, "name", ""));
	table_cellf(&t, "%s%s%s:%lld/%s", open, vip, close, number(service, "port"),
		    node_text_at(service, "protocol", ""));
	table_cell(&t, node_text_at(service, "gateway", ""));
	table_cell(&t, node_text_at(service, "listener", ""));
	table_print(&t, stdout);
}

static void add_wide(struct ctl *c, const struct node *e, struct table *t)
{
	char age[24];

	table_cell(t, node_text_at(e, "admin", ""));
	table_cell(t, node_bool_at(e, "checked", false) ? "yes" : "no");
	table_cell(t, arena_strdup(c->arena, clock_human_age(number(e, "sinceSeconds"), age)));
	table_cellf(t, "%lld", number(e, "totalFlows"));
	table_cellf(t, "%lld", number(e, "packetsIn"));
	table_cellf(t, "%lld", number(e, "packetsOut"));
	table_cellf(t, "%lld", number(e, "bytesIn"));
	table_cellf(t, "%lld", number(e, "bytesOut"));
}

static void print_endpoints(struct ctl *c, const struct node *service, bool wide)
{
	const struct node *list = node_member(service, "endpoints");
	const struct node *e;
	struct table t;

	table_init(&t, c->arena);
	table_head(&t, wide ? "ENDPOINT BACKEND TIER WEIGHT SHARE STATE ACTIVE PACKETS BYTES ADMIN "
			      "CHECKED SINCE FLOWS PACKETS-IN PACKETS-OUT BYTES-IN BYTES-OUT REASON"
			    : "ENDPOINT BACKEND TIER WEIGHT SHARE STATE ACTIVE PACKETS BYTES "
			      "REASON");
	for (size_t i = 0; i < node_count(list); i++) {
		e = node_item(list, i);
		table_row(&t);
		table_cell(&t, node_text_at(e, "address", ""));
		table_cell(&t, node_text_at(e, "backend", ""));
		table_cellf(&t, "%lld", number(e, "tier"));
		table_cellf(&t, "%lld", number(e, "weight"));
		table_cellf(&t, "%s%%", number_text(c->arena, node_member(e, "sharePercent")));
		table_cell(&t, node_text_at(e, "state", ""));
		table_cellf(&t, "%lld", number(e, "activeFlows"));
		table_cellf(&t, "%lld", number(e, "packetsIn") + number(e, "packetsOut"));
		table_cellf(&t, "%lld", number(e, "bytesIn") + number(e, "bytesOut"));
		if (wide)
			add_wide(c, e, &t);
		table_cell(&t, endpoint_reason(e));
	}
	table_print(&t, stdout);
}

static bool has_share(const struct node *service)
{
	const struct node *list = node_member(service, "endpoints"), *share;

	for (size_t i = 0; i < node_count(list); i++) {
		share = node_member(node_item(list, i), "sharePercent");
		if (share && (share->type == NODE_FLOAT ? share->number > 0 : share->integer > 0))
			return true;
	}
	return false;
}

/* The arithmetic, and what it does not say: that nobody is left. */
static void print_tiers(struct ctl *c, const struct node *service)
{
	const struct node *tiers = node_member(service, "tiers");
	const char *text;

	for (size_t i = 0; i < node_count(tiers); i++) {
		text = tier_text(c->arena, tiers, i);
		if (text)
			puts(text);
	}
	if (!node_count(node_member(service, "endpoints")))
		puts("no endpoints: new flows are dropped; `spillway describe` the route for the reason");
	else if (!has_share(service))
		puts("no endpoint may be picked: new flows are dropped");
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
		print_tiers(c, node_item(services, i));
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
		"counts, ACTIVE the flows it has now; PACKETS and BYTES are those of both\n"
		"directions.\n"
		"\n"
		"Examples:\n"
		"  spillway endpoints\n"
		"  spillway endpoints web -o wide",
	.flags = flags,
	.run = run,
};
