/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sections by name: what they are called says what they are for, so that a server keeps its section while
 * rules around it come and go.
 */
#include "handoff/l7_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/hash.h"
#include "handoff/l7_dynamic.h"
#include "handoff/l7_text.h"
#include "tables/compile.h"

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

static void add_frontend(struct planning *p, const struct frontend *f)
{
	struct strbuf b = {0};
	struct l7_section *s;

	l7_frontend(p->arena, &b, f);
	s = add_section(p, frontend_name(p->arena, f), &b);
	s->word = "frontend";
	s->id = ids_endpoint(p->ids, f->instance);
	s->bind = bind_of(p, f);
}

static uint32_t tag_of(const struct l7_server *s)
{
	return (uint32_t)hash_bytes(s->params, strlen(s->params),
				    hash_bytes(s->address, strlen(s->address), 0));
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
	s->servers[s->server_count - 1].tag = tag_of(&s->servers[s->server_count - 1]);
}

static void add_any(struct planning *p, struct l7_section *s, const struct l7_rule *r)
{
	const struct instance any = {.kind = ENDPOINT_IP, .tls = r->dynamic_tls};
	const char *refusal;

	if (!p->opts->resolver_port) {
		p->out->problem = "there is no name server for DynamicResolvers";
		return;
	}
	refusal = plan_refusal(p->arena, &any);
	if (refusal) {
		p->out->problem = arena_printf(p->arena, "DynamicResolver: %s", refusal);
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
	s = add_section(p, l7_cluster_name(p->arena, c), &b);
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
	(void)add_section(p, L7_NO_RULE, &b);
	strbuf_puts(&b, "\tmode http\n\thttp-request return status 500\n");
	(void)add_section(p, L7_NO_BACKEND, &b);
	strbuf_puts(&b, "\tmode tcp\n\ttcp-request content reject\n");
	(void)add_section(p, L7_NO_TCP, &b);
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

static int compare_sections(const void *va, const void *vb)
{
	const struct l7_section *a = *(struct l7_section *const *)va;
	const struct l7_section *b = *(struct l7_section *const *)vb;

	return strcmp(a->name, b->name);
}

/* Sections by name. */
static struct l7_section **sort_sections(struct arena *a, struct l7_plan *p)
{
	struct l7_section **list = arena_array(a, p->count, sizeof(struct l7_section *));

	for (size_t i = 0; i < p->count; i++)
		list[i] = &p->sections[i];
	if (p->count > 1)
		qsort(list, p->count, sizeof(struct l7_section *), compare_sections);
	return list;
}

static struct l7_section *find_section(struct l7_section **list, size_t count, const char *name)
{
	struct l7_section key = {.name = name}, *p = &key, **found;

	found = count ? bsearch(&p, list, count, sizeof(struct l7_section *), compare_sections)
		      : NULL;
	return found ? *found : NULL;
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
	struct l7_section **list = sort_sections(a, p);

	for (size_t i = 0; i < m->service_count; i++) {
		const struct service *s = &m->services[i];
		struct l7_section *section =
			s->proxied ? find_section(list, p->count, l7_cluster_name(a, s)) : NULL;
		struct service_plan plan;

		if (!section)
			continue;
		tables_plan(a, s, v, &plan);
		weigh(section, &plan, ids);
	}
}

void l7_server_name(const struct l7_server *s, char out[L7_NAME_MAX])
{
	if (s->id == SPW_ENDPOINT_NONE)
		(void)snprintf(out, L7_NAME_MAX, "any");
	else
		(void)snprintf(out, L7_NAME_MAX, "e%u-%08x", s->id, s->tag);
}

const struct l7_section *l7_plan_frontend(const struct l7_plan *p, uint32_t id)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->sections[i].id == id)
			return &p->sections[i];
	}
	return NULL;
}
