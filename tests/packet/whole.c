/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold of the mapped flow table whatever packets there were. */
#include "whole.h"

#include <stdlib.h>
#include <string.h>

#include "world.h"

static struct flow *all;
static size_t all_count, all_room;

static void collect(const struct flow *f, void *ctx)
{
	(void)ctx;
	if (all_count == all_room) {
		all_room = all_room ? 2 * all_room : 4096;
		all = realloc(all, all_room * sizeof(*all));
		assert_non_null(all);
	}
	all[all_count++] = *f;
}

static int by_key(const void *a, const void *b)
{
	return memcmp(&((const struct flow *)a)->key, &((const struct flow *)b)->key,
		      sizeof(struct spw_flow_key));
}

/* Nothing that another flow's entry could be taken for. */
static void expect_alone(const struct flow *f)
{
	static const struct spw_addr none;

	assert_int_equal(f->dir, SPW_FLOW_FORWARD);
	assert_memory_equal(f->saddr.b + 12, none.b, 4);
	assert_memory_equal(f->daddr.b + 12, none.b, 4);
	assert_int_equal(f->sport | f->dport, 0);
}

static void expect_partner(const struct flow *f)
{
	struct flow back = {.key = {.proto = f->key.proto,
				    .saddr = f->daddr,
				    .daddr = f->saddr,
				    .sport = f->dport,
				    .dport = f->sport}};
	const struct flow *partner = bsearch(&back, all, all_count, sizeof(all[0]), by_key);

	assert_non_null(partner);
	assert_memory_equal(&partner->daddr, &f->key.saddr, sizeof(f->key.saddr));
	assert_memory_equal(&partner->saddr, &f->key.daddr, sizeof(f->key.daddr));
	assert_int_equal(partner->dport, f->key.sport);
	assert_int_equal(partner->sport, f->key.dport);
	assert_int_equal(partner->endpoint, f->endpoint);
	assert_int_not_equal(partner->dir, f->dir);
}

static void expect_line(const struct spw_flow_head *h, uint32_t way, const struct spw_flow_core *c)
{
	uint64_t phase = (c->word & SPW_WORD_PHASE_MASK) >> SPW_WORD_PHASE_SHIFT;

	assert_int_not_equal(phase, SPW_PHASE_CLAIMED);
	assert_int_equal(!!h->tag[way], phase == SPW_PHASE_LIVE);
}

size_t whole_expect(void)
{
	for (uint32_t line = 1; line < world.lines; line++) {
		uint32_t set = (line - 1) / SPW_SET_WAYS, way = (line - 1) % SPW_SET_WAYS;

		expect_line(&world.heads[set], way, &world.flows4[line].core);
		expect_line(&world.heads[world.sets + set], way, &world.flows6[line].core);
	}
	for (uint32_t i = 0; i < 2 * world.sets; i++)
		assert_int_equal(world.heads[i].lock, 0);
	all_count = 0;
	world_each_flow(collect, NULL);
	if (all_count)
		qsort(all, all_count, sizeof(all[0]), by_key);
	for (size_t i = 0; i < all_count; i++) {
		assert_true(!i || by_key(&all[i - 1], &all[i]));
		if (all[i].flags & SPW_FLOW_ALONE)
			expect_alone(&all[i]);
		else
			expect_partner(&all[i]);
	}
	return all_count;
}

static void count_unclosed(const struct flow *f, void *ctx)
{
	*(uint64_t *)ctx += f->dir == SPW_FLOW_FORWARD && !(f->state & SPW_FLOW_CLOSED);
}

uint64_t whole_unclosed(void)
{
	uint64_t n = 0;

	world_each_flow(count_unclosed, &n);
	return n;
}
