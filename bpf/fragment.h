/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fragments. Only the first of a datagram has ports. It goes the way of a whole packet, and what
 * became of it is remembered; the others go the same way. Those that come before it are handed to the
 * daemon, which puts them back in when it has come.
 *
 * Clients that share a source address of ours may choose the same identification, so each datagram
 * gets a fresh one (RFC 6864, 5.3).
 *
 * Global functions, so that the verifier walks them once: what they work on is in the scratch.
 */
#ifndef SPILLWAY_BPF_FRAGMENT_H
#define SPILLWAY_BPF_FRAGMENT_H

#include "config.h"
#include "atomic.h"
#include "fragment_maps.h"
#include "options.h"

static inline bool fragment_key_equal(const struct spw_fragment_key *a,
				      const struct spw_fragment_key *b)
{
	return a->id == b->id && a->proto == b->proto && addr_equal(&a->saddr, &b->saddr) &&
	       addr_equal(&a->daddr, &b->daddr);
}

static inline bool fragment_lives(const struct spw_fragment *f, __u32 now)
{
	return f->fate != SPW_FRAGMENT_UNKNOWN &&
	       (__s32)(now - f->seen) < (__s32)(SPW_FRAGMENT_LIVE_S * ticks_a_second);
}

static inline struct spw_fragment *fragment_line(__u32 line)
{
	return bpf_map_lookup_elem(&fragments, &line);
}

/* What the line says of the datagram in `out`, unless it is another's. */
static inline bool fragment_read(const struct spw_fragment *f, struct spw_fragment *out, __u32 now)
{
	__u32 seq = load32(&f->seq);

	load_fence();
	if ((seq & 1) || !fragment_lives(f, now) || !fragment_key_equal(&f->key, &out->key))
		return false;
	out->sport = f->sport;
	out->dport = f->dport;
	out->new_id = f->new_id;
	out->proto = f->proto;
	out->fate = f->fate;
	out->endpoint = f->endpoint;
	load_fence();
	return seq == load32(&f->seq);
}

/* The datagram in the scratch, completed by what is known of it: its fate. */
__noinline int fragment_find(__u64 seed, __u32 now)
{
	struct carry *c = carry_scratch();
	__u32 first, i;

	if (!c)
		return SPW_FRAGMENT_UNKNOWN;
	first = spw_fragment_bucket(&c->fragment.key, seed);
	for (i = 0; i < SPW_FRAGMENT_WAYS; i++) {
		struct spw_fragment *f = fragment_line(first + i);

		if (f && fragment_read(f, &c->fragment, now))
			return c->fragment.fate;
	}
	c->fragment.fate = SPW_FRAGMENT_UNKNOWN;
	return SPW_FRAGMENT_UNKNOWN;
}

/* The line of the same datagram, else the oldest of its bucket. */
static inline __u32 fragment_victim(const struct carry *c, __u32 now)
{
	__u32 first = spw_fragment_bucket(&c->fragment.key, c->flow_seed), victim = first, i;
	__u32 oldest = 0;

	for (i = 0; i < SPW_FRAGMENT_WAYS; i++) {
		const struct spw_fragment *f = fragment_line(first + i);
		__u32 age;

		if (!f)
			continue;
		if (fragment_key_equal(&f->key, &c->fragment.key))
			return first + i;
		age = fragment_lives(f, now) ? now - f->seen : ~0U;
		if (age >= oldest) {
			oldest = age;
			victim = first + i;
		}
	}
	return victim;
}

static inline __u8 fragment_fate(__u32 verdict)
{
	if (verdict == TX || verdict == REDIRECT)
		return SPW_FRAGMENT_FORWARD;
	return verdict == PASS ? SPW_FRAGMENT_PASS : SPW_FRAGMENT_DROP;
}

/*
 * How the first fragment in the scratch ended. Where another CPU writes the line, nothing is
 * remembered: the others of this datagram are lost, as fragments may be.
 */
__noinline int fragment_remember(__u32 verdict)
{
	struct carry *c = carry_scratch();
	__u32 now = bpf_jiffies64(), seq;
	struct spw_fragment *f;

	if (!c)
		return 0;
	f = fragment_line(fragment_victim(c, now));
	if (!f)
		return 0;
	seq = load32(&f->seq);
	if ((seq & 1) || __sync_val_compare_and_swap(&f->seq, seq, seq + 1) != seq)
		return 0;
	f->seen = now;
	f->key = c->fragment.key;
	f->sport = c->key.sport;
	f->dport = c->key.dport;
	f->proto = c->key.proto;
	f->new_id = c->fragment.new_id;
	f->endpoint = c->fragment.endpoint;
	f->fate = fragment_fate(verdict);
	(void)__sync_lock_test_and_set(&f->seq, seq + 2);
	return 0;
}

/* To the daemon, which puts it back in later. */
static inline enum verdict fragment_early(struct xdp_md *ctx, const struct carry *c)
{
	__u64 len = bpf_xdp_get_buff_len(ctx);
	struct spw_early *e;

	if (len > SPW_EARLY_FRAME || len < sizeof(struct ethhdr))
		return drop(SPW_DROP_FRAGMENT);
	e = bpf_ringbuf_reserve(&early_fragments, sizeof(*e), 0);
	if (!e)
		return drop(SPW_DROP_FRAGMENT);
	e->ifindex = ctx->ingress_ifindex;
	e->len = len;
	e->key = c->fragment.key;
	if (bpf_xdp_load_bytes(ctx, 0, e->frame, len)) {
		bpf_ringbuf_discard(e, 0);
		return drop(SPW_DROP_FRAGMENT);
	}
	bpf_ringbuf_submit(e, 0);
	count(SPW_COUNT_FRAGMENT_EARLY);
	return DROP;
}

/* A fragment without ports gets those of its datagram, and goes on if that is forwarded. */
static inline enum verdict fragment_follow(struct xdp_md *ctx, struct carry *c, bool held)
{
	switch (c->fragment.fate) {
	case SPW_FRAGMENT_FORWARD:
		c->key.proto = c->fragment.proto;
		c->key.sport = c->fragment.sport;
		c->key.dport = c->fragment.dport;
		return NEXT;
	case SPW_FRAGMENT_PASS:
		return pass(SPW_PASS_FRAGMENT);
	case SPW_FRAGMENT_DROP:
		return drop(SPW_DROP_FRAGMENT);
	}
	return held ? fragment_early(ctx, c) : pass(SPW_PASS_FRAGMENT);
}

/* Other protocols are nothing to us; behind an extension header there may be TCP or UDP. */
static inline bool fragment_may_be_l4(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || extension_known(proto);
}

/* Where every fragment to an address of ours enters: NEXT, PASS or DROP. */
__noinline int fragment_enter(struct xdp_md *ctx)
{
	__u32 zero = 0, now = bpf_jiffies64(), kind;
	struct spw_config *config_row = bpf_map_lookup_elem(&config, &zero);
	struct carry *c = carry_scratch();

	if (!c || !config_row)
		return drop(SPW_DROP_INTERNAL);
	kind = c->shape.fragment;
	c->shape.fragment = FRAGMENT_NONE; /* nothing is remembered, unless it is a first one */
	c->flow_seed = config_row->flow_seed;
	c->fragment.endpoint = SPW_ENDPOINT_NONE;
	c->fragment.key.saddr = c->key.saddr;
	c->fragment.key.daddr = c->key.daddr;
	if (!bpf_map_lookup_elem(&addrs, &c->key.daddr))
		return pass(SPW_PASS_NOT_OURS);
	if (!fragment_may_be_l4(c->key.proto))
		return pass(SPW_PASS_FRAGMENT);
	c->shape.fragment = kind;
	fragment_find(c->flow_seed, now);
	if (kind == FRAGMENT_FIRST)
		return NEXT;
	return fragment_follow(ctx, c,
			       config_lease_runs(*(volatile __u32 *)&config_row->hops_until, now));
}

/* A first fragment that came twice keeps what it got: else its datagram would never be whole. */
static inline void fragment_identify(struct carry *c)
{
	__u32 zero = 0, *next;

	if (c->fragment.fate == SPW_FRAGMENT_FORWARD && c->fragment.sport == c->key.sport &&
	    c->fragment.dport == c->key.dport && c->fragment.proto == c->key.proto)
		return;
	next = bpf_map_lookup_elem(&fragment_ids, &zero);
	if (next)
		c->fragment.new_id = bpf_htonl(__sync_fetch_and_add(next, 1) + (__u32)c->flow_seed);
}

/* The identification in an IPv6 packet lies anywhere; that of IPv4 is the caller's to write. */
__noinline int fragment_identity(struct xdp_md *ctx)
{
	struct carry *c = carry_scratch();

	if (!c)
		return -1;
	if (c->shape.fragment == FRAGMENT_FIRST)
		fragment_identify(c);
	count(SPW_COUNT_FORWARD_FRAGMENT);
	if (!c->shape.id_at)
		return 0;
	return bpf_xdp_store_bytes(ctx, c->shape.id_at, &c->fragment.new_id,
				   sizeof(c->fragment.new_id));
}

#endif
