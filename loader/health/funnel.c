/* SPDX-License-Identifier: BSD-2-Clause */
/* See funnel.h. Every transition is one line: `what: which: old -> new (reason)`. */
#include "health/funnel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "health/outlier.h"
#include "health/ramp.h"
#include "health/schedule.h"

#define REASON_RAMP_OVER "slow start over"
#define REASON_PASSED	 "active check passed"

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

const char *funnel_reason(const struct target *t)
{
	if (t->admin != SPW_ADMIN_AUTO)
		return t->admin_reason;
	if (t->standing == STANDING_EJECTED)
		return t->ejection.reason;
	if (t->standing == STANDING_STARTING)
		return "slow start";
	return t->reason[0] ? t->reason : "not checked yet";
}

bool funnel_may_log(struct funnel *f)
{
	const uint64_t now = clock_ms();

	if (now - f->lines_since_ms >= FUNNEL_LINES_MS) {
		if (f->lines > FUNNEL_LINES_MOST)
			log_warn("health: %" PRIu64 " changes of endpoints were not logged: see "
				 "`spillway events`",
				 f->lines - FUNNEL_LINES_MOST);
		f->lines_since_ms = now;
		f->lines = 0;
	}
	if (++f->lines == FUNNEL_LINES_MOST + 1)
		log_warn(
			"health: more than %d changes of endpoints in %d s: the rest is not logged: "
			"see `spillway events`",
			FUNNEL_LINES_MOST, FUNNEL_LINES_MS / 1000);
	return f->lines <= FUNNEL_LINES_MOST;
}

static void tell(struct funnel *f, struct target *t, enum standing from, const char *cause)
{
	const struct instance *i = t->instance;
	struct event e = {.kind = "endpoint"};
	char addr[ADDR_PORT_TEXT_MAX];
	const char *name = i && i->name ? i->name : addr_print_port(&t->addr, t->port, addr);
	const char *backend = i && i->backend ? i->backend : "";

	if (funnel_may_log(f))
		log_info("health: backend %s endpoint %s: %s -> %s (%s)",
			 backend[0] ? backend : "?", name, standing_text(from),
			 standing_text(t->standing), cause);
	if (!f->events)
		return;
	event_text(e.subject, sizeof(e.subject), "%s", name);
	event_text(e.backend, sizeof(e.backend), "%s", backend);
	event_text(e.from, sizeof(e.from), "%s", standing_text(from));
	event_text(e.to, sizeof(e.to), "%s", standing_text(t->standing));
	event_text(e.reason, sizeof(e.reason), "%s", cause);
	(void)event_log_add(f->events, &e);
}

static uint32_t window_of(const struct target *t)
{
	return t->instance ? t->instance->slow_start_ms : 0;
}

static void stop_ramp(struct funnel *f, struct target *t)
{
	due_remove(&f->ramps, &t->ramp_due);
	t->ramp_start_ms = 0;
}

/* The part of its share at this moment; plans the next step. */
static uint8_t go_on_with_ramp(struct funnel *f, struct target *t, uint64_t now)
{
	const uint64_t elapsed = now > t->ramp_start_ms ? now - t->ramp_start_ms : 0;
	const uint8_t percent = t->ramp_start_ms ? ramp_percent(elapsed, window_of(t)) : 0;

	if (percent)
		due_put(&f->ramps, &t->ramp_due, now + ramp_next_ms(elapsed, window_of(t)));
	else
		stop_ramp(f, t);
	return percent;
}

static struct health_entry look_anew(struct funnel *f, struct target *t, bool was_healthy)
{
	struct health_entry e = {
		.state = t->known.state,
		.admin = t->admin,
		.ejected = t->ejection.on,
	};
	const uint64_t now = clock_ms();

	if (!health_is_healthy(&e)) {
		stop_ramp(f, t);
		return e;
	}
	if (!was_healthy)
		t->ramp_start_ms = now;
	e.ramp_percent = go_on_with_ramp(f, t, now);
	return e;
}

static bool is_same(const struct health_entry *a, const struct health_entry *b)
{
	return a->state == b->state && a->admin == b->admin && a->ejected == b->ejected &&
	       a->ramp_percent == b->ramp_percent;
}

/* `out` comes first of all: it is what keeps the next flow off a dead endpoint. */
static void settle(struct funnel *f, struct target *t, const char *cause)
{
	const struct health_entry before = t->entry;
	const enum standing from = t->standing;
	const bool was_healthy = health_is_healthy(&before);

	if (!t->begun)
		return;
	t->entry = look_anew(f, t, was_healthy);
	t->standing = health_standing(&t->entry);
	if (is_same(&before, &t->entry))
		return;
	if (!f->in_sync && was_healthy && !health_is_healthy(&t->entry) && f->hooks->out)
		f->hooks->out(f->hooks->ctx, t->instance);
	if (t->standing != from) {
		t->since_ms = clock_ms();
		tell(f, t, from, cause);
	}
	if (!f->in_sync)
		schedule_wake(f->scheduler);
}

/* The services of the instance have one more ejected endpoint, or one less. */
static void move_rooms(struct funnel *f, const struct target *t, int32_t by)
{
	const struct instance *i = t->instance;

	if (!i || !f->rooms)
		return;
	for (size_t n = 0; n < i->service_count; n++)
		f->rooms[i->services[n]].ejected += (uint32_t)by;
}

static void end_ejection(struct funnel *f, struct target *t)
{
	t->ejection.on = false;
	t->ejection.until_ms = 0;
	move_rooms(f, t, -1);
}

void funnel_judge(struct funnel *f, struct target *t, const struct verdict *v)
{
	const enum health_state before = t->known.state;
	const char *cause = v->reason;

	if (v->kind == VERDICT_NONE)
		return;
	t->known = rise_fall_next(t->known, v->kind, thresholds_of(t));
	set_reason(t->latest, v->reason);
	if (t->known.last_good == (t->known.state == HEALTH_UP))
		set_reason(t->reason, v->reason);
	/* A probe that was started before the ejection knows nothing of its cause. */
	if (v->kind == VERDICT_GOOD && t->ejection.on && t->known.state == HEALTH_UP &&
	    t->started_ms >= t->ejection.since_ms) {
		end_ejection(f, t);
		cause = before == HEALTH_UP ? REASON_PASSED : cause;
	}
	settle(f, t, cause);
}

void funnel_adopt(struct funnel *f, struct target *t, struct rise_fall known, const char *reason)
{
	t->known = known;
	set_reason(t->reason, reason);
	set_reason(t->latest, reason);
	settle(f, t, reason);
}

void funnel_set_admin(struct funnel *f, struct target *t, enum spw_admin admin, const char *reason)
{
	t->admin = admin;
	set_reason(t->admin_reason, reason);
	settle(f, t, reason);
}

bool funnel_has_room(const struct funnel *f, const struct target *t)
{
	const struct instance *i = t->instance;

	for (size_t n = 0; n < i->service_count; n++) {
		const struct eject_room *room = &f->rooms[i->services[n]];

		if (!outlier_has_room(i->passive, room->hosts, room->ejected))
			return false;
	}
	return true;
}

void funnel_eject(struct funnel *f, struct target *t, const char *reason)
{
	struct ejection *e = &t->ejection;

	if (e->on)
		return;
	e->on = true;
	e->count++;
	e->since_ms = clock_ms();
	e->until_ms = e->since_ms + outlier_ejection_ms(t->instance->passive, e->count);
	(void)snprintf(e->reason, sizeof(e->reason), "%s", reason);
	move_rooms(f, t, 1);
	settle(f, t, reason);
}

void funnel_uneject(struct funnel *f, struct target *t, const char *reason)
{
	if (!t->ejection.on)
		return;
	end_ejection(f, t);
	settle(f, t, reason);
}

void funnel_forgive(struct target *t)
{
	if (t->ejection.count && !t->ejection.on)
		t->ejection.count--;
}

uint64_t funnel_step_ramps(struct funnel *f, uint64_t now_ms)
{
	struct due *d;

	/* settle() moves the target behind `now`, or takes it out. */
	while ((d = due_first(&f->ramps)) && d->at_ms <= now_ms)
		settle(f, (struct target *)((char *)d - offsetof(struct target, ramp_due)),
		       REASON_RAMP_OVER);
	return d ? d->at_ms : 0;
}

int funnel_reserve(struct funnel *f, size_t targets, size_t services, struct eject_room **rooms)
{
	struct eject_room *made = calloc(services + 1, sizeof(*made));

	if (!made || due_reserve(&f->ramps, targets)) {
		free(made);
		return -ENOMEM;
	}
	*rooms = made;
	return 0;
}

void funnel_set_rooms(struct funnel *f, struct eject_room *rooms)
{
	free(f->rooms);
	f->rooms = rooms;
}

void funnel_count_room(struct funnel *f, const struct instance *i, const struct target *t)
{
	for (size_t n = 0; n < i->service_count; n++) {
		f->rooms[i->services[n]].hosts++;
		/* Several instances may share the target, but only one is written by move_rooms(). */
		f->rooms[i->services[n]].ejected += t->ejection.on && t->instance == i;
	}
}

void funnel_begin(struct funnel *f, struct target *t)
{
	const enum standing from = t->standing;

	t->begun = true;
	if (t->is_new)
		t->ramp_start_ms = clock_ms();
	t->entry = look_anew(f, t, true);
	t->standing = health_standing(&t->entry);
	if (t->is_new) {
		t->since_ms = t->standing == STANDING_UNKNOWN ? 0 : clock_ms();
		t->is_new = false;
		return;
	}
	if (t->standing == from)
		return;
	t->since_ms = clock_ms();
	if (t->standing != STANDING_UNKNOWN) /* it was up for want of a check: that is no news */
		tell(f, t, from, funnel_reason(t));
}

void funnel_forget(struct funnel *f, struct target *t)
{
	due_remove(&f->ramps, &t->ramp_due);
}

void funnel_done(struct funnel *f)
{
	due_done(&f->ramps);
	free(f->rooms);
}
