/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inserts an entry. The lock of the key's near home is held meanwhile, so no key is there twice:
 * without one, two CPUs could each choose a free line of their own.
 */
#ifndef SPILLWAY_BPF_INSERT_H
#define SPILLWAY_BPF_INSERT_H

#include "pair.h"

#define INSERT_EEXIST 17
#define INSERT_E2BIG  7
#define INSERT_EBUSY  16

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
static inline void insert_publish(__u32 line, __u64 hash, __u32 v6, __u64 state, __u32 now)
{
	__u32 set = table_set_of(line);
	struct spw_flow_head *h = lines_head(v6, set);
	struct spw_flow_core *c = lines_at(v6, line);

	if (!h || !c)
		return;
	table_count(v6, hash, set, 1);
	head_tag(h, line, table_tag(hash));
	publish64(&c->word, word_of(load64(&c->word), SPW_PHASE_LIVE, state, now));
}

/* The home's lock is held, and the key is not there. */
static inline long insert_new(const struct spw_flow_key *key, const struct entry *e, __u64 hash,
			      __u32 v6, __u32 now)
{
	__u32 line = search_room(hash, v6);

	if (line == TABLE_NONE || !insert_content(key, e, line, v6))
		return -INSERT_E2BIG;
	insert_publish(line, hash, v6, e->core.word & SPW_WORD_STATE_MASK, now);
	return line;
}

/*
 * Inserts an entry where there is none of this key: its line, -INSERT_EEXIST, -INSERT_E2BIG when no
 * line is free (see evict()), -INSERT_EBUSY when the lock could not be had. The word of *e says its
 * state.
 */
__noinline long insert(const struct spw_flow_key *key, const struct entry *e, __u32 v6, __u32 now)
{
	struct spw_flow_head *home;
	long err = -INSERT_EEXIST;
	__u64 hash;

	if (!key || !e)
		return -1;
	hash = pair_hash(key, v6);
	home = lines_head(v6, table_near(hash, v6));
	if (!home || !search_lock(home))
		return -INSERT_EBUSY;
	if (search(key, hash, v6) == TABLE_NONE)
		err = insert_new(key, e, hash, v6, now);
	search_unlock(home);
	return err;
}

#endif
