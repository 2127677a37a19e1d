/* SPDX-License-Identifier: BSD-2-Clause */
/* gRPC checks and HTTP/2 against a real HTTP/2 server: the answer judged, the request on the wire. */
#include "probe_rig.h"
#include "secure_server.h"

#include "health/grpc_message.h"

#define FRAME(body)	body, sizeof(body) - 1
#define SERVING		FRAME("\0\0\0\0\2\x08\1")
#define NOT_SERVING	FRAME("\0\0\0\0\2\x08\2")
#define SERVICE_UNKNOWN FRAME("\0\0\0\0\2\x08\3")
#define EMPTY		FRAME("\0\0\0\0\0")
#define GRPC		"application/grpc"

static const struct row {
	const char *what;
	struct h2_answer answer;
	enum verdict_kind kind;
	const char *reason;
} rows[] = {
	{"serving", {"200", GRPC, "0", SERVING}, VERDICT_GOOD, "serving"},
	{"a subtype", {"200", GRPC "+proto", "0", SERVING}, VERDICT_GOOD, "serving"},
	{"not serving", {"200", GRPC, "0", NOT_SERVING}, VERDICT_BAD_AT_ONCE, "not serving"},
	{"service unknown",
	 {"200", GRPC, "0", SERVICE_UNKNOWN},
	 VERDICT_BAD_AT_ONCE,
	 "service unknown"},
	{"no status in it",
	 {"200", GRPC, "0", EMPTY},
	 VERDICT_BAD_AT_ONCE,
	 "serving status unknown"},
	{"unknown service",
	 {"200", GRPC, "5", NULL, 0},
	 VERDICT_BAD_AT_ONCE,
	 "gRPC status 5 (NOT_FOUND)"},
	{"unimplemented",
	 {"200", GRPC, "12", NULL, 0},
	 VERDICT_BAD_AT_ONCE,
	 "gRPC status 12 (UNIMPLEMENTED)"},
	{"a status in the trailers",
	 {"200", GRPC, "14", SERVING},
	 VERDICT_BAD_AT_ONCE,
	 "gRPC status 14 (UNAVAILABLE)"},
	{"a status nobody knows",
	 {"200", GRPC, "99", NULL, 0},
	 VERDICT_BAD_AT_ONCE,
	 "gRPC status 99"},
	{"an HTTP status",
	 {"503", "text/plain", NULL, FRAME("no")},
	 VERDICT_BAD_AT_ONCE,
	 "status 503"},
	{"no gRPC",
	 {"200", "text/html", NULL, FRAME("<p>hi</p>")},
	 VERDICT_BAD_AT_ONCE,
	 "no valid gRPC answer"},
	{"no trailers", {"200", GRPC, NULL, SERVING}, VERDICT_BAD_AT_ONCE, "no valid gRPC answer"},
	{"cut off",
	 {"200", GRPC, "0", FRAME("\0\0\0\0\2\x08")},
	 VERDICT_BAD_AT_ONCE,
	 "no valid gRPC answer"},
	{"compressed",
	 {"200", GRPC, "0", FRAME("\1\0\0\0\2\x08\1")},
	 VERDICT_BAD_AT_ONCE,
	 "no valid gRPC answer"},
};

static void an_answer_is_judged_by_status_and_message(void **state)
{
	struct check c = probe_check(CHECK_GRPC);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct secure *s = secure_start(NULL);
		struct probe_job job = probe_to("127.0.0.1", s->port, &c);
		struct verdict v;

		s->h2 = rows[i].answer;
		v = first_verdict(&job);
		secure_stop(s);
		if (v.kind != rows[i].kind || strcmp(v.reason, rows[i].reason) != 0)
			fail_msg("%s: kind %d, '%s'", rows[i].what, v.kind, v.reason);
	}
}

static void assert_part(const struct secure *s, const char *part)
{
	if (!strstr(s->request, part))
		fail_msg("no '%s' in:\n%s", part, s->request);
}

static void the_request_is_a_call_of_check_for_the_service(void **state)
{
	struct check c = probe_check(CHECK_GRPC);
	struct secure *s = secure_start(NULL);
	struct probe_job job = probe_to("127.0.0.1", s->port, &c);

	(void)state;
	s->h2 = rows[0].answer;
	c.grpc_service = "shop.Cart";
	job.hostname = "api.example";
	assert_verdict(&job, VERDICT_GOOD, "serving");
	assert_part(s, ":method: POST\n");
	assert_part(s, ":path: /grpc.health.v1.Health/Check\n");
	assert_part(s, ":authority: api.example\n");
	assert_part(s, "content-type: application/grpc\n");
	assert_part(s, "te: trailers\n");
	assert_memory_equal(s->request + s->request_len - 16, "\0\0\0\0\x0b\x0a\x09shop.Cart", 16);
	secure_stop(s);
}

static void what_does_not_speak_http2_is_counted(void **state)
{
	struct check c = probe_check(CHECK_GRPC);
	struct server *s = server_start("127.0.0.1", SERVER_ANSWERS,
					"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	struct probe_job job = probe_to("127.0.0.1", s->port, &c);
	uint16_t port;
	int fd = refused_port(&port);

	(void)state;
	assert_int_equal(first_verdict(&job).kind, VERDICT_BAD);
	server_stop(s);
	job.port = port;
	assert_verdict(&job, VERDICT_BAD, "connection refused");
	(void)close(fd);
}

static void an_http_check_speaks_http2_where_the_backend_says_h2c(void **state)
{
	struct check c = probe_check(CHECK_HTTP);
	struct secure *s = secure_start(NULL);
	struct probe_job job = probe_to("127.0.0.1", s->port, &c);

	(void)state;
	job.app = APP_H2C;
	s->h2 = (struct h2_answer){"200", "text/plain", NULL, FRAME("all good")};
	c.expected_body = probe_payload("good");
	assert_verdict(&job, VERDICT_GOOD, "status 200");
	assert_part(s, ":method: GET\n");
	assert_part(s, ":path: /healthz\n");
	assert_part(s, ":authority: 127.0.0.1\n");
	s->h2.status = "500";
	assert_verdict(&job, VERDICT_BAD_AT_ONCE, "status 500");
	secure_stop(s);
}

static void messages_are_read_as_protocol_buffers_say(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		int status;
	} messages[] = {
		{SERVING, GRPC_SERVING},
		{EMPTY, GRPC_UNKNOWN},
		{FRAME("\0\0\0\0\7\x12\3abc\x08\1"), GRPC_SERVING},  /* a later field comes first */
		{FRAME("\0\0\0\0\4\x08\1\x08\2"), GRPC_NOT_SERVING}, /* the last one counts */
		{FRAME("\0\0\0\0\x0b\x09\1\2\3\4\5\6\7\x08\x08\1"), GRPC_SERVING},
		{FRAME("\0\0\0\0\2\x08\x63"), GRPC_UNKNOWN},
		{FRAME("\0\0\0\0\2\x12\x09"), -1}, /* longer than the message */
		{FRAME("\0\0\0\0\2\x08\x81"), -1},
		{FRAME("\0\0\0\0\3\x08\1"), -1},
		{FRAME("\0\0\0"), -1},
		{FRAME("\0\0\0\0\1\x0b"), -1}, /* a group */
	};
	uint8_t buf[300];
	char name[201];

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		assert_int_equal(
			grpc_decode_response((const uint8_t *)messages[i].data, messages[i].len),
			messages[i].status);
	assert_int_equal(grpc_encode_request("", buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "\0\0\0\0\0", 5);
	memset(name, 'x', 200);
	name[200] = '\0';
	assert_int_equal(grpc_encode_request(name, buf, sizeof(buf)), 208);
	assert_memory_equal(buf, "\0\0\0\0\xcb\x0a\xc8\1xxx", 11);
	assert_int_equal(grpc_encode_request(name, buf, 200), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_judged_by_status_and_message),
		cmocka_unit_test(the_request_is_a_call_of_check_for_the_service),
		cmocka_unit_test(what_does_not_speak_http2_is_counted),
		cmocka_unit_test(an_http_check_speaks_http2_where_the_backend_says_h2c),
		cmocka_unit_test(messages_are_read_as_protocol_buffers_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
