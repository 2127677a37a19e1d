/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP checks against real listeners: what each kind of endpoint makes of the first probe. */
#include "health_rig.h"

#include <errno.h>

#include "health/probe.h"

static const struct row {
	const char *what;
	const char *address;
	enum server_way way;
	const char *answer;
	const char *send, *receive; /* of the check; NULL: none */
	enum health_state state;
	const char *reason;
} rows[] = {
	{"IPv4", "127.0.0.1", SERVER_SILENT, "", NULL, NULL, HEALTH_UP, "connected"},
	{"IPv6", "::1", SERVER_SILENT, "", NULL, NULL, HEALTH_UP, "connected"},
	{"it closes at once", "127.0.0.1", SERVER_CLOSES, "", NULL, NULL, HEALTH_UP, "connected"},
	{"sent, no answer asked", "127.0.0.1", SERVER_SILENT, "", "PING\r\n", NULL, HEALTH_UP,
	 "connected"},
	{"the answer", "127.0.0.1", SERVER_ANSWERS, "+PONG\r\n", "PING\r\n", "PONG", HEALTH_UP,
	 "answered"},
	{"the answer over IPv6", "::1", SERVER_ANSWERS, "+PONG\r\n", "PING\r\n", "PONG", HEALTH_UP,
	 "answered"},
	{"a greeting, nothing sent", "127.0.0.1", SERVER_GREETS, "220 mail ESMTP\r\n", NULL, "220 ",
	 HEALTH_UP, "answered"},
	{"another answer", "127.0.0.1", SERVER_ANSWERS, "-LOADING\r\n", "PING\r\n", "PONG",
	 HEALTH_DOWN, "closed before the answer"},
	{"closed", "127.0.0.1", SERVER_CLOSES, "", NULL, "PONG", HEALTH_DOWN,
	 "closed before the answer"},
	{"reset", "127.0.0.1", SERVER_RESETS, "", NULL, "PONG", HEALTH_DOWN, "connection reset"},
	{"no answer", "127.0.0.1", SERVER_SILENT, "", "PING\r\n", "PONG", HEALTH_DOWN, "timeout"},
};

static void an_endpoint_is_judged_by_what_it_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct server *s = server_start(rows[i].address, rows[i].way, rows[i].answer);
		struct check c = rig_check(CHECK_TCP);
		struct outcome o;

		c.send = payload(rows[i].send);
		c.receive = payload(rows[i].receive);
		o = first_result(rig_instance(rows[i].address, s->port, 1, &c));
		server_stop(s);
		if (o.state != rows[i].state || strcmp(o.reason, rows[i].reason) != 0)
			fail_msg("%s: state %d, %s", rows[i].what, o.state, o.reason);
		assert_int_equal(o.changes, 1);
	}
}

static void a_port_without_listener_is_refused(void **state)
{
	struct check c = rig_check(CHECK_TCP);
	struct outcome o;
	uint16_t port;
	int fd = refused_port(&port);

	(void)state;
	o = first_result(rig_instance("127.0.0.1", port, 1, &c));
	assert_int_equal(o.state, HEALTH_DOWN);
	assert_string_equal(o.reason, "connection refused");
	(void)close(fd);
}

/* The kernel drops SYNs then, as a host that is gone would. */
static void a_listener_with_a_full_backlog_times_out(void **state)
{
	struct check c = rig_check(CHECK_TCP);
	uint16_t port;
	int fd = server_listen("127.0.0.1", 0, &port), filler[4];
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct outcome o;

	(void)state;
	to.sin_port = htons(port);
	for (size_t i = 0; i < 4; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(filler[i], (struct sockaddr *)&to, sizeof(to));
	}
	usleep(20000);
	o = first_result(rig_instance("127.0.0.1", port, 1, &c));
	assert_int_equal(o.state, HEALTH_DOWN);
	assert_string_equal(o.reason, "timeout");
	for (size_t i = 0; i < 4; i++)
		(void)close(filler[i]);
	(void)close(fd);
}

/* More than both socket buffers, to a peer that reads late: written in several turns. */
static void a_large_payload_is_written_to_its_end(void **state)
{
	static char large[8 << 20];
	struct server *s = server_start("127.0.0.1", SERVER_SILENT, "");
	struct check c = rig_check(CHECK_TCP);
	struct outcome o;

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	c.send = payload(large);
	o = first_result(rig_instance("127.0.0.1", s->port, 1, &c));
	assert_string_equal(o.reason, "timeout"); /* nobody reads: it cannot be written */
	s->way = SERVER_GREETS;
	s->answer = "ready";
	c.receive = payload("ready");
	o = first_result(rig_instance("127.0.0.1", s->port, 1, &c));
	assert_string_equal(o.reason, "answered"); /* the answer does not wait for that */
	server_stop(s);
}

static void the_port_of_the_check_is_asked_instead_of_the_endpoints(void **state)
{
	struct server *s = server_start("127.0.0.1", SERVER_SILENT, "");
	struct check c = rig_check(CHECK_TCP);
	uint16_t dead;
	int fd = refused_port(&dead);

	(void)state;
	c.port = s->port;
	assert_string_equal(first_result(rig_instance("127.0.0.1", dead, 1, &c)).reason,
			    "connected");
	c.port = dead;
	assert_string_equal(first_result(rig_instance("127.0.0.1", s->port, 1, &c)).reason,
			    "connection refused");
	server_stop(s);
	(void)close(fd);
}

/* Bytes left in the receive queue would make close() send a reset, which servers log. */
static void an_answer_longer_than_needed_ends_without_a_reset(void **state)
{
	static char answer[60000] = "ok";
	struct check c = rig_check(CHECK_TCP);
	uint16_t port;
	int listener = server_listen("127.0.0.1", 8, &port), fd;
	struct instance i = rig_instance("127.0.0.1", port, 1, &c);
	struct timeval wait = {.tv_sec = 1};
	struct wait_for w = {.instance = &i, .state = HEALTH_UP};
	struct rig r;
	char end;

	(void)state;
	w.rig = &r;
	c.receive = payload("ok");
	c.timeout_ms = c.interval_ms = 5000;
	rig_start(&r);
	rig_sync(&r, &i, 1);
	(void)rig_run(&r, 50, NULL, NULL);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	assert_int_equal(send(fd, answer, sizeof(answer), 0), sizeof(answer));
	assert_true(rig_run(&r, 2000, is_state, &w));
	assert_int_equal(recv(fd, &end, 1, 0), 0);
	rig_stop(&r);
	(void)close(fd);
	(void)close(listener);
}

static void errors_have_words_and_own_troubles_say_nothing(void **state)
{
	static const struct {
		int err;
		enum verdict_kind kind;
		const char *reason;
	} errors[] = {
		{ECONNREFUSED, VERDICT_BAD, "connection refused"},
		{EHOSTUNREACH, VERDICT_BAD, "no route to host"},
		{ENETUNREACH, VERDICT_BAD, "network unreachable"},
		{ETIMEDOUT, VERDICT_BAD, "timeout"},
		{EACCES, VERDICT_BAD, "permission denied"},
		{ENOTCONN, VERDICT_BAD, "error ENOTCONN"},
		{99999, VERDICT_BAD, "error unknown"},
		{EMFILE, VERDICT_NONE, "too many open files"},
		{ENOBUFS, VERDICT_NONE, "out of memory"},
		{EADDRNOTAVAIL, VERDICT_NONE, "no source address or port"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct verdict v = verdict_errno(errors[i].err);

		assert_int_equal(v.kind, errors[i].kind);
		assert_string_equal(v.reason, errors[i].reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_endpoint_is_judged_by_what_it_does),
		cmocka_unit_test(a_port_without_listener_is_refused),
		cmocka_unit_test(a_listener_with_a_full_backlog_times_out),
		cmocka_unit_test(a_large_payload_is_written_to_its_end),
		cmocka_unit_test(the_port_of_the_check_is_asked_instead_of_the_endpoints),
		cmocka_unit_test(an_answer_longer_than_needed_ends_without_a_reset),
		cmocka_unit_test(errors_have_words_and_own_troubles_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
