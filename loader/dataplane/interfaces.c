/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interfaces of --interface: attached when they are there, whenever that is. The maps
 * `interfaces` and `tx_ports` name the attached ones and no other.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/log.h"
#include "dataplane/offload.h"
#include "dataplane/state.h"
#include "dataplane/sysctl.h"

/* XDP_TX on veth needs an XDP program at the peer and loses packets without a trace else. */
static int enter_maps(struct dataplane *dp, const struct interface *i)
{
	uint32_t flags = i->link.veth ? 0 : SPW_IF_TX;

	if (i->link.partial_csum)
		flags |= SPW_IF_PARTIAL;

	if (i->bpf_link >= 0 && !i->native)
		flags |= SPW_IF_GENERIC | SPW_IF_PARTIAL;
	return interface_row_put(dp, &i->link, flags);
}

static void switch_off(struct dataplane *dp, const struct interface *i, enum offload o,
		       const char *else_text)
{
	int err = offload_off(&dp->journal, o, i->link.name);

	if (err)
		log_warn("interface: %s: %s cannot be switched off: %s: %s", i->link.name,
			 offload_name(o), strerror(-err), else_text);
}

/* Once attached: what cannot be attached is tried again at each of its changes, and this is one. */
static void see_whole_packets(struct dataplane *dp, const struct interface *i)
{
	switch_off(dp, i, OFFLOAD_RX_VLAN, "frames with a VLAN tag are taken for untagged ones");
	if (i->native)
		offload_set_back(&dp->journal, OFFLOAD_GRO, i->link.name, i->link.ifindex);
	else
		switch_off(dp, i, OFFLOAD_GRO,
			   "segments that the kernel puts together are lost on their way to "
			   "another interface");
}

static int bring_in(struct dataplane *dp, struct interface *i, struct why why)
{
	int err;

	if (i->link.loopback || !i->link.ethernet)
		return why_set(
			why, -EINVAL,
			"%s: is not an Ethernet interface: name one that is with --interface",
			i->link.name);
	err = enter_maps(dp, i);
	if (err)
		return why_set(why, err, "%s: cannot be entered in the maps: %s", i->link.name,
			       strerror(-err));
	err = sysctl_forwarding(&dp->journal, i->link.name);
	if (err)
		log_warn("interface: %s: IP forwarding cannot be switched on: %s: packets are "
			 "counted in drop_fwd_disabled until it is",
			 i->link.name, strerror(-err));
	err = attach(dp, i, why);
	if (err) {
		interface_row_remove(dp, i->link.ifindex);
		return err;
	}
	see_whole_packets(dp, i);
	(void)enter_maps(dp, i); /* the mode is known now */
	i->problem[0] = '\0';
	if (i->native)
		log_info("interface: %s: attached (native XDP)", i->link.name);
	else
		log_warn("interface: %s: attached in GENERIC mode, several times slower than "
			 "native: %s",
			 i->link.name, i->generic_why);
	return 0;
}

static void take_out(struct dataplane *dp, struct interface *i)
{
	char path[PATH_MAX];

	if (i->bpf_link >= 0 && dp->bpffs) {
		link_pin_path(dp, i->link.name, path, sizeof(path));
		(void)link_unpin(path);
	}
	if (i->link.ifindex) {
		for (enum offload o = 0; o < OFFLOADS; o++)
			offload_set_back(&dp->journal, o, i->link.name, i->link.ifindex);
		interface_row_remove(dp, i->link.ifindex);
	}
	fd_close(i->bpf_link);
	i->bpf_link = -1;
	i->link.ifindex = 0;
	i->link.up = false;
}

static void say_missing(struct interface *i)
{
	(void)snprintf(i->problem, sizeof(i->problem),
		       "there is no such interface; it is attached when it appears");
}

bool interface_on_link(const struct dataplane *dp, const struct interface *i,
		       const struct spw_addr *addr)
{
	for (size_t n = 0; n < dp->host_addr_count; n++) {
		if (dp->host_addrs[n].ifindex == i->link.ifindex &&
		    host_addr_on_link(&dp->host_addrs[n], addr))
			return true;
	}
	return false;
}

static const struct interface *attached(const struct dataplane *dp, uint32_t ifindex)
{
	for (size_t i = 0; i < dp->interface_count; i++) {
		if (dp->interfaces[i].bpf_link >= 0 && dp->interfaces[i].link.ifindex == ifindex)
			return &dp->interfaces[i];
	}
	return NULL;
}

/* Of a VLAN device the interface below; one tag is changed on the way, not two. */
const struct interface *interface_by_index(const struct dataplane *dp, uint32_t ifindex)
{
	const struct interface *i = attached(dp, ifindex);
	const struct link_info *vlan = i ? NULL : vlan_device_find(dp, ifindex);

	return vlan ? attached(dp, vlan->vlan_parent_ifindex) : i;
}

/* Links pinned by an earlier run for interfaces that are not named any more. */
static void prune_links(struct dataplane *dp)
{
	char dir[PATH_MAX], path[PATH_MAX], ours[PATH_MAX];
	const struct dirent *e;
	bool wanted;
	DIR *d;

	(void)snprintf(dir, sizeof(dir), "%s/links", dp->bpffs);
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >= (int)sizeof(path))
			continue;
		steer_pin_path(dp, ours, sizeof(ours));
		wanted = !strcmp(ours, path);
		for (size_t i = 0; i < dp->interface_count; i++) {
			link_pin_path(dp, dp->interfaces[i].link.name, ours, sizeof(ours));
			wanted = wanted || !strcmp(ours, path);
		}
		if (!wanted && !link_unpin(path))
			log_info("interface: %s: not named by --interface any more: detached",
				 e->d_name);
	}
	if (d)
		(void)closedir(d);
}

static bool is_named(const struct dataplane *dp, const char *name)
{
	for (size_t i = 0; i < dp->interface_count; i++) {
		if (!strcmp(dp->interfaces[i].link.name, name))
			return true;
	}
	return false;
}

/* What an earlier run changed on interfaces that are not named any more. */
static void prune_offloads(struct dataplane *dp)
{
	char name[IFNAMSIZ];
	enum offload o;

	for (size_t i = dp->journal.count; i-- > 0;) {
		const struct change *c = &dp->journal.items[i];

		if (!offload_of(c, &o) || is_named(dp, c->name))
			continue;
		(void)snprintf(name, sizeof(name), "%s", c->name);
		offload_set_back(&dp->journal, o, name, if_nametoindex(name));
	}
}

static int open_one(struct dataplane *dp, struct interface *i, const char *name, struct why why)
{
	struct link_info found;
	int err;

	i->bpf_link = -1;
	if (!name[0] || strlen(name) >= IFNAMSIZ || strchr(name, '/'))
		return why_set(why, -EINVAL, "%s: is not an interface name", name);
	(void)strcpy(i->link.name, name);
	err = link_find(&dp->netlink, name, &found);
	if (err == -ENODEV) {
		say_missing(i);
		log_warn("interface: %s: %s", name, i->problem);
		return 0;
	}
	if (err)
		return why_set(why, err, "%s: cannot be looked up: %s", name, strerror(-err));
	i->link = found;
	return bring_in(dp, i, why);
}

int interfaces_open(struct dataplane *dp, const struct dataplane_options *opts, struct why why)
{
	int err;

	dp->interfaces = calloc(opts->interface_count + 1, sizeof(*dp->interfaces));
	if (!dp->interfaces)
		return why_set(why, -ENOMEM, "out of memory");
	for (size_t i = 0; i < opts->interface_count; i++) {
		dp->interface_count = i + 1;
		err = open_one(dp, &dp->interfaces[i], opts->interfaces[i], why);
		if (err)
			return err;
	}
	vlan_devices_put(dp);
	interface_rows_prune(dp);
	if (dp->bpffs)
		prune_links(dp);
	prune_offloads(dp);
	transmit_refresh(dp);
	return 0;
}

static void came(struct dataplane *dp, struct interface *i, const struct link_info *link)
{
	AUTO(arena_free) struct arena *a = arena_new();
	const char *text = "out of memory";
	struct why why = {a, &text};

	i->link = *link;
	if (a && !bring_in(dp, i, why)) {
		vlan_devices_put(dp);
		vips_interfaces_changed(dp);
		return;
	}
	(void)snprintf(i->problem, sizeof(i->problem), "%s", text);
	log_error("interface: %s", text);
	i->link.ifindex = 0;
}

void interfaces_link_changed(struct dataplane *dp, const struct link_info *link, bool gone)
{
	bool ours = false;

	for (size_t n = 0; n < dp->interface_count; n++) {
		struct interface *i = &dp->interfaces[n];
		bool same_name = !strcmp(i->link.name, link->name);
		bool same_index = i->link.ifindex == link->ifindex;

		ours = ours || same_name || same_index;
		if (i->link.ifindex && same_index && (gone || !same_name)) {
			log_warn("interface: %s: gone; it is attached when it comes back",
				 i->link.name);
			take_out(dp, i);
			say_missing(i);
			continue;
		}
		if (gone || !same_name)
			continue;
		if (same_index) {
			if (link->up && !i->link.up) {
				dp->neighbours_lost = true;
				vips_interfaces_changed(dp);
			}
			i->link = *link;
			if (i->bpf_link >= 0)
				(void)enter_maps(dp, i); /* its MAC may be another */
			continue;
		}
		take_out(dp, i);
		came(dp, i, link);
	}
	if (ours)
		transmit_refresh(dp);
}

void interfaces_close(struct dataplane *dp)
{
	for (size_t i = 0; i < dp->interface_count; i++)
		fd_close(dp->interfaces[i].bpf_link);
	free(dp->interfaces);
	dp->interfaces = NULL;
	dp->interface_count = 0;
}
