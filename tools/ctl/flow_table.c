/* SPDX-License-Identifier: BSD-2-Clause */
/* One row a flow; ages as everywhere. */
#include "ctl/flow_table.h"

#include <stdio.h>

#include "base/clock.h"
#include "ctl/table.h"

static const char *seconds(struct arena *a, const struct node *flow, const char *key)
{
	char buf[24];

	return arena_strdup(a, clock_human_age(node_int_at(flow, key, 0), buf));
}

void flow_table_print(struct arena *a, const struct node *flows)
{
	const struct node *flow;
	struct table t;

	table_init(&t, a);
	table_head(&t, "PROTOCOL CLIENT VIP SOURCE ENDPOINT STATE AGE IDLE");
	for (size_t i = 0; i < node_count(flows); i++) {
		flow = node_item(flows, i);
		table_row(&t);
		table_cell(&t, node_text_at(flow, "protocol", ""));
		table_cell(&t, node_text_at(flow, "client", ""));
		table_cell(&t, node_text_at(flow, "vip", ""));
		table_cell(&t, node_text_at(flow, "source", "-"));
		table_cell(&t, node_text_at(flow, "endpoint", ""));
		table_cell(&t, node_text_at(flow, "state", ""));
		table_cell(&t, seconds(a, flow, "ageSeconds"));
		table_cell(&t, seconds(a, flow, "idleSeconds"));
	}
	table_print(&t, stdout);
}
