/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How services pick, and what only some of them have: limits and lists for new flows, weights for picks
 * by load. Part of the contract in abi.h.
 */
#ifndef SPILLWAY_EXTRAS_H
#define SPILLWAY_EXTRAS_H

#include <linux/types.h>

#include <spillway/list.h>

/* A pick table: `size` slots (a prime) from slot number `base`, a multiple of SPW_LINE_SLOTS. */
struct spw_table_ref {
	__u32 base;
	__u32 size; /* 0: no table */
};

/* How a new flow is given one of the slots. */
enum spw_pick {
	SPW_PICK_FLOW = 0,   /* by a hash of its 5-tuple */
	SPW_PICK_SOURCE = 1, /* by a hash of the client's address */
	SPW_PICK_LEAST = 2,  /* TCP: of two by hash, the one whose endpoint has fewer flows */
};

/*
 * Map `service_extras`, rows as in `service_rows`: what only some services have, and packets look for
 * only where SPW_SERVICE_GUARDED, SPW_SERVICE_QUIC or the pick says that there is something. Lists are lines of `slots`
 * (see list.h), `size` in slots like a table's. Limits are kept as times: a new flow costs `every_ns`,
 * and at most `burst_ns` are saved up; 0: no limit.
 */
struct spw_service_extra {
	struct spw_table_ref allow; /* size 0: everybody */
	struct spw_table_ref deny;
	__u64 every_ns, burst_ns;		/* of the service */
	__u64 source_every_ns, source_burst_ns; /* of each source: an IPv4 address, an IPv6 /64 */
	/* SPW_PICK_LEAST: slot by slot, how many slots of `table` its endpoint has; size 0: all alike. */
	struct spw_table_ref weights;
	/* SPW_SERVICE_QUIC: whose server ids are, see quic.h; `size` in slots, of whole lines. */
	struct spw_table_ref quic;
};

/* Map `service_buckets`, by service id: up to then the limit is used up. */
struct spw_bucket {
	__u64 paid_ns; /* CLOCK_MONOTONIC */
	__u64 pad[7];
};

/*
 * Map `source_buckets`: the same for sources, found by a hash of service and address. Whose bucket is
 * full again needs no place here, so the one that has been refilling longest gives way.
 */
#define SPW_SOURCE_LINES 65536
#define SPW_SOURCE_WAYS	 4
struct spw_source_line {
	struct {
		__u64 tag; /* the hash; 0: free */
		__u64 paid_ns;
	} way[SPW_SOURCE_WAYS];
};

/* Per-CPU map `service_stats`, by service id: new flows that were not admitted. */
struct spw_service_stats {
	__u64 denied;
	__u64 not_allowed;
	__u64 limited;
	__u64 source_limited;
};

/*
 * Map `endpoint_loads`, by endpoint id: opened - closed over all CPUs, in one word that picks can read.
 * A line each, since all CPUs write it.
 */
struct spw_load {
	__s64 open;
	__u64 pad[7];
};

_Static_assert(sizeof(struct spw_service_extra) == 64, "abi");
_Static_assert(sizeof(struct spw_bucket) == 64, "abi");
_Static_assert(sizeof(struct spw_source_line) == 64, "abi");
_Static_assert(sizeof(struct spw_service_stats) == 32, "abi");
_Static_assert(sizeof(struct spw_load) == 64, "abi");

#endif
