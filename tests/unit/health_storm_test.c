/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that can happen to endpoints, in any order: what the module says afterwards is what a
 * model of ten lines says. And all of many endpoints at once.
 */
#include "health_rig.h"

#include <fcntl.h>

#include "base/log.h"
#include "health/outlier.h"
#include "health/parts.h"

#define HOSTS	 12
#define SERVICES 4
#define STEPS	 20000
#define STORM	 10000

static const struct passive passive = {
	.interval_ms = 1000,
	.base_ejection_ms = 30000,
	.max_ejection_percent = 30,
	.consecutive = 5,
};

/* What is to be so, of one address. */
struct host {
	enum spw_admin admin;
	enum health_state state;
	bool ejected;
	bool present;
	bool has_check, has_passive;
	uint8_t services; /* bits */
};

struct world {
	struct rig rig;
	struct check check;
	struct host hosts[HOSTS];
	struct instance i[HOSTS];   /* of those that are present */
	struct instance old[HOSTS]; /* of the model before: health_sync() may look at it */
	uint32_t services[2][HOSTS][SERVICES];
	size_t count;
	struct spw_addr addr; /* of all; they differ in their ports */
	unsigned round;
	unsigned outs; /* that there must have been */
};

static uint32_t seed;

static uint32_t pick(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static bool is_healthy(const struct host *h)
{
	if (h->admin != SPW_ADMIN_AUTO)
		return h->admin == SPW_ADMIN_UP;
	return h->state != HEALTH_DOWN && !h->ejected;
}

static enum standing standing_of(const struct host *h)
{
	if (h->admin == SPW_ADMIN_DOWN)
		return STANDING_DOWN;
	if (h->admin == SPW_ADMIN_DRAIN)
		return STANDING_DRAINING;
	if (h->admin == SPW_ADMIN_UP)
		return STANDING_UP;
	if (h->state == HEALTH_DOWN)
		return STANDING_DOWN;
	if (h->ejected)
		return STANDING_EJECTED;
	return h->state == HEALTH_UNKNOWN ? STANDING_UNKNOWN : STANDING_UP;
}

static int make_file(void **state)
{
	char *path = strdup("/tmp/spillway-storm-XXXXXX");
	const int fd = mkstemp(path);

	*state = path;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)unlink(*state);
	free(*state);
	return 0;
}

static void install(struct world *w)
{
	struct model m = {.instances = w->i, .service_count = SERVICES};
	size_t at = 0;

	memcpy(w->old, w->i, sizeof(w->i));
	w->round ^= 1;
	for (size_t n = 0; n < HOSTS; n++) {
		const struct host *h = &w->hosts[n];
		uint32_t *services = w->services[w->round][at];
		struct instance *i = &w->i[at];

		if (!h->present)
			continue;
		*i = rig_instance("10.0.0.1", (uint16_t)(n + 1), h->has_check + 2 * h->has_passive,
				  NULL);
		i->index = (uint32_t)at++;
		i->check = h->has_check ? &w->check : NULL;
		i->passive = h->has_passive ? &passive : NULL;
		i->services = services;
		for (uint32_t k = 0; k < SERVICES; k++)
			if (h->services & 1 << k)
				services[i->service_count++] = k;
	}
	w->count = m.instance_count = at;
	assert_int_equal(health_sync(w->rig.health, &m), 0);
}

static struct target *target_of(struct world *w, size_t n)
{
	const struct host *h = &w->hosts[n];

	return target_find(&w->rig.health->targets, &w->addr, (uint16_t)(n + 1),
			   h->has_check + 2 * h->has_passive);
}

static bool model_has_room(const struct world *w, size_t n)
{
	for (uint32_t k = 0; k < SERVICES; k++) {
		uint32_t hosts = 0, ejected = 0;

		for (size_t j = 0; j < HOSTS; j++) {
			if (!w->hosts[j].present || !(w->hosts[j].services & 1 << k))
				continue;
			hosts++;
			ejected += w->hosts[j].ejected;
		}
		if (w->hosts[n].services & 1 << k && !outlier_has_room(&passive, hosts, ejected))
			return false;
	}
	return true;
}

/* What another policy makes of what was known. */
static void change_policy(struct host *h)
{
	h->has_check = pick(2);
	h->has_passive = pick(2);
	if (!h->has_check)
		h->state = HEALTH_UP;
	if (!h->has_passive)
		h->ejected = false;
}

static void change_model(struct world *w, size_t n)
{
	struct host *h = &w->hosts[n];
	const bool had_check = h->has_check;

	if (!h->present || pick(3) == 0) {
		h->present = !h->present;
		h->ejected = false;
		h->state = h->has_check ? HEALTH_UNKNOWN : HEALTH_UP;
	} else if (pick(2)) {
		h->services = (uint8_t)pick(1 << SERVICES);
	} else {
		change_policy(h);
		/* To be up for want of a check says nothing of what a check will find. */
		if (!had_check && h->has_check)
			h->state = HEALTH_UNKNOWN;
	}
	install(w);
}

static void judge(struct world *w, size_t n)
{
	const bool good = pick(2);
	const struct verdict v =
		verdict_make(good ? VERDICT_GOOD : VERDICT_BAD_AT_ONCE, good ? "fine" : "broken");
	struct target *t = target_of(w, n);
	const bool is_late = pick(2); /* it was started before the ejection */

	t->started_ms = is_late ? 0 : clock_ms();
	funnel_judge(&w->rig.health->funnel, t, &v);
	w->hosts[n].state = good ? HEALTH_UP : HEALTH_DOWN;
	if (good && !is_late)
		w->hosts[n].ejected = false;
}

static void eject(struct world *w, size_t n)
{
	const bool room = model_has_room(w, n);
	struct target *t = target_of(w, n);

	assert_int_equal(funnel_has_room(&w->rig.health->funnel, t), room);
	if (!room && !w->hosts[n].ejected)
		return;
	funnel_eject(&w->rig.health->funnel, t, "too bad");
	w->hosts[n].ejected = true;
}

static void step(struct world *w)
{
	const size_t n = pick(HOSTS);
	struct host *h = &w->hosts[n];
	const bool was_healthy = is_healthy(h);

	switch (pick(8)) {
	case 0:
		change_model(w, n);
		return;
	case 1:
	case 2:
		h->admin = (enum spw_admin)pick(4);
		health_set_admin(w->rig.health, &w->addr, (uint16_t)(n + 1), h->admin, "operator");
		break;
	case 3:
	case 4:
	case 5:
		if (h->present && h->has_check)
			judge(w, n);
		break;
	case 6:
		if (h->present && h->has_passive)
			eject(w, n);
		break;
	case 7:
		if (!h->present || !h->has_passive)
			break;
		funnel_uneject(&w->rig.health->funnel, target_of(w, n), "time");
		h->ejected = false;
		break;
	}
	w->outs += h->present && was_healthy && !is_healthy(h);
}

static void compare(struct world *w, unsigned at)
{
	const struct eject_room *rooms = w->rig.health->funnel.rooms;
	uint32_t hosts[SERVICES] = {0}, ejected[SERVICES] = {0};
	size_t index = 0;

	assert_int_equal(w->rig.outs, w->outs);
	for (size_t n = 0; n < HOSTS; n++) {
		const struct host *h = &w->hosts[n];
		struct health_info info;

		if (!h->present)
			continue;
		info = rig_info(&w->rig, &w->i[index++]);
		if (info.standing != standing_of(h) || info.state != h->state)
			fail_msg("step %u, host %zu: %s (%s), not %s", at, n,
				 standing_text(info.standing), info.reason,
				 standing_text(standing_of(h)));
		assert_int_equal(info.ejected_left_ms != 0, h->ejected);
		assert_true(info.reason[0]);
		for (uint32_t k = 0; k < SERVICES; k++) {
			hosts[k] += h->services >> k & 1;
			ejected[k] += h->services >> k & h->ejected;
		}
	}
	for (uint32_t k = 0; k < SERVICES; k++) {
		assert_int_equal(rooms[k].hosts, hosts[k]);
		assert_int_equal(rooms[k].ejected, ejected[k]);
	}
}

/* Ends, and starts again with the file and the store's words: nothing is news then. */
static void restart(struct world *w)
{
	struct health_info before[HOSTS], after;
	const uint64_t last = event_log_last_seq(w->rig.events);

	for (size_t n = 0; n < w->count; n++)
		before[n] = rig_info(&w->rig, &w->i[n]);
	rig_stop(&w->rig);
	rig_restart(&w->rig);
	w->outs = 0;
	for (size_t n = 0; n < HOSTS; n++)
		health_set_admin(w->rig.health, &w->addr, (uint16_t)(n + 1), w->hosts[n].admin,
				 "operator");
	install(w);
	assert_int_equal(event_log_last_seq(w->rig.events), last);
	for (size_t n = 0; n < w->count; n++) {
		after = rig_info(&w->rig, &w->i[n]);
		assert_int_equal(after.since_ms, before[n].since_ms);
		assert_int_equal(after.ejections, before[n].ejections);
		assert_int_equal(after.streak, before[n].streak);
	}
}

static void whatever_happens_in_any_order_the_outcome_is_the_models(void **state)
{
	for (uint32_t run = 1; run <= 3; run++) {
		struct world w = {.check = rig_check(CHECK_TCP)};

		seed = run;
		w.check.interval_ms = w.check.jitter_ms = 3600000; /* no probe of its own */
		w.rig.state_file = *state;
		(void)unlink(*state);
		rig_restart(&w.rig);
		log_set_level(LOG_LEVEL_ERROR);
		assert_int_equal(addr_parse("10.0.0.1", &w.addr), 0);
		install(&w);
		for (unsigned at = 0; at < STEPS; at++) {
			step(&w);
			if (pick(200) == 0)
				restart(&w);
			compare(&w, at);
		}
		log_set_level(LOG_LEVEL_INFO);
		rig_stop(&w.rig);
	}
}

/* A switch dies: each of them is out and an event, the log gets the first ones. */
static void ten_thousand_that_fail_at_once_are_all_events_and_few_lines(void **state)
{
	static struct instance i[STORM];
	struct check c = rig_check(CHECK_TCP);
	const struct verdict v = verdict_make(VERDICT_BAD, "timeout");
	int out[2], err = dup(STDERR_FILENO);
	char *text = calloc(1, 1u << 20);
	size_t lines = 0;
	uint64_t began;
	struct rig r;

	(void)state;
	c.interval_ms = c.jitter_ms = 3600000;
	rig_start(&r);
	for (uint32_t n = 0; n < STORM; n++)
		i[n] = rig_instance("10.0.0.1", (uint16_t)(n + 1), 1, &c);
	rig_sync(&r, i, STORM);
	assert_int_equal(pipe2(out, O_NONBLOCK), 0);
	assert_true(fcntl(out[1], F_SETPIPE_SZ, 1 << 20) > 0);
	(void)dup2(out[1], STDERR_FILENO);
	began = clock_ms();
	for (uint32_t n = 0; n < STORM; n++)
		funnel_judge(&r.health->funnel, r.health->by_index[n], &v);
	began = clock_ms() - began;
	(void)dup2(err, STDERR_FILENO);
	(void)close(err);
	assert_true(read(out[0], text, (1u << 20) - 1) > 0);
	(void)close(out[0]);
	(void)close(out[1]);
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, FUNNEL_LINES_MOST + 1);
	assert_non_null(strstr(text, "more than 1000 changes of endpoints in 10 s"));
	assert_int_equal(r.outs, STORM);
	assert_int_equal(event_log_last_seq(r.events), STORM);
	assert_int_equal(event_log_next(r.events, 0)->seq, 1);
	print_message("%d endpoints out in %llu ms\n", STORM, (unsigned long long)began);
	free(text);
	rig_stop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			whatever_happens_in_any_order_the_outcome_is_the_models, make_file,
			remove_file),
		cmocka_unit_test(ten_thousand_that_fail_at_once_are_all_events_and_few_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
