/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as manifests, taken all the way that does not touch the host: resources, model, tables,
 * and HAProxy's configuration. The tables of a second compile must need no step, a model that was
 * resolved again must become the same ones, and no text of a user's may begin a line of HAProxy's.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "handoff/l7_plan.h"
#include "manifest/manifest.h"
#include "model/model.h"
#include "tables/compile.h"
#include "tables/diff.h"
#include "tables/ids.h"

#define SLOT_LINES (1u << 20)

struct run {
	struct arena *arena;
	struct object *objects;
	size_t count;
	struct ids *ids;
	struct table_cache *cache;
	uint8_t salt; /* of the endpoints' health */
};

static void require(bool what, const char *why)
{
	if (what)
		return;
	fprintf(stderr, "%s\n", why);
	abort();
}

static struct spw_addr address(const char *text)
{
	struct spw_addr addr;

	require(addr_parse(text, &addr) == 0, text);
	return addr;
}

/* Two addresses for every name, one of each family. */
static struct name_addrs resolve(void *ctx, const struct name_wish *wish)
{
	static struct spw_addr addrs[2];

	(void)ctx;
	(void)wish;
	addrs[0] = address("203.0.113.9");
	addrs[1] = address("2001:db8::9");
	return (struct name_addrs){.addrs = addrs, .count = 2};
}

static struct model *make_model(struct run *r, struct diags *d)
{
	const struct spw_addr host[] = {address("198.51.100.1")};
	const struct model_options opts = {
		.on_host = r->salt & 1,
		.zone = r->salt & 2 ? "east" : NULL,
		.host_addrs = host,
		.host_addr_count = 1,
		.own_addrs = host,
		.own_addr_count = 1,
		.resolve = r->salt & 4 ? resolve : NULL,
	};

	return model_resolve(r->arena, r->objects, r->count, &opts, d);
}

static struct health_view make_view(struct run *r, const struct model *m)
{
	struct health_entry *entries = arena_array(r->arena, m->instance_count, sizeof(*entries));

	for (size_t i = 0; i < m->instance_count; i++) {
		entries[i].state = (r->salt + i) % 5 ? HEALTH_UP : HEALTH_DOWN;
		entries[i].ejected = (r->salt ^ i) % 7 == 0;
	}
	return (struct health_view){.entries = entries, .count = m->instance_count};
}

static char *printed(const struct tables *t)
{
	struct strbuf out = {0};

	tables_print(t, &out);
	return strbuf_take(&out);
}

/* A section's lines have a tab in front, and nothing but that tab is below a space. */
static void check_lines(const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		require(line[0] == '\t', "a line of a section without a tab");
		for (size_t i = 1; line[i] != '\n'; i++)
			require((unsigned char)line[i] >= ' ', "a control character");
	}
}

static void check_proxy(struct run *r, const struct model *m, const struct health_view *v)
{
	const struct l7_plan_options opts = {.dir = "/run/x", .resolver_port = 5354};
	struct plan files = {0};
	struct l7_plan plan = {0};

	l7_plan_make(r->arena, m, r->ids, &opts, &files, &plan);
	l7_plan_weigh(r->arena, m, r->ids, v, &plan);
	for (size_t i = 0; i < plan.count; i++) {
		check_lines(plan.sections[i].text);
		require(!strpbrk(plan.sections[i].name, " \t\r\n"), "a section's name");
		for (size_t n = 0; n < plan.sections[i].server_count; n++)
			require(!strpbrk(plan.sections[i].servers[n].params, "\r\n"), "a server");
	}
}

static bool compile(struct run *r, const struct model *m, const struct health_view *v,
		    struct tables *out)
{
	const char *why = NULL;

	if (ids_assign(r->ids, m, &why) ||
	    tables_compile(r->arena, m, v, r->ids, SLOT_LINES, r->cache, out, &why)) {
		require(why && why[0], "refused without a word");
		return false;
	}
	return true;
}

static void check_model(struct run *r, struct diags *d)
{
	const struct model *m = make_model(r, d), *again = make_model(r, NULL);
	struct health_view v = make_view(r, m);
	struct tables none = {0}, first = {0}, second = {0};
	const struct line_space space = {.lines = SLOT_LINES};
	struct steps steps = {0};
	char *a, *b;

	if (!compile(r, m, &v, &first))
		return;
	require(tables_diff(r->arena, &none, &first, &space, &space, &steps) == 0, "no room");
	check_proxy(r, m, &v);
	require(again->instance_count == m->instance_count, "another model");
	require(compile(r, again, &v, &second), "fits once only");
	a = printed(&first);
	b = printed(&second);
	require(strcmp(a, b) == 0, "other tables");
	free(a);
	free(b);
	memset(&steps, 0, sizeof(steps));
	require(tables_diff(r->arena, &first, &second, &space, &space, &steps) == 0 &&
			steps_empty(&steps),
		"the same tables need steps");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ids_limits limits = {4096, 1024};
	struct run r = {.arena = arena_new()};
	struct resources rs = {0};
	struct diags d;

	if (!r.arena || !size)
		goto out;
	r.salt = data[size - 1]; /* the end of a manifest says little */
	diags_init(&d, r.arena);
	(void)manifest_read_text(r.arena, &d, "fuzz.yaml", (const char *)data, size, NULL, &rs);
	r.count = rs.count;
	r.objects = arena_array(r.arena, r.count, sizeof(*r.objects));
	for (size_t i = 0; i < r.count; i++)
		r.objects[i] = (struct object){.res = rs.items[i], .project = "default"};
	r.ids = ids_new(&limits);
	r.cache = table_cache_new();
	require(r.ids && r.cache, "out of memory");
	check_model(&r, &d);
	ids_free(r.ids);
	table_cache_free(r.cache);
out:
	arena_free(r.arena);
	return 0;
}
