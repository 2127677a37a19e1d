/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Passive detection, the reading part: looks at what the packet path counted of every endpoint whose
 * policy has healthCheck.passive, has it judged (outlier.c) and ejects by way of the funnel. A reading
 * that comes too late judges nothing: a busy daemon fails nobody.
 */
#ifndef SPILLWAY_HEALTH_SIGNALS_H
#define SPILLWAY_HEALTH_SIGNALS_H

#include "health/funnel.h"
#include "health/target.h"

#define SIGNALS_SAMPLE_MS 134 /* half a cohort: each is seen at least once while it is due */

/* Zero-initialise but for the first two. */
struct signals {
	const struct health_hooks *hooks;
	struct funnel *funnel;
	struct target **targets; /* those with passive detection, in the model's order; owned */
	size_t count;
	uint32_t *loud; /* by service: endpoints with enough flows in this interval; owned */
	uint64_t next;	/* cohort to be judged next */
};

/* What a new model needs; zero-initialise. */
struct signals_room {
	struct target **targets;
	uint32_t *loud;
};

/* Does passive detection judge it? */
bool signals_is_judged(const struct instance *i);

/* Everything that can fail for a model of so many instances and services. */
int signals_reserve(size_t instances, size_t services, struct signals_room *room);
/* A watch for the target, if the instance wants one and it has none. */
int signals_watch(struct target *t, const struct instance *i);
/* Takes the room over; then each target of the model is added. */
void signals_begin(struct signals *s, struct signals_room *room);
void signals_add(struct signals *s, struct target *t);
void signals_forget(struct target *t); /* it is freed next */

/* Every SIGNALS_SAMPLE_MS; `now_ns` is clock_coarse_ns(), `now_ms` clock_ms(). */
void signals_sample(struct signals *s, uint64_t now_ns, uint64_t now_ms);

void signals_done(struct signals *s);

#endif
