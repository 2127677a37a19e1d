/* SPDX-License-Identifier: BSD-2-Clause */
/* The flow table as tests see it: entries found, aged and counted in the mapped lines. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane/flow_lines.h"
#include "dataplane/maps.h"
#include "dataplane/ticks.h"
#include "spillway.skel.h"
#include "world.h"

static void *map_one(struct bpf_map *map, size_t bytes)
{
	void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return mem == MAP_FAILED ? NULL : mem;
}

int world_map(void)
{
	world.sets = maps_flow_sets(WORLD_FLOWS);
	world.lines = world.sets * SPW_SET_WAYS + 1;
	world.flows4 = map_one(world.skel->maps.flows4, world.lines * sizeof(struct spw_flow4));
	world.flows6 = map_one(world.skel->maps.flows6, world.lines * sizeof(struct spw_flow6));
	world.heads = map_one(world.skel->maps.flow_heads, 2ul * world.sets * sizeof(*world.heads));
	return world.flows4 && world.flows6 && world.heads ? 0 : -ENOMEM;
}

void world_empty_flows(void)
{
	memset(world.flows4, 0, world.lines * sizeof(struct spw_flow4));
	memset(world.flows6, 0, world.lines * sizeof(struct spw_flow6));
	memset(world.heads, 0, 2ul * world.sets * sizeof(*world.heads));
}

static uint64_t tick_ns(void)
{
	return SECOND_NS / ticks_a_second();
}

static uint32_t now_ticks(void)
{
	uint32_t now = 0;

	assert_true(ticks_now(bpf_program__fd(world.skel->progs.spillway_sweep), &now));
	return now;
}

/* Ticks of the past as a time of the coarse clock, and back. */
static uint64_t ns_of(uint32_t ticks)
{
	return world_now_ns() - (int64_t)(int32_t)(now_ticks() - ticks) * (int64_t)tick_ns();
}

static uint32_t ticks_of(uint64_t ns)
{
	return now_ticks() - (uint32_t)((int64_t)(world_now_ns() - ns) / (int64_t)tick_ns());
}

static struct flow flow_of(const struct flow_line *l)
{
	struct flow f = {
		.key = l->key,
		.saddr = l->to_saddr,
		.daddr = l->to_daddr,
		.sport = l->core.to_sport,
		.dport = l->core.to_dport,
		.endpoint = l->core.endpoint,
		.dir = l->core.dir,
		.flags = l->core.flags,
		.state = (uint32_t)(l->core.word & SPW_WORD_STATE_MASK),
		.service = l->core.service,
		.client_ifindex = l->core.client_ifindex,
		.seen = (uint32_t)(l->core.word >> SPW_WORD_SEEN_SHIFT),
		.seen_ns = ns_of((uint32_t)(l->core.word >> SPW_WORD_SEEN_SHIFT)),
		.born_ns = (uint64_t)l->core.born << SPW_BORN_SHIFT,
	};

	memcpy(f.client_mac, l->core.client_mac, 6);
	return f;
}

static bool same_key(const struct spw_flow_key *a, const struct spw_flow_key *b)
{
	return !memcmp(&a->saddr, &b->saddr, 16) && !memcmp(&a->daddr, &b->daddr, 16) &&
	       a->sport == b->sport && a->dport == b->dport && a->proto == b->proto;
}

/* Line i of both tables, IPv6 behind IPv4; NULL: nobody is there. */
static struct spw_flow_core *line(uint32_t i, struct flow_line *out)
{
	bool v6 = i >= world.lines;

	if (v6)
		i -= world.lines;
	if (v6)
		return flow_line6(&world.flows6[i], out) ? &world.flows6[i].core : NULL;
	return flow_line4(&world.flows4[i], out) ? &world.flows4[i].core : NULL;
}

static const struct spw_flow_core *core(uint32_t i)
{
	return i < world.lines ? &world.flows4[i].core : &world.flows6[i - world.lines].core;
}

static struct spw_flow_core *find(const struct spw_flow_key *key, struct flow_line *out)
{
	for (uint32_t i = 0; i < 2 * world.lines; i++) {
		struct spw_flow_core *c;

		if (core(i)->sport != key->sport || core(i)->dport != key->dport)
			continue;
		c = line(i, out);

		if (c && same_key(&out->key, key))
			return c;
	}
	return NULL;
}

bool world_flow(const struct desc *d, struct flow *out)
{
	struct spw_flow_key key = world_key(d);
	struct flow_line l;

	if (!find(&key, &l))
		return false;
	*out = flow_of(&l);
	return true;
}

static bool is4(const struct spw_flow_core *c)
{
	const struct spw_flow4 *l = (const void *)c;

	return l >= world.flows4 && l < world.flows4 + world.lines;
}

static void put(struct spw_flow_core *c, const struct flow *f)
{
	const uint64_t low = 0xffffffff & ~(uint64_t)SPW_WORD_STATE_MASK;

	c->born = (uint32_t)(f->born_ns >> SPW_BORN_SHIFT);
	c->client_ifindex = f->client_ifindex;
	c->to_dport = f->dport;
	if (is4(c))
		((struct spw_flow4 *)c)->to_daddr = f->daddr.w[3];
	else
		((struct spw_flow6 *)c)->to_daddr = f->daddr;
	c->word =
		(uint64_t)ticks_of(f->seen_ns) << SPW_WORD_SEEN_SHIFT | (c->word & low) | f->state;
}

/* A stray is put in a free line of any set: its key is not to be found by packets. */
static struct spw_flow_core *copy_to_free(const struct spw_flow_key *key, const struct flow *f)
{
	for (uint32_t i = 1; i < world.lines; i++) {
		struct spw_flow4 *l = &world.flows4[i];

		if (l->core.word & SPW_WORD_PHASE_MASK)
			continue;
		*l = (struct spw_flow4){
			.core = {.word = (uint64_t)SPW_PHASE_LIVE << SPW_WORD_PHASE_SHIFT,
				 .sport = key->sport,
				 .dport = key->dport,
				 .proto = key->proto,
				 .dir = f->dir,
				 .endpoint = f->endpoint,
				 .to_sport = f->sport,
				 .to_dport = f->dport},
			.saddr = key->saddr.w[3],
			.daddr = key->daddr.w[3],
			.to_saddr = f->saddr.w[3],
			.to_daddr = f->daddr.w[3],
		};
		return &l->core;
	}
	fail_msg("no line is free");
	return NULL;
}

void world_put_flow(const struct desc *d, const struct flow *f)
{
	struct spw_flow_key key = world_key(d);
	struct flow_line l;
	struct spw_flow_core *c = find(&key, &l);

	put(c ? c : copy_to_free(&key, f), f);
}

void world_age_all(uint64_t idle_ns)
{
	uint32_t seen = ticks_of(world_now_ns() - idle_ns);

	for (uint32_t i = 0; i < 2 * world.lines; i++) {
		struct flow_line l;
		struct spw_flow_core *c = line(i, &l);

		if (c)
			c->word = (uint64_t)seen << SPW_WORD_SEEN_SHIFT | (uint32_t)c->word;
	}
}

void world_each_flow(void (*fn)(const struct flow *f, void *ctx), void *ctx)
{
	struct flow_line l;

	for (uint32_t i = 0; i < 2 * world.lines; i++) {
		if (line(i, &l)) {
			struct flow f = flow_of(&l);

			fn(&f, ctx);
		}
	}
}

static void count_one(const struct flow *f, void *ctx)
{
	(void)f;
	++*(uint32_t *)ctx;
}

uint32_t world_flow_count(void)
{
	uint32_t n = 0;

	world_each_flow(count_one, &n);
	return n;
}
