/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request's listener is the most specific one that its host fits (with TLS: its SNI), then the most
 * specific host of that listener's routes, then the first match there: hosts are variables that later lines
 * overwrite, so they are written from the least specific on.
 */
#include "handoff/l7_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/hash.h"
#include "handoff/l7_dynamic.h"
#include "handoff/l7_text.h"
#include "tables/compile.h"

#define NO_RULE	   "no-rule"
#define NO_BACKEND "no-backend"
#define NO_TCP	   "no-connection"

struct planning {
	struct arena *arena;
	const struct ids *ids;
	const struct model *model;
	const struct l7_plan_options *opts;
	struct plan *files;
	struct l7_plan *out;
};

static bool is_http(const struct frontend *f)
{
	return f->kind == FRONTEND_HTTP || f->kind == FRONTEND_HTTPS;
}

static bool ends_tls(const struct frontend *f)
{
	return f->kind == FRONTEND_HTTPS || f->kind == FRONTEND_END;
}

static const char *frontend_name(struct arena *a, const struct frontend *f)
{
	char vip[ADDR_PORT_TEXT_MAX];
	const char *text = arena_printf(a, "%s/%s/%s", f->gateway->project, f->gateway->res.name,
					addr_print_port(&f->vip, f->port, vip));

	return arena_printf(a, "f-%016llx", (unsigned long long)hash_bytes(text, strlen(text), 0));
}

static const char *cluster_name(struct arena *a, const struct service *s)
{
	char vip[ADDR_PORT_TEXT_MAX];
	const char *text =
		arena_printf(a, "%s %s %s %s %s", s->project, s->route->res.kind->name, s->name,
			     s->listener, addr_print_port(&s->vip, s->port, vip));

	return arena_printf(a, "c-%016llx", (unsigned long long)hash_bytes(text, strlen(text), 0));
}

static struct l7_section *add_section(struct planning *p, const char *name, struct strbuf *text)
{
	struct l7_section *s = arena_push(p->arena, p->out->sections, p->out->count);

	*s = (struct l7_section){
		.word = "backend",
		.name = name,
		.text = arena_strdup(p->arena, text->text ? text->text : ""),
		.id = SPW_ENDPOINT_NONE,
		.bind = "",
	};
	strbuf_done(text);
	*text = (struct strbuf){0};
	return s;
}

/* Certificates of the listener for any host come first: the first one is for who sends no name. */
static void list_certs(struct planning *p, const struct frontend *f, struct strbuf *b)
{
	for (int named = 0; named < 2; named++) {
		for (size_t i = 0; i < f->listener_count; i++) {
			const struct l7_listener *l = &f->listeners[i];

			if (!l->hostname == (named == 1))
				continue;
			for (size_t k = 0; k < l->pem_count; k++)
				strbuf_printf(b, "%s%s%s\n",
					      plan_add_file(p->arena, p->files, p->opts->dir,
							    l->pems[k], PLAN_FILE_CERT),
					      l->hostname && l->pem_count == 1 ? " " : "",
					      l->hostname && l->pem_count == 1 ? l->hostname : "");
		}
	}
}

static const char *bind_of(struct planning *p, const struct frontend *f)
{
	struct strbuf list = {0};
	bool is_strict = true;
	const char *path;

	if (!ends_tls(f))
		return "";
	for (size_t i = 0; i < f->listener_count; i++)
		is_strict = is_strict && f->listeners[i].hostname;
	list_certs(p, f, &list);
	path = plan_add_file(p->arena, p->files, p->opts->dir,
			     arena_strdup(p->arena, list.text ? list.text : ""), PLAN_FILE_LIST);
	strbuf_done(&list);
	return arena_printf(p->arena, " ssl crt-list %s%s%s", path, is_strict ? " strict-sni" : "",
			    is_http(f) ? " alpn h2,http/1.1" : "");
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

static void add_listeners(struct planning *p, const struct frontend *f, struct strbuf *b,
			  const char *to, const char *host)
{
	const size_t *order = order_listeners(p->arena, f);
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
static void add_match(struct planning *p, const struct frontend *f, size_t number, size_t host,
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
		add_use(b, NO_BACKEND, host, &acls);
		strbuf_printf(b, " { rand(1000000) lt %u }\n", r->invalid_ppm);
	}
	add_use(b, is_http(f) && is_void ? NO_BACKEND : cluster_name(p->arena, r->cluster), host,
		&acls);
	strbuf_puts(b, "\n");
	l7_acls_done(&acls);
}

static void add_http_head(struct planning *p, const struct frontend *f, struct strbuf *b)
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
	add_listeners(p, f, b, "txn.ls", "txn.host");
	if (f->kind == FRONTEND_HTTP)
		return;
	strbuf_puts(b, "\thttp-request set-var(txn.sni) ssl_fc_sni,lower\n");
	add_listeners(p, f, b, "txn.sl", "txn.sni");
	/* A client that reuses a connection for another name asks again over one of its own. */
	for (size_t i = 0; i < f->listener_count; i++)
		strbuf_printf(b,
			      "\thttp-request return status 421 if { var(txn.sl) -m int %zu } "
			      "{ var(txn.ls) -m found } !{ var(txn.ls) -m int %zu }\n",
			      i, i);
}

static void add_tcp_head(struct planning *p, const struct frontend *f, struct strbuf *b)
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
	add_listeners(p, f, b, "txn.ls", "txn.host");
}

static void add_frontend(struct planning *p, const struct frontend *f)
{
	const size_t *numbers = number_hosts(p->arena, f);
	struct strbuf b = {0};
	struct l7_section *s;

	if (is_http(f))
		add_http_head(p, f, &b);
	else
		add_tcp_head(p, f, &b);
	add_hosts(f, numbers, &b);
	if (f->kind == FRONTEND_PASS)
		strbuf_puts(&b, "\ttcp-request content accept if { req.ssl_hello_type 1 }\n");
	for (size_t i = 0; i < f->match_count; i++)
		add_match(p, f, i, numbers[i], &b);
	strbuf_printf(&b, "\tdefault_backend %s\n", is_http(f) ? NO_RULE : NO_TCP);
	s = add_section(p, frontend_name(p->arena, f), &b);
	s->word = "frontend";
	s->id = ids_endpoint(p->ids, f->instance);
	s->bind = bind_of(p, f);
}

static void add_server(struct planning *p, struct l7_section *s, const struct instance *i)
{
	const uint32_t id = ids_endpoint(p->ids, i);
	const char *refusal = plan_refusal(p->arena, i);

	if (refusal)
		p->out->problem = arena_printf(p->arena, "endpoint %s: %s", i->name, refusal);
	if (refusal || id == SPW_ENDPOINT_NONE)
		return;
	for (size_t n = 0; n < s->server_count; n++) {
		if (s->servers[n].id == id)
			return;
	}
	*arena_push(p->arena, s->servers, s->server_count) = (struct l7_server){
		.id = id,
		.address = plan_address(p->arena, i),
		.params = plan_params(p->arena, p->files, p->opts->dir, i),
	};
}

static void add_any(struct planning *p, struct l7_section *s, const struct l7_rule *r)
{
	if (!p->opts->resolver_port) {
		p->out->problem = "there is no name server for DynamicResolvers";
		return;
	}
	*arena_push(p->arena, s->servers, s->server_count) = (struct l7_server){
		.id = SPW_ENDPOINT_NONE,
		.address = "0.0.0.0:0",
		.params = l7_dynamic_params(p->arena, p->files, p->opts->dir, r),
		.weight = 1,
	};
}

static void add_cluster(struct planning *p, const struct frontend *f, const struct l7_rule *r)
{
	const struct service *c = r->cluster;
	struct strbuf b = {0};
	struct l7_section *s;

	l7_settings(&b, f, r);
	if (r->is_dynamic && p->opts->resolver_port)
		l7_dynamic(&b, p->model, f, r);
	if (is_http(f))
		l7_filters(&b, f, r->node);
	s = add_section(p, cluster_name(p->arena, c), &b);
	if (r->is_dynamic)
		add_any(p, s, r);
	for (size_t i = 0; i < c->locality_count; i++) {
		for (size_t k = 0; k < c->localities[i].count; k++)
			add_server(p, s, c->localities[i].members[k]);
	}
}

static void add_answers(struct planning *p)
{
	struct strbuf b = {0};

	if (p->opts->resolver_port) {
		l7_resolvers(&b, p->opts->resolver_port);
		add_section(p, L7_RESOLVERS, &b)->word = "resolvers";
	}

	strbuf_puts(&b, "\tmode http\n\thttp-request return status 404\n");
	(void)add_section(p, NO_RULE, &b);
	strbuf_puts(&b, "\tmode http\n\thttp-request return status 500\n");
	(void)add_section(p, NO_BACKEND, &b);
	strbuf_puts(&b, "\tmode tcp\n\ttcp-request content reject\n");
	(void)add_section(p, NO_TCP, &b);
}

void l7_plan_make(struct arena *a, const struct model *m, const struct ids *ids,
		  const struct l7_plan_options *opts, struct plan *files, struct l7_plan *out)
{
	struct planning p = {
		.arena = a, .ids = ids, .model = m, .opts = opts, .files = files, .out = out};

	*out = (struct l7_plan){0};
	for (size_t i = 0; i < m->frontend_count; i++) {
		const struct frontend *f = &m->frontends[i];

		if (ids_endpoint(ids, f->instance) == SPW_ENDPOINT_NONE)
			continue;
		add_frontend(&p, f);
		for (size_t r = 0; r < f->rule_count; r++)
			add_cluster(&p, f, &f->rules[r]);
	}
	if (out->count)
		add_answers(&p);
}

static struct l7_section *find_section(struct l7_plan *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++) {
		if (strcmp(p->sections[i].name, name) == 0)
			return &p->sections[i];
	}
	return NULL;
}

/* By server: one endpoint may have several shares. The greatest gets the most weight there is. */
static void weigh(struct l7_section *s, const struct service_plan *plan, const struct ids *ids)
{
	uint64_t most = 0, *sums = calloc(s->server_count + 1, sizeof(*sums));

	if (!sums)
		abort();
	for (size_t i = 0; i < plan->share_count; i++) {
		const uint32_t id = ids_endpoint(ids, plan->shares[i].instance);

		for (size_t n = 0; n < s->server_count; n++) {
			if (s->servers[n].id == id)
				sums[n] += plan->shares[i].share_ppm;
		}
	}
	for (size_t n = 0; n < s->server_count; n++)
		most = sums[n] > most ? sums[n] : most;
	for (size_t n = 0; n < s->server_count; n++) {
		if (s->servers[n].id == SPW_ENDPOINT_NONE)
			continue;
		const uint64_t w = most ? (sums[n] * L7_WEIGHT_MOST + most / 2) / most : 0;

		s->servers[n].weight = sums[n] && !w ? 1 : (unsigned int)w;
	}
	free(sums);
}

void l7_plan_weigh(struct arena *a, const struct model *m, const struct ids *ids,
		   const struct health_view *v, struct l7_plan *p)
{
	for (size_t i = 0; i < m->service_count; i++) {
		const struct service *s = &m->services[i];
		struct l7_section *section =
			s->proxied ? find_section(p, cluster_name(a, s)) : NULL;
		struct service_plan plan;

		if (!section)
			continue;
		tables_plan(a, s, v, &plan);
		weigh(section, &plan, ids);
	}
}

const struct l7_section *l7_plan_frontend(const struct l7_plan *p, uint32_t id)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->sections[i].id == id)
			return &p->sections[i];
	}
	return NULL;
}
