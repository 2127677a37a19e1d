/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP checks against a real server: answers judged, and the request as it is on the wire. */
#include "health_rig.h"

#include <stdlib.h>

#define ANSWER(status, body) "HTTP/1.1 " status "\r\nContent-Length: " body

static const uint16_t ok_and_204[] = {200, 204};
static const uint16_t unavailable[] = {503};

static const struct row {
	const char *what;
	enum server_way way;
	const char *answer;
	const char *expected_body;
	bool expects_204, retries_503;
	enum health_state state; /* after the first probe */
	const char *reason;
} rows[] = {
	{"200", SERVER_ANSWERS, ANSWER("200 OK", "2\r\n\r\nok"), NULL, false, false, HEALTH_UP,
	 "status 200"},
	{"503", SERVER_ANSWERS, ANSWER("503 No", "0\r\n\r\n"), NULL, false, false, HEALTH_DOWN,
	 "status 503"},
	{"another of 2xx", SERVER_ANSWERS, "HTTP/1.1 204 None\r\n\r\n", NULL, false, false,
	 HEALTH_DOWN, "status 204"},
	{"204 is expected", SERVER_ANSWERS, "HTTP/1.1 204 None\r\n\r\n", NULL, true, false,
	 HEALTH_UP, "status 204"},
	{"a redirect is not followed", SERVER_ANSWERS,
	 "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", NULL, false, false,
	 HEALTH_DOWN, "status 302"},
	{"100 comes first", SERVER_ANSWERS,
	 "HTTP/1.1 100 Continue\r\n\r\n" ANSWER("200 OK", "0\r\n\r\n"), NULL, false, false,
	 HEALTH_UP, "status 200"},
	{"HTTP/1.0", SERVER_ANSWERS, "HTTP/1.0 200 OK\r\n\r\nuntil the end", "the end", false,
	 false, HEALTH_UP, "status 200"},
	{"chunked", SERVER_ANSWERS,
	 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nall\r\n5\r\n good\r\n0\r\n\r\n",
	 "all good", false, false, HEALTH_UP, "status 200"},
	{"the body", SERVER_ANSWERS, ANSWER("200 OK", "7\r\n\r\nready.\n"), "ready", false, false,
	 HEALTH_UP, "status 200"},
	{"another body", SERVER_ANSWERS, ANSWER("200 OK", "7\r\n\r\nbusy..\n"), "ready", false,
	 false, HEALTH_DOWN, "body mismatch"},
	{"the body with another status", SERVER_ANSWERS, ANSWER("500 No", "5\r\n\r\nready"),
	 "ready", false, false, HEALTH_DOWN, "status 500"},
	{"closed", SERVER_CLOSES, "", NULL, false, false, HEALTH_DOWN, NULL},
	{"reset", SERVER_RESETS, "", NULL, false, false, HEALTH_DOWN, "connection reset"},
	{"cut off", SERVER_ANSWERS, ANSWER("200 OK", "9\r\n\r\nok"), NULL, false, false,
	 HEALTH_DOWN, "closed before the answer"},
	{"not HTTP", SERVER_ANSWERS, "SSH-2.0-OpenSSH_9.2\r\n", NULL, false, false, HEALTH_DOWN,
	 "no valid HTTP answer"},
	{"silence", SERVER_SILENT, "", NULL, false, false, HEALTH_DOWN, "timeout"},
};

static struct check check_of(const struct row *r)
{
	struct check c = rig_check(CHECK_HTTP);

	c.expected_body = payload(r->expected_body);
	if (r->expects_204) {
		c.expected = ok_and_204;
		c.expected_count = 2;
	}
	if (r->retries_503) {
		c.retriable = unavailable;
		c.retriable_count = 1;
	}
	return c;
}

static void an_answer_is_judged_by_status_and_body(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct server *s = server_start("127.0.0.1", rows[i].way, rows[i].answer);
		struct check c = check_of(&rows[i]);
		struct outcome o = first_result(rig_instance("127.0.0.1", s->port, 1, &c));

		server_stop(s);
		if (o.state != rows[i].state ||
		    (rows[i].reason && strcmp(o.reason, rows[i].reason) != 0))
			fail_msg("%s: state %d, %s", rows[i].what, o.state, o.reason);
	}
}

static void nobody_listening_is_refused(void **state)
{
	struct check c = rig_check(CHECK_HTTP);
	struct outcome o;
	uint16_t port;
	int fd = refused_port(&port);

	(void)state;
	o = first_result(rig_instance("127.0.0.1", port, 1, &c));
	assert_int_equal(o.state, HEALTH_DOWN);
	assert_string_equal(o.reason, "connection refused");
	(void)close(fd);
}

/* How many answers of `answer` take an endpoint down that is up. */
static unsigned answers_until_down(const char *answer, bool retries_503)
{
	struct server *s = server_start("127.0.0.1", SERVER_ANSWERS, rows[0].answer);
	struct row row = {.retries_503 = retries_503};
	struct check c = check_of(&row);
	struct instance i = rig_instance("127.0.0.1", s->port, 1, &c);
	struct rig r;
	struct wait_for w = {&r, &i, HEALTH_UP};
	unsigned before, after;

	rig_start(&r);
	rig_sync(&r, &i, 1);
	assert_true(rig_run(&r, 3000, is_state, &w));
	before = s->accepted;
	s->answer = answer;
	w.state = HEALTH_DOWN;
	assert_true(rig_run(&r, 3000, is_state, &w));
	after = s->accepted;
	assert_string_equal(rig_info(&r, &i).reason, "status 503");
	rig_stop(&r);
	server_stop(s);
	return after - before;
}

static void an_unexpected_status_is_final_and_a_retriable_one_is_counted(void **state)
{
	(void)state;
	assert_int_equal(answers_until_down(ANSWER("503 No", "0\r\n\r\n"), false), 1);
	assert_int_equal(answers_until_down(ANSWER("503 No", "0\r\n\r\n"), true), 3);
}

static void a_status_that_is_expected_and_retriable_is_good(void **state)
{
	static const uint16_t both[] = {200, 503};
	struct server *s = server_start("127.0.0.1", SERVER_ANSWERS, ANSWER("503 No", "0\r\n\r\n"));
	struct row row = {.retries_503 = true};
	struct check c = check_of(&row);

	(void)state;
	c.expected = both;
	c.expected_count = 2;
	assert_int_equal(first_result(rig_instance("127.0.0.1", s->port, 1, &c)).state, HEALTH_UP);
	server_stop(s);
}

static void assert_line(const char *request, const char *line)
{
	if (!strstr(request, line))
		fail_msg("no '%s' in:\n%s", line, request);
}

static void assert_no(const char *request, const char *part)
{
	if (strcasestr(request, part))
		fail_msg("'%s' in:\n%s", part, request);
}

/* The latest request of a first probe with check `c`; static storage. */
static const char *request_of(const char *address, const struct check *c, const char *hostname)
{
	static char request[4096];
	struct server *s = server_start(address, SERVER_ANSWERS, rows[0].answer);
	struct instance i = rig_instance(address, s->port, 1, c);

	i.hostname = hostname;
	assert_string_equal(first_result(i).reason, "status 200");
	memcpy(request, s->request, sizeof(request));
	server_stop(s);
	return request;
}

static void a_plain_request_is_a_get_on_a_connection_of_its_own(void **state)
{
	struct check c = rig_check(CHECK_HTTP);
	const char *request;

	(void)state;
	c.http_path = "/a/../b?x=1&y=%20";
	request = request_of("127.0.0.1", &c, NULL);
	assert_line(request, "GET /a/../b?x=1&y=%20 HTTP/1.1\r\n");
	assert_line(request, "\r\nHost: 127.0.0.1\r\n");
	assert_line(request, "\r\nConnection: close\r\n");
	assert_line(request, "\r\nUser-Agent: spillway/");
	assert_no(request, "Content-");
}

static void the_host_is_the_policys_else_the_endpoints_else_its_address(void **state)
{
	struct check c = rig_check(CHECK_HTTP);

	(void)state;
	assert_line(request_of("::1", &c, NULL), "\r\nHost: [::1]\r\n");
	assert_line(request_of("127.0.0.1", &c, "one.example"), "\r\nHost: one.example\r\n");
	c.http_hostname = "two.example:8080";
	assert_line(request_of("127.0.0.1", &c, "one.example"), "\r\nHost: two.example:8080\r\n");
}

static void method_and_body_are_sent_as_they_are(void **state)
{
	struct check c = rig_check(CHECK_HTTP);
	const char *request;

	(void)state;
	c.http_method = "POST";
	c.request_body = payload("{\"deep\":true}");
	request = request_of("127.0.0.1", &c, NULL);
	assert_line(request, "POST /healthz HTTP/1.1\r\n");
	assert_line(request, "\r\nContent-Length: 13\r\n");
	assert_line(request, "\r\n\r\n{\"deep\":true}");
	assert_no(request, "Content-Type");
	assert_no(request, "Expect");
	c.request_body = payload(NULL);
	c.http_method = "PUT";
	request = request_of("127.0.0.1", &c, NULL);
	assert_line(request, "PUT /healthz HTTP/1.1\r\n");
	assert_line(request, "\r\nContent-Length: 0\r\n");
	c.http_method = "OPTIONS";
	assert_line(request_of("127.0.0.1", &c, NULL), "OPTIONS /healthz HTTP/1.1\r\n");
	c.http_method = "get"; /* upper case, as upstream */
	assert_line(request_of("127.0.0.1", &c, NULL), "GET /healthz HTTP/1.1\r\n");
	c.http_method = "HEAD";
	assert_line(request_of("127.0.0.1", &c, NULL), "HEAD /healthz HTTP/1.1\r\n");
}

static void proxies_of_the_environment_are_not_used(void **state)
{
	struct check c = rig_check(CHECK_HTTP);

	(void)state;
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	assert_int_equal(setenv("ALL_PROXY", "socks5://127.0.0.1:1", 1), 0);
	assert_line(request_of("127.0.0.1", &c, NULL), "GET /healthz HTTP/1.1\r\n");
	(void)unsetenv("http_proxy");
	(void)unsetenv("ALL_PROXY");
}

static void a_name_that_would_break_the_request_is_not_sent(void **state)
{
	struct check c = rig_check(CHECK_HTTP);
	struct server *s = server_start("127.0.0.1", SERVER_ANSWERS, rows[0].answer);
	struct outcome o;

	(void)state;
	c.http_hostname = "a\r\nX-Evil: 1";
	o = first_result(rig_instance("127.0.0.1", s->port, 1, &c));
	assert_int_equal(o.state, HEALTH_DOWN);
	assert_int_equal(s->accepted, 0);
	server_stop(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_judged_by_status_and_body),
		cmocka_unit_test(nobody_listening_is_refused),
		cmocka_unit_test(an_unexpected_status_is_final_and_a_retriable_one_is_counted),
		cmocka_unit_test(a_status_that_is_expected_and_retriable_is_good),
		cmocka_unit_test(a_plain_request_is_a_get_on_a_connection_of_its_own),
		cmocka_unit_test(the_host_is_the_policys_else_the_endpoints_else_its_address),
		cmocka_unit_test(method_and_body_are_sent_as_they_are),
		cmocka_unit_test(proxies_of_the_environment_are_not_used),
		cmocka_unit_test(a_name_that_would_break_the_request_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
