/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pairs of entries, one for each direction of a flow: how they come and go. A flow of the userspace
 * path is a pair without a reverse entry.
 *
 * The forward entry carries the state of the pair. Whoever claims it (of several CPUs that try, one
 * succeeds) removes the reverse entry next, and nobody else ever removes one: so the reverse key
 * cannot be given away in between. Only the sweep clears away a reverse entry that lost its partner,
 * long after. A pair is made in the other order: the reverse entry first, which is what reserves
 * the source port. Removing takes no lock.
 */
#ifndef SPILLWAY_BPF_PAIR_H
#define SPILLWAY_BPF_PAIR_H

#include "search.h"

static inline __u64 pair_hash(const struct spw_flow_key *key, __u32 v6)
{
	return table_hash(key, v6, lines_seed());
}

/* The rewritten packet's answer: the rewritten tuple with its sides swapped. */
static inline void pair_partner_key(const struct entry *e, struct spw_flow_key *out)
{
	__builtin_memset(out, 0, sizeof(*out));
	out->saddr = e->to_daddr;
	out->daddr = e->to_saddr;
	out->sport = e->core.to_dport;
	out->dport = e->core.to_sport;
	out->proto = e->core.proto;
}

static inline int pair_read_tenant(__u32 line, struct pair_scratch *s, __u32 v6)
{
	const struct spw_flow_core *c = lines_at(v6, line);

	if (c)
		line_tenant(c, v6, &s->key, &s->entry);
	return c != NULL;
}

/* Key and content of a line into the scratch; the caller owns it or looks at the word again. */
__noinline int pair_tenant(__u32 v6, __u32 line, __u32 who)
{
	struct pair_scratch *s = lines_scratch(who);

	if (!s)
		return 0;
	return TABLE_FAMILIES(v6, pair_read_tenant(line, s, 0), pair_read_tenant(line, s, 1));
}

/* The line that holds the key, or TABLE_NONE. */
static inline __u32 pair_line(const struct spw_flow_key *key, __u64 hash, __u32 v6)
{
	__u32 line = table_preferred(hash, table_first(hash, v6, lines_far_first(v6)));

	return line_word(key, line, v6) ? line : search(key, hash, v6);
}

/* Removes one entry, which the caller alone may do. */
__noinline int pair_drop(const struct spw_flow_key *key, __u32 v6)
{
	struct spw_flow_core *c;
	__u64 hash, word;
	__u32 line;

	if (!key)
		return 0;
	hash = pair_hash(key, v6);
	line = pair_line(key, hash, v6);
	word = line_word(key, line, v6);
	c = lines_at(v6, line);
	if (!word || !c || !line_claim(v6, line, word))
		return 0;
	line_free(v6, line, c, hash);
	return 1;
}

/* Does the entry in the scratch lead back to the one with this key? */
static inline bool pair_is_partner(struct pair_scratch *s, const struct spw_flow_key *key)
{
	pair_partner_key(&s->entry, &s->partner_key);
	return addr_equal(&s->partner_key.saddr, &key->saddr) &&
	       addr_equal(&s->partner_key.daddr, &key->daddr) &&
	       s->partner_key.sport == key->sport && s->partner_key.dport == key->dport &&
	       s->partner_key.proto == key->proto;
}

/*
 * Is the entry in the line, read into the scratch of `who`, the partner of the one with this key? A
 * client whose flow is just being removed may have another by now, which leads to another port. The
 * caller looks at the word before, and again after this.
 */
__noinline int pair_leads_to(const struct spw_flow_key *key, __u32 v6, __u32 line, __u32 who)
{
	struct pair_scratch *s = lines_scratch(who);

	return key && s && pair_tenant(v6, line, who) && pair_is_partner(s, key);
}

/*
 * The reverse entry of a pair whose forward entry the caller has claimed: s->entry. Should the sweep
 * have been first, the port may be reserved by another flow by now, which keeps it.
 */
static inline void pair_remove_reverse(struct pair_scratch *s, __u32 v6, __u32 who)
{
	struct spw_flow_core *c;
	__u64 hash, word;
	__u32 line;

	if (s->entry.core.flags & SPW_FLOW_ALONE)
		return;
	pair_partner_key(&s->entry, &s->partner_key);
	hash = pair_hash(&s->partner_key, v6);
	line = pair_line(&s->partner_key, hash, v6);
	word = line_word(&s->partner_key, line, v6);
	c = lines_at(v6, line);
	if (word && c && pair_leads_to(&s->key, v6, line, LINES_PARTNER(who)) &&
	    line_claim(v6, line, word))
		line_free(v6, line, c, hash);
}

/*
 * Removes a pair by its forward entry, whose word is `word` but for state and age: 1, or 0 when
 * another CPU was first. `who` is the scratch to use, see lines_scratch().
 */
__noinline int pair_remove(__u32 v6, __u32 line, __u64 word, __u32 who)
{
	struct spw_flow_core *c = lines_at(v6, line);
	struct pair_scratch *s = lines_scratch(who);

	if (!c || !s || !line_claim(v6, line, word))
		return 0;
	pair_tenant(v6, line, who);
	if (!(load64(&c->word) & SPW_FLOW_CLOSED))
		lines_closed(s->entry.core.endpoint);
	pair_remove_reverse(s, v6, who);
	line_free(v6, line, c, pair_hash(&s->key, v6));
	return 1;
}

#endif
