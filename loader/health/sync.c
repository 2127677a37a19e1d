/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the targets in step with the model: a new model never touches the history of an endpoint
 * that is in it still. Everything that can fail is done first; no hook is called meanwhile, since
 * whoever brings a new model builds its tables anyway.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "health/outlier.h"
#include "health/parts.h"

#define REASON_NO_CHECK	   "no check"
#define REASON_NOT_PASSIVE "passive detection was switched off"
#define REASON_TIME_OVER   "ejection time over"

/* What a new model needs. */
struct fresh {
	struct target **by_index;
	struct eject_room *rooms;
	struct signals_room signals;
};

static void fresh_done(struct fresh *f)
{
	free(f->by_index);
	free(f->rooms);
	free(f->signals.targets);
	free(f->signals.loud);
}

static bool not_listed(const struct target *t)
{
	return !t->listed;
}

static bool is_made_now(const struct target *t)
{
	return t->is_new;
}

static struct target *find_or_add(struct health *h, const struct instance *i)
{
	struct target *t = target_find(&h->targets, &i->addr, i->port, i->profile);

	if (t)
		return t;
	t = target_add(&h->targets, &i->addr, i->port, i->profile);
	if (t)
		t->is_new = true;
	return t;
}

static int make_targets(struct health *h, const struct model *m, struct target **by_index)
{
	for (size_t n = 0; n < m->instance_count; n++) {
		const struct instance *i = &m->instances[n];
		struct target *t = find_or_add(h, i);

		if (!t || signals_watch(t, i))
			return -ENOMEM;
		by_index[i->index] = t;
	}
	return 0;
}

/* Everything that can fail. Leaves the table as it was on failure. */
static int reserve(struct health *h, const struct model *m, struct fresh *f)
{
	const size_t most = h->targets.count + m->instance_count;

	f->by_index = calloc(m->instance_count + 1, sizeof(*f->by_index));
	if (!f->by_index || target_table_reserve(&h->targets, most) ||
	    schedule_reserve(&h->scheduler, most) ||
	    funnel_reserve(&h->funnel, most, m->service_count, &f->rooms) ||
	    signals_reserve(m->instance_count, m->service_count, &f->signals))
		return -ENOMEM;
	if (!make_targets(h, m, f->by_index))
		return 0;
	target_sweep(&h->targets, is_made_now, health_drop, h);
	return -ENOMEM;
}

/* How much of what is known under another profile may be taken over. */
static int worth(const struct target *t)
{
	if (t->known.state == HEALTH_DOWN)
		return 3;
	if (t->known.state == HEALTH_UP && (t->checked || !t->instance))
		return 2;
	return 1;
}

/*
 * The state under another profile of the same address and port: better than none, until the
 * first result. Down wins, since traffic to a dead endpoint costs more than a moment without it.
 */
static const struct target *predecessor(const struct health *h, const struct target *t)
{
	const struct target *best = NULL;

	for (const struct target *i = target_chain(&h->targets, &t->addr, t->port); i;
	     i = i->next) {
		if (i == t || i->is_new || i->port != t->port || !addr_equal(&i->addr, &t->addr))
			continue;
		if (!best || worth(i) > worth(best))
			best = i;
	}
	return best;
}

/* An endpoint without an address has nothing in common with others that have none. */
static void inherit(const struct health *h, struct target *t, const struct instance *i)
{
	const struct target *from = i->kind == ENDPOINT_IP ? predecessor(h, t) : NULL;

	if (!from)
		return;
	if (worth(from) > 1) {
		t->known.state = from->known.state;
		memcpy(t->reason, from->reason, sizeof(t->reason));
		memcpy(t->latest, from->latest, sizeof(t->latest));
	}
	t->ejection = from->ejection;
	t->ramp_start_ms = from->ramp_start_ms;
	t->standing = from->standing;
	t->since_ms = from->since_ms;
	t->inherits = true;
}

/* Of two instances that share a target the one that gets traffic is the one to be told of. */
static void point_to(struct target *t, const struct instance *i)
{
	const struct check *c = i->check;

	if (t->listed && !i->carried)
		return;
	t->instance = i;
	t->listed = true;
	t->checked = c != NULL;
	t->job.kind = i->kind;
	t->job.host = i->host;
	t->job.tls = i->tls;
	t->job.app = i->app;
	t->job.addr = i->addr;
	t->job.port = c && c->port ? c->port : i->port;
	t->job.check = c;
	t->job.hostname = i->hostname;
}

/* How much of the file is believed depends on the check, which only the model knows. */
static void weigh_loaded(struct health *h, struct target *t)
{
	if (t->job.check && keep_is_stale(&h->keep, t->job.check->interval_ms)) {
		t->known.settled = false;
		t->known.streak = 0;
	}
	t->loaded = false;
}

/* No longer than the policy would have it now, whatever a file or another policy said. */
static void limit_ejection(struct target *t)
{
	const struct passive *p = t->instance->passive;
	uint64_t latest;

	if (!p || !t->ejection.on)
		return;
	latest = clock_ms() + outlier_ejection_ms(p, t->ejection.count);
	if (t->ejection.until_ms > latest)
		t->ejection.until_ms = latest;
}

static void begin(struct health *h, struct target *t)
{
	const struct word *w =
		t->job.kind == ENDPOINT_IP ? words_find(&h->words, &t->addr, t->port) : NULL;

	if (t->loaded)
		weigh_loaded(h, t);
	limit_ejection(t);
	if (t->inherits)
		t->is_new = t->inherits = false;
	if (w)
		funnel_set_admin(&h->funnel, t, w->admin, w->reason);
	funnel_begin(&h->funnel, t);
}

static void start_or_stop(struct health *h, struct target *t)
{
	const struct rise_fall up = {.state = HEALTH_UP, .settled = true};

	if (!t->checked)
		schedule_remove(&h->scheduler, t);
	if (!t->checked && (t->known.state != HEALTH_UP || strcmp(t->reason, REASON_NO_CHECK) != 0))
		funnel_adopt(&h->funnel, t, up, REASON_NO_CHECK);
	if (!t->begun)
		begin(h, t);
	if (t->checked && !t->scheduler)
		schedule_add(&h->scheduler, t);
	if (!t->ejection.on)
		return;
	if (!t->watch || !t->instance->passive)
		funnel_uneject(&h->funnel, t, REASON_NOT_PASSIVE);
	else if (clock_ms() >= t->ejection.until_ms)
		funnel_uneject(&h->funnel, t, REASON_TIME_OVER);
}

static void install(struct health *h, const struct model *m, struct fresh *f)
{
	struct target **by_index = f->by_index;

	for (size_t n = 0; n < m->instance_count; n++) {
		struct target *t = by_index[m->instances[n].index];

		if (t->is_new && !t->inherits)
			inherit(h, t, &m->instances[n]);
	}
	for (size_t n = m->instance_count; n-- > 0;)
		point_to(by_index[m->instances[n].index], &m->instances[n]);
	target_sweep(&h->targets, not_listed, health_drop, h);
	funnel_set_rooms(&h->funnel, TAKE(f->rooms));
	signals_begin(&h->signals, &f->signals);
	for (size_t n = 0; n < m->instance_count; n++)
		funnel_count_room(&h->funnel, &m->instances[n], by_index[m->instances[n].index]);
	for (size_t n = 0; n < m->instance_count; n++) {
		struct target *t = by_index[n];

		if (!t->listed)
			continue; /* shared, and done */
		t->listed = false;
		start_or_stop(h, t);
		signals_add(&h->signals, t);
	}
	free(h->by_index);
	h->by_index = TAKE(f->by_index);
	h->instance_count = m->instance_count;
}

int health_sync(struct health *h, const struct model *m)
{
	struct fresh f = {0};
	int err = reserve(h, m, &f);

	if (!err) {
		h->funnel.in_sync = true;
		install(h, m, &f);
		h->funnel.in_sync = false;
		keep_begin(&h->keep);
		keep_changed(&h->keep);
		health_arm_ramps(h);
		health_arm_signals(h);
	}
	fresh_done(&f);
	return err;
}
