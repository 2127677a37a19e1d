/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of the instances of one model right now: an overlay, never part of the model. */
#ifndef SPILLWAY_MODEL_HEALTH_VIEW_H
#define SPILLWAY_MODEL_HEALTH_VIEW_H

#include <spillway/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum health_state {
	HEALTH_UNKNOWN = 0, /* no probe has ended yet: counts as up */
	HEALTH_UP,
	HEALTH_DOWN,
};

/* One per instance, by instance.index. All zero: unknown, automatic, with its full share. */
struct health_entry {
	enum health_state state; /* of the active check */
	enum spw_admin admin;	 /* the operator's word */
	bool ejected;		 /* by passive detection */
	bool held;		 /* handed off, and the userspace path is not ready for it */
	uint8_t ramp_percent; /* slow start: the part of its share it gets, 1..99; 0: all of it */
};

/* What all of that comes to, in one word: what users see and events tell. */
enum standing {
	STANDING_UNKNOWN,  /* "unknown": no probe has ended yet; gets traffic */
	STANDING_UP,	   /* "up" */
	STANDING_STARTING, /* "starting": up, in its slow start */
	STANDING_DOWN,	   /* "down": by its checks, or set down */
	STANDING_EJECTED,  /* "ejected": by passive detection */
	STANDING_DRAINING, /* "draining": by the operator */
};

struct health_view {
	const struct health_entry *entries;
	size_t count;
};

/* Does it count as healthy in the tiers' arithmetic? The operator's word comes first. */
static inline int health_is_healthy(const struct health_entry *e)
{
	if (e->held)
		return 0;
	switch (e->admin) {
	case SPW_ADMIN_UP:
		return 1;
	case SPW_ADMIN_DOWN:
	case SPW_ADMIN_DRAIN:
		return 0;
	case SPW_ADMIN_AUTO:
		break;
	}
	return e->state != HEALTH_DOWN && !e->ejected;
}

/* May it be picked at all, even in panic? */
static inline int health_is_allowed(const struct health_entry *e)
{
	return !e->held && e->admin != SPW_ADMIN_DOWN && e->admin != SPW_ADMIN_DRAIN;
}

static inline enum standing health_standing(const struct health_entry *e)
{
	if (e->admin == SPW_ADMIN_DOWN)
		return STANDING_DOWN;
	if (e->admin == SPW_ADMIN_DRAIN)
		return STANDING_DRAINING;
	if (e->admin == SPW_ADMIN_AUTO && e->state == HEALTH_DOWN)
		return STANDING_DOWN;
	if (e->admin == SPW_ADMIN_AUTO && e->ejected)
		return STANDING_EJECTED;
	if (e->ramp_percent)
		return STANDING_STARTING;
	return e->admin == SPW_ADMIN_AUTO && e->state == HEALTH_UNKNOWN ? STANDING_UNKNOWN
									: STANDING_UP;
}

static inline const char *standing_text(enum standing s)
{
	static const char *const texts[] = {"unknown", "up",	  "starting",
					    "down",    "ejected", "draining"};

	return texts[s];
}

#endif
