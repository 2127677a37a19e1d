/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `spillway expose backend`: the shortest way from a Backend to clients, a Gateway and a route in one
 * change. What it makes are ordinary objects; --dry-run=client -o yaml shows them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/commit.h"
#include "ctl/expose.h"
#include "ctl/output.h"

#define FORMS	   (OUTPUT_BIT(OUTPUT_NAME) | OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_YAML))
#define PORT_MAX   65535
#define WEIGHT_MAX 1000000

static const char *const protocols[] = {"TCP", "UDP", NULL};

static const struct flag flags[] = {
	{.name = "address",
	 .type = FLAG_TEXTS,
	 .value = "ADDR[,ADDR...]",
	 .help = "The addresses that clients connect to; IPv4, IPv6 or both"},
	{.name = "port", .type = FLAG_NUMBER, .value = "PORT", .help = "The port of it"},
	{.name = "protocol",
	 .type = FLAG_TEXT,
	 .value = "PROTOCOL",
	 .initial = "TCP",
	 .choices = protocols,
	 .help = "TCP or UDP"},
	{.name = "name",
	 .type = FLAG_TEXT,
	 .value = "NAME",
	 .help = "The name of the Gateway and of the route; else the Backend's"},
	{.name = "weight",
	 .type = FLAG_TEXT,
	 .value = "WEIGHT",
	 .help = "The Backend's weight in the route, for when others are added"},
	DRY_RUN_FLAG,
	OUTPUT_FLAG("name, yaml, json"),
	{.name = NULL},
};

static int read_addresses(struct ctl *c, struct expose *out)
{
	const char **texts;
	char *rest, *word;
	struct spw_addr addr;
	size_t count;

	texts = args_texts(&c->args, "address", &count);
	if (!count)
		return ctl_usage_error(c, "required flag(s) \"address\" not set");
	for (size_t i = 0; i < count; i++) {
		rest = arena_strdup(c->arena, texts[i]);
		while ((word = strsep(&rest, ","))) {
			if (addr_parse(word, &addr))
				return ctl_usage_error(c,
						       "invalid argument \"%s\" for \"--address\" "
						       "flag: not an IPv4 or IPv6 address",
						       word);
			if (!expose_has(out, &addr))
				*arena_push(c->arena, out->addresses, out->address_count) = addr;
		}
	}
	return 0;
}

static int read_numbers(struct ctl *c, struct expose *out)
{
	const char *weight = args_text(&c->args, "weight");
	char *end = NULL;

	out->port = args_number(&c->args, "port");
	out->weight = -1;
	if (out->port < 0)
		return ctl_usage_error(c, "required flag(s) \"port\" not set");
	if (out->port > PORT_MAX)
		return ctl_usage_error(c, "--port: must be between 1 and %d", PORT_MAX);
	if (!weight)
		return 0;
	out->weight = strtol(weight, &end, 10);
	if (*end || weight[0] < '0' || weight[0] > '9' || out->weight > WEIGHT_MAX)
		return ctl_usage_error(c, "--weight: must be between 0 and %d", WEIGHT_MAX);
	return 0;
}

/* "backend NAME" or "backend/NAME". */
static int read_words(struct ctl *c, struct expose *out)
{
	const char *kind = c->args.word_count ? c->args.words[0] : "";
	const char *slash = strchr(kind, '/');
	const char *name = slash ? slash + 1 : c->args.word_count > 1 ? c->args.words[1] : "";

	if (!c->args.word_count)
		return ctl_usage_error(c, "what is to be exposed is missing: backend NAME");
	if (kind_find(arena_strndup(c->arena, kind, strcspn(kind, "/"))) != &kinds[KIND_BACKEND])
		return ctl_usage_error(c, "cannot expose a %.*s: only a backend",
				       (int)strcspn(kind, "/"), kind);
	if (!name[0])
		return ctl_usage_error(c, "a Backend's name is missing");
	if (c->args.word_count > (slash ? 1 : 2))
		return ctl_usage_error(c, "unexpected argument \"%s\"",
				       c->args.words[slash ? 1 : 2]);
	out->backend = name;
	return 0;
}

int expose_read(struct ctl *c, struct expose *out)
{
	struct expose e = {.c = c, .protocol = args_text(&c->args, "protocol")};

	if (read_words(c, &e) || read_addresses(c, &e) || read_numbers(c, &e))
		return 1;
	e.name = args_text(&c->args, "name");
	if (!e.name)
		e.name = e.backend;
	*out = e;
	return 0;
}

/* As kubectl prints several: documents one after the other. `answer` has them as stored, or is NULL. */
static int print_trees(struct ctl *c, const struct resources *rs, const struct node *answer,
		       enum output_form form)
{
	const struct node *results = node_member(answer, "results"), *after;
	int code = 0;

	for (size_t i = 0; i < rs->count; i++) {
		after = node_member(node_item(results, i), "after");
		if (i && form == OUTPUT_YAML)
			puts("---");
		code = output_tree(node_copy(c->arena, after ? after : rs->items[i].root), form) ||
		       code;
	}
	return code;
}

static void print_lines(struct ctl *c, const struct resources *rs, bool added, enum dry_run dry,
			enum output_form form)
{
	const char *title;

	for (size_t i = 0; i < rs->count; i++) {
		title = ctl_object_title(c->arena, rs->items[i].kind, rs->items[i].name);
		if (form == OUTPUT_NAME)
			puts(title);
		else
			printf("%s %s%s\n", title, i == 0 && added ? "configured" : "created",
			       dry_run_suffix(dry));
	}
}

static struct resource resource_of(struct ctl *c, struct node *root)
{
	return (struct resource){
		.kind = kind_lookup(node_text_at(root, "apiVersion", ""),
				    node_text_at(root, "kind", "")),
		.namespace = c->namespace,
		.name = node_text_at(root, "metadata.name", ""),
		.root = root,
	};
}

static int run(struct ctl *c)
{
	struct node *trees[2], *stored, *answer = NULL;
	struct resource items[2];
	struct resources rs = {.items = items, .count = 2};
	struct commit commit = {.op = COMMIT_EDIT, .rs = &rs};
	enum output_form form;
	const char *route;
	struct expose e;
	int code = 0;

	if (output_parse(c, FORMS, &form) || dry_run_parse(c, &commit.dry) || expose_read(c, &e) ||
	    expose_look(&e, &stored, &route))
		return 1;
	trees[0] = expose_gateway(&e, stored);
	trees[1] = expose_route(&e, route);
	for (size_t i = 0; i < 2; i++)
		items[i] = resource_of(c, trees[i]);
	commit.show = form == OUTPUT_JSON || form == OUTPUT_YAML ? COMMIT_SHOW_AFTER
								 : COMMIT_SHOW_NOTHING;
	if (commit.dry != DRY_RUN_CLIENT && commit_send(c, &commit, &answer))
		return 1;
	if (form == OUTPUT_JSON || form == OUTPUT_YAML)
		code = print_trees(c, &rs, answer, form);
	else
		print_lines(c, &rs, stored != NULL, commit.dry, form);
	if (answer)
		commit_print_warnings(c, answer, &rs);
	return code;
}

const struct verb verb_expose = {
	.name = "expose",
	.usage = "backend NAME --address ADDR[,ADDR...] --port PORT [--protocol TCP|UDP]\n"
		 "backend NAME ... [--name NAME] [--weight WEIGHT] [--dry-run=MODE] [-o FORM]",
	.summary = "Give a Backend an address and a port for clients",
	.details =
		"Makes a Gateway of the class spillway and a TCPRoute or UDPRoute, in one change.\n"
		"A Gateway of the name with the same addresses gets one more listener; nothing else\n"
		"of what is there is changed, and a port that is taken is refused. Where a route of\n"
		"the name exists, the new one is called NAME-PORT.\n"
		"\n"
		"Examples:\n"
		"  spillway expose backend web --address 192.0.2.1 --port 80\n"
		"  spillway expose backend dns --address 192.0.2.1,2001:db8::1 --port 53 --protocol UDP\n"
		"  spillway expose backend web --address 192.0.2.1 --port 80 --dry-run=client -o yaml",
	.flags = flags,
	.words = WORDS_BACKEND,
	.run = run,
};
