/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that judges an endpoint, meeting in one standing: what is told, when, and with which reason.
 * Results are handed to the funnel by hand; no loop has to run for most of it.
 */
#include "health_rig.h"

#include "health/parts.h"
#include "health/words.h"

static const struct passive one_in_two = {
	.interval_ms = 1000,
	.base_ejection_ms = 30000,
	.max_ejection_percent = 50,
	.consecutive = 5,
};

static struct check hourly(void)
{
	struct check c = rig_check(CHECK_TCP);

	c.interval_ms = 3600000;
	c.jitter_ms = 3600000; /* no probe is started while a test runs */
	return c;
}

static struct target *target_of(struct rig *r, const struct instance *i)
{
	return target_find(&r->health->targets, &i->addr, i->port, i->profile);
}

static void judge(struct rig *r, const struct instance *i, enum verdict_kind kind, const char *why)
{
	const struct verdict v = verdict_make(kind, "%s", why);

	target_of(r, i)->started_ms = clock_ms();
	funnel_judge(&r->health->funnel, target_of(r, i), &v);
}

static void word(struct rig *r, const struct instance *i, enum spw_admin admin)
{
	health_set_admin(r->health, &i->addr, i->port, admin, "operator");
}

static struct health_entry entry_of(struct rig *r, const struct instance *i)
{
	struct health_entry e[16];

	health_fill(r->health, e, 16);
	return e[i->index];
}

/* The latest event is that one, and it is the count-th. */
static void assert_event(struct rig *r, uint64_t count, const char *change, const char *reason)
{
	const struct event *e;
	char got[400] = "";

	assert_int_equal(event_log_last_seq(r->events), count);
	if (!count)
		return;
	e = event_log_next(r->events, count - 1);
	assert_string_equal(e->kind, "endpoint");
	assert_string_equal(e->backend, "default/web");
	(void)snprintf(got, sizeof(got), "%s -> %s", e->from, e->to);
	assert_string_equal(got, change);
	assert_string_equal(e->reason, reason);
}

static void a_transition_is_an_event_and_moves_the_age(void **state)
{
	struct check c = hourly();
	struct instance i = rig_instance("10.0.0.7", 80, 1, &c);
	struct rig r;

	(void)state;
	rig_start(&r);
	rig_sync(&r, &i, 1);
	assert_int_equal(rig_info(&r, &i).since_ms, 0);
	judge(&r, &i, VERDICT_GOOD, "connected");
	assert_event(&r, 1, "unknown -> up", "connected");
	assert_string_equal(event_log_next(r.events, 0)->subject, "10.0.0.7:80");
	assert_true(rig_info(&r, &i).since_ms > 0);
	judge(&r, &i, VERDICT_BAD, "timeout");
	judge(&r, &i, VERDICT_BAD, "timeout");
	assert_event(&r, 1, "unknown -> up", "connected");
	assert_string_equal(rig_info(&r, &i).reason, "connected");
	assert_string_equal(rig_info(&r, &i).latest, "timeout");
	assert_int_equal(r.outs, 0);
	judge(&r, &i, VERDICT_BAD, "timeout");
	assert_event(&r, 2, "up -> down", "timeout");
	rig_stop(&r);
}

/* Several endpoints down in one turn: each is out before the turn ends, one rebuild follows. */
static void what_goes_out_is_told_at_once_and_the_rest_once_a_turn(void **state)
{
	struct check c = hourly();
	struct instance i[2] = {rig_instance("10.0.0.7", 80, 1, &c),
				rig_instance("10.0.0.8", 80, 1, &c)};
	struct rig r;

	(void)state;
	rig_start(&r);
	rig_sync(&r, i, 2);
	judge(&r, &i[0], VERDICT_BAD, "timeout");
	assert_int_equal(r.outs, 1);
	assert_ptr_equal(r.out, &i[0]);
	judge(&r, &i[1], VERDICT_BAD, "timeout");
	assert_int_equal(r.outs, 2);
	assert_ptr_equal(r.out, &i[1]);
	assert_int_equal(r.changes, 0);
	(void)uv_run(&r.loop, UV_RUN_NOWAIT);
	assert_int_equal(r.changes, 1);
	judge(&r, &i[1], VERDICT_BAD, "timeout"); /* no change, no call */
	(void)uv_run(&r.loop, UV_RUN_NOWAIT);
	assert_int_equal(r.outs, 2);
	assert_int_equal(r.changes, 1);
	rig_stop(&r);
}

static void the_operators_word_overrides_and_ends(void **state)
{
	struct check c = hourly();
	struct instance i = rig_instance("10.0.0.7", 80, 1, &c);
	struct rig r;

	(void)state;
	rig_start(&r);
	rig_sync(&r, &i, 1);
	judge(&r, &i, VERDICT_GOOD, "connected");
	word(&r, &i, SPW_ADMIN_DRAIN);
	assert_event(&r, 2, "up -> draining", "set by the operator");
	assert_int_equal(r.outs, 1);
	assert_int_equal(entry_of(&r, &i).admin, SPW_ADMIN_DRAIN);
	word(&r, &i, SPW_ADMIN_DOWN);
	assert_event(&r, 3, "draining -> down", "set by the operator");
	assert_int_equal(r.outs, 1); /* it was out */
	word(&r, &i, SPW_ADMIN_DOWN);
	assert_event(&r, 3, "draining -> down", "set by the operator");
	assert_string_equal(rig_info(&r, &i).reason, "set by the operator");
	assert_int_equal(rig_info(&r, &i).state, HEALTH_UP);
	word(&r, &i, SPW_ADMIN_AUTO);
	assert_event(&r, 4, "down -> up", "no longer set by the operator");
	assert_string_equal(rig_info(&r, &i).reason, "connected");
	judge(&r, &i, VERDICT_BAD_AT_ONCE, "status 503");
	word(&r, &i, SPW_ADMIN_UP);
	assert_event(&r, 6, "down -> up", "set by the operator");
	assert_true(rig_info(&r, &i).state == HEALTH_DOWN);
	health_set_admin(r.health, &i.addr, i.port, SPW_ADMIN_DRAIN, "drain");
	assert_event(&r, 7, "up -> draining", "drained by the operator");
	rig_stop(&r);
}

static void a_change_behind_the_operators_word_is_no_event(void **state)
{
	struct check c = hourly();
	struct instance i = rig_instance("10.0.0.7", 80, 1, &c);
	struct rig r;

	(void)state;
	rig_start(&r);
	rig_sync(&r, &i, 1);
	judge(&r, &i, VERDICT_GOOD, "connected");
	word(&r, &i, SPW_ADMIN_DRAIN);
	judge(&r, &i, VERDICT_BAD_AT_ONCE, "status 503");
	assert_event(&r, 2, "up -> draining", "set by the operator");
	assert_int_equal(r.outs, 1);
	assert_int_equal(rig_info(&r, &i).state, HEALTH_DOWN);
	assert_string_equal(rig_info(&r, &i).latest, "status 503");
	assert_string_equal(rig_info(&r, &i).reason, "set by the operator");
	word(&r, &i, SPW_ADMIN_AUTO);
	assert_event(&r, 3, "draining -> down", "no longer set by the operator");
	assert_string_equal(rig_info(&r, &i).reason, "status 503");
	rig_stop(&r);
}

/* One address in two profiles, and in the models to come; another port is another endpoint. */
static void a_word_is_for_all_of_an_address_and_for_later_models(void **state)
{
	struct check c = hourly();
	struct instance a[] = {rig_instance("10.0.0.7", 80, 1, &c),
			       rig_instance("10.0.0.7", 80, 2, NULL),
			       rig_instance("10.0.0.7", 81, 1, &c)};
	struct instance b = rig_instance("10.0.0.7", 80, 3, &c);
	struct rig r;

	(void)state;
	rig_start(&r);
	rig_sync(&r, a, 3);
	word(&r, &a[0], SPW_ADMIN_DOWN);
	assert_int_equal(r.outs, 2);
	assert_int_equal(rig_info(&r, &a[1]).standing, STANDING_DOWN);
	assert_int_equal(rig_info(&r, &a[2]).standing, STANDING_UNKNOWN);
	rig_sync(&r, NULL, 0);
	rig_sync(&r, &b, 1);
	assert_int_equal(rig_info(&r, &b).standing, STANDING_DOWN);
	assert_int_equal(entry_of(&r, &b).admin, SPW_ADMIN_DOWN);
	word(&r, &b, SPW_ADMIN_AUTO);
	rig_sync(&r, a, 3);
	assert_int_equal(rig_info(&r, &a[0]).standing, STANDING_UNKNOWN);
	rig_stop(&r);
}

static void words_are_kept_in_order_and_forgotten(void **state)
{
	struct words all = {0};
	struct word w = {.admin = SPW_ADMIN_DOWN};

	(void)state;
	for (unsigned n = 0; n < 1000; n++) {
		w.addr.b[15] = (uint8_t)(n * 7);
		w.port = (uint16_t)(n * 7 / 256);
		assert_int_equal(words_set(&all, &w), 0);
	}
	assert_int_equal(all.count, 1000);
	for (unsigned n = 0; n < 1000; n += 2) {
		w.addr.b[15] = (uint8_t)(n * 7);
		w.port = (uint16_t)(n * 7 / 256);
		w.admin = SPW_ADMIN_AUTO;
		assert_int_equal(words_set(&all, &w), 0);
		assert_int_equal(words_set(&all, &w), 0);
	}
	assert_int_equal(all.count, 500);
	for (unsigned n = 0; n < 1000; n++) {
		w.addr.b[15] = (uint8_t)(n * 7);
		assert_int_equal(!!words_find(&all, &w.addr, (uint16_t)(n * 7 / 256)), n % 2);
	}
	words_done(&all);
}

static void an_ejection_takes_out_and_a_good_probe_ends_it(void **state)
{
	struct check c = hourly();
	struct instance i = rig_instance("10.0.0.7", 80, 1, &c);
	struct rig r;

	(void)state;
	i.passive = &one_in_two;
	rig_start(&r);
	rig_sync(&r, &i, 1);
	judge(&r, &i, VERDICT_GOOD, "connected");
	funnel_eject(&r.health->funnel, target_of(&r, &i), "5 consecutive failures (no answer)");
	assert_event(&r, 2, "up -> ejected", "5 consecutive failures (no answer)");
	assert_int_equal(r.outs, 1);
	assert_true(entry_of(&r, &i).ejected);
	assert_in_range(rig_info(&r, &i).ejected_left_ms, 29000, 30000);
	assert_int_equal(rig_info(&r, &i).ejections, 1);
	assert_true(rig_info(&r, &i).passive);
	target_of(&r, &i)->started_ms = 1; /* it began before the ejection: no news */
	funnel_judge(&r.health->funnel, target_of(&r, &i),
		     &(struct verdict){.kind = VERDICT_GOOD, .reason = "connected"});
	assert_int_equal(rig_info(&r, &i).standing, STANDING_EJECTED);
	usleep(2000);
	judge(&r, &i, VERDICT_GOOD, "connected");
	assert_event(&r, 3, "ejected -> up", "active check passed");
	assert_int_equal(rig_info(&r, &i).ejected_left_ms, 0);
	funnel_eject(&r.health->funnel, target_of(&r, &i), "again");
	assert_in_range(rig_info(&r, &i).ejected_left_ms, 59000, 60000);
	judge(&r, &i, VERDICT_BAD_AT_ONCE, "status 503");
	assert_event(&r, 5, "ejected -> down", "status 503");
	judge(&r, &i, VERDICT_GOOD, "status 200");
	assert_event(&r, 6, "down -> up", "status 200");
	rig_stop(&r);
}

static void a_policy_without_passive_detection_ends_the_ejection(void **state)
{
	struct instance i = rig_instance("10.0.0.7", 80, 1, NULL), other = i, bare = i;
	struct rig r;

	(void)state;
	i.passive = other.passive = &one_in_two;
	other.profile = 2;
	bare.profile = 0;
	rig_start(&r);
	rig_sync(&r, &i, 1);
	funnel_eject(&r.health->funnel, target_of(&r, &i), "x");
	rig_sync(&r, &other, 1);
	assert_int_equal(rig_info(&r, &other).standing, STANDING_EJECTED);
	assert_event(&r, 1, "up -> ejected", "x");
	rig_sync(&r, &bare, 1);
	assert_event(&r, 2, "ejected -> up", "passive detection was switched off");
	assert_false(rig_info(&r, &bare).passive);
	rig_stop(&r);
}

/* Ten endpoints of one service, two of which are in a second one: 10 % there is nobody more. */
static void an_ejection_needs_room_in_every_service(void **state)
{
	static const uint32_t first[] = {0}, both[] = {0, 1};
	struct passive p = one_in_two;
	struct instance i[20];
	struct model m = {.instances = i, .instance_count = 20, .service_count = 2};
	struct funnel *f;
	struct rig r;

	(void)state;
	p.max_ejection_percent = 10;
	for (uint32_t n = 0; n < 20; n++) {
		i[n] = rig_instance("10.0.0.7", (uint16_t)(80 + n), 1, NULL);
		i[n].index = n;
		i[n].passive = &p;
		i[n].services = n < 12 ? both : first;
		i[n].service_count = n < 12 ? 2 : 1;
	}
	rig_start(&r);
	assert_int_equal(health_sync(r.health, &m), 0);
	f = &r.health->funnel;
	assert_true(funnel_has_room(f, target_of(&r, &i[0])));
	funnel_eject(f, target_of(&r, &i[0]), "x");
	assert_false(funnel_has_room(f, target_of(&r, &i[1]))); /* 2 of 12 */
	assert_true(funnel_has_room(f, target_of(&r, &i[12]))); /* 2 of 20 */
	funnel_eject(f, target_of(&r, &i[12]), "x");
	assert_false(funnel_has_room(f, target_of(&r, &i[13])));
	assert_int_equal(health_sync(r.health, &m), 0); /* counted anew */
	assert_false(funnel_has_room(f, target_of(&r, &i[13])));
	funnel_uneject(f, target_of(&r, &i[0]), "y");
	assert_true(funnel_has_room(f, target_of(&r, &i[13])));
	assert_true(funnel_has_room(f, target_of(&r, &i[1])));
	rig_stop(&r);
}

struct until {
	struct rig *rig;
	const struct instance *instance;
	uint8_t percent; /* of health_info: at least that */
};

static bool has_percent(void *ctx)
{
	const struct until *u = ctx;

	return rig_info(u->rig, u->instance).ramp_percent >= u->percent;
}

static void slow_start_goes_by_steps_and_ends_in_up(void **state)
{
	struct instance i = rig_instance("10.0.0.7", 80, 1, NULL);
	struct rig r;
	struct until u = {&r, &i, 100};
	uint64_t began = clock_ms();

	(void)state;
	i.slow_start_ms = 400;
	rig_start(&r);
	rig_sync(&r, &i, 1);
	assert_int_equal(rig_info(&r, &i).standing, STANDING_STARTING);
	assert_string_equal(rig_info(&r, &i).reason, "slow start");
	assert_int_equal(entry_of(&r, &i).ramp_percent, 10);
	assert_true(rig_run(&r, 2000, has_percent, &u));
	(void)rig_run(&r, 20, NULL, NULL);
	assert_in_range(clock_ms() - began, 399, 1500);
	assert_event(&r, 1, "starting -> up", "slow start over");
	assert_int_equal(entry_of(&r, &i).ramp_percent, 0);
	assert_in_range(r.changes, 3, 19); /* a busy machine may skip steps */
	assert_int_equal(r.outs, 0);
	rig_stop(&r);
}

static void whoever_becomes_healthy_starts_slowly(void **state)
{
	struct check c = hourly();
	struct instance i = rig_instance("10.0.0.7", 80, 1, &c), same = i;
	struct rig r;
	struct target *t;

	(void)state;
	i.slow_start_ms = same.slow_start_ms = 1000000;
	i.passive = same.passive = &one_in_two;
	rig_start(&r);
	rig_sync(&r, &i, 1);
	judge(&r, &i, VERDICT_GOOD, "connected"); /* from unknown to up: one start, not two */
	assert_event(&r, 0, NULL, NULL);
	t = target_of(&r, &i);
	t->ramp_start_ms -= 500000;
	judge(&r, &i, VERDICT_BAD_AT_ONCE, "status 503");
	assert_event(&r, 1, "starting -> down", "status 503");
	judge(&r, &i, VERDICT_GOOD, "status 200");
	assert_event(&r, 2, "down -> starting", "status 200");
	assert_int_equal(entry_of(&r, &i).ramp_percent, 10);
	t->ramp_start_ms -= 500000;
	rig_sync(&r, &same, 1);
	funnel_eject(&r.health->funnel, t, "x");
	assert_int_equal(entry_of(&r, &same).ramp_percent, 0);
	funnel_uneject(&r.health->funnel, t, "y");
	assert_event(&r, 4, "ejected -> starting", "y");
	word(&r, &same, SPW_ADMIN_DRAIN);
	word(&r, &same, SPW_ADMIN_AUTO);
	assert_event(&r, 6, "draining -> starting", "no longer set by the operator");
	rig_stop(&r);
}

static void another_profile_goes_on_with_the_slow_start(void **state)
{
	struct instance i = rig_instance("10.0.0.7", 80, 1, NULL), other = i, old = i;
	struct rig r;

	(void)state;
	i.slow_start_ms = other.slow_start_ms = 1000000;
	other.profile = 2;
	old.profile = 3;
	old.slow_start_ms = 0;
	rig_start(&r);
	rig_sync(&r, &i, 1);
	target_of(&r, &i)->ramp_start_ms -= 500000;
	rig_sync(&r, &other, 1);
	assert_int_equal(entry_of(&r, &other).ramp_percent, 50);
	rig_sync(&r, &old, 1);
	assert_int_equal(rig_info(&r, &old).standing, STANDING_UP);
	rig_sync(&r, &i, 1); /* it has had its start */
	assert_int_equal(rig_info(&r, &i).standing, STANDING_UP);
	rig_stop(&r);
}

static void names_that_have_no_address_are_told_apart(void **state)
{
	struct check c = hourly();
	struct instance i[2] = {{.kind = ENDPOINT_FQDN,
				 .name = "api.example.com:443",
				 .host = "api.example.com",
				 .port = 443,
				 .mode = SPW_MODE_HANDOFF,
				 .profile = 7,
				 .backend = "default/web",
				 .check = &c}};
	struct rig r;

	(void)state;
	i[1] = i[0];
	i[1].profile = 8;
	i[1].name = i[1].host = "unix:/run/x.sock";
	i[1].kind = ENDPOINT_UNIX;
	rig_start(&r);
	rig_sync(&r, i, 2);
	judge(&r, &i[0], VERDICT_BAD, "timeout");
	assert_event(&r, 1, "unknown -> down", "timeout");
	assert_string_equal(event_log_next(r.events, 0)->subject, "api.example.com:443");
	assert_int_equal(rig_info(&r, &i[1]).standing, STANDING_UNKNOWN);
	i[1].profile = 9; /* and inherit nothing from each other */
	rig_sync(&r, i, 2);
	assert_int_equal(rig_info(&r, &i[0]).standing, STANDING_DOWN);
	assert_int_equal(rig_info(&r, &i[1]).standing, STANDING_UNKNOWN);
	rig_stop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_transition_is_an_event_and_moves_the_age),
		cmocka_unit_test(what_goes_out_is_told_at_once_and_the_rest_once_a_turn),
		cmocka_unit_test(the_operators_word_overrides_and_ends),
		cmocka_unit_test(a_change_behind_the_operators_word_is_no_event),
		cmocka_unit_test(a_word_is_for_all_of_an_address_and_for_later_models),
		cmocka_unit_test(words_are_kept_in_order_and_forgotten),
		cmocka_unit_test(an_ejection_takes_out_and_a_good_probe_ends_it),
		cmocka_unit_test(a_policy_without_passive_detection_ends_the_ejection),
		cmocka_unit_test(an_ejection_needs_room_in_every_service),
		cmocka_unit_test(slow_start_goes_by_steps_and_ends_in_up),
		cmocka_unit_test(whoever_becomes_healthy_starts_slowly),
		cmocka_unit_test(another_profile_goes_on_with_the_slow_start),
		cmocka_unit_test(names_that_have_no_address_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
