/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP check: one request on a connection of its own, judged when the whole answer is here. An
 * unexpected status or body takes the endpoint down at once; retriable statuses and everything
 * that is no answer are counted, as Envoy does (HttpHealthCheckerImpl::healthCheckResult).
 *
 * `Connection: close` is said, so that the server closes first and TIME_WAIT is its: one socket for
 * each probe of one gateway there, instead of those of all endpoints here.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "health/finder.h"
#include "health/transfer.h"

#define METHOD_MAX 24

struct http_probe {
	struct transfer transfer;
	struct finder body;
};

static void release(struct transfer *t)
{
	struct http_probe *p = (struct http_probe *)t;

	finder_done(&p->body);
	free(p);
}

static bool has_status(const uint16_t *statuses, size_t count, long status)
{
	for (size_t i = 0; i < count; i++)
		if (statuses[i] == status)
			return true;
	return false;
}

/* The body first, as upstream: a wrong one is final even with a retriable status. */
static struct verdict judge(struct transfer *t)
{
	const struct http_probe *p = (const struct http_probe *)t;
	const struct check *c = t->probe.job->check;
	long status = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (has_status(c->expected, c->expected_count, status)) {
		if (!p->body.found)
			return verdict_make(VERDICT_BAD_AT_ONCE, "body mismatch");
		return verdict_make(VERDICT_GOOD, "status %ld", status);
	}
	if (p->body.found && has_status(c->retriable, c->retriable_count, status))
		return verdict_make(VERDICT_BAD, "status %ld", status);
	return verdict_make(VERDICT_BAD_AT_ONCE, "status %ld", status);
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct http_probe *p = ctx;
	const struct check *c = p->transfer.probe.job->check;

	(void)finder_feed(&p->body, &c->expected_body, data, size * count);
	return size * count;
}

/* Upper case, as upstream makes it of what is written. */
static void fill_method(const struct check *c, char *method)
{
	size_t i = 0;

	for (const char *m = c->http_method ? c->http_method : "GET"; *m && i < METHOD_MAX - 1; m++)
		method[i++] = (char)toupper((unsigned char)*m);
	method[i] = '\0';
}

static bool set_method(CURL *e, const struct check *c)
{
	char method[METHOD_MAX];

	fill_method(c, method);
	if (strcmp(method, "HEAD") == 0)
		return !curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	if (c->request_body.len || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) {
		const void *body = c->request_body.len ? (const void *)c->request_body.bytes : "";

		if (curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)c->request_body.len) ||
		    curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, body))
			return false;
	}
	return !curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, method);
}

/* curl would add Expect and a form's Content-Type to a POST. */
static bool set_up(struct transfer *t)
{
	const struct check *c = t->probe.job->check;

	return finder_init(&((struct http_probe *)t)->body, &c->expected_body) == 0 &&
	       transfer_header(t, "Connection: close") && transfer_header(t, "Expect:") &&
	       transfer_header(t, "Content-Type:") && set_method(t->easy, c) &&
	       !curl_easy_setopt(t->easy, CURLOPT_REQUEST_TARGET,
				 c->http_path ? c->http_path : "/") &&
	       !curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body) &&
	       !curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
}

struct probe *check_http_start(const struct probe_tools *tools, const struct probe_order *order,
			       struct verdict *now)
{
	static const struct transfer_type type = {false, set_up, judge, release};
	struct http_probe *p = calloc(1, sizeof(*p));

	if (p)
		return transfer_start(&p->transfer, &type, tools, order, now);
	*now = verdict_errno(ENOMEM);
	return NULL;
}
