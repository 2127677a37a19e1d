/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables by way of a cache that has seen many other services against tables that are made anew: no field that counts is left out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "tables/compile.h"

#include "model_fixture.h"

#define INSTANCES 24
#define SERVICES  6
#define CHANGES	  2000
#define LINES	  1000000

static struct fixture f;

static unsigned int pick(unsigned int below)
{
	static uint64_t seed = 11;

	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(seed >> 33) % below;
}

static const char *some_zone(void)
{
	static const char *const zones[] = {NULL, "", "a", "b", "a zone with a long name"};

	return zones[pick(5)];
}

static void change_instance(void)
{
	struct instance *i = &f.model.instances[pick(INSTANCES)];
	struct health_entry *e = &f.health[pick(INSTANCES)];

	switch (pick(7)) {
	case 0:
		i->mode = pick(2) ? SPW_MODE_NAT : SPW_MODE_IPIP;
		break;
	case 1:
		i->port = (uint16_t)(i->index * 4 + 80 + pick(4)); /* keys are distinct */
		break;
	case 2:
		i->addr = fixture_addr(pick(3) + 1);
		break;
	case 3:
		e->state = (enum health_state)pick(3);
		break;
	case 4:
		e->admin = pick(2) ? SPW_ADMIN_AUTO : pick(2) ? SPW_ADMIN_DOWN : SPW_ADMIN_DRAIN;
		break;
	case 5:
		e->ejected = pick(2);
		break;
	case 6:
		e->ramp_percent = (uint8_t)(pick(2) ? 0 : pick(99) + 1);
		break;
	}
}

static void change_zones(struct service *s)
{
	struct prefer_local *p = &s->prefer_local;

	switch (pick(6)) {
	case 0:
		p->enabled = pick(2);
		break;
	case 1:
		p->force = pick(2);
		break;
	case 2:
		p->min_in_zone = pick(4);
		break;
	case 3:
		p->min_endpoints = pick(8);
		break;
	case 4:
		p->percent = pick(101);
		break;
	case 5:
		s->local_zone = pick(2) ? "a" : some_zone();
		break;
	}
}

static void change_locality(struct service *s)
{
	struct locality *l = &s->localities[pick((unsigned int)s->locality_count)];
	const size_t member = pick((unsigned int)l->count);

	switch (pick(5)) {
	case 0:
		l->weight = pick(5) + 1;
		break;
	case 1:
		l->tier = (uint8_t)pick(3);
		break;
	case 2:
		l->zones[member] = some_zone();
		break;
	case 3:
		l->members[member] = &f.model.instances[pick(INSTANCES)];
		break;
	case 4: /* there was room for four */
		l->count = pick(4) + 1;
		break;
	}
}

static void change_service(void)
{
	struct service *s = &f.model.services[pick(SERVICES)];

	switch (pick(9)) {
	case 0:
		s->panic_threshold = (uint8_t)(pick(2) ? 50 : pick(101));
		break;
	case 1:
		s->table_size = pick(2) ? 0 : 257;
		break;
	case 2:
		s->locality_count = pick(3) + 1; /* there was room for three */
		break;
	case 3:
		s->pick = pick(2) ? SPW_PICK_LEAST : SPW_PICK_FLOW;
		break;
	case 4:
	case 5:
		change_zones(s);
		break;
	default:
		change_locality(s);
		break;
	}
}

static void compare_slots(const struct tables *a, uint32_t x, const struct tables *b, uint32_t y)
{
	assert_int_equal(x == TABLE_NONE, y == TABLE_NONE);
	if (x == TABLE_NONE)
		return;
	assert_int_equal(a->slots[x].size, b->slots[y].size);
	assert_memory_equal(a->slots[x].slots, b->slots[y].slots, a->slots[x].size * 2);
}

static void compare(const struct tables *a, const struct tables *b)
{
	assert_int_equal(a->slots_count, b->slots_count);
	for (size_t i = 0; i < SERVICES; i++) {
		const struct table_service *x = &a->services[i], *y = &b->services[i];

		compare_slots(a, x->table, b, y->table);
		compare_slots(a, x->spare, b, y->spare);
		compare_slots(a, table_weights(x), b, table_weights(y));
		assert_int_equal(x->direct, y->direct);
		assert_int_equal(x->empty, y->empty);
	}
	for (size_t i = 0; i < a->endpoint_count; i++) {
		assert_int_equal(a->endpoints[i].id, b->endpoints[i].id);
		assert_int_equal(a->endpoints[i].pickable, b->endpoints[i].pickable);
		assert_int_equal(a->endpoints[i].flags, b->endpoints[i].flags);
	}
}

static int compile(struct arena *a, const struct ids *ids, uint32_t lines,
		   struct table_cache *cache, struct tables *out)
{
	const char *why = NULL;

	return tables_compile(a, &f.model, &f.view, ids, lines, cache, out, &why);
}

static void make_model(void)
{
	fixture_init(&f);
	fixture_room(&f, INSTANCES, SERVICES);
	for (uint32_t i = 0; i < INSTANCES; i++)
		(void)fixture_instance(&f, 1, (uint16_t)(80 + 4 * i));
	for (uint32_t i = 0; i < SERVICES; i++) {
		struct service *s = fixture_service(&f, i, 80);

		s->local_zone = "a";
		s->prefer_local = (struct prefer_local){
			.enabled = i % 2, .force = i % 4 == 1, .min_in_zone = 1, .percent = 100};
		for (size_t l = 0; l < 3; l++)
			fixture_locality(&f, s, (uint8_t)pick(2), 1, pick(INSTANCES - 4), 4);
		for (size_t m = 0; m < 4; m++)
			s->localities[0].zones[m] = some_zone();
	}
}

static void a_remembered_service_is_one_that_is_made_anew(void **state)
{
	const struct ids_limits limits = {65536, 16384};
	AUTO(ids_free) struct ids *ids = ids_new(&limits);
	AUTO(table_cache_free) struct table_cache *cache = table_cache_new();
	const char *why = NULL;

	(void)state;
	make_model();
	for (unsigned int n = 0; n < CHANGES; n++) {
		AUTO(arena_free) struct arena *a = arena_new();
		struct tables known, anew;

		if (pick(2))
			change_instance();
		else
			change_service();
		assert_int_equal(ids_assign(ids, &f.model, &why), 0);
		if (!pick(20)) /* one that is cancelled leaves the cache as it was */
			assert_int_equal(compile(a, ids, 1, cache, &known), -ENOSPC);
		assert_int_equal(compile(a, ids, LINES, cache, &known), 0);
		assert_int_equal(compile(a, ids, LINES, NULL, &anew), 0);
		compare(&known, &anew);
	}
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_remembered_service_is_one_that_is_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
