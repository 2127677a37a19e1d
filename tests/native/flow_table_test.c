/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_table_test [--operations N]: the headers of the flow table, compiled natively, under the
 * thread sanitizer: four threads and a sweep on a table so small that its sets are full. Whenever
 * they pause, the table must be whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>

#include "work.h"

#define PAUSES 20

/* A few seconds of an idle machine. */
#if __has_feature(thread_sanitizer)
static __u64 operations = 500000;
#else
static __u64 operations = 1000000;
#endif

struct totals {
	__u64 found, torn, raced, full, busy, reused, orphans;
};

static void add(struct totals *t, const struct worker *w)
{
	t->found += w->found;
	t->torn += w->torn;
	t->raced += w->raced;
	t->full += w->full;
	t->busy += w->busy;
	t->reused += w->reused;
}

static void run(__u32 round, struct totals *t)
{
	struct worker workers[WORKERS] = {};
	pthread_t threads[WORKERS], sweeper;

	atomic_store(&over, false);
	assert_int_equal(pthread_create(&sweeper, NULL, sweep, NULL), 0);
	for (__u32 i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){.nth = i,
					     .rnd = round * WORKERS + i + 1,
					     .operations = operations / PAUSES / WORKERS};
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (__u32 i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&over, true);
	pthread_join(sweeper, NULL);
	for (__u32 i = 0; i < WORKERS; i++)
		add(t, &workers[i]);
}

static void expect_whole(struct totals *t)
{
	struct census c = census();

	if (c.wrong || c.lost || c.orphans)
		print_message("forward %u reverse %u lost %u orphans %u wrong %u\n", c.forward,
			      c.reverse, c.lost, c.orphans, c.wrong);
	t->orphans += c.orphans;
	assert_int_equal(c.wrong, 0);
	assert_int_equal(c.lost, 0);
	assert_int_equal(c.orphans, 0);
	assert_int_equal(c.forward, c.reverse);
	assert_int_equal(opened - closed, c.unclosed);
}

static void threads_leave_the_table_whole(void **state)
{
	struct totals t = {};

	(void)state;
	for (__u32 round = 0; round < PAUSES; round++) {
		run(round, &t);
		assert_int_equal(t.torn, 0);
		expect_whole(&t);
	}
	print_message("%llu operations: opened %llu, replaced %llu, raced %llu, refused %llu, "
		      "busy %llu, ports reused %llu, entries read %llu, waits for a lock %llu, "
		      "orphans %llu, ticks %u\n",
		      (unsigned long long)operations, opened, replaced, (unsigned long long)t.raced,
		      (unsigned long long)t.full, (unsigned long long)t.busy,
		      (unsigned long long)t.reused, (unsigned long long)t.found, spun,
		      (unsigned long long)t.orphans, ticks);
	/* All that could go wrong has been tried. */
	assert_true(opened > operations / 100 && replaced && t.raced);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_leave_the_table_whole),
	};

	if (argc == 3 && !strcmp(argv[1], "--operations"))
		operations = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
