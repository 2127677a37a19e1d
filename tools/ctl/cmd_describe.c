/* SPDX-License-Identifier: BSD-2-Clause */
/* `spillway describe`: objects field by field; Backends with the state of their endpoints. */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/describe.h"
#include "ctl/services.h"
#include "ctl/table.h"
#include "ctl/target.h"

static const struct flag flags[] = {
	{.name = "all-namespaces",
	 .letter = 'A',
	 .type = FLAG_SWITCH,
	 .help = "Objects of all namespaces"},
	{.name = NULL},
};

/* The rows of one Backend's endpoints, a row for each service that uses it. */
static void add_endpoints(struct table *t, const char *backend, const struct node *service)
{
	const struct node *list = node_member(service, "endpoints");
	const struct node *e;

	for (size_t i = 0; i < node_count(list); i++) {
		e = node_item(list, i);
		if (strcmp(node_text_at(e, "backend", ""), backend) != 0)
			continue;
		table_row(t);
		table_cellf(t, "  %s", node_text_at(e, "address", ""));
		table_cell(t, node_text_at(service, "name", ""));
		table_cellf(t, "%lld", (long long)node_int_at(e, "tier", 0));
		table_cellf(t, "%lld", (long long)node_int_at(e, "weight", 0));
		table_cellf(t, "%s%%", number_text(t->arena, node_member(e, "sharePercent")));
		table_cell(t, node_text_at(e, "state", ""));
		table_cellf(t, "%lld", (long long)node_int_at(e, "activeFlows", 0));
		table_cell(t, endpoint_reason(e));
	}
}

static void print_endpoints(struct ctl *c, const struct node *object, const struct node *services)
{
	const char *backend =
		arena_printf(c->arena, "%s/%s", node_text_at(object, "metadata.namespace", ""),
			     node_text_at(object, "metadata.name", ""));
	struct table t;

	table_init(&t, c->arena);
	table_head(&t, "ENDPOINT SERVICE TIER WEIGHT SHARE STATE ACTIVE REASON");
	t.rows[0].cells[0] = "  ENDPOINT";
	for (size_t i = 0; i < node_count(services); i++)
		add_endpoints(&t, backend, node_item(services, i));
	if (t.row_count == 1) {
		puts("Endpoints:  <no service uses them>");
		return;
	}
	puts("Endpoints:");
	table_print(&t, stdout);
}

/* Those whose name begins with what was asked for, as kubectl does when none has that name. */
static int fetch_by_prefix(struct ctl *c, const struct target *t, struct found_list *found)
{
	struct target all = {.kind = t->kind};
	struct found_list list = {0};
	struct refusals ignored = {0};
	const char *name;

	if (target_fetch(c, &all, c->namespace, &list, &ignored))
		return 1;
	for (size_t i = 0; i < list.count; i++) {
		name = node_text_at(list.items[i].object, "metadata.name", "");
		if (strncmp(name, t->name, strlen(t->name)) == 0)
			*arena_push(c->arena, found->items, found->count) = list.items[i];
	}
	return 0;
}

static int fetch(struct ctl *c, const struct target *t, const char *namespace,
		 struct found_list *found, struct refusals *refused)
{
	size_t refused_before = refused->count;
	size_t found_before = found->count;

	if (target_fetch(c, t, namespace, found, refused))
		return 1;
	if (refused->count == refused_before || !t->name)
		return 0;
	if (fetch_by_prefix(c, t, found))
		return 1;
	if (found->count > found_before)
		refused->count = refused_before;
	return 0;
}

static int print_all(struct ctl *c, const struct found_list *found)
{
	const struct node *services = NULL;
	struct node *answer;

	for (size_t i = 0; i < found->count; i++) {
		struct description d = {.arena = c->arena};

		if (!services && found->items[i].kind->id == KIND_BACKEND) {
			if (services_fetch(c, NULL, NULL, &answer))
				return 1;
			services = node_member(answer, "services");
		}
		if (i)
			fputs("\n\n", stdout);
		describe_object(&d, found->items[i].object);
		describe_line(&d, "Events:", "<none>");
		describe_print(&d, stdout);
		if (found->items[i].kind->id == KIND_BACKEND)
			print_endpoints(c, found->items[i].object, services);
	}
	return 0;
}

static int run(struct ctl *c)
{
	bool everywhere = args_switch(&c->args, "all-namespaces");
	const char *namespace = everywhere ? NULL : c->namespace;
	struct found_list found = {0};
	struct refusals refused = {0};
	struct targets targets;

	if (targets_parse(c, &targets))
		return 1;
	for (size_t i = 0; i < targets.count; i++) {
		if (everywhere && targets.items[i].name)
			return ctl_error("a resource cannot be retrieved by name across all "
					 "namespaces");
		if (fetch(c, &targets.items[i], namespace, &found, &refused))
			return 1;
	}
	if (!found.count && !refused.count) {
		say_nothing_found(namespace);
		return 0;
	}
	if (print_all(c, &found))
		return 1;
	return refusals_print(&refused);
}

const struct verb verb_describe = {
	.name = "describe",
	.usage = "KIND [NAME...] [-A]\nKIND/NAME...",
	.summary = "Show objects field by field, with the state of endpoints",
	.details = "Where no object has the name, those are shown whose name begins with it.\n"
		   "\n"
		   "Examples:\n"
		   "  spillway describe backend web\n"
		   "  spillway describe gateways",
	.flags = flags,
	.words = WORDS_KIND,
	.run = run,
};
