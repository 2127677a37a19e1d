/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What lies between the IP header and the transport header: IPv4 options and IPv6 extension headers.
 * They are looked behind and go on as they came, but for those that would have a router change the
 * packet's way: what has them is the stack's.
 */
#ifndef SPILLWAY_BPF_OPTIONS_H
#define SPILLWAY_BPF_OPTIONS_H

#include <stddef.h>

#include "bounds.h"
#include "scratch.h"

#define OPTIONS4_MAX 40

#define OPTION4_END  0
#define OPTION4_NOP  1
#define OPTION4_LSRR 131 /* source routes (RFC 791) */
#define OPTION4_SSRR 137

#define EXTENSIONS_MAX	 6
#define EXTENSIONS_BYTES 256

/* Options, and how far they have been read. */
struct options4 {
	__u8 b[64];
	__u32 len;
	__u32 at; /* len: all of them are harmless */
};

/* One option: 0 to go on. */
static long options4_step(__u32 i, struct options4 *o)
{
	__u8 kind = o->b[o->at % 64];
	__u8 size = o->b[(o->at + 1) % 64];

	if (o->at >= o->len)
		return 1;
	if (kind == OPTION4_END) {
		o->at = o->len;
		return 1;
	}
	if (kind == OPTION4_NOP) {
		o->at += 1;
		return 0;
	}
	if (kind == OPTION4_LSRR || kind == OPTION4_SSRR || size < 2)
		return 1;
	o->at += size;
	return 0;
}

/* `len` bytes of options at `at` in the frame: can the packet be forwarded with them? */
__noinline int options4_harmless(struct xdp_md *ctx, __u32 at, __u32 len)
{
	struct options4 o = {.len = len};

	if (!bounds_fit(&len, OPTIONS4_MAX) || bpf_xdp_load_bytes(ctx, at, o.b, len))
		return 0;
	bpf_loop(OPTIONS4_MAX, options4_step, &o, 0);
	return o.at == len;
}

/* What all extension headers begin with. */
struct extension {
	__u8 next;
	__u8 len; /* 8-byte words behind the first; of a fragment header reserved */
	__u8 type;
	__u8 segments_left;
	__be32 rest;
};

static inline bool extension_known(__u8 proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_DSTOPTS ||
	       proto == IPPROTO_FRAGMENT;
}

enum extensions {
	EXTENSIONS_STRANGE = 0, /* the packet is not ours to forward */
	EXTENSIONS_WALKED,
};

/* A fragment header that says that the packet is whole (RFC 6946). */
static inline bool extension_is_atomic(const struct extension *e)
{
	return !(*(const __be16 *)&e->type & bpf_htons(0xfff9));
}

/* Notes the fragment; true when there is nothing behind its header that could be looked at. */
static inline bool extension_fragment(struct carry *c, const struct extension *e, __u32 at)
{
	if (extension_is_atomic(e))
		return false;
	c->shape.id_at = at + offsetof(struct extension, rest);
	c->fragment.key.id = e->rest;
	c->fragment.key.proto = 0;
	c->shape.fragment =
		*(const __be16 *)&e->type & bpf_htons(0xfff8) ? FRAGMENT_LATER : FRAGMENT_FIRST;
	return c->shape.fragment == FRAGMENT_LATER;
}

/*
 * Goes through the extension headers of the IPv6 packet at `l3` in the frame, from the protocol in
 * the scratch's key on, and leaves there the one behind them and where it lies.
 */
__noinline int extensions_walk(struct xdp_md *ctx, __u32 l3)
{
	struct carry *c = carry_scratch();
	__u32 off = sizeof(struct ipv6hdr), i;

	if (!c)
		return EXTENSIONS_STRANGE;
	for (i = 0; i < EXTENSIONS_MAX && extension_known(c->key.proto); i++) {
		struct extension e;
		bool ends = false;

		if (bpf_xdp_load_bytes(ctx, l3 + off, &e, sizeof(e)))
			return EXTENSIONS_STRANGE;
		if (c->key.proto == IPPROTO_HOPOPTS && i)
			return EXTENSIONS_STRANGE;
		if (c->key.proto == IPPROTO_ROUTING && e.segments_left)
			return EXTENSIONS_STRANGE;
		if (c->key.proto == IPPROTO_FRAGMENT) {
			if (c->shape.fragment)
				return EXTENSIONS_STRANGE;
			ends = extension_fragment(c, &e, l3 + off);
			e.len = 0;
		}
		off += (e.len + 1) * 8;
		if (off > sizeof(struct ipv6hdr) + EXTENSIONS_BYTES)
			return EXTENSIONS_STRANGE;
		c->key.proto = e.next;
		if (ends)
			break;
	}
	c->shape.l4_off = off;
	return EXTENSIONS_WALKED;
}

#endif
