/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `spillway compile`: the tables that manifests would become, without a daemon. Hidden: it is there
 * for the golden tests and for looking at a question like "who would get these slots?".
 */
#include <errno.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/limits.h"
#include "ctl/ctl.h"
#include "model/health_view.h"
#include "model/model.h"
#include "tables/compile.h"
#include "tables/ids.h"

static const struct flag flags[] = {
	LOAD_FLAGS,
	{.name = "down",
	 .type = FLAG_TEXTS,
	 .value = "ADDR[:PORT]",
	 .help = "Endpoints whose checks fail"},
	{.name = "set-down",
	 .type = FLAG_TEXTS,
	 .value = "ADDR[:PORT]",
	 .help = "Endpoints that the operator has set down"},
	{.name = "host-address",
	 .type = FLAG_TEXTS,
	 .value = "ADDR",
	 .help = "What Gateways without addresses get"},
	{.name = "zone",
	 .type = FLAG_TEXT,
	 .value = "NAME",
	 .help = "The zone that this gateway is in"},
	{.name = NULL},
};

static struct object *objects_of(struct ctl *c, const struct resources *rs)
{
	struct object *objects = arena_array(c->arena, rs->count, sizeof(*objects));

	for (size_t i = 0; i < rs->count; i++)
		objects[i] = (struct object){.res = rs->items[i], .project = c->project};
	return objects;
}

static bool is_meant(const struct instance *i, const char *text)
{
	struct spw_addr addr;
	uint16_t port = i->port;

	if (addr_parse_port(text, &addr, &port) && addr_parse(text, &addr))
		return false;
	return addr_equal(&addr, &i->addr) && port == i->port;
}

/* Whether any instance was meant. */
static bool mark(const struct model *m, struct health_entry *entries, const char *text,
		 struct health_entry as)
{
	bool found = false;

	for (size_t i = 0; i < m->instance_count; i++) {
		if (!is_meant(&m->instances[i], text))
			continue;
		entries[i] = as;
		found = true;
	}
	return found;
}

static int mark_all(struct ctl *c, const struct model *m, struct health_entry *entries,
		    const char *flag, struct health_entry as)
{
	size_t count;
	const char **texts = args_texts(&c->args, flag, &count);

	for (size_t i = 0; i < count; i++) {
		if (!mark(m, entries, texts[i], as))
			return ctl_error("--%s %s: no such endpoint", flag, texts[i]);
	}
	return 0;
}

static int read_host_addrs(struct ctl *c, struct model_options *opts)
{
	size_t count;
	const char **texts = args_texts(&c->args, "host-address", &count);
	struct spw_addr *addrs = arena_array(c->arena, count, sizeof(*addrs));

	for (size_t i = 0; i < count; i++) {
		if (addr_parse(texts[i], &addrs[i]))
			return ctl_error("--host-address %s: no IP address", texts[i]);
	}
	opts->host_addrs = addrs;
	opts->host_addr_count = count;
	return 0;
}

static void print_tiers(const struct service_plan *plan)
{
	for (unsigned int i = 0; i < MODEL_TIERS; i++) {
		const struct tier_summary *t = &plan->tiers[i];

		if (t->total)
			printf("  tier %u: %u of %u up, can carry %u %%, gets %u %%%s\n", i,
			       t->healthy, t->total, t->available_percent, t->load_percent,
			       t->panic ? ", in panic" : "");
	}
}

static void print_plan(struct ctl *c, const struct service *s, const struct health_view *v)
{
	struct service_plan plan;
	char text[ADDR_PORT_TEXT_MAX];

	tables_plan(c->arena, s, v, &plan);
	printf("plan %s at %s/%s\n", s->name, addr_print_port(&s->vip, s->port, text),
	       s->proto == IPPROTO_UDP ? "udp" : "tcp");
	print_tiers(&plan);
	if (s->prefer_local.enabled)
		printf("  own zone %s preferred\n", s->local_zone);
	if (s->zone_note)
		printf("  zones: %s\n", s->zone_note);
	for (size_t i = 0; i < plan.share_count; i++) {
		const struct share *share = &plan.shares[i];
		const char *zone = share->zone;

		printf("  %s tier %u weight %u%s%s: %.4f %%\n",
		       addr_print_port(&share->instance->addr, share->instance->port, text),
		       share->locality->tier, share->locality->weight, zone ? " zone " : "",
		       zone ? zone : "", share->share_ppm / 10000.0);
	}
}

static int compile(struct ctl *c, const struct model *m, const struct health_view *v)
{
	const struct ids_limits limits = {SPW_ENDPOINTS_LIMIT, LIMIT_SERVICES};
	AUTO(ids_free) struct ids *ids = ids_new(&limits);
	const char *why = "out of memory";
	struct strbuf out = {0};
	struct tables t;

	if (!ids || ids_assign(ids, m, &why) ||
	    tables_compile(c->arena, m, v, ids, UINT32_MAX, NULL, &t, &why))
		return ctl_error("%s", why);
	for (size_t i = 0; i < m->service_count; i++)
		print_plan(c, &m->services[i], v);
	tables_print(&t, &out);
	(void)fputs(out.text ? out.text : "", stdout);
	strbuf_done(&out);
	return 0;
}

static int run(struct ctl *c)
{
	struct model_options opts = {.zone = args_text(&c->args, "zone")};
	struct health_entry *entries;
	struct health_view view;
	struct resources rs = {0};
	struct model *m;
	struct diags d;

	diags_init(&d, c->arena);
	if (read_host_addrs(c, &opts) || ctl_load(c, &d, &rs))
		return 1;
	m = model_resolve(c->arena, objects_of(c, &rs), rs.count, &opts, &d);
	entries = arena_array(c->arena, m->instance_count, sizeof(*entries));
	view = (struct health_view){.entries = entries, .count = m->instance_count};
	ctl_sort_diags(&d);
	diags_print(&d, stderr);
	if (d.errors)
		return 1;
	if (mark_all(c, m, entries, "down", (struct health_entry){.state = HEALTH_DOWN}) ||
	    mark_all(c, m, entries, "set-down", (struct health_entry){.admin = SPW_ADMIN_DOWN}))
		return 1;
	return compile(c, m, &view);
}

const struct verb verb_compile = {
	.name = "compile",
	.usage =
		"-f FILE|DIR|- [-f ...] [-R] [--down ADDR[:PORT]] [--set-down ADDR[:PORT]] [--zone NAME]",
	.summary = "Print the tables that manifests become, without a daemon",
	.flags = flags,
	.hidden = true,
	.run = run,
};
