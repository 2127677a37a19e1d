/* SPDX-License-Identifier: BSD-2-Clause */
/* Followed names against a real name server, with minutes made milliseconds. */
#include "dns_server.h"

#include "base/addr.h"
#include "base/clock.h"
#include "dns/names.h"

#define TEN(n, net)                                                                                \
	{.name = n, .addr = net "1", .ttl = 0}, {.name = n, .addr = net "2", .ttl = 0},            \
		{.name = n, .addr = net "3", .ttl = 0}, {.name = n, .addr = net "4", .ttl = 0},    \
		{.name = n, .addr = net "5", .ttl = 0}, {.name = n, .addr = net "6", .ttl = 0},    \
		{.name = n, .addr = net "7", .ttl = 0}, {.name = n, .addr = net "8", .ttl = 0},    \
		{.name = n, .addr = net "9", .ttl = 0}, {.name = n, .addr = net "10", .ttl = 0}

static const struct dns_record web[] = {
	{.name = "web.example", .addr = "192.0.2.2", .ttl = 0},
	{.name = "web.example", .addr = "192.0.2.1", .ttl = 0},
	{.name = "web.example", .addr = "2001:db8::1", .ttl = 0},
	{.name = "six.example", .addr = "2001:db8::6", .ttl = 0},
	{.name = "slow.example", .addr = "192.0.2.1", .ttl = 3},
	{.name = "alias.example",
	 .alias = "real.example",
	 .alias_ttl = 1,
	 .addr = "192.0.2.1",
	 .ttl = 300},
	TEN("ten.example", "192.0.2."),
	{0},
};

static const struct dns_record moved[] = {
	{.name = "web.example", .addr = "192.0.2.77", .ttl = 0},
	{.name = "web.example", .addr = "192.0.2.78", .ttl = 0},
	{.name = "slow.example", .addr = "192.0.2.77", .ttl = 3},
	{.name = "alias.example", .addr = "192.0.2.77", .ttl = 300},
	{.name = "ten.example", .addr = "192.0.2.8", .ttl = 0},
	{0},
};

static const struct dns_record nothing[] = {{0}};

/* A TTL of 0 is 20 ms. */
static const struct names_times quick = {.ttl_least_ms = 20,
					 .ttl_most_ms = 300000,
					 .step_ms = 400,
					 .confirm_ms = 300,
					 .retry_least_ms = 20,
					 .retry_most_ms = 100,
					 .stale_most_ms = 60000};

struct rig {
	uv_loop_t loop;
	struct dns_server *server;
	struct event_log *events;
	struct names *names;
	uv_timer_t alarm;
	unsigned changes;
};

static void on_changed(void *ctx)
{
	((struct rig *)ctx)->changes++;
}

static void on_alarm(uv_timer_t *alarm)
{
	(void)alarm;
}

static void rig_start_with(struct rig *r, const struct names_options *o)
{
	struct names_options opts = *o;

	*r = (struct rig){0};
	r->server = dns_server_start(web);
	r->events = event_log_new(1000);
	assert_non_null(r->events);
	assert_int_equal(uv_loop_init(&r->loop), 0);
	assert_int_equal(uv_timer_init(&r->loop, &r->alarm), 0);
	opts.dns.servers = r->server->where;
	opts.events = r->events;
	opts.changed = on_changed;
	opts.ctx = r;
	assert_int_equal(names_new(&r->loop, &opts, &r->names), 0);
}

static void rig_start(struct rig *r)
{
	rig_start_with(r, &(struct names_options){.times = &quick});
}

static void rig_stop(struct rig *r)
{
	names_free(r->names);
	uv_close((uv_handle_t *)&r->alarm, NULL);
	assert_int_equal(uv_run(&r->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&r->loop), 0);
	event_log_free(r->events);
	dns_server_stop(r->server);
}

static void turn(struct rig *r)
{
	uv_update_time(&r->loop);
	(void)uv_timer_start(&r->alarm, on_alarm, 5, 0);
	(void)uv_run(&r->loop, UV_RUN_ONCE);
	(void)uv_timer_stop(&r->alarm);
}

static void rig_wait(struct rig *r, unsigned ms)
{
	uint64_t end = clock_ms() + ms;

	while (clock_ms() < end)
		turn(r);
}

/* The addresses, or in brackets why there is none. Static storage. */
static const char *now(struct rig *r, const struct names_wish *w)
{
	static char text[4096];
	const struct names_answer *a = names_get(r->names, w);
	char addr[ADDR_TEXT_MAX];
	size_t used = 0;

	if (!a)
		return "not followed";
	(void)snprintf(text, sizeof(text), "(%s)", a->state ? a->reason : "unknown");
	for (size_t i = 0; i < a->count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
					 addr_print(&a->addrs[i], addr));
	return text;
}

static void until(struct rig *r, const struct names_wish *w, const char *want)
{
	uint64_t end = clock_ms() + 9000;

	while (strcmp(now(r, w), want) != 0 && clock_ms() < end)
		turn(r);
	assert_string_equal(now(r, w), want);
}

static void follow(struct rig *r, const struct names_wish *w)
{
	assert_int_equal(names_follow(r->names, w, 1), 0);
}

static struct names_wish wish(const char *name, enum dns_family family)
{
	return (struct names_wish){.name = name, .family = family, .respect_ttl = true};
}

/* How many events say so; `from` and `to` NULL: whatever they are. */
static unsigned told(const struct rig *r, const char *from, const char *to, const char *reason)
{
	unsigned count = 0;

	for (const struct event *e = event_log_next(r->events, 0); e;
	     e = event_log_next(r->events, e->seq)) {
		assert_string_equal(e->kind, "name");
		count += (!from || strcmp(e->from, from) == 0) && (!to || strcmp(e->to, to) == 0) &&
			 strcmp(e->reason, reason) == 0;
	}
	return count;
}

static void a_name_is_followed_without_anybody_asking(void **state)
{
	const struct names_wish w = wish("web.example.", DNS_IPV4);
	struct rig r;

	(void)state;
	rig_start(&r);
	follow(&r, &w);
	assert_int_equal(names_get(r.names, &w)->state, NAMES_UNKNOWN);
	until(&r, &w, "192.0.2.1 192.0.2.2");
	rig_wait(&r, 100);
	assert_true(r.server->asked > 2);
	assert_int_equal(r.changes, 1); /* the same again is no change */
	r.server->records = moved;
	until(&r, &w, "192.0.2.77 192.0.2.78");
	rig_wait(&r, 50);
	assert_int_equal(r.changes, 2);
	assert_int_equal(told(&r, "unknown", "192.0.2.1, 192.0.2.2", "resolved"), 1);
	assert_int_equal(told(&r, "192.0.2.1, 192.0.2.2", "192.0.2.77, 192.0.2.78", "changed"), 1);
	assert_int_equal(event_log_last_seq(r.events), 2);
	assert_int_equal(names_get(r.names, &w)->state, NAMES_GOOD);
	assert_string_equal(names_get(r.names, &w)->reason, "");
	rig_stop(&r);
}

static void an_answer_is_asked_for_again_when_the_ttl_of_its_chain_ends(void **state)
{
	const struct names_wish w[] = {wish("slow.example", DNS_IPV4),
				       wish("alias.example", DNS_IPV4),
				       {.name = "slow.example", .refresh_ms = 300}};
	uint64_t began = clock_ms();
	struct rig r;

	(void)state;
	rig_start(&r);
	assert_int_equal(names_follow(r.names, w, 3), 0);
	until(&r, &w[0], "192.0.2.1");
	until(&r, &w[1], "192.0.2.1");
	until(&r, &w[2], "192.0.2.1");
	r.server->records = moved;
	until(&r, &w[2], "192.0.2.77");
	assert_in_range(clock_ms() - began, 250, 900);
	until(&r, &w[1], "192.0.2.77");
	assert_in_range(clock_ms() - began, 990, 2500);
	assert_string_equal(now(&r, &w[0]), "192.0.2.1");
	until(&r, &w[0], "192.0.2.77");
	assert_in_range(clock_ms() - began, 2990, 5500);
	rig_stop(&r);
}

static void the_family_says_which_addresses_count(void **state)
{
	static const char *const want[] = {
		[DNS_IPV4_PREFERRED] = "192.0.2.1 192.0.2.2",
		[DNS_IPV6_PREFERRED] = "2001:db8::1",
		[DNS_IPV4] = "192.0.2.1 192.0.2.2",
		[DNS_IPV6] = "2001:db8::1",
		[DNS_IPV4_AND_IPV6] = "192.0.2.1 192.0.2.2 2001:db8::1",
	};
	struct names_wish w[6];
	struct rig r;

	(void)state;
	rig_start(&r);
	for (int f = DNS_IPV4_PREFERRED; f <= DNS_IPV4_AND_IPV6; f++)
		w[f] = wish("web.example", (enum dns_family)f);
	w[5] = wish("six.example", DNS_IPV4_PREFERRED);
	assert_int_equal(names_follow(r.names, w, 6), 0);
	for (int f = DNS_IPV4_PREFERRED; f <= DNS_IPV4_AND_IPV6; f++)
		until(&r, &w[f], want[f]);
	until(&r, &w[5], "2001:db8::6");
	rig_stop(&r);
}

static void a_family_that_fails_takes_nothing_of_the_other_away(void **state)
{
	const struct names_wish w[] = {wish("web.example", DNS_IPV4_AND_IPV6),
				       wish("web.example", DNS_IPV4_PREFERRED)};
	struct rig r;

	(void)state;
	rig_start(&r);
	r.server->rcode = 2;
	r.server->rcode_type = 28;
	assert_int_equal(names_follow(r.names, w, 2), 0);
	until(&r, &w[0], "192.0.2.1 192.0.2.2");
	until(&r, &w[1], "192.0.2.1 192.0.2.2");
	rig_wait(&r, 50);
	assert_int_equal(names_get(r.names, &w[0])->state, NAMES_GOOD);
	assert_string_equal(names_get(r.names, &w[0])->reason,
			    "no name server could tell for IPv6");
	r.server->rcode = 0;
	until(&r, &w[0], "192.0.2.1 192.0.2.2 2001:db8::1");
	r.server->rcode_type = 1;
	r.server->rcode = 2;
	rig_wait(&r, 200);
	assert_string_equal(now(&r, &w[0]), "192.0.2.1 192.0.2.2 2001:db8::1");
	assert_string_equal(now(&r, &w[1]), "192.0.2.1 192.0.2.2");
	assert_string_equal(names_get(r.names, &w[0])->reason,
			    "no name server could tell for IPv4: the last good answer stays");
	rig_stop(&r);
}

static void a_server_that_fails_leaves_the_last_good_answer(void **state)
{
	const struct names_wish w = wish("web.example", DNS_IPV4_PREFERRED);
	struct rig r;

	(void)state;
	rig_start(&r);
	follow(&r, &w);
	until(&r, &w, "192.0.2.1 192.0.2.2");
	r.server->rcode = 2;
	rig_wait(&r, 400);
	assert_string_equal(now(&r, &w), "192.0.2.1 192.0.2.2");
	assert_int_equal(names_get(r.names, &w)->state, NAMES_KEPT);
	assert_int_equal(r.changes, 1);
	assert_int_equal(told(&r, "192.0.2.1, 192.0.2.2", "192.0.2.1, 192.0.2.2",
			      "no name server could tell: the last good answer stays"),
			 1);
	r.server->rcode = 0;
	rig_wait(&r, 200);
	assert_int_equal(names_get(r.names, &w)->state, NAMES_GOOD);
	assert_int_equal(told(&r, NULL, NULL, "answered again"), 1);
	assert_int_equal(r.changes, 1);
	rig_stop(&r);
}

static void a_last_good_answer_does_not_stay_for_ever(void **state)
{
	const struct names_wish w = wish("web.example", DNS_IPV4);
	struct names_times times = quick;
	struct rig r;

	(void)state;
	times.stale_most_ms = 500;
	rig_start_with(&r, &(struct names_options){.times = &times});
	follow(&r, &w);
	until(&r, &w, "192.0.2.1 192.0.2.2");
	r.server->rcode = 2;
	rig_wait(&r, 400);
	assert_string_equal(now(&r, &w), "192.0.2.1 192.0.2.2");
	until(&r, &w, "(no name server could tell)");
	assert_int_equal(r.changes, 3);
	rig_stop(&r);
}

static void failing_questions_are_asked_less_and_less(void **state)
{
	const struct names_wish w = wish("web.example", DNS_IPV4);
	struct rig r;

	(void)state;
	rig_start(&r);
	r.server->rcode = 2;
	follow(&r, &w);
	until(&r, &w, "(no name server could tell)");
	assert_int_equal(r.changes, 1); /* known to have none */
	rig_wait(&r, 500);
	assert_in_range(r.server->asked, 9, 27); /* after 20, 40, 80, 100, 100 ms, thrice each */
	r.server->rcode = 0;
	until(&r, &w, "192.0.2.1 192.0.2.2");
	rig_stop(&r);
}

static void of_ten_addresses_five_stay_when_an_answer_has_one(void **state)
{
	const struct names_wish w = wish("ten.example", DNS_IPV4);
	struct rig r;

	(void)state;
	rig_start(&r);
	follow(&r, &w);
	until(&r, &w,
	      "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6 192.0.2.7 "
	      "192.0.2.8 192.0.2.9 192.0.2.10");
	r.server->records = moved;
	until(&r, &w, "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.8");
	assert_int_equal(names_get(r.names, &w)->state, NAMES_KEPT);
	assert_string_equal(names_get(r.names, &w)->reason,
			    "5 of 10 addresses are kept though the answer has 1");
	rig_wait(&r, 200);
	assert_string_equal(now(&r, &w), "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.8");
	assert_int_equal(told(&r, NULL, "192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.8",
			      "5 of 10 addresses are kept though the answer has 1"),
			 1);
	until(&r, &w, "192.0.2.1 192.0.2.2 192.0.2.8");
	until(&r, &w, "192.0.2.1 192.0.2.8");
	until(&r, &w, "192.0.2.8");
	rig_wait(&r, 50);
	assert_int_equal(names_get(r.names, &w)->state, NAMES_GOOD);
	assert_int_equal(r.changes, 5);
	rig_stop(&r);
}

static void a_name_that_is_gone_is_empty_after_it_was_confirmed(void **state)
{
	const struct names_wish w = {.name = "slow.example", .family = DNS_IPV4, .refresh_ms = 50};
	uint64_t began;
	struct rig r;

	(void)state;
	rig_start(&r);
	follow(&r, &w);
	until(&r, &w, "192.0.2.1");
	r.server->records = nothing;
	began = clock_ms();
	rig_wait(&r, 150);
	assert_string_equal(now(&r, &w), "192.0.2.1");
	assert_string_equal(names_get(r.names, &w)->reason,
			    "1 of 1 addresses are kept though the answer has none (NXDOMAIN)");
	until(&r, &w, "(NXDOMAIN)");
	assert_in_range(clock_ms() - began, 290, 900);
	assert_int_equal(names_get(r.names, &w)->state, NAMES_EMPTY);
	assert_int_equal(told(&r, "192.0.2.1", "none", "NXDOMAIN"), 1);
	r.server->records = web;
	until(&r, &w, "192.0.2.1");
	assert_int_equal(told(&r, "none", "192.0.2.1", "changed"), 1);
	rig_stop(&r);
}

static const struct dns_record odd[] = {
	{.name = "odd.example", .addr = "127.0.0.1", .ttl = 0},
	{.name = "odd.example", .addr = "192.0.2.1", .ttl = 0},
	{.name = "odd.example", .addr = "0.0.0.0", .ttl = 0},
	{.name = "odd.example", .addr = "169.254.1.1", .ttl = 0},
	{.name = "odd.example", .addr = "fe80::1", .ttl = 0},
	{.name = "odd.example", .addr = "::ffff:127.0.0.2", .ttl = 0},
	{.name = "odd.example", .addr = "::ffff:192.0.2.9", .ttl = 0},
	{.name = "odd.example", .addr = "ff02::1", .ttl = 0},
	{.name = "loop.example", .addr = "127.0.0.1", .ttl = 0},
	{0},
};

static void addresses_that_may_not_be_used_are_left_out_and_said_so(void **state)
{
	const struct names_wish w[] = {wish("odd.example", DNS_IPV4_AND_IPV6),
				       wish("loop.example", DNS_IPV4)};
	struct rig r;

	(void)state;
	rig_start(&r);
	r.server->records = odd;
	assert_int_equal(names_follow(r.names, w, 2), 0);
	until(&r, &w[0], "192.0.2.1 192.0.2.9");
	until(&r, &w[1], "(127.0.0.1 is left out: loopback)");
	rig_wait(&r, 100);
	assert_string_equal(names_get(r.names, &w[0])->reason,
			    "0.0.0.0 (unspecified) and 2 more that may not be used are left out");
	assert_int_equal(told(&r, NULL, NULL, "127.0.0.1 is left out: loopback"), 1);
	rig_stop(&r);
}

static void on_the_host_loopback_addresses_count(void **state)
{
	const struct names_wish w = wish("loop.example", DNS_IPV4);
	struct rig r;

	(void)state;
	rig_start_with(&r, &(struct names_options){.times = &quick, .on_host = true});
	r.server->records = odd;
	follow(&r, &w);
	until(&r, &w, "127.0.0.1");
	rig_stop(&r);
}

static void of_more_addresses_than_the_limit_the_lowest_count(void **state)
{
	static struct dns_record many[71];
	static char addrs[70][16];
	const struct names_wish w = wish("many.example", DNS_IPV4);
	struct rig r;

	(void)state;
	for (unsigned i = 0; i < 70; i++) {
		(void)snprintf(addrs[i], sizeof(addrs[i]), "192.0.2.%u", 200 - i);
		many[i] = (struct dns_record){.name = "many.example", .addr = addrs[i]};
	}
	rig_start(&r);
	r.server->records = many;
	follow(&r, &w);
	while (names_get(r.names, &w)->state == NAMES_UNKNOWN)
		turn(&r);
	assert_int_equal(names_get(r.names, &w)->count, 64);
	assert_int_equal(names_get(r.names, &w)->addrs[0].b[15], 131);
	assert_int_equal(told(&r, NULL, NULL, "6 of 70 addresses are left out: 64 is the most"), 1);
	rig_stop(&r);
}

static void what_is_followed_already_stays_known(void **state)
{
	const struct names_wish w[] = {wish("web.example", DNS_IPV4), wish("six.example", DNS_IPV6),
				       wish("ten.example", DNS_IPV4)};
	struct rig r;

	(void)state;
	rig_start(&r);
	assert_int_equal(names_follow(r.names, w, 2), 0);
	until(&r, &w[0], "192.0.2.1 192.0.2.2");
	until(&r, &w[1], "2001:db8::6");
	assert_int_equal(names_follow(r.names, w + 1, 2), 0);
	assert_string_equal(now(&r, &w[0]), "not followed");
	assert_string_equal(now(&r, &w[1]), "2001:db8::6");
	assert_string_equal(now(&r, &w[2]), "(unknown)");
	r.server->silent = true;
	assert_int_equal(names_follow(r.names, w, 1), 0); /* questions are open */
	rig_wait(&r, 20);
	rig_stop(&r);
}

static void many_names_are_one_change_a_turn(void **state)
{
	static char names[300][16];
	static struct names_wish w[300];
	static struct dns_record records[301];
	struct rig r;

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "n%u.example", i);
		records[i] = (struct dns_record){.name = names[i], .addr = "192.0.2.1", .ttl = 60};
		w[i] = wish(names[i], DNS_IPV4);
	}
	rig_start(&r);
	r.server->records = records;
	assert_int_equal(names_follow(r.names, w, 300), 0);
	for (unsigned i = 0; i < 300; i++)
		until(&r, &w[i], "192.0.2.1");
	assert_in_range(r.changes, 1, 299);
	assert_int_equal(event_log_last_seq(r.events), 300);
	rig_stop(&r);
}

static void the_hosts_file_is_heeded(void **state)
{
	const struct names_wish w = wish("localhost", DNS_IPV4);
	struct rig r;

	(void)state;
	rig_start_with(&r, &(struct names_options){.on_host = true});
	follow(&r, &w);
	until(&r, &w, "127.0.0.1");
	assert_int_equal(r.server->asked, 0);
	turn(&r);
	assert_int_equal(r.changes, 1);
	rig_stop(&r);
}

static void a_wish_for_a_name_that_is_known_begins_with_what_is_known(void **state)
{
	const struct names_wish w = wish("web.example", DNS_IPV4);
	const struct names_wish other = {.name = "web.example.", .family = DNS_IPV4};
	struct rig r;
	size_t count;

	(void)state;
	rig_start(&r);
	assert_null(names_recall(r.names, &other, &count));
	assert_int_equal(count, 0);
	follow(&r, &w);
	until(&r, &w, "192.0.2.1 192.0.2.2");
	assert_non_null(names_recall(r.names, &other, &count));
	assert_int_equal(count, 2);
	r.server->rcode = 2;
	follow(&r, &other);
	assert_string_equal(now(&r, &other), "192.0.2.1 192.0.2.2");
	rig_wait(&r, 50);
	assert_string_equal(now(&r, &other), "192.0.2.1 192.0.2.2");
	rig_stop(&r);
}

static void what_is_known_of_names_outlives_the_daemon(void **state)
{
	const struct names_wish w[] = {wish("web.example", DNS_IPV4_AND_IPV6),
				       wish("web.example", DNS_IPV6)};
	char path[] = "/tmp/names-XXXXXX";
	int fd = mkstemp(path);
	struct rig r;
	size_t count;
	FILE *f;

	(void)state;
	assert_true(fd >= 0);
	rig_start(&r);
	follow(&r, &w[0]);
	until(&r, &w[0], "192.0.2.1 192.0.2.2 2001:db8::1");
	assert_int_equal(names_save(r.names, path), 0);
	rig_stop(&r);
	f = fopen(path, "a");
	assert_non_null(f);
	assert_true(fputs("nonsense\n1 0\n1 99 web.example 192.0.2.9\n1 3 web.example x\n", f) >=
		    0);
	(void)fclose(f);
	rig_start(&r);
	names_load(r.names, path);
	r.server->rcode = 2;
	assert_non_null(names_recall(r.names, &w[0], &count));
	assert_int_equal(count, 3);
	assert_null(names_recall(r.names, &w[1], &count)); /* another question */
	follow(&r, &w[0]);
	rig_wait(&r, 50);
	assert_string_equal(now(&r, &w[0]), "192.0.2.1 192.0.2.2 2001:db8::1");
	assert_int_equal(names_get(r.names, &w[0])->state, NAMES_KEPT);
	rig_stop(&r);
	(void)close(fd);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_followed_without_anybody_asking),
		cmocka_unit_test(an_answer_is_asked_for_again_when_the_ttl_of_its_chain_ends),
		cmocka_unit_test(the_family_says_which_addresses_count),
		cmocka_unit_test(a_family_that_fails_takes_nothing_of_the_other_away),
		cmocka_unit_test(a_server_that_fails_leaves_the_last_good_answer),
		cmocka_unit_test(a_last_good_answer_does_not_stay_for_ever),
		cmocka_unit_test(failing_questions_are_asked_less_and_less),
		cmocka_unit_test(of_ten_addresses_five_stay_when_an_answer_has_one),
		cmocka_unit_test(a_name_that_is_gone_is_empty_after_it_was_confirmed),
		cmocka_unit_test(addresses_that_may_not_be_used_are_left_out_and_said_so),
		cmocka_unit_test(on_the_host_loopback_addresses_count),
		cmocka_unit_test(of_more_addresses_than_the_limit_the_lowest_count),
		cmocka_unit_test(what_is_followed_already_stays_known),
		cmocka_unit_test(many_names_are_one_change_a_turn),
		cmocka_unit_test(the_hosts_file_is_heeded),
		cmocka_unit_test(a_wish_for_a_name_that_is_known_begins_with_what_is_known),
		cmocka_unit_test(what_is_known_of_names_outlives_the_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
