/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables from the maps, as packets see them. The maps outlive programs and daemons, so nothing in
 * them is trusted: what points outside is left out and said once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/addr.h"
#include "base/log.h"
#include "dataplane/state.h"

static bool has_live_flows(struct dataplane *dp, uint32_t id)
{
	struct spw_endpoint_stats s;

	dataplane_endpoint_stats(dp, id, &s);
	return s.flows_opened > s.flows_closed;
}

/*
 * A removed endpoint with flows is shown the first time, without a mode, so that its number is
 * known to be taken.
 */
static bool shown(struct dataplane *dp, uint32_t id, const struct spw_endpoint *row)
{
	if (row->mode > SPW_MODE_HANDOFF) {
		log_warn("readback: endpoint %u: unknown mode %u: left out", id, row->mode);
		endpoint_del(dp, id);
		return false;
	}
	if (row->mode != SPW_MODE_NONE)
		return true;
	return !dp->seen_first && row->port && (row->was_mode || has_live_flows(dp, id));
}

static void read_endpoints(struct dataplane *dp, struct arena *a, struct tables *out)
{
	if (!dp->seen_first)
		dp->endpoints_end = 1;
	for (uint32_t id = 1; id < dp->meta.max_endpoints; id++) {
		const struct spw_endpoint *row = &dp->maps.endpoints[id];
		uint32_t word = dp->maps.words[id].word;
		struct table_endpoint *e;

		if (!shown(dp, id, row))
			continue;
		e = arena_push(a, out->endpoints, out->endpoint_count);
		e->id = id;
		e->addr = row->addr;
		e->port = ntohs(row->port);
		e->mode = row->mode;
		e->flags = row->flags;
		e->was_mode = row->mode == SPW_MODE_NONE ? row->was_mode : 0;
		if (e->mode != SPW_MODE_NONE)
			e->flags &= (uint8_t)~SPW_ENDPOINT_HANDOFF; /* the mode says it */
		e->profile = row->profile;
		e->pickable = word & SPW_WORD_PICKABLE;
		e->up = word & SPW_WORD_UP;
		if (id >= dp->endpoints_end)
			dp->endpoints_end = id + 1;
	}
}

/* Index of table `base` in out->slots, by map line; the first that asks makes it. */
struct table_index {
	uint32_t *by_line; /* index + 1 */
	uint64_t slots;
	struct arena *arena;
	struct tables *out;
};

static bool table_valid(const struct table_index *x, const struct spw_table_ref *ref,
			enum table_kind kind)
{
	return (kind == TABLE_LIST || kind == TABLE_QUIC || ref->size <= SPW_TABLE_SIZE_MAX) &&
	       ref->base % SPW_LINE_SLOTS == 0 && (uint64_t)ref->base + ref->size <= x->slots;
}

static uint32_t read_table(struct dataplane *dp, struct table_index *x,
			   const struct spw_table_ref *ref, enum table_kind kind)
{
	struct tables *out = x->out;
	uint32_t *index, line = ref->base / SPW_LINE_SLOTS;
	struct table_slots *t;
	uint16_t *slots;

	if (!ref->size)
		return TABLE_NONE;
	if (!table_valid(x, ref, kind)) {
		log_warn("readback: table at slot %u, size %u: outside the map: left out",
			 ref->base, ref->size);
		return TABLE_NONE;
	}
	index = &x->by_line[line];
	if (*index && out->slots[*index - 1].size == ref->size)
		return *index - 1;
	t = arena_push(x->arena, out->slots, out->slots_count);
	*index = (uint32_t)out->slots_count;
	slots = arena_array(x->arena, ref->size, sizeof(*slots));
	memcpy(slots, dp->maps.slots[line].endpoint, ref->size * sizeof(*slots));
	*t = (struct table_slots){
		.size = ref->size, .base = ref->base, .slots = slots, .kind = kind};
	return *index - 1;
}

/* Index, plus 1, of the block that begins with this line of the map; 0: it is none. */
static uint32_t read_motion(struct dataplane *dp, struct arena *a, uint32_t line,
			    struct tables *out)
{
	const uint32_t room = motion_room(dp->meta.slot_lines);
	const uint32_t size = line < room ? dp->maps.motions[line].at[0].since : 0;
	struct spw_motion *slots;

	if (!line || !size || size > SPW_TABLE_SIZE_MAX ||
	    line + (uint64_t)motion_lines(size) > room) {
		log_warn("readback: slots in motion at line %u: outside the map: left out", line);
		return 0;
	}
	slots = arena_array(a, size, sizeof(*slots));
	memcpy(slots, &dp->maps.motions[line + 1], size * sizeof(*slots));
	*arena_push(a, out->motions, out->motion_count) = (struct table_motion){
		.size = size,
		.by_source = dp->maps.motions[line].at[0].was == SPW_MOTION_BY_SOURCE,
		.line = line,
		.slots = slots,
	};
	return (uint32_t)out->motion_count;
}

static void read_guard(struct dataplane *dp, struct table_index *x,
		       const struct spw_service_extra *extra, struct table_guard *out)
{
	out->allow = read_table(dp, x, &extra->allow, TABLE_LIST);
	out->deny = read_table(dp, x, &extra->deny, TABLE_LIST);
	out->every_ns = extra->every_ns;
	out->burst_ns = extra->burst_ns;
	out->source_every_ns = extra->source_every_ns;
	out->source_burst_ns = extra->source_burst_ns;
}

static void read_row(struct dataplane *dp, struct table_index *x, uint32_t number,
		     struct table_service *s)
{
	const struct spw_service_row *row = &dp->maps.service_rows[number];
	const struct spw_service_extra *extra = &dp->maps.service_extras[number];

	s->empty = row->flags & SPW_SERVICE_EMPTY;
	s->direct = row->flags & SPW_SERVICE_DIRECT;
	s->new_flows = row->new_flows;
	s->live_flows = row->live_flows;
	memcpy(s->idle_s, row->idle_s, sizeof(s->idle_s));
	s->table = read_table(dp, x, &row->table, TABLE_PICK);
	s->spare = read_table(dp, x, &row->spare, TABLE_PICK);
	if (row->flags & SPW_SERVICE_MOTION)
		s->motion = read_motion(dp, x->arena, row->motion, x->out);
	s->pick = row->pick;
	if (s->pick == SPW_PICK_LEAST)
		s->weights = read_table(dp, x, &extra->weights, TABLE_WEIGHTS);
	if (row->flags & SPW_SERVICE_QUIC)
		s->quic = read_table(dp, x, &extra->quic, TABLE_QUIC) + 1; /* none: 0 */
	s->guarded = row->flags & SPW_SERVICE_GUARDED;
	if (s->guarded)
		read_guard(dp, x, extra, &s->guard);
}

static bool read_service(struct dataplane *dp, struct table_index *x,
			 const struct spw_service_key *key)
{
	struct table_service *s;
	uint32_t id, row;

	if (bpf_map_lookup_elem(dp->maps.fd[MAP_SERVICES], key, &id))
		return true;
	if (id >= dp->meta.max_services) {
		log_warn("readback: service %u: outside the map: left out", id);
		return false;
	}
	row = id * 2 + (dp->maps.config->active & 1);
	s = arena_push(x->arena, x->out->services, x->out->service_count);
	s->id = id;
	s->vip = key->vip;
	s->port = ntohs(key->port);
	s->proto = key->proto;
	s->table = s->spare = TABLE_NONE;
	if (dp->maps.service_rows[row].flags & SPW_SERVICE_VALID)
		read_row(dp, x, row, s);
	return true;
}

static int by_id(const void *a, const void *b)
{
	const struct table_service *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* A number with two keys would be two services in one row: the later one is left out. */
static void drop_doubles(struct tables *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->service_count; i++) {
		if (kept && t->services[kept - 1].id == t->services[i].id) {
			log_warn("readback: service %u: two keys: one left out", t->services[i].id);
			continue;
		}
		t->services[kept++] = t->services[i];
	}
	t->service_count = kept;
}

static int read_services(struct dataplane *dp, struct arena *a, struct tables *out)
{
	struct table_index x = {
		.slots = (uint64_t)dp->meta.slot_lines * SPW_LINE_SLOTS, .arena = a, .out = out};
	AUTO(free) struct spw_service_key *stale = NULL;
	struct spw_service_key key, *previous = NULL;
	size_t stale_count = 0;
	int fd = dp->maps.fd[MAP_SERVICES];

	AUTO(free) uint32_t *by_line = calloc(dp->meta.slot_lines + 1, sizeof(*by_line));
	stale = calloc(dp->meta.max_services + 1, sizeof(*stale));
	if (!by_line || !stale)
		return -ENOMEM;
	x.by_line = by_line;
	while (!bpf_map_get_next_key(fd, previous, &key)) {
		if (!read_service(dp, &x, &key) && stale_count < dp->meta.max_services)
			stale[stale_count++] = key;
		previous = &key;
	}
	while (stale_count > 0)
		(void)bpf_map_delete_elem(fd, &stale[--stale_count]);
	if (out->service_count)
		qsort(out->services, out->service_count, sizeof(*out->services), by_id);
	drop_doubles(out);
	return 0;
}

int dataplane_readback(struct dataplane *dp, struct arena *a, struct tables *have)
{
	struct tables out = {0};
	int err;

	read_endpoints(dp, a, &out);
	err = read_services(dp, a, &out);
	if (err)
		return err;
	err = side_bind(dp, &out);
	if (err)
		return err;
	spaces_set(dp, &out);
	dp->seen_first = true;
	*have = out;
	return 0;
}
