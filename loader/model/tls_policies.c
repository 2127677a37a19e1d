/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BackendTLSPolicies: which endpoints they cover, and what they found. A section is a port of
 * endpoints and wins over the whole Backend; of two on one target the older has it. A mistake in
 * their certificates is told where it matters, at the route that needs them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/resolver.h"

static const char *const *read_names(struct arena *a, const struct node *list)
{
	const char **names =
		node_count(list) ? arena_array(a, node_count(list) + 1, sizeof(*names)) : NULL;

	for (size_t i = 0; i < node_count(list); i++) {
		const struct node *n = node_item(list, i);

		names[i] = node_text_at(n, "hostname", node_text_at(n, "uri", ""));
	}
	return names;
}

static void read_validation(struct resolver *r, struct tls_policy *p)
{
	const struct node *v = node_at(p->object->res.root, "spec.validation");
	const struct node *refs = node_member(v, "caCertificateRefs");

	p->hostname = node_text_at(v, "hostname", "");
	p->names = read_names(r->arena, node_member(v, "subjectAltNames"));
	if (node_count(refs))
		p->ca_pem = certs_authorities(r, p->object, refs, &p->problem);
	else if (strcmp(node_text_at(v, "wellKnownCACertificates", ""), "System") != 0)
		p->problem = (struct cert_problem){.reason = "Invalid", .message = NO_AUTHORITIES};
}

static bool is_backend(const struct node *ref)
{
	return strcmp(node_text_at(ref, "kind", ""), "Backend") == 0 &&
	       strcmp(node_text_at(ref, "group", ""), BACKEND_GROUP) == 0;
}

static void missing(struct resolver *r, struct tls_policy *p, const char *text)
{
	p->missing = text_join(r->arena, p->missing, "; ", text);
}

static void read_targets(struct resolver *r, struct tls_policy *p)
{
	const struct object *o = p->object;
	const struct node *refs = node_at(o->res.root, "spec.targetRefs");

	for (size_t i = 0; i < node_count(refs); i++) {
		const struct node *ref = node_item(refs, i);
		const char *name = node_text_at(ref, "name", "");

		if (!is_backend(ref)) {
			missing(r, p,
				arena_printf(r->arena, "this version has no %s",
					     node_text_at(ref, "kind", "")));
			continue;
		}
		if (!names_find(r, KIND_BACKEND, o->project, o->res.namespace, name))
			missing(r, p,
				arena_printf(r->arena, "Backend %s/%s not found", o->res.namespace,
					     name));
		*arena_push(r->arena, r->tls_targets, r->tls_target_count) = (struct tls_target){
			.policy = p,
			.node = ref,
			.name = name,
			.section = node_text_at(ref, "sectionName", ""),
		};
	}
}

static int compare_keys(const struct tls_target *a, const struct tls_target *b)
{
	const struct object *x = a->policy->object, *y = b->policy->object;
	int order = strcmp(x->project, y->project);

	if (!order)
		order = strcmp(x->res.namespace, y->res.namespace);
	if (!order)
		order = strcmp(a->name, b->name);
	return order ? order : strcmp(a->section, b->section);
}

/* Policies are in order of age. */
static int compare_targets(const void *va, const void *vb)
{
	const struct tls_target *a = va, *b = vb;
	int order = compare_keys(a, b);

	return order ? order : (a->policy > b->policy) - (a->policy < b->policy);
}

/* The first of each key stays. */
static void settle(struct resolver *r)
{
	size_t kept = 0;

	if (r->tls_target_count > 1)
		qsort(r->tls_targets, r->tls_target_count, sizeof(*r->tls_targets),
		      compare_targets);
	for (size_t i = 0; i < r->tls_target_count; i++) {
		struct tls_target *t = &r->tls_targets[i];
		const struct tls_target *first = kept ? &r->tls_targets[kept - 1] : NULL;

		if (!first || compare_keys(first, t) != 0) {
			r->tls_targets[kept++] = *t;
			continue;
		}
		if (t->policy->winner)
			continue;
		t->policy->winner = first->policy->object;
		t->policy->contested = t->node;
	}
	r->tls_target_count = kept;
}

static void report(struct resolver *r, struct tls_policy *p)
{
	struct object *o = p->object;
	const struct cert_problem *bad = &p->problem;
	const char *text = bad->reason ? text_sentence(r->arena, bad->message) : NULL;

	o->accepted = !bad->reason && !p->winner && !p->missing;
	if (p->winner) {
		text = arena_printf(r->arena, "Policy conflicts with BackendTLSPolicy %s/%s.",
				    p->winner->res.namespace, p->winner->res.name);
		resolve_warn(r, o, member_loc(p->contested, "name"), text);
		condition_plain(r, o, "Accepted", false, "Conflicted", text);
	} else if (bad->reason) {
		condition_plain(r, o, "Accepted", false,
				strcmp(bad->reason, "Invalid") == 0 ? "Invalid"
								    : "NoValidCACertificate",
				text);
	} else if (p->missing) {
		condition_plain(r, o, "Accepted", false, "TargetNotFound", p->missing);
	} else {
		condition_plain(r, o, "Accepted", true, "Accepted", "Policy has been accepted.");
		if (node_count(node_at(o->res.root, "spec.options")))
			condition_plain(r, o, "Programmed", false, "FieldsWithoutEffect",
					"in this version these fields have no effect: "
					"spec.options");
	}
	if (!bad->reason)
		condition_plain(r, o, "ResolvedRefs", true, "ResolvedRefs",
				"Resolved all the Object references.");
	else if (strcmp(bad->reason, "Invalid") != 0)
		condition_plain(r, o, "ResolvedRefs", false, bad->reason,
				text_sentence(r->arena, bad->message));
}

void tls_policies_read(struct resolver *r)
{
	size_t count;
	struct object **list = names_of_kind(r, r->by_age, KIND_BACKENDTLSPOLICY, &count);
	struct tls_policy *all = arena_array(r->arena, count, sizeof(*all));

	for (size_t i = 0; i < count; i++) {
		all[i].object = list[i];
		read_validation(r, &all[i]);
		read_targets(r, &all[i]);
	}
	settle(r);
	for (size_t i = 0; i < count; i++)
		report(r, &all[i]);
}

static int compare_wanted(const void *key, const void *item)
{
	return compare_keys(key, item);
}

static const struct tls_policy *find(const struct resolver *r, struct object *backend,
				     const char *section)
{
	struct tls_policy like = {.object = backend};
	const struct tls_target key = {
		.policy = &like, .name = backend->res.name, .section = section};
	const struct tls_target *t;

	if (r->tls_target_count == 0)
		return NULL;
	t = bsearch(&key, r->tls_targets, r->tls_target_count, sizeof(*r->tls_targets),
		    compare_wanted);
	return t ? t->policy : NULL;
}

const struct tls_policy *tls_policies_find(const struct resolver *r, struct object *backend,
					   uint16_t port)
{
	const struct tls_policy *p = NULL;
	char section[8];

	(void)snprintf(section, sizeof(section), "%u", port);
	if (port)
		p = find(r, backend, section);
	return p ? p : find(r, backend, "");
}

bool tls_policies_cover(const struct resolver *r, struct object *backend)
{
	const struct node *list = node_at(backend->res.root, "spec.endpoints");
	size_t ports = 0;

	if (find(r, backend, ""))
		return true;
	for (size_t i = 0; i < node_count(list); i++) {
		const struct node *e = node_item(list, i);
		const int64_t port = node_int_at(e, "ip.port", node_int_at(e, "fqdn.port", 0));

		ports++;
		if (port == 0 || !tls_policies_find(r, backend, (uint16_t)port))
			return false;
	}
	return ports > 0;
}
