/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A name whose addresses changed makes a new generation of the same resources, as a change of the host's
 * own addresses does. An endpoint counts for new connections once HAProxy says that it has it.
 */
#include "control/userspace.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/reaction.h"
#include "dataplane/dataplane.h"
#include "health/pair.h"

#define STUB_PORT     5354 /* the same after a restart, while HAProxy is still the one of before */
#define NAMES_REST_MS 50   /* between generations that names make, at least */
#define SETTLE_MS     10000
#define ANSWER_MS     2000 /* of these for names: a name server that is silent takes no longer */
#define KEEP_MS	      300000

static struct names_wish wish_of(const struct name_wish *w)
{
	static const enum dns_family families[] = {
		[NAME_IPV4_PREFERRED] = DNS_IPV4_PREFERRED,
		[NAME_IPV6_PREFERRED] = DNS_IPV6_PREFERRED,
		[NAME_IPV4] = DNS_IPV4,
		[NAME_IPV6] = DNS_IPV6,
		[NAME_BOTH] = DNS_IPV4_AND_IPV6,
	};

	return (struct names_wish){
		.name = w->host,
		.family = families[w->family],
		.refresh_ms = w->refresh_ms,
		.respect_ttl = w->respect_ttl,
	};
}

static struct name_addrs resolve(void *ctx, const struct name_wish *w)
{
	const struct engine *e = ctx;
	const struct names_wish wish = wish_of(w);
	const struct names_answer *a = names_get(e->names, &wish);
	struct name_addrs found = {0};

	if (a)
		return (struct name_addrs){a->addrs, a->count};
	found.addrs = names_recall(e->names, &wish, &found.count);
	return found;
}

/* Those of the moment; a change is heeded with the next generation. */
static void list_own_addrs(struct arena *a, struct model_options *opts)
{
	struct spw_addr *list = NULL;
	struct ifaddrs *all = NULL;
	size_t count = 0;

	if (getifaddrs(&all))
		log_warn("proxy: this host's own addresses are not known: %s", strerror(errno));
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
			*arena_push(a, list, count) =
				addr_from_v4(((const struct sockaddr_in *)(const void *)i->ifa_addr)
						     ->sin_addr.s_addr);
		else if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET6)
			*arena_push(a, list, count) = addr_from_v6(
				&((const struct sockaddr_in6 *)(const void *)i->ifa_addr)
					 ->sin6_addr);
	}
	if (all)
		freeifaddrs(all);
	opts->own_addrs = list;
	opts->own_addr_count = count;
}

void userspace_options(struct engine *e, struct arena *a, struct model_options *opts)
{
	list_own_addrs(a, opts);
	opts->resolve = resolve;
	opts->resolve_ctx = e;
	opts->no_userspace = e->no_userspace;
	opts->refuse_pair = pair_refuse;
}

static void keep_names(struct engine *e)
{
	const int err = names_save(e->names, e->names_file);

	if (err)
		log_warn("dns: %s: %s: a restart begins without addresses", e->names_file,
			 strerror(-err));
	e->names_kept_ms = clock_ms();
}

/* An answer may be the same for days; its age would be that of the file. */
void userspace_keep(struct engine *e)
{
	if (e->now->model->wish_count && clock_ms() - e->names_kept_ms >= KEEP_MS)
		keep_names(e);
}

static void renew(struct engine *e)
{
	AUTO(arena_free) struct arena *a = arena_new();
	const uint64_t start_ms = clock_ms();
	struct model_options opts;
	struct object *objects;

	if (!a || !e->now)
		return;
	keep_names(e);
	opts = engine_model_options(e, a);
	objects = generation_copy(e->now, a);
	(void)engine_install(
		e, generation_new(TAKE(a), objects, e->now->model->object_count, &opts, e->now));
	e->names_done_ms = clock_ms();
	e->names_took_ms = e->names_done_ms - start_ms;
}

static void on_names_timer(uv_timer_t *timer)
{
	renew(timer->data);
}

/* Names whose answers change all the time are to leave the loop nine tenths of its time. */
static void on_names(void *ctx)
{
	struct engine *e = ctx;
	const uint64_t rest_ms = NAMES_REST_MS + 9 * e->names_took_ms;
	const uint64_t passed_ms = clock_ms() - e->names_done_ms;

	if (uv_is_active((uv_handle_t *)&e->names_timer))
		return;
	uv_update_time(e->loop);
	(void)uv_timer_start(&e->names_timer, on_names_timer,
			     passed_ms < rest_ms ? rest_ms - passed_ms : 0, 0);
}

static void follow(struct engine *e)
{
	const struct model *m = e->now->model;
	AUTO(free) struct names_wish *wishes = calloc(m->wish_count + 1, sizeof(*wishes));

	for (size_t i = 0; wishes && i < m->wish_count; i++)
		wishes[i] = wish_of(&m->wishes[i]);
	if (!wishes || names_follow(e->names, wishes, m->wish_count))
		log_error("dns: out of memory: names are followed as before");
}

static void hand_over(struct engine *e)
{
	const struct health_view view = generation_view(e->now);

	if (stub_refuse(e->stub, e->now->model->kept, e->now->model->kept_count))
		log_error("dns: out of memory: names may stand for VIPs");
	handoff_sync(e->handoff, e->now->model, e->ids, &view);
}

void userspace_shares(struct engine *e)
{
	const struct health_view view = generation_view(e->now);

	if (e->handoff && e->numbered)
		handoff_shares(e->handoff, e->now->model, e->ids, &view);
}

void userspace_sync(struct engine *e)
{
	follow(e);
	if (e->handoff && e->numbered)
		hand_over(e);
	if (!e->settle_until_ms && e->have.service_count)
		e->settle_until_ms = clock_ms() + SETTLE_MS;
}

static bool has_unanswered_names(const struct engine *e)
{
	const struct model *m = e->now->model;
	bool any = false;

	if (clock_ms() >= e->settle_until_ms - SETTLE_MS + ANSWER_MS)
		return false;
	for (size_t i = 0; i < m->wish_count && !any; i++) {
		const struct names_wish w = wish_of(&m->wishes[i]);
		const struct names_answer *a = names_get(e->names, &w);

		any = a && a->state == NAMES_UNKNOWN;
	}
	return any;
}

bool userspace_is_settling(struct engine *e)
{
	if (!e->settle_until_ms)
		return false;
	if (clock_ms() < e->settle_until_ms &&
	    (has_unanswered_names(e) || (e->handoff && handoff_is_pending(e->handoff))))
		return true;
	e->settle_until_ms = 0;
	return false;
}

static void on_steer(void *ctx, uint32_t id, int socket_v4, int socket_v6)
{
	struct engine *e = ctx;
	int err;

	if (socket_v4 < 0) {
		dataplane_steer_clear(e->dp, id);
		return;
	}
	err = dataplane_steer_set(e->dp, id, socket_v4, socket_v6);
	if (err)
		log_error("proxy: endpoint number %u: its connections cannot be steered: %s", id,
			  strerror(-err));
}

static void on_changed(void *ctx)
{
	reaction_look(ctx);
}

/*
 * What the packet path counts of the connections that it forwards, for those that it does not. HAProxy
 * says how many failed, not in which order.
 */
static void on_counted(void *ctx, uint32_t id, uint64_t made, uint64_t failed)
{
	struct engine *e = ctx;
	struct spw_signals *s = dataplane_signals(e->dp, id);
	struct spw_cohort *c;

	if (!s)
		return;
	c = &s->cohort[(clock_coarse_ns() >> SPW_COHORT_SHIFT) % SPW_COHORTS];
	__atomic_fetch_add(&c->opened, (uint32_t)made, __ATOMIC_RELAXED);
	if (made > failed)
		__atomic_fetch_add(&c->answered, (uint32_t)(made - failed), __ATOMIC_RELAXED);
	__atomic_fetch_add(&c->refused, (uint32_t)failed, __ATOMIC_RELAXED);
	s->run = made > failed ? 0 : s->run + (uint32_t)failed;
	if (failed)
		s->last_failure = SPW_FAILURE_REFUSED;
	if (s->run > s->run_max)
		s->run_max = s->run;
}

/* What is asked for in private networks is HAProxy's to say, which knows for whom. */
static int open_stub(struct engine *e, const struct engine_options *o)
{
	const struct dns_options dns = {.resolv_conf = o->resolv_conf, .search = DNS_SEARCH_NONE};
	struct stub_options opts = {.port = STUB_PORT, .allow_private = true};
	int err = dns_new(e->loop, &dns, &e->client_dns);

	opts.dns = e->client_dns;
	return err ? err : stub_new(e->loop, &opts, &e->stub);
}

static int open_handoff(struct engine *e, const struct engine_options *o)
{
	struct handoff_options opts = {
		.hooks = {.steer = on_steer,
			  .changed = on_changed,
			  .counted = on_counted,
			  .ctx = e},
		.run_dir = o->dataplane.run_dir,
		.haproxy = o->haproxy,
		.local_clients = o->local_clients,
	};
	uid_t uid;
	gid_t gid;
	int err;

	e->no_userspace = handoff_missing(o->haproxy);
	if (e->no_userspace) {
		log_warn("proxy: %s: %s", o->haproxy, e->no_userspace);
		return 0;
	}
	err = open_stub(e, o);
	if (err)
		return err;
	opts.resolver_port = stub_port(e->stub);
	err = handoff_new(e->loop, &opts, &e->handoff);
	if (err)
		return err;
	handoff_user(e->handoff, &uid, &gid);
	health_set_socket_user(uid, gid);
	for (size_t i = 0; i < e->have.endpoint_count; i++) {
		if (e->have.endpoints[i].mode == SPW_MODE_HANDOFF)
			handoff_trust(e->handoff, e->have.endpoints[i].id);
	}
	return 0;
}

int userspace_open(struct engine *e, const struct engine_options *o)
{
	const struct names_options opts = {
		.dns = {.resolv_conf = o->resolv_conf},
		.on_host = o->on_host,
		.events = e->events,
		.changed = on_names,
		.ctx = e,
	};
	int err = names_new(e->loop, &opts, &e->names);

	if (err)
		return err;
	e->names_file = arena_printf(e->arena, "%s/names", o->dataplane.run_dir);
	names_load(e->names, e->names_file);
	return open_handoff(e, o);
}

void userspace_close(struct engine *e)
{
	if (e->names && e->now && e->now->model->wish_count)
		keep_names(e);
	handoff_free(TAKE(e->handoff));
	if (e->stub)
		stub_free(TAKE(e->stub));
	if (e->client_dns)
		dns_free(TAKE(e->client_dns));
	names_free(TAKE(e->names));
}

void userspace_hold(const struct engine *e, struct health_entry *next)
{
	const struct model *m = e->now->model;

	for (size_t n = 0; e->numbered && n < m->instance_count; n++) {
		const struct instance *i = &m->instances[n];

		if (i->carried && i->steered)
			next[i->index].held =
				!e->handoff ||
				!handoff_is_ready(e->handoff, ids_endpoint(e->ids, i));
	}
}
