/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks over TLS against real servers: whom they trust, what they send, and the words for failures. */
#include "dns_server.h"
#include "probe_rig.h"
#include "secure_server.h"

#include "certificates.h"
#include "health/tls.h"
#include "health/tls_context.h"

#define ANSWER	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define SERVING "\0\0\0\0\2\x08\1"

static struct certificate ca, other_ca, good, expired, client;

static int make_certificates(void **state)
{
	(void)state;
	ca = certificate_make("test authority", NULL, 30, NULL);
	other_ca = certificate_make("other authority", NULL, 30, NULL);
	good = certificate_make("cn.example",
				"DNS:api.example.com, DNS:*.wild.example, URI:spiffe://corp/web",
				30, &ca);
	expired = certificate_make("api.example.com", "DNS:api.example.com", -1, &ca);
	client = certificate_make("gateway", NULL, 30, &ca);
	return 0;
}

static int free_certificates(void **state)
{
	(void)state;
	certificate_done(&ca);
	certificate_done(&other_ca);
	certificate_done(&good);
	certificate_done(&expired);
	certificate_done(&client);
	return 0;
}

/* Takes what the client offers first. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		   const unsigned char *in, unsigned in_len, void *ctx)
{
	(void)ssl;
	(void)in_len;
	(void)ctx;
	*out = in + 1;
	*out_len = in[0];
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *serving(const struct certificate *c)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert_int_equal(SSL_CTX_use_certificate(ctx, c->x509), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, c->key), 1);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	return ctx;
}

static const char *const names_of_wild[] = {"other.example", "a.wild.example", NULL};
static const char *const names_of_uri[] = {"spiffe://corp/web", NULL};
static const char *const names_wildcard[] = {"*.wild.example", NULL};
static const char *const names_of_others[] = {"spiffe://corp/db", "example.com", NULL};

static const struct row {
	const char *what;
	const struct certificate *served, *trusted; /* NULL: the system's */
	bool skip_verify;
	const char *sni;
	const char *const *names;
	enum verdict_kind kind; /* VERDICT_GOOD, or: */
	const char *reason;
} rows[] = {
	{"all in order", &good, &ca, false, "api.example.com", NULL, VERDICT_GOOD, NULL},
	{"a wildcard", &good, &ca, false, "a.wild.example", NULL, VERDICT_GOOD, NULL},
	{"another name", &good, &ca, false, "web.example.com", NULL, VERDICT_BAD,
	 "TLS: no certificate for web.example.com"},
	{"the common name does not count", &good, &ca, false, "cn.example", NULL, VERDICT_BAD,
	 "TLS: no certificate for cn.example"},
	{"with names the SNI is not verified", &good, &ca, false, "sni.example", names_of_wild,
	 VERDICT_GOOD, NULL},
	{"a URI", &good, &ca, false, "sni.example", names_of_uri, VERDICT_GOOD, NULL},
	{"a wildcard that is asked for", &good, &ca, false, "sni.example", names_wildcard,
	 VERDICT_GOOD, NULL},
	{"none of the names", &good, &ca, false, "api.example.com", names_of_others, VERDICT_BAD,
	 "TLS: no certificate for spiffe://corp/db"},
	{"expired", &expired, &ca, false, "api.example.com", NULL, VERDICT_BAD,
	 "TLS: certificate has expired"},
	{"another authority", &good, &other_ca, false, "api.example.com", NULL, VERDICT_BAD,
	 "TLS: unable to get local issuer certificate"},
	{"the system's authorities", &good, NULL, false, "api.example.com", NULL, VERDICT_BAD,
	 "TLS: unable to get local issuer certificate"},
	{"the certificate itself is trusted", &good, &good, false, "api.example.com", NULL,
	 VERDICT_GOOD, NULL},
	{"no verification", &expired, &other_ca, true, "web.example.com", NULL, VERDICT_GOOD, NULL},
	{"no SNI", &good, &ca, false, NULL, NULL, VERDICT_GOOD, NULL},
};

static void assert_row(const struct row *r, enum check_type type)
{
	struct check c = probe_check(type);
	struct tls_settings tls = {.verify = !r->skip_verify,
				   .sni = r->sni,
				   .ca_pem = r->trusted ? r->trusted->pem : NULL,
				   .names = r->names};
	struct secure *s = secure_start(serving(r->served));
	struct probe_job job = probe_to("127.0.0.1", s->port, &c);
	const char *reason = r->reason ? r->reason : type == CHECK_TCP ? "answered" : "status 200";
	struct verdict v;

	s->answer = ANSWER;
	job.tls = &tls;
	c.send = probe_payload("GET / HTTP/1.0\r\n\r\n");
	c.receive = probe_payload("200 OK");
	v = first_verdict(&job);
	if (v.kind != r->kind || strcmp(v.reason, reason) != 0)
		fail_msg("%s, type %d: kind %d, '%s'", r->what, type, v.kind, v.reason);
	if (v.kind == VERDICT_GOOD)
		assert_string_equal(s->sni, r->sni ? r->sni : "");
	secure_stop(s);
}

static void chain_and_name_are_verified_as_the_backend_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_row(&rows[i], CHECK_TCP);
		assert_row(&rows[i], CHECK_HTTP);
	}
}

/* What a check with settings `tls` says of a server; both types must agree when it is bad. */
static void assert_both(struct secure *s, const struct tls_settings *tls, enum verdict_kind kind,
			const char *tcp_reason, const char *http_reason)
{
	struct check tcp = probe_check(CHECK_TCP), http = probe_check(CHECK_HTTP);
	struct probe_job job = probe_to("127.0.0.1", s->port, &tcp);

	tcp.send = probe_payload("GET / HTTP/1.0\r\n\r\n");
	tcp.receive = probe_payload("200 OK");
	job.tls = tls;
	assert_verdict(&job, kind, tcp_reason);
	job.check = &http;
	assert_verdict(&job, kind, http_reason);
}

static void a_client_certificate_is_shown_when_there_is_one(void **state)
{
	SSL_CTX *ctx = serving(&good);
	struct tls_settings tls = {.verify = true, .sni = "api.example.com", .ca_pem = ca.pem};
	struct secure *s;

	(void)state;
	(void)X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca.x509);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	s = secure_start(ctx);
	s->answer = ANSWER;
	assert_both(s, &tls, VERDICT_BAD, "TLS: tlsv13 alert certificate required",
		    "TLS: tlsv13 alert certificate required");
	tls.cert_pem = client.pem;
	tls.key_pem = client.key_pem;
	assert_both(s, &tls, VERDICT_GOOD, "answered", "status 200");
	tls.key_pem = good.key_pem;
	assert_both(s, &tls, VERDICT_BAD_AT_ONCE, "TLS: the client key is not the certificate's",
		    "TLS: the client key is not the certificate's");
	tls.cert_pem = "no PEM";
	assert_both(s, &tls, VERDICT_BAD_AT_ONCE, "TLS: the client certificate cannot be read",
		    "TLS: the client certificate cannot be read");
	secure_stop(s);
}

static void versions_and_ciphers_are_kept_to(void **state)
{
	SSL_CTX *ctx = serving(&good);
	struct tls_settings tls = {.verify = true, .sni = "api.example.com", .ca_pem = ca.pem};
	struct secure *s;

	(void)state;
	(void)SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	(void)SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES256-GCM-SHA384");
	s = secure_start(ctx);
	s->answer = ANSWER;
	assert_both(s, &tls, VERDICT_GOOD, "answered", "status 200");
	tls.min_version = "1.3";
	assert_both(s, &tls, VERDICT_BAD, "TLS: handshake failed: tlsv1 alert protocol version",
		    "TLS: handshake failed: tlsv1 alert protocol version");
	tls.min_version = NULL;
	tls.max_version = "1.2";
	tls.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
	assert_both(s, &tls, VERDICT_BAD, "TLS: handshake failed: sslv3 alert handshake failure",
		    "TLS: handshake failed: sslv3 alert handshake failure");
	tls.ciphers = "NO-SUCH-CIPHER";
	assert_both(s, &tls, VERDICT_BAD_AT_ONCE,
		    "TLS: ciphers or versions that OpenSSL does not have",
		    "TLS: ciphers or versions that OpenSSL does not have");
	secure_stop(s);
}

static void protocols_are_offered_by_what_is_spoken_or_as_the_backend_says(void **state)
{
	static const char *const wanted[] = {"http/1.1", "h2", NULL};
	struct tls_settings tls = {.verify = true, .sni = "api.example.com", .ca_pem = ca.pem};
	struct check tcp = probe_check(CHECK_TCP), http = probe_check(CHECK_HTTP);
	struct secure *s = secure_start(serving(&good));
	struct probe_job job = probe_to("127.0.0.1", s->port, &http);

	(void)state;
	s->answer = ANSWER;
	job.tls = &tls;
	assert_verdict(&job, VERDICT_GOOD, "status 200");
	assert_string_equal(s->alpn, "http/1.1");
	tls.alpn = wanted;
	assert_verdict(&job, VERDICT_GOOD, "status 200");
	assert_string_equal(s->alpn, "http/1.1");
	tls.alpn = wanted + 1;
	job.check = &tcp;
	assert_verdict(&job, VERDICT_GOOD, "connected");
	usleep(50000);
	assert_string_equal(s->alpn, "h2");
	tls.alpn = NULL;
	assert_verdict(&job, VERDICT_GOOD, "connected");
	usleep(50000);
	assert_string_equal(s->alpn, "");
	secure_stop(s);
}

static void http2_and_grpc_are_spoken_over_tls(void **state)
{
	struct tls_settings tls = {.verify = true, .sni = "api.example.com", .ca_pem = ca.pem};
	struct check http = probe_check(CHECK_HTTP), grpc = probe_check(CHECK_GRPC);
	struct secure *s = secure_start(serving(&good));
	struct probe_job job = probe_to("127.0.0.1", s->port, &http);

	(void)state;
	job.tls = &tls;
	job.app = APP_H2C;
	s->h2 = (struct h2_answer){"200", "text/plain", NULL, "ok", 2};
	assert_verdict(&job, VERDICT_GOOD, "status 200");
	assert_string_equal(s->alpn, "h2");
	s->h2 = (struct h2_answer){"200", "application/grpc", "0", SERVING, 7};
	job.check = &grpc;
	job.app = APP_HTTP1;
	assert_verdict(&job, VERDICT_GOOD, "serving");
	s->h2 = (struct h2_answer){"200", "application/grpc", "5", NULL, 0};
	assert_verdict(&job, VERDICT_BAD_AT_ONCE, "gRPC status 5 (NOT_FOUND)");
	tls.sni = "web.example.com";
	assert_verdict(&job, VERDICT_BAD, "TLS: no certificate for web.example.com");
	secure_stop(s);
}

static void what_does_not_speak_tls_is_said_so(void **state)
{
	struct tls_settings tls = {.verify = true, .sni = "api.example.com", .ca_pem = ca.pem};
	struct secure *s = secure_start(NULL);
	struct server *closing = server_start("127.0.0.1", SERVER_CLOSES, "");
	struct check tcp = probe_check(CHECK_TCP), http = probe_check(CHECK_HTTP);
	struct probe_job job = probe_to("127.0.0.1", closing->port, &tcp);

	(void)state;
	s->greeting = "220 mail.example ESMTP ready\r\n";
	assert_both(s, &tls, VERDICT_BAD, "TLS: handshake failed: wrong version number",
		    "TLS: handshake failed: wrong version number");
	secure_stop(s);
	job.tls = &tls;
	assert_int_equal(first_verdict(&job).kind, VERDICT_BAD);
	job.check = &http;
	assert_int_equal(first_verdict(&job).kind, VERDICT_BAD);
	server_stop(closing);
}

static void a_bundle_that_cannot_be_read_is_said_so(void **state)
{
	struct tls_settings tls = {.verify = true, .sni = "api.example.com", .ca_pem = "nothing"};
	struct secure *s = secure_start(serving(&good));

	(void)state;
	s->answer = ANSWER;
	assert_both(s, &tls, VERDICT_BAD_AT_ONCE, "TLS: the CA bundle cannot be read",
		    "TLS: the CA bundle cannot be read");
	assert_int_equal(s->accepted, 0);
	secure_stop(s);
}

/* The system's authorities take a megabyte: a thousand names must not have a thousand of them. */
static void names_that_trust_the_same_authorities_share_them(void **state)
{
	const struct tls_settings s[] = {
		{.verify = true, .sni = "a.example"},
		{.verify = true, .sni = "b.example"},
		{.verify = true, .sni = "a.example", .ca_pem = ca.pem},
		{.verify = true, .sni = "b.example", .ca_pem = ca.pem},
		{.verify = true, .sni = "b.example", .ca_pem = other_ca.pem},
	};
	struct tls_context *t[5];
	struct tls_cache *c;
	struct verdict v;

	(void)state;
	assert_int_equal(tls_cache_new(&c), 0);
	for (size_t n = 0; n < 5; n++) {
		t[n] = tls_context_get(c, &s[n], NULL, &v);
		assert_non_null(t[n]);
		for (size_t k = 0; k < n; k++)
			assert_ptr_not_equal(t[n], t[k]);
	}
	assert_ptr_equal(t[0]->store, t[1]->store);
	assert_ptr_equal(t[2]->store, t[3]->store);
	assert_ptr_not_equal(t[0]->store, t[2]->store);
	assert_ptr_not_equal(t[2]->store, t[4]->store);
	for (size_t n = 0; n < 5; n++)
		tls_context_put(t[n]);
	tls_cache_free(c);
}

static void a_server_that_is_silent_times_out_and_is_left_cleanly(void **state)
{
	struct tls_settings tls = {.verify = true, .sni = "api.example.com", .ca_pem = ca.pem};
	struct server *s = server_start("127.0.0.1", SERVER_SILENT, "");
	static const enum check_type types[] = {CHECK_TCP, CHECK_HTTP, CHECK_GRPC};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct check c = probe_check(types[i]);
		struct probe_job job = probe_to("127.0.0.1", s->port, &c);

		c.timeout_ms = 200;
		job.tls = &tls;
		assert_verdict(&job, VERDICT_BAD, "timeout");
	}
	server_stop(s);
}

/* Nothing listens on the first address: the second one is asked. */
static void a_name_is_resolved_and_verified_over_tls(void **state)
{
	static const struct dns_record names[] = {
		{.name = "api.example.com", .addr = "127.0.0.2", .ttl = 60},
		{.name = "api.example.com", .addr = "127.0.0.1", .ttl = 60},
		{0},
	};
	struct dns_server *d = dns_server_start(names);
	struct tls_settings tls = {.verify = true, .sni = "api.example.com", .ca_pem = ca.pem};
	struct secure *s = secure_start(serving(&good));
	struct check c = probe_check(CHECK_HTTP);
	struct probe_job job = {.kind = ENDPOINT_FQDN,
				.host = "api.example.com",
				.port = s->port,
				.check = &c,
				.tls = &tls};
	struct verdict v;

	(void)state;
	s->answer = ANSWER;
	v = first_verdict_by(&job, d->where);
	assert_string_equal(v.reason, "status 200");
	assert_string_equal(s->sni, "api.example.com");
	assert_non_null(strstr(s->request, "Host: api.example.com\r\n"));
	secure_stop(s);
	dns_server_stop(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chain_and_name_are_verified_as_the_backend_says),
		cmocka_unit_test(a_client_certificate_is_shown_when_there_is_one),
		cmocka_unit_test(versions_and_ciphers_are_kept_to),
		cmocka_unit_test(protocols_are_offered_by_what_is_spoken_or_as_the_backend_says),
		cmocka_unit_test(http2_and_grpc_are_spoken_over_tls),
		cmocka_unit_test(what_does_not_speak_tls_is_said_so),
		cmocka_unit_test(a_bundle_that_cannot_be_read_is_said_so),
		cmocka_unit_test(names_that_trust_the_same_authorities_share_them),
		cmocka_unit_test(a_server_that_is_silent_times_out_and_is_left_cleanly),
		cmocka_unit_test(a_name_is_resolved_and_verified_over_tls),
	};

	return cmocka_run_group_tests(tests, make_certificates, free_certificates);
}
