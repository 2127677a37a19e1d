/* SPDX-License-Identifier: BSD-2-Clause */
/* What the health module is made of; only for its own files. */
#ifndef SPILLWAY_HEALTH_PARTS_H
#define SPILLWAY_HEALTH_PARTS_H

#include "health/funnel.h"
#include "health/health.h"
#include "health/keep.h"
#include "health/schedule.h"
#include "health/signals.h"
#include "health/target.h"
#include "health/words.h"

struct health {
	struct scheduler scheduler;
	struct funnel funnel;
	struct signals signals;
	struct keep keep;
	struct words words;
	struct target_table targets;
	struct target **by_index; /* by instance.index of the current model; owned */
	size_t instance_count;
	struct health_hooks hooks;
	uv_timer_t sample_timer; /* runs while passive detection judges somebody */
	uv_timer_t ramp_timer;	 /* the next step of a slow start */
	int open_handles;	 /* the scheduler counts as one */
};

/* For target_sweep(): ends everything that is about the target and frees it. */
void health_drop(void *health, struct target *t);
/* After anything that may have changed when the next step of a slow start is. */
void health_arm_ramps(struct health *h);
/* Starts or stops the sampling, as it is needed. */
void health_arm_signals(struct health *h);

#endif
