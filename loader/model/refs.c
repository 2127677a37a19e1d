/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The backendRefs of a route. One that cannot be used is left out and the others take its share, as
 * upstream does for TCP, UDP and TLS; the condition says how much that is. An HTTPRoute has several
 * rules, and its messages say which. Checks in upstream's order: group, kind, namespace, port,
 * existence, the Backend itself.
 */
#include <string.h>

#include "manifest/acts.h"
#include "model/l7.h"

#define BAD_GROUP                                                                                  \
	"Group is invalid, only the core API group (specified by omitting the group field or "     \
	"setting it to an empty string), multicluster.x-k8s.io and gateway.envoyproxy.io are "     \
	"supported"
#define BAD_KIND                                                                                   \
	"Kind is invalid, only Service, MCS ServiceImport and Envoy Gateway Backend are supported"
#define NO_PORT "A valid port number corresponding to a port on the Service must be specified"

/* A backendRef with its defaults. */
struct wanted {
	const struct node *node;
	const char *group, *kind, *namespace, *name;
	uint32_t weight;
	size_t rule, index; /* its place in the route */
	size_t siblings;    /* backendRefs of the rule, itself included */
	uint64_t total;	    /* their weights */
};

/* What is wrong with one, and the field that says so. */
struct finding {
	const char *reason;
	const char *message;
	const char *field;
	bool of_rule; /* not of this backendRef alone */
	bool follows; /* from a mistake that was told already */
};

static struct wanted read_ref(const struct object *route, const struct node *n)
{
	return (struct wanted){
		.node = n,
		.group = node_text_at(n, "group", ""),
		.kind = node_text_at(n, "kind", "Service"),
		.namespace = node_text_at(n, "namespace", route->res.namespace),
		.name = node_text_at(n, "name", ""),
		.weight = (uint32_t)node_int_at(n, "weight", 1),
	};
}

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++) {
		if (strcmp(*words, text) == 0)
			return true;
	}
	return false;
}

/* Words of the reference alone. */
static struct finding check_words(const struct wanted *w)
{
	static const char *const groups[] = {"", "multicluster.x-k8s.io", BACKEND_GROUP, NULL};
	static const char *const known[] = {"Service", "ServiceImport", "Backend", NULL};

	if (!is_one_of(w->group, groups))
		return (struct finding){"InvalidKind", BAD_GROUP, "group", false, false};
	if (!is_one_of(w->kind, known))
		return (struct finding){"InvalidKind", BAD_KIND, "kind", false, false};
	return (struct finding){0};
}

static bool is_http(const struct object *route)
{
	return route->res.kind->id == KIND_HTTPROUTE;
}

/* Names come with requests and with SNI only, and there is one name for all of a rule. */
static struct finding check_dynamic(struct arena *a, const struct object *route,
				    const struct wanted *w)
{
	if (!is_http(route) && route->res.kind->id != KIND_TLSROUTE)
		return (struct finding){
			"UnsupportedValue",
			arena_printf(a,
				     "Backend %s/%s is of type DynamicResolver: a %s carries no "
				     "name that could be resolved",
				     w->namespace, w->name, route->res.kind->name),
			"name", false, false};
	if (w->siblings == 1)
		return (struct finding){0};
	return (struct finding){"InvalidBackendRef",
				"dynamic resolver is not supported for multiple backendRefs",
				"name", true, false};
}

static struct finding check_backend(struct arena *a, const struct object *route,
				    const struct wanted *w, const struct backend *b)
{
	if (b->refusal)
		return (struct finding){"InvalidBackendRef", b->refusal, "name", false, false};
	if (b->tls_problem.reason)
		return (struct finding){"InvalidBackendTLS", b->tls_problem.message, "name", false,
					b->tls_problem.follows};
	return b->dynamic ? check_dynamic(a, route, w) : (struct finding){0};
}

static struct finding check_ref(struct resolver *r, const struct object *route,
				const struct wanted *w, struct backend **out)
{
	const bool is_backend =
		strcmp(w->kind, "Backend") == 0 && strcmp(w->group, BACKEND_GROUP) == 0;
	struct finding f = check_words(w);

	if (f.reason)
		return f;
	if (!grants_allow(r, route, w->group, w->kind, w->namespace, w->name))
		return (struct finding){
			"RefNotPermitted",
			arena_printf(r->arena,
				     "Backend ref to %s %s/%s not permitted by any ReferenceGrant.",
				     w->kind, w->namespace, w->name),
			"namespace", false, false};
	if (strcmp(w->kind, "Service") == 0 && !node_member(w->node, "port"))
		return (struct finding){"PortNotSpecified", NO_PORT, "kind", false, false};
	*out = is_backend ? backends_find(r, route->project, w->namespace, w->name) : NULL;
	if (!*out)
		return (struct finding){"BackendNotFound",
					arena_printf(r->arena, "%s %s/%s not found", w->kind,
						     w->namespace, w->name),
					"name", false,
					names_was_refused(r, w->kind, w->namespace, w->name)};
	return check_backend(r->arena, route, w, *out);
}

static uint64_t total_weight(const struct node *list)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < node_count(list); i++)
		sum += (uint64_t)node_int_at(node_item(list, i), "weight", 1);
	return sum;
}

/* Upstream's frame around the messages of an HTTPRoute. */
static const char *frame(struct arena *a, const struct wanted *w, const struct finding *f)
{
	if (f->of_rule)
		return text_sentence(a, arena_printf(a, "failed to process route rule %zu: %s",
						     w->rule, f->message));
	return text_sentence(a,
			     arena_printf(a, "failed to process route rule %zu backendRef %zu: %s",
					  w->rule, w->index, f->message));
}

static void note(struct resolver *r, struct object *route, const struct wanted *w,
		 const struct finding *f, struct refs *out)
{
	const char *text = is_http(route) ? frame(r->arena, w, f) : f->message;

	out->weights[w->rule].invalid += w->weight;
	if (!f->follows)
		resolve_warn(r, route, member_loc(w->node, f->field), text);
	if (w->weight && !is_http(route))
		text = arena_printf(r->arena,
				    "%s (left out: its weight %u of %llu goes to the "
				    "other backendRefs)",
				    text, w->weight, (unsigned long long)w->total);
	if (!out->problem.reason)
		out->problem.reason = f->reason;
	out->problem.message = text_join(r->arena, out->problem.message, "; ", text);
}

static void take(struct resolver *r, const struct wanted *w, struct backend *b, struct refs *out)
{
	const char *left_out = NULL;

	if (w->weight == 0)
		return;
	*arena_push(r->arena, out->items, out->count) = (struct ref){b, w->weight, w->rule};
	left_out = endpoints_left_out(r, b, out->proto);
	if (b->unusable)
		left_out =
			left_out ? text_join(r->arena, b->unusable, "; ", left_out) : b->unusable;
	if (left_out)
		out->left_out = text_join(r->arena, out->left_out, "; ",
					  arena_printf(r->arena, "Backend %s/%s: %s", w->namespace,
						       w->name, left_out));
}

static void resolve_rule(struct resolver *r, struct object *route, size_t rule, struct refs *out)
{
	const struct node *rules = node_at(route->res.root, "spec.rules");
	const struct node *list = node_member(node_item(rules, rule), "backendRefs");
	const uint64_t total = total_weight(list);

	out->weights[rule].total = total;
	for (size_t i = 0; i < node_count(list); i++) {
		struct wanted w = read_ref(route, node_item(list, i));
		struct backend *b = NULL;
		struct finding f;

		w.rule = rule;
		w.index = i;
		w.siblings = node_count(list);
		w.total = total;
		f = check_ref(r, route, &w, &b);
		if (b && b->tls_policy_count)
			*arena_push(r->arena, out->covered, out->covered_count) = b;
		if (f.reason)
			note(r, route, &w, &f, out);
		else
			take(r, &w, b, out);
	}
}

struct refs *refs_resolve(struct resolver *r, struct object *route)
{
	const size_t rules = node_count(node_at(route->res.root, "spec.rules"));
	struct refs *refs = arena_alloc(r->arena, sizeof(*refs));

	refs->proto = route->res.kind->id == KIND_UDPROUTE ? IPPROTO_UDP : IPPROTO_TCP;
	refs->weights = arena_array(r->arena, rules, sizeof(*refs->weights));
	refs->idle = acts_idle(r->arena, route->res.kind, route->res.root, true);
	if (refs->idle)
		refs->idle = arena_printf(
			r->arena, "in this version these fields have no effect: %s", refs->idle);
	for (size_t i = 0; i < rules; i++)
		resolve_rule(r, route, i, refs);
	if (refs->problem.reason && refs->count == 0 && !is_http(route))
		refs->problem.message =
			text_join(r->arena, refs->problem.message, "; ",
				  "no backendRef is left, so new flows are refused");
	return refs;
}
