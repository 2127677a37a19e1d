/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The socket that a connection of the userspace path belongs to. The kernel asks whenever it looks for a
 * listening socket: at a SYN, and at an ACK that answers a SYN cookie. The packet path has left an entry
 * that says the endpoint; without one (a local client, whose packets meet no XDP; a full table) the
 * endpoint is picked as there, among those that have a socket.
 *
 * Nothing is ever refused here: where no endpoint has a socket the host's own listeners are asked, and
 * then the stack answers. It may be asked by diagnostic tools too, in the middle of another question,
 * so there is no scratch, and counters are added to atomically.
 */
#include "flow.h"
#include "parse.h"
#include "pick.h"

#define STEER_INET  2 /* AF_INET, AF_INET6: no header of the kernel's API has them */
#define STEER_INET6 10

enum steer {
	STEER_NOBODY = 0,    /* no flow and no endpoint of the userspace path */
	STEER_NO_SOCKET = 1, /* there is one, but no socket is known for it */
	STEER_DONE = 2,
};

static inline enum steer steer_to(struct bpf_sk_lookup *ctx, __u32 endpoint, __u32 v6)
{
	__u32 key = endpoint * SPW_STEER_FAMILIES + (v6 ? SPW_STEER_IPV6 : SPW_STEER_IPV4);
	struct bpf_sock *sk = bpf_map_lookup_elem(&steer_sockets, &key);
	long err;

	if (!sk)
		return STEER_NO_SOCKET;
	err = bpf_sk_assign(ctx, sk, 0);
	bpf_sk_release(sk);
	return err ? STEER_NO_SOCKET : STEER_DONE;
}

static inline bool steer_key4(const struct bpf_sk_lookup *ctx, struct spw_flow_key *k)
{
	addr_map_v4(&k->saddr, ctx->remote_ip4);
	addr_map_v4(&k->daddr, ctx->local_ip4);
	return true;
}

static inline bool steer_key6(const struct bpf_sk_lookup *ctx, struct spw_flow_key *k)
{
	k->saddr.w[0] = ctx->remote_ip6[0];
	k->saddr.w[1] = ctx->remote_ip6[1];
	k->saddr.w[2] = ctx->remote_ip6[2];
	k->saddr.w[3] = ctx->remote_ip6[3];
	k->daddr.w[0] = ctx->local_ip6[0];
	k->daddr.w[1] = ctx->local_ip6[1];
	k->daddr.w[2] = ctx->local_ip6[2];
	k->daddr.w[3] = ctx->local_ip6[3];
	return !addr_is_v4(&k->saddr) && !addr_is_v4(&k->daddr);
}

/* The key that the packet path would have made. */
static inline bool steer_key(const struct bpf_sk_lookup *ctx, struct spw_flow_key *k)
{
	if (ctx->protocol != IPPROTO_TCP)
		return false;
	k->sport = ctx->remote_port;
	k->dport = bpf_htons(ctx->local_port);
	k->proto = IPPROTO_TCP;
	if (ctx->family == STEER_INET)
		return steer_key4(ctx, k);
	return ctx->family == STEER_INET6 && steer_key6(ctx, k);
}

static inline bool steer_is_vip(const struct spw_addr *a)
{
	__u32 *flags = may_be_ours(a) ? bpf_map_lookup_elem(&addrs, a) : NULL;

	return flags && (*flags & SPW_ADDR_VIP);
}

/* By the flow's entry. */
static inline enum steer steer_kept(struct bpf_sk_lookup *ctx, const struct spw_flow_key *k,
				    __u32 v6)
{
	struct entry e;

	if (flow_get(k, v6, &e) == TABLE_NONE || !(e.core.flags & SPW_FLOW_HANDOFF))
		return STEER_NOBODY;
	return steer_to(ctx, e.core.endpoint, v6);
}

/* Endpoints of the packet path may have sockets, too: for local clients, whose packets meet no XDP. */
static inline enum steer steer_try(struct bpf_sk_lookup *ctx, __u32 id, __u32 v6)
{
	const struct spw_endpoint *e = bpf_map_lookup_elem(&endpoints, &id);
	enum steer found;

	if (!e || !word_is_pickable(endpoint_word(id)))
		return STEER_NOBODY;
	if (e->mode != SPW_MODE_HANDOFF && e->mode != SPW_MODE_NAT)
		return STEER_NOBODY;
	found = steer_to(ctx, id, v6);
	return found == STEER_NO_SOCKET && e->mode == SPW_MODE_NAT ? STEER_NOBODY : found;
}

/* Slots as pick_from() takes them, until one leads to a socket. A global function for the verifier. */
__noinline int steer_from(struct bpf_sk_lookup *ctx, __u64 hash, const struct spw_table_ref *t,
			  __u32 tries, __u32 v6)
{
	int found = STEER_NOBODY;
	__u32 i;

	if (!t || !t->size)
		return STEER_NOBODY;
	for (i = 0; i < tries && i < SPW_PICK_LAST; i++) {
		__u32 id = pick_slot(hash, t->base, t->size);

		if (id != SPW_ENDPOINT_NONE)
			found |= steer_try(ctx, id, v6);
		if (found & STEER_DONE)
			return STEER_DONE;
		hash = spw_mix(hash, i + 1);
	}
	return found;
}

/*
 * As pick_endpoint() goes about it; but for load, by which nothing is given to the userspace path that
 * would not be without it.
 */
static inline enum steer steer_pick(struct bpf_sk_lookup *ctx, const struct spw_flow_key *k,
				    __u32 v6)
{
	__u32 side = config_side(), service;
	const struct spw_settings *s = config_settings(side);
	const struct spw_service_row *row;
	int found, more;
	__u64 hash;

	service = s ? service_of(k, side, s->service_seed) : SPW_SERVICE_NONE;
	row = service == SPW_SERVICE_NONE ? NULL : service_row_on(side, service);
	if (!row || (row->flags & SPW_SERVICE_EMPTY))
		return STEER_NOBODY;
	hash = row->pick == SPW_PICK_SOURCE ? pick_hash_source(k, s->seed) : pick_hash(k, s->seed);
	found = steer_from(ctx, hash, &row->table, SPW_PICK_PROBES + 1, v6);
	if (found == STEER_DONE)
		return STEER_DONE;
	more = steer_from(ctx, hash, &row->spare, SPW_PICK_PROBES + 1, v6);
	if (more == STEER_DONE)
		return STEER_DONE;
	found |= more;
	more = steer_from(ctx, spw_mix(hash, SPW_PICK_LAST), &row->table, SPW_PICK_LAST, v6);
	return more == STEER_DONE ? STEER_DONE : found | more;
}

SEC("sk_lookup")
int spillway_steer(struct bpf_sk_lookup *ctx)
{
	struct spw_flow_key key = {};
	enum steer found, again;
	__u32 v6;

	if (!steer_key(ctx, &key) || !steer_is_vip(&key.daddr))
		return SK_PASS;
	v6 = ctx->family == STEER_INET6;
	found = steer_kept(ctx, &key, v6);
	if (found != STEER_DONE) {
		again = steer_pick(ctx, &key, v6);
		if (again == STEER_DONE)
			count_shared(SPW_COUNT_STEER_REPICKED);
		found = again == STEER_DONE ? again : found | again;
	}
	if (found == STEER_DONE)
		count_shared(SPW_COUNT_STEERED);
	else if (found == STEER_NO_SOCKET)
		count_shared(SPW_COUNT_STEER_NO_SOCKET);
	return SK_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
