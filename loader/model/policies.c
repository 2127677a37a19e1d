/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BackendTrafficPolicies and what they hold on to. The most specific one is in force: a route's
 * rule, the route, the listener, the Gateway. Two on one target: the older one has it.
 */
#include <string.h>

#include "model/ancestors.h"
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
	static const enum kind_id known[] = {KIND_GATEWAY, KIND_TCPROUTE, KIND_UDPROUTE,
					     KIND_HTTPROUTE, KIND_TLSROUTE};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(name, kinds[known[i]].name) == 0)
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

#define FAILURES_SHOWN 8 /* of one policy, in its condition */

/* What a policy held on to while it is read, and the first reason why it did not. */
struct outcome {
	const char *reason, *message;
	size_t failed, attached;
	size_t foreign; /* targets that are another controller's */
};

static void fail(struct resolver *r, struct outcome *out, const char *reason, const char *text)
{
	if (!out->reason)
		out->reason = reason;
	if (out->failed++ < FAILURES_SHOWN)
		out->message = text_join(r->arena, out->message, "; ", text);
}

static void attach(struct resolver *r, struct object *o, const struct object *aim,
		   const char *section, struct loc loc, struct outcome *out)
{
	const char *kind = aim->res.kind->name, *name = aim->res.name;
	const struct target *taken = targets_find(r, aim, section);
	const char *text;

	if (aim->foreign) {
		out->foreign++;
		return;
	}
	if (taken && taken->policy != o) {
		text = arena_printf(r->arena,
				    "Unable to target %s %s, another BackendTrafficPolicy has "
				    "already attached to it",
				    kind, name);
		resolve_warn(r, o, loc, text);
		fail(r, out, "Conflicted", text);
		return;
	}
	out->attached++;
	if (aim->res.kind->id == KIND_GATEWAY)
		ancestors_add(
			r, o,
			&(struct ancestor){GATEWAY_GROUP, kind, aim->res.namespace, name, section});
	if (!taken)
		targets_add(r, &(struct target){.policy = o,
						.effective = o,
						.kind = kind,
						.namespace = aim->res.namespace,
						.name = name,
						.section = section});
}

/* A target that is not there is not wrong: it may come later. */
static void read_ref(struct resolver *r, struct object *o, const struct node *ref,
		     struct outcome *out)
{
	const char *kind = node_text_at(ref, "kind", "");
	const char *name = node_text_at(ref, "name", "");
	const char *section = node_text_at(ref, "sectionName", NULL);
	const enum kind_id id = kind_of(kind);
	const char *namespace = o->res.namespace;
	const struct object *aim =
		id == KIND_MAX ? NULL : names_find(r, id, o->project, namespace, name);

	if (id == KIND_MAX)
		fail(r, out, "TargetNotFound",
		     arena_printf(r->arena, "this version has no %s", kind));
	else if (!aim)
		fail(r, out, "TargetNotFound",
		     arena_printf(r->arena, "%s %s/%s not found", kind, namespace, name));
	else if (!has_section(aim, section))
		fail(r, out, "TargetNotFound",
		     arena_printf(r->arena, "%s %s/%s has no section %s", kind, namespace, name,
				  section));
	else
		attach(r, o, aim, section, member_loc(ref, "name"), out);
}

/* May it hold on to an object of another namespace? That one's ReferenceGrants say so. */
static bool is_chosen(struct resolver *r, const struct object *o, const struct node *selector,
		      const struct object *aim)
{
	const char *from = node_text_at(selector, "namespaces.from", "Same");

	if (strcmp(aim->project, o->project) != 0 || !selector_matches(selector, aim))
		return false;
	if (strcmp(from, "Same") == 0)
		return strcmp(aim->res.namespace, o->res.namespace) == 0;
	return strcmp(from, "All") == 0 && grants_allow(r, o, GATEWAY_GROUP, aim->res.kind->name,
							aim->res.namespace, aim->res.name);
}

static const char *why_none(struct arena *a, const struct object *o, const struct node *selector)
{
	const char *kind = node_text_at(selector, "kind", "");
	const char *from = node_text_at(selector, "namespaces.from", "Same");

	if (strcmp(from, "Same") == 0)
		return arena_printf(a, "no %s in namespace %s has the labels of the selector", kind,
				    o->res.namespace);
	if (strcmp(from, "All") == 0)
		return arena_printf(a,
				    "no %s has the labels of the selector, and one of another "
				    "namespace needs a ReferenceGrant there",
				    kind);
	return "namespaces have no labels here, so spec.targetSelectors[].namespaces.selector "
	       "matches none";
}

/* Everything of the kind whose labels match. */
static void read_selector(struct resolver *r, struct object *o, const struct node *selector,
			  struct outcome *out)
{
	const char *kind = node_text_at(selector, "kind", "");
	const size_t before = out->attached + out->foreign + out->failed;
	const enum kind_id id = kind_of(kind);
	size_t count = 0;
	struct object **list = names_of_kind(r, r->by_name, id, &count);

	for (size_t i = 0; i < count; i++) {
		if (is_chosen(r, o, selector, list[i]))
			attach(r, o, list[i], NULL, member_loc(selector, "kind"), out);
	}
	if (id == KIND_MAX)
		fail(r, out, "TargetNotFound",
		     arena_printf(r->arena, "this version has no %s", kind));
	else if (out->attached + out->foreign + out->failed == before)
		fail(r, out, "TargetNotFound", why_none(r->arena, o, selector));
}

static void read_policy(struct resolver *r, struct object *o)
{
	const struct node *spec = node_at(o->res.root, "spec");
	const struct node *refs = node_member(spec, "targetRefs");
	const struct node *selectors = node_member(spec, "targetSelectors");
	struct outcome out = {0};

	if (!is_valid(r, o))
		return;
	if (node_member(spec, "targetRef"))
		read_ref(r, o, node_member(spec, "targetRef"), &out);
	for (size_t i = 0; i < node_count(refs); i++)
		read_ref(r, o, node_item(refs, i), &out);
	for (size_t i = 0; i < node_count(selectors); i++)
		read_selector(r, o, node_item(selectors, i), &out);
	o->accepted = out.attached > 0;
	o->foreign = out.foreign && !out.attached && !out.reason;
	if (o->foreign)
		return;
	if (out.failed > FAILURES_SHOWN)
		out.message = arena_printf(r->arena, "%s; and %zu more", out.message,
					   out.failed - FAILURES_SHOWN);
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
	r->mergers = arena_array(r->arena, r->model->object_count, sizeof(*r->mergers));
	r->bases = arena_array(r->arena, r->model->object_count, sizeof(*r->bases));
	r->serves_xdp = arena_array(r->arena, r->model->object_count, sizeof(*r->serves_xdp));
	r->lacks_port = arena_array(r->arena, r->model->object_count, sizeof(*r->lacks_port));
	r->lacks_load = arena_array(r->arena, r->model->object_count, sizeof(*r->lacks_load));
	for (size_t i = 0; i < count; i++)
		read_policy(r, list[i]);
}

/* Nothing is wrong with the policy, but upstream's HTTP statistics do not exist on layer 4. */
static void report_passive(struct resolver *r, struct object *o)
{
	const struct node *n = node_at(o->res.root, "spec.healthCheck.passive");
	const struct passive *p = passive_read(r->arena, o, false);
	const char *counted = "consecutive5XxErrors";

	if (!p)
		return;
	if (node_bool_at(n, "splitExternalLocalOriginErrors", false))
		counted = "consecutiveLocalOriginFailures";
	else if (node_int_at(n, "consecutiveGatewayErrors", 0) > 0)
		counted = node_int_at(n, "consecutive5XxErrors", 1) > 0
				  ? "consecutive5XxErrors and consecutiveGatewayErrors, the "
				    "smaller of them,"
				  : "consecutiveGatewayErrors";
	condition_plain(r, o, "PassiveDetection", true, "ConnectionsCounted",
			arena_printf(r->arena,
				     "connections that fail (no answer, refused, unreachable) are "
				     "what %s and failurePercentageThreshold count%s; ejection by "
				     "success rate, which upstream has besides, is absent: there "
				     "are no requests on layer 4",
				     counted,
				     p->consecutive || p->failure_percent
					     ? ""
					     : ", but both are switched off: nobody is ejected"));
}

/* Upstream's words. */
static void report_merged(struct resolver *r, struct object *o)
{
	const char *with = names_text(r->arena, &r->bases[o - r->model->objects]);
	const char *by = names_text(r->arena, &r->mergers[o - r->model->objects]);

	if (with)
		condition_plain(r, o, "Merged", true, "Merged",
				arena_printf(r->arena, "Merged with policy %s", with));
	if (by)
		condition_plain(r, o, "Merged", true, "Merged",
				arena_printf(r->arena,
					     "This policy is being merged by other "
					     "backendTrafficPolicies for %s",
					     by));
}

static void report(struct resolver *r, struct object *o)
{
	const char *idle = policy_idle_fields(r->arena, o, r->serves_l7[o - r->model->objects]);
	const char *by = names_text(r->arena, &r->overriders[o - r->model->objects]);
	const char *proxy =
		r->serves_xdp[o - r->model->objects] ? policy_proxy_fields(r->arena, o) : NULL;
	const char *text = NULL;

	if (idle)
		text = arena_printf(r->arena, "in this version these fields have no effect: %s",
				    idle);
	if (proxy)
		text = text_join(
			r->arena, text, "; ",
			arena_printf(r->arena,
				     "on endpoints that XDP forwards to these fields have no "
				     "effect, they are for connections that HAProxy makes: "
				     "%s",
				     proxy));
	if (r->lacks_port[o - r->model->objects])
		text = text_join(
			r->arena, text, "; ",
			"of the endpoints of a UDPRoute active checks are made over TCP, HTTP or "
			"GRPC on spec.healthCheck.active.overrides.port only, so there are "
			"none");
	if (r->lacks_load[o - r->model->objects])
		text = text_join(
			r->arena, text, "; ",
			"spec.loadBalancer.type: LeastRequest counts the flows of TCP "
			"endpoints that XDP carries: over UDP, and where the userspace path "
			"has the endpoint, the pick is by hash");
	if (text)
		condition_plain(r, o, "Programmed", false, "FieldsWithoutEffect", text);
	report_passive(r, o);
	report_merged(r, o);
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

	for (size_t i = 0; i < count; i++) {
		if (!list[i]->foreign)
			report(r, list[i]);
	}
}
