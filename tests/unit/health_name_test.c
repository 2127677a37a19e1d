/* SPDX-License-Identifier: BSD-2-Clause */
/* Probes to names and to Unix sockets: which address is taken, and what is said when there is none. */
#include "dns_server.h"
#include "probe_rig.h"

#include <sys/un.h>

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static const struct dns_record names[] = {
	{.name = "one.example", .addr = "127.0.0.1", .ttl = 60},
	{.name = "second.example", .addr = "127.0.0.9", .ttl = 60},
	{.name = "second.example", .addr = "127.0.0.1", .ttl = 60},
	{.name = "six.example", .addr = "::1", .ttl = 60},
	{0},
};

static struct probe_job to_name(const char *name, uint16_t port, const struct check *c)
{
	return (struct probe_job){.kind = ENDPOINT_FQDN, .host = name, .port = port, .check = c};
}

static void assert_name(struct dns_server *d, const struct probe_job *job, enum verdict_kind kind,
			const char *reason)
{
	struct verdict v = first_verdict_by(job, d->where);

	if (v.kind != kind || strcmp(v.reason, reason) != 0)
		fail_msg("%s: kind %d, '%s'", job->host, v.kind, v.reason);
}

static void a_name_is_resolved_and_the_first_address_that_connects_is_asked(void **state)
{
	static const char *const reached[] = {"one.example", "second.example"};
	struct dns_server *d = dns_server_start(names);
	struct server *s = server_start("127.0.0.1", SERVER_ANSWERS, ANSWER);
	struct check tcp = probe_check(CHECK_TCP), http = probe_check(CHECK_HTTP);
	struct probe_job job;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		job = to_name(reached[i], s->port, &tcp);
		assert_name(d, &job, VERDICT_GOOD, "connected");
		job = to_name(reached[i], s->port, &http);
		assert_name(d, &job, VERDICT_GOOD, "status 200");
	}
	assert_non_null(strstr(s->request, "\r\nHost: second.example\r\n"));
	server_stop(s);
	dns_server_stop(d);
}

static void an_ipv6_address_is_used_when_there_is_no_other(void **state)
{
	struct dns_server *d = dns_server_start(names);
	struct server *s = server_start("::1", SERVER_ANSWERS, ANSWER);
	struct check http = probe_check(CHECK_HTTP);
	struct probe_job job = to_name("six.example", s->port, &http);

	(void)state;
	assert_name(d, &job, VERDICT_GOOD, "status 200");
	server_stop(s);
	dns_server_stop(d);
}

static void a_name_of_this_host_itself_is_not_probed_unless_it_may_be(void **state)
{
	static const struct dns_record own[] = {
		{.name = "own.example", .addr = "127.0.0.9", .ttl = 60},
		{.name = "own.example", .addr = "::1", .ttl = 60},
		{.name = "any.example", .addr = "0.0.0.0", .ttl = 60},
		{.name = "mixed.example", .addr = "127.0.0.1", .ttl = 60},
		{.name = "mixed.example", .addr = "192.0.2.1", .ttl = 60},
		{0},
	};
	static const char *const all[] = {"own.example", "any.example", "localhost"};
	struct dns_server *d = dns_server_start(own);
	struct server *s = server_start("0.0.0.0", SERVER_ANSWERS, ANSWER);
	struct check tcp = probe_check(CHECK_TCP);
	struct probe_job job;
	struct verdict v;

	(void)state;
	tcp.timeout_ms = 200;
	for (size_t i = 0; i < 3; i++) {
		job = to_name(all[i], s->port, &tcp);
		v = first_verdict_with(&job, d->where, false);
		assert_int_equal(v.kind, VERDICT_BAD);
		assert_string_equal(v.reason, "name resolves to loopback");
	}
	job = to_name("mixed.example", s->port, &tcp);
	assert_int_equal(first_verdict_with(&job, d->where, false).kind, VERDICT_BAD);
	assert_int_equal(s->accepted, 0);
	job = to_name("any.example", s->port, &tcp);
	assert_name(d, &job, VERDICT_BAD, "name resolves to loopback");
	job = to_name("own.example", s->port, &tcp);
	assert_name(d, &job, VERDICT_GOOD, "connected");
	server_stop(s);
	dns_server_stop(d);
}

static void what_an_endpoint_answers_is_final_and_the_next_address_is_not_asked(void **state)
{
	struct dns_server *d = dns_server_start(names);
	struct server *s = server_start("0.0.0.0", SERVER_CLOSES, "");
	struct check http = probe_check(CHECK_HTTP);
	struct probe_job job = to_name("second.example", s->port, &http);

	(void)state;
	assert_int_equal(first_verdict_by(&job, d->where).kind, VERDICT_BAD);
	assert_int_equal(s->accepted, 1);
	server_stop(s);
	dns_server_stop(d);
}

/* A listener whose queue is full drops SYNs, as a host that is gone would. */
static void a_silent_address_leaves_the_next_one_its_time(void **state)
{
	static const struct dns_record two[] = {
		{.name = "hole.example", .addr = "127.0.0.2", .ttl = 60},
		{.name = "hole.example", .addr = "127.0.0.1", .ttl = 60},
		{0},
	};
	struct dns_server *d = dns_server_start(two);
	struct server *s = server_start("127.0.0.1", SERVER_ANSWERS, ANSWER);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(s->port)};
	struct check http = probe_check(CHECK_HTTP);
	struct probe_job job = to_name("hole.example", s->port, &http);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), filler[4];

	(void)state;
	at.sin_addr.s_addr = htonl(0x7f000002);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 0), 0);
	for (size_t i = 0; i < 4; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(filler[i], (struct sockaddr *)&at, sizeof(at));
	}
	usleep(20000);
	assert_name(d, &job, VERDICT_GOOD, "status 200");
	for (size_t i = 0; i < 4; i++)
		(void)close(filler[i]);
	(void)close(fd);
	server_stop(s);
	dns_server_stop(d);
}

static void a_name_without_address_is_a_failure_with_its_reason(void **state)
{
	struct dns_server *d = dns_server_start(names);
	struct check tcp = probe_check(CHECK_TCP);
	struct probe_job job = to_name("nobody.example", 80, &tcp);
	uint16_t port;
	int fd = refused_port(&port);

	(void)state;
	assert_name(d, &job, VERDICT_BAD, "name does not resolve (NXDOMAIN)");
	job = to_name("second.example", port, &tcp);
	assert_name(d, &job, VERDICT_BAD, "connection refused");
	(void)close(fd);
	dns_server_stop(d);
}

static void the_timeout_is_over_the_question_for_the_name_too(void **state)
{
	struct dns_server *d = dns_server_start(names);
	struct check tcp = probe_check(CHECK_TCP);
	struct probe_job job = to_name("one.example", 80, &tcp);
	uint64_t began = clock_ms();

	(void)state;
	tcp.timeout_ms = 300;
	d->silent = true;
	assert_name(d, &job, VERDICT_BAD, "timeout");
	assert_in_range(clock_ms() - began, 290, 900);
	dns_server_stop(d);
}

struct unix_server {
	char path[64];
	struct server *server;
};

static struct unix_server unix_start(enum server_way way, const char *answer)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct unix_server u = {.server = server_start("127.0.0.1", way, answer)};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(u.path, sizeof(u.path), "/tmp/spillway-test-%d.sock", getpid());
	(void)unlink(u.path);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", u.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	(void)dup2(fd, u.server->fd); /* the same thread, another socket */
	(void)close(fd);
	return u;
}

static void unix_stop(struct unix_server *u)
{
	server_stop(u->server);
	(void)unlink(u->path);
}

static void a_unix_socket_is_checked_by_tcp_and_by_http(void **state)
{
	struct unix_server u = unix_start(SERVER_ANSWERS, ANSWER);
	struct check tcp = probe_check(CHECK_TCP), http = probe_check(CHECK_HTTP);
	struct probe_job job = {.kind = ENDPOINT_UNIX, .host = u.path, .check = &tcp};

	(void)state;
	assert_verdict(&job, VERDICT_GOOD, "connected");
	tcp.send = probe_payload("ping");
	tcp.receive = probe_payload("200 OK");
	assert_verdict(&job, VERDICT_GOOD, "answered");
	job.check = &http;
	assert_verdict(&job, VERDICT_GOOD, "status 200");
	assert_non_null(strstr(u.server->request, "\r\nHost: localhost\r\n"));
	unix_stop(&u);
	assert_verdict(&job, VERDICT_BAD, "no such socket");
	job.check = &tcp;
	assert_verdict(&job, VERDICT_BAD, "no such socket");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_resolved_and_the_first_address_that_connects_is_asked),
		cmocka_unit_test(an_ipv6_address_is_used_when_there_is_no_other),
		cmocka_unit_test(a_name_of_this_host_itself_is_not_probed_unless_it_may_be),
		cmocka_unit_test(
			what_an_endpoint_answers_is_final_and_the_next_address_is_not_asked),
		cmocka_unit_test(a_silent_address_leaves_the_next_one_its_time),
		cmocka_unit_test(a_name_without_address_is_a_failure_with_its_reason),
		cmocka_unit_test(the_timeout_is_over_the_question_for_the_name_too),
		cmocka_unit_test(a_unix_socket_is_checked_by_tcp_and_by_http),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
