/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Endpoint rows. A removed endpoint's row keeps its address and only loses its mode: flows of it
 * may live on, and if the same endpoint comes back under its number the counts go on. When another
 * endpoint gets the number, everything kept under it starts from zero.
 */
#include <arpa/inet.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/addr.h"
#include "dataplane/state.h"
#include "model/mode.h"

/* What changes together in a row is one aligned store: port, mode, source columns and flags. */
union row_middle {
	struct {
		__be16 port;
		__u8 mode;
		__u8 source_count;
		__u8 source_first;
		__u8 flags;
		__u8 was_mode;
		__u8 pad;
	};
	__u64 all;
};

_Static_assert(sizeof(union row_middle) == 8, "one store");
_Static_assert(offsetof(struct spw_endpoint, port) == 16, "aligned");
_Static_assert(offsetof(struct spw_endpoint, profile) == 24, "behind the middle");

static union row_middle *middle(struct spw_endpoint *row)
{
	return (union row_middle *)(void *)&row->port;
}

static void store_middle(struct spw_endpoint *row, union row_middle value)
{
	__atomic_store_n(&middle(row)->all, value.all, __ATOMIC_RELEASE);
}

/* From now on the packet path counts: from what there is. loads.c mends what it did meanwhile. */
static void start_load(struct dataplane *dp, uint32_t id)
{
	struct spw_endpoint_stats s;

	dataplane_endpoint_stats(dp, id, &s);
	__atomic_store_n(&dp->maps.loads[id].open, (int64_t)(s.flows_opened - s.flows_closed),
			 __ATOMIC_RELAXED);
}

static void forget(struct dataplane *dp, uint32_t id)
{
	static const uint32_t zero;
	size_t bytes = sizeof(struct spw_endpoint_stats) * (size_t)dp->maps.cpus;
	AUTO(free) void *stats = calloc(1, bytes);

	word_clear(dp, id, 0);
	signals_clear(dp, id);
	if (stats)
		(void)bpf_map_update_elem(dp->maps.fd[MAP_ENDPOINT_STATS], &id, stats, BPF_ANY);
	for (uint32_t i = 0; i < SPW_SOURCES_MAX; i++) {
		uint32_t cursor = id * SPW_SOURCES_MAX + i;

		(void)bpf_map_update_elem(dp->maps.fd[MAP_CURSORS], &cursor, &zero, BPF_ANY);
	}
}

/*
 * Next hop and source addresses. The packet path sends nothing to an endpoint that the userspace path
 * reaches, whose address may be none that there is.
 */
static void find_way(struct dataplane *dp, const struct table_endpoint *e, union row_middle *m)
{
	struct next_hop *hop = &dp->next_hops[e->id];

	if (e->mode == SPW_MODE_HANDOFF) {
		*hop = (struct next_hop){0};
		m->flags |= SPW_ENDPOINT_HANDOFF;
		m->source_first = 0;
		m->source_count = 0;
		return;
	}
	(void)next_hop_find(dp, &e->addr, hop);
	sources_of_endpoint(dp, &e->addr, hop, &m->source_first, &m->source_count);
}

/* The mode that the row has, or had before its endpoint was removed. */
static uint8_t mode_of(const struct spw_endpoint *row)
{
	if (row->mode != SPW_MODE_NONE)
		return row->mode;
	if (row->was_mode)
		return row->was_mode;
	return row->flags & SPW_ENDPOINT_HANDOFF ? SPW_MODE_HANDOFF : SPW_MODE_NAT;
}

void endpoint_put(struct dataplane *dp, const struct table_endpoint *e)
{
	struct spw_endpoint *row = &dp->maps.endpoints[e->id];
	union row_middle m = {.all = middle(row)->all};
	bool same = row->port == htons(e->port) && addr_equal(&row->addr, &e->addr) &&
		    mode_of(row) == e->mode;
	bool counts;

	if (same && row->mode == SPW_MODE_NONE) /* it comes back: its flows may go on */
		dataplane_set_reset(dp, e->id, false);
	if (!same) {
		if (row->port || !addr_is_unspecified(&row->addr))
			forget(dp, e->id);
		m.all = 0;
		store_middle(row, m);
		row->addr = e->addr;
	}
	m.port = htons(e->port);
	m.mode = e->mode;
	m.was_mode = 0;
	m.flags = e->flags;
	counts = (m.flags & SPW_ENDPOINT_COUNTED) && !(middle(row)->flags & SPW_ENDPOINT_COUNTED);
	find_way(dp, e, &m);
	__atomic_store_n(&row->profile, e->profile, __ATOMIC_RELAXED);
	store_middle(row, m);
	if (counts)
		start_load(dp, e->id);
	if (e->id >= dp->endpoints_end)
		dp->endpoints_end = e->id + 1;
	hop_row_write(dp, e->id);
}

void endpoint_del(struct dataplane *dp, uint32_t id)
{
	struct spw_endpoint *row = &dp->maps.endpoints[id];
	union row_middle m = {.all = middle(row)->all};
	const uint8_t mode = m.mode;

	word_clear(dp, id, row->flags & SPW_ENDPOINT_RESET_ON_REMOVAL ? SPW_WORD_RESET : 0);
	if (mode_is_direct(mode)) /* flows of it may have no entry that knew */
		m.was_mode = mode;
	m.mode = SPW_MODE_NONE;
	store_middle(row, m);
	dp->next_hops[id] = (struct next_hop){0};
	hop_row_write(dp, id);
}

void endpoint_set_sources(struct dataplane *dp, uint32_t id)
{
	struct spw_endpoint *row = &dp->maps.endpoints[id];
	union row_middle m = {.all = middle(row)->all}, was = m;

	sources_of_endpoint(dp, &row->addr, &dp->next_hops[id], &m.source_first, &m.source_count);
	if (m.all != was.all)
		store_middle(row, m);
}
