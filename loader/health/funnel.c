/* SPDX-License-Identifier: BSD-2-Clause */
/* See funnel.h. Every transition is one line: `what: which: old -> new (reason)`. */
#include "health/funnel.h"

#include <stdio.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"

static const char *state_name(enum health_state state)
{
	switch (state) {
	case HEALTH_UNKNOWN:
		return "unknown";
	case HEALTH_UP:
		return "up";
	case HEALTH_DOWN:
		return "down";
	}
	return "?";
}

static struct thresholds thresholds_of(const struct target *t)
{
	const struct check *c = t->instance ? t->instance->check : NULL;

	return (struct thresholds){
		.healthy = c ? c->healthy_threshold : 1,
		.unhealthy = c ? c->unhealthy_threshold : 1,
	};
}

static void set_reason(char *to, const char *reason)
{
	(void)snprintf(to, REASON_MAX, "%s", reason);
}

static void log_change(const struct target *t, enum health_state from)
{
	char endpoint[ADDR_PORT_TEXT_MAX];
	const char *backend = t->instance && t->instance->backend ? t->instance->backend : "?";

	log_info("health: backend %s endpoint %s: %s -> %s (%s)", backend,
		 addr_print_port(&t->addr, t->port, endpoint), state_name(from),
		 state_name(t->known.state), t->reason);
}

bool funnel_judge(struct target *t, const struct verdict *v)
{
	enum health_state before = t->known.state;

	if (v->kind == VERDICT_NONE)
		return false;
	t->known = rise_fall_next(t->known, v->kind, thresholds_of(t));
	set_reason(t->latest, v->reason);
	if (t->known.last_good == (t->known.state == HEALTH_UP))
		set_reason(t->reason, v->reason);
	if (t->known.state == before)
		return false;
	t->since_ms = clock_ms();
	log_change(t, before);
	return true;
}

void funnel_adopt(struct target *t, struct rise_fall known, const char *reason)
{
	enum health_state before = t->known.state;

	t->known = known;
	set_reason(t->reason, reason);
	set_reason(t->latest, reason);
	t->since_ms = clock_ms();
	if (before != HEALTH_UNKNOWN && before != known.state)
		log_change(t, before);
}
