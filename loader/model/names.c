/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects by name and by age. Both orders are total, so what was given in which order is lost. */
#include <stdlib.h>
#include <string.h>

#include "model/resolver.h"

static int compare_names(const struct object *a, const struct object *b)
{
	int order = strcmp(a->res.namespace, b->res.namespace);

	if (!order)
		order = strcmp(a->res.name, b->res.name);
	return order;
}

static int by_name(const void *va, const void *vb)
{
	const struct object *a = *(struct object *const *)va, *b = *(struct object *const *)vb;
	int order = (int)a->res.kind->id - (int)b->res.kind->id;

	if (!order)
		order = strcmp(a->project, b->project);
	return order ? order : compare_names(a, b);
}

static int by_age(const void *va, const void *vb)
{
	const struct object *a = *(struct object *const *)va, *b = *(struct object *const *)vb;
	int order = (int)a->res.kind->id - (int)b->res.kind->id;

	if (order)
		return order;
	return names_is_older(a, b) ? -1 : names_is_older(b, a);
}

bool names_is_older(const struct object *a, const struct object *b)
{
	int order;

	if (a->created_s != b->created_s)
		return a->created_s < b->created_s;
	order = compare_names(a, b);
	return order ? order < 0 : strcmp(a->project, b->project) < 0;
}

void names_sort(struct resolver *r)
{
	const size_t n = r->model->object_count;

	r->by_name = arena_array(r->arena, n, sizeof(struct object *));
	r->by_age = arena_array(r->arena, n, sizeof(struct object *));
	for (size_t i = 0; i < n; i++)
		r->by_name[i] = r->by_age[i] = &r->model->objects[i];
	if (n < 2)
		return;
	qsort(r->by_name, n, sizeof(struct object *), by_name);
	qsort(r->by_age, n, sizeof(struct object *), by_age);
}

struct object *names_find(const struct resolver *r, enum kind_id kind, const char *project,
			  const char *namespace, const char *name)
{
	const struct kind k = {.id = kind};
	const struct object key = {
		.res = {.kind = &k, .namespace = namespace, .name = name},
		.project = project,
	};
	const struct object *p = &key;
	struct object **found;

	if (r->model->object_count == 0)
		return NULL;
	found = bsearch(&p, r->by_name, r->model->object_count, sizeof(struct object *), by_name);
	return found ? *found : NULL;
}

struct object **names_of_kind(const struct resolver *r, struct object **list, enum kind_id kind,
			      size_t *count)
{
	size_t first = 0, last;

	while (first < r->model->object_count && list[first]->res.kind->id < kind)
		first++;
	last = first;
	while (last < r->model->object_count && list[last]->res.kind->id == kind)
		last++;
	*count = last - first;
	return list + first;
}

bool names_was_refused(const struct resolver *r, const char *kind, const char *namespace,
		       const char *name)
{
	const struct refused_key *k;

	for (size_t i = 0; i < r->opts->refused_count; i++) {
		k = &r->opts->refused[i];
		if (strcmp(k->kind, kind) == 0 && strcmp(k->name, name) == 0 &&
		    strcmp(k->namespace, namespace) == 0)
			return true;
	}
	return false;
}
