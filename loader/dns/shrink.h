/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of addresses that does not lose more than half of itself at one blow, whatever an answer
 * says: see docs/names.md. Pure: the time is the caller's.
 */
#ifndef SPILLWAY_DNS_SHRINK_H
#define SPILLWAY_DNS_SHRINK_H

#include "dns/dns.h"

#define SHRINK_EMPTY_ANSWERS 3 /* before the last address goes */

/* Zeroed: nothing was answered yet. */
struct shrink {
	struct spw_addr addrs[DNS_ADDRS_MAX]; /* in force; sorted, each once */
	size_t count;
	size_t answered; /* how many the latest answer had; fewer than `count`: some are kept */
	size_t from;	 /* `count` before the step down that is not over; 0: there is none */
	uint64_t stepped_ms;
	uint64_t empty_ms; /* when the first of the empty answers in a row came */
	unsigned empty_answers;
};

struct shrink_times {
	uint32_t step_ms;    /* from one step down to the next */
	uint32_t confirm_ms; /* from the first empty answer until the last address goes */
};

/* `addrs` sorted, each once, at most DNS_ADDRS_MAX. True when the set has changed. */
bool shrink_take(struct shrink *s, const struct spw_addr *addrs, size_t count, uint64_t now_ms,
		 const struct shrink_times *t);

#endif
