/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists flows from the mapped tables: no system call, and nobody is stopped. As in the packet path a
 * line is copied and then its word looked at again, so that no row is made of two tenants.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "dataplane/flow_lines.h"
#include "dataplane/state.h"
#include "dataplane/ticks.h"

static uint64_t word_load(const struct spw_flow_core *c)
{
	return __atomic_load_n(&c->word, __ATOMIC_ACQUIRE);
}

static bool is_live(uint64_t word)
{
	return (word & SPW_WORD_PHASE_MASK) >> SPW_WORD_PHASE_SHIFT == SPW_PHASE_LIVE;
}

static bool is_same(uint64_t a, uint64_t b)
{
	return !((a ^ b) & (SPW_WORD_VERSION_MASK | SPW_WORD_PHASE_MASK));
}

static bool copy(const struct spw_flow_core *c, size_t bytes, void *out)
{
	uint64_t word = word_load(c);

	if (!is_live(word))
		return false;
	memcpy(out, c, bytes);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	((struct spw_flow_core *)out)->word = word;
	return is_same(word_load(c), word);
}

bool flow_line4(const struct spw_flow4 *line, struct flow_line *out)
{
	struct spw_flow4 copied;

	if (!copy(&line->core, sizeof(copied), &copied))
		return false;
	*out = (struct flow_line){
		.core = copied.core,
		.key = {.saddr = addr_from_v4(copied.saddr), .daddr = addr_from_v4(copied.daddr)},
		.to_saddr = addr_from_v4(copied.to_saddr),
		.to_daddr = addr_from_v4(copied.to_daddr),
	};
	out->key.sport = copied.core.sport;
	out->key.dport = copied.core.dport;
	out->key.proto = copied.core.proto;
	return true;
}

bool flow_line6(const struct spw_flow6 *line, struct flow_line *out)
{
	struct spw_flow6 copied;

	if (!copy(&line->core, sizeof(copied), &copied))
		return false;
	*out = (struct flow_line){
		.core = copied.core,
		.key = {.saddr = copied.saddr, .daddr = copied.daddr},
		.to_saddr = copied.to_saddr,
		.to_daddr = copied.to_daddr,
	};
	out->key.sport = copied.core.sport;
	out->key.dport = copied.core.dport;
	out->key.proto = copied.core.proto;
	return true;
}

struct clocks {
	uint32_t now;	/* ticks */
	uint32_t born;	/* now, in units of `born` */
	uint32_t hertz; /* ticks a second */
};

static uint64_t idle_ms(const struct spw_flow_core *c, const struct clocks *k)
{
	int32_t idle = (int32_t)(k->now - (uint32_t)(c->word >> SPW_WORD_SEEN_SHIFT));

	return idle > 0 ? (uint64_t)idle * 1000 / k->hertz : 0;
}

static uint64_t age_ms(const struct spw_flow_core *c, const struct clocks *k)
{
	int32_t age = (int32_t)(k->born - c->born);

	return age > 0 ? ((uint64_t)age << SPW_BORN_SHIFT) / 1000000 : 0;
}

static struct flow_row flow_row(const struct dataplane *dp, const struct flow_line *l,
				const struct clocks *k)
{
	const struct spw_endpoint *e;
	struct flow_row row = {
		.key = l->key,
		.source = l->to_saddr,
		.endpoint = l->to_daddr,
		.source_port = ntohs(l->core.to_sport),
		.endpoint_port = ntohs(l->core.to_dport),
		.endpoint_id = l->core.endpoint,
		.state = (uint32_t)(l->core.word & SPW_WORD_STATE_MASK),
		.age_ms = age_ms(&l->core, k),
		.idle_ms = idle_ms(&l->core, k),
	};

	if (!(l->core.flags & SPW_FLOW_HANDOFF))
		return row;
	memset(&row.source, 0, sizeof(row.source));
	if (l->core.endpoint < dp->meta.max_endpoints) {
		e = &dp->maps.endpoints[l->core.endpoint];
		row.endpoint = e->addr;
		row.endpoint_port = ntohs(e->port);
	}
	return row;
}

struct walk {
	const struct dataplane *dp;
	struct clocks clocks;
	bool (*fn)(void *ctx, const struct flow_row *row);
	void *ctx;
};

static bool tell(const struct walk *w, const struct flow_line *l)
{
	struct flow_row row;

	if (l->core.dir != SPW_FLOW_FORWARD)
		return true;
	row = flow_row(w->dp, l, &w->clocks);
	return w->fn(w->ctx, &row);
}

int dataplane_each_flow(struct dataplane *dp, bool (*fn)(void *ctx, const struct flow_row *row),
			void *ctx)
{
	const uint32_t count4 = map_entries(MAP_FLOWS4, &dp->meta);
	const uint32_t count6 = map_entries(MAP_FLOWS6, &dp->meta);
	struct walk w = {.dp = dp, .clocks.hertz = ticks_a_second(), .fn = fn, .ctx = ctx};
	struct flow_line l;

	if (!ticks_now(dp->sweep_fd, &w.clocks.now))
		return -EIO;
	w.clocks.born = (uint32_t)(clock_coarse_ns() >> SPW_BORN_SHIFT);
	for (uint32_t i = 0; i < count4; i++) {
		if (flow_line4(&dp->maps.flows4[i], &l) && !tell(&w, &l))
			return 0;
	}
	for (uint32_t i = 0; i < count6; i++) {
		if (flow_line6(&dp->maps.flows6[i], &l) && !tell(&w, &l))
			return 0;
	}
	return 0;
}

uint64_t dataplane_flow_count(const struct dataplane *dp)
{
	return dp->sweep.live;
}
