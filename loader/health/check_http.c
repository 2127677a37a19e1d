/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP check: one request on a connection of its own, judged when the whole answer is here. An
 * unexpected status or body takes the endpoint down at once; retriable statuses and everything
 * that is no answer are counted, as Envoy does (HttpHealthCheckerImpl::healthCheckResult).
 *
 * The Host header is the policy's hostname, else the endpoint's, and is sent as it is written:
 * Envoy adds no port (HttpActiveHealthCheckSession::onInterval), so neither do we. Without either,
 * Envoy sends the cluster's name, which no server knows; we send the address.
 *
 * `Connection: close` is said, so that the server closes first and TIME_WAIT is its: one socket for
 * each probe of one gateway there, instead of those of all endpoints here.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "health/finder.h"
#include "health/http_loop.h"
#include "health/probe.h"

#define URL_MAX	       (sizeof("http:///") + ADDR_PORT_TEXT_MAX)
#define HOST_MAX       272
#define RECEIVE_BUFFER 4096L

struct http_probe {
	struct probe probe;
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct finder body;
	int socket_error; /* errno of socket(), 0: none */
};

static void release(struct http_probe *p)
{
	curl_easy_cleanup(p->easy);
	curl_slist_free_all(p->headers);
	finder_done(&p->body);
	free(p);
}

static void cancel(struct probe *probe)
{
	struct http_probe *p = (struct http_probe *)probe;

	http_remove(p->http, p->easy);
	release(p);
}

static bool has_status(const uint16_t *statuses, size_t count, long status)
{
	for (size_t i = 0; i < count; i++)
		if (statuses[i] == status)
			return true;
	return false;
}

/* The body first, as upstream: a wrong one is final even with a retriable status. */
static struct verdict judge_answer(const struct http_probe *p)
{
	const struct check *c = p->probe.job->check;
	long status = 0;

	(void)curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
	if (has_status(c->expected, c->expected_count, status)) {
		if (!p->body.found)
			return verdict_make(VERDICT_BAD_AT_ONCE, "body mismatch");
		return verdict_make(VERDICT_GOOD, "status %ld", status);
	}
	if (p->body.found && has_status(c->retriable, c->retriable_count, status))
		return verdict_make(VERDICT_BAD, "status %ld", status);
	return verdict_make(VERDICT_BAD_AT_ONCE, "status %ld", status);
}

static struct verdict judge_connect(const struct http_probe *p)
{
	long err = 0;

	if (p->socket_error)
		return verdict_errno(p->socket_error);
	(void)curl_easy_getinfo(p->easy, CURLINFO_OS_ERRNO, &err);
	return err ? verdict_errno((int)err) : verdict_make(VERDICT_BAD, "cannot connect");
}

static struct verdict judge(const struct http_probe *p, CURLcode code)
{
	long err = 0;

	switch ((int)code) {
	case CURLE_OK:
		return judge_answer(p);
	case CURLE_COULDNT_CONNECT:
		return judge_connect(p);
	case CURLE_OPERATION_TIMEDOUT:
		return verdict_make(VERDICT_BAD, "timeout");
	case CURLE_OUT_OF_MEMORY:
		return verdict_errno(ENOMEM);
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return verdict_make(VERDICT_BAD, "closed before the answer");
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		(void)curl_easy_getinfo(p->easy, CURLINFO_OS_ERRNO, &err);
		return verdict_errno(err ? (int)err : EPIPE);
	}
	return verdict_make(VERDICT_BAD, "no valid HTTP answer");
}

static void on_ended(void *owner, CURLcode code)
{
	struct http_probe *p = owner;
	struct verdict v = judge(p, code);
	struct probe probe = p->probe;

	release(p);
	probe.done(probe.ctx, &v);
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct http_probe *p = ctx;

	(void)finder_feed(&p->body, &p->probe.job->check->expected_body, data, size * count);
	return size * count;
}

static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct http_probe *p = ctx;
	struct sockaddr_storage to;
	socklen_t to_len;
	int fd = probe_socket(p->probe.job, &to, &to_len);

	(void)purpose;
	(void)addr; /* the same: the URL has the address in figures */
	if (fd >= 0)
		return fd;
	p->socket_error = -fd;
	return CURL_SOCKET_BAD;
}

/* What would end a request line or header early, or could not be in one. */
static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return true;
	return false;
}

static void fill_host(const struct probe_job *job, char *buf)
{
	char addr[ADDR_TEXT_MAX];
	const char *name = job->check->http_hostname ? job->check->http_hostname : job->hostname;

	(void)addr_print(&job->addr, addr);
	if (name)
		(void)snprintf(buf, HOST_MAX, "Host: %s", name);
	else if (addr_is_v4(&job->addr))
		(void)snprintf(buf, HOST_MAX, "Host: %s", addr);
	else
		(void)snprintf(buf, HOST_MAX, "Host: [%s]", addr);
}

/* curl would add Expect and a form's Content-Type to a POST. */
static int add_headers(struct http_probe *p)
{
	char host[HOST_MAX];
	const char *const lines[] = {host, "Connection: close", "Expect:", "Content-Type:"};

	fill_host(p->probe.job, host);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct curl_slist *grown = curl_slist_append(p->headers, lines[i]);

		if (!grown)
			return -ENOMEM;
		p->headers = grown;
	}
	return 0;
}

static bool set_method(struct http_probe *p)
{
	const struct check *c = p->probe.job->check;
	const char *method = c->http_method ? c->http_method : "GET";
	CURL *e = p->easy;

	if (strcasecmp(method, "HEAD") == 0)
		return !curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	if (c->request_body.len || strcasecmp(method, "POST") == 0 ||
	    strcasecmp(method, "PUT") == 0) {
		const void *body = c->request_body.len ? (const void *)c->request_body.bytes : "";

		if (curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)c->request_body.len) ||
		    curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, body))
			return false;
	}
	return !curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, method);
}

/*
 * Nothing from the environment, nothing kept: each probe sees the endpoint as a new client. That
 * goes for curl's cache of names, too, which would hold every address for a minute and be walked
 * in full at each transfer: half of the time at 10,000 endpoints.
 */
static bool set_options(struct http_probe *p)
{
	char url[URL_MAX], where[ADDR_PORT_TEXT_MAX];
	const struct probe_job *job = p->probe.job;
	const char *path = job->check->http_path ? job->check->http_path : "/";
	CURL *e = p->easy;

	(void)snprintf(url, sizeof(url), "http://%s/",
		       addr_print_port(&job->addr, job->port, where));
	return !curl_easy_setopt(e, CURLOPT_URL, url) &&
	       !curl_easy_setopt(e, CURLOPT_REQUEST_TARGET, path) &&
	       !curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       !curl_easy_setopt(e, CURLOPT_HTTPHEADER, p->headers) &&
	       !curl_easy_setopt(e, CURLOPT_USERAGENT, "spillway/" SPILLWAY_VERSION) &&
	       !curl_easy_setopt(e, CURLOPT_PROXY, "") &&
	       !curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http") &&
	       !curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, 0L) &&
	       !curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L) &&
	       !curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L) &&
	       !curl_easy_setopt(e, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER) &&
	       !curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open) &&
	       !curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, p) &&
	       !curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) &&
	       !curl_easy_setopt(e, CURLOPT_WRITEDATA, p) && set_method(p);
}

static int set_up(struct http_probe *p)
{
	if (finder_init(&p->body, &p->probe.job->check->expected_body))
		return -ENOMEM;
	p->easy = curl_easy_init();
	if (!p->easy || add_headers(p) || !set_options(p))
		return -ENOMEM;
	return http_add(p->http, p->easy, p, on_ended);
}

static bool is_clean(const struct probe_job *job)
{
	const struct check *c = job->check;
	const char *const texts[] = {c->http_path, c->http_method, c->http_hostname, job->hostname};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i] && has_control(texts[i]))
			return false;
	return true;
}

struct probe *check_http_start(struct http *http, const struct probe_order *order,
			       struct verdict *now)
{
	struct http_probe *p;

	if (!is_clean(order->job)) {
		*now = verdict_make(VERDICT_BAD_AT_ONCE, "space in path, host or method");
		return NULL;
	}
	p = calloc(1, sizeof(*p));
	if (!p) {
		*now = verdict_errno(ENOMEM);
		return NULL;
	}
	p->probe = (struct probe){order->job, order->done, order->ctx, cancel};
	p->http = http;
	if (set_up(p)) {
		release(p);
		*now = verdict_errno(ENOMEM);
		return NULL;
	}
	return &p->probe;
}
