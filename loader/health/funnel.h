/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one way by which an endpoint's standing changes. Results of probes, ejections, the operator's
 * word and the steps of slow start come through here: nobody else writes what is known of a target.
 * After each of them all is looked at anew; a change is logged, becomes an event, and is told at
 * once when the endpoint may get no new flows any more.
 */
#ifndef SPILLWAY_HEALTH_FUNNEL_H
#define SPILLWAY_HEALTH_FUNNEL_H

#include "health/health.h"
#include "health/probe.h"
#include "health/target.h"

struct scheduler;

/* How many of a service's endpoints are ejected; passive detection must leave the others. */
struct eject_room {
	uint32_t hosts;
	uint32_t ejected;
};

/* When many endpoints change at once, the log gets the first ones; all of them are events. */
#define FUNNEL_LINES_MOST 1000
#define FUNNEL_LINES_MS	  10000

struct funnel {
	const struct health_hooks *hooks;
	struct event_log *events; /* or NULL */
	struct scheduler *scheduler;
	struct due_queue ramps;	  /* targets in slow start, by their next step */
	struct eject_room *rooms; /* by index of the service; owned */
	uint64_t lines_since_ms;  /* lines are counted from there */
	uint64_t lines;		  /* wanted since then */
	bool in_sync;		  /* the caller rebuilds everything afterwards: no hook is called */
};

void funnel_done(struct funnel *f);

/* May a line about one endpoint be logged? Says in the log when it is one too many. */
bool funnel_may_log(struct funnel *f);

/* A result. */
void funnel_judge(struct funnel *f, struct target *t, const struct verdict *v);

/* A state from elsewhere than a result: from an earlier run, or because there is no check. */
void funnel_adopt(struct funnel *f, struct target *t, struct rise_fall known, const char *reason);

/* The operator's word; `reason` says who set it. */
void funnel_set_admin(struct funnel *f, struct target *t, enum spw_admin admin, const char *reason);

/* Would every service that has it bear one more ejection? */
bool funnel_has_room(const struct funnel *f, const struct target *t);
void funnel_eject(struct funnel *f, struct target *t, const char *reason);
void funnel_uneject(struct funnel *f, struct target *t,
		    const char *reason); /* fine when it is not */
/* An interval without trouble: the next ejection is shorter. */
void funnel_forgive(struct target *t);

/* Goes on with the slow starts that are due; when the next step is, 0: there is none. */
uint64_t funnel_step_ramps(struct funnel *f, uint64_t now_ms);

/*
 * Room for everything that can happen to the instances of a model, so that nothing can fail later.
 * -ENOMEM: nothing has changed. The rooms are those of the next funnel_count_rooms().
 */
int funnel_reserve(struct funnel *f, size_t targets, size_t services, struct eject_room **rooms);
/* Takes the rooms over, empty. */
void funnel_set_rooms(struct funnel *f, struct eject_room *rooms);
/* An instance of the model whose target is `t` counts in its services from now on. */
void funnel_count_room(struct funnel *f, const struct instance *i, const struct target *t);

/*
 * The first health_sync() that lists the target has filled it in. One that is new starts slowly and
 * without a word; what was known before is told if it is not what it was.
 */
void funnel_begin(struct funnel *f, struct target *t);
/* It is freed next. */
void funnel_forget(struct funnel *f, struct target *t);

/* Why the standing is what it is. */
const char *funnel_reason(const struct target *t);

#endif
