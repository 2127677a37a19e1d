/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Next hops as managed neighbours: the kernel (5.16 and later) keeps them resolved by itself, so
 * the packet path finds their MAC. Older kernels are asked to resolve once, and again on events.
 * Ours are marked by their protocol; entries that an operator made permanent are left alone.
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "dataplane/state.h"

#define AWAIT_MS  30
#define LATELY_MS 200
#define RESOLVED  (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)

struct entry {
	uint16_t state; /* 0: there is none */
	uint8_t protocol;
	uint8_t mac[6];
	bool has_mac;
};

static struct nlmsghdr *message(struct netlink_message *m, uint16_t type, uint16_t flags,
				uint32_t ifindex, const struct spw_addr *addr)
{
	struct nlmsghdr *h = netlink_start(m, type, flags);
	struct ndmsg *n = mnl_nlmsg_put_extra_header(h, sizeof(*n));

	n->ndm_family = (uint8_t)netlink_family(addr);
	n->ndm_ifindex = (int)ifindex;
	netlink_put_addr(h, NDA_DST, addr);
	return h;
}

static int read_entry(const struct nlmsghdr *m, void *ctx)
{
	const struct ndmsg *n = mnl_nlmsg_get_payload(m);
	const struct nlattr *t[NDA_PROTOCOL + 1];
	struct entry *e = ctx;

	if (m->nlmsg_type != RTM_NEWNEIGH)
		return MNL_CB_OK;
	netlink_attributes(m, sizeof(*n), t, NDA_PROTOCOL);
	e->state = n->ndm_state;
	e->has_mac = t[NDA_LLADDR] && mnl_attr_get_payload_len(t[NDA_LLADDR]) == sizeof(e->mac);
	if (e->has_mac)
		memcpy(e->mac, mnl_attr_get_payload(t[NDA_LLADDR]), sizeof(e->mac));
	e->protocol = t[NDA_PROTOCOL] ? mnl_attr_get_u8(t[NDA_PROTOCOL]) : 0;
	return MNL_CB_OK;
}

static struct entry look_up(struct netlink *nl, uint32_t ifindex, const struct spw_addr *addr)
{
	struct netlink_message m;
	struct nlmsghdr *h = message(&m, RTM_GETNEIGH, 0, ifindex, addr);
	struct entry e = {0};

	(void)netlink_do(nl, h, read_entry, &e);
	return e;
}

bool neighbour_resolved(struct dataplane *dp, uint32_t ifindex, const struct spw_addr *addr)
{
	return look_up(&dp->netlink, ifindex, addr).state & RESOLVED;
}

/* Without the flag in `flags` a managed entry becomes an ordinary one. */
static int ask(struct netlink *nl, uint32_t ifindex, const struct spw_addr *addr, uint32_t flags,
	       uint8_t protocol)
{
	struct netlink_message m;
	struct nlmsghdr *h = message(&m, RTM_NEWNEIGH, NLM_F_CREATE, ifindex, addr);
	struct ndmsg *n = mnl_nlmsg_get_payload(h);

	n->ndm_flags = NTF_USE;
	if (flags)
		mnl_attr_put_u32(h, NDA_FLAGS_EXT, flags);
	if (protocol)
		mnl_attr_put_u8(h, NDA_PROTOCOL, protocol);
	return netlink_do(nl, h, NULL, NULL);
}

static int ask_managed(struct netlink *nl, uint32_t ifindex, const struct spw_addr *addr)
{
	return ask(nl, ifindex, addr, NTF_EXT_MANAGED, NETLINK_OURS);
}

void neighbour_kick(struct dataplane *dp, uint32_t ifindex, const struct spw_addr *addr)
{
	if (!neighbour_is_ours(dp, ifindex, addr) || ask_managed(&dp->netlink, ifindex, addr))
		(void)ask(&dp->netlink, ifindex, addr, 0, 0);
}

static int add(struct dataplane *dp, const struct neighbour *n)
{
	struct entry e = look_up(&dp->netlink, n->ifindex, &n->addr);
	int err;

	if (e.state & (NUD_PERMANENT | NUD_NOARP))
		return 0;
	err = ask_managed(&dp->netlink, n->ifindex, &n->addr);
	return err ? ask(&dp->netlink, n->ifindex, &n->addr, 0, 0) : 0;
}

static void remove_one(struct netlink *nl, const struct neighbour *n)
{
	struct netlink_message m;
	struct entry e = look_up(nl, n->ifindex, &n->addr);

	if (e.protocol == NETLINK_OURS && !(e.state & NUD_PERMANENT))
		(void)netlink_do(nl, message(&m, RTM_DELNEIGH, 0, n->ifindex, &n->addr), NULL,
				 NULL);
}

/* Flows of an endpoint outlive it: what is resolved stays, as the kernel's own. */
static void release(struct netlink *nl, const struct neighbour *n)
{
	struct entry e = look_up(nl, n->ifindex, &n->addr);

	if (e.protocol != NETLINK_OURS || !(e.state & RESOLVED) ||
	    ask(nl, n->ifindex, &n->addr, 0, RTPROT_KERNEL))
		remove_one(nl, n);
}

static int compare(const void *a, const void *b)
{
	const struct neighbour *x = a, *y = b;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	return addr_compare(&x->addr, &y->addr);
}

/* The distinct next hops of all endpoints, sorted. The caller's to free(). */
static struct neighbour *wanted(struct dataplane *dp, size_t *count)
{
	struct neighbour *list = calloc(dp->endpoints_end + 1, sizeof(*list));
	size_t n = 0, kept = 0;

	if (!list)
		return NULL;
	for (uint32_t id = 1; id < dp->endpoints_end; id++) {
		const struct next_hop *hop = &dp->next_hops[id];

		if (dp->maps.endpoints[id].mode != SPW_MODE_NONE && hop->kind == ROUTE_FORWARD &&
		    interface_by_index(dp, hop->ifindex))
			list[n++] = (struct neighbour){.ifindex = hop->ifindex, .addr = hop->addr};
	}
	qsort(list, n, sizeof(*list), compare);
	for (size_t i = 0; i < n; i++) {
		if (!kept || compare(&list[kept - 1], &list[i]))
			list[kept++] = list[i];
	}
	*count = kept;
	return list;
}

/* One line however many they are: a full table refuses thousands. */
static void warn_refused(const struct neighbour *first, size_t count, int err)
{
	char text[ADDR_TEXT_MAX];

	log_warn("neighbours: %s and %zu more: cannot be asked for: %s%s",
		 addr_print(&first->addr, text), count - 1, strerror(-err),
		 err == -ENOBUFS ? ": the kernel's table is full: raise "
				   "net.ipv4.neigh.default.gc_thresh3, or the one of net.ipv6"
				 : "");
}

void neighbours_sync(struct dataplane *dp)
{
	size_t count = 0, old = 0, refused = 0, first = 0;
	int err = 0, one;
	struct neighbour *list = wanted(dp, &count);
	int order;

	if (!list)
		return;
	for (size_t i = 0; i < count || old < dp->neighbour_count;) {
		order = i == count		     ? 1
			: old == dp->neighbour_count ? -1
						     : compare(&list[i], &dp->neighbours[old]);
		if (order > 0) {
			release(&dp->netlink, &dp->neighbours[old++]);
			continue;
		}
		list[i].is_new = order < 0;
		if (!order)
			list[i] = dp->neighbours[old];
		one = order < 0 || dp->neighbours_lost ? add(dp, &list[i]) : 0;
		if (one && !refused++) {
			first = i;
			err = one;
		}
		i++;
		old += order == 0;
	}
	if (refused)
		warn_refused(&list[first], refused, err);
	free(dp->neighbours);
	dp->neighbours = list;
	dp->neighbour_count = count;
	dp->neighbours_lost = false;
}

/* A neighbour answers within a millisecond or is not there; UDP has nobody who sends again. */
void neighbours_await(struct dataplane *dp)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	const uint64_t end_ms = clock_ms() + AWAIT_MS;

	for (size_t i = 0; i < dp->neighbour_count; i++) {
		struct neighbour *n = &dp->neighbours[i];

		while (n->is_new && !neighbour_resolved(dp, n->ifindex, &n->addr)) {
			if (clock_ms() >= end_ms)
				return;
			(void)nanosleep(&pause, NULL);
		}
		n->is_new = false;
	}
}

static struct neighbour *find(const struct dataplane *dp, uint32_t ifindex,
			      const struct spw_addr *addr)
{
	const struct neighbour key = {.ifindex = ifindex, .addr = *addr};

	if (!dp->neighbour_count)
		return NULL;
	return bsearch(&key, dp->neighbours, dp->neighbour_count, sizeof(key), compare);
}

bool neighbour_is_ours(const struct dataplane *dp, uint32_t ifindex, const struct spw_addr *addr)
{
	return find(dp, ifindex, addr) != NULL;
}

/* Asked for once; from then on the kernel's messages keep it (watch.c). */
bool neighbour_mac(struct dataplane *dp, uint32_t ifindex, const struct spw_addr *addr,
		   uint8_t mac[6])
{
	struct neighbour *n = find(dp, ifindex, addr);
	struct entry e;

	if (!n)
		return false;
	if (!n->mac_known) {
		e = look_up(&dp->netlink, ifindex, addr);
		n->has_mac = e.has_mac && (e.state & RESOLVED);
		memcpy(n->mac, e.mac, sizeof(n->mac));
		n->mac_known = true;
	}
	if (n->has_mac)
		memcpy(mac, n->mac, sizeof(n->mac));
	return n->has_mac;
}

/* What the message says is kept, and goes into the rows of its endpoints when it is news to them. */
void neighbour_heard(struct dataplane *dp, const struct nlmsghdr *m, uint32_t ifindex,
		     const struct spw_addr *addr)
{
	struct neighbour *n = find(dp, ifindex, addr);
	struct entry e = {0};
	bool resolved, news;

	if (!n)
		return;
	(void)read_entry(m, &e); /* of a removal nothing */
	resolved = e.has_mac && (e.state & RESOLVED);
	news = !n->mac_known || n->has_mac != resolved ||
	       (resolved && memcmp(n->mac, e.mac, sizeof(e.mac)) != 0);
	n->has_mac = resolved;
	memcpy(n->mac, e.mac, sizeof(n->mac));
	n->mac_known = true;
	if (news)
		hop_rows_neighbour(dp, ifindex, addr);
}

/* Endpoints behind one router, and services with the same endpoints, ask for one a thousand times. */
bool neighbour_resolved_lately(struct dataplane *dp, uint32_t ifindex, const struct spw_addr *addr)
{
	struct neighbour *n = find(dp, ifindex, addr);

	if (!n)
		return neighbour_resolved(dp, ifindex, addr);
	if (!n->seen_ms || clock_ms() - n->seen_ms > LATELY_MS) {
		n->resolved = neighbour_resolved(dp, ifindex, addr);
		n->seen_ms = clock_ms();
	}
	return n->resolved;
}

struct ours {
	struct neighbour *items;
	size_t count;
};

static int collect(const struct nlmsghdr *m, void *ctx)
{
	const struct ndmsg *n = mnl_nlmsg_get_payload(m);
	const struct nlattr *t[NDA_PROTOCOL + 1];
	struct neighbour found = {0}, *items;
	struct ours *ours = ctx;

	netlink_attributes(m, sizeof(*n), t, NDA_PROTOCOL);
	if (!t[NDA_PROTOCOL] || mnl_attr_get_u8(t[NDA_PROTOCOL]) != NETLINK_OURS ||
	    !netlink_get_addr(t[NDA_DST], &found.addr))
		return MNL_CB_OK;
	found.ifindex = (uint32_t)n->ndm_ifindex;
	items = realloc(ours->items, (ours->count + 1) * sizeof(*items));
	if (!items)
		return MNL_CB_ERROR;
	ours->items = items;
	items[ours->count++] = found;
	return MNL_CB_OK;
}

/* All entries with our mark, whoever of us made them. The items are the caller's to free(). */
static int list_ours(struct netlink *nl, struct ours *ours)
{
	struct netlink_message m;
	struct nlmsghdr *h = netlink_start(&m, RTM_GETNEIGH, NLM_F_DUMP);

	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ndmsg));
	return netlink_do(nl, h, collect, ours);
}

/* Those of an earlier run are known from now on, so that unneeded ones go. */
int neighbours_open(struct dataplane *dp)
{
	struct ours ours = {0};
	int err = list_ours(&dp->netlink, &ours);

	if (err) {
		free(ours.items);
		return err;
	}
	if (ours.count)
		qsort(ours.items, ours.count, sizeof(*ours.items), compare);
	dp->neighbours = ours.items;
	dp->neighbour_count = ours.count;
	return 0;
}

int neighbours_remove_all(struct netlink *nl)
{
	struct ours ours = {0};
	int err = list_ours(nl, &ours);

	for (size_t i = 0; i < ours.count; i++)
		remove_one(nl, &ours.items[i]);
	free(ours.items);
	return err;
}
