/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists, limits, weights and ways to pick as the daemon writes them: packets heed them, a restart reads
 * them back and finds nothing to do, and counts of open flows begin where the flows are.
 */
#include "groups.h"
#include "world.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/log.h"
#include "base/network.h"
#include "dataplane/state.h"
#include "tables/compile.h"

#include "../unit/model_fixture.h"

#define SLOT_LINES 8192
#define NETWORKS   20000

static struct {
	uv_loop_t loop;
	struct dataplane *dp;
	struct arena *arena;
	struct ids *ids;
	char dir[64], bpffs[80], run_dir[80];
} daemon_;

static struct fixture fixture;
static struct netlist allowed;

static void must(int err, const char *what, const char *why)
{
	if (err)
		fail_msg("%s: %s: %s", what, strerror(-err), why ? why : "no reason given");
}

/* A service by load with weights, everybody within NETWORKS networks and two limits. */
static void make_model(void)
{
	struct networks n = {0};
	struct service *s;

	fixture_init(&fixture);
	fixture_room(&fixture, 2, 1);
	for (uint32_t i = 0; i < 2; i++) {
		struct instance *at = fixture_instance(&fixture, 0, 8080);

		at->addr = addr_of(i ? "10.2.0.12" : "10.2.0.11");
	}
	s = fixture_service(&fixture, 0, 80);
	s->vip = addr_of(VIP4);
	s->pick = SPW_PICK_LEAST;
	fixture_locality(&fixture, s, 0, 3, 0, 1);
	fixture_locality(&fixture, s, 0, 1, 1, 1);
	for (uint32_t i = 0; i < NETWORKS; i++)
		*arena_push(fixture.arena, n.items, n.count) =
			(struct network){fixture_addr(0x10000 + 4 * i), 127};
	*arena_push(fixture.arena, n.items, n.count) = (struct network){addr_of("10.1.0.0"), 120};
	netlist_build(fixture.arena, &n, &allowed);
	s->guard = (struct guard){.allow = &allowed, .rate = 1000000, .burst = 1000};
}

static size_t steps_to_model(const char *apply)
{
	struct tables have, want;
	struct line_space slots, motions;
	struct steps steps;
	const char *why = NULL;

	must(dataplane_readback(daemon_.dp, daemon_.arena, &have), "readback", NULL);
	must(ids_assign(daemon_.ids, &fixture.model, &why), "numbers", why);
	must(tables_compile(daemon_.arena, &fixture.model, &fixture.view, daemon_.ids, SLOT_LINES,
			    NULL, &want, &why),
	     "compile", why);
	dataplane_resting(daemon_.dp, daemon_.arena, &slots, &motions);
	must(tables_diff(daemon_.arena, &have, &want, &slots, &motions, &steps), "compare", NULL);
	if (apply)
		must(dataplane_apply(daemon_.dp, daemon_.arena, &steps, &why), apply, why);
	return steps_empty(&steps) ? 0 : 1 + steps.slots_put_count;
}

static void start(void)
{
	const char *const interfaces[] = {"client", "server"};
	const struct dataplane_options opts = {
		.interfaces = interfaces,
		.interface_count = 2,
		.xdp_mode = XDP_MODE_NATIVE,
		.bpffs = daemon_.bpffs,
		.run_dir = daemon_.run_dir,
		.max_flows = 1024,
		.max_endpoints = 64,
		.max_services = 16,
		.slot_lines = SLOT_LINES,
		.seed = 12345,
	};
	const char *why = NULL;

	daemon_.arena = arena_new();
	assert_non_null(daemon_.arena);
	must(dataplane_open(daemon_.arena, &daemon_.loop, &opts, &daemon_.dp, &why), "open", why);
}

static void stop(void)
{
	dataplane_close(daemon_.dp);
	daemon_.dp = NULL;
	(void)uv_run(&daemon_.loop, UV_RUN_DEFAULT);
	arena_free(daemon_.arena);
	daemon_.arena = NULL;
}

static int prepare(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	(void)strcpy(daemon_.dir, "/tmp/spw-extras-XXXXXX");
	assert_non_null(mkdtemp(daemon_.dir));
	(void)snprintf(daemon_.bpffs, sizeof(daemon_.bpffs), "%s/bpf", daemon_.dir);
	(void)snprintf(daemon_.run_dir, sizeof(daemon_.run_dir), "%s/run", daemon_.dir);
	assert_int_equal(mkdir(daemon_.run_dir, 0700), 0);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_true(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || errno == EINVAL);
	assert_int_equal(uv_loop_init(&daemon_.loop), 0);
	daemon_.ids = ids_new(&(struct ids_limits){64, 16});
	assert_non_null(daemon_.ids);
	make_model();
	return world_pass(false);
}

static int clean_up(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	const char *why = NULL;

	(void)state;
	if (daemon_.dp) /* the test has failed */
		stop();
	must(dataplane_detach(a, daemon_.bpffs, daemon_.run_dir, &why), "detach", why);
	(void)uv_loop_close(&daemon_.loop);
	ids_free(daemon_.ids);
	fixture_done(&fixture);
	(void)rmdir(daemon_.bpffs);
	(void)rmdir(daemon_.run_dir);
	(void)rmdir(daemon_.dir);
	return world_pass(true);
}

/* A client's SYN through the daemon's program: its end. */
static int send_syn(const char *from, uint16_t port)
{
	struct desc d = from_client(TCP4);
	struct frame in, out;
	struct xdp_md ctx = {.ingress_ifindex = (uint32_t)world.if_client};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in.b, .data_out = out.b,
		    .data_size_out = sizeof(out.b), .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));

	d.src = addr_of(from);
	d.sport = port;
	frame_build(&d, &in);
	opts.data_size_in = ctx.data_end = (uint32_t)in.len;
	assert_int_equal(bpf_prog_test_run_opts(daemon_.dp->xdp_fd, &opts), 0);
	return (int)opts.retval;
}

static uint64_t stat_of(enum spw_stat row)
{
	uint64_t stats[SPW_STAT_MAX];

	dataplane_stats(daemon_.dp, stats);
	return stats[row];
}

static int64_t load_of(size_t instance)
{
	return daemon_.dp->maps.loads[ids_endpoint(daemon_.ids, &fixture.model.instances[instance])]
		.open;
}

static void what_is_written_is_heeded_and_read_back_without_a_step(void **state)
{
	struct spw_service_stats refused;

	(void)state;
	start();
	assert_true(steps_to_model("apply") > 2); /* the table, its weights, the list */
	assert_int_equal(steps_to_model(NULL), 0);
	assert_int_not_equal(send_syn("10.1.0.20", 1000), XDP_DROP);
	assert_int_equal(send_syn("10.7.0.20", 1000), XDP_DROP);
	assert_int_equal(stat_of(SPW_DROP_SOURCE_NOT_ALLOWED), 1);
	dataplane_service_stats(daemon_.dp, ids_service(daemon_.ids, &fixture.model.services[0]),
				&refused);
	assert_int_equal(refused.not_allowed, 1);
	stop();
	start();
	assert_int_equal(steps_to_model(NULL), 0);
	assert_int_equal(send_syn("10.7.0.20", 1000), XDP_DROP);
	stop();
}

static void a_list_changes_as_a_whole_beside_the_old_one(void **state)
{
	struct networks n = {0};
	struct netlist denied;

	(void)state;
	start();
	(void)steps_to_model("apply");
	*arena_push(fixture.arena, n.items, n.count) = (struct network){addr_of("10.1.0.0"), 120};
	netlist_build(fixture.arena, &n, &denied);
	fixture.model.services[0].guard.deny = &denied;
	assert_int_equal(steps_to_model("a second list"), 1 + 1); /* the first one is known */
	assert_int_equal(send_syn("10.1.0.20", 2000), XDP_DROP);
	assert_int_equal(stat_of(SPW_DROP_SOURCE_DENIED), 1);
	fixture.model.services[0].guard = (struct guard){0};
	assert_int_equal(steps_to_model("none"), 1);
	assert_int_not_equal(send_syn("10.7.0.20", 2000), XDP_DROP);
	stop();
}

static void counts_begin_with_the_flows_that_are_open(void **state)
{
	const uint16_t flows = 40;
	uint64_t opened;
	int64_t sum;

	(void)state;
	start();
	fixture.model.services[0].guard = (struct guard){0};
	fixture.model.services[0].pick = SPW_PICK_FLOW;
	(void)steps_to_model("by hash");
	for (uint16_t i = 0; i < flows; i++)
		(void)send_syn("10.1.0.20", (uint16_t)(3000 + i));
	opened = stat_of(SPW_COUNT_FLOW_CREATED);
	assert_true(opened >= flows);
	assert_int_equal(load_of(0) + load_of(1), 0);
	fixture.model.services[0].pick = SPW_PICK_LEAST;
	(void)steps_to_model("by load");
	sum = load_of(0) + load_of(1);
	assert_true(sum > 0 && (uint64_t)sum <= opened);
	(void)send_syn("10.1.0.20", 4000);
	assert_int_equal(load_of(0) + load_of(1), sum + 1);
	/* What goes wrong is mended within a second or two. */
	daemon_.dp->maps.loads[ids_endpoint(daemon_.ids, &fixture.model.instances[0])].open += 30;
	for (int i = 0; i < 50 && load_of(0) + load_of(1) != sum + 1; i++) {
		(void)uv_run(&daemon_.loop, UV_RUN_NOWAIT);
		usleep(100000);
	}
	assert_int_equal(load_of(0) + load_of(1), sum + 1);
	stop();
}

int extras_daemon_tests(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, prepare, clean_up)
	const struct CMUnitTest extras[] = {
		T(what_is_written_is_heeded_and_read_back_without_a_step),
		T(a_list_changes_as_a_whole_beside_the_old_one),
		T(counts_begin_with_the_flows_that_are_open),
	};
#undef T

	return cmocka_run_group_tests(extras, NULL, NULL);
}
