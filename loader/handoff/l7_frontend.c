/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request's listener is the most specific one that its host fits (with TLS: its SNI), then the most
 * specific host of that listener's routes, then the first match there: hosts are variables that later lines
 * overwrite, so they are written from the least specific on.
 */
#include <string.h>

#include "base/addr.h"
#include "base/hash.h"
#include "handoff/l7_text.h"

static bool is_http(const struct frontend *f)
{
	return f->kind == FRONTEND_HTTP || f->kind == FRONTEND_HTTPS;
}

const char *l7_cluster_name(struct arena *a, const struct service *s)
{
	char vip[ADDR_PORT_TEXT_MAX];
	const char *text =
		arena_printf(a, "%s %s %s %s %s", s->project, s->route->res.kind->name, s->name,
			     s->listener, addr_print_port(&s->vip, s->port, vip));

	return arena_printf(a, "c-%016llx", (unsigned long long)hash_bytes(text, strlen(text), 0));
}

static void add_host(struct strbuf *b, const char *var, const char *host)
{
	if (!host)
		return;
	strbuf_printf(b, " { var(%s) -m %s -- ", var, *host == '*' ? "end" : "str");
	l7_quote(b, *host == '*' ? host + 1 : host);
	strbuf_puts(b, " }");
}

/* Indices of the listeners, the least specific first. */
static size_t *order_listeners(struct arena *a, const struct frontend *f)
{
	size_t *order = arena_array(a, f->listener_count, sizeof(*order));

	for (size_t i = 0; i < f->listener_count; i++) {
		size_t at = i;

		for (; at > 0 && hosts_compare(f->listeners[order[at - 1]].hostname,
					       f->listeners[i].hostname) < 0;
		     at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	return order;
}

static void add_listeners(struct arena *a, const struct frontend *f, struct strbuf *b,
			  const char *to, const char *host)
{
	const size_t *order = order_listeners(a, f);
	const char *verb = is_http(f) ? "http-request" : "tcp-request content";

	for (size_t i = 0; i < f->listener_count; i++) {
		const char *name = f->listeners[order[i]].hostname;

		strbuf_printf(b, "\t%s set-var(%s) int(%zu)%s", verb, to, order[i],
			      name ? " if" : "");
		add_host(b, host, name);
		strbuf_puts(b, "\n");
	}
}

static bool is_same_host(const struct l7_match *a, const struct l7_match *b)
{
	return a->listener == b->listener &&
	       strcmp(a->host ? a->host : "", b->host ? b->host : "") == 0;
}

/* Matches stand by listener and host; the most specific comes first. Numbers them from 1. */
static size_t *number_hosts(struct arena *a, const struct frontend *f)
{
	size_t *numbers = arena_array(a, f->match_count + 1, sizeof(*numbers));

	for (size_t i = 0; i < f->match_count; i++)
		numbers[i] =
			i == 0 ? 1
			       : numbers[i - 1] + !is_same_host(&f->matches[i - 1], &f->matches[i]);
	return numbers;
}

static void add_hosts(const struct frontend *f, const size_t *numbers, struct strbuf *b)
{
	const char *verb = is_http(f) ? "http-request" : "tcp-request content";

	for (size_t i = f->match_count; i > 0; i--) {
		const struct l7_match *m = &f->matches[i - 1];

		if (i < f->match_count && numbers[i] == numbers[i - 1])
			continue;
		strbuf_printf(b, "\t%s set-var(txn.vh) int(%zu) if { var(txn.ls) -m int %zu }",
			      verb, numbers[i - 1], m->listener);
		add_host(b, "txn.host", m->host);
		strbuf_puts(b, "\n");
	}
}

static void add_use(struct strbuf *b, const char *name, size_t host, const struct l7_acls *acls)
{
	strbuf_printf(b, "\tuse_backend %s if { var(txn.vh) -m int %zu }%s", name, host,
		      acls->names.text ? acls->names.text : "");
}

/* `number`: of the match. */
static void add_match(struct arena *a, const struct frontend *f, size_t number, size_t host,
		      struct strbuf *b)
{
	const struct l7_match *m = &f->matches[number];
	const struct l7_rule *r = &f->rules[m->rule];
	const bool is_redirect = l7_is_redirect(r->node);
	const bool is_void = r->is_void || (r->invalid_ppm == 1000000 && !is_redirect);
	struct l7_acls acls = {.match = number};

	l7_acls_add(&acls, m->node);
	if (acls.lines.text)
		strbuf_puts(b, acls.lines.text);
	if (is_http(f) && !is_void && !is_redirect && r->invalid_ppm) {
		add_use(b, L7_NO_BACKEND, host, &acls);
		strbuf_printf(b, " { rand(1000000) lt %u }\n", r->invalid_ppm);
	}
	add_use(b, is_http(f) && is_void ? L7_NO_BACKEND : l7_cluster_name(a, r->cluster), host,
		&acls);
	strbuf_puts(b, "\n");
	l7_acls_done(&acls);
}

static void add_http_head(struct arena *a, const struct frontend *f, struct strbuf *b)
{
	strbuf_printf(b,
		      "\tmode http\n"
		      "\toption forwardfor\n"
		      "\ttimeout http-request 30s\n"
		      "\ttimeout http-keep-alive 1h\n"
		      "\ttimeout client 5m\n"
		      "\thttp-request set-header X-Forwarded-Proto %s\n"
		      "\thttp-request normalize-uri path-merge-slashes\n"
		      "\thttp-request normalize-uri path-strip-dotdot full\n"
		      "\thttp-request set-var(txn.host) req.hdr(host),host_only,lower\n",
		      f->kind == FRONTEND_HTTPS ? "https" : "http");
	add_listeners(a, f, b, "txn.ls", "txn.host");
	if (f->kind == FRONTEND_HTTP)
		return;
	strbuf_puts(b, "\thttp-request set-var(txn.sni) ssl_fc_sni,lower\n");
	add_listeners(a, f, b, "txn.sl", "txn.sni");
	/* A client that reuses a connection for another name asks again over one of its own. */
	for (size_t i = 0; i < f->listener_count; i++)
		strbuf_printf(b,
			      "\thttp-request return status 421 if { var(txn.sl) -m int %zu } "
			      "{ var(txn.ls) -m found } !{ var(txn.ls) -m int %zu }\n",
			      i, i);
}

static void add_tcp_head(struct arena *a, const struct frontend *f, struct strbuf *b)
{
	strbuf_puts(b, "\tmode tcp\n\ttimeout client-fin 60s\n");
	if (f->kind == FRONTEND_PASS)
		strbuf_puts(b, "\ttcp-request inspect-delay 5s\n"
			       "\ttcp-request content reject if !{ req.ssl_hello_type 1 } "
			       "WAIT_END\n"
			       "\ttcp-request content set-var(txn.host) req.ssl_sni,lower if "
			       "{ req.ssl_hello_type 1 }\n");
	else
		strbuf_puts(b, "\ttcp-request content set-var(txn.host) ssl_fc_sni,lower\n");
	add_listeners(a, f, b, "txn.ls", "txn.host");
}

void l7_frontend(struct arena *a, struct strbuf *b, const struct frontend *f)
{
	const size_t *numbers = number_hosts(a, f);

	if (is_http(f))
		add_http_head(a, f, b);
	else
		add_tcp_head(a, f, b);
	add_hosts(f, numbers, b);
	if (f->kind == FRONTEND_PASS)
		strbuf_puts(b, "\ttcp-request content accept if { req.ssl_hello_type 1 }\n");
	for (size_t i = 0; i < f->match_count; i++)
		add_match(a, f, i, numbers[i], b);
	strbuf_printf(b, "\tdefault_backend %s\n", is_http(f) ? L7_NO_RULE : L7_NO_TCP);
}
