/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the policy in force and the rule say of a cluster. HAProxy has no limit for the whole of a
 * request: a server's timeout is for its silence.
 */
#include <inttypes.h>
#include <string.h>

#include "handoff/l7_text.h"

#define CONNECT_MS 10000
#define SILENCE_MS 300000 /* upstream's idle time of a stream */
#define TUNNEL_S   3600
#define QUEUE_MS   1 /* beyond a limit nobody waits: upstream answers 503 at once */

static const struct node *spec_of(const struct service *s)
{
	return s->policy ? node_at(s->policy->res.root, "spec") : NULL;
}

/* 0: not said, or no limit. */
static int64_t duration_at(const struct node *n, const char *path)
{
	const char *text = node_text_at(n, path, NULL);
	const int64_t ms = text ? duration_ms(text) : 0;

	return ms > 0 && ms < INT32_MAX ? ms : 0;
}

static int64_t least(int64_t a, int64_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* "random(2)": the better of two that are drawn by weight, which is upstream's, too. */
static void add_balance(struct strbuf *b, const struct frontend *f, const struct node *spec)
{
	const char *header;

	switch (policy_balance(spec, &header)) {
	case BALANCE_RANDOM:
		strbuf_puts(b, "\tbalance random(1)\n");
		return;
	case BALANCE_LEAST:
		strbuf_puts(b, "\tbalance random(2)\n");
		return;
	case BALANCE_SOURCE:
		strbuf_puts(b, "\tbalance source\n\thash-type consistent\n");
		return;
	case BALANCE_HEADER:
		if (f->kind > FRONTEND_HTTPS)
			break;
		strbuf_printf(b, "\tbalance hdr(%s)\n\thash-type consistent\n", header);
		return;
	case BALANCE_ROUND_ROBIN:
	case BALANCE_NONE:
		break;
	}
	strbuf_puts(b, "\tbalance roundrobin\n");
}

static void add_keepalive(struct strbuf *b, const struct node *n)
{
	static const char *const rows[][2] = {{"idleTime", "idle"}, {"interval", "intvl"}};

	if (!n)
		return;
	strbuf_puts(b, "\toption srvtcpka\n");
	if (node_int_at(n, "probes", 0))
		strbuf_printf(b, "\tsrvtcpka-cnt %" PRId64 "\n", node_int_at(n, "probes", 0));
	for (size_t i = 0; i < 2; i++) {
		if (duration_at(n, rows[i][0]) >= 1000)
			strbuf_printf(b, "\tsrvtcpka-%s %" PRId64 "s\n", rows[i][1],
				      duration_at(n, rows[i][0]) / 1000);
	}
}

static void add_words(struct strbuf *b, const char *words)
{
	if (words)
		strbuf_printf(b, " %s", words);
}

/* Without a policy a connection that cannot be made is tried once more, elsewhere. */
static void add_retry(struct strbuf *b, const struct node *retry)
{
	const struct node *list = node_at(retry, "retryOn.triggers");
	const struct node *codes = node_at(retry, "retryOn.httpStatusCodes");

	strbuf_puts(b, "\toption redispatch 1\n");
	strbuf_printf(b, "\tretries %" PRId64 "\n",
		      retry ? node_int_at(retry, "numRetries", 2) : 1);
	if (!node_count(list) && !node_count(codes))
		return;
	strbuf_puts(b, "\tretry-on conn-failure");
	for (size_t i = 0; i < node_count(list); i++)
		add_words(b, policy_retry_words(node_item(list, i)->text));
	for (size_t i = 0; i < node_count(codes); i++) {
		if (policy_can_retry(node_item(codes, i)->integer))
			strbuf_printf(b, " %" PRId64, node_item(codes, i)->integer);
	}
	strbuf_puts(b, "\n");
}

static void add_http(struct strbuf *b, const struct l7_rule *r, const struct node *spec)
{
	int64_t ms = least(duration_at(r->node, "timeouts.request"),
			   duration_at(r->node, "timeouts.backendRequest"));

	if (!ms && !node_member(r->node, "timeouts"))
		ms = duration_at(spec, "timeout.http.requestTimeout");
	add_retry(b, node_member(spec, "retry"));
	strbuf_printf(b,
		      "\ttimeout server %" PRId64 "ms\n"
		      "\ttimeout tunnel %ds\n",
		      ms ? ms : SILENCE_MS, TUNNEL_S);
}

void l7_settings(struct strbuf *b, const struct frontend *f, const struct l7_rule *r)
{
	const struct node *spec = spec_of(r->cluster);
	const int64_t connect_ms = duration_at(spec, "timeout.tcp.connectTimeout");
	const bool is_http = f->kind <= FRONTEND_HTTPS;

	strbuf_printf(b, "\tmode %s\n", is_http ? "http" : "tcp");
	add_balance(b, f, spec);
	strbuf_printf(b, "\ttimeout connect %" PRId64 "ms\n\ttimeout queue %dms\n",
		      connect_ms ? connect_ms : CONNECT_MS, QUEUE_MS);
	add_keepalive(b, node_member(spec, "tcpKeepalive"));
	if (is_http)
		add_http(b, r, spec);
	else
		strbuf_printf(b, "\tretries 1\n\toption redispatch 1\n\ttimeout tunnel %us\n",
			      r->cluster->idle_s[SPW_IDLE_ESTABLISHED]);
}
