/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BackendTrafficPolicies and what they hold on to. The most specific one is in force: a route's
 * rule, the route, the listener, the Gateway. Two on one target: the older one has it.
 */
#include <string.h>

#include "model/resolver.h"

static bool is_prime(int64_t n)
{
	for (int64_t d = 2; d * d <= n; d++) {
		if (n % d == 0)
			return false;
	}
	return n > 1;
}

/* What upstream's controller finds in the policy itself. */
static bool is_valid(struct resolver *r, struct object *o)
{
	static const char path[] = "spec.loadBalancer.consistentHash";
	const struct node *hash = node_at(o->res.root, path);
	const int64_t size = node_int_at(hash, "tableSize", 65537);
	const char *text;

	if (is_prime(size))
		return true;
	text = arena_printf(r->arena, "LoadBalancer: ConsistentHash: invalid TableSize value %lld.",
			    (long long)size);
	condition_plain(r, o, "Accepted", false, "Invalid", text);
	resolve_warn(r, o, member_loc(hash, "tableSize"), text);
	return false;
}

static enum kind_id kind_of(const char *name)
{
	static const enum kind_id known[] = {KIND_GATEWAY, KIND_TCPROUTE, KIND_UDPROUTE};
	static const char *const names[] = {"Gateway", "TCPRoute", "UDPRoute"};

	for (size_t i = 0; i < 3; i++) {
		if (strcmp(name, names[i]) == 0)
			return known[i];
	}
	return KIND_MAX;
}

static bool has_name(const struct node *list, const char *name)
{
	for (size_t i = 0; i < node_count(list); i++) {
		if (strcmp(node_text_at(node_item(list, i), "name", ""), name) == 0)
			return true;
	}
	return false;
}

/* A listener of a Gateway, a rule of a route. */
static bool has_section(const struct object *o, const char *section)
{
	const char *path = o->res.kind->id == KIND_GATEWAY ? "spec.listeners" : "spec.rules";

	return !section || has_name(node_at(o->res.root, path), section);
}

/* NULL, or why it does not hold on. */
static const char *attach(struct resolver *r, struct object *o, const struct node *ref,
			  const char **reason)
{
	const char *kind = node_text_at(ref, "kind", "");
	const char *name = node_text_at(ref, "name", "");
	const char *section = node_text_at(ref, "sectionName", NULL);
	const enum kind_id id = kind_of(kind);
	const struct object *aim;
	const char *text;

	*reason = "TargetNotFound";
	if (id == KIND_MAX)
		return arena_printf(r->arena, "this version has no %s", kind);
	aim = names_find(r, id, o->project, o->res.namespace, name);
	if (!aim)
		return arena_printf(r->arena, "%s %s/%s not found", kind, o->res.namespace, name);
	if (!has_section(aim, section))
		return arena_printf(r->arena, "%s %s/%s has no section %s", kind, o->res.namespace,
				    name, section);
	if (targets_find(r, o, kind, name, section)) {
		*reason = "Conflicted";
		text = arena_printf(r->arena,
				    "Unable to target %s %s, another BackendTrafficPolicy has "
				    "already attached to it",
				    kind, name);
		resolve_warn(r, o, member_loc(ref, "name"), text);
		return text;
	}
	targets_add(r,
		    &(struct target){.policy = o, .kind = kind, .name = name, .section = section});
	return NULL;
}

struct outcome {
	const char *reason, *message;
	size_t attached;
};

static void attach_one(struct resolver *r, struct object *o, const struct node *ref,
		       struct outcome *out)
{
	const char *reason;
	const char *text = attach(r, o, ref, &reason);

	if (!text) {
		out->attached++;
		return;
	}
	if (!out->reason)
		out->reason = reason;
	out->message = text_join(r->arena, out->message, "; ", text);
}

static void read_policy(struct resolver *r, struct object *o)
{
	const struct node *spec = node_at(o->res.root, "spec");
	const struct node *list = node_member(spec, "targetRefs");
	struct outcome out = {0};

	if (!is_valid(r, o))
		return;
	if (node_member(spec, "targetRef"))
		attach_one(r, o, node_member(spec, "targetRef"), &out);
	for (size_t i = 0; i < node_count(list); i++)
		attach_one(r, o, node_item(list, i), &out);
	if (node_member(spec, "targetSelectors")) {
		out.reason = out.reason ? out.reason : "TargetNotFound";
		out.message = text_join(r->arena, out.message, "; ",
					"this version does not read targetSelectors");
	}
	o->accepted = out.attached > 0;
	if (out.reason)
		condition_plain(r, o, "Accepted", false, out.reason, out.message);
	else
		condition_plain(r, o, "Accepted", true, "Accepted", "Policy has been accepted.");
}

void policies_read(struct resolver *r)
{
	size_t count;
	struct object **list = names_of_kind(r, r->by_age, KIND_BACKENDTRAFFICPOLICY, &count);

	r->overriders = arena_array(r->arena, r->model->object_count, sizeof(*r->overriders));
	for (size_t i = 0; i < count; i++)
		read_policy(r, list[i]);
}

/* A policy with a check that cannot judge packets of UDP: upstream checks none of them. */
static bool wants_port(const struct resolver *r, const struct object *policy)
{
	const struct node *active = node_at(policy->res.root, "spec.healthCheck.active");

	if (!active || node_int_at(active, "overrides.port", 0))
		return false;
	for (size_t i = 0; i < r->draft_count; i++) {
		const struct draft *d = &r->drafts[i];

		if (d->listener->proto == IPPROTO_UDP && d->target && d->target->policy == policy)
			return true;
	}
	return false;
}

static void report(struct resolver *r, struct object *o)
{
	const char *idle = policy_idle_fields(r->arena, o);
	const char *by = names_text(r->arena, &r->overriders[o - r->model->objects]);
	const char *text = NULL;

	if (idle)
		text = arena_printf(r->arena, "in this version these fields have no effect: %s",
				    idle);
	if (wants_port(r, o))
		text = text_join(r->arena, text, "; ",
				 "endpoints of a UDPRoute are checked over TCP or HTTP on "
				 "spec.healthCheck.active.overrides.port only, so they count as "
				 "up");
	if (text)
		condition_plain(r, o, "Programmed", false, "FieldsWithoutEffect", text);
	if (by)
		condition_plain(r, o, "Overridden", true, "Overridden",
				arena_printf(r->arena,
					     "This policy is being overridden by other "
					     "backendTrafficPolicies for %s",
					     by));
}

void policies_report(struct resolver *r)
{
	size_t count;
	struct object **list = names_of_kind(r, r->by_name, KIND_BACKENDTRAFFICPOLICY, &count);

	for (size_t i = 0; i < count; i++)
		report(r, list[i]);
}
