/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a rebuild takes after one endpoint's change, without the maps: compile and diff, in
 * milliseconds. Figures, not tests; the target is well below 100 ms with 10,000 endpoints.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../unit/model_fixture.h"
#include "tables/compile.h"
#include "tables/diff.h"

#define LINES  4000000
#define ROUNDS 7

static struct fixture f;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

struct bench {
	struct ids *ids;
	struct table_cache *cache;
	struct arena *arena;
	struct tables have;
	double compile_ms, diff_ms;
	size_t written;
};

static void rebuild(struct bench *b)
{
	struct arena *a = arena_new();
	const char *why = NULL;
	struct tables want;
	struct steps steps;
	double start = now_ms();

	if (!a || tables_compile(a, &f.model, &f.view, b->ids, LINES, b->cache, &want, &why))
		abort();
	b->compile_ms = now_ms() - start;
	start = now_ms();
	if (tables_diff(a, &b->have, &want, &(struct line_space){LINES, NULL, 0},
			&(struct line_space){LINES, NULL, 0}, &steps))
		abort();
	b->diff_ms = now_ms() - start;
	b->written = steps.slots_put_count;
	arena_free(b->arena);
	b->arena = a;
	b->have = want;
}

static void report(const char *what, const struct bench *b)
{
	printf("  %-34s compile %7.2f ms, diff %6.2f ms, %zu tables to write\n", what,
	       b->compile_ms, b->diff_ms, b->written);
}

/* The slowest of a few: one more endpoint down each time. */
static void fail_some(struct bench *b, const char *what, size_t first)
{
	struct bench worst = {0};

	for (size_t i = 0; i < ROUNDS; i++) {
		f.health[first + i].state = HEALTH_DOWN;
		rebuild(b);
		if (b->compile_ms + b->diff_ms > worst.compile_ms + worst.diff_ms)
			worst = *b;
	}
	report(what, &worst);
}

static void run(const char *what)
{
	struct bench b = {
		.ids = ids_new(&(struct ids_limits){65536, 16384}),
		.cache = table_cache_new(),
	};
	const size_t count = f.model.instance_count;
	const char *why;

	printf("%s\n", what);
	if (ids_assign(b.ids, &f.model, &why))
		abort();
	rebuild(&b);
	report("first", &b);
	rebuild(&b);
	report("nothing new", &b);
	fail_some(&b, "one fails", 0);
	for (size_t i = 0; i < count; i += 5)
		f.health[i].state = HEALTH_DOWN;
	rebuild(&b);
	report("a fifth fails at once", &b);
	fail_some(&b, "one more fails", count / 2);
	memset(f.health, 0, sizeof(f.health));
	rebuild(&b);
	report("all recover", &b);
	arena_free(b.arena);
	table_cache_free(b.cache);
	ids_free(b.ids);
	fixture_done(&f);
}

static void endpoints(size_t count, size_t services)
{
	fixture_init(&f);
	fixture_room(&f, count, services);
	for (uint32_t i = 0; i < count; i++)
		(void)fixture_instance(&f, i + 1, 80);
}

/* Services of `each` endpoints of their own, a tenth of them fallbacks. */
static void separate(const char *what, size_t services, size_t each)
{
	endpoints(services * each, services);
	for (size_t i = 0; i < services; i++) {
		struct service *s = fixture_service(&f, (uint32_t)i, 80);
		const size_t fallbacks = each / 10;

		fixture_locality(&f, s, 0, 1, i * each, each - fallbacks);
		fixture_locality(&f, s, 1, 1, (i + 1) * each - fallbacks, fallbacks);
	}
	run(what);
}

int main(void)
{
	separate("100 services of 100 endpoints", 100, 100);
	separate("3 services of 3,300 endpoints", 3, 3300);
	separate("1,000 services of 10 endpoints", 1000, 10);
	endpoints(40, 10000);
	for (uint32_t i = 0; i < 10000; i++)
		fixture_locality(&f, fixture_service(&f, i, 80), 0, 1, 0, 4);
	run("10,000 services that share 4 endpoints");
	return 0;
}
