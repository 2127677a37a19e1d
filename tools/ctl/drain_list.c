/* SPDX-License-Identifier: BSD-2-Clause */
/* The drains under way; -o wide also names the flows that live longest. */
#include <stdio.h>

#include "base/clock.h"
#include "ctl/drain.h"
#include "ctl/flow_table.h"
#include "ctl/http.h"
#include "ctl/services.h"
#include "ctl/table.h"

static void seconds_cell(struct table *t, const struct node *row, const char *key)
{
	const int64_t s = node_int_at(row, key, -1);
	char age[24];

	table_cell(t, s < 0 ? "-" : arena_strdup(t->arena, clock_human_age(s, age)));
}

static void print_drains(struct ctl *c, const struct node *list)
{
	const struct node *row;
	struct table t;

	table_init(&t, c->arena);
	table_head(&t, "ENDPOINT BACKEND STATE FLOWS AT-START ESTIMATE DEADLINE THEN STARTED");
	for (size_t i = 0; i < node_count(list); i++) {
		row = node_item(list, i);
		table_row(&t);
		table_cell(&t, node_text_at(row, "address", ""));
		table_cell(&t, node_text_at(row, "backend", ""));
		table_cell(&t, node_text_at(row, "state", ""));
		table_cell(&t, count_text(c->arena, row, "activeFlows"));
		table_cell(&t, count_text(c->arena, row, "flowsAtStart"));
		seconds_cell(&t, row, "estimateSeconds");
		seconds_cell(&t, row, "deadlineSecondsLeft");
		table_cell(&t, node_text_at(row, "then", ""));
		seconds_cell(&t, row, "startedSeconds");
	}
	table_print(&t, stdout);
}

static void print_longest(struct ctl *c, const struct node *list)
{
	const struct node *flows;

	for (size_t i = 0; i < node_count(list); i++) {
		flows = node_member(node_item(list, i), "longest");
		if (!node_count(flows))
			continue;
		printf("\nOldest flows of %s:\n", node_text_at(node_item(list, i), "address", ""));
		flow_table_print(c->arena, flows);
	}
}

int drain_list(struct ctl *c, enum output_form form)
{
	const struct node *list;
	struct node *answer;

	if (http_get(c, DRAINS_PATH, &answer))
		return 1;
	if (form == OUTPUT_JSON || form == OUTPUT_YAML)
		return output_tree(answer, form);
	list = node_member(answer, "drains");
	if (!node_count(list)) {
		fputs("No drains found\n", stderr);
		return 0;
	}
	print_drains(c, list);
	if (form == OUTPUT_WIDE)
		print_longest(c, list);
	return 0;
}
