/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rise and fall: what one more result makes of an endpoint's state. Pure; who calls it, when, and
 * what follows from a change is the funnel's business (funnel.c).
 */
#ifndef SPILLWAY_HEALTH_RISE_FALL_H
#define SPILLWAY_HEALTH_RISE_FALL_H

#include <stdbool.h>
#include <stdint.h>

#include "model/health_view.h"

enum verdict_kind {
	VERDICT_NONE, /* nothing was learnt (this host had no descriptor, no port, no memory) */
	VERDICT_GOOD,
	VERDICT_BAD,	     /* counted to the unhealthy threshold */
	VERDICT_BAD_AT_ONCE, /* not counted: one is enough */
};

struct rise_fall {
	enum health_state state;
	bool settled;	 /* a result decided `state`: from now on thresholds count */
	bool last_good;	 /* the latest result, when streak > 0 */
	uint32_t streak; /* equal results in a row */
};

struct thresholds {
	uint32_t healthy;
	uint32_t unhealthy;
};

struct rise_fall rise_fall_next(struct rise_fall now, enum verdict_kind kind,
				struct thresholds limits);

#endif
