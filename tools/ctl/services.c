/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `endpoints` and `describe` say of services. The tier line shows Envoy's arithmetic: health
 * is healthy/total times the over-provisioning factor 1.4, at most 100 %; what the tiers before
 * could not take goes to the next.
 */
#include "ctl/services.h"

#include <string.h>

#include "ctl/http.h"

#define PATH		 "/apis/spillway.dev/v1alpha1/endpoints"
#define OVERPROVISIONING 140
#define FULL_HEALTH	 100

static bool is_wanted(const struct node *service, const char *namespace, const char *name)
{
	const char *full = node_text_at(service, "name", "");
	const char *slash = strchr(full, '/');
	size_t len = slash ? (size_t)(slash - full) : 0;

	if (name && strchr(name, '/'))
		return strcmp(full, name) == 0;
	if (namespace && (strlen(namespace) != len || strncmp(full, namespace, len) != 0))
		return false;
	return !name || strcmp(slash ? slash + 1 : full, name) == 0;
}

int services_fetch(struct ctl *c, const char *namespace, const char *name, struct node **out)
{
	struct loc nowhere = {0};
	struct node *kept = node_new(c->arena, NODE_LIST, nowhere);
	const struct node *all;
	struct node *answer;

	if (http_get(c, PATH, &answer))
		return 1;
	all = node_member(answer, "services");
	for (size_t i = 0; i < node_count(all); i++) {
		if (is_wanted(node_item(all, i), namespace, name))
			node_append(c->arena, kept, node_item(all, i));
	}
	node_set(c->arena, answer, "services", kept);
	*out = answer;
	return 0;
}

const struct node *services_try(struct ctl *c)
{
	const char *why = NULL;
	struct reply r;

	if (http_try(c, "GET", PATH, NULL, &r, &why))
		return NULL;
	return r.code == 200 ? node_member(r.body, "services") : NULL;
}

const char *number_text(struct arena *a, const struct node *n)
{
	if (!n)
		return "";
	if (n->type == NODE_INT)
		return arena_printf(a, "%lld", (long long)n->integer);
	if (n->type != NODE_FLOAT)
		return "";
	if (n->number == (double)(int64_t)n->number)
		return arena_printf(a, "%lld", (long long)n->number);
	return arena_printf(a, "%.1f", n->number);
}

const char *endpoint_reason(const struct node *endpoint)
{
	return node_text_at(endpoint, "problem", node_text_at(endpoint, "reason", ""));
}

static const struct node *next_tier(const struct node *tiers, size_t index)
{
	const struct node *tier;

	for (size_t i = index + 1; i < node_count(tiers); i++) {
		tier = node_item(tiers, i);
		if (node_int_at(tier, "total", 0))
			return tier;
	}
	return NULL;
}

const char *tier_text(struct arena *a, const struct node *tiers, size_t index)
{
	const struct node *tier = node_item(tiers, index);
	const struct node *next = next_tier(tiers, index);
	int64_t total = node_int_at(tier, "total", 0);
	int64_t healthy = node_int_at(tier, "healthy", 0);
	int64_t load = node_int_at(tier, "loadPercent", 0);
	int64_t health;
	const char *text;

	if (!total)
		return NULL;
	health = healthy * OVERPROVISIONING / total;
	if (health > FULL_HEALTH)
		health = FULL_HEALTH;
	text = arena_printf(a, "tier %lld: %lld/%lld up x 1.4 = %lld %%",
			    (long long)node_int_at(tier, "tier", (int64_t)index),
			    (long long)healthy, (long long)total, (long long)health);
	if (load != health)
		text = arena_printf(a, "%s, takes %lld %%", text, (long long)load);
	if (next)
		text = arena_printf(a, "%s; tier %lld takes %lld %%", text,
				    (long long)node_int_at(next, "tier", 0),
				    (long long)node_int_at(next, "loadPercent", 0));
	if (load && node_bool_at(tier, "panic", false))
		text = arena_printf(
			a,
			"%s; panic: too few are up, so all its endpoints get traffic but those set "
			"down or draining",
			text);
	return text;
}
