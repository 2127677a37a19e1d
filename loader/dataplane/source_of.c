/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which source addresses new flows to an endpoint get: those of --source-address of its family,
 * else the one that its route prefers. A VIP is a source only where the way out has no other address:
 * replies to it could meet the VIP's own services, so their ports are kept out of the list.
 */
#include "base/addr.h"
#include "base/log.h"
#include "dataplane/state.h"

/*
 * Another address of the way out for a VIP that the route prefers; the VIP itself if there is none.
 * Addresses of other interfaces will not do: the endpoint may have no way back to them.
 */
static struct spw_addr instead_of_vip(const struct dataplane *dp, const struct next_hop *hop)
{
	for (size_t i = 0; i < dp->host_addr_count; i++) {
		const struct host_addr *h = &dp->host_addrs[i];

		if (h->ifindex == hop->ifindex && host_addr_usable(h) &&
		    !side_is_vip(dp, &h->addr) && addr_is_v4(&h->addr) == addr_is_v4(&hop->source))
			return h->addr;
	}
	return hop->source;
}

/* A source in force for the family, when there is no place for one more. */
static int any_place(const struct dataplane *dp, bool v4)
{
	for (int i = 0; i < SPW_SOURCES_MAX; i++) {
		const struct spw_addr *s = &dp->settings.source[i];

		if (!addr_is_unspecified(s) && addr_is_v4(s) == v4)
			return i;
	}
	return -1;
}

void sources_warn(struct dataplane *dp)
{
	size_t count = dp->sources.fixed_v4 + dp->sources.fixed_v6;
	char text[ADDR_TEXT_MAX];
	struct next_hop hop;

	for (size_t i = 0; i < count; i++) {
		const struct spw_addr *s = &dp->sources.fixed[i];

		if (!next_hop_find(dp, s, &hop) && hop.kind != ROUTE_LOCAL)
			log_warn("sources: %s: is no address of this host: replies come back only "
				 "if the network routes it here; add it to an interface otherwise",
				 addr_print(s, text));
	}
}

void sources_of_endpoint(struct dataplane *dp, const struct spw_addr *addr,
			 const struct next_hop *hop, uint8_t *first, uint8_t *count)
{
	bool v4 = addr_is_v4(addr);
	const struct spw_addr *list =
		v4 ? dp->sources.fixed : dp->sources.fixed + dp->sources.fixed_v4;
	size_t n = v4 ? dp->sources.fixed_v4 : dp->sources.fixed_v6;
	struct spw_addr one;
	int place;

	if (!n) {
		one = hop->source;
		if (hop->kind != ROUTE_FORWARD || addr_is_unspecified(&one) ||
		    (addr_is_link_local(&one) && !addr_is_link_local(addr))) {
			*first = *count = 0;
			return;
		}
		if (side_is_vip(dp, &one))
			one = instead_of_vip(dp, hop);
		list = &one;
		n = 1;
	}
	place = sources_place(dp->settings.source, list, n);
	if (place < 0) {
		log_warn("sources: more than %d source addresses: name some with --source-address",
			 SPW_SOURCES_MAX);
		place = any_place(dp, v4);
		n = 1;
	}
	*first = place < 0 ? 0 : (uint8_t)place;
	*count = place < 0 ? 0 : (uint8_t)n;
}
