/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where endpoints are reached. Looked up when an endpoint comes and again, for all of them, when
 * routes, addresses or interfaces change: a little later, so that a burst of changes is one
 * refresh, and in portions, so that health checks are not kept waiting.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/log.h"
#include "dataplane/state.h"

#define DEBOUNCE_MS 50
#define PORTION	    512

static void read_via(const struct nlattr *attr, struct spw_addr *out)
{
	const struct rtvia *via = mnl_attr_get_payload(attr);
	__be32 v4;

	if (via->rtvia_family == AF_INET6) {
		*out = addr_from_v6(via->rtvia_addr);
	} else if (via->rtvia_family == AF_INET) {
		memcpy(&v4, via->rtvia_addr, 4);
		*out = addr_from_v4(v4);
	}
}

static uint32_t route_mtu(const struct nlattr *metrics)
{
	const struct nlattr *attr;

	if (!metrics)
		return 0;
	mnl_attr_for_each_nested(attr, metrics)
	{
		if (mnl_attr_get_type(attr) == RTAX_MTU)
			return mnl_attr_get_u32(attr);
	}
	return 0;
}

static int read_route(const struct nlmsghdr *m, void *ctx)
{
	const struct rtmsg *r = mnl_nlmsg_get_payload(m);
	const struct nlattr *t[RTA_VIA + 1];
	struct next_hop *hop = ctx;

	if (m->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	netlink_attributes(m, sizeof(*r), t, RTA_VIA);
	hop->kind = r->rtm_type == RTN_UNICAST ? ROUTE_FORWARD
		    : r->rtm_type == RTN_LOCAL ? ROUTE_LOCAL
					       : ROUTE_NONE;
	if (t[RTA_OIF])
		hop->ifindex = mnl_attr_get_u32(t[RTA_OIF]);
	if (t[RTA_VIA])
		read_via(t[RTA_VIA], &hop->addr);
	else
		(void)netlink_get_addr(t[RTA_GATEWAY], &hop->addr);
	(void)netlink_get_addr(t[RTA_PREFSRC], &hop->source);
	hop->mtu = route_mtu(t[RTA_METRICS]);
	return MNL_CB_OK;
}

int next_hop_find(struct dataplane *dp, const struct spw_addr *to, struct next_hop *out)
{
	struct netlink_message m;
	struct nlmsghdr *h = netlink_start(&m, RTM_GETROUTE, 0);
	struct next_hop hop = {.kind = ROUTE_NONE, .addr = *to};
	struct rtmsg *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));
	int err;

	r->rtm_family = (unsigned char)netlink_family(to);
	r->rtm_dst_len = addr_is_v4(to) ? 32 : 128;
	netlink_put_addr(h, RTA_DST, to);
	err = netlink_do(&dp->netlink, h, read_route, &hop);
	if (err && err != -ENETUNREACH && err != -EHOSTUNREACH && err != -EACCES && err != -EINVAL)
		return err;
	if (err)
		hop = (struct next_hop){.kind = ROUTE_NONE, .addr = *to};
	*out = hop;
	return 0;
}

/* Packets are sent there. */
static bool in_use(const struct dataplane *dp, uint32_t id)
{
	uint8_t mode = dp->maps.endpoints[id].mode;

	return mode != SPW_MODE_NONE && mode != SPW_MODE_HANDOFF;
}

/* Sources that no row names lose their place at the switch after the next. */
static void drop_unused_sources(struct dataplane *dp)
{
	uint32_t used = 0;

	for (uint32_t id = 1; id < dp->endpoints_end; id++) {
		const struct spw_endpoint *row = &dp->maps.endpoints[id];

		for (uint32_t i = 0; in_use(dp, id) && i < row->source_count; i++)
			used |= 1u << ((row->source_first + i) % SPW_SOURCES_MAX);
	}
	(void)sources_keep(dp->settings.source, used);
}

/* The sources first: a row must not name a place that packets find empty. */
static void finish(struct dataplane *dp)
{
	uint8_t first, count;

	dp->refresh_next = 0;
	for (uint32_t id = 1; id < dp->endpoints_end; id++) {
		if (in_use(dp, id))
			sources_of_endpoint(dp, &dp->maps.endpoints[id].addr, &dp->next_hops[id],
					    &first, &count);
	}
	if (addrs_put(dp, NULL))
		log_error("sources: the map of addresses is full: replies to new sources pass by");
	if (side_differs(dp))
		side_switch(dp, NULL);
	for (uint32_t id = 1; id < dp->endpoints_end; id++) {
		if (in_use(dp, id))
			endpoint_set_sources(dp, id);
	}
	drop_unused_sources(dp);
	neighbours_sync(dp);
	hop_rows_write_all(dp);
}

static void start(struct dataplane *dp)
{
	struct host_addr *addrs;
	size_t count;

	if (!host_addrs_read(&dp->netlink, &addrs, &count)) {
		free(dp->host_addrs);
		dp->host_addrs = addrs;
		dp->host_addr_count = count;
	}
	dp->refresh_next = 1;
}

/* One portion; true when all endpoints have been looked up. */
static bool look_up(struct dataplane *dp)
{
	uint32_t end = dp->refresh_next + PORTION;

	for (; dp->refresh_next < dp->endpoints_end && dp->refresh_next < end; dp->refresh_next++) {
		uint32_t id = dp->refresh_next;

		if (in_use(dp, id))
			(void)next_hop_find(dp, &dp->maps.endpoints[id].addr, &dp->next_hops[id]);
	}
	return dp->refresh_next >= dp->endpoints_end;
}

static void on_refresh(uv_timer_t *timer)
{
	struct dataplane *dp = timer->data;

	if (!dp->refresh_next)
		start(dp);
	if (!look_up(dp)) {
		(void)uv_timer_start(timer, on_refresh, 1, 0);
		return;
	}
	finish(dp);
	if (dp->refresh_again)
		(void)uv_timer_start(timer, on_refresh, DEBOUNCE_MS, 0);
	dp->refresh_again = false;
}

/* A change during a refresh is seen by the one after it. */
void next_hops_refresh_soon(struct dataplane *dp)
{
	if (dp->closing)
		return;
	if (dp->refresh_next)
		dp->refresh_again = true;
	else if (!uv_is_active((uv_handle_t *)&dp->refresh_timer))
		(void)uv_timer_start(&dp->refresh_timer, on_refresh, DEBOUNCE_MS, 0);
}

int next_hops_open(struct dataplane *dp)
{
	int err;

	dp->next_hops = calloc(dp->meta.max_endpoints, sizeof(*dp->next_hops));
	if (!dp->next_hops)
		return -ENOMEM;
	err = uv_timer_init(dp->loop, &dp->refresh_timer);
	if (err)
		return err;
	handle_opened(dp, &dp->refresh_timer);
	start(dp);
	dp->endpoints_end = dp->meta.max_endpoints;
	while (!look_up(dp))
		;
	finish(dp);
	sources_warn(dp);
	return 0;
}
