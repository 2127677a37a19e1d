/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Networks become ordered ranges that do not touch, ranges their bounds, and bounds trees. Equal sets
 * of addresses become equal bytes, so that whoever compares contents finds that nothing has changed.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/network.h"

__extension__ typedef unsigned __int128 wide;

struct range {
	wide from, to; /* both in it */
};

/* What differs between the three trees. */
struct shape {
	unsigned int bits; /* of an address there */
	unsigned int keys; /* of a node */
};

static const struct shape shapes[SPW_LIST_TREES] = {
	[SPW_LIST_IPV4] = {32, SPW_LIST_KEYS32},
	[SPW_LIST_IPV6] = {64, SPW_LIST_KEYS64},
	[SPW_LIST_LONG] = {128, SPW_LIST_KEYS128},
};

struct builder {
	struct arena *arena;
	struct spw_list_line *lines;
	uint32_t count, room;
};

/* Nodes of one level: the greatest key below each. */
struct level {
	wide *greatest;
	size_t count;
	wide *keys; /* by node and place */
};

static wide greatest_of(enum spw_list_tree tree)
{
	return ~(wide)0 >> (128 - shapes[tree].bits);
}

static wide number_of(const struct spw_addr *a)
{
	wide n = 0;

	for (int i = 0; i < 4; i++)
		n = n << 32 | ntohl(a->w[i]);
	return n;
}

static enum spw_list_tree tree_of(const struct network *n)
{
	if (addr_is_v4(&n->addr))
		return SPW_LIST_IPV4;
	return n->bits <= 64 ? SPW_LIST_IPV6 : SPW_LIST_LONG;
}

/* The part of the number that the tree is about: IPv4 the last bits, the others the first. */
static wide part_of(enum spw_list_tree tree, wide number)
{
	if (tree == SPW_LIST_IPV4)
		return number & greatest_of(tree);
	return number >> (128 - shapes[tree].bits);
}

static struct range range_of(enum spw_list_tree tree, const struct network *n)
{
	const wide below = n->bits == 0 ? ~(wide)0 : ((wide)1 << (128 - n->bits)) - 1;
	const wide number = number_of(&n->addr) & ~below;

	return (struct range){part_of(tree, number), part_of(tree, number | below)};
}

static int compare_ranges(const void *va, const void *vb)
{
	const struct range *a = va, *b = vb;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->to < b->to ? -1 : a->to > b->to;
}

/* Those of one tree, in order, joined where they overlap or touch. malloc()ed. */
static struct range *find_ranges(const struct networks *list, enum spw_list_tree tree,
				 size_t *count)
{
	struct range *r = malloc((list->count + 1) * sizeof(*r));
	size_t n = 0, kept = 0;

	if (!r)
		abort();
	for (size_t i = 0; i < list->count; i++) {
		if (tree_of(&list->items[i]) == tree)
			r[n++] = range_of(tree, &list->items[i]);
	}
	if (n > 1)
		qsort(r, n, sizeof(*r), compare_ranges);
	for (size_t i = 0; i < n; i++) {
		if (kept &&
		    (r[kept - 1].to == greatest_of(tree) || r[i].from <= r[kept - 1].to + 1)) {
			if (r[i].to > r[kept - 1].to)
				r[kept - 1].to = r[i].to;
			continue;
		}
		r[kept++] = r[i];
	}
	*count = kept;
	return r;
}

/* Addresses behind which "in" and "out" change places. malloc()ed. */
static wide *find_bounds(const struct networks *list, enum spw_list_tree tree, size_t *count,
			 bool *inside)
{
	size_t range_count, n = 0;
	struct range *ranges = find_ranges(list, tree, &range_count);
	wide *bounds = malloc((2 * range_count + 1) * sizeof(*bounds));

	if (!bounds)
		abort();
	*inside = range_count && ranges[0].from == 0;
	for (size_t i = 0; i < range_count; i++) {
		if (ranges[i].from > 0)
			bounds[n++] = ranges[i].from - 1;
		if (ranges[i].to < greatest_of(tree))
			bounds[n++] = ranges[i].to;
	}
	free(ranges);
	*count = n;
	return bounds;
}

static void level_alloc(struct level *l, size_t nodes, unsigned int keys)
{
	l->count = nodes;
	l->greatest = malloc(nodes * sizeof(wide));
	l->keys = malloc(nodes * keys * sizeof(wide));
	if (!l->greatest || !l->keys)
		abort();
}

/* `per` items of those below go to a node; the last one's key is left out where it has a child. */
static void fill_level(struct level *l, const wide *below, size_t count, enum spw_list_tree tree,
		       unsigned int per)
{
	const unsigned int keys = shapes[tree].keys;

	level_alloc(l, (count + per - 1) / per, keys);
	for (size_t node = 0; node < l->count; node++) {
		const size_t first = node * per;
		const size_t here = count - first < per ? count - first : per;

		for (unsigned int k = 0; k < keys; k++)
			l->keys[node * keys + k] =
				k < here - (per > keys) ? below[first + k] : greatest_of(tree);
		l->greatest[node] = below[first + here - 1];
	}
}

static struct spw_list_line *add_lines(struct builder *b, size_t count)
{
	struct spw_list_line *all;

	if (b->count + count > b->room) {
		b->room = (uint32_t)(2 * (b->count + count));
		all = arena_array(b->arena, b->room, sizeof(*all));
		if (b->count)
			memcpy(all, b->lines, b->count * sizeof(*all));
		b->lines = all;
	}
	b->count += (uint32_t)count;
	return &b->lines[b->count - count];
}

static void put_key(struct spw_list_line *line, enum spw_list_tree tree, unsigned int at, wide key)
{
	switch (tree) {
	case SPW_LIST_IPV4:
		line->key32[at] = (uint32_t)key;
		return;
	case SPW_LIST_IPV6:
		line->key64[at] = (uint64_t)key;
		return;
	case SPW_LIST_LONG:
		line->key128.high[at] = (uint64_t)(key >> 64);
		line->key128.low[at] = (uint64_t)key;
		return;
	case SPW_LIST_TREES:
		break;
	}
}

static void add_level(struct builder *b, enum spw_list_tree tree, const struct level *l)
{
	const unsigned int keys = shapes[tree].keys;
	struct spw_list_line *lines = add_lines(b, l->count);

	for (size_t node = 0; node < l->count; node++) {
		for (unsigned int k = 0; k < keys; k++)
			put_key(&lines[node], tree, k, l->keys[node * keys + k]);
	}
}

static void add_tree(struct builder *b, const struct networks *list, enum spw_list_tree tree)
{
	struct level levels[SPW_LIST_LEVELS];
	const unsigned int keys = shapes[tree].keys;
	size_t count, n = 0;
	bool inside;
	wide *bounds = find_bounds(list, tree, &count, &inside);

	if (count)
		fill_level(&levels[n++], bounds, count, tree, keys);
	while (n && levels[n - 1].count > 1 && n < SPW_LIST_LEVELS) {
		fill_level(&levels[n], levels[n - 1].greatest, levels[n - 1].count, tree, keys + 1);
		n++;
	}
	b->lines[tree].head.inside = inside;
	b->lines[tree].head.levels = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		b->lines[tree].head.first[i] = b->count;
		add_level(b, tree, &levels[n - 1 - i]);
	}
	for (size_t i = 0; i < n; i++) {
		free(levels[i].greatest);
		free(levels[i].keys);
	}
	free(bounds);
}

void netlist_build(struct arena *a, const struct networks *list, struct netlist *out)
{
	struct builder b = {.arena = a};

	(void)add_lines(&b, SPW_LIST_TREES);
	for (unsigned int tree = 0; tree < SPW_LIST_TREES; tree++)
		add_tree(&b, list, (enum spw_list_tree)tree);
	*out = (struct netlist){
		.lines = b.lines,
		.count = b.count,
		.networks = list->count,
	};
}

static wide key_of(const struct spw_list_line *l, enum spw_list_tree tree, unsigned int at)
{
	switch (tree) {
	case SPW_LIST_IPV4:
		return l->key32[at];
	case SPW_LIST_IPV6:
		return l->key64[at];
	case SPW_LIST_LONG:
		return (wide)l->key128.high[at] << 64 | l->key128.low[at];
	case SPW_LIST_TREES:
		break;
	}
	return 0;
}

static bool tree_has(const struct netlist *list, enum spw_list_tree tree, wide key)
{
	const struct spw_list_head *head = &list->lines[tree].head;
	uint32_t node = 0, n = 0;

	for (uint32_t level = 0; level < head->levels; level++) {
		const struct spw_list_line *l;

		node = node * (shapes[tree].keys + 1) + n;
		l = &list->lines[head->first[level] + node];
		for (n = 0; n < shapes[tree].keys && key_of(l, tree, n) < key;)
			n++;
	}
	return (head->inside ^ node ^ n) & 1;
}

bool netlist_has(const struct netlist *list, const struct spw_addr *addr)
{
	const wide number = number_of(addr);

	if (addr_is_v4(addr))
		return tree_has(list, SPW_LIST_IPV4, part_of(SPW_LIST_IPV4, number));
	return tree_has(list, SPW_LIST_IPV6, part_of(SPW_LIST_IPV6, number)) ||
	       tree_has(list, SPW_LIST_LONG, number);
}
