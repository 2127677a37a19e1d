/* SPDX-License-Identifier: BSD-2-Clause */
/* Layer 7 in HAProxy's words; HAProxy itself, where it is installed, says whether it takes them. */
#include <sys/stat.h>
#include <unistd.h>

#include "handoff/l7_render.h"
#include "health/pair.h"
#include "handoff/render.h"
#include "manifest_fixture.h"

#define GATEWAY(listeners)                                                                         \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge}\n"        \
	"spec: {gatewayClassName: x, addresses: [{value: 192.0.2.1}], listeners: [" listeners      \
	"]}\n---\n"
#define WEB "{name: web, protocol: HTTP, port: 80}"
#define HTTP(name, spec)                                                                           \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: " name        \
	"}\nspec: {parentRefs: [{name: edge}], " spec "}\n---\n"
#define SPEC(name, spec)                                                                           \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: " name        \
	"}\nspec: {" spec "}\n---\n"
#define PAIR                                                                                       \
	"apiVersion: v1\nkind: Secret\nmetadata: {name: pair}\nstringData: {tls.crt: CERT, "       \
	"tls.key: KEY}\n---\n"

static struct ids *ids;
static struct plan files;
static struct l7_plan plan;
static struct l7_refused refused;
static char dir[64];

static int setup_all(void **state)
{
	(void)strcpy(dir, "/tmp/spw-l7-XXXXXX");
	memset(&refused, 0, sizeof(refused));
	return mkdtemp(dir) ? setup(state) : -1;
}

static int teardown_all(void **state)
{
	(void)rmdir(dir);
	ids_free(TAKE(ids));
	return teardown(state);
}

static void plan_for(const char *text, const struct health_view *v)
{
	const struct ids_limits limits = {1024, 64};
	const struct l7_plan_options o = {.dir = dir, .resolver_port = 5354};
	const char *why = NULL;

	afresh();
	opts.on_host = true;
	given(text);
	ids_free(ids);
	ids = ids_new(&limits);
	assert_int_equal(ids_assign(ids, m, &why), 0);
	files = (struct plan){0};
	l7_plan_make(arena, m, ids, &o, &files, &plan);
	l7_plan_weigh(arena, m, ids, v, &plan);
}

static size_t slot_of(void *ctx, uint32_t id)
{
	(void)ctx;
	for (size_t i = 0, n = 0; i < plan.count; i++) {
		if (plan.sections[i].id == id)
			return L7_SLOT_AT + n * L7_SLOT_EVERY;
		n += plan.sections[i].id != SPW_ENDPOINT_NONE;
	}
	return SIZE_MAX;
}

/* A whole configuration, whose layer 7 begins at *first. */
static const char *whole(size_t *first)
{
	struct render_input in = {
		.dir = dir,
		.process = 1,
		.max_connections = 100,
		.slot_count = 2,
		.first_fd = 3,
		.l7 = {.plan = &plan,
		       .refused = &refused,
		       .slot_of = slot_of,
		       .first_fd = 3,
		       .arena = arena},
	};
	struct strbuf b = {0};
	const char *text;

	render_config(&b, &in);
	text = arena_strdup(arena, b.text);
	strbuf_done(&b);
	*first = in.l7_first_line;
	return text;
}

/* The text of layer 7. */
static const char *text(void)
{
	size_t first;
	const char *p = whole(&first);

	while (--first)
		p = strchr(p, '\n') + 1;
	return p;
}

static void expect_text(const char *wanted)
{
	const char *have = text();

	if (!strstr(have, wanted))
		print_error("%s\n  expected: %s\n", have, wanted);
	assert_non_null(strstr(have, wanted));
}

/* HAProxy takes it. It cannot inherit the sockets here, so its frontends get a path. */
static void expect_accepted(void)
{
	size_t first;
	const char *config = arena_printf(arena, "%s/haproxy.cfg", dir);
	const char *map = arena_printf(arena, "%s/" RENDER_MAP, dir);
	FILE *f;
	int status;

	if (access("/usr/sbin/haproxy", X_OK))
		return;
	fclose(fopen(map, "w"));
	f = fopen(config, "w");
	assert_non_null(f);
	for (const char *p = whole(&first); *p; p++) {
		if (strncmp(p, "fd@", 3) == 0) {
			fprintf(f, "unix@%s/", dir);
			p += 2;
		} else {
			(void)fputc(*p, f);
		}
	}
	(void)fclose(f);
	status = system(arena_printf(arena, "/usr/sbin/haproxy -c -q -f %s", config));
	if (status)
		(void)system(arena_printf(arena, "cat -n %s", config));
	assert_int_equal(status, 0);
	(void)unlink(config);
	(void)unlink(map);
}

static void a_frontend_chooses_listener_host_and_cluster(void **state)
{
	(void)state;
	plan_for(GATEWAY("{name: a, protocol: HTTP, port: 80, hostname: \"*.example\"}, {name: b, "
			 "protocol: HTTP, port: 80}") BACKEND("b", "10.0.0.1")
			 HTTP("r", "hostnames: [a.example], rules: [{matches: [{path: {value: /x}, "
				   "method: GET}], backendRefs: [" REF("b") "]}]"),
		 NULL);
	expect_text("\tbind fd@9 name p3\n\tmode http\n");
	expect_text("\thttp-request set-var(txn.ls) int(1)\n"
		    "\thttp-request set-var(txn.ls) int(0) if { var(txn.host) -m end -- "
		    "'.example' }\n");
	expect_text("\thttp-request set-var(txn.vh) int(1) if { var(txn.ls) -m int 0 } { "
		    "var(txn.host) -m str -- 'a.example' }\n"
		    "\tacl m0-0 path,concat(/) -m beg -- '/x/'\n"
		    "\tacl m0-1 method -m str -- 'GET'\n");
	expect_text(" if { var(txn.vh) -m int 1 } m0-0 m0-1\n");
	expect_text("\tdefault_backend no-rule\n");
	expect_text(" 10.0.0.1:8080 weight 256\n");
	expect_accepted();
}

static void weights_are_the_shares_of_the_tables(void **state)
{
	struct health_entry entries[8] = {0};
	const struct health_view v = {entries, 8};
	static const char two[] = GATEWAY(WEB) BACKEND("a", "10.0.0.1") BACKEND("b", "10.0.0.2")
		FALLBACK("c", "10.0.0.3")
			HTTP("r",
			     "rules: [{backendRefs: [{group: gateway.envoyproxy.io, "
			     "kind: Backend, name: a, weight: 3}," REF("b") "," REF("c") "]}]");

	(void)state;
	plan_for(two, NULL);
	expect_text(" 10.0.0.1:8080 weight 256\n");
	expect_text(" 10.0.0.2:8080 weight 85\n");
	expect_text(" 10.0.0.3:8080 weight 0\n");
	for (size_t i = 0; i < m->instance_count; i++) {
		if (m->instances[i].kind == ENDPOINT_IP && m->instances[i].addr.b[15] < 3)
			entries[i].state = HEALTH_DOWN;
	}
	l7_plan_weigh(arena, m, ids, &v, &plan);
	expect_text(" 10.0.0.1:8080 weight 0\n");
	expect_text(" 10.0.0.3:8080 weight 256\n");
}

static void words_of_users_stay_words(void **state)
{
	(void)state;
	plan_for(
		GATEWAY(WEB) BACKEND("b", "10.0.0.1") HTTP(
			"r",
			"rules: [{matches: [{queryParams: [{name: \"a#$b\", value: v}], headers: [{name: x, value: \"it's } \\\"a\\\" \\n\\tbad "
			"$HOME %[x]\"}]}], filters: [{type: RequestHeaderModifier, "
			"requestHeaderModifier: {set: [{name: x-y, value: \"50% 'of' \\n$HOME \\\\ "
			"%[env(HOME)]\"}]}}], backendRefs: [" REF("b") "]}]"),
		NULL);
	expect_text("\tacl m0-0 req.fhdr(x) -m str -- 'it'\\''s } \"a\" '\\x0a''\\x09'bad $HOME "
		    "%[x]'\n");
	expect_text("\tacl m0-1 'url_param(a#$b)' -m str -- 'v'\n");
	expect_text("\thttp-request set-header 'x-y' '50%% '\\''of'\\'' '\\x0a'$HOME \\ "
		    "%%[env(HOME)]'\n");
	expect_accepted();
}

static void everything_that_is_done_is_accepted_by_haproxy(void **state)
{
	static const char all[] = GATEWAY(
		WEB ", {name: p, protocol: TLS, port: 443, tls: {mode: Passthrough}}")
		BACKEND("b", "10.0.0.1") SPEC("d", "type: DynamicResolver") SPEC(
			"t", "type: DynamicResolver, tls: {wellKnownCACertificates: "
			     "System}") SPEC("s", "appProtocols: [gateway.envoyproxy.io/h2c], tls: "
						  "{insecureSkipVerify: true}, endpoints: [{ip: "
						  "{address: 10.0.0.2, port: 443}}]")
			HTTP("r",
			     "rules: [{filters: [{type: RequestRedirect, "
			     "requestRedirect: {scheme: https}}]}, "
			     "{backendRefs: [" REF(
				     "d") "]}, {backendRefs: "
					  "[" REF("t") "]}, {matches: [{path: {value: "
						       "/a(b}}], filters: [{type: "
						       "URLRewrite, urlRewrite: "
						       "{hostname: x.example, path: "
						       "{type: ReplacePrefixMatch, "
						       "replacePrefixMatch: "
						       "\"/c%20d\"}}}], backendRefs: "
						       "[" REF("s") "," REF(
							       "gone") "], timeouts: "
								       "{request: "
								       "1s}}]") "apiVersion: "
										"gateway.networking.k8s.io/v1\nkind: "
										"TLSRoute\nmetadata: {name: p}\nspec: "
										"{parentRefs: [{name: edge, sectionName: "
										"p}], hostnames: [\"*.example\"], rules: "
										"[{backendRefs: [" REF("d") "]}]}\n---\n" POLICY(
											"all",
											ON("Gateway",
											   "edge") ", retry: {retryOn: {triggers: [5xx, "
												   "reset], httpStatusCodes: [503]}}, "
												   "loadBalancer: {type: LeastRequest}, "
												   "tcpKeepalive: {probes: 3, idleTime: "
												   "10s}");

	(void)state;
	plan_for(all, NULL);
	expect_text(" 10.0.0.2:443 ssl verify none ssl-min-ver TLSv1.2 ssl-max-ver "
		    "TLSv1.3 alpn h2 weight 256\n");
	expect_text(" { rand(1000000) lt 500000 }\n");
	expect_text("\thttp-request replace-path '^/a\\(b(/.*)?$' '/c%%20d\\1'\n");
	expect_text("\ttimeout server 1000ms\n");
	expect_text("\tbalance random(2)\n");
	expect_text("\tretry-on conn-failure conn-failure empty-response");
	expect_text("resolvers names\n\tnameserver daemon 127.0.0.1:5354\n");
	expect_text("\tacl kept var(txn.to) -m ip 192.0.2.1\n");
	expect_text("sni var(txn.name)");
	expect_accepted();
}

static void certificates_are_listed_by_name_and_the_nameless_come_first(void **state)
{
	(void)state;
	plan_for(GATEWAY("{name: a, protocol: HTTPS, port: 443, hostname: a.example, tls: "
			 "{certificateRefs: [{name: pair}]}}, {name: b, protocol: HTTPS, port: "
			 "443, tls: {certificateRefs: [{name: pair}]}}, {name: c, protocol: HTTPS, "
			 "port: 444, hostname: c.example, tls: {certificateRefs: [{name: pair}]}}")
			 PAIR,
		 NULL);
	assert_int_equal(files.file_count, 3); /* one certificate, two lists */
	assert_string_equal(files.files[1].pem,
			    arena_printf(arena, "%s\n%s a.example\n", files.files[0].path,
					 files.files[0].path));
	expect_text(arena_printf(arena, "name p3 ssl crt-list %s alpn h2,http/1.1\n",
				 files.files[1].path));
	expect_text(arena_printf(arena, "name p7 ssl crt-list %s strict-sni alpn h2,http/1.1\n",
				 files.files[2].path));
}

static void what_is_refused_is_left_out_or_answered_500(void **state)
{
	struct l7_render_input in = {
		.plan = &plan, .slot_of = slot_of, .first_fd = 3, .arena = NULL};
	struct strbuf b = {0};
	uint64_t keys[2];

	(void)state;
	plan_for(GATEWAY(WEB) BACKEND("b", "10.0.0.1")
			 HTTP("r", "rules: [{filters: [{type: RequestHeaderModifier, "
				   "requestHeaderModifier: {set: [{name: x, value: v}]}}], "
				   "backendRefs: [" REF("b") "]}]"),
		 NULL);
	in.arena = arena;
	l7_render(&b, &in);
	for (size_t line = 0, n = 0; line < in.key_count; line++) {
		const char *p = b.text;

		for (size_t i = 0; i < line; i++)
			p = strchr(p, '\n') + 1;
		if (strncmp(p, "\tserver e2", 10) == 0 ||
		    strncmp(p, "\thttp-request set-header 'x'", 28) == 0)
			keys[n++] = in.keys[line];
	}
	strbuf_done(&b);
	refused = (struct l7_refused){keys, 2};
	expect_text("\thttp-request return status 500\n\t# refused\n");
	expect_accepted();
}

static void texts_that_differ_in_servers_are_one_structure(void **state)
{
	struct l7_render_input in = {
		.plan = &plan, .slot_of = slot_of, .first_fd = 3, .as_structure = true};
	struct strbuf one = {0}, two = {0};

	(void)state;
	plan_for(GATEWAY(WEB) BACKEND("b", "10.0.0.1")
			 HTTP("r", "rules: [{backendRefs: [" REF("b") "]}]"),
		 NULL);
	l7_render(&one, &in);
	for (size_t i = 0; i < plan.count; i++) {
		for (size_t k = 0; k < plan.sections[i].server_count; k++)
			plan.sections[i].servers[k].weight = 7;
	}
	l7_render(&two, &in);
	assert_string_equal(one.text, two.text);
	assert_null(strstr(one.text, "weight"));
	strbuf_done(&one);
	strbuf_done(&two);
}

static void certificates_and_keys_must_go_together(void **state)
{
	(void)state;
	assert_string_equal(pair_refuse(arena, "x", "y"),
			    "no certificate can be read from tls.crt");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_all, teardown_all)
	const struct CMUnitTest tests[] = {
		TEST(a_frontend_chooses_listener_host_and_cluster),
		TEST(weights_are_the_shares_of_the_tables),
		TEST(words_of_users_stay_words),
		TEST(everything_that_is_done_is_accepted_by_haproxy),
		TEST(certificates_are_listed_by_name_and_the_nameless_come_first),
		TEST(what_is_refused_is_left_out_or_answered_500),
		TEST(texts_that_differ_in_servers_are_one_structure),
		TEST(certificates_and_keys_must_go_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
