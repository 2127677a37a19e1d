/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measured first, then copied: nodes in front, where they are aligned, then the lists of pointers to
 * them, then texts. An arena would round each of these up, and could be shared only as a whole.
 */
#include "manifest/frozen.h"

#include <stdlib.h>
#include <string.h>

struct frozen {
	size_t holders;
	struct node nodes[];
};

struct room {
	size_t nodes, pointers, bytes;
};

/* Where the next one of each goes. */
struct cursor {
	struct node *node;
	struct node **pointer;
	char *text;
};

static void measure(const struct node *n, struct room *room)
{
	room->nodes++;
	if (n->key)
		room->bytes += strlen(n->key) + 1;
	if (n->type == NODE_STRING)
		room->bytes += n->text_len + 1;
	room->pointers += node_count(n);
	for (size_t i = 0; i < node_count(n); i++)
		measure(n->items[i], room);
}

static const char *put_text(struct cursor *c, const char *text, size_t len)
{
	char *at = c->text;

	memcpy(at, text, len);
	at[len] = '\0';
	c->text += len + 1;
	return at;
}

static struct node *put(struct cursor *c, const struct node *n)
{
	struct node *copy = c->node++;
	const size_t count = node_count(n);

	*copy = *n;
	if (n->key)
		copy->key = put_text(c, n->key, strlen(n->key));
	if (n->type == NODE_STRING)
		copy->text = put_text(c, n->text, n->text_len);
	copy->items = count ? c->pointer : NULL;
	copy->count = count;
	c->pointer += count;
	for (size_t i = 0; i < count; i++)
		copy->items[i] = put(c, n->items[i]);
	return copy;
}

struct frozen *frozen_new(const struct node *root)
{
	struct room room = {0};
	struct cursor c;
	struct frozen *f;

	measure(root, &room);
	f = malloc(sizeof(*f) + room.nodes * sizeof(struct node) +
		   room.pointers * sizeof(struct node *) + room.bytes);
	if (!f)
		abort();
	f->holders = 1;
	c.node = f->nodes;
	c.pointer = (struct node **)(f->nodes + room.nodes);
	c.text = (char *)(c.pointer + room.pointers);
	(void)put(&c, root);
	return f;
}

struct node *frozen_root(struct frozen *f)
{
	return &f->nodes[0];
}

struct frozen *frozen_share(struct frozen *f)
{
	if (f)
		f->holders++;
	return f;
}

void frozen_release(struct frozen *f)
{
	if (f && --f->holders == 0)
		free(f);
}
