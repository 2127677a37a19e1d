/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * QUIC connections change their addresses: what stays is whose connection it is, which servers say in the
 * connection IDs that they hand out. Their clients put one into every packet, where it can be read without
 * knowing the version (RFC 8999), so nothing has to be remembered. What cannot be read, or names nobody
 * who may have the packet, goes by addresses and ports like all else.
 *
 * IDs that clients have made up, in their first packets, may look like a server's. That server then gets a
 * new connection, as by any pick, and gives the client an ID of its own.
 *
 * Of the first octet of a packet only the first bit is looked at: the others are the version's.
 */
#ifndef SPILLWAY_BPF_QUIC_H
#define SPILLWAY_BPF_QUIC_H

#include <spillway/quic.h>

#include "pick.h"
#include "shape.h"

#define QUIC_LONG     0x80
#define QUIC_SHORT_AT 1 /* where the ID is, behind a short header's first octet */
#define QUIC_LONG_AT  6 /* behind the version and the ID's length */
#define QUIC_SEEN     (QUIC_LONG_AT + 1 + SPW_QUIC_ID_MAX)
#define QUIC_ASKED    8 /* beside enum pick_for: spillway_direct has asked, and counted */
#define QUIC_AT_MAX   (ETH_HLEN + sizeof(struct vlan_tag) + SHAPE_L4_OFF_MAX + sizeof(struct udphdr))

/* The first octets of a datagram, and zeros behind what there is of it. */
struct quic_seen {
	__u8 b[QUIC_SEEN + 2];
};

static inline bool quic_load(struct xdp_md *ctx, __u32 at, __u32 len, struct quic_seen *s)
{
	const void *from = (void *)(long)ctx->data + at;

	if (from + sizeof(*s) <= (void *)(long)ctx->data_end) {
		__builtin_memcpy(s, from, sizeof(*s));
		return true;
	}
	if (len > QUIC_SEEN)
		len = QUIC_SEEN;
	return bounds_fit(&len, QUIC_SEEN) && !bpf_xdp_load_bytes(ctx, at, s, len);
}

/* Of eight octets as they lie in memory the first n, of 0 to 8. */
static inline __u64 quic_octets(__u64 w, __u32 n)
{
	if (n >= 8)
		return w;
	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
		return w & ((1ULL << 8 * n) - 1);
	return w & ~(~0ULL >> 8 * n);
}

/*
 * The key that the connection ID asks for; false: it is no server's. `len` is the datagram's. An ID may be
 * longer than what is read of it, but not shorter than a server makes it.
 */
static inline bool quic_key(const struct quic_seen *s, __u32 len, const struct spw_quic_head *h,
			    union spw_quic_key *k)
{
	const bool is_long = s->b[0] & QUIC_LONG;
	__u32 id_len, least;
	__u8 config;

	/* Version 0 is a server's answer about versions (RFC 8999, 6). */
	if (is_long && !(s->b[1] | s->b[2] | s->b[3] | s->b[4]))
		return false;
	if (is_long)
		__builtin_memcpy(k, &s->b[QUIC_LONG_AT], sizeof(*k));
	else
		__builtin_memcpy(k, &s->b[QUIC_SHORT_AT], sizeof(*k));
	config = k->b[0] >> 5;
	id_len = h->id_len[config];
	least = 1 + id_len + SPW_QUIC_NONCE_MIN;
	if (!id_len || id_len > SPW_QUIC_ID_MAX)
		return false;
	if (is_long && (s->b[5] < least || s->b[5] > SPW_QUIC_CID_MAX))
		return false;
	if (len < (is_long ? QUIC_LONG_AT + s->b[5] : QUIC_SHORT_AT + least))
		return false;
	k->b[0] = config;
	k->w[0] = quic_octets(k->w[0], 1 + id_len);
	k->w[1] = quic_octets(k->w[1], id_len > 7 ? id_len - 7 : 0);
	return true;
}

/* A line of the table; its first one is the head. */
static inline const struct spw_quic_line *quic_line(const struct spw_table_ref *t, __u32 nth)
{
	__u32 line = t->base / SPW_LINE_SLOTS + nth;

	return bpf_map_lookup_elem(&slots, &line);
}

static inline bool quic_is_key(const union spw_quic_key *a, const union spw_quic_key *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1];
}

/* Whose key it is, or SPW_ENDPOINT_NONE. */
static inline __u32 quic_find(const struct spw_table_ref *t, const union spw_quic_key *k)
{
	__u32 lines = t->size / SPW_LINE_SLOTS - 1, at = spw_quic_first(k, lines), i;

	for (i = 0; i < SPW_QUIC_PROBES; i++) {
		const struct spw_quic_line *l = quic_line(t, 1 + at);

		if (!l)
			break;
		if (quic_is_key(&l->keys.key[0], k))
			return l->keys.endpoint[0];
		if (quic_is_key(&l->keys.key[1], k))
			return l->keys.endpoint[1];
		if (quic_is_key(&l->keys.key[2], k))
			return l->keys.endpoint[2];
		if (!l->keys.endpoint[SPW_QUIC_WAYS - 1])
			break;
		if (++at >= lines)
			at = 0;
	}
	return SPW_ENDPOINT_NONE;
}

/*
 * May the packet go there? The connection is one that the endpoint has, so it is asked what flows that
 * exist are: one that drains keeps it. It must be of those that `what` wants (enum pick_for).
 */
static inline bool quic_takes(__u32 id, __u32 what)
{
	const struct spw_endpoint *e = bpf_map_lookup_elem(&endpoints, &id);

	if (id == SPW_ENDPOINT_NONE || !e || !word_keeps_udp(endpoint_word(id)))
		return false;
	if (e->mode != SPW_MODE_NAT && !((what & PICK_DIRECT) && mode_is_direct(e->mode)))
		return false;
	return addr_is_v4(&e->addr) == !(what & PICK_IPV6);
}

/* Whom the datagram in the scratch, of which a later fragment is here, was for. A global function for the verifier. */
__noinline int quic_of_fragment(__u32 what)
{
	const struct carry *c = carry_scratch();

	return c && quic_takes(c->fragment.endpoint, what) ? c->fragment.endpoint
							   : SPW_ENDPOINT_NONE;
}

/*
 * The endpoint that issued the connection ID of the datagram of `len` octets at `at`, or
 * SPW_ENDPOINT_NONE. `row` is the service's, of its side. A global function for the verifier.
 */
__noinline int quic_endpoint(struct xdp_md *ctx, __u32 at, __u32 len, __u32 row, __u32 what)
{
	const struct spw_service_extra *x = bpf_map_lookup_elem(&service_extras, &row);
	const struct spw_quic_line *head;
	struct quic_seen seen = {};
	union spw_quic_key key;
	__u32 id;

	if (!x || x->quic.size < 2 * SPW_LINE_SLOTS || at > QUIC_AT_MAX)
		return SPW_ENDPOINT_NONE;
	head = quic_line(&x->quic, 0);
	if (!head || !quic_load(ctx, at, len, &seen) || !quic_key(&seen, len, &head->head, &key))
		return SPW_ENDPOINT_NONE;
	id = quic_find(&x->quic, &key);
	if (quic_takes(id, what))
		return id;
	/* Behind a long header it is a client's own more often than not. */
	if (!(seen.b[0] & QUIC_LONG) && !(what & QUIC_ASKED))
		count(SPW_COUNT_QUIC_UNKNOWN);
	return SPW_ENDPOINT_NONE;
}

/* Likewise of a UDP packet to a service that has server ids. */
static inline __u32 quic_of(const struct pkt *p, const struct spw_service_row *row)
{
	__u32 at = (void *)(p->udp + 1) - (void *)p->eth;
	__u32 whole = bpf_ntohs(p->udp->len), len = p->l4_len;
	__u32 asked = !p->direct && (row->flags & SPW_SERVICE_DIRECT) ? QUIC_ASKED : 0;

	/* A first fragment has less than it says, a packet may have more. */
	if (whole < len)
		len = whole;
	return quic_endpoint(p->ctx, at, len - sizeof(*p->udp), p->service * 2 + p->side,
			     pick_for(p) | asked);
}

/*
 * A stage: whom a packet without a flow is for, into p->carry->named. There, since for the verifier every
 * packet has an unknown number there, so that it walks what follows once.
 */
static inline enum verdict quic_match(struct pkt *p)
{
	const struct spw_service_row *row;

	/* Later fragments ask spillway_direct first, as this one did. */
	if (p->carry->was_direct && p->carry->shape.fragment == FRAGMENT_FIRST)
		p->carry->fragment.endpoint = p->carry->named;
	p->carry->named = SPW_ENDPOINT_NONE;
	if (p->line || !p->udp)
		return NEXT;
	row = service_row(p, p->service);
	if (row && (row->flags & SPW_SERVICE_QUIC))
		p->carry->named = quic_of(p, row);
	return NEXT;
}

/*
 * Direct return: likewise for each packet of such a service. Later fragments have no ID, so whose the
 * first one was is remembered with its datagram.
 */
static inline __u32 quic_direct(const struct pkt *p, const struct spw_service_row *row)
{
	struct carry *c = p->carry;

	c->named = SPW_ENDPOINT_NONE;
	if ((row->flags & SPW_SERVICE_QUIC) && p->udp)
		c->fragment.endpoint = c->named = quic_of(p, row);
	else if (row->flags & SPW_SERVICE_QUIC)
		c->named = quic_of_fragment(pick_for(p));
	return *(volatile __u32 *)&c->named;
}

#endif
