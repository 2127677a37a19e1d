/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this folder share: one struct with a part for each concept, and the functions
 * by which the parts call each other, listed by the file that has them.
 */
#ifndef SPILLWAY_DATAPLANE_STATE_H
#define SPILLWAY_DATAPLANE_STATE_H

#include <net/if.h>

#include "dataplane/dataplane.h"
#include "dataplane/ear.h"
#include "dataplane/journal.h"
#include "dataplane/links.h"
#include "dataplane/maps.h"
#include "dataplane/netlink.h"
#include "dataplane/side.h"
#include "dataplane/sources.h"
#include "dataplane/space.h"
#include "dataplane/steer.h"
#include "dataplane/transmit.h"
#include "dataplane/why.h"
#include "dataplane/xdp_link.h"

struct ring_buffer;
struct spillway_bpf;

#define PROBLEM_BYTES 512

/* An interface of --interface. */
struct interface {
	struct link_info link; /* ifindex 0: not there now */
	struct driver driver;  /* while attached */
	int bpf_link;	       /* owned; -1: not attached */
	bool native;
	char generic_why[PROBLEM_BYTES]; /* while attached and not native */
	char problem[PROBLEM_BYTES];
};

enum route_kind {
	ROUTE_UNKNOWN,
	ROUTE_FORWARD,
	ROUTE_LOCAL, /* an address of this host */
	ROUTE_NONE,
};

/* Where an endpoint's packets go. */
struct next_hop {
	enum route_kind kind;
	uint32_t ifindex;
	struct spw_addr addr;	/* the gateway, or the endpoint itself */
	struct spw_addr source; /* preferred by the route; unspecified when it has none */
	uint32_t mtu;		/* of the route; 0: none */
};

/* A neighbour entry that the kernel keeps resolved for us. */
struct neighbour {
	uint32_t ifindex;
	struct spw_addr addr;
	bool is_new;	  /* asked for by the latest sync */
	bool resolved;	  /* as of seen_ms */
	uint64_t seen_ms; /* 0: not looked up yet */
	uint8_t mac[6];	  /* while has_mac */
	bool has_mac;
	bool mac_known; /* mac and has_mac are as the kernel last said */
};

enum vip_state {
	VIP_WAITING, /* no interface to ask on yet, or the retry is due */
	VIP_PROBING,
	VIP_CLAIMED,
	VIP_OF_HOST, /* the host's own address: nothing of ours */
	VIP_CONFLICT,
	VIP_FAILED,
};

struct vip {
	struct spw_addr addr;
	enum vip_state state;
	bool wanted;
	uint64_t due_ms;
	int probes;
	char problem[PROBLEM_BYTES];
};

struct sweep {
	uv_timer_t timer;
	uv_work_t work;
	struct spw_sweep args;
	int err;
	uint64_t took_ms;
	uint64_t live;
	uint16_t round, done_round; /* that runs or ran last, and the latest finished; 0: none */
	uint32_t began, done_began; /* ticks */
	bool swept;		    /* live is known */
	bool failed;		    /* and said so */
	bool again;		    /* asked for while one runs */
};

struct dataplane {
	uv_loop_t *loop;
	int netns_lock;		   /* owned; -1: not taken */
	unsigned int open_handles; /* the last one's close callback frees the struct */
	bool closing;

	enum xdp_mode xdp_mode;
	char *bpffs; /* NULL: nothing is pinned */
	struct spw_meta meta;
	struct spillway_bpf *skel;
	int xdp_fd, sweep_fd; /* of skel */
	bool taken_over;      /* the maps were pinned before */
	bool pinned_anew;     /* this start made the pins */
	char stages[32];      /* name of the pin of the programs' array */
	struct maps maps;
	struct steer steer;

	struct journal journal;
	bool journal_was_empty; /* when this start began */
	struct netlink netlink;
	struct interface *interfaces;
	size_t interface_count;
	struct link_info *vlans; /* VLAN devices of this host */
	size_t vlan_count;
	struct host_addr *host_addrs; /* as of the latest refresh */
	size_t host_addr_count;

	struct spw_settings settings; /* wanted; in force after side_switch() */
	struct sources sources;
	uint64_t switched_ms;
	uint32_t motions_put;	  /* ticks: when blocks of motions were last written */
	struct bound_port *bound; /* as of the latest apply, sorted by address */
	size_t bound_count;
	struct space slot_space, motion_space; /* of maps `slots` and `motions` */
	bool seen_first;		       /* dataplane_readback() was called */
	bool applied;			       /* dataplane_apply() has gone through once */

	struct next_hop *next_hops; /* by endpoint id */
	uv_timer_t lease_timer;
	uint32_t endpoints_end; /* highest id in use, plus 1 */
	struct neighbour *neighbours;
	size_t neighbour_count;
	bool neighbours_lost;  /* the kernel dropped one of them: put all again */
	uint32_t refresh_next; /* next endpoint to look up; 0: no refresh under way */
	bool refresh_again;    /* something changed during a refresh */

	struct mnl_socket *watch;
	uv_poll_t watch_poll;
	struct transmit transmit;
	uv_timer_t refresh_timer;
	struct ring_buffer *events;
	uv_poll_t events_poll;
	struct early *early;	 /* owned: fragments that wait for their first */
	uint64_t kicks_since_ms; /* neighbours asked for in this second */
	unsigned int kicks;
	struct sweep sweep;
	uv_timer_t loads_timer;
	uint32_t loads_next; /* endpoint to look at next */

	struct vip *vips;
	size_t vip_count;
	uv_timer_t vip_timer;
	struct ear ear_arp, ear_nd;
};

/* load.c: programs and maps, new or taken over; pins them. */
int load(struct dataplane *dp, struct why why);
int pin_programs(struct dataplane *dp, struct why why);

/* attach.c: one interface, by a pinned link where there is one. */
int attach(struct dataplane *dp, struct interface *i, struct why why);
void link_pin_path(const struct dataplane *dp, const char *interface, char *path, size_t size);

/* interfaces.c: the attached set, as the maps know it. */
int interfaces_open(struct dataplane *dp, const struct dataplane_options *opts, struct why why);
void interfaces_link_changed(struct dataplane *dp, const struct link_info *link, bool gone);
const struct interface *interface_by_index(const struct dataplane *dp, uint32_t ifindex);
/* Does a subnet of the interface hold the address? */
bool interface_on_link(const struct dataplane *dp, const struct interface *i,
		       const struct spw_addr *addr);
void interfaces_close(struct dataplane *dp);

/* words.c */
void word_write(struct dataplane *dp, uint32_t id, bool pickable, bool up);
void word_clear(struct dataplane *dp, uint32_t id, uint32_t but); /* those bits are set then */

/* signals.c */
/* Another endpoint takes the number. */
void signals_clear(struct dataplane *dp, uint32_t endpoint_id);

/* rows.c: endpoint rows and what belongs to an id. */
void endpoint_put(struct dataplane *dp, const struct table_endpoint *e);
void endpoint_del(struct dataplane *dp, uint32_t id);
void endpoint_set_sources(struct dataplane *dp, uint32_t id);

/* counters.c: another service takes the number. */
void service_forget(struct dataplane *dp, uint32_t id);
/* direct.c: what direct return needs; lines in use from now on, those no longer used rest. */
void tunnels_put(struct dataplane *dp, const struct spw_tunnels *t);
void direct_put(struct dataplane *dp, const struct tables *want);
void direct_prune(struct dataplane *dp, const struct tables *want);
void spaces_set(struct dataplane *dp, const struct tables *t);

/* addrs.c: the map `addrs`. VIPs of `want` and all sources in; then others out. */
int addrs_put(struct dataplane *dp, const struct tables *want);
int addrs_prune(struct dataplane *dp, const struct tables *want);

/* source_of.c: which source addresses an endpoint uses; settings follow at the next switch. */
void sources_of_endpoint(struct dataplane *dp, const struct spw_addr *addr,
			 const struct next_hop *hop, uint8_t *first, uint8_t *count);
/* Says which of --source-address are not this host's. */
void sources_warn(struct dataplane *dp);

/* watch.c, events.c, sweep.c, loads.c: what runs on the loop by itself. */
int watch_open(struct dataplane *dp);
int events_open(struct dataplane *dp);
int sweep_open(struct dataplane *dp);
int loads_open(struct dataplane *dp);
/* Chooses which sets of the flow table come first, by so many flows of IPv4 and IPv6. */
void sweep_place(struct dataplane *dp, const __u64 live[2]);
void sweep_soon(struct dataplane *dp); /* at once, but after one that runs now */
void events_close(struct dataplane *dp);

/* early.c: fragments before their first one. Stopped while the loop runs, closed after it. */
int early_open(struct dataplane *dp);
void early_stop(struct dataplane *dp);
void early_close(struct dataplane *dp);

/* vips.c */
int vips_open(struct dataplane *dp);
void vips_interfaces_changed(struct dataplane *dp);
void vip_lost(struct dataplane *dp, const struct spw_addr *addr); /* our route of it went */
/* Ends the probes under way, within half a second: a claim must not be lost with the daemon. */
void vips_finish(struct dataplane *dp);
void vips_close(struct dataplane *dp);

/* claims.c: routes and addresses that make a VIP ours. */
int claim_put(struct dataplane *dp, const struct spw_addr *vip);
int claim_remove(struct netlink *nl, const struct spw_addr *vip);
bool claim_exists(struct dataplane *dp, const struct spw_addr *vip);
int claims_list(struct netlink *nl, struct spw_addr **out, size_t *count);

/* dataplane.c: what keeps the struct alive: its handles, and work on the pool. */
void handle_opened(struct dataplane *dp, void *handle);
void handle_close(struct dataplane *dp, void *handle);
void handle_closed(struct dataplane *dp);

#include "dataplane/ways.h" /* what needs the struct */

#endif
