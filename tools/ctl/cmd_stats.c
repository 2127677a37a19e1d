/* SPDX-License-Identifier: BSD-2-Clause */
/* `spillway stats`: every way a packet can end, in the order of include/spillway/stats.h. */
#include <stdio.h>

#include "ctl/ctl.h"
#include "ctl/http.h"
#include "ctl/output.h"
#include "ctl/table.h"

static const struct flag flags[] = {
	OUTPUT_FLAG("yaml, json"),
	{.name = "nonzero", .type = FLAG_SWITCH, .help = "Only counters that have counted"},
	{.name = NULL},
};

/* The counters to be shown, as a list of their own. */
static struct node *wanted(struct ctl *c, const struct node *all)
{
	struct loc nowhere = {0};
	struct node *kept = node_new(c->arena, NODE_LIST, nowhere);
	bool nonzero = args_switch(&c->args, "nonzero");

	for (size_t i = 0; i < node_count(all); i++) {
		if (!nonzero || node_int_at(node_item(all, i), "value", 0) != 0)
			node_append(c->arena, kept, node_item(all, i));
	}
	return kept;
}

static void print_table(struct ctl *c, const struct node *list)
{
	const struct node *item;
	struct table t;

	table_init(&t, c->arena);
	table_head(&t, "COUNTER KIND VALUE MEANING");
	for (size_t i = 0; i < node_count(list); i++) {
		item = node_item(list, i);
		table_row(&t);
		table_cell(&t, node_text_at(item, "name", ""));
		table_cell(&t, node_text_at(item, "kind", ""));
		table_cellf(&t, "%lld", (long long)node_int_at(item, "value", 0));
		table_cell(&t, node_text_at(item, "description", ""));
	}
	table_print(&t, stdout);
}

/* Services with limits or lists of sources, behind the counters of all. */
static void print_services(struct ctl *c, const struct node *list)
{
	struct table t;

	table_init(&t, c->arena);
	table_head(&t, "SERVICE PROTOCOL DENIED NOT-ALLOWED LIMITED SOURCE-LIMITED");
	for (size_t i = 0; i < node_count(list); i++) {
		static const char *const columns[] = {"denied", "notAllowed", "limited",
						      "sourceLimited"};
		const struct node *item = node_item(list, i);

		table_row(&t);
		table_cell(&t, node_text_at(item, "address", ""));
		table_cell(&t, node_text_at(item, "protocol", ""));
		for (size_t k = 0; k < sizeof(columns) / sizeof(columns[0]); k++)
			table_cellf(&t, "%lld", (long long)node_int_at(item, columns[k], 0));
	}
	fputs("\n", stdout);
	table_print(&t, stdout);
}

static int run(struct ctl *c)
{
	enum output_form form;
	struct node *answer, *list;

	if (c->args.word_count)
		return ctl_usage_error(c, "unexpected argument \"%s\"", c->args.words[0]);
	if (output_parse(c, OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_YAML), &form) ||
	    http_get(c, "/apis/spillway.dev/v1alpha1/stats", &answer))
		return 1;
	list = wanted(c, node_member(answer, "counters"));
	if (form != OUTPUT_TABLE) {
		node_set(c->arena, answer, "counters", list);
		return output_tree(answer, form);
	}
	if (node_count(list))
		print_table(c, list);
	else
		fputs("No packet was counted\n", stderr);
	if (node_count(node_member(answer, "services")))
		print_services(c, node_member(answer, "services"));
	return 0;
}

const struct verb verb_stats = {
	.name = "stats",
	.usage = "[--nonzero] [-o FORM]",
	.summary = "Show all counters and drop reasons",
	.details = "KIND says what became of the packets: pass (given to the host's own stack), "
		   "forward,\n"
		   "drop; count is what else was counted. New flows that services with limits or "
		   "lists\n"
		   "of sources did not take on follow by service.",
	.flags = flags,
	.run = run,
};
