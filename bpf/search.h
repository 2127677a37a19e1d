/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds keys that are not in the line that their hash prefers, and lines for new ones. These are
 * global functions: the verifier walks each once, and not on every path that leads there.
 */
#ifndef SPILLWAY_BPF_SEARCH_H
#define SPILLWAY_BPF_SEARCH_H

#include "change.h"

#define SEARCH_AWAY_MANY 8 /* of a near home with 15 lines */

/* Not 0 if one of the four tags in the word is this one. */
static inline __u64 search_match(__u64 tags, __u16 tag)
{
	const __u64 ones = 0x0001000100010001ULL;
	__u64 x = tags ^ tag * ones;

	return (x - ones) & ~x & ones << 15;
}

/* Has a line of the set this tag, which is never 0? Four tags at a time. */
static inline bool search_has_tag(const struct spw_flow_head *h, __u16 tag)
{
	const word64 *tags = (const void *)h->tag;

	return search_match(load64(&tags[0]), tag) | search_match(load64(&tags[1]), tag) |
	       search_match(load64(&tags[2]), tag) | search_match(load64(&tags[3]), tag);
}

static inline __u32 search_tags(const struct spw_flow_key *key, __u16 tag, __u32 set, __u32 v6)
{
	const struct spw_flow_head *h = lines_head(v6, set);
	__u32 way;

	if (!h || !search_has_tag(h, tag))
		return TABLE_NONE;
	for (way = 0; way < SPW_SET_WAYS; way++) {
		const struct spw_flow_core *c;

		if (load16(&h->tag[way]) != tag)
			continue;
		c = lines_at(v6, table_line(set, way));
		if (c && word_is_live(load64(&c->word)) && line_has_key(c, key, v6))
			return table_line(set, way);
	}
	return TABLE_NONE;
}

static inline __u32 search_homes(const struct spw_flow_key *key, __u64 hash, __u32 v6)
{
	__u32 near = table_near(hash, v6), line = search_tags(key, table_tag(hash), near, v6);
	const struct spw_flow_head *h = lines_head(v6, near);

	if (line != TABLE_NONE || !h || !load32(&h->away))
		return line;
	return search_tags(key, table_tag(hash), table_far(hash, v6), v6);
}

/* The line that holds the key, or TABLE_NONE. It may have another tenant a moment later. */
__noinline __u32 search(const struct spw_flow_key *key, __u64 hash, __u32 v6)
{
	if (!key)
		return TABLE_NONE;
	return TABLE_FAMILIES(v6, search_homes(key, hash, 0), search_homes(key, hash, 1));
}

/* The line if it was free, and is claimed now; else TABLE_NONE. */
static inline __u32 search_claim(__u32 line, __u32 v6)
{
	struct spw_flow_core *c = lines_at(v6, line);

	return c && line_claim_free(c) ? line : TABLE_NONE;
}

/* Claims any free line of the set; TABLE_NONE: there is none. */
__noinline __u32 search_free(__u32 set, __u32 v6)
{
	const struct spw_flow_head *h = lines_head(v6, set);
	__u32 way;

	if (!h)
		return TABLE_NONE;
	for (way = 0; way < SPW_SET_WAYS; way++) {
		if (!load16(&h->tag[way]) && search_claim(table_line(set, way), v6))
			return table_line(set, way);
	}
	return TABLE_NONE;
}

/*
 * Claims a line for the key, where others find it soon if that can be; TABLE_NONE: none is free. A near
 * home that many keys did not find room in is left alone, so that there is some for those whose far
 * home is full: then a table for a million flows holds them, though nobody may have noticed that they
 * are so many.
 */
__noinline __u32 search_room(__u64 hash, __u32 v6)
{
	__u32 near = table_near(hash, v6), far = table_far(hash, v6), line = TABLE_NONE;
	const struct spw_flow_head *h = lines_head(v6, near);
	bool far_first = lines_far_first(v6);

	if (!far_first && h && load32(&h->away) < SEARCH_AWAY_MANY)
		line = search_claim(table_preferred(hash, near), v6);
	if (line == TABLE_NONE)
		line = search_claim(table_preferred(hash, far), v6);
	if (line == TABLE_NONE && far_first)
		line = search_claim(table_preferred(hash, near), v6);
	if (line == TABLE_NONE)
		line = search_free(far, v6);
	return line != TABLE_NONE ? line : search_free(near, v6);
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
