/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The lines of the flow table, see <spillway/flow.h>: where a key's line is, and how a line changes
 * hands. A reader copies a line and then looks whether its word still has the version it had
 * before; a writer first swaps the word from live or free to claimed, which one CPU can do, and the
 * last thing it writes is the word again.
 *
 * A key is looked for in the one line its hash prefers, which is where three of four lie in sets that
 * are as full as they may be; only then the heads' tags are asked. Nothing here knows of packets
 * or maps: who includes it has included something like lines.h, which says where lines are.
 */
#ifndef SPILLWAY_BPF_TABLE_H
#define SPILLWAY_BPF_TABLE_H

#include <spillway/flow.h>

#include "addr.h"
#include "bounds.h"
#include "entry.h"
#include "word.h"

#define TABLE_NONE	 0 /* no line */
#define TABLE_LOCK_TRIES 65536

static inline __u64 table_mix(__u64 h, __u64 v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 32;
}

static inline __u64 table_hash(const struct spw_flow_key *k, __u32 v6, __u64 seed)
{
	__u64 ports = (__u64)k->proto << 32 | (__u32)k->sport << 16 | k->dport;
	__u64 h = seed;

	if (v6) {
		h = table_mix(h, (__u64)k->saddr.w[0] << 32 | k->saddr.w[1]);
		h = table_mix(h, (__u64)k->saddr.w[2] << 32 | k->saddr.w[3]);
		h = table_mix(h, (__u64)k->daddr.w[0] << 32 | k->daddr.w[1]);
		h = table_mix(h, (__u64)k->daddr.w[2] << 32 | k->daddr.w[3]);
	} else {
		h = table_mix(h, (__u64)k->saddr.w[3] << 32 | k->daddr.w[3]);
	}
	h = table_mix(h, ports) * 0xd6e8feb86659fd93ULL;
	return h ^ h >> 29;
}

/* The upper half of the hash says the near set and the far one, the lower half the line and its tag. */
static inline __u32 table_near(__u64 h, __u32 v6)
{
	return (h >> 32) * lines_near(v6) >> 32;
}

static inline __u32 table_far(__u64 h, __u32 v6)
{
	__u32 near = lines_near(v6);

	return near + ((h >> 32) * (lines_sets(v6) - near) >> 32);
}

/* The set where the key is looked for first, and put when there is room. */
static inline __u32 table_first(__u64 h, __u32 v6, bool far_first)
{
	return far_first ? table_far(h, v6) : table_near(h, v6);
}

static inline __u32 table_line(__u32 set, __u32 way)
{
	return set * SPW_SET_WAYS + way + 1;
}

static inline __u32 table_set_of(__u32 line)
{
	return (line - 1) / SPW_SET_WAYS;
}

static inline __u32 table_preferred(__u64 h, __u32 set)
{
	return table_line(set, (__u32)(h & 0xffff) * SPW_SET_WAYS >> 16);
}

static inline __u16 table_tag(__u64 h)
{
	return (__u16)(h >> 16) | 1;
}

/*
 * What reads or writes a line's addresses is inlined where `v6` is a constant: the verifier sees two
 * kinds of lines, and not that a number says which. See TABLE_FAMILIES().
 */
#define TABLE_FAMILIES(v6, call4, call6) ((v6) ? (call6) : (call4))

/* Addresses as the line holds them: two of four bytes each, or two of sixteen. */
static inline bool line_has_addrs(const struct spw_flow_core *c, const struct spw_flow_key *k,
				  __u32 v6)
{
	const word64 *at = (const void *)(c + 1), *s = (const void *)&k->saddr;
	struct spw_flow4 want;

	if (v6)
		return load64(&at[0]) == s[0] && load64(&at[1]) == s[1] && load64(&at[2]) == s[2] &&
		       load64(&at[3]) == s[3];
	want.saddr = k->saddr.w[3];
	want.daddr = k->daddr.w[3];
	return load64(&at[0]) == *(const word64 *)&want.saddr;
}

static inline bool line_has_key(const struct spw_flow_core *c, const struct spw_flow_key *k,
				__u32 v6)
{
	struct spw_flow_core t;

	*(word64 *)&t.sport = load64(&c->sport);
	return t.sport == k->sport && t.dport == k->dport && t.proto == k->proto &&
	       line_has_addrs(c, k, v6);
}

static inline void line_copy(const struct spw_flow_core *c, __u32 v6, struct entry *out)
{
	const word64 *at = (const void *)(c + 1);
	struct spw_flow4 to;

	*(word64 *)&out->core.sport = load64(&c->sport);
	*(word64 *)&out->core.to_sport = load64(&c->to_sport);
	*(word64 *)&out->core.service = load64(&c->service);
	*(word64 *)&out->core.client_mac = load64(&c->client_mac);
	*(word64 *)&out->core.client_ifindex = load64(&c->client_ifindex);
	if (v6) {
		((word64 *)&out->to_saddr)[0] = load64(&at[4]);
		((word64 *)&out->to_saddr)[1] = load64(&at[5]);
		((word64 *)&out->to_daddr)[0] = load64(&at[6]);
		((word64 *)&out->to_daddr)[1] = load64(&at[7]);
		return;
	}
	*(word64 *)&to.to_saddr = load64(&at[1]);
	addr_map_v4(&out->to_saddr, to.to_saddr);
	addr_map_v4(&out->to_daddr, to.to_daddr);
}

/* The line if it holds this key, as it was at one moment: false and *out undefined if not. */
static inline bool line_read(const struct spw_flow_core *c, const struct spw_flow_key *k, __u32 v6,
			     struct entry *out)
{
	__u64 word = load64(&c->word);

	load_fence();
	if (!word_is_live(word) || !line_has_key(c, k, v6))
		return false;
	line_copy(c, v6, out);
	load_fence();
	out->core.word = word;
	return word_is_same(load64(&c->word), word);
}

/* Key and content of a line; the caller owns it or looks at its word before and again. */
static inline void line_tenant(const struct spw_flow_core *c, __u32 v6, struct spw_flow_key *key,
			       struct entry *e)
{
	const word64 *at = (const void *)(c + 1);
	struct spw_flow4 t;

	__builtin_memset(key, 0, sizeof(*key));
	line_copy(c, v6, e);
	key->sport = e->core.sport;
	key->dport = e->core.dport;
	key->proto = e->core.proto;
	if (v6) {
		((word64 *)&key->saddr)[0] = load64(&at[0]);
		((word64 *)&key->saddr)[1] = load64(&at[1]);
		((word64 *)&key->daddr)[0] = load64(&at[2]);
		((word64 *)&key->daddr)[1] = load64(&at[3]);
		return;
	}
	*(word64 *)&t.saddr = load64(&at[0]);
	addr_map_v4(&key->saddr, t.saddr);
	addr_map_v4(&key->daddr, t.daddr);
}

static inline void line_write(struct spw_flow_core *c, const struct spw_flow_key *k, __u32 v6,
			      const struct entry *e)
{
	word64 *at = (void *)(c + 1);
	const word64 *key = (const void *)&k->saddr, *to = (const void *)&e->to_saddr;
	struct spw_flow4 line;

	store64(&c->sport, *(const word64 *)&e->core.sport);
	store64(&c->to_sport, *(const word64 *)&e->core.to_sport);
	store64(&c->service, *(const word64 *)&e->core.service);
	store64(&c->client_mac, *(const word64 *)&e->core.client_mac);
	store64(&c->client_ifindex, *(const word64 *)&e->core.client_ifindex);
	if (v6) {
		for (int i = 0; i < 4; i++) {
			store64(&at[i], key[i]);
			store64(&at[4 + i], to[i]);
		}
		return;
	}
	line.saddr = k->saddr.w[3];
	line.daddr = k->daddr.w[3];
	line.to_saddr = e->to_saddr.w[3];
	line.to_daddr = e->to_daddr.w[3];
	store64(&at[0], *(word64 *)&line.saddr);
	store64(&at[1], *(word64 *)&line.to_saddr);
}

static inline void head_tag(struct spw_flow_head *h, __u32 line, __u16 tag)
{
	__u32 nth = line - table_set_of(line) * SPW_SET_WAYS; /* 1 and on */

	if (bounds_fit(&nth, SPW_SET_WAYS))
		store16(&h->tag[nth - 1], tag);
}

/* Counts a key into its far home, or with -1 out of it: at its near home, where others ask. */
static inline void table_count(__u32 v6, __u64 hash, __u32 set, __s32 by)
{
	struct spw_flow_head *h;

	if (set < lines_near(v6))
		return;
	h = lines_head(v6, table_near(hash, v6));
	if (h)
		__sync_fetch_and_add(&h->away, by);
}

/*
 * A claimed line is free again. Tag and count go while it is still claimed: the next tenant's must not
 * be wiped out. `hash` is that of the key that was there.
 */
static inline void line_free(__u32 v6, __u32 line, struct spw_flow_core *c, __u64 hash)
{
	__u32 set = table_set_of(line);
	struct spw_flow_head *h = lines_head(v6, set);

	if (h)
		head_tag(h, line, 0);
	table_count(v6, hash, set, -1);
	publish64(&c->word, word_of(load64(&c->word), SPW_PHASE_FREE, 0, 0));
}
#endif
