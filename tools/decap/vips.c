/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --add-vip: a VIP is an address of lo, of a kind that is never taken as a source by itself (host scope,
 * IPv6 deprecated); a prefix is a local route. Both carry our number. Neighbours are to find the
 * gateway at a VIP, not us: IPv6 asks the receiving interface's addresses only, IPv4 must be told so.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "dataplane/sysctl.h"
#include "decap/decap.h"
#include "decap/prefix.h"

#define SYSCTL_NAME 96

static struct nlmsghdr *route_message(struct netlink_message *m, uint16_t type, uint16_t flags,
				      const struct spw_decap_prefix *p)
{
	struct nlmsghdr *h = netlink_start(m, type, flags);
	struct rtmsg *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	r->rtm_family = (unsigned char)netlink_family(&p->addr);
	r->rtm_dst_len = (unsigned char)prefix_len(p);
	r->rtm_table = RT_TABLE_LOCAL;
	r->rtm_protocol = DECAP_PROTOCOL;
	r->rtm_scope = RT_SCOPE_HOST;
	r->rtm_type = RTN_LOCAL;
	netlink_put_addr(h, RTA_DST, &p->addr);
	mnl_attr_put_u32(h, RTA_OIF, if_nametoindex("lo"));
	return h;
}

static struct nlmsghdr *addr_message(struct netlink_message *m, uint16_t type, uint16_t flags,
				     const struct spw_addr *vip)
{
	const struct ifa_cacheinfo life = {.ifa_prefered = 0, .ifa_valid = UINT32_MAX};
	struct nlmsghdr *h = netlink_start(m, type, flags);
	struct ifaddrmsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));

	i->ifa_family = (unsigned char)netlink_family(vip);
	i->ifa_prefixlen = addr_is_v4(vip) ? 32 : 128;
	i->ifa_scope = addr_is_v4(vip) ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	i->ifa_index = if_nametoindex("lo");
	netlink_put_addr(h, IFA_LOCAL, vip);
	netlink_put_addr(h, IFA_ADDRESS, vip);
	mnl_attr_put_u8(h, IFA_PROTO, DECAP_PROTOCOL);
	if (addr_is_v4(vip))
		return h;
	mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
	mnl_attr_put(h, IFA_CACHEINFO, sizeof(life), &life);
	return h;
}

/* What somebody else has put there stays theirs. */
static int claim(struct netlink *nl, const struct spw_decap_prefix *p)
{
	const uint16_t flags = NLM_F_CREATE | NLM_F_EXCL;
	char text[PREFIX_TEXT_MAX];
	struct netlink_message m;
	int err = netlink_do(nl,
			     prefix_is_one(p) ? addr_message(&m, RTM_NEWADDR, flags, &p->addr)
					      : route_message(&m, RTM_NEWROUTE, flags, p),
			     NULL, NULL);

	if (!err)
		log_info("vip: %s: added to lo", prefix_print(p, text));
	return err == -EEXIST ? 0 : err;
}

static void give_up(struct netlink *nl, const struct spw_decap_prefix *p)
{
	char text[PREFIX_TEXT_MAX];
	struct netlink_message m;
	int err = netlink_do(nl,
			     prefix_is_one(p) ? addr_message(&m, RTM_DELADDR, 0, &p->addr)
					      : route_message(&m, RTM_DELROUTE, 0, p),
			     NULL, NULL);

	if (err)
		log_warn("vip: %s: cannot be removed from lo: %s", prefix_print(p, text),
			 strerror(-err));
	else
		log_info("vip: %s: removed from lo", prefix_print(p, text));
}

struct claims {
	struct spw_decap_prefix *items; /* owned */
	size_t count;
};

static int push(struct claims *c, const struct spw_decap_prefix *p)
{
	struct spw_decap_prefix *items = realloc(c->items, (c->count + 1) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	c->items = items;
	items[c->count++] = *p;
	return 0;
}

static int collect_route(const struct nlmsghdr *m, void *ctx)
{
	const struct rtmsg *r = mnl_nlmsg_get_payload(m);
	const struct nlattr *t[RTA_DST + 1];
	struct spw_decap_prefix p;

	if (m->nlmsg_type != RTM_NEWROUTE || r->rtm_protocol != DECAP_PROTOCOL ||
	    r->rtm_type != RTN_LOCAL)
		return MNL_CB_OK;
	netlink_attributes(m, sizeof(*r), t, RTA_DST);
	if (!netlink_get_addr(t[RTA_DST], &p.addr))
		return MNL_CB_OK;
	p.bits = r->rtm_dst_len + (addr_is_v4(&p.addr) ? 96u : 0u);
	return push(ctx, &p) ? MNL_CB_ERROR : MNL_CB_OK;
}

static int list_addrs(struct netlink *nl, struct claims *c)
{
	AUTO(free) struct host_addr *list = NULL;
	size_t count = 0;
	int err = host_addrs_read(nl, &list, &count);

	for (size_t i = 0; !err && i < count; i++) {
		const struct spw_decap_prefix p = prefix_of(&list[i].addr);

		if (list[i].protocol == DECAP_PROTOCOL)
			err = push(c, &p);
	}
	return err;
}

/* All of ours, named or not. */
static int list_claims(struct netlink *nl, struct claims *c)
{
	const unsigned char families[] = {AF_INET, AF_INET6};
	int err = list_addrs(nl, c);
	struct netlink_message m;
	struct nlmsghdr *h;
	struct rtmsg *r;

	for (size_t i = 0; !err && i < 2; i++) {
		h = netlink_start(&m, RTM_GETROUTE, NLM_F_DUMP);
		r = mnl_nlmsg_put_extra_header(h, sizeof(*r));
		r->rtm_family = families[i];
		err = netlink_do(nl, h, collect_route, c);
	}
	return err;
}

static bool is_wanted(const struct decap_options *o, const struct spw_decap_prefix *p)
{
	for (size_t i = 0; o && o->add_vip && i < o->vip_count; i++) {
		if (prefix_equal(&o->vips[i], p))
			return true;
	}
	return false;
}

/* o: NULL for all. */
static int give_up_unwanted(struct netlink *nl, const struct decap_options *o)
{
	AUTO(free) struct spw_decap_prefix *items = NULL;
	struct claims c = {0};
	int err = list_claims(nl, &c);

	items = c.items;
	for (size_t i = 0; !err && i < c.count; i++) {
		if (!is_wanted(o, &items[i]))
			give_up(nl, &items[i]);
	}
	return err;
}

int vips_give_up(struct netlink *nl)
{
	return give_up_unwanted(nl, NULL);
}

int vips_claim(struct decap *d, struct why why)
{
	const struct decap_options *o = d->options;
	char text[PREFIX_TEXT_MAX];
	int err = give_up_unwanted(&d->netlink, o);

	if (err)
		return why_set(why, err, "the addresses of lo cannot be read: %s", strerror(-err));
	for (size_t i = 0; o->add_vip && i < o->vip_count; i++) {
		err = claim(&d->netlink, &o->vips[i]);
		if (err)
			return why_set(why, err, "%s: cannot be added to lo: %s",
				       prefix_print(&o->vips[i], text), strerror(-err));
	}
	return 0;
}

/* The value in force is the greater one of the interface's and of `all`. */
static int effective(const char *interface, const char *name)
{
	const char *const scopes[] = {"all", interface};
	char path[SYSCTL_NAME], value[16];
	int most = 0;

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "net/ipv4/conf/%s/%s", scopes[i], name);
		if (!sysctl_read(path, value, sizeof(value)) && atoi(value) > most)
			most = atoi(value);
	}
	return most;
}

int vips_quiet_neighbours(struct decap *d, const char *interface, struct why why)
{
	static const struct {
		const char *name, *value;
	} wanted[] = {{"arp_ignore", "1"}, {"arp_announce", "2"}};
	char path[SYSCTL_NAME];
	int err;

	for (size_t i = 0; d->options->add_vip && i < 2; i++) {
		if (effective(interface, wanted[i].name) >= atoi(wanted[i].value))
			continue;
		(void)snprintf(path, sizeof(path), "net/ipv4/conf/%s/%s", interface,
			       wanted[i].name);
		err = sysctl_want(&d->journal, path, wanted[i].value);
		if (err < 0 && err != -ENOENT) /* an interface that is yet to come */
			return why_set(why, err, "net.ipv4.conf.%s.%s cannot be set to %s: %s",
				       interface, wanted[i].name, wanted[i].value, strerror(-err));
	}
	return 0;
}

static int read_type(const struct nlmsghdr *m, void *ctx)
{
	const struct rtmsg *r = mnl_nlmsg_get_payload(m);

	if (m->nlmsg_type == RTM_NEWROUTE)
		*(int *)ctx = r->rtm_type;
	return MNL_CB_OK;
}

static bool is_local(struct netlink *nl, const struct spw_addr *addr)
{
	struct netlink_message m;
	struct nlmsghdr *h = netlink_start(&m, RTM_GETROUTE, 0);
	struct rtmsg *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));
	int type = RTN_UNSPEC;

	r->rtm_family = (unsigned char)netlink_family(addr);
	r->rtm_dst_len = addr_is_v4(addr) ? 32 : 128;
	netlink_put_addr(h, RTA_DST, addr);
	return !netlink_do(nl, h, read_type, &type) && type == RTN_LOCAL;
}

void vips_warn(struct decap *d)
{
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; !d->options->add_vip && i < d->options->vip_count; i++) {
		if (!is_local(&d->netlink, &d->options->vips[i].addr))
			log_warn("vip: %s: is no address of this host, so its packets are not "
				 "taken: use --add-vip, or add it to lo",
				 prefix_print(&d->options->vips[i], text));
	}
}

void vips_warn_filter(const char *interface)
{
	if (effective(interface, "rp_filter") == 1)
		log_warn("interface: %s: net.ipv4.conf.%s.rp_filter is 1: clients that this host "
			 "would answer by another interface are not heard: set it to 2",
			 interface, interface);
}
