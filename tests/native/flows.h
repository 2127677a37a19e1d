/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flows of a few clients to a few endpoints by a few ports, so that threads meet. All that an entry
 * says follows from client, endpoint and port: a copy put together of two tenants is seen.
 */
#ifndef SPILLWAY_TESTS_NATIVE_FLOWS_H
#define SPILLWAY_TESTS_NATIVE_FLOWS_H

#include <netinet/in.h>
#include <string.h>

#include "lines.h"

#include "../../bpf/evict.h"
#include "../../bpf/insert.h"

#define CLIENTS	     160
#define ENDPOINTS    2
#define PORTS	     64
#define FIRST_CLIENT 1000
#define FIRST_PORT   20000

struct flow {
	__u32 v6, client, endpoint, port;
};

static struct spw_addr flow_addr(__u32 v6, __u32 net, __u32 host)
{
	struct spw_addr a = {};

	addr_map_v4(&a, htonl(10u << 24 | net << 16 | host));
	if (v6) {
		a.w[0] = htonl(0xfd000000 | net);
		a.w[1] = htonl(host);
	}
	return a;
}

static struct spw_flow_key forward_key(const struct flow *f)
{
	return (struct spw_flow_key){.saddr = flow_addr(f->v6, 1, f->client),
				     .daddr = flow_addr(f->v6, 4, 1),
				     .sport = htons((__u16)(FIRST_CLIENT + f->client)),
				     .dport = htons(80),
				     .proto = IPPROTO_TCP};
}

static struct spw_flow_key reverse_key(const struct flow *f)
{
	return (struct spw_flow_key){.saddr = flow_addr(f->v6, 2, f->endpoint),
				     .daddr = flow_addr(f->v6, 3, 1),
				     .sport = htons(8080),
				     .dport = htons((__u16)(FIRST_PORT + f->port)),
				     .proto = IPPROTO_TCP};
}

/* The rewritten packet is the partner's answered. */
static struct entry flow_entry(const struct flow *f, __u8 dir)
{
	const struct spw_flow_key there = forward_key(f), back = reverse_key(f);
	const struct spw_flow_key *key = dir == SPW_FLOW_FORWARD ? &there : &back;
	const struct spw_flow_key *partner = dir == SPW_FLOW_FORWARD ? &back : &there;
	__u64 sign = table_mix(table_mix(f->client, f->endpoint << 16 | f->port), dir + 1);
	struct entry e = {};

	e.core = (struct spw_flow_core){.sport = key->sport,
					.dport = key->dport,
					.proto = key->proto,
					.dir = dir,
					.endpoint = (__u16)f->endpoint,
					.to_sport = partner->dport,
					.to_dport = partner->sport,
					.l3_diff = (__u16)sign,
					.l4_diff = (__u16)(sign >> 16),
					.service = (__u32)(sign >> 8),
					.born = (__u32)(sign >> 32),
					.client_vlan = (__u16)(sign >> 48),
					.client_ifindex = (__u32)(sign >> 24)};
	memcpy(e.core.client_mac, &sign, sizeof(e.core.client_mac));
	e.to_saddr = partner->daddr;
	e.to_daddr = partner->saddr;
	return e;
}

/* The flow that an entry found by this key belongs to. */
static struct flow flow_told(const struct spw_flow_key *key, const struct entry *e, __u32 v6)
{
	bool there = e->core.dir == SPW_FLOW_FORWARD;

	return (struct flow){
		.v6 = v6,
		.client = ntohs(there ? key->sport : e->core.to_dport) - FIRST_CLIENT,
		.endpoint = e->core.endpoint,
		.port = ntohs(there ? e->core.to_sport : key->dport) - FIRST_PORT,
	};
}

/* Does the entry say what whoever opened the flow made it say, and is it this key's? */
static bool entry_is_whole(const struct spw_flow_key *key, const struct entry *e, __u32 v6)
{
	struct flow f = flow_told(key, e, v6);
	struct entry want = flow_entry(&f, e->core.dir);
	struct spw_flow_key own =
		e->core.dir == SPW_FLOW_FORWARD ? forward_key(&f) : reverse_key(&f);

	want.core.word = e->core.word;
	return !memcmp(&want, e, sizeof(want)) && !memcmp(&own, key, sizeof(own));
}

#endif
