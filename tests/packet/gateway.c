/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon as far as tests of models need it. */
#include "gateway.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "whole.h"
#include "world.h"

struct gateway gateway;

static const struct ids_limits limits = {WORLD_ENDPOINTS, WORLD_SERVICES};

void gateway_must(int err, const char *what, const char *why)
{
	if (err)
		fail_msg("%s: %s: %s", what, strerror(-err), why ? why : "no reason given");
}

void gateway_open(void)
{
	const char *const interfaces[] = {"client", "server"};
	const struct dataplane_options opts = {
		.interfaces = interfaces,
		.interface_count = 2,
		.xdp_mode = XDP_MODE_NATIVE,
		.bpffs = gateway.bpffs,
		.run_dir = gateway.run_dir,
		.max_flows = gateway.flows,
		.max_flows6 = gateway.flows,
		.max_endpoints = WORLD_ENDPOINTS,
		.max_services = WORLD_SERVICES,
		.slot_lines = GATEWAY_SLOT_LINES,
		.seed = 12345,
	};
	const char *why = NULL;

	gateway.arena = arena_new();
	gateway.ids = ids_new(&limits);
	gateway.cache = table_cache_new();
	assert_non_null(gateway.arena);
	assert_non_null(gateway.ids);
	assert_non_null(gateway.cache);
	gateway_must(dataplane_open(gateway.arena, &gateway.loop, &opts, &gateway.dp, &why), "open",
		     why);
	gateway_must(dataplane_readback(gateway.dp, gateway.arena, &gateway.have), "readback",
		     NULL);
	ids_seed(gateway.ids, &gateway.have);
}

void gateway_close(void)
{
	dataplane_close(gateway.dp);
	gateway.dp = NULL;
	(void)uv_run(&gateway.loop, UV_RUN_DEFAULT);
	ids_free(gateway.ids);
	table_cache_free(gateway.cache);
	arena_free(gateway.arena);
}

/* Memory of a map that stays when the daemon goes. */
static void *keep(enum map_id id, size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, gateway.dp->maps.fd[id], 0);

	assert_true(at != MAP_FAILED);
	return at;
}

/* The flow table as it lies there when no daemon runs and no packet comes. */
static void expect_whole(const struct world *at)
{
	const struct world was = world;

	world = *at;
	print_message("entries of the flow table %zu\n", whole_expect());
	world = was;
}

void gateway_end(void)
{
	struct world at = world;
	size_t heads;

	at.sets = maps_flow_sets(gateway.flows);
	at.lines = at.sets * SPW_SET_WAYS + 1;
	heads = 2ul * at.sets * sizeof(*at.heads);
	at.flows4 = keep(MAP_FLOWS4, at.lines * sizeof(*at.flows4));
	at.flows6 = keep(MAP_FLOWS6, at.lines * sizeof(*at.flows6));
	at.heads = keep(MAP_FLOW_HEADS, heads);
	gateway_close();
	expect_whole(&at);
	(void)munmap(at.flows4, at.lines * sizeof(*at.flows4));
	(void)munmap(at.flows6, at.lines * sizeof(*at.flows6));
	(void)munmap(at.heads, heads);
}

void gateway_keep(struct arena *a, const struct tables *want)
{
	arena_free(gateway.arena);
	gateway.arena = a;
	gateway.have = *want;
}

/* A changed root that is no mount point cannot be made private: there teardown alone takes mounts away. */
int gateway_setup(void **state)
{
	(void)state;
	gateway.flows = GATEWAY_FLOWS;
	(void)strcpy(gateway.dir, "/tmp/spw-model-XXXXXX");
	assert_non_null(mkdtemp(gateway.dir));
	(void)snprintf(gateway.bpffs, sizeof(gateway.bpffs), "%s/bpf", gateway.dir);
	(void)snprintf(gateway.run_dir, sizeof(gateway.run_dir), "%s/run", gateway.dir);
	assert_int_equal(mkdir(gateway.run_dir, 0700), 0);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_true(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || errno == EINVAL);
	assert_int_equal(uv_loop_init(&gateway.loop), 0);
	return world_pass(false);
}

int gateway_teardown(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	const char *why = NULL;

	(void)state;
	if (gateway.dp) /* the test has failed */
		gateway_close();
	assert_non_null(a);
	gateway_must(dataplane_detach(a, gateway.bpffs, gateway.run_dir, &why), "detach", why);
	(void)uv_loop_close(&gateway.loop);
	(void)rmdir(gateway.bpffs);
	(void)rmdir(gateway.run_dir);
	(void)rmdir(gateway.dir);
	return world_pass(true);
}
