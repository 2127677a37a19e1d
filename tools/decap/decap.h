/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of spillway-decap share. All that they put into the kernel stays in force when the
 * program ends, and a program that starts anew finds it; detach.c takes it away.
 */
#ifndef SPILLWAY_DECAP_DECAP_H
#define SPILLWAY_DECAP_DECAP_H

#include "dataplane/journal.h"
#include "dataplane/links.h"
#include "dataplane/netlink.h"
#include "dataplane/why.h"
#include "decap/options.h"

struct decap_bpf;

/* Marks addresses and routes as ours; spillwayd, which may run beside, has another number. */
#define DECAP_PROTOCOL 156

#define DECAP_PROGRAM "spillway-decap"

struct decap_interface {
	const char *name;
	uint32_t ifindex; /* attached there; 0: not attached */
	int link;	  /* owned; -1: none */
	uint32_t mtu;	  /* that the MSS is made for */
	bool missing;	  /* and that has been told */
};

/* Zero-initialise; decap_close() gives it back. */
struct decap {
	const struct decap_options *options;
	struct journal journal;
	struct netlink netlink;
	struct mnl_socket *watch; /* hears of links and addresses */
	struct decap_bpf *skel;	  /* owned */
	struct decap_interface *interfaces;
	int lock;	/* on the directory of the pins; -1: none */
	int netns_lock; /* likewise, since VIPs are marked by a number only */
};

/* lock.c: one program a directory of pins. -EBUSY. What is not there is no error: *fd stays -1. */
int lock_directory(const char *bpffs, int *fd, struct why why);

/* load.c: the programs, with the maps filled but for what hosts.c and mss.c put there. */
int load_programs(struct decap *d, struct why why);
void stats_path(const char *bpffs, char *path, size_t size);

/* attach.c: a pinned link gets the new program; *i is attached then. */
int attach_interface(struct decap *d, struct decap_interface *i, const struct link_info *link,
		     struct why why);
/* Links of interfaces that are not named any more. */
void attach_remove_others(const struct decap *d);
void attach_remove_all(const char *bpffs);

/* hosts.c: the addresses that tunnels may end at, as they are now. */
int hosts_refresh(struct decap *d, struct why why);

/* mss.c: what VIPs may offer by the interface, and the filter that sees to it. */
int mss_set(struct decap *d, const struct decap_interface *i, uint32_t mtu, struct why why);
/* The filter of all interfaces, and the queueing discipline where it was ours alone. */
void mss_remove(const struct journal *j, struct netlink *nl);

/* vips.c */
int vips_quiet_neighbours(struct decap *d, const char *interface, struct why why);
int vips_claim(struct decap *d, struct why why); /* and give up those not named any more */
int vips_give_up(struct netlink *nl);
void vips_warn(struct decap *d);
void vips_warn_filter(const char *interface);

/* detach.c: takes off everything; needs no running program. */
int decap_detach(struct arena *a, const struct decap_options *o, const char **why);

/* stats.c: prints the counters. */
int stats_print(struct arena *a, const struct decap_options *o, const char **why);

#endif
