/* SPDX-License-Identifier: BSD-2-Clause */
/* Models from manifests: short forms of the resources, and questions to what became of them. */
#ifndef SPILLWAY_TESTS_MANIFEST_FIXTURE_H
#define SPILLWAY_TESTS_MANIFEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "base/addr.h"
#include "base/strbuf.h"
#include "model/model.h"

#define EDGE                                                                                       \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge}\n"        \
	"spec:\n  gatewayClassName: spillway\n  addresses: [{value: 192.0.2.1}]\n"                 \
	"  listeners:\n  - {name: web, protocol: TCP, port: 80}\n"                                 \
	"  - {name: dns, protocol: UDP, port: 53}\n---\n"

#define BACKEND(name, addr)                                                                        \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: " name "}\n"  \
	"spec: {endpoints: [{ip: {address: " addr ", port: 8080}}]}\n---\n"

#define FALLBACK(name, addr)                                                                       \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: " name "}\n"  \
	"spec: {fallback: true, endpoints: [{ip: {address: " addr ", port: 8080}}]}\n---\n"

#define REF(name) "{group: gateway.envoyproxy.io, kind: Backend, name: " name "}"

#define ROUTE_OF(kind, name, parent, refs)                                                         \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: " kind "\nmetadata: {name: " name "}\n"   \
	"spec: {parentRefs: [" parent "], rules: [{backendRefs: [" refs "]}]}\n---\n"

#define ROUTE(name, refs) ROUTE_OF("TCPRoute", name, "{name: edge, sectionName: web}", refs)

#define POLICY(name, spec)                                                                         \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: BackendTrafficPolicy\n"                 \
	"metadata: {name: " name "}\nspec: {" spec "}\n---\n"

#define ON(kind, name)                                                                             \
	"targetRefs: [{group: gateway.networking.k8s.io, kind: " kind ", name: " name "}]"

static struct arena *arena;
static struct diags diags;
static struct model_options opts;
static struct object objects[64];
static size_t object_count;
static struct model *m;

static inline int setup(void **state)
{
	(void)state;
	arena = arena_new();
	diags_init(&diags, arena);
	memset(&opts, 0, sizeof(opts));
	memset(objects, 0, sizeof(objects));
	object_count = 0;
	return arena ? 0 : -1;
}

/* Nothing is given yet, once more; what is in the arena stays. */
static inline void afresh(void)
{
	diags_init(&diags, arena);
	memset(objects, 0, sizeof(objects));
	object_count = 0;
}

static inline int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* Adds a text's objects, the first of them created at `created_s`, each next a second later. */
static inline void add(const char *project, int64_t created_s, const char *text)
{
	struct resources out = {0};
	const struct manifest_options mo = {0};

	assert_int_equal(
		manifest_read_text(arena, &diags, "in.yaml", text, strlen(text), &mo, &out), 0);
	if (diags.errors)
		diags_print(&diags, stderr);
	assert_int_equal(diags.errors, 0);
	for (size_t i = 0; i < out.count; i++)
		objects[object_count++] = (struct object){
			.res = out.items[i],
			.project = project,
			.created_s = created_s + (int64_t)i,
		};
}

static inline void resolve(void)
{
	m = model_resolve(arena, objects, object_count, &opts, &diags);
}

static inline void given(const char *text)
{
	add("default", 1, text);
	resolve();
}

static inline const struct object *object(const char *kind, const char *name)
{
	for (size_t i = 0; i < m->object_count; i++) {
		const struct object *o = &m->objects[i];

		if (strcmp(o->res.kind->name, kind) == 0 && strcmp(o->res.name, name) == 0)
			return o;
	}
	fail_msg("no %s %s", kind, name);
	return NULL;
}

/* "TYPE=STATUS REASON MESSAGE" of the first condition of the type and section (NULL: any). */
static inline const char *condition(const struct object *o, const char *type, const char *section)
{
	for (size_t i = 0; i < o->condition_count; i++) {
		const struct condition *c = &o->conditions[i];

		if (strcmp(c->type, type) == 0 &&
		    (!section || (c->section && strcmp(c->section, section) == 0)))
			return arena_printf(arena, "%s %s %s", c->status ? "True" : "False",
					    c->reason, c->message);
	}
	return "none";
}

static inline void expect(const struct object *o, const char *type, const char *text)
{
	const char *have = condition(o, type, NULL);

	if (!strstr(have, text))
		print_error("%s %s %s: %s\n  expected: %s\n", o->res.kind->name, o->res.name, type,
			    have, text);
	assert_non_null(strstr(have, text));
	assert_null(strstr(have, "(null)")); /* a text whose argument was never set */
}

static inline void expect_warning(const char *text)
{
	for (size_t i = 0; i < diags.count; i++) {
		if (strstr(diags.items[i].text, text)) {
			assert_int_equal(diags.items[i].severity, DIAG_WARNING);
			assert_true(diags.items[i].loc.line > 0);
			return;
		}
	}
	diags_print(&diags, stderr);
	fail_msg("no warning: %s", text);
}

static inline const char *address(const struct instance *i)
{
	char buf[ADDR_PORT_TEXT_MAX];

	return arena_strdup(arena, addr_print_port(&i->addr, i->port, buf));
}

/* "VIP:PORT/PROTO name: tier/weight ADDR...; ..." of all services. */
static inline const char *services(void)
{
	struct strbuf b = {0};
	char buf[ADDR_PORT_TEXT_MAX], *text;

	for (size_t i = 0; i < m->service_count; i++) {
		const struct service *s = &m->services[i];

		strbuf_printf(&b, "%s/%s %s:", addr_print_port(&s->vip, s->port, buf),
			      s->proto == IPPROTO_TCP ? "tcp" : "udp", s->name);
		for (size_t l = 0; l < s->locality_count; l++) {
			strbuf_printf(&b, " %u/%u", s->localities[l].tier, s->localities[l].weight);
			for (size_t k = 0; k < s->localities[l].count; k++)
				strbuf_printf(&b, " %s", address(s->localities[l].members[k]));
		}
		strbuf_puts(&b, "\n");
	}
	text = strbuf_take(&b);
	strbuf_puts(&b, arena_strdup(arena, text));
	free(text);
	text = arena_strdup(arena, b.text ? b.text : "");
	strbuf_done(&b);
	return text;
}

#endif
