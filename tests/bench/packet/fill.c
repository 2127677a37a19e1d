/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model made by hand goes the daemon's way: numbers, tables, steps, maps. So nothing here knows how
 * a service or an endpoint looks in a map; only what the daemon's loop does by itself is done here.
 */
#include "fill.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../../unit/model_fixture.h"
#include "base/network.h"
#include "dataplane/state.h"
#include "dataplane/ticks.h"
#include "spillway.skel.h"
#include "tables/compile.h"
#include "tables/motion.h"
#include "world.h"

#define MAX_ENDPOINTS 32768
#define MAX_SERVICES  16384
#define SLOT_LINES    262144
#define MAX_V6	      1000     /* IPv6 endpoints */
#define LATER_TICKS   20000000 /* 5 hours and more, whatever the kernel's HZ */
#define LEASE_S	      3000
#define SWEEP_SETS    1024

static struct {
	uv_loop_t loop;
	char run_dir[32];
	struct dataplane *dp;
	struct arena *arena; /* of the tables in force */
	struct tables have;
	struct ids *ids;
	struct fixture f;
} fill;

/*
 * Packets leave by XDP_TX and come with whole checksums, as on a card. The daemon does not say so of a
 * veth, whose other end may have no program: nothing is really sent here.
 */
static int be_a_card(void)
{
	const struct interface *i = interface_by_index(fill.dp, (uint32_t)world_ifindex());

	return i ? interface_row_put(fill.dp, &i->link, SPW_IF_TX) : -ENODEV;
}

/* The daemon's loop does not run, so that it disturbs nothing: this is what its timer would do. */
static int keep_lease(void)
{
	uint32_t now;

	if (!ticks_now(fill.dp->sweep_fd, &now))
		return -EIO;
	fill.dp->maps.config->hops_until = now + LEASE_S * ticks_a_second();
	return 0;
}

static int open_dataplane(uint32_t max_flows, const char *interface, const char **why)
{
	struct spw_addr sources[2 * WORLD_SOURCES];
	const struct dataplane_options opts = {
		.interfaces = &interface,
		.interface_count = 1,
		.xdp_mode = XDP_MODE_NATIVE,
		.run_dir = fill.run_dir,
		.sources = sources,
		.source_count = 2 * WORLD_SOURCES,
		.max_flows = max_flows,
		.max_flows6 = max_flows,
		.max_endpoints = MAX_ENDPOINTS,
		.max_services = MAX_SERVICES,
		.slot_lines = SLOT_LINES,
		.seed = 12345,
	};

	for (uint32_t i = 0; i < WORLD_SOURCES; i++) {
		sources[i] = world_source(4, i);
		sources[WORLD_SOURCES + i] = world_source(6, i);
	}
	return dataplane_open(fill.arena, &fill.loop, &opts, &fill.dp, why);
}

int fill_open(uint32_t max_flows, const char *interface)
{
	const char *why = "out of memory";
	int err;

	(void)strcpy(fill.run_dir, "/tmp/spw-bench-XXXXXX");
	fill.arena = arena_new();
	fill.ids = ids_new(&(struct ids_limits){MAX_ENDPOINTS, MAX_SERVICES});
	if (!mkdtemp(fill.run_dir) || !fill.arena || !fill.ids || uv_loop_init(&fill.loop))
		return -ENOMEM;
	err = open_dataplane(max_flows, interface, &why);
	if (!err)
		err = dataplane_readback(fill.dp, fill.arena, &fill.have);
	if (err)
		fprintf(stderr, "fill: %s: %s\n", why, strerror(-err));
	return err;
}

void fill_close(void)
{
	char path[64];

	dataplane_close(fill.dp);
	(void)uv_run(&fill.loop, UV_RUN_DEFAULT);
	(void)snprintf(path, sizeof(path), "%s/host-changes", fill.run_dir);
	(void)remove(path);
	(void)remove(fill.run_dir);
}

int fill_program(void)
{
	return fill.dp->xdp_fd;
}

/* libbpf sets the flag of the section's name while it loads, and does not tell. */
uint32_t fill_program_flags(void)
{
	const struct bpf_program *p = fill.dp->skel->progs.spillway_xdp;

	return bpf_program__flags(p) |
	       (strcmp(bpf_program__section_name(p), "xdp.frags") ? 0 : BPF_F_XDP_HAS_FRAGS);
}

static void add_service(int family, uint32_t vip, uint8_t proto, uint32_t first, uint32_t endpoints)
{
	struct service *s =
		fixture_service(&fill.f, 0, proto == IPPROTO_TCP ? FILL_TCP_PORT : FILL_UDP_PORT);

	s->vip = world_vip(family, vip);
	s->proto = proto;
	fixture_locality(&fill.f, s, 0, 1, first, endpoints);
}

/* Between clients as far as there are some, then one of many elsewhere, so that none touches another. */
static const struct netlist *make_list(void)
{
	static struct netlist list;
	struct networks n = {0};

	for (uint32_t i = 0; i < SCENARIO_NETWORK_COUNT; i++) {
		struct network *v4 = arena_push(fill.f.arena, n.items, n.count), *v6;

		v4->addr = world_client(4, i < 65536 ? i : 1000000 + 37 * i);
		v4->addr.b[15] |= 1;
		v4->bits = 128;
		v6 = arena_push(fill.f.arena, n.items, n.count);
		v6->addr = world_client(6, i);
		v6->addr.b[15] |= 1;
		v6->bits = 128;
	}
	netlist_build(fill.f.arena, &n, &list);
	return &list;
}

/* Four octets that count, as the driver writes them (shared.h). */
static void add_ids(struct service *s)
{
	const struct locality *l = &s->localities[0];

	s->quic.id_len[0] = 4;
	for (size_t i = 0; i < l->count; i++) {
		struct quic_id *id = arena_push(fill.f.arena, s->quic.ids, s->quic.count);

		id->key.b[3] = (uint8_t)(i >> 8);
		id->key.b[4] = (uint8_t)i;
		id->instance = l->members[i]->index;
	}
}

static void add_extra(enum scenario_extra extra)
{
	struct guard guard = {0};

	if (extra == SCENARIO_NETWORKS)
		guard.deny = make_list();
	if (extra == SCENARIO_LIMITS)
		guard = (struct guard){.rate = 10000000,
				       .burst = 10000000,
				       .source_rate = 10000000,
				       .source_burst = 10000000};
	for (size_t i = 0; i < fill.f.model.service_count; i++) {
		fill.f.model.services[i].guard = guard;
		if (extra == SCENARIO_LEAST)
			fill.f.model.services[i].pick = SPW_PICK_LEAST;
		if (extra == SCENARIO_QUIC && fill.f.model.services[i].proto == IPPROTO_UDP)
			add_ids(&fill.f.model.services[i]);
	}
}

/* With the endpoints from number `from` on. */
static void make_model(const struct fill_want *want, uint32_t from)
{
	uint32_t services = want->services, endpoints = want->endpoints;
	uint32_t v6 = endpoints < MAX_V6 ? endpoints : MAX_V6;

	fixture_init(&fill.f);
	fixture_room(&fill.f, endpoints + v6, services + 3);
	for (uint32_t i = 0; i < endpoints + v6; i++) {
		struct instance *at = fixture_instance(&fill.f, 0, FILL_PORT);

		at->addr = i < endpoints ? world_endpoint(4, from + i)
					 : world_endpoint(6, from + i - endpoints);
		at->mode = want->mode;
	}
	for (uint32_t i = 0; i < services; i++)
		add_service(4, i, IPPROTO_TCP, 0, endpoints);
	add_service(4, 0, IPPROTO_UDP, 0, endpoints);
	add_service(6, 0, IPPROTO_TCP, endpoints, v6);
	add_service(6, 0, IPPROTO_UDP, endpoints, v6);
}

static int apply(struct arena *a, bool moves, struct tables *want, const char **why)
{
	struct line_space slots, motions;
	struct motion_clock clock;
	struct steps steps;
	int err;

	err = tables_compile(a, &fill.f.model, &fill.f.view, fill.ids, SLOT_LINES, NULL, want, why);
	if (err)
		return err;
	if (moves) {
		dataplane_motion_clock(fill.dp, &clock);
		motions_make(a, &fill.have, want, &clock);
	}
	dataplane_resting(fill.dp, a, &slots, &motions);
	err = tables_diff(a, &fill.have, want, &slots, &motions, &steps);
	if (err)
		return err;
	return dataplane_apply(fill.dp, a, &steps, why);
}

/* Unless slots move from the tables in force, none is in motion: as if the gateway were new. */
static int fill_from(const struct fill_want *w, uint32_t from, bool moves)
{
	struct arena *a = arena_new();
	const char *why = "the tables do not fit";
	struct tables want;
	int err;

	if (!a)
		return -ENOMEM;
	make_model(w, from);
	add_extra(w->extra);
	err = ids_assign(fill.ids, &fill.f.model, &why);
	if (!err)
		err = apply(a, moves, &want, &why);
	fixture_done(&fill.f);
	if (err) {
		fprintf(stderr, "fill: %s: %s\n", why, strerror(-err));
		arena_free(a);
		return err;
	}
	arena_free(fill.arena);
	fill.arena = a;
	fill.have = want;
	return 0;
}

int fill_services(const struct fill_want *want)
{
	int err = 0;

	if (want->endpoints + MAX_V6 > sizeof(fill.f.health) / sizeof(fill.f.health[0]))
		return -E2BIG;
	if (want->moves)
		err = fill_from(want, want->endpoints, false);
	if (!err)
		err = fill_from(want, 0, want->moves);
	if (!err)
		err = be_a_card();
	return err ? err : keep_lease();
}

/* A walk of the sweep as the daemon makes it, `later` ticks from now. */
static int walk(uint32_t later, struct spw_sweep *args)
{
	const struct spw_meta *meta = dataplane_meta(fill.dp);
	uint32_t end = maps_flow_sets(meta->max_flows) + maps_flow_sets(meta->max_flows6);
	int err = 0;

	*args = (struct spw_sweep){.later = later, .sets = SWEEP_SETS};
	while (!err && args->first < end) {
		struct bpf_test_run_opts opts = {
			.sz = sizeof(opts),
			.ctx_in = args,
			.ctx_size_in = sizeof(*args),
		};

		err = bpf_prog_test_run_opts(fill.dp->sweep_fd, &opts);
	}
	if (!err)
		sweep_place(fill.dp, args->live);
	return err;
}

int fill_clear(void)
{
	struct spw_sweep args;
	int err = walk(LATER_TICKS, &args);

	return !err && (args.live[0] || args.live[1]) ? -EBUSY : err;
}

int fill_settle(void)
{
	struct spw_sweep args;

	return walk(0, &args);
}

int fill_each_flow(bool (*fn)(void *ctx, const struct flow_row *row), void *ctx)
{
	return dataplane_each_flow(fill.dp, fn, ctx);
}

void fill_stats(uint64_t stats[SPW_STAT_MAX])
{
	dataplane_stats(fill.dp, stats);
}
