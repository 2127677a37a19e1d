/* SPDX-License-Identifier: BSD-2-Clause */
/* The heap of times: its order, against the plain way of looking at all of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/hash.h"
#include "health/due.h"

#define ITEMS 2000

static void items_come_out_in_the_order_of_their_times(void **state)
{
	struct due_queue q = {0};
	struct due *items = calloc(ITEMS, sizeof(*items));
	uint64_t last = 0;

	(void)state;
	assert_int_equal(due_reserve(&q, ITEMS), 0);
	for (size_t i = 0; i < ITEMS; i++)
		due_put(&q, &items[i], hash_mix(i) % 5000);
	for (size_t i = 0; i < ITEMS; i++) {
		struct due *d = due_first(&q);

		assert_true(d->at_ms >= last);
		last = d->at_ms;
		due_remove(&q, d);
		assert_int_equal(d->place, 0);
	}
	assert_null(due_first(&q));
	due_done(&q);
	free(items);
}

/* Against the plain way: look at all of them. */
static void moving_and_removing_keep_the_order(void **state)
{
	struct due_queue q = {0};
	struct due *items = calloc(ITEMS, sizeof(*items));

	(void)state;
	assert_int_equal(due_reserve(&q, ITEMS), 0);
	for (uint64_t step = 0; step < 20000; step++) {
		struct due *d = &items[hash_mix(step) % ITEMS];

		if (hash_mix(step + 1) % 3 == 0)
			due_remove(&q, d);
		else
			due_put(&q, d, hash_mix(step * 7) % 100000);
		if (step % 64)
			continue;
		for (size_t i = 0; i < ITEMS; i++)
			if (items[i].place)
				assert_true(due_first(&q)->at_ms <= items[i].at_ms);
	}
	due_done(&q);
	free(items);
}

static void removing_what_is_not_queued_does_nothing(void **state)
{
	struct due_queue q = {0};
	struct due a = {0}, b = {0};

	(void)state;
	assert_int_equal(due_reserve(&q, 2), 0);
	due_put(&q, &a, 5);
	due_remove(&q, &b);
	assert_ptr_equal(due_first(&q), &a);
	assert_int_equal(q.count, 1);
	due_done(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_out_in_the_order_of_their_times),
		cmocka_unit_test(moving_and_removing_keep_the_order),
		cmocka_unit_test(removing_what_is_not_queued_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
