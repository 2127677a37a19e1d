/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only folder that knows libbpf and netlink: loads, attaches and pins the programs, writes the
 * maps and reads them back, keeps VIPs, neighbours and sysctls, sweeps flows. All of it stays in
 * force when the daemon ends; dataplane_detach() takes it away.
 *
 * Errors: a negative errno and in *why a sentence that names the cause and the remedy, in `a`.
 */
#ifndef SPILLWAY_DATAPLANE_DATAPLANE_H
#define SPILLWAY_DATAPLANE_DATAPLANE_H

#include <uv.h>

#include <spillway/abi.h>
#include <spillway/stats.h>

#include "base/arena.h"
#include "tables/diff.h"
#include "tables/tables.h"

struct dataplane;

enum xdp_mode { XDP_MODE_AUTO, XDP_MODE_NATIVE, XDP_MODE_GENERIC };

struct dataplane_options {
	const char *const *interfaces; /* names; those that do not exist yet are attached later */
	size_t interface_count;
	enum xdp_mode xdp_mode;
	const char *bpffs;   /* directory; a bpffs is mounted there if none is. NULL: pin nothing */
	const char *run_dir; /* what was changed on the host is noted here, for detach */
	const struct spw_addr *sources; /* --source-address; none: by route */
	size_t source_count;
	struct spw_tunnels tunnels; /* --tunnel-source and --gue-port; port 0: the default */
	uint32_t max_flows;	    /* IPv4 */
	uint32_t max_flows6;	    /* IPv6; 0: a quarter of it */
	uint32_t max_endpoints, max_services, slot_lines;
	uint32_t seed;
};

/* Loads or, where a bpffs holds pins of an equal layout, takes them over without a gap. */
int dataplane_open(struct arena *a, uv_loop_t *loop, const struct dataplane_options *opts,
		   struct dataplane **out, const char **why);
/* Ends this process's part; traffic goes on. Closes its handles: run the loop afterwards. */
void dataplane_close(struct dataplane *dp);
/* Takes off everything that was pinned or changed on the host; needs no running daemon. */
int dataplane_detach(struct arena *a, const char *bpffs, const char *run_dir, const char **why);

/* The sizes in force: those of the pinned maps where there were any. */
const struct spw_meta *dataplane_meta(const struct dataplane *dp);

int dataplane_readback(struct dataplane *dp, struct arena *a, struct tables *have);
/* Operator's words found in the maps; admin by endpoint id. */
enum spw_admin dataplane_admin(const struct dataplane *dp, uint32_t endpoint_id);
/* Is that word in no store yet (SPW_WORD_BY_HAND)? dataplane_set_admin() clears it. */
bool dataplane_admin_by_hand(const struct dataplane *dp, uint32_t endpoint_id);

/*
 * Carries the steps out in their order. A failure half-way is undone as far as the switch of
 * `active`: before it, packets see the old tables.
 */
int dataplane_apply(struct dataplane *dp, struct arena *a, const struct steps *s, const char **why);
/*
 * How long dataplane_apply() would sleep now, since packets may still read the tables of before the
 * latest one: 20 ms at most. 0: not at all.
 */
unsigned int dataplane_apply_wait_ms(const struct dataplane *dp);
/* Lines of maps `slots` and `motions`, and those freed less than a second ago, for tables_diff(). In `a`. */
void dataplane_resting(struct dataplane *dp, struct arena *a, struct line_space *slots,
		       struct line_space *motions);
/* Copies of the blocks of motions as they are now: the sweep writes to them. In `a`. */
void dataplane_read_motions(struct dataplane *dp, struct arena *a, struct tables *have);
/*
 * Endpoints that could not be picked for a while, and whose flows may have gone elsewhere: into have->strays,
 * for motions_make(). When its tables are in force they are seen, unless they cannot be picked now, and a
 * moment later packets need not be told any more.
 */
void dataplane_read_strays(struct dataplane *dp, struct arena *a, struct tables *have);
void dataplane_strays_seen(struct dataplane *dp);
void dataplane_end_strays(struct dataplane *dp);
/* Is there one that can be picked and was not seen yet? */
bool dataplane_has_strays(const struct dataplane *dp);
/* Ticks, and how far the sweep is, for motions_make(). */
void dataplane_motion_clock(struct dataplane *dp, struct motion_clock *out);

/*
 * The VIPs that should be here from now on: new ones are probed for duplicates and claimed in the
 * background, gone ones given up. Idempotent.
 */
int dataplane_set_vips(struct dataplane *dp, const struct spw_addr *vips, size_t count);

/* One atomic write, effective at the next packet. */
void dataplane_set_admin(struct dataplane *dp, uint32_t endpoint_id, enum spw_admin admin);
/* The same, marked SPW_WORD_BY_HAND: whoever starts next adopts it. */
void dataplane_set_admin_unkept(struct dataplane *dp, uint32_t endpoint_id, enum spw_admin admin);
void dataplane_set_word(struct dataplane *dp, uint32_t endpoint_id, bool pickable, bool up);
/*
 * TCP flows of the endpoint are reset at their next packet from either side, until it is undone;
 * its UDP flows are taken out at once and pick again.
 */
void dataplane_set_reset(struct dataplane *dp, uint32_t endpoint_id, bool reset);

/*
 * The sockets of an endpoint of SPW_MODE_HANDOFF, from now on and in place of others: listening TCP
 * sockets for connections that come by IPv4 and by IPv6, -1 for none. They stay the caller's; what is
 * closed everywhere is forgotten. They belong to the number, not to the row: set them before the row
 * may be picked, and clear them before another endpoint takes the number.
 */
int dataplane_steer_set(struct dataplane *dp, uint32_t endpoint_id, int socket_v4, int socket_v6);
void dataplane_steer_clear(struct dataplane *dp, uint32_t endpoint_id);

/*
 * What the packet path counted of the endpoint's answers, mapped memory: written by it with atomic
 * additions, `run_max` exchanged for 0 by the health module. When another endpoint takes the number,
 * the run starts from nothing and the sums go on. NULL for numbers beyond the maps.
 */
struct spw_signals *dataplane_signals(struct dataplane *dp, uint32_t endpoint_id);

/* Global addresses of the attached interfaces, for Gateways that name none. In `a`. */
void dataplane_host_addrs(struct dataplane *dp, struct arena *a, struct spw_addr **out,
			  size_t *count);

/* NULL, or why packets cannot reach the endpoint or VIP, with the remedy. In `a`. */
const char *dataplane_endpoint_problem(struct dataplane *dp, struct arena *a, uint32_t endpoint_id);
/* The same but for a next hop that does not answer, which comes and goes: what is to be set up. */
const char *dataplane_endpoint_obstacle(struct dataplane *dp, struct arena *a,
					uint32_t endpoint_id);
const char *dataplane_vip_problem(struct dataplane *dp, struct arena *a,
				  const struct spw_addr *vip);

/* Of a service, by its number: new flows that were not admitted. */
void dataplane_service_stats(struct dataplane *dp, uint32_t service_id,
			     struct spw_service_stats *out);
/* Sums over all CPUs. */
void dataplane_stats(struct dataplane *dp, uint64_t stats[SPW_STAT_MAX]);
void dataplane_endpoint_stats(struct dataplane *dp, uint32_t endpoint_id,
			      struct spw_endpoint_stats *out);
/*
 * Of all endpoints in a few system calls, by endpoint id: `*count` is greater than any number in
 * use or at rest. Counters move while they are read: closed may be ahead of opened by a few.
 */
void dataplane_all_endpoint_stats(struct dataplane *dp, struct arena *a,
				  struct spw_endpoint_stats **out, size_t *count);

/* A flow as `flows` shows it. */
struct flow_row {
	struct spw_flow_key key; /* client and VIP; ports in network order */
	struct spw_addr source;	 /* unspecified, and its port 0: the userspace path has the flow */
	struct spw_addr endpoint;
	uint16_t source_port, endpoint_port; /* host order */
	uint32_t endpoint_id;
	uint32_t state; /* enum spw_flow_state bits */
	uint64_t age_ms, idle_ms;
};
/* Calls fn for each flow until it returns false. Flows that come and go meanwhile may be missed. */
int dataplane_each_flow(struct dataplane *dp, bool (*fn)(void *ctx, const struct flow_row *row),
			void *ctx);
/*
 * The same on a thread of the pool, since a million flows take longer than the loop may wait: `fn`
 * runs there and touches only what *ctx owns. `done` runs on the loop, once, unless an error is
 * returned here: with 0, a negative errno, or -ECANCELED when the dataplane was closed meanwhile.
 */
int dataplane_walk_flows(struct dataplane *dp, bool (*fn)(void *ctx, const struct flow_row *row),
			 void (*done)(void *ctx, int err), void *ctx);

#define OLDEST_FLOWS 10

/* Open flows of an endpoint, oldest first. */
struct oldest_flows {
	uint32_t endpoint_id;
	uint32_t open;	/* all of its open flows, those of `rows` included */
	uint32_t count; /* in rows */
	struct flow_row rows[OLDEST_FLOWS];
};
/*
 * For these endpoints, by one walk like that of dataplane_walk_flows(). `ids` is copied, numbers
 * named twice are listed once; `lists`, ordered by endpoint id, are for the time of the call.
 */
int dataplane_oldest_flows(struct dataplane *dp, const uint32_t *ids, size_t count,
			   void (*done)(void *ctx, int err, const struct oldest_flows *lists,
					size_t count),
			   void *ctx);
/* Live flows as the latest sweep counted them. */
uint64_t dataplane_flow_count(const struct dataplane *dp);

/*
 * Without a daemon: the operator's word for all endpoints of the address (port 0: all ports) in the
 * pinned maps under `bpffs`, marked SPW_WORD_BY_HAND. -ENOENT: no such endpoint; -ENOTCONN: nothing
 * is pinned there. Needs root. `was` is called for each endpoint that it was written for.
 */
int dataplane_offline_set_admin(struct arena *a, const char *bpffs, const struct spw_addr *addr,
				uint16_t port, enum spw_admin admin,
				void (*was)(void *ctx, const struct spw_addr *addr, uint16_t port,
					    enum spw_admin before),
				void *ctx, const char **why);

struct interface_status {
	const char *name;
	bool attached;
	bool native;
	const char *generic; /* NULL, or why it is attached in generic mode, with the remedy */
	const char *driver;  /* "veth"; NULL while not attached */
	const char *problem; /* NULL, or why not or what is lost there, with the remedy */
};
struct dataplane_status {
	struct interface_status *interfaces;
	size_t interface_count;
	const char **sysctls; /* "net.ipv4.conf.eth0.forwarding: 0 -> 1" */
	size_t sysctl_count;
	const char **offloads; /* "rx-vlan-offload of eth0: on -> off" */
	size_t offload_count;
	struct spw_addr *sources;
	size_t source_count;
	uint64_t map_bytes;  /* memory of all maps */
	uint64_t flow_bytes; /* of the flow tables among them */
};
void dataplane_status(struct dataplane *dp, struct arena *a, struct dataplane_status *out);

#endif
