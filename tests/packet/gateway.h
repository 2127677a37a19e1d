/* SPDX-License-Identifier: BSD-2-Clause */
/* A gateway's data plane with pinned maps in the world's network, opened and closed as the daemon does it. */
#ifndef SPILLWAY_TESTS_GATEWAY_H
#define SPILLWAY_TESTS_GATEWAY_H

#include "dataplane/state.h"
#include "tables/compile.h"

#define GATEWAY_FLOWS	   16384 /* of each family, unless told otherwise */
#define GATEWAY_SLOT_LINES 65536

struct gateway {
	uv_loop_t loop;
	uint32_t flows; /* that the flow table of a family holds; for gateway_open() */
	char dir[32], bpffs[64], run_dir[64];
	struct dataplane *dp;
	struct ids *ids;
	struct table_cache *cache;
	struct arena *arena; /* of the tables in force */
	struct tables have;
};
extern struct gateway gateway;

/* For cmocka. Mounts of the test are its own, and go with the process at the latest. */
int gateway_setup(void **state);
int gateway_teardown(void **state);

/* A start: what is pinned is taken over, and nothing is known but what is read back. */
void gateway_open(void);
/* All that a daemon knows is gone with it; what it pinned stays. */
void gateway_close(void);
/* Likewise; the flow table that is left must be whole. */
void gateway_end(void);
/* These are the tables in force from now on; `a`, theirs, is taken over. */
void gateway_keep(struct arena *a, const struct tables *want);
/* Fails with `why`, unless err is 0. */
void gateway_must(int err, const char *what, const char *why);

#endif
