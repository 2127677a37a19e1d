/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a BackendTrafficPolicy nothing acts on. Whole fields are told by the kind's table; here is
 * what depends on their values: words of upstream's that no path of ours has.
 */
#include <string.h>

#include "manifest/acts.h"
#include "model/resolver.h"

struct words {
	struct arena *arena;
	const char *list;
};

static bool is_any(const char *text, const char *const *words)
{
	for (; *words; words++) {
		if (strcmp(text, *words) == 0)
			return true;
	}
	return false;
}

static void add(struct words *w, const char *prefix, const char *name)
{
	w->list = text_join(w->arena, w->list, ", ", arena_printf(w->arena, "%s%s", prefix, name));
}

/* Hashes of what is in requests, and tables larger than there are. */
static void add_hash(struct words *w, const struct node *n)
{
	const char *type = node_text_at(n, "type", "SourceIP");
	const int64_t size = node_int_at(n, "tableSize", SPW_TABLE_SIZE_MAX);

	if (strcmp(type, "SourceIP") != 0)
		add(w, "spec.loadBalancer.consistentHash.type: ", type);
	else if (size > SPW_TABLE_SIZE_MAX)
		add(w, "spec.loadBalancer.consistentHash.tableSize: ",
		    arena_printf(w->arena, "%lld (%d is used)", (long long)size,
				 SPW_TABLE_SIZE_MAX));
}

/* On layer 4 round robin and random are what the hash over the 5-tuple does. */
static void add_balancer(struct words *w, const struct node *spec, bool is_l7)
{
	static const char *const types[] = {"RoundRobin", "Random", "LeastRequest",
					    "ConsistentHash", NULL};
	static const char *const ramped[] = {"RoundRobin", "LeastRequest", NULL};
	const struct node *n = node_member(spec, "loadBalancer");
	const char *type = node_text_at(n, "type", "RoundRobin"), *header;
	const bool is_done = is_l7 && policy_balance(spec, &header) != BALANCE_NONE;

	if (!is_done && (is_l7 || !is_any(type, types)))
		add(w, "spec.loadBalancer.type: ", type);
	if (!is_l7)
		add_hash(w, node_member(n, "consistentHash"));
	if (node_member(n, "slowStart") && !is_any(type, ramped))
		add(w, "spec.loadBalancer.", "slowStart");
}

static void add_retry(struct words *w, const struct node *n)
{
	const struct node *list = node_at(n, "retryOn.triggers");
	const struct node *codes = node_at(n, "retryOn.httpStatusCodes");

	for (size_t i = 0; i < node_count(list); i++) {
		const char *text = node_item(list, i)->text ? node_item(list, i)->text : "";

		if (!policy_retry_words(text) && strcmp(text, "retriable-status-codes") != 0)
			add(w, "spec.retry.retryOn.triggers: ", text);
	}
	for (size_t i = 0; i < node_count(codes); i++) {
		if (!policy_can_retry(node_item(codes, i)->integer))
			add(w, "spec.retry.retryOn.httpStatusCodes: ",
			    arena_printf(w->arena, "%lld",
					 (long long)node_item(codes, i)->integer));
	}
}

const char *policy_idle_fields(struct arena *a, const struct object *policy, bool is_l7)
{
	const struct node *spec = node_at(policy->res.root, "spec");
	struct words w = {.arena = a,
			  .list = acts_idle(a, policy->res.kind, policy->res.root, is_l7)};

	add_balancer(&w, spec, is_l7);
	if (is_l7)
		add_retry(&w, node_member(spec, "retry"));
	return w.list;
}

const char *policy_proxy_fields(struct arena *a, const struct object *policy)
{
	static const char *const paths[] = {"spec.tcpKeepalive", "spec.proxyProtocol",
					    "spec.circuitBreaker", "spec.timeout.tcp"};
	const char *list = NULL;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (node_at(policy->res.root, paths[i]))
			list = text_join(a, list, ", ", paths[i]);
	}
	return list;
}
