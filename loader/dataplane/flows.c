/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists flows by batches: one system call for thousands of entries, none of them stopped. */
#include <arpa/inet.h>
#include <errno.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "dataplane/state.h"

#define BATCH 4096

static uint64_t since_ms(uint64_t now_ns, uint64_t then_ns)
{
	return now_ns > then_ns ? (now_ns - then_ns) / 1000000 : 0;
}

static struct flow_row flow_row(const struct spw_flow_key *key, const struct spw_flow *f,
				uint64_t now_ns)
{
	return (struct flow_row){
		.key = *key,
		.source = f->saddr,
		.endpoint = f->daddr,
		.source_port = ntohs(f->sport),
		.endpoint_port = ntohs(f->dport),
		.endpoint_id = f->endpoint,
		.state = f->state,
		.age_ms = since_ms(now_ns, f->born_ns),
		.idle_ms = since_ms(now_ns, f->seen_ns),
	};
}

int flows_each(int map_fd, bool (*fn)(void *ctx, const struct flow_row *row), void *ctx)
{
	AUTO(free) struct spw_flow_key *keys = calloc(BATCH, sizeof(*keys));
	AUTO(free) struct spw_flow *values = calloc(BATCH, sizeof(*values));
	uint64_t now_ns = clock_coarse_ns();
	uint32_t position = 0, count;
	void *from = NULL;
	int err = 0;

	if (!keys || !values)
		return -ENOMEM;
	while (!err) {
		count = BATCH;
		err = bpf_map_lookup_batch(map_fd, from, &position, keys, values, &count, NULL);
		if (err && err != -ENOENT)
			return err;
		for (uint32_t i = 0; i < count; i++) {
			struct flow_row row = flow_row(&keys[i], &values[i], now_ns);

			if (values[i].dir == SPW_FLOW_FORWARD && !fn(ctx, &row))
				return 0;
		}
		from = &position;
	}
	return 0;
}

int dataplane_each_flow(struct dataplane *dp, bool (*fn)(void *ctx, const struct flow_row *row),
			void *ctx)
{
	return flows_each(dp->maps.fd[MAP_FLOWS], fn, ctx);
}

uint64_t dataplane_flow_count(const struct dataplane *dp)
{
	return dp->sweep.live;
}
