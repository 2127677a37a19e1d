/* SPDX-License-Identifier: BSD-2-Clause */
/* The stub, asked over UDP as HAProxy does, with a real name server behind it. */
#include "dns_server.h"

#include "base/addr.h"
#include "base/clock.h"
#include "dns/dns.h"
#include "dns/stub.h"
#include "dns/stub_packet.h"
#include "dns/target.h"

static const struct dns_record web[] = {
	{.name = "web.example", .addr = "192.0.2.1", .ttl = 60},
	{.name = "web.example", .addr = "2001:db8::1", .ttl = 60},
	{.name = "four.example", .addr = "192.0.2.4", .ttl = 60},
	{.name = "bad.example", .addr = "127.0.0.1", .ttl = 60},
	{.name = "bad.example", .addr = "169.254.169.254", .ttl = 60},
	{.name = "bad.example", .addr = "2001:db8::1", .ttl = 60},
	{.name = "half.example", .addr = "127.0.0.1", .ttl = 60},
	{.name = "half.example", .addr = "192.0.2.1", .ttl = 60},
	{.name = "ten.example", .addr = "10.0.0.1", .ttl = 60},
	{.name = "vip.example", .addr = "198.51.100.1", .ttl = 60},
	{0},
};

struct rig {
	uv_loop_t loop;
	struct dns_server *server;
	struct dns *dns;
	struct stub *stub;
	uv_timer_t alarm;
	int fd;
};

/* What came back. */
struct got {
	int code; /* -1: nothing; with EDNS the whole of it */
	unsigned count;
	unsigned ttl;
	size_t len;
	char first[ADDR_TEXT_MAX];
	uint8_t packet[2048];
};

static void on_alarm(uv_timer_t *alarm)
{
	(void)alarm;
}

static void rig_start_with(struct rig *r, bool allow_private)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct stub_options opts = {.allow_private = allow_private};

	r->server = dns_server_start(web);
	assert_int_equal(uv_loop_init(&r->loop), 0);
	assert_int_equal(uv_timer_init(&r->loop, &r->alarm), 0);
	assert_int_equal(dns_new(&r->loop,
				 &(struct dns_options){.servers = r->server->where,
						       .search = DNS_SEARCH_NONE},
				 &r->dns),
			 0);
	opts.dns = r->dns;
	assert_int_equal(stub_new(&r->loop, &opts, &r->stub), 0);
	r->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	at.sin_port = htons(stub_port(r->stub));
	assert_int_equal(connect(r->fd, (struct sockaddr *)&at, sizeof(at)), 0);
}

static void rig_start(struct rig *r)
{
	rig_start_with(r, false);
}

static void rig_stop(struct rig *r)
{
	stub_free(r->stub);
	dns_free(r->dns);
	uv_close((uv_handle_t *)&r->alarm, NULL);
	assert_int_equal(uv_run(&r->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&r->loop), 0);
	(void)close(r->fd);
	dns_server_stop(r->server);
}

static void turn(struct rig *r)
{
	uv_update_time(&r->loop);
	(void)uv_timer_start(&r->alarm, on_alarm, 5, 0);
	(void)uv_run(&r->loop, UV_RUN_ONCE);
	(void)uv_timer_stop(&r->alarm);
}

static size_t put_question(uint8_t *to, const char *name, unsigned type)
{
	static const uint8_t header[12] = {0x12, 0x34, 1, 0, 0, 1};
	size_t at = 12;

	memcpy(to, header, sizeof(header));
	at += dns_put_name(to + at, name);
	to[at++] = 0;
	to[at++] = (uint8_t)type;
	to[at++] = 0;
	to[at++] = 1;
	return at;
}

static size_t put_opt(uint8_t *packet, size_t at, unsigned room, unsigned version)
{
	const uint8_t opt[] = {0, 0, 41, (uint8_t)(room >> 8), (uint8_t)room, 0, (uint8_t)version};

	packet[11] = 1;
	memset(packet + at, 0, 11);
	memcpy(packet + at, opt, sizeof(opt));
	return at + 11;
}

/* The first address is right behind the question. */
static void read_answer(struct got *g, size_t question_len)
{
	const uint8_t *a = g->packet + question_len;

	assert_int_equal(g->packet[0], 0x12);
	assert_int_equal(g->packet[2] & 0x83, 0x81); /* an answer, whole, recursion as asked */
	g->code = g->packet[3] & 15;
	g->count = g->packet[7];
	if (!g->count)
		return;
	assert_int_equal(a[0] << 8 | a[1], 0xc00c);
	g->ttl = (unsigned)a[8] << 8 | a[9];
	assert_non_null(
		inet_ntop(a[3] == 1 ? AF_INET : AF_INET6, a + 12, g->first, sizeof(g->first)));
}

static struct got exchange(struct rig *r, const uint8_t *packet, size_t len, unsigned patience_ms)
{
	uint64_t end = clock_ms() + patience_ms;
	struct got g = {.code = -1};

	assert_int_equal(send(r->fd, packet, len, 0), len);
	while (clock_ms() < end) {
		ssize_t n;

		turn(r);
		n = recv(r->fd, g.packet, sizeof(g.packet), 0);
		if (n < 0)
			continue;
		g.len = (size_t)n;
		read_answer(&g, len - (packet[11] ? 11 : 0));
		break;
	}
	return g;
}

static struct got ask(struct rig *r, const char *name, unsigned type)
{
	uint8_t packet[512];

	return exchange(r, packet, put_question(packet, name, type), 9000);
}

static void a_question_is_answered_by_family(void **state)
{
	struct got g;
	struct rig r;

	(void)state;
	rig_start(&r);
	g = ask(&r, "web.example", STUB_A);
	assert_int_equal(g.code, STUB_NOERROR);
	assert_int_equal(g.count, 1);
	assert_string_equal(g.first, "192.0.2.1");
	assert_in_range(g.ttl, 58, 60);
	g = ask(&r, "WEB.exAmple", STUB_AAAA);
	assert_string_equal(g.first, "2001:db8::1");
	assert_memory_equal(g.packet + 13, "WEB", 3); /* as it was asked */
	g = ask(&r, "four.example", STUB_AAAA);
	assert_int_equal(g.code, STUB_NOERROR);
	assert_int_equal(g.count, 0);
	assert_int_equal(r.server->asked, 2);
	assert_int_equal(stub_counts(r.stub)->answered, 2);
	assert_int_equal(stub_counts(r.stub)->empty, 1);
	rig_stop(&r);
}

static void what_went_wrong_is_told(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r);
	assert_int_equal(ask(&r, "nobody.example", STUB_A).code, STUB_NXDOMAIN);
	r.server->rcode = 2;
	assert_int_equal(ask(&r, "other.example", STUB_A).code, STUB_SERVFAIL);
	assert_int_equal(ask(&r, "web.example", 15).code, STUB_NOTIMP);
	assert_int_equal(stub_counts(r.stub)->no_name, 1);
	assert_int_equal(stub_counts(r.stub)->failed, 1);
	assert_int_equal(stub_counts(r.stub)->not_for_us, 1);
	rig_stop(&r);
}

static void addresses_that_are_no_target_are_kept_back(void **state)
{
	struct spw_addr vip;
	struct got g;
	struct rig r;

	(void)state;
	rig_start(&r);
	assert_int_equal(ask(&r, "bad.example", STUB_A).code, STUB_NXDOMAIN);
	assert_int_equal(ask(&r, "bad.example", STUB_AAAA).code, STUB_NOERROR);
	assert_int_equal(ask(&r, "ten.example", STUB_A).code, STUB_NXDOMAIN);
	assert_int_equal(stub_counts(r.stub)->refused_addrs, 3);
	g = ask(&r, "half.example", STUB_A);
	assert_int_equal(g.count, 1);
	assert_string_equal(g.first, "192.0.2.1");
	assert_int_equal(ask(&r, "vip.example", STUB_A).count, 1);
	assert_int_equal(addr_parse("198.51.100.1", &vip), 0);
	assert_int_equal(stub_refuse(r.stub, &vip, 1), 0);
	assert_int_equal(ask(&r, "vip.example", STUB_A).code, STUB_NXDOMAIN);
	assert_int_equal(stub_refuse(r.stub, NULL, 0), 0);
	assert_int_equal(ask(&r, "vip.example", STUB_A).count, 1);
	rig_stop(&r);
}

static void private_addresses_are_answered_when_they_are_allowed(void **state)
{
	struct rig r;

	(void)state;
	rig_start_with(&r, true);
	assert_string_equal(ask(&r, "ten.example", STUB_A).first, "10.0.0.1");
	assert_int_equal(ask(&r, "bad.example", STUB_A).code, STUB_NXDOMAIN);
	rig_stop(&r);
}

static void addresses_in_odd_spellings_and_this_host_are_no_names(void **state)
{
	static const char *const names[] = {
		"127.0.0.1",
		"127.1",
		"2130706433",
		"0x7f000001",
		"0x7f.1",
		"017700000001",
		"0177.0.0.1",
		"0X7F.0.0.0x1",
		"localhost",
		"LocalHost",
		"a.b.localhost",
		"1.2.3.4",
		"web.example.1",
		"::1",
		"[::1]",
		"169.254.169.254",
		"web .example",
		"web/.example",
		"w\xc3\xa9-b.example",
		"0x",
	};
	struct rig r;

	(void)state;
	rig_start(&r);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_int_equal(ask(&r, names[i], STUB_A).code, STUB_NXDOMAIN);
		assert_int_equal(stub_counts(r.stub)->refused_names, i + 1);
	}
	assert_int_equal(ask(&r, "", STUB_A).code, STUB_NXDOMAIN);
	assert_int_equal(r.server->asked, 0);
	rig_stop(&r);
}

static void packets_that_are_no_question_are_dropped(void **state)
{
	uint8_t p[512];
	size_t len = put_question(p, "web.example", STUB_A);
	struct stub_question q;
	enum stub_code code;
	struct rig r;

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(stub_read(p, cut, &q, &code), STUB_DROP);
	assert_int_equal(stub_read(p, len, &q, &code), STUB_ASKED);
	p[len] = 0;
	assert_int_equal(stub_read(p, len + 1, &q, &code), STUB_DROP); /* something behind it */
	p[2] |= 0x80;						       /* an answer */
	assert_int_equal(stub_read(p, len, &q, &code), STUB_DROP);
	p[2] = 1;
	p[5] = 2; /* two questions */
	assert_int_equal(stub_read(p, len, &q, &code), STUB_DROP);
	p[5] = 1;
	p[12] = 0xc0; /* a pointer */
	p[13] = 12;
	rig_start(&r);
	assert_int_equal(exchange(&r, p, len, 100).code, -1);
	p[12] = 0x41; /* a label type that is none */
	assert_int_equal(exchange(&r, p, len, 100).code, -1);
	assert_int_equal(stub_counts(r.stub)->malformed, 2);
	assert_string_equal(ask(&r, "web.example", STUB_A).first, "192.0.2.1");
	rig_stop(&r);
}

static void a_dot_within_a_label_makes_no_other_name(void **state)
{
	uint8_t p[64];
	size_t len = put_question(p, "webxexample", STUB_A);
	struct rig r;

	(void)state;
	rig_start(&r);
	p[16] = '.';
	assert_int_equal(exchange(&r, p, len, 2000).code, STUB_NXDOMAIN);
	p[16] = '\0';
	assert_int_equal(exchange(&r, p, len, 2000).code, STUB_NXDOMAIN);
	assert_int_equal(stub_counts(r.stub)->refused_names, 2);
	rig_stop(&r);
}

static void answers_fit_what_the_question_has_room_for(void **state)
{
	static struct dns_record many[65];
	static char addrs[64][40];
	uint8_t p[512];
	size_t len = put_question(p, "many.example", STUB_AAAA);
	struct got g;
	struct rig r;

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		(void)snprintf(addrs[i], sizeof(addrs[i]), "2001:db8::%x", i + 1);
		many[i] = (struct dns_record){.name = "many.example", .addr = addrs[i], .ttl = 60};
	}
	rig_start(&r);
	r.server->records = many;
	g = exchange(&r, p, len, 9000);
	assert_int_equal(g.count, 17); /* 30 + 17 * 28 = 506 */
	assert_in_range(g.len, 485, 512);
	len = put_opt(p, len, 4096, 0);
	g = exchange(&r, p, len, 2000);
	assert_int_equal(g.count, 42);
	assert_in_range(g.len, 1205, 1232);
	assert_int_equal(g.packet[11], 1);
	(void)put_opt(p, len - 11, 100, 0);
	assert_int_equal(exchange(&r, p, len, 2000).count, 16); /* 512 less the OPT */
	(void)put_opt(p, len - 11, 4096, 1);
	g = exchange(&r, p, len, 2000);
	assert_int_equal(g.code, 0);
	assert_int_equal(g.count, 0);
	assert_int_equal(g.packet[g.len - 6], 1); /* BADVERS */
	rig_stop(&r);
}

static void no_more_than_a_limit_of_questions_waits(void **state)
{
	uint8_t p[512];
	char name[32];
	struct rig r;
	unsigned told = 0;

	(void)state;
	rig_start(&r);
	r.server->silent = true;
	for (unsigned i = 0; i < STUB_WAITING_MAX + 10; i++) {
		(void)snprintf(name, sizeof(name), "n%u.example", i);
		assert_true(send(r.fd, p, put_question(p, name, STUB_A), 0) > 0);
		turn(&r);
		if (recv(r.fd, p, sizeof(p), 0) > 0) {
			assert_int_equal(p[3] & 15, STUB_SERVFAIL);
			told++;
		}
	}
	assert_int_equal(told, 10);
	assert_int_equal(stub_counts(r.stub)->full, 10);
	rig_stop(&r); /* with questions that wait */
}

static void a_port_that_is_taken_is_another(void **state)
{
	struct stub *again;
	struct rig r;

	(void)state;
	rig_start(&r);
	assert_int_equal(stub_new(&r.loop,
				  &(struct stub_options){.dns = r.dns, .port = stub_port(r.stub)},
				  &again),
			 0);
	assert_int_not_equal(stub_port(again), 0);
	assert_int_not_equal(stub_port(again), stub_port(r.stub));
	stub_free(again);
	rig_stop(&r);
}

static bool is_refused(const char *text, bool allow_private)
{
	struct spw_addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return target_is_refused(&a, &(struct target_rules){.allow_private = allow_private});
}

static void targets_are_told_from_what_is_none_in_every_form(void **state)
{
	static const char *const never[] = {"127.0.0.1",
					    "127.255.0.1",
					    "0.0.0.0",
					    "0.1.2.3",
					    "169.254.169.254",
					    "224.0.0.1",
					    "255.255.255.255",
					    "::",
					    "::1",
					    "fe80::1",
					    "febf::1",
					    "fec0::1",
					    "ff02::1",
					    "::ffff:127.0.0.1",
					    "::127.0.0.1",
					    "64:ff9b::127.0.0.1",
					    "64:ff9b::a9fe:a9fe",
					    "2002:7f00:1::1",
					    "2002:a9fe:a9fe::",
					    "64:ff9b:1::1"};
	static const char *const private[] = {
		"10.0.0.1",	   "172.16.0.1",	"172.31.255.255", "192.168.1.1",
		"100.64.0.1",	   "100.127.255.255",	"fc00::1",	  "fdff::1",
		"::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::1",  "::192.168.0.1"};
	static const char *const fine[] = {
		"192.0.2.1",	   "8.8.8.8",  "172.32.0.1",  "172.15.0.1",  "100.128.0.1",
		"100.63.0.1",	   "11.0.0.1", "128.0.0.1",   "2001:db8::1", "64:ff9b::8.8.8.8",
		"2002:808:808::1", "fe00::1",  "64:ff9b:2::1"};

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
		assert_true(is_refused(never[i], true));
	for (size_t i = 0; i < sizeof(private) / sizeof(*private); i++) {
		assert_true(is_refused(private[i], false));
		assert_false(is_refused(private[i], true));
	}
	for (size_t i = 0; i < sizeof(fine) / sizeof(*fine); i++)
		assert_false(is_refused(fine[i], false));
}

static bool has(const char *const *texts, const char *text)
{
	for (; *texts; texts++)
		if (strcmp(*texts, text) == 0)
			return true;
	return false;
}

static void the_table_of_targets_is_there_as_texts(void **state)
{
	const char *const *never = target_refused_cidrs(TARGET_NEVER);
	const char *const *private = target_refused_cidrs(TARGET_PRIVATE);

	(void)state;
	assert_true(has(never, "127.0.0.0/8"));
	assert_true(has(never, "::ffff:127.0.0.0/104"));
	assert_true(has(never, "64:ff9b::7f00:0/104"));
	assert_true(has(never, "2002:a9fe::/32"));
	assert_true(has(never, "fe80::/10"));
	assert_true(has(private, "10.0.0.0/8"));
	assert_true(has(private, "fc00::/7"));
	assert_false(has(never, "10.0.0.0/8"));
	assert_false(has(private, "127.0.0.0/8"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_answered_by_family),
		cmocka_unit_test(what_went_wrong_is_told),
		cmocka_unit_test(addresses_that_are_no_target_are_kept_back),
		cmocka_unit_test(private_addresses_are_answered_when_they_are_allowed),
		cmocka_unit_test(addresses_in_odd_spellings_and_this_host_are_no_names),
		cmocka_unit_test(packets_that_are_no_question_are_dropped),
		cmocka_unit_test(a_dot_within_a_label_makes_no_other_name),
		cmocka_unit_test(answers_fit_what_the_question_has_room_for),
		cmocka_unit_test(no_more_than_a_limit_of_questions_waits),
		cmocka_unit_test(a_port_that_is_taken_is_another),
		cmocka_unit_test(targets_are_told_from_what_is_none_in_every_form),
		cmocka_unit_test(the_table_of_targets_is_there_as_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
