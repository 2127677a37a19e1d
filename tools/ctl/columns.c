/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One row per kind and one per column, named after the CRDs' printer columns. Of Backends, -o wide
 * also says how many endpoints are up, which upstream's table cannot.
 */
#include "ctl/columns.h"

#include <stdio.h>
#include <stdlib.h>
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

/* An endpoint in one service that uses it. */
struct use {
	const char *backend; /* NAMESPACE/NAME */
	const char *address;
	bool up;
};

static int compare_uses(const void *a, const void *b)
{
	const struct use *x = a, *y = b;
	int order = strcmp(x->backend, y->backend);

	return order ? order : strcmp(x->address, y->address);
}

/* In its slow start an endpoint is up, with less of its share. */
static bool is_up(const char *state)
{
	return strcmp(state, "up") == 0 || strcmp(state, "starting") == 0;
}

void columns_note_services(struct columns_view *v, const struct node *services)
{
	const struct node *list, *row;

	for (size_t i = 0; i < node_count(services); i++) {
		list = node_member(node_item(services, i), "endpoints");
		for (size_t k = 0; k < node_count(list); k++) {
			row = node_item(list, k);
			*arena_push(v->c->arena, v->uses, v->use_count) = (struct use){
				.backend = node_text_at(row, "backend", ""),
				.address = node_text_at(row, "address", ""),
				.up = is_up(node_text_at(row, "state", "")),
			};
		}
	}
	if (v->use_count)
		qsort(v->uses, v->use_count, sizeof(*v->uses), compare_uses);
}

/* The first use of the Backend, or where it would be. */
static size_t first_use(const struct columns_view *v, const char *backend)
{
	size_t low = 0, high = v->use_count, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (strcmp(v->uses[mid].backend, backend) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* "2/3", or "-" when no service uses it. What several services use is up when all say so. */
static const char *backend_up(const struct columns_view *v, const struct node *o)
{
	const char *full =
		arena_printf(v->c->arena, "%s/%s", node_text_at(o, "metadata.namespace", "default"),
			     node_text_at(o, "metadata.name", ""));
	size_t i = first_use(v, full), count = 0, up = 0;
	const struct use *u;
	bool all_up;

	while (i < v->use_count && strcmp(v->uses[i].backend, full) == 0) {
		u = &v->uses[i];
		all_up = true;
		for (; i < v->use_count && compare_uses(u, &v->uses[i]) == 0; i++)
			all_up = all_up && v->uses[i].up;
		count++;
		up += all_up;
	}
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

static const char *route_hostnames(const struct columns_view *v, const struct node *o)
{
	const struct node *list = node_at(o, "spec.hostnames");
	char *json = list ? node_to_json(list, 0) : NULL;
	const char *text = json ? arena_strdup(v->c->arena, json) : "";

	free(json);
	return text;
}

static const char *class_controller(const struct columns_view *v, const struct node *o)
{
	(void)v;
	return node_text_at(o, "spec.controllerName", "");
}

static const char *class_description(const struct columns_view *v, const struct node *o)
{
	(void)v;
	return node_text_at(o, "spec.description", "");
}

static const char *accepted(const struct columns_view *v, const struct node *o)
{
	(void)v;
	return node_text_at(find_condition(o, "Accepted"), "status", "");
}

static const char *secret_type(const struct columns_view *v, const struct node *o)
{
	(void)v;
	return node_text_at(o, "type", "");
}

static const char *data_count(const struct columns_view *v, const struct node *o)
{
	return arena_printf(v->c->arena, "%zu",
			    node_count(node_member(o, "data")) +
				    node_count(node_member(o, "binaryData")));
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
	[KIND_HTTPROUTE] = {{"HOSTNAMES", false, route_hostnames}, {"AGE", false, age}},
	[KIND_GATEWAYCLASS] = {{"CONTROLLER", false, class_controller},
			       {"ACCEPTED", false, accepted},
			       {"AGE", false, age},
			       {"DESCRIPTION", true, class_description}},
	[KIND_CONFIGMAP] = {{"DATA", false, data_count}, {"AGE", false, age}},
	[KIND_SECRET] = {{"TYPE", false, secret_type},
			 {"DATA", false, data_count},
			 {"AGE", false, age}},
};
static const struct column age_only[] = {{"AGE", false, age}, {NULL, false, NULL}};

static const struct column *columns_for(const struct kind *kind)
{
	return columns_of[kind->id][0].title ? columns_of[kind->id] : age_only;
}

static int compare_keys(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

/* "app=web,tier=a", or "<none>". */
static const char *labels_text(struct arena *a, const struct node *object)
{
	const struct node *labels = node_at(object, "metadata.labels");
	const size_t count = node_count(labels);
	struct node **sorted = arena_array(a, count + 1, sizeof(struct node *));
	const char *text = "";

	if (!count)
		return "<none>";
	memcpy(sorted, labels->items, count * sizeof(struct node *));
	qsort(sorted, count, sizeof(struct node *), compare_keys);
	for (size_t i = 0; i < count; i++)
		text = arena_printf(a, "%s%s%s=%s", text, i ? "," : "", sorted[i]->key,
				    sorted[i]->type == NODE_STRING ? sorted[i]->text : "");
	return text;
}

void columns_head(const struct columns_view *v, const struct kind *kind, struct table *t)
{
	table_row(t);
	if (v->namespaces && kind->scope == SCOPE_NAMESPACE)
		table_cell(t, "NAMESPACE");
	table_cell(t, "NAME");
	for (const struct column *col = columns_for(kind); col->title; col++) {
		if (v->wide || !col->wide)
			table_cell(t, col->title);
	}
	if (v->labels)
		table_cell(t, "LABELS");
}

void columns_row(const struct columns_view *v, const struct kind *kind, const struct node *object,
		 struct table *t)
{
	const char *name = node_text_at(object, "metadata.name", "");

	table_row(t);
	if (v->namespaces && kind->scope == SCOPE_NAMESPACE)
		table_cell(t, node_text_at(object, "metadata.namespace", ""));
	table_cell(t, v->kind_in_name ? ctl_object_title(v->c->arena, kind, name) : name);
	for (const struct column *col = columns_for(kind); col->title; col++) {
		if (v->wide || !col->wide)
			table_cell(t, col->text(v, object));
	}
	if (v->labels)
		table_cell(t, labels_text(v->c->arena, object));
}
