/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model that was patched against one that was resolved as a whole: random worlds, random changes of their
 * Backends, one patch upon another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/strbuf.h"
#include "manifest/manifest.h"
#include "model/ancestors.h"
#include "model/links.h"
#include "model/patch.h"
#include "tables/compile.h"

#define WORLDS	    240
#define STEPS	    40
#define OBJECTS_MAX 400
#define CHANGES_MAX 3

static const struct spw_addr host_addr = {.b = {[10] = 0xff, [11] = 0xff, 198, 51, 100, 9}};

struct world {
	uint64_t seed;
	bool is_wild; /* with what no patch is possible for, too */
	bool has_quic;
	unsigned int named, far;
	unsigned int gateways, routes, backends, policies;
	struct arena *texts; /* manifests and all that must outlive models */
	struct object objects[OBJECTS_MAX];
	size_t count;
	struct model_options opts;
};

static unsigned int pick(struct world *w, unsigned int below)
{
	w->seed = w->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(w->seed >> 33) % below;
}

static bool chance(struct world *w, unsigned int percent)
{
	return pick(w, 100) < percent;
}

static const char *namespace_of(unsigned int number)
{
	return number % 5 == 4 ? "other" : "default";
}

static void put_gateway(struct world *w, struct strbuf *b, unsigned int n)
{
	static const char *const protocols[] = {"TCP", "TCP", "TCP", "UDP"};

	strbuf_printf(b,
		      "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"
		      "metadata: {name: gw%u}\nspec:\n  gatewayClassName: spillway\n",
		      n);
	if (!chance(w, 10))
		strbuf_printf(b, "  addresses: [{value: 198.18.0.%u}%s]\n", pick(w, 12) + 1,
			      chance(w, 20) ? ", {value: \"2001:db8::1\"}" : "");
	strbuf_puts(b, "  listeners:\n");
	for (unsigned int i = 0; i < 4; i++)
		strbuf_printf(b,
			      "  - {name: l%u, protocol: %s, port: %u, allowedRoutes: "
			      "{namespaces: {from: %s}}}\n",
			      i, w->is_wild && chance(w, 5) ? "HTTP" : protocols[i],
			      80 + 2 * i + pick(w, 2), chance(w, 80) ? "All" : "Same");
}

static void put_route(struct world *w, struct strbuf *b, unsigned int n)
{
	const bool is_udp = chance(w, 20);
	const unsigned int first = pick(w, w->gateways + 1);
	const unsigned int parents = chance(w, 15) ? 2 : 1, refs = pick(w, 3) + chance(w, 90);

	strbuf_printf(b,
		      "apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: %s\nmetadata:\n"
		      "  name: r%u\n  namespace: %s\n",
		      is_udp ? "UDPRoute" : "TCPRoute", n, namespace_of(n));
	if (chance(w, 10))
		strbuf_puts(b, "  annotations: {spillway.dev/no-endpoint: drop}\n");
	else if (!w->far && chance(w, 10))
		strbuf_puts(
			b,
			"  annotations: {spillway.dev/allow-sources-from: \"nets\", spillway.dev/new-flows-per-second: \"5\"}\n");
	strbuf_puts(b, "spec:\n  parentRefs:\n");
	for (unsigned int i = 0; i < parents; i++) {
		strbuf_printf(b, "  - {name: gw%u, namespace: default", first + i);
		if (chance(w, 70))
			strbuf_printf(b, ", sectionName: l%u", pick(w, 4));
		strbuf_puts(b, "}\n");
	}
	strbuf_puts(b, refs ? "  rules:\n  - backendRefs:\n"
			    : "  rules: [{backendRefs: [{name: x, port: 1}]}]\n");
	for (unsigned int i = 0; i < refs; i++) {
		const unsigned int to = pick(w, w->backends + 1);

		strbuf_printf(b,
			      "    - {group: gateway.envoyproxy.io, kind: Backend, name: b%u, "
			      "namespace: %s, weight: %u}\n",
			      to, namespace_of(to), pick(w, 5));
	}
}

static void put_endpoint(struct world *w, struct strbuf *b)
{
	if (w->is_wild && chance(w, 4)) {
		strbuf_puts(b, "  - {ip: {address: 127.0.0.1, port: 80}}\n");
		return;
	}
	if (chance(w, 10))
		strbuf_printf(b, "  - {ip: {address: \"2001:db8::%u\", port: 80}", pick(w, 9) + 16);
	else
		strbuf_printf(b, "  - {ip: {address: 10.0.0.%u, port: %u}", pick(w, 40) + 1,
			      80 + pick(w, 2));
	if (chance(w, 25))
		strbuf_printf(b, ", zone: z%u", pick(w, 3));
	if (chance(w, w->named))
		strbuf_printf(b, ", hostname: h%u.example", pick(w, 3));
	strbuf_puts(b, "}\n");
}

static void put_backend(struct world *w, struct strbuf *b, unsigned int n)
{
	unsigned int count = pick(w, 6) + 1;

	strbuf_printf(b,
		      "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata:\n"
		      "  name: b%u\n  namespace: %s\n  annotations:\n    a: b\n",
		      n, namespace_of(n));
	if (chance(w, 15))
		strbuf_puts(b, "    spillway.dev/on-removal: reset\n");
	if (chance(w, 10))
		strbuf_puts(b, "    spillway.dev/udp-replies: expected\n");
	if (w->has_quic && chance(w, 10))
		strbuf_puts(b, "    spillway.dev/quic-server-ids: address/4\n");
	if (chance(w, w->is_wild ? 8 : 2))
		strbuf_puts(b, "    spillway.dev/forwarding: l2\n");
	strbuf_puts(b, "spec:\n");
	if (chance(w, 25))
		strbuf_puts(b, "  fallback: true\n");
	if (chance(w, 10))
		strbuf_puts(b, "  appProtocols: [gateway.envoyproxy.io/h2c]\n");
	strbuf_puts(b, "  endpoints:\n");
	if (w->is_wild && chance(w, 6)) {
		strbuf_puts(b, "  - {fqdn: {hostname: a.example, port: 80}}\n");
		return;
	}
	while (count--)
		put_endpoint(w, b);
}

static void put_policy(struct world *w, struct strbuf *b, unsigned int n)
{
	const bool is_wide = chance(w, 40);

	strbuf_printf(b,
		      "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: BackendTrafficPolicy\n"
		      "metadata: {name: p%u}\nspec:\n",
		      n);
	if (w->is_wild && chance(w, 5))
		strbuf_puts(b, "  targetSelectors: [{group: gateway.networking.k8s.io, kind: "
			       "TCPRoute, matchLabels: {a: b}}]\n");
	else
		strbuf_printf(b,
			      "  targetRefs: [{group: gateway.networking.k8s.io, kind: %s, name: "
			      "%s%u}]\n",
			      is_wide ? "Gateway" : "TCPRoute", is_wide ? "gw" : "r",
			      pick(w, is_wide ? w->gateways : w->routes));
	if (!is_wide && chance(w, 30))
		strbuf_puts(b, "  mergeType: StrategicMerge\n");
	if (chance(w, 40))
		strbuf_printf(b, "  loadBalancer: {type: LeastRequest}\n");
	else if (chance(w, 30))
		strbuf_puts(
			b,
			"  loadBalancer: {type: RoundRobin, slowStart: {window: 5s}, zoneAware: {preferLocal: {minEndpointsThreshold: 1}}}\n");
	else if (chance(w, 30))
		strbuf_printf(b,
			      "  loadBalancer: {type: RoundRobin, zoneAware: {weightedZones: "
			      "[{zone: z0, weight: 3}, {zone: z1, weight: %u}]}}\n",
			      w->is_wild ? pick(w, 2) : 2);
	strbuf_puts(b, "  healthCheck:\n    panicThreshold: 30\n");
	if (chance(w, 30))
		strbuf_printf(b, "    active: {type: HTTP, http: {path: /%s}}\n",
			      chance(w, 50) ? ", hostname: x.example" : "");
	else if (chance(w, 50))
		strbuf_printf(b, "    active: {type: TCP, tcp: {}, interval: %us}\n",
			      pick(w, 2) + 1);
	if (chance(w, 40))
		strbuf_puts(b, "    passive: {consecutive5XxErrors: 3}\n");
}

static struct object read_one(struct world *w, struct strbuf *b)
{
	const struct manifest_options opts = {.namespace = "default"};
	struct resources found = {0};
	struct object o = {.project = chance(w, w->far) ? "far" : "default",
			   .created_s = 1000 + pick(w, 50),
			   .generation = 1};
	struct diags d;

	diags_init(&d, w->texts);
	(void)manifest_read_text(w->texts, &d, NULL, b->text, b->len, &opts, &found);
	if (found.count != 1)
		fail_msg("%s: %s", b->text, d.count ? d.items[0].text : "nothing");
	strbuf_done(b);
	o.res = found.items[0];
	o.res.loc = (struct loc){0};
	return o;
}

static void add(struct world *w, void (*put)(struct world *, struct strbuf *, unsigned int),
		unsigned int count)
{
	for (unsigned int n = 0; n < count; n++) {
		struct strbuf b = {0};

		put(w, &b, n);
		w->objects[w->count++] = read_one(w, &b);
	}
}

static void put_grant(struct world *w, struct strbuf *b, unsigned int n)
{
	(void)w;
	strbuf_printf(b,
		      "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\n"
		      "metadata: {name: g, namespace: %s}\nspec:\n  from:\n"
		      "  - {group: gateway.networking.k8s.io, kind: TCPRoute, namespace: %s}\n"
		      "  to: [{group: gateway.envoyproxy.io, kind: Backend}]\n",
		      n ? "default" : "other", n ? "other" : "default");
}

static void put_map(struct world *w, struct strbuf *b, unsigned int n)
{
	(void)w;
	strbuf_printf(
		b,
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: nets, namespace: %s}\ndata: {a: \"10.0.0.0/8\"}\n",
		n ? "other" : "default");
}

static void put_class(struct world *w, struct strbuf *b, unsigned int n)
{
	(void)n;
	strbuf_printf(
		b,
		"apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: spillway}\nspec: {controllerName: %s}\n",
		chance(w, 50) ? "spillway.dev/gateway" : "x.example/y");
}

static void make_world(struct world *w, uint64_t seed)
{
	*w = (struct world){.seed = seed, .texts = arena_new()};
	w->is_wild = chance(w, 20);
	w->has_quic = chance(w, 25);
	w->named = chance(w, 30) ? 15 : 1;
	w->far = chance(w, 30) ? 20 : 0;
	w->gateways = pick(w, 8) + 1;
	w->routes = pick(w, 25) + 1;
	w->backends = pick(w, 40) + 1;
	w->policies = pick(w, 6);
	w->opts = (struct model_options){.host_addrs = &host_addr,
					 .host_addr_count = 1,
					 .own_addrs = &host_addr,
					 .own_addr_count = 1};
	w->opts.zone = chance(w, 50) ? "z0" : NULL;
	add(w, put_gateway, w->gateways);
	add(w, put_backend, w->backends);
	add(w, put_route, w->routes);
	add(w, put_policy, w->policies);
	add(w, put_grant, pick(w, 3));
	add(w, put_map, 2);
	add(w, put_class, chance(w, 10));
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_object(const struct object *a, const struct object *b)
{
	return (!a && !b) ||
	       (a && b && a->res.kind == b->res.kind && same_text(a->res.name, b->res.name) &&
		same_text(a->res.namespace, b->res.namespace));
}

#define EXPECT(what)                                                                               \
	do {                                                                                       \
		if (!(what))                                                                       \
			fail_msg("not as in a whole resolve: %s", #what);                          \
	} while (0)

static void compare_conditions(const struct object *a, const struct object *b)
{
	EXPECT(a->condition_count == b->condition_count);
	for (size_t i = 0; i < a->condition_count; i++) {
		const struct condition *x = &a->conditions[i], *y = &b->conditions[i];

		EXPECT(same_text(x->type, y->type));
		EXPECT(x->status == y->status);
		EXPECT(same_text(x->reason, y->reason));
		EXPECT(same_text(x->message, y->message));
		EXPECT(same_text(x->parent, y->parent));
		EXPECT(same_text(x->section, y->section));
		EXPECT(same_text(x->parent_kind, y->parent_kind));
		EXPECT(x->port == y->port);
	}
}

static void compare_object(const struct object *a, const struct object *b)
{
	EXPECT(same_object(a, b));
	EXPECT(a->res.root == b->res.root);
	EXPECT(a->generation == b->generation);
	EXPECT(a->accepted == b->accepted);
	EXPECT(a->foreign == b->foreign);
	EXPECT(!a->attached == !b->attached);
	for (size_t i = 0; a->attached && i < 4; i++)
		EXPECT(a->attached[i] == b->attached[i]);
	EXPECT(a->ancestor_count == b->ancestor_count);
	for (size_t i = 0; i < a->ancestor_count; i++) {
		EXPECT(same_text(a->ancestors[i].kind, b->ancestors[i].kind));
		EXPECT(same_text(a->ancestors[i].name, b->ancestors[i].name));
		EXPECT(same_text(a->ancestors[i].namespace, b->ancestors[i].namespace));
		EXPECT(same_text(a->ancestors[i].section, b->ancestors[i].section));
	}
	compare_conditions(a, b);
}

static bool same_check(const struct check *a, const struct check *b)
{
	return (!a && !b) || (a && b && a->type == b->type && a->interval_ms == b->interval_ms &&
			      a->timeout_ms == b->timeout_ms && a->port == b->port);
}

static bool same_passive(const struct passive *a, const struct passive *b)
{
	return (!a && !b) ||
	       (a && b && a->interval_ms == b->interval_ms && a->consecutive == b->consecutive &&
		a->max_ejection_percent == b->max_ejection_percent &&
		a->udp_replies == b->udp_replies);
}

static void compare_instance(const struct instance *a, const struct instance *b)
{
	EXPECT(instance_compare(a, b) == 0);
	EXPECT(a->carried == b->carried);
	EXPECT(a->steered == b->steered);
	EXPECT(same_text(a->name, b->name));
	EXPECT(same_text(a->host, b->host));
	EXPECT(same_text(a->fqdn, b->fqdn));
	EXPECT(same_check(a->check, b->check));
	EXPECT(same_passive(a->passive, b->passive));
	EXPECT(!a->tls == !b->tls);
	EXPECT(!a->pool == !b->pool);
	EXPECT(a->app == b->app);
	EXPECT(a->proto == b->proto);
	EXPECT(a->slow_start_ms == b->slow_start_ms);
	EXPECT(a->reset_on_removal == b->reset_on_removal);
	EXPECT(same_text(a->hostname, b->hostname));
	EXPECT(same_text(a->zone, b->zone));
	EXPECT(same_text(a->backend, b->backend));
	EXPECT(a->service_count == b->service_count);
	for (size_t i = 0; i < a->service_count; i++)
		EXPECT(a->services[i] == b->services[i]);
}

/* Their numbers may differ, but one to one. */
struct pairs {
	const struct model *a, *b;
	uint32_t *of; /* by index in a: index in b, plus 1 */
	uint32_t *back;
};

static void compare_member(struct pairs *p, const struct instance *a, const struct instance *b)
{
	EXPECT(a == &p->a->instances[a->index]);
	EXPECT(b == &p->b->instances[b->index]);
	EXPECT(p->of[a->index] == 0 || p->of[a->index] == b->index + 1);
	EXPECT(p->back[b->index] == 0 || p->back[b->index] == a->index + 1);
	if (p->of[a->index])
		return;
	p->of[a->index] = b->index + 1;
	p->back[b->index] = a->index + 1;
	compare_instance(a, b);
}

static void compare_locality(struct pairs *p, const struct locality *a, const struct locality *b)
{
	EXPECT(same_object(a->backend, b->backend));
	EXPECT(same_text(a->zone, b->zone));
	EXPECT(a->weight == b->weight);
	EXPECT(a->tier == b->tier);
	EXPECT(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		compare_member(p, a->members[i], b->members[i]);
		EXPECT(same_object(a->backends[i], b->backends[i]));
		EXPECT(same_text(a->zones[i], b->zones[i]));
	}
}

static bool is_within(const struct model *m, const struct object *o)
{
	return !o || (o >= m->objects && o < m->objects + m->object_count);
}

static void compare_quic(struct pairs *p, const struct quic_map *a, const struct quic_map *b)
{
	EXPECT(memcmp(a->id_len, b->id_len, sizeof(a->id_len)) == 0);
	EXPECT(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		EXPECT(memcmp(&a->ids[i].key, &b->ids[i].key, sizeof(a->ids[i].key)) == 0);
		compare_member(p, &p->a->instances[a->ids[i].instance],
			       &p->b->instances[b->ids[i].instance]);
	}
}

static void compare_service(struct pairs *p, const struct service *a, const struct service *b)
{
	EXPECT(addr_equal(&a->vip, &b->vip) && a->port == b->port && a->proto == b->proto);
	EXPECT(same_text(a->project, b->project) && same_text(a->name, b->name));
	EXPECT(same_text(a->listener, b->listener) && a->proxied == b->proxied);
	EXPECT(is_within(p->a, a->gateway) && is_within(p->a, a->route));
	EXPECT(same_object(a->gateway, b->gateway) && same_object(a->route, b->route));
	EXPECT(same_object(a->policy, b->policy));
	EXPECT(is_within(p->a, a->policy) == is_within(p->b, b->policy));
	EXPECT(a->panic_threshold == b->panic_threshold);
	EXPECT(a->new_flows == b->new_flows && a->live_flows == b->live_flows);
	EXPECT(memcmp(a->idle_s, b->idle_s, sizeof(a->idle_s)) == 0);
	EXPECT(a->pick == b->pick && a->table_size == b->table_size);
	EXPECT(memcmp(&a->prefer_local, &b->prefer_local, sizeof(a->prefer_local)) == 0);
	EXPECT(same_text(a->local_zone, b->local_zone) && same_text(a->zone_note, b->zone_note));
	EXPECT(a->guard.rate == b->guard.rate && !a->guard.allow == !b->guard.allow);
	compare_quic(p, &a->quic, &b->quic);
	EXPECT(a->locality_count == b->locality_count && a->handoff_count == b->handoff_count);
	for (size_t i = 0; i < a->locality_count; i++)
		compare_locality(p, &a->localities[i], &b->localities[i]);
	for (size_t i = 0; i < a->handoff_count; i++) {
		compare_member(p, a->handoff[i], b->handoff[i]);
		EXPECT(same_object(a->handoff_backends[i], b->handoff_backends[i]));
		EXPECT(a->handoff_tiers[i] == b->handoff_tiers[i]);
	}
}

static void compare_models(struct arena *a, const struct model *x, const struct model *y)
{
	struct pairs p = {x, y, arena_array(a, x->instance_count, sizeof(uint32_t)),
			  arena_array(a, y->instance_count, sizeof(uint32_t))};

	EXPECT(x->object_count == y->object_count);
	for (size_t i = 0; i < x->object_count; i++)
		compare_object(&x->objects[i], &y->objects[i]);
	EXPECT(x->instance_count == y->instance_count);
	EXPECT(x->service_count == y->service_count);
	for (size_t i = 0; i < x->service_count; i++)
		compare_service(&p, &x->services[i], &y->services[i]);
	for (size_t i = 0; i < x->instance_count; i++)
		EXPECT(p.of[i]); /* each was met */
	EXPECT(x->vip_count == y->vip_count && x->kept_count == y->kept_count);
	for (size_t i = 0; i < x->vip_count; i++)
		EXPECT(addr_equal(&x->vips[i], &y->vips[i]));
	for (size_t i = 0; i < x->kept_count; i++)
		EXPECT(addr_equal(&x->kept[i], &y->kept[i]));
	EXPECT(x->lost_count == y->lost_count);
	for (size_t i = 0; i < x->lost_count; i++) {
		EXPECT(same_object(x->lost[i].gateway, y->lost[i].gateway));
		EXPECT(same_object(x->lost[i].owner, y->lost[i].owner));
		EXPECT(is_within(x, x->lost[i].gateway) && is_within(x, x->lost[i].owner));
		EXPECT(same_text(x->lost[i].listener, y->lost[i].listener));
	}
	EXPECT(x->frontend_count == y->frontend_count && x->wish_count == y->wish_count);
}

static void compare_plans(struct arena *a, const struct model *x, const struct model *y)
{
	const struct health_view nobody_knows = {0};
	struct service_plan p, q;

	for (size_t i = 0; i < x->service_count; i++) {
		tables_plan(a, &x->services[i], &nobody_knows, &p);
		tables_plan(a, &y->services[i], &nobody_knows, &q);
		EXPECT(memcmp(p.tiers, q.tiers, sizeof(p.tiers)) == 0);
		EXPECT(p.share_count == q.share_count);
		for (size_t n = 0; n < p.share_count; n++)
			EXPECT(p.shares[n].share_ppm == q.shares[n].share_ppm);
	}
}

static int by_text(const void *a, const void *b)
{
	const struct diag *x = a, *y = b;

	if (x->subject != y->subject)
		return x->subject < y->subject ? -1 : 1;
	return strcmp(x->text, y->text);
}

static void compare_warnings(struct diags *a, struct diags *b)
{
	EXPECT(a->count == b->count);
	if (!a->count)
		return;
	qsort(a->items, a->count, sizeof(*a->items), by_text);
	qsort(b->items, b->count, sizeof(*b->items), by_text);
	for (size_t i = 0; i < a->count; i++)
		EXPECT(same_text(a->items[i].text, b->items[i].text));
	for (size_t i = 0; i < a->count; i++)
		EXPECT(a->items[i].subject == b->items[i].subject);
}

static int by_instance(const void *a, const void *b)
{
	return instance_compare(*(struct instance *const *)a, *(struct instance *const *)b);
}

static struct instance **sorted_instances(struct arena *a, const struct model *m)
{
	struct instance **list = arena_array(a, m->instance_count, sizeof(*list));

	for (size_t i = 0; i < m->instance_count; i++)
		list[i] = &m->instances[i];
	if (m->instance_count)
		qsort(list, m->instance_count, sizeof(*list), by_instance);
	return list;
}

/* Each index of before is gone or leads to what it was. */
static void check_indices(const struct model *before, const struct model *now,
			  const struct patched *p)
{
	for (size_t i = 0; i < before->instance_count; i++) {
		if (p->instances[i] == PATCH_GONE)
			continue;
		assert_true(p->instances[i] < now->instance_count);
		assert_int_equal(
			instance_compare(&before->instances[i], &now->instances[p->instances[i]]),
			0);
	}
	for (size_t i = 0; i < now->instance_count; i++)
		assert_int_equal(now->instances[i].index, i);
}

/* A run of patches: what lasts, what the latest model lives in, and the warnings in force. */
struct chain {
	struct world *world;
	struct arena *lasting[STEPS + 1];
	size_t lasting_count;
	struct arena *arena;
	struct model *model;
	struct diags warnings;
	size_t patches, whole, warned;
};

static void begin_chain(struct chain *c)
{
	struct world *w = c->world;

	c->arena = arena_new();
	c->lasting[0] = arena_new();
	c->lasting_count = 1;
	diags_init(&c->warnings, c->lasting[0]);
	c->model = model_resolve(c->lasting[0], w->objects, w->count, &w->opts, &c->warnings);
	c->model->links = links_new(c->lasting[0], c->model);
}

static void end_chain(struct chain *c)
{
	arena_free(c->arena);
	for (size_t i = 0; i < c->lasting_count; i++)
		arena_free(c->lasting[i]);
}

static void step(struct chain *c)
{
	struct world *w = c->world;
	struct arena *a = arena_new(), *lasting = arena_new(), *whole = arena_new();
	struct patch_object changes[CHANGES_MAX];
	struct patch p = {
		.before = c->model,
		.warnings = &c->warnings,
		.by_place = sorted_instances(a, c->model),
		.objects = changes,
		.opts = &w->opts,
	};
	struct patched patched;
	struct diags d, all;
	struct model *m, *reference;

	for (unsigned int n = pick(w, CHANGES_MAX) + 1; n; n--) {
		const unsigned int number = pick(w, w->backends);
		const size_t place = w->gateways + number;
		struct strbuf b = {0};
		bool is_twice = false;

		for (size_t i = 0; i < p.count; i++)
			is_twice = is_twice || changes[i].place == place;
		if (is_twice)
			continue;
		put_backend(w, &b, number);
		w->objects[place].res = read_one(w, &b).res;
		w->objects[place].generation++;
		changes[p.count++] = (struct patch_object){place, w->objects[place], true};
	}
	diags_init(&d, a);
	diags_init(&all, whole);
	m = model_patch(a, lasting, &p, &d, &patched);
	reference = model_resolve(whole, w->objects, w->count, &w->opts, &all);
	if (!m) {
		c->whole++;
		assert_int_equal(d.count, 0);
		arena_free(a);
		arena_free(lasting);
		arena_free(whole);
		end_chain(c);
		begin_chain(c);
		return;
	}
	c->patches++;
	compare_models(whole, m, reference);
	compare_plans(whole, m, reference);
	compare_warnings(&d, &all);
	check_indices(c->model, m, &patched);
	c->warnings = d;
	c->warned += d.count > 0;
	arena_free(c->arena);
	arena_free(whole);
	c->arena = a;
	c->lasting[c->lasting_count++] = lasting;
	c->model = m;
}

static void a_patched_model_equals_one_that_is_resolved_as_a_whole(void **state)
{
	size_t patches = 0, whole = 0, warned = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= WORLDS; seed++) {
		static struct world w;
		struct chain c = {.world = &w};

		make_world(&w, seed);
		begin_chain(&c);
		for (int i = 0; i < STEPS; i++)
			step(&c);
		patches += c.patches;
		whole += c.whole;
		warned += c.warned;
		end_chain(&c);
		arena_free(w.texts);
	}
	print_message("%zu patches, %zu of them with warnings, %zu whole resolves\n", patches,
		      warned, whole);
	assert_true(patches > WORLDS * STEPS / 3);
	assert_true(warned > WORLDS);
	assert_true(whole > WORLDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_patched_model_equals_one_that_is_resolved_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
