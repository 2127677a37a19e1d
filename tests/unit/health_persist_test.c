/* SPDX-License-Identifier: BSD-2-Clause */
/* What survives a restart, what is not believed, and what it costs. */
#include "health_rig.h"

#include <sys/stat.h>
#include <sys/time.h>

#include "base/hash.h"
#include "health/parts.h"
#include "health/persist.h"

#define MANY 10000

static char path[64];

static int make_dir(void **state)
{
	char *dir = strdup("/tmp/spillway-health-XXXXXX");

	*state = mkdtemp(dir);
	(void)snprintf(path, sizeof(path), "%s/health", dir);
	return *state ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)unlink(path);
	(void)rmdir(*state);
	free(*state);
	return 0;
}

static struct check hourly(void)
{
	struct check c = rig_check(CHECK_TCP);

	c.jitter_ms = c.interval_ms = 3600000;
	return c;
}

static const struct passive detection = {
	.interval_ms = 1000,
	.base_ejection_ms = 30000,
	.max_ejection_percent = 100,
	.consecutive = 5,
};

static void start(struct rig *r)
{
	r->state_file = path;
	rig_restart(r);
}

static struct target *target_of(struct rig *r, const struct instance *i)
{
	return target_find(&r->health->targets, &i->addr, i->port, i->profile);
}

static void judge(struct rig *r, const struct instance *i, enum verdict_kind kind, const char *why)
{
	const struct verdict v = verdict_make(kind, "%s", why);

	funnel_judge(&r->health->funnel, target_of(r, i), &v);
}

/* As if the daemon had ended so long ago. */
static void age_file(unsigned seconds)
{
	struct timeval t[2];

	(void)gettimeofday(&t[0], NULL);
	t[0].tv_sec -= seconds;
	t[1] = t[0];
	assert_int_equal(utimes(path, t), 0);
}

static char *slurp(size_t *len)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 8 << 20);

	assert_non_null(f);
	*len = fread(text, 1, (8 << 20) - 1, f);
	(void)fclose(f);
	return text;
}

static void spit(const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_int_equal(fwrite(text, 1, len, f), len);
	(void)fclose(f);
}

static void states_survive_a_restart_with_age_and_reason(void **state)
{
	struct check c = hourly();
	struct instance i[] = {rig_instance("10.0.0.1", 80, 1, &c),
			       rig_instance("2001:db8::1", 80, 0xfedcba9876543210, &c),
			       rig_instance("10.0.0.3", 80, 1, NULL)};
	struct health_info before, after;
	struct rig r = {0};

	(void)state;
	i[2].passive = &detection;
	start(&r);
	rig_sync(&r, i, 3);
	judge(&r, &i[0], VERDICT_GOOD, "answered 100%\tok\n");
	judge(&r, &i[1], VERDICT_BAD, "timeout");
	judge(&r, &i[1], VERDICT_BAD, "connection refused");
	funnel_eject(&r.health->funnel, target_of(&r, &i[2]), "5 consecutive failures (no answer)");
	before = rig_info(&r, &i[1]);
	rig_stop(&r);

	start(&r);
	health_seed(r.health, &i[0].addr, 80, 1, HEALTH_DOWN); /* the file knows better */
	rig_sync(&r, i, 3);
	assert_int_equal(r.outs, 0);
	assert_int_equal(rig_info(&r, &i[0]).state, HEALTH_UP);
	assert_string_equal(rig_info(&r, &i[0]).reason, "answered 100%\tok\n");
	after = rig_info(&r, &i[1]);
	assert_int_equal(after.standing, STANDING_DOWN);
	assert_string_equal(after.reason, "connection refused");
	assert_int_equal(after.streak, 2);
	assert_true(after.since_ms == before.since_ms);
	after = rig_info(&r, &i[2]);
	assert_int_equal(after.standing, STANDING_EJECTED);
	assert_string_equal(after.reason, "5 consecutive failures (no answer)");
	assert_int_equal(after.ejections, 1);
	assert_in_range(after.ejected_left_ms, 20000, 30000);
	judge(&r, &i[0], VERDICT_BAD, "timeout"); /* thresholds go on */
	assert_int_equal(rig_info(&r, &i[0]).state, HEALTH_UP);
	assert_int_equal(event_log_last_seq(r.events), 3); /* no event for a restart */
	rig_stop(&r);
}

static void events_survive_and_their_numbers_go_on(void **state)
{
	struct check c = hourly();
	struct instance i = rig_instance("10.0.0.1", 80, 1, &c);
	const struct event *e;
	struct rig r = {0};
	size_t len;
	char *text;

	(void)state;
	start(&r);
	rig_sync(&r, &i, 1);
	for (int n = 0; n < 600; n++) {
		judge(&r, &i, VERDICT_GOOD, "connected");
		judge(&r, &i, VERDICT_BAD_AT_ONCE, "status 503");
	}
	rig_stop(&r);
	text = slurp(&len);
	start(&r);
	e = event_log_next(r.events, 0);
	assert_int_equal(e->seq, 201); /* the latest thousand */
	assert_int_equal(e->mono_ns, 0);
	e = event_log_next(r.events, 1199);
	assert_string_equal(e->subject, "10.0.0.1:80");
	assert_string_equal(e->backend, "default/web");
	assert_string_equal(e->from, "up");
	assert_string_equal(e->to, "down");
	assert_string_equal(e->reason, "status 503");
	rig_sync(&r, &i, 1);
	judge(&r, &i, VERDICT_GOOD, "connected");
	assert_int_equal(event_log_last_seq(r.events), 1201);
	rig_stop(&r);

	/* A run that was cut short may have given numbers that the file does not know. */
	memcpy(strstr(text, "\nended\t"), "\nENDED\t", 7);
	spit(text, len);
	free(text);
	start(&r);
	assert_int_equal(event_log_last_seq(r.events), 1200 + PERSIST_SEQ_GAP);
	assert_int_equal(event_log_next(r.events, 1199)->seq, 1200);
	rig_stop(&r);
}

/* It gives numbers from then on; killed a moment later it must not give the same ones again. */
static void from_the_first_model_on_the_file_says_that_a_run_is_under_way(void **state)
{
	struct check c = hourly();
	struct instance i = rig_instance("10.0.0.1", 80, 1, &c);
	struct rig r = {0};
	uint64_t given;
	size_t len;
	char *text;

	(void)state;
	start(&r);
	rig_sync(&r, &i, 1);
	judge(&r, &i, VERDICT_GOOD, "connected");
	rig_stop(&r);
	start(&r);
	rig_sync(&r, &i, 1);
	judge(&r, &i, VERDICT_BAD_AT_ONCE, "status 503");
	given = event_log_last_seq(r.events);
	text = slurp(&len); /* what a kill would leave */
	rig_stop(&r);
	spit(text, len);
	free(text);
	start(&r);
	assert_true(event_log_last_seq(r.events) >= given);
	rig_stop(&r);
}

/* The file is a second behind. */
static void what_the_maps_took_out_is_not_up_by_the_file(void **state)
{
	struct check c = hourly();
	struct instance i[] = {rig_instance("10.0.0.1", 80, 1, &c),
			       rig_instance("10.0.0.2", 80, 1, &c),
			       rig_instance("10.0.0.3", 80, 1, NULL)};
	struct rig r = {0};
	size_t len;
	char *text;

	(void)state;
	start(&r);
	rig_sync(&r, i, 3);
	judge(&r, &i[0], VERDICT_GOOD, "connected");
	judge(&r, &i[1], VERDICT_BAD, "timeout");
	rig_stop(&r);
	text = slurp(&len);
	memcpy(strstr(text, "\nended\t"), "\nENDED\t", 7); /* it was killed */
	spit(text, len);
	free(text);
	start(&r);
	health_seed(r.health, &i[0].addr, 80, 1, HEALTH_DOWN);
	health_seed(r.health, &i[1].addr, 80, 1, HEALTH_UP);
	health_seed(r.health, &i[2].addr, 80, 1, HEALTH_DOWN);
	rig_sync(&r, i, 3);
	assert_int_equal(rig_info(&r, &i[0]).standing, STANDING_DOWN);
	assert_string_equal(rig_info(&r, &i[0]).reason, "before the restart");
	assert_string_equal(rig_info(&r, &i[1]).reason, "timeout");
	assert_int_equal(rig_info(&r, &i[2]).standing, STANDING_UP);
	judge(&r, &i[0], VERDICT_GOOD, "connected"); /* alone */
	assert_int_equal(rig_info(&r, &i[0]).standing, STANDING_UP);
	rig_stop(&r);
}

static void an_ejection_of_the_file_lasts_no_longer_than_the_policy_has_it(void **state)
{
	static const struct passive longer = {.interval_ms = 1000,
					      .base_ejection_ms = 100000000,
					      .max_ejection_percent = 100,
					      .consecutive = 5};
	struct instance i = rig_instance("10.0.0.1", 80, 1, NULL), other = i;
	struct rig r = {0};

	(void)state;
	start(&r);
	i.passive = &longer;
	rig_sync(&r, &i, 1);
	funnel_eject(&r.health->funnel, target_of(&r, &i), "too bad");
	assert_true(rig_info(&r, &i).ejected_left_ms > 90000000);
	rig_stop(&r);
	start(&r);
	other.profile = 2;
	other.passive = &detection;
	rig_sync(&r, &other, 1);
	assert_in_range(rig_info(&r, &other).ejected_left_ms, 1, 30000);
	rig_stop(&r);
}

static void a_stale_state_is_kept_until_the_first_result(void **state)
{
	struct check c = hourly();
	struct instance i[] = {rig_instance("10.0.0.1", 80, 1, &c),
			       rig_instance("10.0.0.2", 80, 1, NULL)};
	struct rig r = {0};

	(void)state;
	c.interval_ms = 3000;
	i[1].passive = &detection;
	for (unsigned age = 5; age <= 20; age += 15) {
		(void)unlink(path);
		start(&r);
		rig_sync(&r, i, 2);
		judge(&r, &i[0], VERDICT_GOOD, "connected");
		funnel_eject(&r.health->funnel, target_of(&r, &i[1]), "x");
		target_of(&r, &i[1])->ejection.until_ms = age > 10 ? 1 : UINT64_MAX;
		rig_stop(&r);
		age_file(age);
		start(&r);
		rig_sync(&r, i, 2);
		assert_int_equal(rig_info(&r, &i[0]).state, HEALTH_UP);
		judge(&r, &i[0], VERDICT_BAD, "timeout");
		assert_int_equal(rig_info(&r, &i[0]).state, age > 10 ? HEALTH_DOWN : HEALTH_UP);
		/* An ejection ends when its time is over, and never lasts longer than it may. */
		assert_int_equal(rig_info(&r, &i[1]).standing,
				 age > 10 ? STANDING_UP : STANDING_EJECTED);
		assert_true(rig_info(&r, &i[1]).ejected_left_ms <= 30000);
		rig_stop(&r);
	}
}

static void a_long_interval_makes_a_state_last_longer(void **state)
{
	const struct keep fresh = {.age_ms = 60000}, old = {.age_ms = 61001};

	(void)state;
	assert_false(keep_is_stale(&fresh, 20000));
	assert_true(keep_is_stale(&old, 20000));
	assert_true(keep_is_stale(&fresh, 3000));
}

static void another_boot_starts_anew_but_keeps_the_events(void **state)
{
	struct check c = hourly();
	struct instance i = rig_instance("10.0.0.1", 80, 1, &c);
	struct rig r = {0};
	size_t len;
	char *text;

	(void)state;
	start(&r);
	rig_sync(&r, &i, 1);
	judge(&r, &i, VERDICT_BAD, "timeout");
	rig_stop(&r);
	text = slurp(&len);
	memcpy(strstr(text, "boot\t"), "boot\tX", 6);
	spit(text, len);
	free(text);
	start(&r);
	rig_sync(&r, &i, 1);
	assert_int_equal(rig_info(&r, &i).standing, STANDING_UNKNOWN);
	assert_int_equal(event_log_last_seq(r.events), 1);
	rig_stop(&r);
}

static void slow_start_goes_on_and_the_word_is_the_stores(void **state)
{
	struct instance i[] = {rig_instance("10.0.0.1", 80, 1, NULL),
			       rig_instance("10.0.0.2", 80, 1, NULL)};
	struct rig r = {0};

	(void)state;
	i[0].slow_start_ms = 1000000;
	start(&r);
	rig_sync(&r, i, 2);
	target_of(&r, &i[0])->ramp_start_ms -= 500000;
	health_set_admin(r.health, &i[1].addr, 80, SPW_ADMIN_DRAIN, "drain");
	rig_stop(&r);
	start(&r);
	rig_sync(&r, i, 2);
	assert_int_equal(rig_info(&r, &i[0]).ramp_percent, 50);
	assert_int_equal(rig_info(&r, &i[1]).standing, STANDING_UP); /* nobody said drain */
	rig_stop(&r);
	start(&r);
	health_set_admin(r.health, &i[1].addr, 80, SPW_ADMIN_DRAIN, "drain");
	rig_sync(&r, i, 2);
	assert_int_equal(rig_info(&r, &i[1]).standing, STANDING_DRAINING);
	rig_stop(&r);
}

static bool is_younger(void *ctx)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_mtim.tv_sec > *(time_t *)ctx;
}

static bool file_is_there(void *ctx)
{
	(void)ctx;
	return access(path, R_OK) == 0;
}

static void a_change_is_written_within_seconds_and_the_file_has_a_heartbeat(void **state)
{
	struct check c = hourly();
	struct instance i = rig_instance("10.0.0.1", 80, 1, &c);
	struct rig r = {0};
	time_t long_ago;
	struct stat st;

	(void)state;
	start(&r);
	(void)rig_run(&r, 1700, NULL, NULL);
	assert_false(file_is_there(NULL)); /* nothing is known before the first model */
	rig_sync(&r, &i, 1);
	assert_true(rig_run(&r, 3000, file_is_there, NULL));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	age_file(1000);
	assert_int_equal(stat(path, &st), 0);
	long_ago = st.st_mtim.tv_sec;
	assert_true(rig_run(&r, 7000, is_younger, &long_ago));
	rig_stop(&r);
}

static void free_target(void *ctx, struct target *t)
{
	++*(size_t *)ctx;
	assert_true(t->known.state <= HEALTH_DOWN && t->standing <= STANDING_DRAINING);
	assert_true(t->since_ms <= clock_ms() && t->ramp_start_ms <= clock_ms());
	free(t);
}

static bool any(const struct target *t)
{
	(void)t;
	return true;
}

/* Cut anywhere and changed anywhere: never a crash, and what is read is possible. */
static void damaged_files_are_read_as_far_as_they_go(void **state)
{
	struct check c = hourly();
	struct instance i[20];
	struct rig r = {0};
	struct persist_found found;
	char boot[KEEP_BOOT_MAX];
	uint64_t random = 1;
	size_t len, taken = 0;
	char *text, *copy;

	(void)state;
	for (unsigned n = 0; n < 20; n++)
		i[n] = rig_instance("10.0.0.1", (uint16_t)(n + 1), n, n % 3 ? &c : NULL);
	start(&r);
	rig_sync(&r, i, 20);
	for (unsigned n = 0; n < 20; n++)
		judge(&r, &i[n], n % 2 ? VERDICT_BAD : VERDICT_GOOD, "100 % of it\n");
	(void)snprintf(boot, sizeof(boot), "%s", r.health->keep.boot);
	rig_stop(&r);
	text = slurp(&len);
	copy = malloc(len + 1);
	for (unsigned n = 0; n < 20000; n++) {
		struct target_table table = {0};
		struct event_log *log = event_log_new(50);
		size_t cut = len;

		memcpy(copy, text, len);
		random = hash_mix(random + n + 1);
		if (n % 2)
			cut = random % len;
		for (unsigned k = 0; k < n % 5; k++) {
			random = hash_mix(random + 1);
			copy[random % len] = "\t\n%0 x\377-"[(random >> 32) % 8];
		}
		found = persist_parse(copy, cut, boot, clock_ms(), &table, log);
		target_sweep(&table, any, free_target, &taken);
		assert_true(found.targets <= 20 && found.events <= 20);
		event_log_free(log);
		target_table_done(&table);
	}
	assert_in_range(taken, 20000 * 5, 20000 * 20);
	free(copy);
	free(text);
}

static const char *const line_rows[] = {
	"target\t10.0.0.1\t80\t1\tup\t1\t1\t7\tup\t5\t5\t0\t0\t0\t0\t0\tconnected\tconnected\t",
	"target\t10.0.0.2\t80\t1\tsideways\t1\t1\t7\tup\t5\t5\t0\t0\t0\t0\t0\tx\tx\t",
	"target\t10.0.0.3\t99999\t1\tup\t1\t1\t7\tup\t5\t5\t0\t0\t0\t0\t0\tx\tx\t",
	"target\t10.0.0.4\t80\t1\tup\t2\t1\t7\tup\t5\t5\t0\t0\t0\t0\t0\tx\tx\t",
	"target\t10.0.0.5\t80\t-1\tup\t1\t1\t7\tup\t5\t5\t0\t0\t0\t0\t0\tx\tx\t",
	"target\t10.0.0.6\t80\t1\tup\t1\t1\t7\tup\t5\t5\t0\t0\t0\t0\t0\tx%Zx\tx\t",
	"target\t10.0.0.7\t80\t1\tup\t1\t1\t7\tup\t18446744073709551616\t5\t0\t0\t0\t0\t0\tx\tx\t",
	"target\t10.0.0.8\t80\t1\tup",
	"target\t10.0.0.1\t80\t1\tdown\t1\t1\t7\tdown\t5\t5\t0\t0\t0\t0\t0\ttwice\tx\t",
	"target\t10.0.0.9\t80\tff\tdown\t1\t0\t7\tdown\t18446744073709551615\t5\t0\t0\t0\t0\t"
	"18446744073709551615\tx\tx\t",
	"event\t5\t1700000000000\tendpoint\ts\tb\tup\tdown\twhy",
	"event\t4\t1700000000000\tendpoint\ts\tb\tup\tdown\tolder than the one before",
	"event\t18446744073709551615\t1700000000000\tendpoint\ts\tb\tup\tdown\twhy",
	"",
	"something else",
};

static void each_line_is_taken_or_left_on_its_own(void **state)
{
	struct target_table table = {0};
	struct event_log *log = event_log_new(50);
	struct persist_found found;
	struct strbuf text = {0};
	size_t freed = 0;

	(void)state;
	strbuf_puts(&text, "spillway-health 1\nboot\tthis\n");
	for (size_t n = 0; n < sizeof(line_rows) / sizeof(line_rows[0]); n++)
		strbuf_printf(&text, "%s\n", line_rows[n]);
	strbuf_puts(&text,
		    "target\t10.0.0.10\t80\t1\tup\t1\t1\t7\tup\t5\t5\t0\t0\t0\t0\t0\tc\tc\tc");
	found = persist_parse(text.text, text.len, "this", clock_ms(), &table, log);
	assert_false(found.is_other_boot);
	assert_int_equal(found.targets, 2);
	assert_int_equal(found.events, 1);
	assert_int_equal(found.damaged, 12);
	target_sweep(&table, any, free_target, &freed);
	assert_int_equal(freed, 2);
	target_table_done(&table);
	event_log_free(log);
	strbuf_done(&text);
}

static void another_format_is_not_read(void **state)
{
	char text[] = "spillway-health 2\nboot\tthis\nevent\t5\t1\tk\ts\tb\tup\tdown\twhy\n";
	struct target_table table = {0};
	struct event_log *log = event_log_new(5);

	(void)state;
	assert_int_equal(persist_parse(text, sizeof(text) - 1, "this", 1, &table, log).damaged, 1);
	assert_int_equal(event_log_last_seq(log), 0);
	event_log_free(log);
}

static void a_file_that_cannot_be_written_is_no_reason_to_stop(void **state)
{
	struct check c = hourly();
	struct instance i = rig_instance("10.0.0.1", 80, 1, &c);
	struct rig r = {.state_file = "/proc/no/such/place"};

	(void)state;
	rig_restart(&r);
	rig_sync(&r, &i, 1);
	judge(&r, &i, VERDICT_GOOD, "connected");
	(void)rig_run(&r, 1800, NULL, NULL);
	rig_stop(&r);
}

static struct instance many[MANY];

static void ten_thousand_endpoints_cost_little(void **state)
{
	struct check c = hourly();
	uint64_t t[7];
	struct rig r = {0};
	struct stat st;
	size_t n;

	(void)state;
	for (n = 0; n < MANY; n++) {
		many[n] = rig_instance("10.0.0.1", (uint16_t)(n + 1), 1, &c);
		many[n].passive = &detection;
		many[n].addr.b[14] = (uint8_t)(n >> 4);
	}
	start(&r);
	t[0] = uv_hrtime();
	rig_sync(&r, many, MANY);
	t[1] = uv_hrtime();
	rig_sync(&r, many, MANY);
	t[2] = uv_hrtime();
	for (n = 0; n < MANY; n++)
		judge(&r, &many[n], VERDICT_GOOD, "connected");
	t[3] = uv_hrtime();
	keep_save(&r.health->keep, PERSIST_RUNNING);
	t[4] = uv_hrtime();
	assert_int_equal(stat(path, &st), 0);
	rig_stop(&r);
	t[5] = uv_hrtime();
	start(&r);
	t[6] = uv_hrtime();
	rig_sync(&r, many, MANY);
	for (n = 0; n < MANY; n++)
		assert_int_equal(rig_info(&r, &many[n]).state, HEALTH_UP);
	rig_stop(&r);
	print_message("%d endpoints: first sync %.1f ms, again %.1f ms, save %.1f ms (%.1f MB), "
		      "load %.1f ms, %zu bytes each (with sanitizers)\n",
		      MANY, (double)(t[1] - t[0]) / 1e6, (double)(t[2] - t[1]) / 1e6,
		      (double)(t[4] - t[3]) / 1e6, (double)st.st_size / 1e6,
		      (double)(t[6] - t[5]) / 1e6, sizeof(struct target));
	assert_true(t[1] - t[0] < 2000000000 && t[4] - t[3] < 2000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(states_survive_a_restart_with_age_and_reason,
						make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(events_survive_and_their_numbers_go_on, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(
			from_the_first_model_on_the_file_says_that_a_run_is_under_way, make_dir,
			remove_dir),
		cmocka_unit_test_setup_teardown(what_the_maps_took_out_is_not_up_by_the_file,
						make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
			an_ejection_of_the_file_lasts_no_longer_than_the_policy_has_it, make_dir,
			remove_dir),
		cmocka_unit_test_setup_teardown(a_stale_state_is_kept_until_the_first_result,
						make_dir, remove_dir),
		cmocka_unit_test(a_long_interval_makes_a_state_last_longer),
		cmocka_unit_test_setup_teardown(another_boot_starts_anew_but_keeps_the_events,
						make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(slow_start_goes_on_and_the_word_is_the_stores,
						make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
			a_change_is_written_within_seconds_and_the_file_has_a_heartbeat, make_dir,
			remove_dir),
		cmocka_unit_test_setup_teardown(damaged_files_are_read_as_far_as_they_go, make_dir,
						remove_dir),
		cmocka_unit_test(each_line_is_taken_or_left_on_its_own),
		cmocka_unit_test(another_format_is_not_read),
		cmocka_unit_test(a_file_that_cannot_be_written_is_no_reason_to_stop),
		cmocka_unit_test_setup_teardown(ten_thousand_endpoints_cost_little, make_dir,
						remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
