/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which fields of a BackendTrafficPolicy nothing reads yet. A list of what works, not of what does
 * not: a field that a later schema adds is named without anybody thinking of it.
 */
#include <string.h>

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

/* The members of `map` that are not among `known`. */
static void add_unknown(struct words *w, const struct node *map, const char *prefix,
			const char *const *known)
{
	for (size_t i = 0; map && map->type == NODE_MAP && i < map->count; i++) {
		if (!is_any(map->items[i]->key, known))
			add(w, prefix, map->items[i]->key);
	}
}

/* On layer 4 round robin and random are what the hash over the 5-tuple does; the rest is not there. */
static void add_balancer(struct words *w, const struct node *spec, bool is_l7)
{
	static const char *const known[] = {"type", "zoneAware", "slowStart", NULL};
	static const char *const known_l7[] = {"type", "zoneAware", "slowStart", "consistentHash",
					       NULL};
	static const char *const types[] = {"RoundRobin", "Random", NULL};
	static const char *const ramped[] = {"RoundRobin", "LeastRequest", NULL};
	const struct node *n = node_member(spec, "loadBalancer");
	const char *type = node_text_at(n, "type", "RoundRobin"), *header;
	const bool is_done = is_l7 && policy_balance(spec, &header) != BALANCE_NONE;

	if (!is_done && !is_any(type, types))
		add(w, "spec.loadBalancer.type: ", type);
	if (node_member(n, "slowStart") && !is_any(type, ramped))
		add(w, "spec.loadBalancer.", "slowStart");
	add_unknown(w, n, "spec.loadBalancer.", is_done ? known_l7 : known);
}

static void add_retry(struct words *w, const struct node *n)
{
	static const char *const known[] = {"numRetries", "retryOn", NULL};
	static const char *const known_on[] = {"triggers", "httpStatusCodes", NULL};
	const struct node *list = node_at(n, "retryOn.triggers");
	const struct node *codes = node_at(n, "retryOn.httpStatusCodes");

	add_unknown(w, n, "spec.retry.", known);
	add_unknown(w, node_member(n, "retryOn"), "spec.retry.retryOn.", known_on);
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

static void add_http(struct words *w, const struct node *spec)
{
	static const char *const known[] = {"tcp", "http", NULL};
	static const char *const known_http[] = {"requestTimeout", NULL};

	add_retry(w, node_member(spec, "retry"));
	add_unknown(w, node_member(spec, "timeout"), "spec.timeout.", known);
	add_unknown(w, node_at(spec, "timeout.http"), "spec.timeout.http.", known_http);
}

static void add_health(struct words *w, const struct node *n)
{
	static const char *const known[] = {"active", "passive", "panicThreshold", NULL};
	static const char *const known_active[] = {"type",
						   "timeout",
						   "interval",
						   "initialJitter",
						   "unhealthyThreshold",
						   "healthyThreshold",
						   "http",
						   "tcp",
						   "grpc",
						   "overrides",
						   NULL};

	add_unknown(w, n, "spec.healthCheck.", known);
	add_unknown(w, node_member(n, "active"), "spec.healthCheck.active.", known_active);
}

const char *policy_idle_fields(struct arena *a, const struct object *policy, bool is_l7)
{
	const char *const known[] = {
		"targetRef",   "targetRefs",	 "targetSelectors",	 "loadBalancer",
		"healthCheck", "tcpKeepalive",	 "proxyProtocol",	 "dns",
		"timeout",     "circuitBreaker", is_l7 ? "retry" : NULL, NULL};
	static const char *const known_timeout[] = {"tcp", NULL};
	static const char *const known_tcp[] = {"connectTimeout", NULL};
	static const char *const known_breaker[] = {"maxConnections", "perEndpoint", NULL};
	static const char *const known_each[] = {"maxConnections", NULL};
	static const char *const known_selector[] = {"group", "kind", "matchLabels",
						     "matchExpressions", NULL};
	const struct node *spec = node_at(policy->res.root, "spec");
	const struct node *selectors = node_member(spec, "targetSelectors");
	struct words w = {.arena = a};

	for (size_t i = 0; i < node_count(selectors); i++)
		add_unknown(&w, node_item(selectors, i), "spec.targetSelectors[].", known_selector);
	add_unknown(&w, spec, "spec.", known);
	if (is_l7)
		add_http(&w, spec);
	else
		add_unknown(&w, node_member(spec, "timeout"), "spec.timeout.", known_timeout);
	add_unknown(&w, node_at(spec, "timeout.tcp"), "spec.timeout.tcp.", known_tcp);
	add_unknown(&w, node_member(spec, "circuitBreaker"), "spec.circuitBreaker.", known_breaker);
	add_unknown(&w, node_at(spec, "circuitBreaker.perEndpoint"),
		    "spec.circuitBreaker.perEndpoint.", known_each);
	add_balancer(&w, spec, is_l7);
	add_health(&w, node_member(spec, "healthCheck"));
	return w.list;
}
