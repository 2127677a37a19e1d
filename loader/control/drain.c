/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A drain is an operator's word with terms: it is kept with the words, and this file only follows
 * what becomes of it. A timer looks at the counters twice a second while a drain is not done. What
 * was told (deadline, done) is noted in the store, so that a restart does not tell it again, and a
 * deadline that passed without a daemon is acted on by the next one.
 */
#include "control/drain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "model/mode.h"

#define TICK_MS	 500
#define FIRST_MS 100
#define LOOK_MS	 1000 /* longest-lived flows are looked for no more often, */
#define STALE_MS 5000 /* without being asked, no more often than this and */
#define IDLE	 50   /* that many times as long as it took */
#define SINGLES	 64   /* more endpoints than these: all counters are read at once */
#define KNOWN_MS 1000 /* shorter than that no rate is told */

#define FLOWS_TEXT_MAX 48

int64_t drain_wall_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void drain_set_clock(struct admin_entry *d)
{
	int64_t wall_ms = drain_wall_ms();

	if (wall_ms < d->drain.started_ms)
		wall_ms = d->drain.started_ms;
	d->skew_ms = wall_ms - (int64_t)clock_ms();
}

int64_t drain_now_ms(const struct admin_entry *d)
{
	return d->skew_ms + (int64_t)clock_ms();
}

/* Closed may be ahead of opened by a few, since counters move while they are read. */
static uint64_t open_of(const struct spw_endpoint_stats *s)
{
	return s->flows_opened > s->flows_closed ? s->flows_opened - s->flows_closed : 0;
}

/* Counters of all endpoints, or NULL: each is asked for by itself. */
struct counters {
	struct spw_endpoint_stats *all;
	size_t count;
};

static uint64_t count_open(struct engine *e, const struct counters *c, const struct spw_addr *addr,
			   uint16_t port)
{
	struct spw_endpoint_stats one;
	uint64_t open = 0;
	size_t first, count = generation_range(e->now, addr, port, &first);
	uint32_t id;

	for (size_t i = first; i < first + count; i++) {
		id = engine_endpoint_id(e, e->now->by_address[i]);
		if (id == SPW_ENDPOINT_NONE)
			continue;
		if (c->all) {
			open += id < c->count ? open_of(&c->all[id]) : 0;
			continue;
		}
		dataplane_endpoint_stats(e->dp, id, &one);
		open += open_of(&one);
	}
	return open;
}

uint64_t drain_open_flows(struct engine *e, const struct spw_addr *addr, uint16_t port)
{
	const struct counters none = {0};

	return count_open(e, &none, addr, port);
}

bool drain_is_uncounted(const struct engine *e, const struct spw_addr *addr, uint16_t port)
{
	size_t first, count = generation_range(e->now, addr, port, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct instance *in = e->now->by_address[i];

		if (mode_is_direct(in->mode) && engine_endpoint_id(e, in) != SPW_ENDPOINT_NONE)
			return true;
	}
	return false;
}

const char *drain_state_text(const struct admin_entry *d)
{
	if (d->drain.done)
		return "done";
	return d->drain.over ? "deadline" : "draining";
}

bool drain_resets(const struct admin_entry *d)
{
	return d->admin == SPW_ADMIN_DRAIN && d->drain.reset && d->drain.over;
}

int64_t drain_estimate_s(const struct admin_entry *d, uint64_t now_ms)
{
	const struct drain_course *c = &d->course;
	const uint64_t active = c->active;
	uint64_t span_ms, ended;

	if (!c->is_known || !c->count)
		return -1;
	if (!active)
		return 0;
	span_ms = now_ms - c->at_ms[0];
	if (span_ms < KNOWN_MS || c->flows[0] <= active)
		return -1;
	ended = c->flows[0] - active;
	return (int64_t)((active * span_ms + ended * 1000 - 1) / (ended * 1000));
}

static void sample(struct drain_course *c, uint64_t active, uint64_t now_ms)
{
	c->active = active;
	c->is_known = true;
	if (c->count && now_ms - c->at_ms[c->count - 1] < DRAIN_SAMPLE_MS)
		return;
	if (c->count == DRAIN_SAMPLES) {
		c->count--;
		memmove(&c->at_ms[0], &c->at_ms[1], c->count * sizeof(c->at_ms[0]));
		memmove(&c->flows[0], &c->flows[1], c->count * sizeof(c->flows[0]));
	}
	c->at_ms[c->count] = now_ms;
	c->flows[c->count++] = active;
}

static void tell(struct engine *e, const struct admin_entry *d, const char *to, const char *reason)
{
	struct event v = {.kind = "drain"};
	char text[ADDR_PORT_TEXT_MAX];
	size_t first;

	event_text(v.subject, sizeof(v.subject), "%s", addr_print_port(&d->addr, d->port, text));
	if (generation_range(e->now, &d->addr, d->port, &first) &&
	    e->now->by_address[first]->backend)
		event_text(v.backend, sizeof(v.backend), "%s", e->now->by_address[first]->backend);
	event_text(v.to, sizeof(v.to), "%s", to);
	event_text(v.reason, sizeof(v.reason), "%s", reason);
	(void)event_log_add(e->events, &v);
	log_info("drain: endpoint %s: %s (%s)", text, to, reason);
}

/* "3 flows left", or that nobody knows. */
static void print_flows(const struct engine *e, const struct admin_entry *d, uint64_t flows,
			const char *left, char out[FLOWS_TEXT_MAX])
{
	if (drain_is_uncounted(e, &d->addr, d->port))
		(void)snprintf(out, FLOWS_TEXT_MAX, "flows are not counted");
	else
		(void)snprintf(out, FLOWS_TEXT_MAX, "%llu flows%s", (unsigned long long)flows,
			       left);
}

void drain_tell_start(struct engine *e, const struct admin_entry *d)
{
	const int64_t left_ms = d->drain.deadline_ms - drain_now_ms(d);
	char reason[EVENT_TEXT_MAX], flows[FLOWS_TEXT_MAX];

	print_flows(e, d, d->drain.flows, "", flows);
	if (d->drain.deadline_ms)
		event_text(reason, sizeof(reason), "%s, deadline in %lld s, then %s", flows,
			   (long long)((left_ms + 999) / 1000), d->drain.reset ? "reset" : "leave");
	else
		event_text(reason, sizeof(reason), "%s, no deadline", flows);
	tell(e, d, "started", reason);
}

static void pass_deadline(struct engine *e, struct admin_entry *d, uint64_t active)
{
	size_t first, count = generation_range(e->now, &d->addr, d->port, &first);
	char reason[EVENT_TEXT_MAX], flows[FLOWS_TEXT_MAX];
	uint32_t id;

	d->drain.over = true;
	for (size_t i = first; d->drain.reset && i < first + count; i++) {
		id = engine_endpoint_id(e, e->now->by_address[i]);
		if (id != SPW_ENDPOINT_NONE)
			dataplane_set_reset(e->dp, id, true);
	}
	print_flows(e, d, active, " left", flows);
	event_text(reason, sizeof(reason), "%s: %s", flows,
		   d->drain.reset ? "reset at their next packet" : "left alone");
	tell(e, d, "deadline", reason);
}

static void finish(struct engine *e, struct admin_entry *d)
{
	const int64_t took_ms = drain_now_ms(d) - d->drain.started_ms;
	char reason[EVENT_TEXT_MAX];

	d->drain.done = true;
	event_text(reason, sizeof(reason), "no flow is left after %lld s",
		   (long long)(took_ms / 1000));
	tell(e, d, "done", reason);
}

/* True when something was told, which the store has to know. */
static bool step(struct engine *e, const struct counters *c, struct admin_entry *d)
{
	uint64_t active;
	size_t first;

	if (!generation_range(e->now, &d->addr, d->port, &first))
		return false; /* nobody knows of its flows until it is back */
	active = count_open(e, c, &d->addr, d->port);
	if (!d->drain.started_ms) {
		d->drain.started_ms = drain_wall_ms();
		drain_set_clock(d);
	}
	sample(&d->course, active, clock_ms());
	if (!active && !drain_is_uncounted(e, &d->addr, d->port)) {
		finish(e, d);
		return true;
	}
	if (d->drain.over || !d->drain.deadline_ms || drain_now_ms(d) < d->drain.deadline_ms)
		return false;
	pass_deadline(e, d, active);
	return true;
}

static bool is_watched(const struct admin_entry *d)
{
	return d->admin == SPW_ADMIN_DRAIN && !d->drain.done;
}

static size_t count_watched(const struct engine *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->admins.count; i++)
		n += is_watched(&e->admins.items[i]);
	return n;
}

static void keep(struct engine *e, const struct store_word *words, size_t count)
{
	if (store_set_admins(e->store, words, count))
		log_error("drain: %zu endpoints: what became of it is not kept: store: %s", count,
			  store_error(e->store));
}

static void forget_lists(struct drain_lists *l)
{
	free(TAKE(l->items));
	l->count = 0;
	l->at_ms = 0;
}

static void on_tick(uv_timer_t *t)
{
	struct engine *e = t->data;
	AUTO(arena_free) struct arena *a = arena_new();
	const size_t watched = count_watched(e);
	struct store_word *words = NULL;
	struct counters c = {0};
	char text[ADDR_PORT_TEXT_MAX], word[ADMIN_TEXT_MAX];
	size_t count = 0;

	if (!watched) {
		(void)uv_timer_stop(t);
		forget_lists(&e->drain_lists);
	}
	if (!a || !watched)
		return;
	if (watched > SINGLES)
		dataplane_all_endpoint_stats(e->dp, a, &c.all, &c.count);
	for (size_t i = 0; i < e->admins.count; i++) {
		struct admin_entry *d = &e->admins.items[i];

		if (!is_watched(d) || !step(e, &c, d))
			continue;
		*arena_push(a, words, count) = (struct store_word){
			.endpoint = arena_strdup(a, addr_print_port(&d->addr, d->port, text)),
			.word = arena_strdup(a, admin_print_word(d, word)),
		};
	}
	keep(e, words, count);
	if (clock_ms() - e->drain_lists.at_ms > STALE_MS + IDLE * e->drain_lists.took_ms)
		drains_look(e); /* who asks once has no time to wait for it */
}

void drains_watch(struct engine *e)
{
	if (count_watched(e) && !uv_is_active((uv_handle_t *)&e->drain_timer))
		(void)uv_timer_start(&e->drain_timer, on_tick, FIRST_MS, TICK_MS);
}

/* Outlives the engine when the data path is closed before the walk has ended. */
struct drain_walk {
	struct engine *e; /* NULL: closed */
	uint64_t began_ms;
};

static void on_walked(void *ctx, int err, const struct oldest_flows *lists, size_t count)
{
	AUTO(free) struct drain_walk *w = ctx;
	struct drain_lists *to = w->e ? &w->e->drain_lists : NULL;
	struct oldest_flows *copy;

	if (!to)
		return;
	to->walk = NULL;
	to->at_ms = clock_ms();
	to->took_ms = to->at_ms - w->began_ms;
	copy = err ? NULL : calloc(count + 1, sizeof(*copy));
	if (!copy)
		return;
	if (count)
		memcpy(copy, lists, count * sizeof(*copy));
	free(to->items);
	to->items = copy;
	to->count = count;
}

static size_t list_ids(struct engine *e, struct arena *a, uint32_t **out)
{
	const struct admin_entry *d;
	size_t first, count, n = 0;

	*out = NULL;
	for (size_t i = 0; i < e->admins.count; i++) {
		d = &e->admins.items[i];
		count = is_watched(d) ? generation_range(e->now, &d->addr, d->port, &first) : 0;
		for (size_t k = 0; k < count; k++)
			*arena_push(a, *out, n) =
				engine_endpoint_id(e, e->now->by_address[first + k]);
	}
	return n;
}

void drains_look(struct engine *e)
{
	struct drain_lists *l = &e->drain_lists;
	AUTO(arena_free) struct arena *a = arena_new();
	struct drain_walk *w;
	uint32_t *ids;
	size_t count;

	if (!a || l->walk || (l->at_ms && clock_ms() - l->at_ms < LOOK_MS))
		return;
	count = list_ids(e, a, &ids);
	w = count ? calloc(1, sizeof(*w)) : NULL;
	if (!w)
		return;
	w->e = e;
	w->began_ms = clock_ms();
	l->walk = w;
	if (dataplane_oldest_flows(e->dp, ids, count, on_walked, w) == 0)
		return;
	l->walk = NULL;
	free(w);
}

void drains_close(struct engine *e)
{
	if (e->drain_lists.walk)
		e->drain_lists.walk->e = NULL;
	forget_lists(&e->drain_lists);
}
