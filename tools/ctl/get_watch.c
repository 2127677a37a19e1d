/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A watch compares whole objects between two looks at the list, not resource versions: conditions
 * also change without a write, when an address or an endpoint's reach does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/follow.h"
#include "ctl/get.h"

#define POLL_MS 400

/* What one look saw, by namespace and name. */
struct look {
	struct arena *arena; /* owned */
	struct found_list list;
};

struct watch {
	struct get *g;
	struct follow follow;
	struct get_stream stream;
	const char *path;
	struct look before;
};

static int compare_found(const struct found *x, const struct found *y)
{
	int order = strcmp(node_text_at(x->object, "metadata.namespace", ""),
			   node_text_at(y->object, "metadata.namespace", ""));

	return order ? order
		     : strcmp(node_text_at(x->object, "metadata.name", ""),
			      node_text_at(y->object, "metadata.name", ""));
}

static int compare(const void *a, const void *b)
{
	return compare_found(a, b);
}

static bool is_wanted(const struct get *g, struct node *object)
{
	const char *name = g->targets.items[0].name;

	if (name && strcmp(node_text_at(object, "metadata.name", ""), name) != 0)
		return false;
	return object_selector_matches(&g->selector, object);
}

/* -EAGAIN: the daemon is away. */
static int look(struct watch *w, struct look *out)
{
	const struct target *t = &w->g->targets.items[0];
	struct node *answer, *items;
	int err;

	err = follow_get(&w->follow, out->arena, w->path, &answer);
	if (err)
		return err;
	items = node_member(answer, "items");
	for (size_t i = 0; i < node_count(items); i++) {
		if (!is_wanted(w->g, node_item(items, i)))
			continue;
		*arena_push(out->arena, out->list.items, out->list.count) = (struct found){
			t->kind, target_complete(out->arena, t->kind, node_item(items, i))};
	}
	if (out->list.count)
		qsort(out->list.items, out->list.count, sizeof(struct found), compare);
	return 0;
}

/* Those that are new, other or gone since; of the latter what they were. */
static struct found_list changes(struct arena *a, const struct found_list *old,
				 const struct found_list *new)
{
	struct found_list out = {0};
	size_t i = 0, k = 0;
	int order;

	while (i < old->count || k < new->count) {
		if (i == old->count || k == new->count)
			order = i == old->count ? 1 : -1;
		else
			order = compare_found(&old->items[i], &new->items[k]);
		if (order < 0)
			*arena_push(a, out.items, out.count) = old->items[i++];
		else if (order > 0)
			*arena_push(a, out.items, out.count) = new->items[k++];
		else if (node_equal(old->items[i++].object, new->items[k++].object))
			continue;
		else
			*arena_push(a, out.items, out.count) = new->items[k - 1];
	}
	return out;
}

static int print(struct watch *w, struct arena *a, const struct found_list *list)
{
	int code = get_print_more(w->g, &w->stream, a, list);

	return fflush(stdout) || ferror(stdout) ? 1 : code;
}

static int look_again(struct watch *w)
{
	struct look now = {.arena = arena_new()};
	struct found_list list;
	int err, code = 0;

	if (!now.arena)
		return ctl_error("out of memory");
	err = look(w, &now);
	if (!err) {
		list = changes(now.arena, &w->before.list, &now.list);
		code = print(w, now.arena, &list);
		arena_free(w->before.arena);
		w->before = now;
		return code;
	}
	arena_free(now.arena);
	return err == -EAGAIN ? 0 : 1;
}

static int first_look(struct watch *w)
{
	const struct target *t = &w->g->targets.items[0];
	const struct ctl *c = w->g->c;

	w->before.arena = arena_new();
	if (!w->before.arena)
		return ctl_error("out of memory");
	if (look(w, &w->before))
		return 1;
	if (t->name && !w->before.list.count) {
		fprintf(stderr, "Error from server (NotFound): %s \"%s\" not found\n",
			kind_resource(c->arena, t->kind), t->name);
		return 1;
	}
	return args_switch(&c->args, "watch-only") ? 0 : print(w, w->before.arena, &w->before.list);
}

int get_watch(struct get *g)
{
	struct watch w = {.g = g, .follow = {.c = g->c}};
	int code;

	if (g->targets.count != 1)
		return ctl_error("watch is only supported on individual resources and resource "
				 "collections - more than 1 resource was found");
	if (args_given(&g->c->args, "sort-by"))
		fputs("warning: --watch requested, --sort-by will be ignored\n", stderr);
	w.path = target_path(g->c, g->targets.items[0].kind, g->namespace, NULL);
	table_init(&w.stream.seen, g->c->arena);
	follow_begin();
	code = first_look(&w);
	while (!code && follow_wait(POLL_MS))
		code = look_again(&w);
	arena_free(w.before.arena);
	return code;
}
