/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects are shown without status, which is not the user's to change. Values of Secrets stay in the
 * daemon, yet it must be seen that one differs: kubectl's marks say so, here as there.
 */
#include "control/change_show.h"

#include <string.h>

#define MASK	    "***"
#define MASK_BEFORE "*** (before)"
#define MASK_AFTER  "*** (after)"

static void mask(struct node *n, const char *text)
{
	n->type = NODE_STRING;
	n->text = text;
	n->text_len = strlen(text);
}

/* `shown` are the maps of the answer, `real` the values themselves; either may be NULL. */
static void mask_values(struct node *shown, const struct node *mine, const struct node *theirs,
			const char *when_other)
{
	for (size_t i = 0; i < node_count(shown); i++) {
		struct node *n = shown->items[i];
		const struct node *a = node_member(mine, n->key), *b = node_member(theirs, n->key);

		mask(n, a && b && !node_equal(a, b) ? when_other : MASK);
	}
}

static const struct node *data_of(const struct object *o)
{
	return o ? node_member(o->res.root, "data") : NULL;
}

static void mask_secret(struct change_outcome *out, const struct object *before,
			const struct object *after)
{
	mask_values(node_member(out->before, "data"), data_of(before), data_of(after), MASK_BEFORE);
	mask_values(node_member(out->after, "data"), data_of(after), data_of(before), MASK_AFTER);
}

static void show(struct change *c, struct generation *g, size_t i)
{
	const struct change_item *it = &c->items[i];
	struct change_outcome *out = &c->out->outcomes[i];
	const struct object *after = it->remove ? NULL : generation_find(g, &it->key);

	if (after)
		out->after = object_render(c->answer, after, NULL, NULL);
	if (it->old && c->req->show == SHOW_BOTH)
		out->before = object_render(c->answer, it->old, NULL, NULL);
	if (c->req->show == SHOW_BOTH && it->key.kind->id == KIND_SECRET)
		mask_secret(out, it->old, after);
}

void change_show(struct change *c, struct generation *g)
{
	for (size_t i = 0; c->req->show != SHOW_NOTHING && i < c->count; i++)
		show(c, g, i);
}
