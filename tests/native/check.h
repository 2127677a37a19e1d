/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold of the table whenever nobody is at work on it. */
#ifndef SPILLWAY_TESTS_NATIVE_CHECK_H
#define SPILLWAY_TESTS_NATIVE_CHECK_H

#include "flows.h"

struct census {
	__u32 forward, reverse; /* live entries */
	__u32 unclosed;		/* forward ones not counted as closed */
	__u32 lost;		/* forward ones whose reverse entry is not theirs or not there */
	__u32 orphans;		/* reverse ones likewise */
	__u32 wrong;		/* lines, heads and entries that are not as they should be */
};

static __u32 line_of_key(const struct spw_flow_key *key, __u32 v6)
{
	return pair_line(key, pair_hash(key, v6), v6);
}

static bool has_partner(const struct spw_flow_key *key, const struct entry *e, __u32 v6)
{
	struct spw_flow_key partner, back, own;
	struct entry other;
	__u32 line;

	pair_partner_key(e, &partner);
	line = line_of_key(&partner, v6);
	if (line == TABLE_NONE)
		return false;
	line_tenant(lines_at(v6, line), v6, &own, &other);
	pair_partner_key(&other, &back);
	return other.core.dir != e->core.dir && !memcmp(&back, key, sizeof(back));
}

struct homes {
	__u32 away[SETS];
};

/* Where it may lie, and who must know of it. */
static void check_place(__u32 v6, __u32 set, __u64 hash, struct census *c, struct homes *h)
{
	bool far = set >= NEAR;

	c->wrong += set != table_first(hash, v6, far);
	h->away[table_near(hash, v6)] += far;
}

static void check_entry(__u32 v6, __u32 line, struct census *c, struct homes *homes)
{
	const struct spw_flow_core *core = lines_at(v6, line);
	const struct spw_flow_head *head = lines_head(v6, table_set_of(line));
	struct spw_flow_key key;
	struct entry e;
	__u64 hash;

	line_tenant(core, v6, &key, &e);
	e.core.word = core->word;
	hash = pair_hash(&key, v6);
	c->wrong += !entry_is_whole(&key, &e, v6);
	c->wrong += head->tag[(line - 1) % SPW_SET_WAYS] != table_tag(hash);
	/* Found there and nowhere else: a second line of the key would be the one that is not. */
	c->wrong += line_of_key(&key, v6) != line;
	check_place(v6, table_set_of(line), hash, c, homes);
	if (e.core.dir == SPW_FLOW_FORWARD) {
		c->forward++;
		c->unclosed += !(e.core.word & SPW_FLOW_CLOSED);
		c->lost += !has_partner(&key, &e, v6);
	} else {
		c->reverse++;
		c->orphans += !has_partner(&key, &e, v6);
	}
}

static void check_heads(__u32 v6, struct census *c, const struct homes *homes)
{
	for (__u32 set = 0; set < SETS; set++) {
		const struct spw_flow_head *h = lines_head(v6, set);

		c->wrong += h->lock != 0;
		c->wrong += h->away != homes->away[set];
	}
}

static void check_family(__u32 v6, struct census *c)
{
	struct homes homes = {};

	for (__u32 line = 1; line < LINES; line++) {
		__u64 word = lines_at(v6, line)->word;

		if (word_is_live(word)) {
			check_entry(v6, line, c, &homes);
			continue;
		}
		c->wrong += word_phase(word) != SPW_PHASE_FREE;
		c->wrong += lines_head(v6, table_set_of(line))->tag[(line - 1) % SPW_SET_WAYS] != 0;
	}
	check_heads(v6, c, &homes);
}

static struct census census(void)
{
	struct census c = {};

	check_family(0, &c);
	check_family(1, &c);
	return c;
}

#endif
