/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spillway-decap: the real server's end of a gateway's tunnels. It puts the programs in force and then
 * follows what changes on the host: addresses, MTUs, interfaces that come. What it has put in force
 * stays when it ends, however it ends, and is taken over at the next start.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <systemd/sd-daemon.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "dataplane/bpffs.h"
#include "dataplane/netns_lock.h"
#include "dataplane/privileges.h"
#include "decap.skel.h"
#include "decap/decap.h"

#define HEAR_BYTES 32768

static void decap_close(struct decap *d)
{
	for (size_t i = 0; d->interfaces && i < d->options->interface_count; i++)
		fd_close(d->interfaces[i].link);
	free(d->interfaces);
	decap_bpf__destroy(d->skel);
	if (d->watch)
		(void)mnl_socket_close(d->watch);
	netlink_close(&d->netlink);
	journal_done(&d->journal);
	fd_close(d->lock);
	fd_close(d->netns_lock);
}

static int watch_open(struct decap *d, struct why why)
{
	const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR};

	d->watch = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!d->watch || mnl_socket_bind(d->watch, 0, MNL_SOCKET_AUTOPID) < 0)
		return why_set(why, -errno, "netlink cannot be opened: %s", strerror(errno));
	for (size_t i = 0; i < 3; i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(d->watch, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) <
		    0)
			return why_set(why, -errno, "netlink does not tell of changes: %s",
				       strerror(errno));
	}
	return 0;
}

static int open_files(struct decap *d, struct why why)
{
	const struct decap_options *o = d->options;
	int err;

	if (mkdir(o->run_dir, 0755) && errno != EEXIST)
		return why_set(why, -errno, "%s: cannot be made: %s", o->run_dir, strerror(errno));
	err = journal_open(&d->journal, o->run_dir);
	if (err)
		return why_set(why, err, "%s: cannot be read: %s", d->journal.path, strerror(-err));
	err = bpffs_prepare(o->bpffs, &d->journal, why);
	if (!err)
		err = lock_directory(o->bpffs, &d->lock, why);
	if (err)
		return err;
	err = netlink_open(&d->netlink);
	return err ? why_set(why, err, "netlink cannot be opened: %s", strerror(-err)) : 0;
}

static int open_all(struct decap *d, struct why why)
{
	const struct decap_options *o = d->options;
	int err = privileges_check(why);

	if (!err)
		err = netns_lock(DECAP_PROGRAM, &d->netns_lock, why);
	if (!err)
		err = open_files(d, why);
	if (!err)
		err = watch_open(d, why);
	if (!err)
		err = load_programs(d, why);
	if (err)
		return err;
	d->interfaces = calloc(o->interface_count, sizeof(*d->interfaces));
	if (!d->interfaces)
		return -ENOMEM;
	for (size_t i = 0; i < o->interface_count; i++)
		d->interfaces[i] = (struct decap_interface){.name = o->interfaces[i], .link = -1};
	if (!o->gateway_count)
		log_warn("gateways: none are named: whoever reaches this host by a tunnel can send "
			 "packets in any client's name: use --gateway");
	return 0;
}

/* Also before a VIP is added: it must not be answered for, not for a moment. */
static int set_up(struct decap *d, struct decap_interface *i, const struct link_info *link,
		  struct why why)
{
	int err = vips_quiet_neighbours(d, i->name, why);

	if (err)
		return err;
	vips_warn_filter(i->name);
	return attach_interface(d, i, link, why);
}

static int refresh_interface(struct decap *d, struct decap_interface *i, struct why why)
{
	struct link_info link;
	int err = link_find(&d->netlink, i->name, &link);

	if (err == -ENODEV) {
		if (!i->missing)
			log_warn("interface: %s: is not there: attached when it appears", i->name);
		fd_close(fd_take(&i->link));
		i->ifindex = i->mtu = 0;
		i->missing = true;
		return 0;
	}
	if (err)
		return why_set(why, err, "%s: %s", i->name, strerror(-err));
	i->missing = false;
	if (link.ifindex != i->ifindex) {
		err = set_up(d, i, &link, why);
		i->mtu = 0;
	}
	if (err || link.mtu == i->mtu)
		return err;
	err = mss_set(d, i, link.mtu, why);
	i->mtu = link.mtu;
	return err;
}

static int refresh(struct decap *d, struct why why)
{
	int err = hosts_refresh(d, why);

	for (size_t i = 0; !err && i < d->options->interface_count; i++)
		err = refresh_interface(d, &d->interfaces[i], why);
	return err;
}

static int start(struct decap *d, struct why why)
{
	int err = 0;

	for (size_t i = 0; !err && i < d->options->interface_count; i++)
		err = vips_quiet_neighbours(d, d->options->interfaces[i], why);
	if (!err)
		err = vips_claim(d, why);
	if (!err)
		err = refresh(d, why);
	if (err)
		return err;
	if (d->options->mss == DECAP_MSS_OFF)
		mss_remove(&d->journal, &d->netlink);
	attach_remove_others(d);
	vips_warn(d);
	return 0;
}

/* Messages are only a reason to look, so a lost one (ENOBUFS) is as good. */
static void hear(struct decap *d)
{
	char buf[HEAR_BYTES];
	ssize_t len;

	do {
		len = mnl_socket_recvfrom(d->watch, buf, sizeof(buf));
	} while (len > 0 || (len < 0 && errno == ENOBUFS));
}

static int catch_up(struct decap *d)
{
	AUTO(arena_free) struct arena *a = arena_new();
	const char *text = NULL;
	int err;

	if (!a)
		return -ENOMEM;
	err = refresh(d, (struct why){a, &text});
	if (err)
		log_error("refresh: %s", text ? text : strerror(-err));
	return 0;
}

static int follow(struct decap *d, int signals)
{
	struct pollfd polled[] = {{.fd = signals, .events = POLLIN},
				  {.fd = mnl_socket_get_fd(d->watch), .events = POLLIN}};
	int err = 0;

	while (!err) {
		if (poll(polled, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (polled[0].revents)
			return 0;
		hear(d);
		err = catch_up(d);
	}
	return err;
}

static int run(struct arena *a, const struct decap_options *o, int signals)
{
	struct decap d = {.options = o, .lock = -1, .netns_lock = -1};
	const char *text = NULL;
	struct why why = {a, &text};
	int err = open_all(&d, why);

	if (!err)
		err = start(&d, why);
	if (!err) {
		(void)fputs("ready\n", stderr); /* at any log level: scripts wait for it */
		(void)sd_notify(0, "READY=1\nSTATUS=taking packets out of tunnels");
		err = follow(&d, signals);
		log_info("spillway-decap: ending, traffic goes on");
		(void)sd_notify(0, "STOPPING=1");
	}
	if (err)
		log_error("%s", text ? text : strerror(-err));
	decap_close(&d);
	return err;
}

static int block_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int act(struct arena *a, const struct decap_options *o)
{
	AUTO(fd_close) int signals = -1;
	const char *why = NULL;
	int err = 0;

	switch (o->action) {
	case DECAP_RUN:
		signals = block_signals();
		return run(a, o, signals);
	case DECAP_DETACH:
		err = decap_detach(a, o, &why);
		break;
	case DECAP_STATS:
		err = stats_print(a, o, &why);
		break;
	case DECAP_VERSION:
		(void)puts("spillway-decap " SPILLWAY_VERSION);
		break;
	case DECAP_HELP:
		decap_options_help();
		break;
	}
	if (err)
		log_error("%s", why ? why : strerror(-err));
	return err;
}

int main(int argc, char **argv)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct decap_options o;
	const char *why = NULL;

	if (!a)
		return 1;
	if (decap_options_parse(a, argc, argv, &o, &why)) {
		log_error("%s", why);
		return 1;
	}
	log_set_level(o.log_level);
	libbpf_log_start();
	return act(a, &o) ? 1 : 0;
}
