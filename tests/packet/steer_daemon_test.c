/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's part of the userspace path: it loads the program that finds sockets, keeps it attached
 * while it is away itself, says which socket is whose, and takes all of it off again.
 */
#include "groups.h"
#include "steer_sockets.h"
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

#include "base/addr.h"
#include "base/log.h"
#include "dataplane/state.h"
#include "tables/diff.h"

#define FIRST  1
#define SECOND 2

static struct {
	uv_loop_t loop;
	char dir[32], bpffs[64], run_dir[64], pin[128];
	struct dataplane *dp;
	struct arena *arena;
	struct steps steps; /* of the latest start */
} gateway;

static struct listeners sockets[2];
static uint16_t next_port;

static const uint16_t slots[] = {FIRST, SECOND};
static struct table_endpoint rows[] = {
	{.id = FIRST, .port = 443, .mode = SPW_MODE_HANDOFF, .pickable = true, .up = true},
	{.id = SECOND, .port = 443, .mode = SPW_MODE_HANDOFF, .pickable = true, .up = true},
};

static void must(int err, const char *what, const char *why)
{
	if (err)
		fail_msg("%s: %s: %s", what, strerror(-err), why ? why : "no reason given");
}

static struct tables wanted(void)
{
	static struct table_slots table;
	static struct table_service service;

	rows[0].addr = addr_of("100::1");
	rows[1].addr = addr_of("127.0.0.9");
	table = (struct table_slots){.size = 2, .base = TABLE_UNPLACED, .slots = slots};
	service = (struct table_service){
		.vip = addr_of(VIP4), .port = 80, .proto = IPPROTO_TCP, .spare = TABLE_NONE};
	return (struct tables){.endpoints = rows,
			       .endpoint_count = 2,
			       .slots = &table,
			       .slots_count = 1,
			       .services = &service,
			       .service_count = 1};
}

/* The daemon starts, and brings the maps to what is wanted. */
static void start(const char *bpffs)
{
	const char *const interfaces[] = {"client", "server"};
	const struct dataplane_options opts = {
		.interfaces = interfaces,
		.interface_count = 2,
		.xdp_mode = XDP_MODE_NATIVE,
		.bpffs = bpffs,
		.run_dir = gateway.run_dir,
		.max_flows = 1024,
		.max_endpoints = 64,
		.max_services = 16,
		.slot_lines = 64,
		.seed = 12345,
	};
	struct tables have, want = wanted();
	const char *why = NULL;

	gateway.arena = arena_new();
	assert_non_null(gateway.arena);
	must(dataplane_open(gateway.arena, &gateway.loop, &opts, &gateway.dp, &why), "open", why);
	must(dataplane_readback(gateway.dp, gateway.arena, &have), "readback", NULL);
	must(tables_diff(gateway.arena, &have, &want, &(struct line_space){64, NULL, 0},
			 &(struct line_space){64, NULL, 0}, &gateway.steps),
	     "compare", NULL);
	must(dataplane_apply(gateway.dp, gateway.arena, &gateway.steps, &why), "apply", why);
}

static void stop(void)
{
	dataplane_close(gateway.dp);
	gateway.dp = NULL;
	(void)uv_run(&gateway.loop, UV_RUN_DEFAULT);
	arena_free(gateway.arena);
	gateway.arena = NULL;
}

static int prepare(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	(void)strcpy(gateway.dir, "/tmp/spw-steer-XXXXXX");
	assert_non_null(mkdtemp(gateway.dir));
	(void)snprintf(gateway.bpffs, sizeof(gateway.bpffs), "%s/bpf", gateway.dir);
	(void)snprintf(gateway.run_dir, sizeof(gateway.run_dir), "%s/run", gateway.dir);
	(void)snprintf(gateway.pin, sizeof(gateway.pin), "%s/links/%s", gateway.bpffs, STEER_PIN);
	assert_int_equal(mkdir(gateway.run_dir, 0700), 0);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_true(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || errno == EINVAL);
	assert_int_equal(uv_loop_init(&gateway.loop), 0);
	for (size_t i = 0; i < 2; i++)
		listeners_open(&sockets[i]);
	next_port = 51000;
	steer_vips_add();
	return world_pass(false);
}

static void take_off(void)
{
	AUTO(arena_free) struct arena *a = arena_new();
	const char *why = NULL;

	assert_non_null(a);
	must(dataplane_detach(a, gateway.bpffs, gateway.run_dir, &why), "detach", why);
}

static int clean_up(void **state)
{
	(void)state;
	if (gateway.dp) /* the test has failed */
		stop();
	take_off();
	(void)uv_loop_close(&gateway.loop);
	(void)rmdir(gateway.bpffs);
	(void)rmdir(gateway.run_dir);
	(void)rmdir(gateway.dir);
	for (size_t i = 0; i < 2; i++)
		listeners_close(&sockets[i]);
	steer_vips_del();
	return world_pass(true);
}

static struct desc next_client(void)
{
	struct desc d = from_client(TCP4);

	d.src = addr_of("10.1.0.1");
	d.sport = next_port++;
	return d;
}

/* Connects a few times; adds up who got them, and fails when one is refused. */
static void connect_some(uint32_t count[2])
{
	count[0] = count[1] = 0;
	for (int i = 0; i < 20; i++) {
		struct desc d = next_client();
		int fd = steer_connect(&d), at;

		assert_true(fd >= 0);
		at = listeners_accept(sockets, 2);
		close(fd);
		assert_in_range(at, 0, 1);
		count[at]++;
	}
}

static void expect_refused(void)
{
	struct desc d = next_client();

	assert_int_equal(steer_connect(&d), -ECONNREFUSED);
}

static void expect_both(void)
{
	uint32_t count[2];

	connect_some(count);
	assert_true(count[0] && count[1]);
}

static void set_sockets(void)
{
	must(dataplane_steer_set(gateway.dp, FIRST, sockets[0].v4, sockets[0].v6), "set", NULL);
	must(dataplane_steer_set(gateway.dp, SECOND, sockets[1].v4, sockets[1].v6), "set", NULL);
}

static uint32_t link_id(void)
{
	int fd = bpf_obj_get(gateway.pin);
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info);

	if (fd < 0)
		return 0;
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	close(fd);
	return info.id;
}

static void sockets_are_set_replaced_and_cleared(void **state)
{
	uint32_t count[2];

	(void)state;
	start(gateway.bpffs);
	expect_refused();
	set_sockets();
	expect_both();
	dataplane_steer_clear(gateway.dp, FIRST);
	dataplane_steer_clear(gateway.dp, FIRST);
	connect_some(count);
	assert_int_equal(count[0], 0);
	must(dataplane_steer_set(gateway.dp, SECOND, sockets[0].v4, -1), "set", NULL);
	connect_some(count);
	assert_int_equal(count[1], 0);
	must(dataplane_steer_set(gateway.dp, SECOND, -1, sockets[0].v6), "set", NULL);
	expect_refused();
	assert_int_equal(dataplane_steer_set(gateway.dp, 64, sockets[0].v4, -1), -ERANGE);
	assert_int_equal(dataplane_steer_set(gateway.dp, 0, sockets[0].v4, -1), -ERANGE);
	assert_true(dataplane_steer_set(gateway.dp, FIRST, 0, -1) < 0); /* no socket at all */
	stop();
}

static void connections_are_steered_while_the_daemon_is_away_and_after_it_is_back(void **state)
{
	uint32_t link;

	(void)state;
	start(gateway.bpffs);
	set_sockets();
	link = link_id();
	assert_true(link > 0);
	stop();
	expect_both();
	start(gateway.bpffs);
	assert_true(steps_empty(&gateway.steps));
	assert_int_equal(link_id(), link);
	expect_both();
	stop();
	take_off();
	assert_int_equal(link_id(), 0);
	expect_refused();
}

static void without_pins_it_goes_with_the_daemon(void **state)
{
	(void)state;
	start(NULL);
	set_sockets();
	expect_both();
	stop();
	expect_refused();
}

static void an_endpoint_of_the_userspace_path_has_no_way_and_no_problem(void **state)
{
	(void)state;
	start(gateway.bpffs);
	for (uint32_t id = FIRST; id <= SECOND; id++) {
		assert_null(dataplane_endpoint_problem(gateway.dp, gateway.arena, id));
		assert_null(dataplane_endpoint_obstacle(gateway.dp, gateway.arena, id));
		assert_int_equal(gateway.dp->maps.next_hops[id].ifindex, 0);
		assert_int_equal(gateway.dp->maps.endpoints[id].source_count, 0);
	}
	assert_int_equal(gateway.dp->neighbour_count, 0);
	for (size_t i = 0; i < SPW_SOURCES_MAX; i++)
		assert_true(addr_is_unspecified(&gateway.dp->settings.source[i]));
	stop();
}

struct seen {
	size_t count;
	struct flow_row last;
};

static bool note(void *ctx, const struct flow_row *row)
{
	struct seen *s = ctx;

	s->count++;
	s->last = *row;
	return true;
}

static void a_flow_is_listed_with_its_endpoint_and_without_a_source(void **state)
{
	struct desc d = from_client(TCP4);
	struct seen seen = {};
	const struct flow_row *row = &seen.last;

	(void)state;
	start(gateway.bpffs);
	set_sockets();
	wire_open();
	d.sport = next_port++;
	wire_send(&d);
	(void)wire_answer(&d);
	wire_close();
	must(dataplane_each_flow(gateway.dp, note, &seen), "list", NULL);
	assert_int_equal(seen.count, 1);
	assert_true(addr_equal(&row->key.saddr, &d.src));
	assert_true(addr_is_unspecified(&row->source));
	assert_int_equal(row->source_port, 0);
	assert_in_range(row->endpoint_id, FIRST, SECOND);
	assert_true(addr_equal(&row->endpoint, &rows[row->endpoint_id - 1].addr));
	assert_int_equal(row->endpoint_port, 443);
	stop();
}

int steer_daemon_tests(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, prepare, clean_up)
	const struct CMUnitTest daemons[] = {
		T(sockets_are_set_replaced_and_cleared),
		T(connections_are_steered_while_the_daemon_is_away_and_after_it_is_back),
		T(without_pins_it_goes_with_the_daemon),
		T(an_endpoint_of_the_userspace_path_has_no_way_and_no_problem),
		T(a_flow_is_listed_with_its_endpoint_and_without_a_source),
	};
#undef T

	return cmocka_run_group_tests(daemons, NULL, NULL);
}
