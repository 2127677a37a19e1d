/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Passive detection, the judging part: what the packet path counted of an endpoint's flows, and
 * whether that is enough to eject it. Pure: the caller reads maps and clocks (signals.c), and the
 * funnel ejects. After Envoy's outlier detection, for connections instead of requests.
 */
#ifndef SPILLWAY_HEALTH_OUTLIER_H
#define SPILLWAY_HEALTH_OUTLIER_H

#include <spillway/abi.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/check.h"

/* Envoy's defaults for its failure percentage. */
#define OUTLIER_PERCENT_HOSTS 5	 /* endpoints of one service with that many flows */
#define OUTLIER_PERCENT_FLOWS 50 /* in one interval */

/* From this many endpoints on, maxEjectionPercent is taken at its word (difference 20). */
#define OUTLIER_SMALL_SET 10

/* Least number of requests that must have had no reply, for UDP's silence. */
#define OUTLIER_UDP_REQUESTS 5

/* A cohort's sums are read at one time; what is counted on another CPU just then is waited for. */
#define OUTLIER_SETTLE_NS 20000000ULL

enum cohort_time {
	COHORT_EARLY, /* its flows may still be answered */
	COHORT_DUE,
	COHORT_LATE, /* another cohort may count in its place already */
};

enum cohort_time outlier_cohort_time(uint64_t cohort, uint64_t now_ns);

/* What came of the flows of one cohort, or of several. */
struct cohort_sum {
	uint32_t answered;
	uint32_t refused;
	uint32_t unreachable;
	uint32_t silent; /* asked twice, or never answered */
};

/*
 * The difference of two readings of one cohort; the sums may have wrapped. `silence_counts`: flows
 * without any outcome are failures.
 */
struct cohort_sum outlier_difference(const struct spw_cohort *now, const struct spw_cohort *before,
				     bool silence_counts);

uint32_t outlier_failures(const struct cohort_sum *s);
enum spw_failure outlier_kind(const struct cohort_sum *s); /* of most of the failures */
const char *outlier_kind_text(enum spw_failure kind);	   /* "no answer" */

/*
 * The longest run of failures that the cohorts so far prove. The order within a cohort is not
 * known: without any answer all its failures add to the run, in `run`; with s answers among f
 * failures there is at least one run of f / (s + 1), rounded up, wherever the answers are.
 */
uint32_t outlier_run(uint32_t *run, const struct cohort_sum *s);

/* Is so much of an interval's flows bad enough? False without failurePercentageThreshold. */
bool outlier_percent_is_bad(const struct passive *p, uint32_t flows, uint32_t failures);

/* May one more of `hosts` be ejected, when `ejected` of them are? */
bool outlier_has_room(const struct passive *p, uint32_t hosts, uint32_t ejected);

/* How long the ejection with this number (from 1) lasts: a multiple, up to 300 s or the base. */
uint64_t outlier_ejection_ms(const struct passive *p, uint32_t count);

/*
 * Silence of UDP whose flows go on for ever, so that no cohort shows it: requests went in during
 * an interval, and until SPW_COHORT_JUDGED_NS after it not one packet came back. Zero-initialise.
 */
struct udp_watch {
	uint64_t began_ms; /* 0: not yet */
	uint64_t ended_ms; /* of the requests; 0: they are still counted */
	uint64_t in, out;  /* packets at the beginning */
	uint64_t in_end;
};

struct udp_reading {
	uint64_t now_ms;
	uint64_t in, out;
};

/* Is a reading wanted now? */
bool outlier_udp_is_due(const struct udp_watch *w, uint64_t now_ms, uint32_t interval_ms);
/* Takes it; how many requests had no reply, when that is sure now, else 0. */
uint64_t outlier_udp(struct udp_watch *w, const struct udp_reading *r);

#endif
