/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may open flows of a route, and how many a second. Lists are made once for each text, however many
 * listeners and routes have it. What cannot be had of an allowed list leaves fewer that are allowed, at
 * worst nobody: a list that is gone must not open what it closed. Of a denied list the rest holds.
 */
#include <string.h>

#include "base/network.h"
#include "manifest/annotations.h"
#include "model/resolver.h"

/* A list's two annotations, and what came of them. */
struct source_text {
	const char *project, *namespace;
	const char *networks, *from; /* NULL: not there */
	const struct netlist *list;
	struct problem problem;
	const char **warnings; /* the problem's parts */
	size_t warning_count;
};

struct reading {
	struct resolver *r;
	struct source_text *text;
	struct networks networks;
};

static void complain(struct reading *g, const char *reason, const char *message)
{
	*arena_push(g->r->arena, g->text->warnings, g->text->warning_count) = message;
	if (!g->text->problem.reason)
		g->text->problem.reason = reason;
	g->text->problem.message = text_join(g->r->arena, g->text->problem.message, "; ", message);
}

static void read_value(struct reading *g, const char *name, const struct node *value)
{
	struct network_slip slip;
	const size_t wrong =
		networks_add_text(g->r->arena, &g->networks, value->text, value->text_len, &slip);

	if (wrong)
		complain(
			g, "InvalidNetwork",
			arena_printf(g->r->arena,
				     "ConfigMap %s: data[%s]: line %u: \"%.*s\" is no network; %zu "
				     "of that kind are left out",
				     name, value->key, slip.line, (int)slip.len, slip.text, wrong));
}

static void read_map(struct reading *g, const char *name)
{
	const struct object *o =
		names_find(g->r, KIND_CONFIGMAP, g->text->project, g->text->namespace, name);
	const struct node *data = o ? node_member(o->res.root, "data") : NULL;

	if (!o)
		complain(g, "ConfigMapNotFound",
			 arena_printf(g->r->arena, "ConfigMap %s/%s of a list of sources not found",
				      g->text->namespace, name));
	for (size_t i = 0; i < node_count(data); i++)
		read_value(g, name, data->items[i]);
}

static void read_maps(struct reading *g, const char *names)
{
	static const char separators[] = ", ";

	for (const char *p = names + strspn(names, separators); *p;) {
		const size_t len = strcspn(p, separators);

		read_map(g, arena_strndup(g->r->arena, p, len));
		p += len;
		p += strspn(p, separators);
	}
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static const struct source_text *find_text(const struct resolver *r, const struct source_text *t)
{
	for (size_t i = 0; i < r->source_text_count; i++) {
		const struct source_text *have = &r->source_texts[i];

		if (is_same(have->project, t->project) && is_same(have->namespace, t->namespace) &&
		    is_same(have->networks, t->networks) && is_same(have->from, t->from))
			return have;
	}
	return NULL;
}

static void read_text(struct reading *g)
{
	struct source_text *t = g->text;
	struct netlist *list = arena_alloc(g->r->arena, sizeof(*list));
	struct network_slip slip;

	if (t->networks)
		(void)networks_add_text(g->r->arena, &g->networks, t->networks, strlen(t->networks),
					&slip); /* right, or the route would not be here */
	if (t->from)
		read_maps(g, t->from);
	netlist_build(g->r->arena, &g->networks, list);
	t->list = list;
	*arena_push(g->r->arena, g->r->source_texts, g->r->source_text_count) = *t;
}

/* Once for each route: which others have the same list is nothing that a change of its own changes. */
static void tell(struct resolver *r, const struct draft *d, const struct source_text *t,
		 struct loc loc)
{
	struct problem *sum = &d->refs->sources;

	if (!t->problem.reason || (sum->reason && strstr(sum->message, t->problem.message)))
		return;
	for (size_t i = 0; i < t->warning_count; i++)
		resolve_warn(r, d->route, loc, t->warnings[i]);
	if (!sum->reason)
		*sum = t->problem;
	else
		sum->message = text_join(r->arena, sum->message, "; ", t->problem.message);
}

static const struct netlist *read_list(struct resolver *r, const struct draft *d,
				       const char *networks, const char *from)
{
	const struct node *root = d->route->res.root;
	struct source_text t = {
		.project = d->route->project,
		.namespace = d->route->res.namespace,
		.networks = annotation_value(root, networks),
		.from = annotation_value(root, from),
	};
	const struct source_text *known = find_text(r, &t);
	struct reading g = {.r = r, .text = &t};

	if (!t.networks && !t.from)
		return NULL;
	if (known)
		t = *known;
	else
		read_text(&g);
	tell(r, d, &t, member_loc(node_at(root, "metadata.annotations"), from));
	return t.list;
}

/* Without a word of its own a bucket holds what comes in a second; without a rate there is none. */
static void read_limit(struct resolver *r, const struct draft *d, const char *rate,
		       const char *burst, uint32_t out[2])
{
	const struct node *root = d->route->res.root;
	const uint32_t most = annotation_count(root, burst);
	const char *text;

	out[0] = annotation_count(root, rate);
	out[1] = out[0] && most ? most : out[0];
	if (!most || out[0])
		return;
	text = arena_printf(r->arena, "%s has no effect without %s", burst, rate);
	if (!d->refs->idle || !strstr(d->refs->idle, text))
		d->refs->idle = text_join(r->arena, d->refs->idle, "; ", text);
}

void guard_read(struct resolver *r, const struct draft *d, struct guard *out)
{
	uint32_t all[2], each[2];

	read_limit(r, d, ANNOTATION_NEW_FLOWS, ANNOTATION_NEW_FLOWS_BURST, all);
	read_limit(r, d, ANNOTATION_SOURCE_FLOWS, ANNOTATION_SOURCE_FLOWS_BURST, each);
	*out = (struct guard){
		.allow = read_list(r, d, ANNOTATION_ALLOW_SOURCES, ANNOTATION_ALLOW_SOURCES_FROM),
		.deny = read_list(r, d, ANNOTATION_DENY_SOURCES, ANNOTATION_DENY_SOURCES_FROM),
		.rate = all[0],
		.burst = all[1],
		.source_rate = each[0],
		.source_burst = each[1],
	};
}
