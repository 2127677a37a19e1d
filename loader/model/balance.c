/* SPDX-License-Identifier: BSD-2-Clause */
/* loadBalancer of the policy in force, as far as layer 4 goes: how new flows are given to slots. */
#include <string.h>

#include "model/resolver.h"

/* Somebody's flows pass by where nobody counts them. */
static bool has_handoff(const struct service *s)
{
	for (size_t i = 0; i < s->locality_count; i++) {
		for (size_t k = 0; k < s->localities[i].count; k++) {
			if (s->localities[i].members[k]->mode == SPW_MODE_HANDOFF)
				return true;
		}
	}
	return false;
}

static void read_hash(const struct node *balancer, struct service *s)
{
	const struct node *n = node_member(balancer, "consistentHash");
	const int64_t size = node_int_at(n, "tableSize", SPW_TABLE_SIZE_MAX);

	if (strcmp(node_text_at(n, "type", ""), "SourceIP") != 0)
		return; /* of requests: the policy's condition says so */
	s->pick = SPW_PICK_SOURCE;
	s->table_size = size < SPW_TABLE_SIZE_MAX ? (uint32_t)size : SPW_TABLE_SIZE_MAX;
}

void balance_read(struct resolver *r, const struct draft *d, struct service *s)
{
	const struct object *policy = d->target ? d->target->policy : NULL;
	const struct node *n = policy ? node_at(policy->res.root, "spec.loadBalancer") : NULL;
	const char *type = node_text_at(n, "type", "");

	if (strcmp(type, "ConsistentHash") == 0)
		read_hash(n, s);
	if (strcmp(type, "LeastRequest") != 0)
		return;
	if (s->proto == IPPROTO_TCP)
		s->pick = SPW_PICK_LEAST;
	if (s->proto != IPPROTO_TCP || has_handoff(s))
		r->lacks_load[policy - r->model->objects] = true;
}
