/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the connection goes is said by on_open() alone: curl is given an address to connect to that
 * is never used, and resolves nothing. So the URL's host is free to be what TLS sends as SNI, and
 * addresses, names' addresses and Unix sockets go the same way.
 *
 * The Host header is the policy's hostname, else the endpoint's, else the name it is known by, and
 * is sent as it is written: Envoy adds no port (HttpActiveHealthCheckSession::onInterval), so
 * neither do we. Without any, Envoy sends the cluster's name, which no server knows; we send the
 * address.
 */
#include "health/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "health/tls.h"

#define HOST_MAX       272
#define RECEIVE_BUFFER 4096L
#define NOWHERE	       "127.0.0.1"

static void release(struct transfer *t)
{
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	tls_context_put(t->tls);
	t->type->release(t);
}

static void cancel(struct probe *probe)
{
	struct transfer *t = (struct transfer *)probe;

	http_remove(t->http, t->easy);
	release(t);
}

bool transfer_header(struct transfer *t, const char *line)
{
	struct curl_slist *grown = curl_slist_append(t->headers, line);

	if (!grown)
		return false;
	t->headers = grown;
	return true;
}

static long os_error(const struct transfer *t)
{
	long err = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &err);
	return err;
}

static struct verdict judge_connect(const struct transfer *t)
{
	long err = t->socket_error ? t->socket_error : os_error(t);

	if (err == EAGAIN && t->probe.job->kind == ENDPOINT_UNIX)
		return verdict_make(VERDICT_BAD, "the queue of the socket is full");
	return err ? verdict_errno((int)err) : verdict_make(VERDICT_BAD, "cannot connect");
}

static struct verdict judge_tls(const struct transfer *t)
{
	long result = X509_V_OK, err = os_error(t);

	(void)curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &result);
	if (result == X509_V_ERR_UNSPECIFIED)
		result = X509_V_OK; /* curl's word for "nothing was verified yet" */
	if (result == X509_V_OK && !strstr(t->error, "::"))
		return tls_verdict(t->probe.job->tls, result,
				   err == ECONNRESET ? "connection reset" : "connection closed");
	return tls_verdict(t->probe.job->tls, result, t->error);
}

/* A broken connection; TLS 1.3 says by an alert here that it wanted a client certificate. */
static struct verdict judge_io(const struct transfer *t)
{
	const char *alert = t->tls ? strstr(t->error, "SSL routines::") : NULL;
	long err = os_error(t);

	if (alert) {
		alert = strstr(alert, "::") + 2; /* curl adds ", errno 0" */
		return verdict_make(VERDICT_BAD, "TLS: %.*s", (int)strcspn(alert, ","), alert);
	}
	return verdict_errno(err ? (int)err : EPIPE);
}

static struct verdict judge_answer(struct transfer *t)
{
	long version = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
	if (t->wants_h2 && version != CURL_HTTP_VERSION_2_0)
		return verdict_make(VERDICT_BAD, "no HTTP/2");
	return t->type->judge(t);
}

static struct verdict judge(struct transfer *t, CURLcode code)
{
	switch ((int)code) {
	case CURLE_OK:
		return judge_answer(t);
	case CURLE_COULDNT_CONNECT:
		return judge_connect(t);
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
		return judge_tls(t);
	case CURLE_OPERATION_TIMEDOUT:
		return verdict_make(VERDICT_BAD, "timeout");
	case CURLE_OUT_OF_MEMORY:
		return verdict_errno(ENOMEM);
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return verdict_make(VERDICT_BAD, "closed before the answer");
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return judge_io(t);
	}
	return verdict_make(VERDICT_BAD,
			    t->wants_h2 ? "no valid HTTP/2 answer" : "no valid HTTP answer");
}

static void on_ended(void *owner, CURLcode code)
{
	struct transfer *t = owner;
	struct verdict v = judge(t, code);
	struct probe probe = t->probe;

	v.connected = probe.connected;
	release(t);
	probe.done(probe.ctx, &v);
}

/* curl connects to what is in `addr` afterwards (CURLOPT_OPENSOCKETFUNCTION allows to change it). */
static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct transfer *t = ctx;
	struct sockaddr_storage to;
	socklen_t to_len;
	int fd = probe_socket(&t->probe, &to, &to_len);

	(void)purpose;
	if (fd < 0) {
		t->socket_error = -fd;
		return CURL_SOCKET_BAD;
	}
	addr->family = to.ss_family;
	addr->addrlen = to_len;
	memcpy(&addr->addr, &to, to_len); /* curl has room for any address there */
	return fd;
}

static int on_connected(void *ctx, char *peer, char *own, int peer_port, int own_port)
{
	struct transfer *t = ctx;

	(void)peer;
	(void)own;
	(void)peer_port;
	(void)own_port;
	t->probe.connected = true;
	return CURL_PREREQFUNC_OK;
}

static CURLcode on_tls(CURL *easy, void *ssl_ctx, void *ctx)
{
	const struct transfer *t = ctx;

	(void)easy;
	return tls_configure(t->tls, ssl_ctx) ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

/* What would end a request line or header early, or could not be in one. */
static bool has_control(const char *text)
{
	for (; text && *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return true;
	return false;
}

static bool is_clean(const struct probe_job *job)
{
	const struct check *c = job->check;

	return !has_control(c->http_path) && !has_control(c->http_method) &&
	       !has_control(c->http_hostname) && !has_control(job->hostname);
}

static bool add_host(struct transfer *t)
{
	char line[HOST_MAX], addr[ADDR_TEXT_MAX];
	const struct probe_job *job = t->probe.job;
	const char *name = job->check->http_hostname ? job->check->http_hostname : job->hostname;

	if (!name && job->kind == ENDPOINT_FQDN)
		name = job->host;
	if (!name && job->kind == ENDPOINT_UNIX)
		name = "localhost";
	(void)addr_print(&job->addr, addr);
	if (name)
		(void)snprintf(line, sizeof(line), "Host: %s", name);
	else if (addr_is_v4(&job->addr))
		(void)snprintf(line, sizeof(line), "Host: %s", addr);
	else
		(void)snprintf(line, sizeof(line), "Host: [%s]", addr);
	return transfer_header(t, line);
}

/*
 * curl is to load no authorities of its own, for each connection anew: tls_configure() brings them
 * along, and has verified chain and name before curl could look.
 */
static bool set_tls(struct transfer *t)
{
	CURL *e = t->easy;

	return !curl_easy_setopt(e, CURLOPT_CAINFO, NULL) &&
	       !curl_easy_setopt(e, CURLOPT_CAPATH, NULL) &&
	       !curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L) &&
	       !curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L) &&
	       !curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L) &&
	       !curl_easy_setopt(e, CURLOPT_SSL_ENABLE_ALPN, t->wants_h2 ? 1L : 0L) &&
	       !curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_tls) &&
	       !curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, t);
}

static long http_version(const struct transfer *t)
{
	if (!t->wants_h2)
		return CURL_HTTP_VERSION_1_1;
	return t->tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
}

/*
 * Nothing from the environment, nothing kept: each probe sees the endpoint as a new client. That
 * goes for curl's cache of names, too, which would hold every address for a minute and be walked
 * in full at each transfer: half of the time at 10,000 endpoints.
 */
static bool set_options(struct transfer *t)
{
	static struct curl_slist nowhere = {.data = (char *)"::" NOWHERE ":1"};
	const struct tls_settings *s = t->probe.job->tls;
	char url[HOST_MAX];
	CURL *e = t->easy;

	(void)snprintf(url, sizeof(url), "http%s://%s/", t->tls ? "s" : "",
		       t->tls && s->sni ? s->sni : NOWHERE);
	return !curl_easy_setopt(e, CURLOPT_URL, url) &&
	       !curl_easy_setopt(e, CURLOPT_CONNECT_TO, &nowhere) &&
	       !curl_easy_setopt(e, CURLOPT_HTTP_VERSION, http_version(t)) &&
	       !curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers) &&
	       !curl_easy_setopt(e, CURLOPT_USERAGENT, "spillway/" SPILLWAY_VERSION) &&
	       !curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error) &&
	       !curl_easy_setopt(e, CURLOPT_PROXY, "") &&
	       !curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") &&
	       !curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, 0L) &&
	       !curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L) &&
	       !curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L) &&
	       !curl_easy_setopt(e, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER) &&
	       !curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open) &&
	       !curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t) &&
	       !curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_connected) &&
	       !curl_easy_setopt(e, CURLOPT_PREREQDATA, t) && (!t->tls || set_tls(t));
}

static bool start(struct transfer *t)
{
	t->easy = curl_easy_init();
	return t->easy && add_host(t) && t->type->set_up(t) && set_options(t) &&
	       http_add(t->http, t->easy, t, on_ended) == 0;
}

struct probe *transfer_start(struct transfer *t, const struct transfer_type *type,
			     const struct probe_tools *tools, const struct probe_order *order,
			     struct verdict *now)
{
	const struct probe_job *job = order->job;

	t->probe = (struct probe){order->job, order->addr, order->done, order->ctx, false, cancel};
	t->type = type;
	t->http = tools->http;
	t->wants_h2 = type->always_h2 || job->app == APP_H2C;
	if (!is_clean(job)) {
		*now = verdict_make(VERDICT_BAD_AT_ONCE, "space in path, host or method");
		release(t);
		return NULL;
	}
	if (job->tls) {
		t->tls =
			tls_context_get(tools->tls, job->tls, t->wants_h2 ? "h2" : "http/1.1", now);
		if (!t->tls) {
			release(t);
			return NULL;
		}
	}
	if (start(t))
		return &t->probe;
	release(t);
	*now = verdict_errno(ENOMEM);
	return NULL;
}
