/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Only services whose endpoints changed are computed anew, after the tables are in force: packets do
 * not wait for news. An endpoint may be in every service, so both the log and the ring of events
 * have a limit per turn; a ring that one change fills has forgotten everything else.
 */
#include "control/tier_events.h"

#include <string.h>

#include "base/addr.h"
#include "base/log.h"
#include "tables/compile.h"

#define LOG_MAX	   20
#define EVENTS_MAX 256
#define LOADS_TEXT 48

static int compare_services(const struct service *x, const struct service *y)
{
	int order = strcmp(x->project, y->project);

	if (!order)
		order = addr_compare(&x->vip, &y->vip);
	if (!order)
		order = (int)x->port - (int)y->port;
	if (!order)
		order = (int)x->proto - (int)y->proto;
	if (!order)
		order = (int)x->proxied - (int)y->proxied;
	if (!order && x->proxied)
		order = strcmp(x->name, y->name);
	return order || !x->proxied ? order : strcmp(x->listener, y->listener);
}

/* Both models have their services in this order: one walk. */
struct tier_loads *tier_loads_new(struct arena *a, const struct model *m,
				  const struct model *before, const struct tier_loads *loads)
{
	struct tier_loads *all = arena_array(a, m->service_count, sizeof(*all));
	const size_t count = before ? before->service_count : 0;
	const struct service *s;
	size_t b = 0;

	for (size_t i = 0; i < m->service_count; i++) {
		s = &m->services[i];
		while (b < count && compare_services(&before->services[b], s) < 0)
			b++;
		if (b < count && compare_services(&before->services[b], s) == 0)
			all[i] = loads[b];
	}
	return all;
}

static struct tier_loads loads_of(const struct service_plan *p)
{
	struct tier_loads l = {.is_known = true, .is_empty = true};

	for (size_t i = 0; i < p->share_count && l.is_empty; i++)
		l.is_empty = p->shares[i].share_ppm == 0;
	for (uint8_t t = 0; t < MODEL_TIERS; t++) {
		if (!p->tiers[t].total)
			continue;
		l.tiers = t + 1;
		l.percent[t] = (uint8_t)p->tiers[t].load_percent;
		l.panic |= (uint8_t)(p->tiers[t].panic << t);
	}
	return l;
}

static bool is_same(const struct tier_loads *a, const struct tier_loads *b)
{
	return a->is_empty == b->is_empty &&
	       (a->is_empty ||
		(a->panic == b->panic && memcmp(a->percent, b->percent, sizeof(a->percent)) == 0));
}

/* "70/30", in the order of the tiers; "none" when nobody gets anything. */
static void print_loads(const struct tier_loads *l, uint8_t tiers, char text[LOADS_TEXT])
{
	size_t used = 0;

	if (l->is_empty) {
		strcpy(text, "none");
		return;
	}
	for (uint8_t t = 0; t < tiers; t++)
		used += (size_t)snprintf(text + used, LOADS_TEXT - used, "%s%u", t ? "/" : "",
					 l->percent[t]);
}

/* Those tiers that are not all up, or tier 0 when all of them are. */
static void print_reason(const struct service_plan *p, char *text, size_t size)
{
	const struct tier_summary *t;
	size_t used = 0;

	text[0] = '\0';
	for (int n = 0; n < MODEL_TIERS && used < size; n++) {
		t = &p->tiers[n];
		if (t->healthy == t->total)
			continue;
		used += (size_t)snprintf(text + used, size - used, "%stier %d: %u of %u up%s",
					 used ? "; " : "", n, t->healthy, t->total,
					 t->panic ? ", panic" : "");
	}
	for (int n = 0; n < MODEL_TIERS && !used; n++) {
		t = &p->tiers[n];
		if (t->total)
			used = (size_t)snprintf(text, size, "tier %d: %u of %u up", n, t->healthy,
						t->total);
	}
	if (!used)
		(void)snprintf(text, size, "it has no endpoints");
}

static void tell(struct tier_news *n, const struct service *s, const struct tier_loads *was,
		 const struct service_plan *p, size_t number)
{
	const struct tier_loads now = loads_of(p);
	const uint8_t tiers = now.tiers > was->tiers ? now.tiers : was->tiers;
	char vip[ADDR_PORT_TEXT_MAX], from[LOADS_TEXT], to[LOADS_TEXT];
	struct event e = {.kind = "tiers"};

	print_loads(was, tiers, from);
	print_loads(&now, tiers, to);
	event_text(e.subject, sizeof(e.subject), "%s at %s/%s", s->name,
		   addr_print_port(&s->vip, s->port, vip), s->proto == IPPROTO_UDP ? "udp" : "tcp");
	event_text(e.from, sizeof(e.from), "%s", from);
	event_text(e.to, sizeof(e.to), "%s", to);
	print_reason(p, e.reason, sizeof(e.reason));
	if (number < LOG_MAX)
		log_info("tiers: %s: %s -> %s (%s)", e.subject, from, to, e.reason);
	if (number < EVENTS_MAX)
		(void)event_log_add(n->events, &e);
}

static void tell_rest(struct tier_news *n, size_t count)
{
	struct event e = {.kind = "tiers"};

	if (count > LOG_MAX)
		log_info("tiers: of %zu more services: changed as well", count - LOG_MAX);
	if (count <= EVENTS_MAX)
		return;
	event_text(e.subject, sizeof(e.subject), "%zu more services", count - EVENTS_MAX);
	event_text(e.reason, sizeof(e.reason), "they changed at the same time");
	(void)event_log_add(n->events, &e);
}

void tier_events_tell(struct tier_news *n)
{
	const struct service *s;
	struct service_plan plan;
	struct tier_loads now;
	size_t count = 0;

	for (size_t i = 0; i < n->model->service_count; i++) {
		AUTO(arena_free) struct arena *a = n->touched[i] ? arena_new() : NULL;

		if (!a)
			continue;
		s = &n->model->services[i];
		tables_plan(a, s, &n->view, &plan);
		now = loads_of(&plan);
		if (n->loads[i].is_known && !is_same(&n->loads[i], &now))
			tell(n, s, &n->loads[i], &plan, count++);
		n->loads[i] = now;
		n->touched[i] = false;
	}
	tell_rest(n, count);
}
