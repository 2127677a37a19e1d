/* SPDX-License-Identifier: BSD-2-Clause */
/* Passive detection over signals as the packet path would count them, at times made by the test. */
#include "health_rig.h"

#include <netinet/in.h>

#include "health/parts.h"

#define HOSTS 10000
#define SPAN  (1ull << SPW_COHORT_SHIFT)

static const uint32_t only_service[] = {0};

struct world {
	struct rig rig;
	struct passive passive;
	struct instance *i;
	struct model model;
	uint64_t now_ns;
	uint64_t began_ns, began_ms;
};

static struct spw_signals signals[HOSTS];
static struct instance instances[HOSTS];
static uint64_t traffic_in, traffic_out;
static bool is_mapped;

static struct spw_signals *signals_of(void *ctx, const struct instance *i)
{
	(void)ctx;
	return is_mapped ? &signals[i->index] : NULL;
}

static void traffic_of(void *ctx, const struct instance *i, uint64_t *in, uint64_t *out)
{
	(void)ctx;
	(void)i;
	*in = traffic_in;
	*out = traffic_out;
}

static uint64_t now_ms(const struct world *w)
{
	return w->began_ms + (w->now_ns - w->began_ns) / 1000000;
}

static void sample(struct world *w)
{
	signals_sample(&w->rig.health->signals, w->now_ns, now_ms(w));
}

/* So much time, looked at as often as in the daemon. */
static void pass(struct world *w, unsigned ms)
{
	for (unsigned t = 0; t < ms; t += SIGNALS_SAMPLE_MS) {
		w->now_ns += SIGNALS_SAMPLE_MS * 1000000ull;
		sample(w);
	}
}

/* To the beginning of an interval: what comes in the next 2.8 s is judged in the same one. */
static void pass_to_interval(struct world *w)
{
	while (now_ms(w) % 3000 > 200)
		pass(w, SIGNALS_SAMPLE_MS);
}

static struct spw_cohort *cohort(struct world *w, size_t host)
{
	return &signals[host].cohort[(w->now_ns >> SPW_COHORT_SHIFT) % SPW_COHORTS];
}

static void flows(struct world *w, size_t host, uint32_t opened, uint32_t answered)
{
	cohort(w, host)->opened += opened;
	cohort(w, host)->answered += answered;
}

/* As the packet path tells of failures in a row. */
static void failures(size_t host, uint32_t count, enum spw_failure kind)
{
	signals[host].run += count;
	signals[host].run_max = signals[host].run;
	signals[host].last_failure = kind;
}

static void set_up(struct world *w, size_t hosts, uint8_t proto)
{
	*w = (struct world){
		.passive = {.interval_ms = 3000,
			    .base_ejection_ms = 30000,
			    .max_ejection_percent = 50,
			    .consecutive = 5},
		.rig = {.signals = signals_of, .traffic = traffic_of},
		.i = instances,
	};
	memset(signals, 0, sizeof(signals));
	traffic_in = traffic_out = 0;
	is_mapped = true;
	rig_restart(&w->rig);
	for (uint32_t n = 0; n < hosts; n++) {
		w->i[n] = rig_instance("10.0.0.1", (uint16_t)(n + 1), 1, NULL);
		w->i[n].index = n;
		w->i[n].name = "10.0.0.1:n";
		w->i[n].passive = &w->passive;
		w->i[n].proto = proto;
		w->i[n].services = only_service;
		w->i[n].service_count = 1;
	}
	w->model = (struct model){.instances = w->i, .instance_count = hosts, .service_count = 1};
	assert_int_equal(health_sync(w->rig.health, &w->model), 0);
	w->now_ns = w->began_ns = 1000 * SPAN;
	w->began_ms = clock_ms();
	sample(w);
	pass(w, 2 * 268); /* flows of now on are judged */
}

static void tear_down(struct world *w)
{
	rig_stop(&w->rig);
}

static bool is_ejected(struct world *w, size_t host)
{
	return rig_info(&w->rig, &w->i[host]).standing == STANDING_EJECTED;
}

static const char *reason(struct world *w, size_t host)
{
	return rig_info(&w->rig, &w->i[host]).reason;
}

static void a_silent_endpoint_is_ejected_when_its_cohort_is_judged(void **state)
{
	struct world w;
	uint64_t began;

	(void)state;
	set_up(&w, 4, IPPROTO_TCP);
	began = w.now_ns;
	flows(&w, 0, 10, 0);
	flows(&w, 1, 10, 10);
	pass(&w, 1100);
	assert_false(is_ejected(&w, 0));
	while (!is_ejected(&w, 0))
		pass(&w, SIGNALS_SAMPLE_MS);
	assert_in_range(w.now_ns - began, SPW_COHORT_JUDGED_NS, 1800000000);
	assert_string_equal(reason(&w, 0), "5 consecutive failures (no answer)");
	assert_int_equal(w.rig.outs, 1);
	assert_ptr_equal(w.rig.out, &w.i[0]);
	pass(&w, 3000);
	assert_false(is_ejected(&w, 1));
	tear_down(&w);
}

static void failures_in_a_row_are_taken_from_the_packet_path_at_once(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, 4, IPPROTO_TCP);
	failures(0, 4, SPW_FAILURE_REFUSED);
	sample(&w);
	assert_false(is_ejected(&w, 0));
	assert_int_equal(signals[0].run_max, 0); /* it was taken */
	failures(0, 1, SPW_FAILURE_REFUSED);
	failures(1, 7, SPW_FAILURE_UNREACHABLE);
	sample(&w);
	assert_string_equal(reason(&w, 0), "5 consecutive failures (connection refused)");
	assert_string_equal(reason(&w, 1), "5 consecutive failures (ICMP unreachable)");
	tear_down(&w);
}

static void an_answer_between_begins_the_silence_anew(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, 4, IPPROTO_TCP);
	for (size_t n = 0; n < 8; n++) {
		flows(&w, 0, 3, n % 2 ? 3 : 0);
		flows(&w, 1, 3, 1);
		pass(&w, 268);
	}
	pass(&w, 2000);
	assert_false(is_ejected(&w, 0));
	assert_false(is_ejected(&w, 1));
	for (size_t n = 0; n < 2; n++) {
		flows(&w, 0, 3, 0);
		pass(&w, 268);
		pass(&w, 600); /* cohorts without flows in between say nothing */
	}
	pass(&w, 2000);
	assert_string_equal(reason(&w, 0), "5 consecutive failures (no answer)");
	tear_down(&w);
}

static void a_sample_that_comes_too_late_fails_nobody(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, 4, IPPROTO_TCP);
	flows(&w, 0, 10, 0);
	w.now_ns += 2000000000; /* nobody looked meanwhile */
	sample(&w);
	pass(&w, 3000);
	assert_false(is_ejected(&w, 0));
	flows(&w, 0, 10, 0);
	w.now_ns += 60000000000;
	sample(&w);
	pass(&w, 3000);
	assert_false(is_ejected(&w, 0));
	pass_to_interval(&w); /* by the clock of ejections its time is over at the next one's */
	flows(&w, 0, 10, 0);
	pass(&w, 2000);
	assert_true(is_ejected(&w, 0));
	tear_down(&w);
}

static void cohorts_that_nobody_looked_at_end_a_run(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, 4, IPPROTO_TCP);
	flows(&w, 0, 4, 0);
	pass(&w, 1800); /* a run of four */
	flows(&w, 0, 100, 100);
	w.now_ns += 3000000000; /* nobody saw the answers */
	sample(&w);
	flows(&w, 0, 1, 0);
	pass(&w, 2000);
	assert_false(is_ejected(&w, 0));
	flows(&w, 0, 4, 0);
	pass(&w, 2000);
	assert_true(is_ejected(&w, 0));
	tear_down(&w);
}

/* A good probe may come back within a sample's time. */
static void a_run_is_forgotten_however_short_the_ejection_was(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, 4, IPPROTO_TCP);
	failures(0, 5, SPW_FAILURE_REFUSED);
	sample(&w);
	assert_true(is_ejected(&w, 0));
	funnel_uneject(&w.rig.health->funnel, w.rig.health->by_index[0], "test");
	sample(&w);
	failures(0, 1, SPW_FAILURE_REFUSED);
	sample(&w);
	assert_false(is_ejected(&w, 0));
	tear_down(&w);
}

static void what_was_counted_while_nobody_judged_is_not_judged_later(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, 4, IPPROTO_TCP);
	w.i[0].passive = NULL;
	assert_int_equal(health_sync(w.rig.health, &w.model), 0);
	for (size_t n = 0; n < 20; n++) {
		flows(&w, 0, 10, 0);
		pass(&w, 268);
	}
	pass(&w, 2000);
	w.i[0].passive = &w.passive;
	assert_int_equal(health_sync(w.rig.health, &w.model), 0);
	pass(&w, 3000);
	flows(&w, 0, 4, 0);
	pass(&w, 3000);
	assert_false(is_ejected(&w, 0));
	tear_down(&w);
}

static void what_was_before_the_first_sample_is_not_judged(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, 4, IPPROTO_TCP);
	is_mapped = false;
	pass(&w, 268);
	failures(0, 100, SPW_FAILURE_REFUSED);
	flows(&w, 0, 50, 0);
	is_mapped = true;
	pass(&w, 100);
	cohort(&w, 0)->answered += 20;
	pass(&w, 3000);
	assert_false(is_ejected(&w, 0));
	tear_down(&w);
}

static void an_ejection_ends_by_time_and_its_run_is_forgotten(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, 4, IPPROTO_TCP);
	failures(0, 5, SPW_FAILURE_SILENT);
	pass(&w, 29000);
	flows(&w, 0, 20, 0); /* those that had it from before */
	assert_true(is_ejected(&w, 0));
	pass(&w, 4200);
	assert_int_equal(rig_info(&w.rig, &w.i[0]).standing, STANDING_UP);
	assert_string_equal(event_log_next(w.rig.events, 1)->reason, "ejection time over");
	pass(&w, 134);
	assert_int_equal(signals[0].run, 0);
	pass(&w, 3000);
	assert_false(is_ejected(&w, 0));
	tear_down(&w);
}

static void ejections_in_a_row_last_longer_and_quiet_intervals_shorten_them(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, 4, IPPROTO_TCP);
	pass_to_interval(&w);
	for (uint32_t n = 1; n <= 3; n++) {
		failures(0, 5, SPW_FAILURE_SILENT);
		pass(&w, 134);
		assert_int_equal(rig_info(&w.rig, &w.i[0]).ejections, n);
		funnel_uneject(&w.rig.health->funnel, w.rig.health->by_index[0], "test");
		pass(&w, 134);
		flows(&w, 0, 1, 0);
	}
	assert_int_equal(rig_info(&w.rig, &w.i[0]).ejections, 3);
	pass(&w, 3100);
	assert_int_equal(rig_info(&w.rig, &w.i[0]).ejections, 3); /* this one was not quiet */
	pass(&w, 3100);
	assert_int_equal(rig_info(&w.rig, &w.i[0]).ejections, 2);
	pass(&w, 9300);
	assert_int_equal(rig_info(&w.rig, &w.i[0]).ejections, 0);
	tear_down(&w);
}

static void without_room_it_stays_until_there_is_some(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, 4, IPPROTO_TCP);
	for (size_t n = 0; n < 3; n++)
		failures(n, 5, SPW_FAILURE_REFUSED);
	sample(&w);
	assert_true(is_ejected(&w, 0) && is_ejected(&w, 1));
	assert_false(is_ejected(&w, 2)); /* 3 of 4 is more than 50 % */
	funnel_uneject(&w.rig.health->funnel, w.rig.health->by_index[0], "test");
	pass(&w, 134);
	assert_false(is_ejected(&w, 2)); /* nothing new against it */
	failures(2, 1, SPW_FAILURE_REFUSED);
	sample(&w);
	assert_string_equal(reason(&w, 2), "5 consecutive failures (connection refused)");
	tear_down(&w);
}

/* Every other flow fails: no run, but far from the others. */
static void a_percentage_of_failures_is_compared_with_others(void **state)
{
	static const size_t hosts[] = {5, 4};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct world w;

		set_up(&w, hosts[k], IPPROTO_TCP);
		w.passive.failure_percent = 40;
		pass_to_interval(&w); /* judged 1.5 s later, in one interval */
		for (size_t n = 0; n < hosts[k]; n++)
			flows(&w, n, 60, n ? 58 : 30);
		pass(&w, 3200);
		assert_int_equal(is_ejected(&w, 0), hosts[k] == 5);
		if (hosts[k] == 5)
			assert_string_equal(reason(&w, 0), "50 % of 60 flows failed");
		for (size_t n = 1; n < hosts[k]; n++)
			assert_false(is_ejected(&w, n));
		tear_down(&w);
	}
}

static void udp_may_be_silent_but_not_unreachable(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, 4, IPPROTO_UDP);
	flows(&w, 0, 50, 0);
	traffic_in = 1000;
	pass(&w, 8000);
	assert_false(is_ejected(&w, 0));
	flows(&w, 0, 5, 0);
	cohort(&w, 0)->unreachable += 5;
	pass(&w, 2000);
	assert_string_equal(reason(&w, 0), "5 consecutive failures (ICMP unreachable)");
	tear_down(&w);
}

static void udp_that_must_reply_is_ejected_for_silence(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, 1, IPPROTO_UDP);
	w.passive.udp_replies = true;
	flows(&w, 0, 5, 0); /* new flows */
	pass(&w, 2000);
	assert_string_equal(reason(&w, 0), "5 consecutive failures (no answer)");
	funnel_uneject(&w.rig.health->funnel, w.rig.health->by_index[0], "test");
	pass(&w, 134);
	traffic_in += 100; /* old ones, that go on */
	pass(&w, 2900);
	assert_false(is_ejected(&w, 0));
	pass(&w, 1700);
	assert_string_equal(reason(&w, 0), "5 consecutive failures (no answer)");
	funnel_uneject(&w.rig.health->funnel, w.rig.health->by_index[0], "test");
	for (size_t n = 0; n < 10; n++) {
		traffic_in += 100;
		traffic_out += 1;
		pass(&w, 900);
	}
	assert_false(is_ejected(&w, 0));
	tear_down(&w);
}

static void a_detector_that_is_off_ejects_nobody(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, 4, IPPROTO_TCP);
	w.passive.consecutive = 0;
	failures(0, 100, SPW_FAILURE_REFUSED);
	flows(&w, 0, 100, 0);
	pass(&w, 6000);
	assert_false(is_ejected(&w, 0));
	tear_down(&w);
}

static void ten_thousand_endpoints_are_sampled_in_little_time(void **state)
{
	struct world w;
	uint64_t began;

	(void)state;
	set_up(&w, HOSTS, IPPROTO_TCP);
	for (size_t n = 0; n < HOSTS; n++)
		flows(&w, n, 100, 100);
	began = uv_hrtime();
	pass(&w, 20 * SIGNALS_SAMPLE_MS);
	began = uv_hrtime() - began;
	print_message("%d endpoints: one sample in %.2f ms (with sanitizers)\n", HOSTS,
		      (double)began / 20 / 1e6);
	assert_true(began < 20 * 100000000ull);
	assert_int_equal(event_log_last_seq(w.rig.events), 0);
	tear_down(&w);
}

static bool first_is_ejected(void *ctx)
{
	return is_ejected(ctx, 0);
}

/* With the loop and the clocks of the daemon. */
static void the_timer_runs_only_while_somebody_is_judged(void **state)
{
	struct world w;
	struct instance bare;

	(void)state;
	set_up(&w, 4, IPPROTO_TCP);
	w.rig.health->signals.next = 0;
	failures(0, 5, SPW_FAILURE_REFUSED);
	assert_true(uv_is_active((uv_handle_t *)&w.rig.health->sample_timer));
	assert_true(rig_run(&w.rig, 2000, first_is_ejected, &w));
	(void)rig_run(&w.rig, 20, NULL, NULL);
	assert_int_equal(w.rig.changes, 1);
	bare = w.i[1];
	bare.passive = NULL;
	bare.profile = 0;
	rig_sync(&w.rig, &bare, 1);
	assert_false(uv_is_active((uv_handle_t *)&w.rig.health->sample_timer));
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_endpoint_is_ejected_when_its_cohort_is_judged),
		cmocka_unit_test(failures_in_a_row_are_taken_from_the_packet_path_at_once),
		cmocka_unit_test(an_answer_between_begins_the_silence_anew),
		cmocka_unit_test(a_sample_that_comes_too_late_fails_nobody),
		cmocka_unit_test(cohorts_that_nobody_looked_at_end_a_run),
		cmocka_unit_test(a_run_is_forgotten_however_short_the_ejection_was),
		cmocka_unit_test(what_was_counted_while_nobody_judged_is_not_judged_later),
		cmocka_unit_test(what_was_before_the_first_sample_is_not_judged),
		cmocka_unit_test(an_ejection_ends_by_time_and_its_run_is_forgotten),
		cmocka_unit_test(ejections_in_a_row_last_longer_and_quiet_intervals_shorten_them),
		cmocka_unit_test(without_room_it_stays_until_there_is_some),
		cmocka_unit_test(a_percentage_of_failures_is_compared_with_others),
		cmocka_unit_test(udp_may_be_silent_but_not_unreachable),
		cmocka_unit_test(udp_that_must_reply_is_ejected_for_silence),
		cmocka_unit_test(a_detector_that_is_off_ejects_nobody),
		cmocka_unit_test(ten_thousand_endpoints_are_sampled_in_little_time),
		cmocka_unit_test(the_timer_runs_only_while_somebody_is_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
