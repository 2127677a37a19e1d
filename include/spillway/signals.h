/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the packet path counts of an endpoint: traffic, and how its new flows fared. Part of the
 * contract in abi.h.
 */
#ifndef SPILLWAY_SIGNALS_H
#define SPILLWAY_SIGNALS_H

#include <linux/types.h>

/* Per-CPU map `endpoint_stats`, by endpoint id. Bytes are IP packet lengths. */
struct spw_endpoint_stats {
	__u64 flows_opened;
	__u64 flows_closed; /* FIN from both sides, RST, or expired: opened - closed are active */
	__u64 packets_in;   /* towards the endpoint */
	__u64 bytes_in;
	__u64 packets_out; /* towards the client */
	__u64 bytes_out;
};

/*
 * What an endpoint made of the flows opened in one span of 2^SPW_COHORT_SHIFT ns: all sums count up
 * for ever (and wrap), by atomic addition; the daemon looks at differences. A flow is born when its
 * first packet leaves for the endpoint, if that is one to judge by (sample.h), and belongs to the
 * cohort of its birth, (born_ns >> SPW_COHORT_SHIFT) % SPW_COHORTS, and is counted in at most one
 * of the outcomes, and only before the cohort is judged: until its end plus SPW_COHORT_JUDGED_NS.
 * What is in none of them by then was not answered.
 */
#define SPW_COHORTS	     8
#define SPW_COHORT_SHIFT     28 /* 268 ms */
#define SPW_RETRY_AFTER_NS   900000000ULL
#define SPW_COHORT_JUDGED_NS 1200000000ULL

struct spw_cohort {
	__u32 opened;
	__u32 answered;	   /* first packet of the endpoint, but for what follows */
	__u32 refused;	   /* TCP: RST as the first answer */
	__u32 unreachable; /* ICMP destination unreachable before any answer; UDP: at any time, once */
	__u32 retried; /* a SYN again after SPW_RETRY_AFTER_NS, unanswered; or no next hop by then */
	__u32 pad;
};

enum spw_failure {
	SPW_FAILURE_NONE,
	SPW_FAILURE_REFUSED,
	SPW_FAILURE_UNREACHABLE,
	SPW_FAILURE_SILENT
};

/*
 * Map `endpoint_signals`, by endpoint id. `run` is the number of failures (refused, unreachable,
 * retried) since the latest answer, in the order of their coming; any answer sets it to 0. `run_max`
 * is its greatest value since the daemon last exchanged it for 0.
 */
struct spw_signals {
	__u32 run;
	__u32 run_max;
	__u32 last_failure; /* enum spw_failure */
	__u32 pad;
	struct spw_cohort cohort[SPW_COHORTS];
};

_Static_assert(sizeof(struct spw_endpoint_stats) == 48, "abi");
_Static_assert(sizeof(struct spw_cohort) == 24, "abi");
_Static_assert(sizeof(struct spw_signals) == 208, "abi");

#endif
