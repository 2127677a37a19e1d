/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inserts an entry. The lock of the key's home set is held meanwhile, so no key is there twice:
 * without one, two CPUs could each choose a free line of their own.
 */
#ifndef SPILLWAY_BPF_INSERT_H
#define SPILLWAY_BPF_INSERT_H

#include "evict.h"

#define INSERT_EEXIST 17
#define INSERT_E2BIG  7
#define INSERT_EBUSY  16

/* A claimed line for a key of this home set, or TABLE_NONE when the table is full there. */
static inline __u32 insert_room(__u32 set, __u64 hash, __u32 v6, __u32 now)
{
	__u32 line = search_free(set, table_preferred(hash, v6), v6);

	if (line == TABLE_NONE)
		line = search_free(set ^ 1, TABLE_NONE, v6);
	if (line != TABLE_NONE)
		return line;
	line = evict_victim(set, v6, now);
	if (line != TABLE_NONE && evict(v6, line, now))
		return line;
	line = evict_victim(set ^ 1, v6, now);
	return line != TABLE_NONE && evict(v6, line, now) ? line : TABLE_NONE;
}

static inline int insert_write(const struct spw_flow_key *key, const struct entry *e, __u32 line,
			       __u32 v6)
{
	struct spw_flow_core *c = lines_at(v6, line);

	if (c)
		line_write(c, key, v6, e);
	return c != NULL;
}

/* Key and content into a claimed line. */
__noinline int insert_content(const struct spw_flow_key *key, const struct entry *e, __u32 line,
			      __u32 v6)
{
	if (!key || !e)
		return 0;
	return TABLE_FAMILIES(v6, insert_write(key, e, line, 0), insert_write(key, e, line, 1));
}

/* The last step: from here on others find it. */
static inline void insert_publish(struct spw_flow_head *home, __u32 line, __u64 hash, __u32 v6,
				  __u64 state, __u32 now)
{
	struct spw_flow_head *h = lines_head(v6, line / SPW_SET_LINES);
	struct spw_flow_core *c = lines_at(v6, line);

	if (!h || !c)
		return;
	if (line / SPW_SET_LINES != table_set(hash, v6))
		__sync_fetch_and_add(&home->strays, 1);
	head_tag(h, line, table_tag(hash));
	publish64(&c->word, word_of(load64(&c->word), SPW_PHASE_LIVE, state, now));
}

/*
 * Inserts an entry where there is none of this key: 0, -INSERT_EEXIST, -INSERT_E2BIG when the table
 * is full, -INSERT_EBUSY when the lock could not be had. The word of *e says its state.
 */
__noinline long insert(const struct spw_flow_key *key, const struct entry *e, __u32 v6, __u32 now)
{
	struct spw_flow_head *home;
	long err = -INSERT_EEXIST;
	__u32 line, set;
	__u64 hash;

	if (!key || !e)
		return -1;
	hash = pair_hash(key, v6);
	set = table_set(hash, v6);
	home = lines_head(v6, set);
	if (!home || !search_lock(home))
		return -INSERT_EBUSY;
	if (search(key, hash, v6) == TABLE_NONE) {
		line = insert_room(set, hash, v6, now);
		err = -INSERT_E2BIG;
		if (line != TABLE_NONE && insert_content(key, e, line, v6)) {
			insert_publish(home, line, hash, v6, e->core.word & SPW_WORD_STATE_MASK,
				       now);
			err = 0;
		}
	}
	search_unlock(home);
	return err;
}

#endif
