/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of the instances of one model right now: an overlay, never part of the model. */
#ifndef SPILLWAY_MODEL_HEALTH_VIEW_H
#define SPILLWAY_MODEL_HEALTH_VIEW_H

#include <spillway/abi.h>
#include <stddef.h>

enum health_state {
	HEALTH_UNKNOWN = 0, /* no probe has ended yet: counts as up */
	HEALTH_UP,
	HEALTH_DOWN,
};

/* One per instance, by instance.index. */
struct health_entry {
	enum health_state state;
	enum spw_admin admin; /* the operator's word */
};

struct health_view {
	const struct health_entry *entries;
	size_t count;
};

/* Does it count as healthy in the tiers' arithmetic? The operator's word comes first. */
static inline int health_is_healthy(const struct health_entry *e)
{
	switch (e->admin) {
	case SPW_ADMIN_UP:
		return 1;
	case SPW_ADMIN_DOWN:
	case SPW_ADMIN_DRAIN:
		return 0;
	case SPW_ADMIN_AUTO:
		break;
	}
	return e->state != HEALTH_DOWN;
}

/* May it be picked at all, even in panic? */
static inline int health_is_allowed(const struct health_entry *e)
{
	return e->admin != SPW_ADMIN_DOWN && e->admin != SPW_ADMIN_DRAIN;
}

#endif
