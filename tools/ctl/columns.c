/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One row per kind and one per column, named after the CRDs' printer columns. Of Backends, -o wide
 * also says how many endpoints are up, which upstream's table cannot.
 */
#include "ctl/columns.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define COLUMNS_MAX 6

struct column {
	const char *title;
	bool wide; /* only with -o wide */
	const char *(*text)(const struct columns_view *v, const struct node *object);
};

const struct node *find_condition(const struct node *object, const char *type)
{
	const struct node *list = node_at(object, "status.conditions");
	const struct node *item;

	for (size_t i = 0; i < node_count(list); i++) {
		item = node_item(list, i);
		if (strcmp(node_text_at(item, "type", ""), type) == 0)
			return item;
	}
	return NULL;
}

const char *age_text(struct arena *a, const char *rfc3339, int64_t now_s)
{
	struct tm tm = {0};
	char buf[24];

	if (!rfc3339 || !strptime(rfc3339, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return "<unknown>";
	return arena_strdup(a, clock_human_age(now_s - (int64_t)timegm(&tm), buf));
}

static const char *age(const struct columns_view *v, const struct node *o)
{
	return age_text(v->c->arena, node_text_at(o, "metadata.creationTimestamp", NULL),
			(int64_t)time(NULL));
}

static const char *backend_status(const struct columns_view *v, const struct node *o)
{
	(void)v;
	return node_text_at(find_condition(o, "Accepted"), "reason", "");
}

static const char *backend_endpoints(const struct columns_view *v, const struct node *o)
{
	return arena_printf(v->c->arena, "%zu", node_count(node_at(o, "spec.endpoints")));
}

/* An endpoint that several services use is up when it is up for all of them. */
struct seen {
	const char *address;
	bool up;
};

static void see(struct arena *a, struct seen **seen, size_t *count, const struct node *endpoint)
{
	const char *address = node_text_at(endpoint, "address", "");
	bool up = strcmp(node_text_at(endpoint, "state", ""), "up") == 0;

	for (size_t i = 0; i < *count; i++) {
		if (strcmp((*seen)[i].address, address) == 0) {
			(*seen)[i].up = (*seen)[i].up && up;
			return;
		}
	}
	*arena_push(a, *seen, *count) = (struct seen){address, up};
}

/* "2/3", or "-" when no service uses the Backend. */
static const char *backend_up(const struct columns_view *v, const struct node *o)
{
	const char *full =
		arena_printf(v->c->arena, "%s/%s", node_text_at(o, "metadata.namespace", "default"),
			     node_text_at(o, "metadata.name", ""));
	const struct node *endpoints;
	struct seen *seen = NULL;
	size_t count = 0, up = 0;

	for (size_t i = 0; i < node_count(v->services); i++) {
		endpoints = node_member(node_item(v->services, i), "endpoints");
		for (size_t j = 0; j < node_count(endpoints); j++) {
			if (strcmp(node_text_at(node_item(endpoints, j), "backend", ""), full) == 0)
				see(v->c->arena, &seen, &count, node_item(endpoints, j));
		}
	}
	for (size_t i = 0; i < count; i++)
		up += seen[i].up;
	return count ? arena_printf(v->c->arena, "%zu/%zu", up, count) : "-";
}

static const char *gateway_class(const struct columns_view *v, const struct node *o)
{
	(void)v;
	return node_text_at(o, "spec.gatewayClassName", "");
}

static const char *gateway_address(const struct columns_view *v, const struct node *o)
{
	const struct node *list = node_at(o, "status.addresses");
	const char *text = "";

	if (!node_count(list))
		list = node_at(o, "spec.addresses");
	for (size_t i = 0; i < node_count(list); i++)
		text = arena_printf(v->c->arena, "%s%s%s", text, text[0] ? "," : "",
				    node_text_at(node_item(list, i), "value", ""));
	return text;
}

static const char *gateway_programmed(const struct columns_view *v, const struct node *o)
{
	(void)v;
	return node_text_at(find_condition(o, "Programmed"), "status", "");
}

/* Behind NAME; kinds without a row have AGE only. */
static const struct column columns_of[KIND_MAX][COLUMNS_MAX] = {
	[KIND_BACKEND] = {{"STATUS", false, backend_status},
			  {"AGE", false, age},
			  {"ENDPOINTS", true, backend_endpoints},
			  {"UP", true, backend_up}},
	[KIND_GATEWAY] = {{"CLASS", false, gateway_class},
			  {"ADDRESS", false, gateway_address},
			  {"PROGRAMMED", false, gateway_programmed},
			  {"AGE", false, age}},
};
static const struct column age_only[] = {{"AGE", false, age}, {NULL, false, NULL}};

static const struct column *columns_for(const struct kind *kind)
{
	return columns_of[kind->id][0].title ? columns_of[kind->id] : age_only;
}

void columns_head(const struct columns_view *v, const struct kind *kind, struct table *t)
{
	table_row(t);
	if (v->namespaces)
		table_cell(t, "NAMESPACE");
	table_cell(t, "NAME");
	for (const struct column *col = columns_for(kind); col->title; col++) {
		if (v->wide || !col->wide)
			table_cell(t, col->title);
	}
}

void columns_row(const struct columns_view *v, const struct kind *kind, const struct node *object,
		 struct table *t)
{
	const char *name = node_text_at(object, "metadata.name", "");

	table_row(t);
	if (v->namespaces)
		table_cell(t, node_text_at(object, "metadata.namespace", ""));
	table_cell(t, v->kind_in_name ? ctl_object_title(v->c->arena, kind, name) : name);
	for (const struct column *col = columns_for(kind); col->title; col++) {
		if (v->wide || !col->wide)
			table_cell(t, col->text(v, object));
	}
}
