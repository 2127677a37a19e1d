/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A data path in memory with the real one's contract, for tests of the engine: the linker takes
 * these functions instead of the library's. `fake` outlives an engine, as pinned maps do.
 */
#ifndef SPILLWAY_TESTS_FAKE_DATAPLANE_H
#define SPILLWAY_TESTS_FAKE_DATAPLANE_H

#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "dataplane/dataplane.h"

#define FAKE_IDS 16384

static struct {
	struct spw_meta meta;
	struct arena *arena; /* of `tables` */
	struct tables tables;
	enum spw_admin admin[FAKE_IDS];
	bool by_hand[FAKE_IDS];
	bool reset[FAKE_IDS];
	struct spw_signals signals[FAKE_IDS];
	struct {
		bool set;
		int v4, v6;
	} steer[FAKE_IDS]; /* sockets as dataplane_steer_set() was given them */
	int steer_error;   /* answer of dataplane_steer_set(), which then does nothing */
	struct spw_endpoint_stats stats[FAKE_IDS];
	struct flow_row flows[8];
	size_t flow_count;
	struct spw_addr vips[512];
	size_t vip_count;
	struct spw_addr host[4];
	size_t host_count;
	int applies;	      /* calls of dataplane_apply() */
	int apply_error;      /* answer of dataplane_apply(), which then does nothing */
	int words;	      /* calls of dataplane_set_word() */
	int resets;	      /* calls of dataplane_set_reset() */
	int walks;	      /* over the flows, but for dataplane_each_flow() */
	unsigned int wait_ms; /* answer of dataplane_apply_wait_ms() */
	struct motion_clock clock;
	int unkept;		 /* calls of dataplane_set_admin_unkept() */
	const char *vip_problem; /* of every VIP */
	const char *obstacle;	 /* of every endpoint in the maps */
} fake;

static inline void fake_reset(void)
{
	arena_free(fake.arena);
	memset(&fake, 0, sizeof(fake));
	fake.arena = arena_new();
	fake.meta = (struct spw_meta){
		.max_flows = 4096,
		.max_endpoints = 64,
		.max_services = 16,
		.slot_lines = 4096,
	};
	fake.clock = (struct motion_clock){.now = 1000, .hz = 250};
}

static inline void fake_copy(struct arena *a, const struct tables *from, struct tables *to)
{
	uint16_t *slots;

	*to = *from;
	to->endpoints = arena_array(a, from->endpoint_count, sizeof(*to->endpoints));
	to->services = arena_array(a, from->service_count, sizeof(*to->services));
	to->slots = arena_array(a, from->slots_count, sizeof(*to->slots));
	if (from->endpoint_count)
		memcpy(to->endpoints, from->endpoints,
		       from->endpoint_count * sizeof(*to->endpoints));
	if (from->service_count)
		memcpy(to->services, from->services, from->service_count * sizeof(*to->services));
	for (size_t i = 0; i < from->slots_count; i++) {
		slots = arena_array(a, from->slots[i].size, sizeof(*slots));
		memcpy(slots, from->slots[i].slots, from->slots[i].size * sizeof(*slots));
		to->slots[i] = from->slots[i];
		to->slots[i].slots = slots;
	}
}

static inline struct table_endpoint *fake_row(uint32_t id)
{
	for (size_t i = 0; i < fake.tables.endpoint_count; i++) {
		if (fake.tables.endpoints[i].id == id)
			return &fake.tables.endpoints[i];
	}
	return NULL;
}

/* By "ADDR:PORT"; NULL when the maps do not hold it. */
static inline struct table_endpoint *fake_endpoint(const char *text)
{
	struct spw_addr addr;
	uint16_t port;

	if (addr_parse_port(text, &addr, &port))
		return NULL;
	for (size_t i = 0; i < fake.tables.endpoint_count; i++) {
		if (addr_equal(&fake.tables.endpoints[i].addr, &addr) &&
		    fake.tables.endpoints[i].port == port)
			return &fake.tables.endpoints[i];
	}
	return NULL;
}

int dataplane_open(struct arena *a, uv_loop_t *loop, const struct dataplane_options *opts,
		   struct dataplane **out, const char **why)
{
	(void)a;
	(void)loop;
	(void)opts;
	(void)why;
	*out = (struct dataplane *)&fake;
	return 0;
}

void dataplane_close(struct dataplane *dp)
{
	(void)dp;
}

const struct spw_meta *dataplane_meta(const struct dataplane *dp)
{
	(void)dp;
	return &fake.meta;
}

int dataplane_readback(struct dataplane *dp, struct arena *a, struct tables *have)
{
	(void)dp;
	fake_copy(a, &fake.tables, have);
	return 0;
}

enum spw_admin dataplane_admin(const struct dataplane *dp, uint32_t endpoint_id)
{
	(void)dp;
	return fake.admin[endpoint_id];
}

int dataplane_apply(struct dataplane *dp, struct arena *a, const struct steps *s, const char **why)
{
	struct arena *next;

	(void)dp;
	fake.applies++;
	if (fake.apply_error) {
		*why = arena_strdup(a, "map slots: cannot be written");
		return fake.apply_error;
	}
	next = arena_new();
	fake_copy(next, s->want, &fake.tables);
	arena_free(fake.arena);
	fake.arena = next;
	return 0;
}

unsigned int dataplane_apply_wait_ms(const struct dataplane *dp)
{
	(void)dp;
	return fake.wait_ms;
}

void dataplane_resting(struct dataplane *dp, struct arena *a, struct line_space *slots,
		       struct line_space *motions)
{
	(void)dp;
	(void)a;
	*slots = (struct line_space){.lines = fake.meta.slot_lines};
	*motions = *slots;
}

void dataplane_read_motions(struct dataplane *dp, struct arena *a, struct tables *have)
{
	(void)dp;
	(void)a;
	(void)have;
}

void dataplane_read_strays(struct dataplane *dp, struct arena *a, struct tables *have)
{
	(void)dp;
	(void)a;
	(void)have;
}

void dataplane_strays_seen(struct dataplane *dp)
{
	(void)dp;
}

void dataplane_end_strays(struct dataplane *dp)
{
	(void)dp;
}

bool dataplane_has_strays(const struct dataplane *dp)
{
	(void)dp;
	return false;
}

void dataplane_motion_clock(struct dataplane *dp, struct motion_clock *out)
{
	(void)dp;
	*out = fake.clock;
}

int dataplane_set_vips(struct dataplane *dp, const struct spw_addr *vips, size_t count)
{
	(void)dp;
	if (count)
		memcpy(fake.vips, vips, count * sizeof(*vips));
	fake.vip_count = count;
	return 0;
}

void dataplane_set_admin(struct dataplane *dp, uint32_t endpoint_id, enum spw_admin admin)
{
	(void)dp;
	fake.admin[endpoint_id] = admin;
	fake.by_hand[endpoint_id] = false;
}

void dataplane_set_admin_unkept(struct dataplane *dp, uint32_t endpoint_id, enum spw_admin admin)
{
	(void)dp;
	fake.admin[endpoint_id] = admin;
	fake.by_hand[endpoint_id] = true;
	fake.unkept++;
}

bool dataplane_admin_by_hand(const struct dataplane *dp, uint32_t endpoint_id)
{
	(void)dp;
	return fake.by_hand[endpoint_id];
}

void dataplane_set_reset(struct dataplane *dp, uint32_t endpoint_id, bool reset)
{
	(void)dp;
	fake.resets++;
	fake.reset[endpoint_id] = reset;
}

int dataplane_steer_set(struct dataplane *dp, uint32_t endpoint_id, int socket_v4, int socket_v6)
{
	(void)dp;
	if (fake.steer_error)
		return fake.steer_error;
	fake.steer[endpoint_id].set = true;
	fake.steer[endpoint_id].v4 = socket_v4;
	fake.steer[endpoint_id].v6 = socket_v6;
	return 0;
}

void dataplane_steer_clear(struct dataplane *dp, uint32_t endpoint_id)
{
	(void)dp;
	memset(&fake.steer[endpoint_id], 0, sizeof(fake.steer[endpoint_id]));
}

struct spw_signals *dataplane_signals(struct dataplane *dp, uint32_t endpoint_id)
{
	(void)dp;
	return &fake.signals[endpoint_id];
}

void dataplane_set_word(struct dataplane *dp, uint32_t endpoint_id, bool pickable, bool up)
{
	struct table_endpoint *row = fake_row(endpoint_id);

	(void)dp;
	fake.words++;
	if (row) {
		row->pickable = pickable;
		row->up = up;
	}
}

void dataplane_host_addrs(struct dataplane *dp, struct arena *a, struct spw_addr **out,
			  size_t *count)
{
	(void)dp;
	*out = arena_array(a, fake.host_count, sizeof(**out));
	if (fake.host_count)
		memcpy(*out, fake.host, fake.host_count * sizeof(**out));
	*count = fake.host_count;
}

const char *dataplane_endpoint_obstacle(struct dataplane *dp, struct arena *a, uint32_t endpoint_id)
{
	(void)dp;
	(void)a;
	(void)endpoint_id;
	return fake.obstacle;
}

const char *dataplane_endpoint_problem(struct dataplane *dp, struct arena *a, uint32_t endpoint_id)
{
	return dataplane_endpoint_obstacle(dp, a, endpoint_id);
}

const char *dataplane_vip_problem(struct dataplane *dp, struct arena *a, const struct spw_addr *vip)
{
	(void)dp;
	(void)a;
	(void)vip;
	return fake.vip_problem;
}

void dataplane_stats(struct dataplane *dp, uint64_t stats[SPW_STAT_MAX])
{
	(void)dp;
	for (uint64_t i = 0; i < SPW_STAT_MAX; i++)
		stats[i] = i;
}

void dataplane_service_stats(struct dataplane *dp, uint32_t service_id,
			     struct spw_service_stats *out)
{
	(void)dp;
	*out = (struct spw_service_stats){service_id + 1, 2, 3, 4};
}

void dataplane_endpoint_stats(struct dataplane *dp, uint32_t endpoint_id,
			      struct spw_endpoint_stats *out)
{
	(void)dp;
	*out = fake.stats[endpoint_id];
}

void dataplane_all_endpoint_stats(struct dataplane *dp, struct arena *a,
				  struct spw_endpoint_stats **out, size_t *count)
{
	(void)dp;
	*out = arena_array(a, FAKE_IDS, sizeof(**out));
	memcpy(*out, fake.stats, sizeof(fake.stats));
	*count = FAKE_IDS;
}

int dataplane_each_flow(struct dataplane *dp, bool (*fn)(void *ctx, const struct flow_row *row),
			void *ctx)
{
	(void)dp;
	for (size_t i = 0; i < fake.flow_count; i++) {
		if (!fn(ctx, &fake.flows[i]))
			break;
	}
	return 0;
}

/* At once, where the real one takes a thread. */
int dataplane_walk_flows(struct dataplane *dp, bool (*fn)(void *ctx, const struct flow_row *row),
			 void (*done)(void *ctx, int err), void *ctx)
{
	fake.walks++;
	done(ctx, dataplane_each_flow(dp, fn, ctx));
	return 0;
}

/* Likewise; in the order of the fake's flows. */
int dataplane_oldest_flows(struct dataplane *dp, const uint32_t *ids, size_t count,
			   void (*done)(void *ctx, int err, const struct oldest_flows *lists,
					size_t count),
			   void *ctx)
{
	struct oldest_flows *lists = calloc(count + 1, sizeof(*lists));

	(void)dp;
	fake.walks++;
	for (size_t i = 0; i < count; i++) {
		lists[i].endpoint_id = ids[i];
		for (size_t f = 0; f < fake.flow_count; f++) {
			if (fake.flows[f].endpoint_id == ids[i] && lists[i].count < OLDEST_FLOWS)
				lists[i].rows[lists[i].count++] = fake.flows[f];
		}
	}
	done(ctx, 0, lists, count);
	free(lists);
	return 0;
}

uint64_t dataplane_flow_count(const struct dataplane *dp)
{
	(void)dp;
	return fake.flow_count;
}

void dataplane_status(struct dataplane *dp, struct arena *a, struct dataplane_status *out)
{
	(void)dp;
	*out = (struct dataplane_status){.interface_count = 1, .map_bytes = 4096};
	out->interfaces = arena_array(a, 1, sizeof(*out->interfaces));
	out->interfaces[0] =
		(struct interface_status){.name = "eth0", .attached = true, .native = true};
}

#endif
