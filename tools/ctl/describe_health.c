/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Backend's endpoints have one row in each service that uses them, since policies may judge them
 * apart; the services' sums follow. A route has its services, each with its endpoints.
 */
#include "ctl/describe_health.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/services.h"
#include "ctl/sums.h"
#include "ctl/table.h"
#include "ctl/terminal.h"

static const char *full_name(struct arena *a, const struct node *object)
{
	return arena_printf(a, "%s/%s", node_text_at(object, "metadata.namespace", ""),
			    node_text_at(object, "metadata.name", ""));
}

/* The cells from PATH on. */
static void add_health(struct table *t, const struct node *e)
{
	const char *latest = node_text_at(e, "latest", "");
	char age[24];

	table_cell(t, endpoint_path(t->arena, e));
	table_cellf(t, "%lld", (long long)node_int_at(e, "tier", 0));
	table_cell(t, endpoint_weight(t->arena, e));
	table_cell(t, endpoint_share(t->arena, e));
	table_cell(t, endpoint_state(t->arena, e));
	table_cell(t,
		   arena_strdup(t->arena, clock_human_age(node_int_at(e, "sinceSeconds", 0), age)));
	table_cell(t, count_text(t->arena, e, "activeFlows"));
	table_cellf(t, "%lld", (long long)node_int_at(e, "ejections", 0));
	table_cell(t, latest[0] ? latest : "-");
	table_cell(t, endpoint_reason(t->arena, e));
}

/* Rows of one Backend's endpoints in one service; whether there was any. */
static bool add_uses(struct table *t, const char *backend, const struct node *service)
{
	const struct node *list = node_member(service, "endpoints");
	const struct node *e;
	bool any = false;

	for (size_t i = 0; i < node_count(list); i++) {
		e = node_item(list, i);
		if (strcmp(node_text_at(e, "backend", ""), backend) != 0)
			continue;
		table_row(t);
		table_cell(t, node_text_at(e, "address", ""));
		table_cell(t, node_text_at(service, "name", ""));
		add_health(t, e);
		any = true;
	}
	return any;
}

static void print_title(struct arena *a, const struct node *service)
{
	printf("  %s at %s:\n", terminal_safe(a, node_text_at(service, "name", "")),
	       service_address(a, service));
}

void describe_backend_health(struct arena *a, const struct node *backend,
			     const struct node *services)
{
	const char *name = full_name(a, backend);
	const struct node **used = NULL;
	size_t used_count = 0;
	struct table t;

	table_init(&t, a);
	t.indent = "  ";
	table_head(
		&t,
		"ENDPOINT SERVICE PATH TIER WEIGHT SHARE STATE SINCE ACTIVE EJECTIONS LATEST REASON");
	for (size_t i = 0; i < node_count(services); i++) {
		if (add_uses(&t, name, node_item(services, i)))
			*arena_push(a, used, used_count) = node_item(services, i);
	}
	if (!used_count) {
		puts("Endpoints:  <no service uses them>");
		return;
	}
	puts("Endpoints:");
	table_print(&t, stdout);
	puts("Services:");
	for (size_t i = 0; i < used_count; i++) {
		print_title(a, used[i]);
		sums_print(a, used[i], SUMS_ALL, "    ", stdout);
	}
}

static void print_service(struct arena *a, const struct node *service)
{
	const struct node *list = node_member(service, "endpoints");
	struct table t;

	print_title(a, service);
	table_init(&t, a);
	t.indent = "    ";
	table_head(
		&t,
		"ENDPOINT BACKEND PATH TIER WEIGHT SHARE STATE SINCE ACTIVE EJECTIONS LATEST REASON");
	for (size_t i = 0; i < node_count(list); i++) {
		table_row(&t);
		table_cell(&t, node_text_at(node_item(list, i), "address", ""));
		table_cell(&t, node_text_at(node_item(list, i), "backend", ""));
		add_health(&t, node_item(list, i));
	}
	if (node_count(list))
		table_print(&t, stdout);
	sums_print(a, service, SUMS_ALL, "    ", stdout);
}

/* Of a route of this kind and name. */
static bool is_of_route(const struct node *service, const char *kind, const char *name)
{
	return strcmp(node_text_at(service, "name", ""), name) == 0 &&
	       strcmp(node_text_at(service, "route", ""), kind) == 0;
}

bool describe_is_served(struct arena *a, const struct node *route, const struct node *services)
{
	const char *name = full_name(a, route), *kind = node_text_at(route, "kind", "");

	for (size_t i = 0; i < node_count(services); i++) {
		if (is_of_route(node_item(services, i), kind, name))
			return true;
	}
	return false;
}

void describe_route_health(struct arena *a, const struct node *route, const struct node *services)
{
	const char *name = full_name(a, route), *kind = node_text_at(route, "kind", "");
	const struct node *service;
	bool any = false;

	for (size_t i = 0; i < node_count(services); i++) {
		service = node_item(services, i);
		if (!is_of_route(service, kind, name))
			continue;
		if (!any)
			puts("Services:");
		any = true;
		print_service(a, service);
	}
	if (!any)
		puts("Services:  <no listener takes this route>");
}
