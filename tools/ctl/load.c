/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading what -f names, for every verb that takes manifests. All files are read before anything
 * is said or sent, so that one run shows every mistake.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "model/model.h"

const char load_filename_help[] =
	"A file, a directory, a URL, or - for standard input; may be repeated";
const char load_kustomize_help[] = "Not supported";
const char load_recursive_help[] = "Directories given with -f: also what is below them";

/* kubectl's rule: who says -n means it for everything in the files. */
static void check_namespaces(struct ctl *c, struct diags *d, const struct resources *rs)
{
	const struct resource *r;

	for (size_t i = 0; c->namespace_given && i < rs->count; i++) {
		r = &rs->items[i];
		if (r->kind->scope == SCOPE_CLUSTER || strcmp(r->namespace, c->namespace) == 0)
			continue;
		diag_add(d, r->loc,
			 "the namespace from the provided object \"%s\" does not match the "
			 "namespace \"%s\". You must pass '--namespace=%s' to perform this "
			 "operation.",
			 r->namespace, c->namespace, r->namespace);
	}
}

/* By identity, and then as they were written. */
static int compare_identity(const void *pa, const void *pb)
{
	const struct resource *a = *(const struct resource *const *)pa;
	const struct resource *b = *(const struct resource *const *)pb;
	int order = strcmp(a->name, b->name);

	if (!order)
		order = strcmp(a->namespace, b->namespace);
	if (!order)
		order = (a->kind > b->kind) - (a->kind < b->kind);
	return order;
}

static int compare_written(const void *pa, const void *pb)
{
	const struct resource *a = *(const struct resource *const *)pa;
	const struct resource *b = *(const struct resource *const *)pb;
	int order = compare_identity(pa, pb);

	return order ? order : (a > b) - (a < b);
}

/* One change cannot make an object two things; the first stays in the list. */
static void refuse_twice(struct ctl *c, struct diags *d, struct resources *rs)
{
	const struct resource **sorted = arena_array(c->arena, rs->count + 1, sizeof(*sorted));
	bool *twice = arena_array(c->arena, rs->count + 1, sizeof(*twice));
	size_t kept = 0, first = 0;

	for (size_t i = 0; i < rs->count; i++)
		sorted[i] = &rs->items[i];
	qsort(sorted, rs->count, sizeof(*sorted), compare_written);
	for (size_t i = 1; i < rs->count; i++) {
		if (compare_identity(&sorted[first], &sorted[i])) {
			first = i;
			continue;
		}
		twice[sorted[i] - rs->items] = true;
		diag_add(d, sorted[i]->loc, "%s \"%s\" is given twice in namespace %s, first at %s",
			 sorted[i]->kind->name, sorted[i]->name, sorted[i]->namespace,
			 loc_text(c->arena, sorted[first]->loc));
	}
	for (size_t i = 0; i < rs->count; i++) {
		if (!twice[i])
			rs->items[kept++] = rs->items[i];
	}
	rs->count = kept;
}

int ctl_load(struct ctl *c, struct diags *d, struct resources *out)
{
	struct manifest_options opts = {
		.namespace = c->namespace,
		.recursive = args_switch(&c->args, "recursive"),
		.names_only = c->names_only,
		.unknown = c->unknown,
	};
	const char **paths;
	size_t count;

	if (c->args.word_count)
		return ctl_usage_error(c, "unexpected argument \"%s\"", c->args.words[0]);
	if (args_given(&c->args, "kustomize"))
		return ctl_error("kustomizations are not read: use kustomize build DIR | spillway "
				 "%s -f -",
				 c->verb->name);
	paths = args_texts(&c->args, "filename", &count);
	if (!count)
		return ctl_usage_error(c, "must specify one of -f and -k");
	for (size_t i = 0; i < count; i++) {
		if (ctl_is_url(paths[i]))
			ctl_load_url(c, d, paths[i], &opts, out);
		else
			(void)manifest_read_path(c->arena, d, paths[i], &opts, out);
	}
	check_namespaces(c, d, out);
	refuse_twice(c, d, out);
	if (!out->count && !d->count)
		diag_add(d,
			 (struct loc){.file = strcmp(paths[0], "-") == 0 ? "STDIN" : paths[0],
				      .line = 1,
				      .column = 1},
			 "error: no objects passed to %s",
			 strcmp(c->verb->name, "create") == 0 ? "create" : "apply");
	return 0;
}

struct model *ctl_resolve(struct ctl *c, const struct resources *rs,
			  const struct model_options *opts, struct diags *d)
{
	struct object *objects = arena_array(c->arena, rs->count + 1, sizeof(*objects));
	struct model_options with_refused = *opts;

	for (size_t i = 0; i < rs->count; i++)
		objects[i] = (struct object){.res = rs->items[i], .project = c->project};
	with_refused.refused = rs->refused;
	with_refused.refused_count = rs->refused_count;
	return model_resolve(c->arena, objects, rs->count, &with_refused, d);
}

/* A diagnostic with what its order depends on. */
struct ranked {
	struct diag diag;
	size_t file;  /* rank of its file */
	size_t index; /* as it was found */
};

static int compare_ranked(const void *pa, const void *pb)
{
	const struct ranked *a = pa, *b = pb;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->diag.loc.line != b->diag.loc.line)
		return a->diag.loc.line < b->diag.loc.line ? -1 : 1;
	if (a->diag.loc.column != b->diag.loc.column)
		return a->diag.loc.column < b->diag.loc.column ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static bool same_file(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

void ctl_sort_diags(struct diags *d)
{
	struct ranked *ranked = arena_array(d->arena, d->count, sizeof(*ranked));
	size_t first;

	for (size_t i = 0; i < d->count; i++) {
		first = i ? i - 1 : 0;
		while (first && !same_file(d->items[first].loc.file, d->items[i].loc.file))
			first--;
		ranked[i] = (struct ranked){d->items[i], i, i};
		if (same_file(d->items[first].loc.file, d->items[i].loc.file))
			ranked[i].file = ranked[first].file;
	}
	qsort(ranked, d->count, sizeof(*ranked), compare_ranked);
	for (size_t i = 0; i < d->count; i++)
		d->items[i] = ranked[i].diag;
}

const char *ctl_object_title(struct arena *a, const struct kind *kind, const char *name)
{
	return arena_printf(a, "%s%s%s/%s", kind->singular, *kind->group ? "." : "", kind->group,
			    name);
}
