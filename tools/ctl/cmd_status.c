/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `spillway status`: is it well? What is wrong comes last, where it is seen, and loud. An interface
 * in generic mode works but at a fraction of the speed, which nobody notices otherwise.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/ctl.h"
#include "ctl/http.h"
#include "ctl/output.h"
#include "ctl/table.h"
#include "ctl/terminal.h"

#define MIB (1024.0 * 1024.0)

static const struct flag flags[] = {
	OUTPUT_FLAG("yaml, json"),
	{.name = NULL},
};

static long long number(const struct node *n, const char *path)
{
	return (long long)node_int_at(n, path, 0);
}

/* "Backend 3, Gateway 1", or "none". */
static const char *resources_text(struct ctl *c, const struct node *map)
{
	const char *text = "";

	for (size_t i = 0; i < node_count(map); i++)
		text = arena_printf(c->arena, "%s%s%s %lld", text, text[0] ? ", " : "",
				    map->items[i]->key, (long long)map->items[i]->integer);
	return text[0] ? text : "none";
}

/* "up 3, down 1": how many endpoints stand how. */
static void print_health(struct ctl *c, const struct node *map)
{
	const char *text = "";

	for (size_t i = 0; i < node_count(map); i++) {
		if (map->items[i]->type == NODE_INT && map->items[i]->integer)
			text = arena_printf(c->arena, "%s%s%s %lld", text, text[0] ? ", " : "",
					    map->items[i]->key, (long long)map->items[i]->integer);
	}
	if (text[0])
		printf("Health:    %s\n", text);
}

static const char *list_text(struct ctl *c, const struct node *list)
{
	const char *text = "";

	for (size_t i = 0; i < node_count(list); i++)
		text = arena_printf(c->arena, "%s%s%s", text, text[0] ? ", " : "",
				    node_item(list, i)->text ? node_item(list, i)->text : "");
	return text[0] ? text : "none";
}

/* What the daemon changed on the host, and takes back with --detach. */
static void print_changes(const char *title, const struct node *list)
{
	for (size_t i = 0; i < node_count(list); i++) {
		if (node_item(list, i)->type == NODE_STRING)
			printf("%-10s %s\n", i ? "" : title, node_item(list, i)->text);
	}
}

/* "3 of 4096 services". */
static const char *fill_text(struct ctl *c, const struct node *s, const char *what)
{
	const struct node *maps = node_member(s, "maps"),
			  *n = maps ? node_member(maps, what) : NULL;

	return arena_printf(c->arena, "%lld of %lld %s", number(n, "count"), number(n, "max"),
			    what);
}

static void print_facts(struct ctl *c, const struct node *s)
{
	char age[24];

	printf("spillwayd %s, pid %lld, up %s, project %s\n", node_text_at(s, "version", "unknown"),
	       number(s, "pid"), clock_human_age(number(s, "uptimeSeconds"), age), c->project);
	printf("Resources: %s (resource version %s)\n",
	       resources_text(c, node_member(s, "resources")),
	       node_text_at(s, "resourceVersion", "0"));
	printf("Services:  %lld, with %lld endpoints\n", number(s, "services"),
	       number(s, "endpoints"));
	print_health(c, node_member(s, "health"));
	if (node_text_at(s, "zone", NULL))
		printf("Zone:      %s\n", terminal_safe(c->arena, node_text_at(s, "zone", "")));
	printf("Flows:     %lld of at most %lld IPv4 and %lld IPv6, in %.1f MiB\n",
	       number(s, "flows.count"), number(s, "flows.max"), number(s, "flows.maxIPv6"),
	       (double)number(s, "flows.bytes") / MIB);
	printf("Maps:      %.1f MiB: %s, %s, %s\n", (double)number(s, "mapBytes") / MIB,
	       fill_text(c, s, "services"), fill_text(c, s, "endpoints"), fill_text(c, s, "slots"));
	printf("Sources:   %s\n", list_text(c, node_member(s, "sources")));
	print_changes("Sysctls:", node_member(s, "sysctls"));
	print_changes("Offloads:", node_member(s, "offloads"));
}

static bool is_generic(const struct node *interface)
{
	return node_bool_at(interface, "attached", false) &&
	       strcmp(node_text_at(interface, "mode", ""), "generic") == 0;
}

static void print_interfaces(struct ctl *c, const struct node *list)
{
	const struct node *item;
	struct table t;

	table_init(&t, c->arena);
	table_head(&t, "INTERFACE ATTACHED MODE");
	for (size_t i = 0; i < node_count(list); i++) {
		item = node_item(list, i);
		table_row(&t);
		table_cell(&t, node_text_at(item, "name", ""));
		table_cell(&t, node_bool_at(item, "attached", false) ? "yes" : "NO");
		table_cell(&t, is_generic(item) ? "GENERIC" : node_text_at(item, "mode", ""));
	}
	putchar('\n');
	table_print(&t, stdout);
}

static void print_vips(struct ctl *c, const struct node *list)
{
	const struct node *item;
	struct table t;

	if (!node_count(list))
		return;
	table_init(&t, c->arena);
	table_head(&t, "VIP STATE");
	for (size_t i = 0; i < node_count(list); i++) {
		item = node_item(list, i);
		table_row(&t);
		table_cell(&t, node_text_at(item, "address", ""));
		table_cell(&t, node_text_at(item, "problem", NULL) ? "PROBLEM" : "ok");
	}
	putchar('\n');
	table_print(&t, stdout);
}

static const char *interface_problem(struct ctl *c, const struct node *item)
{
	const char *name = node_text_at(item, "name", "");
	const char *problem = node_text_at(item, "problem", NULL);

	if (problem)
		return arena_printf(c->arena, "interface %s: %s", name, problem);
	if (!node_bool_at(item, "attached", false))
		return arena_printf(c->arena, "interface %s: not attached", name);
	return NULL;
}

/* A line of its own, whatever else is wrong there: what it costs, why it is so, what to do. */
static const char *generic_problem(struct ctl *c, const struct node *item)
{
	if (!is_generic(item))
		return NULL;
	return arena_printf(c->arena,
			    "interface %s: GENERIC mode, several times slower than native, since "
			    "every packet costs a socket buffer before it is looked at: %s",
			    node_text_at(item, "name", ""),
			    node_text_at(item, "modeReason", "use a driver with native XDP"));
}

/* All that is wrong, in `problems`; returns how much. */
static size_t find_problems(struct ctl *c, const struct node *s, const char ***problems)
{
	const struct node *interfaces = node_member(s, "interfaces");
	const struct node *vips = node_member(s, "vips");
	const struct node *others = node_member(s, "problems");
	const char *text;
	size_t count = 0;

	for (size_t i = 0; i < node_count(interfaces); i++) {
		text = interface_problem(c, node_item(interfaces, i));
		if (text)
			*arena_push(c->arena, *problems, count) = text;
		text = generic_problem(c, node_item(interfaces, i));
		if (text)
			*arena_push(c->arena, *problems, count) = text;
	}
	for (size_t i = 0; i < node_count(vips); i++) {
		text = node_text_at(node_item(vips, i), "problem", NULL);
		if (text)
			*arena_push(c->arena, *problems, count) =
				arena_printf(c->arena, "VIP %s: %s",
					     node_text_at(node_item(vips, i), "address", ""), text);
	}
	for (size_t i = 0; i < node_count(others); i++) {
		if (node_item(others, i)->type == NODE_STRING)
			*arena_push(c->arena, *problems, count) = node_item(others, i)->text;
	}
	return count;
}

static int run(struct ctl *c)
{
	const char **problems = NULL;
	enum output_form form;
	struct node *s;
	size_t count;

	if (c->args.word_count)
		return ctl_usage_error(c, "unexpected argument \"%s\"", c->args.words[0]);
	if (output_parse(c, OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_YAML), &form) ||
	    http_get(c, "/apis/spillway.dev/v1alpha1/status", &s))
		return 1;
	if (form != OUTPUT_TABLE)
		return output_tree(s, form);
	print_facts(c, s);
	print_interfaces(c, node_member(s, "interfaces"));
	print_vips(c, node_member(s, "vips"));
	count = find_problems(c, s, &problems);
	if (!count) {
		puts("\nNo problems.");
		return 0;
	}
	printf("\n%zu PROBLEM%s:\n", count, count == 1 ? "" : "S");
	for (size_t i = 0; i < count; i++)
		printf("  %s\n", problems[i]);
	return 0;
}

const struct verb verb_status = {
	.name = "status",
	.usage = "[-o FORM]",
	.summary = "Show whether all is well",
	.details = "Interfaces and how XDP is attached, VIPs, flows, and what is wrong: a problem "
		   "is\n"
		   "named with its remedy. The exit code is 0 whenever the daemon answered.",
	.flags = flags,
	.run = run,
};
