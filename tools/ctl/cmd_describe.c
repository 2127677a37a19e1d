/* SPDX-License-Identifier: BSD-2-Clause */
/* `spillway describe`: objects field by field; Backends and routes with their endpoints. */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/describe.h"
#include "ctl/describe_config.h"
#include "ctl/describe_health.h"
#include "ctl/events.h"
#include "ctl/object_selector.h"
#include "ctl/services.h"
#include "ctl/table.h"
#include "ctl/target.h"

#define EVENTS_SHOWN 10 /* the latest; `spillway events` has them all */

static const struct flag flags[] = {
	{.name = "all-namespaces",
	 .letter = 'A',
	 .type = FLAG_SWITCH,
	 .help = "Objects of all namespaces"},
	SELECTOR_FLAGS,
	LOAD_FLAGS,
	{.name = NULL},
};

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

static bool has_health(const struct kind *kind)
{
	switch (kind->id) {
	case KIND_BACKEND:
	case KIND_TCPROUTE:
	case KIND_UDPROUTE:
	case KIND_HTTPROUTE:
	case KIND_TLSROUTE:
		return true;
	case KIND_GATEWAY:
	case KIND_BACKENDTRAFFICPOLICY:
	case KIND_REFERENCEGRANT:
	case KIND_BACKENDTLSPOLICY:
	case KIND_GATEWAYCLASS:
	case KIND_CONFIGMAP:
	case KIND_SECRET:
	case KIND_MAX:
		break;
	}
	return false;
}

/* What happened to it lately, or NULL where nothing did. */
static const struct node *events_of(struct ctl *c, const struct found *f,
				    const struct node *services)
{
	const char *name =
		arena_printf(c->arena, "%s/%s", node_text_at(f->object, "metadata.namespace", ""),
			     node_text_at(f->object, "metadata.name", ""));
	const struct node *list;

	if (!has_health(f->kind) ||
	    (f->kind->id != KIND_BACKEND && !describe_is_served(c->arena, f->object, services)))
		return NULL;
	list = events_latest(
		c, f->kind->id == KIND_BACKEND ? event_is_of_backend : event_is_of_service, name,
		EVENTS_SHOWN);
	return node_count(list) ? list : NULL;
}

static void print_events(struct ctl *c, const struct node *events)
{
	struct table t;

	table_init(&t, c->arena);
	t.indent = "  ";
	events_head(&t, EVENT_AGES);
	for (size_t i = 0; i < node_count(events); i++)
		events_row(&t, node_item(events, i), EVENT_AGES, events_now_ms());
	puts("Events:");
	table_print(&t, stdout);
}

static void print_one(struct ctl *c, const struct found *f, const struct node *services)
{
	const struct node *events = events_of(c, f, services);
	struct description d = {.arena = c->arena};

	describe_object(&d, f->object);
	if (!events)
		describe_line(&d, "Events:", "<none>");
	describe_print(&d, stdout);
	if (f->kind->id == KIND_BACKEND) {
		describe_backend_health(c->arena, f->object, services);
		describe_backend_quic(c->arena, f->object, services);
	} else if (has_health(f->kind)) {
		describe_route_health(c->arena, f->object, services);
	}
	if (events)
		print_events(c, events);
}

static int print_all(struct ctl *c, const struct found_list *found)
{
	const struct node *services = NULL;
	struct node *answer;

	for (size_t i = 0; i < found->count; i++) {
		if (!services && has_health(found->items[i].kind)) {
			if (services_fetch(c, NULL, NULL, &answer))
				return 1;
			services = node_member(answer, "services");
		}
		if (i)
			fputs("\n\n", stdout);
		if (found->items[i].kind->id == KIND_CONFIGMAP)
			describe_configmap(c->arena, found->items[i].object);
		else if (found->items[i].kind->id == KIND_SECRET)
			describe_secret(c->arena, found->items[i].object);
		else
			print_one(c, &found->items[i], services);
	}
	return 0;
}

/* The stored objects that manifests name, wherever they say they are. */
static int fetch_of_files(struct ctl *c, struct found_list *found, struct refusals *refused)
{
	struct resources rs = {0};
	struct diags d;

	if (c->args.word_count)
		return ctl_error("when paths, URLs, or stdin is provided as input, you may not "
				 "specify resource arguments as well");
	diags_init(&d, c->arena);
	if (ctl_load(c, &d, &rs))
		return 1;
	ctl_sort_diags(&d);
	diags_print(&d, stderr);
	for (size_t i = 0; i < rs.count; i++) {
		const struct target t = {rs.items[i].kind, rs.items[i].name};

		if (target_fetch(c, &t, rs.items[i].namespace, found, refused))
			return 1;
	}
	return d.errors ? 1 : 0;
}

static int fetch_of_words(struct ctl *c, const char *namespace, struct found_list *found,
			  struct refusals *refused)
{
	struct object_selector selector;
	struct targets targets;
	size_t kept = 0;

	if (targets_parse(c, &targets) || object_selector_of_flags(c, &selector))
		return 1;
	for (size_t i = 0; i < targets.count; i++) {
		if (!namespace && targets.items[i].name)
			return ctl_error("a resource cannot be retrieved by name across all "
					 "namespaces");
		if (object_selector_is_set(&selector) && targets.items[i].name)
			return ctl_error("name cannot be provided when a selector is specified");
		if (fetch(c, &targets.items[i], namespace, found, refused))
			return 1;
	}
	for (size_t i = 0; i < found->count; i++) {
		if (object_selector_matches(&selector, found->items[i].object))
			found->items[kept++] = found->items[i];
	}
	found->count = kept;
	return 0;
}

static int run(struct ctl *c)
{
	const char *namespace = args_switch(&c->args, "all-namespaces") ? NULL : c->namespace;
	struct found_list found = {0};
	struct refusals refused = {0};

	if (args_given(&c->args, "filename") ? fetch_of_files(c, &found, &refused)
					     : fetch_of_words(c, namespace, &found, &refused))
		return 1;
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
	.usage = "KIND [NAME...] [-A] [-l LABELS]\nKIND/NAME...\n-f FILE|DIR|- [-f ...] [-R]",
	.summary = "Show objects field by field, with the state of endpoints",
	.details =
		"Of Backends and routes also the endpoints, the arithmetic of the tiers and the\n"
		"latest events. Where no object has the name, those are shown whose name begins\n"
		"with it.\n"
		"\n"
		"Examples:\n"
		"  spillway describe backend web\n"
		"  spillway describe gateways",
	.flags = flags,
	.words = WORDS_KIND,
	.run = run,
};
