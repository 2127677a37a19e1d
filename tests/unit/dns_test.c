/* SPDX-License-Identifier: BSD-2-Clause */
/* Names against a real name server: what is answered, shared, kept, and for how long. */
#include "dns_server.h"

#include <sys/stat.h>

#include "base/addr.h"
#include "base/clock.h"
#include "dns/dns.h"

static const struct dns_record web[] = {
	{.name = "web.example", .addr = "2001:db8::1", .ttl = 60},
	{.name = "web.example", .addr = "192.0.2.1", .ttl = 60},
	{.name = "web.example", .addr = "192.0.2.2", .ttl = 60},
	{.name = "short.example", .addr = "192.0.2.1", .ttl = 0},
	{.name = "alias.example",
	 .alias = "real.example",
	 .alias_ttl = 0,
	 .addr = "192.0.2.9",
	 .ttl = 60},
	{.name = "db.corp.example", .addr = "192.0.2.5", .ttl = 60},
	{0},
};

static const struct dns_record moved[] = {
	{.name = "web.example", .addr = "192.0.2.77", .ttl = 60},
	{.name = "short.example", .addr = "192.0.2.77", .ttl = 0},
	{.name = "alias.example", .addr = "192.0.2.77", .ttl = 60},
	{0},
};

struct rig {
	uv_loop_t loop;
	struct dns *dns;
	uv_timer_t alarm;
};

struct asker {
	struct dns_wait wait;
	struct dns_answer answer;
	unsigned told;
};

static void on_told(void *ctx, const struct dns_answer *a)
{
	struct asker *k = ctx;

	k->answer = *a;
	k->told++;
}

static void on_alarm(uv_timer_t *alarm)
{
	(void)alarm;
}

static void rig_start(struct rig *r, const struct dns_options *o)
{
	assert_int_equal(uv_loop_init(&r->loop), 0);
	assert_int_equal(uv_timer_init(&r->loop, &r->alarm), 0);
	assert_int_equal(dns_new(&r->loop, o, &r->dns), 0);
}

static void rig_stop(struct rig *r)
{
	dns_free(r->dns);
	uv_close((uv_handle_t *)&r->alarm, NULL);
	assert_int_equal(uv_run(&r->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&r->loop), 0);
}

/* Asks; true when the answer was there at once. */
static bool ask(struct rig *r, const char *name, struct asker *k)
{
	const struct dns_answer *a;

	*k = (struct asker){.wait = {.done = on_told, .ctx = k}};
	a = dns_lookup(r->dns, name, &k->wait);
	if (a)
		on_told(k, a);
	return a != NULL;
}

static void rig_wait(struct rig *r, unsigned ms, const struct asker *k)
{
	uint64_t end = clock_ms() + ms;

	while (clock_ms() < end && !(k && k->told)) {
		uv_update_time(&r->loop);
		(void)uv_timer_start(&r->alarm, on_alarm, 10, 0);
		(void)uv_run(&r->loop, UV_RUN_ONCE);
	}
	(void)uv_timer_stop(&r->alarm);
}

/* Asks and waits; the first address, or why there is none. Static storage. */
static const char *look_up(struct rig *r, const char *name)
{
	static char text[64];
	struct asker k;

	if (!ask(r, name, &k))
		rig_wait(r, 8000, &k);
	assert_int_equal(k.told, 1);
	if (!k.answer.count)
		(void)snprintf(text, sizeof(text), "%s", k.answer.why);
	else
		(void)addr_print(&k.answer.addrs[0], text);
	return text;
}

static void ipv4_addresses_come_first(void **state)
{
	struct dns_server *s = dns_server_start(web);
	struct rig r;
	struct asker k;
	char text[ADDR_TEXT_MAX];

	(void)state;
	rig_start(&r, &(struct dns_options){.servers = s->where});
	assert_false(ask(&r, "web.example", &k));
	rig_wait(&r, 2000, &k);
	assert_int_equal(k.answer.count, 3);
	assert_true(addr_is_v4(&k.answer.addrs[0]));
	assert_true(addr_is_v4(&k.answer.addrs[1]));
	assert_string_equal(addr_print(&k.answer.addrs[2], text), "2001:db8::1");
	rig_stop(&r);
	dns_server_stop(s);
}

static void all_who_wait_for_a_name_share_one_question(void **state)
{
	struct dns_server *s = dns_server_start(web);
	struct asker k[20];
	struct rig r;

	(void)state;
	rig_start(&r, &(struct dns_options){.servers = s->where});
	for (size_t i = 0; i < 20; i++)
		assert_false(ask(&r, i % 2 ? "web.example" : "web.example.", &k[i]));
	dns_cancel(&k[3].wait);
	dns_cancel(&k[3].wait);
	rig_wait(&r, 2000, &k[0]);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(k[i].told, i != 3);
	assert_int_equal(s->asked, 1);
	assert_true(ask(&r, "web.example.", &k[0]));
	assert_int_equal(s->asked, 1);
	rig_stop(&r);
	dns_server_stop(s);
}

static void an_answer_is_good_for_the_least_ttl_and_a_second_at_least(void **state)
{
	struct dns_server *s = dns_server_start(web);
	struct rig r;

	(void)state;
	rig_start(&r, &(struct dns_options){.servers = s->where});
	assert_string_equal(look_up(&r, "web.example"), "192.0.2.1");
	assert_string_equal(look_up(&r, "short.example"), "192.0.2.1");
	assert_string_equal(look_up(&r, "alias.example"), "192.0.2.9");
	s->records = moved;
	assert_string_equal(look_up(&r, "short.example"), "192.0.2.1");
	rig_wait(&r, 1050, NULL);
	assert_string_equal(look_up(&r, "web.example"), "192.0.2.1");
	assert_string_equal(look_up(&r, "short.example"), "192.0.2.77");
	assert_string_equal(look_up(&r, "alias.example"), "192.0.2.77"); /* the alias had 0 */
	rig_stop(&r);
	dns_server_stop(s);
}

static void a_name_that_does_not_exist_is_remembered_for_a_while(void **state)
{
	struct dns_server *s = dns_server_start(web);
	unsigned asked;
	struct rig r;

	(void)state;
	rig_start(&r, &(struct dns_options){.servers = s->where});
	assert_string_equal(look_up(&r, "nobody.example"), "NXDOMAIN");
	asked = s->asked;
	assert_string_equal(look_up(&r, "nobody.example"), "NXDOMAIN");
	assert_int_equal(s->asked, asked);
	rig_stop(&r);
	dns_server_stop(s);
}

static void the_last_good_answer_stands_in_for_a_server_that_fails(void **state)
{
	struct dns_server *s = dns_server_start(web);
	struct asker k;
	struct rig r;

	(void)state;
	rig_start(&r, &(struct dns_options){.servers = s->where});
	assert_string_equal(look_up(&r, "short.example"), "192.0.2.1");
	s->rcode = 2;
	rig_wait(&r, 1050, NULL);
	assert_string_equal(look_up(&r, "short.example"), "192.0.2.1");
	assert_true(ask(&r, "short.example", &k)); /* and is not asked at every use */
	assert_string_equal(look_up(&r, "other.example"), "no name server could tell");
	rig_stop(&r);
	dns_server_stop(s);
}

static void nobody_waits_long_for_a_silent_server_when_there_is_an_old_answer(void **state)
{
	struct dns_server *s = dns_server_start(web);
	uint64_t began;
	struct asker k;
	struct rig r;

	(void)state;
	rig_start(&r, &(struct dns_options){.servers = s->where});
	assert_string_equal(look_up(&r, "short.example"), "192.0.2.1");
	s->silent = true;
	rig_wait(&r, 1050, NULL);
	began = clock_ms();
	assert_string_equal(look_up(&r, "short.example"), "192.0.2.1");
	assert_in_range(clock_ms() - began, 200, 800);
	assert_true(ask(&r, "short.example", &k));
	s->silent = false;
	s->records = moved;
	rig_wait(&r, 2500, NULL); /* c-ares tries again meanwhile */
	assert_string_equal(look_up(&r, "short.example"), "192.0.2.77");
	rig_stop(&r);
	dns_server_stop(s);
}

static void no_such_name_takes_an_address_away(void **state)
{
	static const struct dns_record none[] = {{0}};
	struct dns_server *s = dns_server_start(web);
	struct rig r;

	(void)state;
	rig_start(&r, &(struct dns_options){.servers = s->where});
	assert_string_equal(look_up(&r, "short.example"), "192.0.2.1");
	s->records = none;
	rig_wait(&r, 1050, NULL);
	assert_string_equal(look_up(&r, "short.example"), "NXDOMAIN");
	rig_stop(&r);
	dns_server_stop(s);
}

static void a_silent_server_is_a_timeout_and_a_free_with_open_questions_is_clean(void **state)
{
	struct dns_server *s = dns_server_start(web);
	struct asker k;
	struct rig r;

	(void)state;
	s->silent = true;
	rig_start(&r, &(struct dns_options){.servers = s->where});
	assert_string_equal(look_up(&r, "web.example"), "timeout");
	assert_false(ask(&r, "short.example", &k));
	dns_cancel(&k.wait);
	rig_stop(&r);
	assert_int_equal(k.told, 0);
	dns_server_stop(s);
}

static void write_conf(const char *path, const char *search)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	(void)fprintf(f, "nameserver 127.0.0.1\nsearch %s\n", search);
	assert_int_equal(fclose(f), 0);
}

/* In a new file, whose name takes the place of the X of `path`. */
static void make_conf(char *path, const char *search)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	(void)close(fd);
	write_conf(path, search);
}

static void resolv_conf_is_heeded_and_read_again_when_it_changes(void **state)
{
	struct dns_server *s = dns_server_start(web);
	char path[] = "/tmp/spillway-resolv-XXXXXX";
	struct rig r;

	(void)state;
	make_conf(path, "other.example");
	rig_start(&r, &(struct dns_options){.servers = s->where, .resolv_conf = path});
	assert_string_equal(look_up(&r, "db"), "NXDOMAIN");
	write_conf(path, "corp.example");
	rig_wait(&r, 5100, NULL); /* what does not exist is remembered for 5 s */
	assert_string_equal(look_up(&r, "db"), "192.0.2.5");
	rig_stop(&r);
	(void)unlink(path);
	dns_server_stop(s);
}

static void without_a_search_list_a_name_is_asked_for_as_it_is(void **state)
{
	struct dns_server *s = dns_server_start(web);
	char path[] = "/tmp/spillway-resolv-XXXXXX";
	struct rig r;

	(void)state;
	make_conf(path, "corp.example");
	rig_start(&r, &(struct dns_options){
			      .servers = s->where, .resolv_conf = path, .search = DNS_SEARCH_NONE});
	assert_string_equal(look_up(&r, "db"), "NXDOMAIN");
	assert_string_equal(look_up(&r, "db.corp.example"), "192.0.2.5");
	assert_string_equal(look_up(&r, "localhost"), "127.0.0.1");
	rig_stop(&r);
	(void)unlink(path);
	dns_server_stop(s);
}

static void a_cache_that_is_full_forgets_what_was_asked_longest_ago(void **state)
{
	struct dns_server *s = dns_server_start(web);
	char name[96];
	struct asker k;
	struct rig r;
	unsigned asked;

	(void)state;
	rig_start(&r, &(struct dns_options){.servers = s->where});
	assert_string_equal(look_up(&r, "web.example"), "192.0.2.1");
	rig_wait(&r, 5, NULL);
	for (unsigned i = 0; i < DNS_NAMES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%070u.example",
			       i); /* not valid: answered at once */
		assert_true(ask(&r, name, &k));
	}
	asked = s->asked;
	assert_true(ask(&r, name, &k));
	assert_false(ask(&r, "web.example", &k));
	rig_wait(&r, 2000, &k);
	assert_true(s->asked > asked);
	rig_stop(&r);
	dns_server_stop(s);
}

static void the_hosts_file_is_asked_first(void **state)
{
	struct dns_server *s = dns_server_start(web);
	struct rig r;

	(void)state;
	rig_start(&r, &(struct dns_options){.servers = s->where});
	assert_string_equal(look_up(&r, "localhost"), "127.0.0.1");
	assert_int_equal(s->asked, 0);
	rig_stop(&r);
	dns_server_stop(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_addresses_come_first),
		cmocka_unit_test(all_who_wait_for_a_name_share_one_question),
		cmocka_unit_test(an_answer_is_good_for_the_least_ttl_and_a_second_at_least),
		cmocka_unit_test(a_name_that_does_not_exist_is_remembered_for_a_while),
		cmocka_unit_test(the_last_good_answer_stands_in_for_a_server_that_fails),
		cmocka_unit_test(nobody_waits_long_for_a_silent_server_when_there_is_an_old_answer),
		cmocka_unit_test(no_such_name_takes_an_address_away),
		cmocka_unit_test(
			a_silent_server_is_a_timeout_and_a_free_with_open_questions_is_clean),
		cmocka_unit_test(resolv_conf_is_heeded_and_read_again_when_it_changes),
		cmocka_unit_test(without_a_search_list_a_name_is_asked_for_as_it_is),
		cmocka_unit_test(a_cache_that_is_full_forgets_what_was_asked_longest_ago),
		cmocka_unit_test(the_hosts_file_is_asked_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
