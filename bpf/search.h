/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds keys that are not in the line that their hash prefers, and lines for new ones. These are
 * global functions: the verifier walks each once, and not on every path that leads there.
 */
#ifndef SPILLWAY_BPF_SEARCH_H
#define SPILLWAY_BPF_SEARCH_H

#include "change.h"

static inline __u32 search_tags(const struct spw_flow_key *key, __u16 tag, __u32 set, __u32 v6)
{
	const struct spw_flow_head *h = lines_head(v6, set);
	__u32 way;

	if (!h)
		return TABLE_NONE;
	for (way = 1; way < SPW_SET_LINES; way++) {
		const struct spw_flow_core *c;

		if (load16(&h->tag[way]) != tag)
			continue;
		c = lines_at(v6, table_line(set, way));
		if (c && word_is_live(load64(&c->word)) && line_has_key(c, key, v6))
			return table_line(set, way);
	}
	return TABLE_NONE;
}

/* Where strays are, the neighbour is looked at as well. */
static inline __u32 search_sets(const struct spw_flow_key *key, __u64 hash, __u32 v6)
{
	__u32 set = table_set(hash, v6), line;
	__u16 tag = table_tag(hash);
	const struct spw_flow_head *h = lines_head(v6, set);

	line = search_tags(key, tag, set, v6);
	if (line != TABLE_NONE || !h || !load32(&h->strays))
		return line;
	return search_tags(key, tag, set ^ 1, v6);
}

/* The line that holds the key, or TABLE_NONE. It may have another tenant a moment later. */
__noinline __u32 search(const struct spw_flow_key *key, __u64 hash, __u32 v6)
{
	if (!key)
		return TABLE_NONE;
	return TABLE_FAMILIES(v6, search_sets(key, hash, 0), search_sets(key, hash, 1));
}

/* Claims a free line of the set, the preferred one (of any set) first; TABLE_NONE: there is none. */
__noinline __u32 search_free(__u32 set, __u32 preferred, __u32 v6)
{
	const struct spw_flow_head *h = lines_head(v6, set);
	struct spw_flow_core *c = lines_at(v6, preferred);
	__u32 way;

	if (!h)
		return TABLE_NONE;
	if (c && preferred != TABLE_NONE && preferred / SPW_SET_LINES == set && line_claim_free(c))
		return preferred;
	for (way = 1; way < SPW_SET_LINES; way++) {
		if (load16(&h->tag[way]))
			continue;
		c = lines_at(v6, table_line(set, way));
		if (c && line_claim_free(c))
			return table_line(set, way);
	}
	return TABLE_NONE;
}

struct search_lock {
	struct spw_flow_head *head;
	bool held;
};

/* One try: 1 when it is over. */
static long search_try(__u32 nth, struct search_lock *l)
{
	if (!load64(&l->head->lock) && swap64(&l->head->lock, 0, 1))
		l->held = true;
	return l->held;
}

/* Whoever holds it is at work on another CPU and soon done; nobody sleeps with it. */
static inline bool search_lock(struct spw_flow_head *h)
{
	struct search_lock l = {.head = h};

	if (!search_try(0, &l))
		lines_loop(TABLE_LOCK_TRIES, search_try, &l);
	return l.held;
}

static inline void search_unlock(struct spw_flow_head *h)
{
	publish64(&h->lock, 0);
}

#endif
