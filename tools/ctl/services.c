/* SPDX-License-Identifier: BSD-2-Clause */
/* What `endpoints` and `describe` know of services and of each endpoint in them. */
#include "ctl/services.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/http.h"

#define PATH	    "/apis/spillway.dev/v1alpha1/endpoints"
#define NOT_CARRIED "not carried"

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

bool endpoint_is_carried(const struct node *endpoint)
{
	return node_bool_at(endpoint, "carried", true);
}

/* Of an endpoint that is up the reason is no news beside a problem; of another both are. */
static bool is_out(const char *state)
{
	return strcmp(state, "down") == 0 || strcmp(state, "ejected") == 0 ||
	       strcmp(state, "draining") == 0;
}

const char *endpoint_reason(struct arena *a, const struct node *endpoint)
{
	const char *reason = node_text_at(endpoint, "reason", "");
	const char *problem = node_text_at(endpoint, "problem", NULL);

	if (!endpoint_is_carried(endpoint))
		return arena_printf(a, NOT_CARRIED "%s%s", reason[0] ? "; " : "", reason);
	if (!problem)
		return reason;
	if (!reason[0] || !is_out(node_text_at(endpoint, "state", "")))
		return problem;
	return arena_printf(a, "%s; %s", reason, problem);
}

const char *endpoint_state(struct arena *a, const struct node *endpoint)
{
	const char *state = node_text_at(endpoint, "state", "");
	const int64_t ejected_s = node_int_at(endpoint, "ejectedSecondsLeft", 0);
	const int64_t ramp = node_int_at(endpoint, "rampPercent", 0);
	char age[24];

	if (ejected_s > 0 && strcmp(state, "ejected") == 0)
		return arena_printf(a, "%s %s", state, clock_human_age(ejected_s, age));
	if (ramp > 0 && strcmp(state, "starting") == 0)
		return arena_printf(a, "%s %lld%%", state, (long long)ramp);
	return state;
}

const char *endpoint_share(struct arena *a, const struct node *endpoint)
{
	if (!endpoint_is_carried(endpoint))
		return "-";
	return arena_printf(a, "%s%%", number_text(a, node_member(endpoint, "sharePercent")));
}

const char *count_text(struct arena *a, const struct node *map, const char *key)
{
	const struct node *n = node_member(map, key);

	if (n && n->type == NODE_NULL)
		return "-";
	return arena_printf(a, "%lld", (long long)node_int_at(map, key, 0));
}

const char *endpoint_weight(struct arena *a, const struct node *endpoint)
{
	return endpoint_is_carried(endpoint) ? number_text(a, node_member(endpoint, "weight"))
					     : "-";
}

const char *service_address(struct arena *a, const struct node *service)
{
	const char *vip = node_text_at(service, "vip", "");
	const bool v6 = strchr(vip, ':');

	return arena_printf(a, "%s%s%s:%lld/%s", v6 ? "[" : "", vip, v6 ? "]" : "",
			    (long long)node_int_at(service, "port", 0),
			    node_text_at(service, "protocol", ""));
}

int endpoint_error(const struct reply *r)
{
	const int code = http_error(r);

	if (strcmp(node_text_at(r->body, "reason", ""), "NotFound") == 0)
		fputs("`spillway endpoints -A` lists the endpoints that services use\n", stderr);
	return code;
}

const char *endpoint_path(struct arena *a, const struct node *endpoint)
{
	const char *path = node_text_at(endpoint, "path", "-");
	const char *why = node_text_at(endpoint, "pathReason", "");

	return why[0] ? arena_printf(a, "%s: %s", path, why) : path;
}
