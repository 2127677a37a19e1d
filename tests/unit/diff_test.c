/* SPDX-License-Identifier: BSD-2-Clause */
/* From one set of tables to the next: the right steps, in free lines, and none when nothing is new. */
#include "tables/diff.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "base/addr.h"

static struct arena *arena;
static struct steps steps;
static struct strbuf text;

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	strbuf_done(&text);
	arena_free(arena);
	return 0;
}

static void put_endpoint(struct tables *t, uint32_t id, bool pickable, bool up)
{
	*arena_push(arena, t->endpoints, t->endpoint_count) =
		(struct table_endpoint){.id = id,
					.addr = {{{[15] = (uint8_t)id}}},
					.port = 80,
					.mode = SPW_MODE_NAT,
					.pickable = pickable,
					.up = up};
}

/* A table full of one number. */
static uint32_t put_slots(struct tables *t, uint32_t size, uint16_t fill, uint32_t base)
{
	uint16_t *slots = arena_array(arena, size, sizeof(*slots));

	for (uint32_t i = 0; i < size; i++)
		slots[i] = fill;
	*arena_push(arena, t->slots, t->slots_count) =
		(struct table_slots){.size = size, .base = base, .slots = slots};
	return (uint32_t)t->slots_count - 1;
}

static void put_service(struct tables *t, uint32_t id, uint16_t port, uint32_t table,
			uint32_t spare)
{
	*arena_push(arena, t->services, t->service_count) =
		(struct table_service){.id = id,
				       .vip = {{{[15] = 99}}},
				       .port = port,
				       .proto = 6,
				       .live_flows = SPW_NO_ENDPOINT_LEAVE,
				       .idle_s = {30, 7440, 60},
				       .table = table,
				       .spare = spare};
}

static const struct line_space no_motions = {.lines = 1};

static int diff(const struct tables *have, struct tables *want, uint32_t lines)
{
	return tables_diff(arena, have, want, &(struct line_space){lines, NULL, 0},
			   &(struct line_space){lines, NULL, 0}, &steps);
}

static const char *steps_text(void)
{
	strbuf_done(&text);
	text = (struct strbuf){0};
	steps_print(&steps, &text);
	return text.text ? text.text : "";
}

static void from_nothing_everything_is_put(void **state)
{
	struct tables have = {0}, want = {0};

	(void)state;
	put_endpoint(&want, 1, true, true);
	put_service(&want, 0, 80, put_slots(&want, 251, 1, TABLE_UNPLACED), TABLE_NONE);
	assert_int_equal(diff(&have, &want, 8), 0);
	assert_string_equal(steps_text(), "put endpoint 1: [::1]:80 nat pickable up\n"
					  "put table 0: size 251 at slot 0\n"
					  "put service 0: [::63]:80/tcp\n"
					  "word 1: pickable up\n"
					  "switch rows\n");
	assert_int_equal(want.slots[0].base, 0);
}

static void equal_tables_need_no_step(void **state)
{
	struct tables have = {0}, want = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct tables *t = i ? &want : &have;

		put_endpoint(t, 1, true, true);
		put_service(t, 0, 80, put_slots(t, 251, 1, i ? TABLE_UNPLACED : 96), TABLE_NONE);
	}
	assert_int_equal(diff(&have, &want, 11), 0);
	assert_true(steps_empty(&steps));
	assert_int_equal(want.slots[0].base, 96); /* found again by its content */
}

static void a_new_table_is_written_beside_the_old_one(void **state)
{
	struct tables have = {0}, want = {0};

	(void)state;
	put_service(&have, 0, 80, put_slots(&have, 251, 1, 0), TABLE_NONE);
	put_service(&want, 0, 80, put_slots(&want, 251, 2, TABLE_UNPLACED), TABLE_NONE);
	assert_int_equal(diff(&have, &want, 15), -ENOSPC);
	assert_int_equal(want.slots[0].base, TABLE_UNPLACED);
	assert_int_equal(diff(&have, &want, 16), 0);
	assert_string_equal(steps_text(), "put table 0: size 251 at slot 256\nswitch rows\n");
}

static void resting_lines_are_left_alone(void **state)
{
	const struct line_range resting[] = {{8 * 32, 8}, {32 * 32, 4}};
	struct tables have = {0}, want = {0};

	(void)state;
	put_service(&have, 0, 80, put_slots(&have, 251, 1, 0), TABLE_NONE);
	(void)put_slots(&want, 251, 3, TABLE_UNPLACED);
	(void)put_slots(&want, 509, 2, TABLE_UNPLACED);
	put_service(&want, 0, 80, 1, 0);
	assert_int_equal(tables_diff(arena, &have, &want, &(struct line_space){43, resting, 2},
				     &no_motions, &steps),
			 -ENOSPC);
	assert_int_equal(tables_diff(arena, &have, &want, &(struct line_space){44, resting, 2},
				     &no_motions, &steps),
			 0);
	assert_int_equal(want.slots[1].base, 16 * 32); /* the larger one first */
	assert_int_equal(want.slots[0].base, 36 * 32);
}

static void an_endpoint_is_taken_out_first_and_brought_in_before_the_switch(void **state)
{
	struct tables have = {0}, want = {0};

	(void)state;
	put_endpoint(&have, 1, false, false);
	put_endpoint(&have, 2, true, true);
	put_endpoint(&have, 3, true, true);
	put_endpoint(&have, 4, true, true);
	put_endpoint(&want, 1, true, true);
	put_endpoint(&want, 2, false, false);
	put_endpoint(&want, 4, true, false);
	assert_int_equal(diff(&have, &want, 8), 0);
	assert_string_equal(steps_text(), "word 2: down\n"
					  "word 1: pickable up\n"
					  "word 4: pickable down\n"
					  "delete endpoint 3\n");
	assert_true(steps.words[0].takes_out);
	assert_true(!steps.words[1].takes_out && !steps.words[2].takes_out);
}

static void an_endpoint_that_goes_answers_until_the_switch(void **state)
{
	struct tables have = {0}, want = {0};

	(void)state;
	put_endpoint(&have, 1, true, true);
	put_service(&have, 0, 80, put_slots(&have, 251, 1, 0), TABLE_NONE);
	put_endpoint(&want, 2, true, true);
	put_service(&want, 0, 80, put_slots(&want, 251, 2, TABLE_UNPLACED), TABLE_NONE);
	assert_int_equal(diff(&have, &want, 16), 0);
	assert_string_equal(steps_text(), "put endpoint 2: [::2]:80 nat pickable up\n"
					  "put table 0: size 251 at slot 256\n"
					  "word 2: pickable up\n"
					  "switch rows\n"
					  "delete endpoint 1\n");
}

static void a_changed_row_is_put_again(void **state)
{
	struct tables have = {0}, want = {0};

	(void)state;
	put_endpoint(&have, 1, true, true);
	put_endpoint(&want, 1, true, true);
	want.endpoints[0].profile = 0xabc;
	assert_int_equal(diff(&have, &want, 8), 0);
	assert_string_equal(steps_text(),
			    "put endpoint 1: [::1]:80 nat profile 0000000000000abc pickable up\n");
}

static void an_endpoint_is_put_again_when_its_flags_change(void **state)
{
	struct tables have = {0}, want = {0};

	(void)state;
	put_endpoint(&have, 1, true, true);
	put_endpoint(&want, 1, true, true);
	want.endpoints[0].flags = SPW_ENDPOINT_RESET_ON_REMOVAL;
	assert_int_equal(diff(&have, &want, 8), 0);
	assert_string_equal(steps_text(),
			    "put endpoint 1: [::1]:80 nat pickable up reset-on-removal\n");
}

static void rows_are_switched_when_the_answer_without_endpoint_changes(void **state)
{
	(void)state;
	for (int field = 0; field < 4; field++) {
		struct tables have = {0}, want = {0};

		put_service(&have, 0, 80, TABLE_NONE, TABLE_NONE);
		put_service(&want, 0, 80, TABLE_NONE, TABLE_NONE);
		want.services[0].empty = field == 1;
		want.services[0].new_flows = field == 2 ? SPW_NO_ENDPOINT_PASS : 0;
		if (field == 3)
			want.services[0].live_flows = SPW_NO_ENDPOINT_DROP;
		assert_int_equal(diff(&have, &want, 8), 0);
		assert_string_equal(steps_text(), field ? "switch rows\n" : "");
	}
}

static void rows_are_switched_when_an_idle_time_changes(void **state)
{
	(void)state;
	for (int field = 0; field < SPW_IDLE_MAX; field++) {
		struct tables have = {0}, want = {0};

		put_service(&have, 0, 80, TABLE_NONE, TABLE_NONE);
		put_service(&want, 0, 80, TABLE_NONE, TABLE_NONE);
		want.services[0].idle_s[field]++;
		assert_int_equal(diff(&have, &want, 8), 0);
		assert_string_equal(steps_text(), "switch rows\n");
	}
}

static void two_services_that_swap_numbers_are_both_put(void **state)
{
	struct tables have = {0}, want = {0};

	(void)state;
	put_service(&have, 0, 80, TABLE_NONE, TABLE_NONE);
	put_service(&have, 1, 443, TABLE_NONE, TABLE_NONE);
	put_service(&want, 0, 443, TABLE_NONE, TABLE_NONE);
	put_service(&want, 1, 80, TABLE_NONE, TABLE_NONE);
	assert_int_equal(diff(&have, &want, 8), 0);
	assert_string_equal(steps_text(), "put service 1: [::63]:80/tcp\n"
					  "put service 0: [::63]:443/tcp\n"
					  "switch rows\n");
}

static void services_come_and_go(void **state)
{
	struct tables have = {0}, want = {0};

	(void)state;
	put_service(&have, 0, 80, TABLE_NONE, TABLE_NONE);
	put_service(&have, 1, 443, TABLE_NONE, TABLE_NONE);
	put_service(&want, 1, 443, TABLE_NONE, TABLE_NONE);
	put_service(&want, 2, 8080, TABLE_NONE, TABLE_NONE);
	assert_int_equal(diff(&have, &want, 8), 0);
	assert_string_equal(steps_text(), "put service 2: [::63]:8080/tcp\n"
					  "switch rows\n"
					  "delete service 0: [::63]:80/tcp\n");
}

static void a_key_under_another_number_is_not_deleted(void **state)
{
	struct tables have = {0}, want = {0};

	(void)state;
	put_service(&have, 0, 80, TABLE_NONE, TABLE_NONE);
	put_service(&want, 5, 80, TABLE_NONE, TABLE_NONE);
	assert_int_equal(diff(&have, &want, 8), 0);
	assert_string_equal(steps_text(), "put service 5: [::63]:80/tcp\nswitch rows\n");
}

/* What is applied in turn, at random, never overlaps and always ends where it should. */
static void many_changes_never_write_lines_in_use(void **state)
{
	static const uint32_t sizes[] = {251, 509, 1021};
	struct tables have = {0};

	(void)state;
	srand(7);
	for (int round = 0; round < 300; round++) {
		struct tables want = {0};
		uint8_t used[400] = {0};

		for (int i = 0; i < 6; i++)
			(void)put_slots(&want, sizes[rand() % 3], (uint16_t)(rand() % 9),
					TABLE_UNPLACED);
		assert_int_equal(diff(&have, &want, 400), 0);
		for (size_t i = 0; i < have.slots_count; i++)
			memset(used + have.slots[i].base / 32, 1, (have.slots[i].size + 31) / 32);
		for (size_t i = 0; i < steps.slots_put_count; i++) {
			const struct table_slots *t = &want.slots[steps.slots_put[i]];

			assert_int_equal(t->base % 32, 0);
			for (uint32_t l = t->base / 32; l < t->base / 32 + (t->size + 31) / 32;
			     l++) {
				assert_true(l < 400);
				assert_int_equal(used[l], 0);
				used[l] = 1;
			}
		}
		have = want;
	}
}

static void tables_are_printed_as_counts(void **state)
{
	struct tables t = {0};

	(void)state;
	put_endpoint(&t, 1, true, true);
	put_service(&t, 0, 80, put_slots(&t, 251, 1, TABLE_UNPLACED), TABLE_NONE);
	tables_print(&t, &text);
	assert_non_null(strstr(text.text, "endpoint 1: [::1]:80 nat pickable up\n"));
	assert_non_null(strstr(text.text, "service 0: [::63]:80/tcp table 0 spare none "
					  "without endpoint: new answer, established leave\n"));
	assert_non_null(strstr(text.text, "  endpoint 1: 251 slots, 100.00 %\n"));
}

static void idle_times_are_printed_where_they_are_no_defaults(void **state)
{
	struct tables t = {0};

	(void)state;
	for (uint16_t port = 1; port <= 3; port++)
		put_service(&t, port, port, TABLE_NONE, TABLE_NONE);
	t.services[0].idle_s[SPW_IDLE_CLOSING] = 5;
	t.services[0].idle_s[SPW_IDLE_EMBRYONIC] = 6;
	t.services[0].empty = true;
	t.services[1].proto = 17;
	t.services[1].idle_s[SPW_IDLE_CLOSING] = 5; /* which UDP flows never do */
	t.services[1].idle_s[SPW_IDLE_ESTABLISHED] = 180;
	t.services[2].proto = 17;
	tables_print(&t, &text);
	assert_non_null(strstr(text.text,
			       ":1/tcp table none spare none without endpoint: new answer, "
			       "established leave; empty; idle embryonic 6s, closing 5s\n"));
	assert_non_null(strstr(text.text,
			       ":2/udp table none spare none without endpoint: new answer, "
			       "established leave\n"));
	assert_non_null(strstr(text.text,
			       ":3/udp table none spare none without endpoint: new answer, "
			       "established leave; idle established 7440s\n"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(from_nothing_everything_is_put),
		TEST(equal_tables_need_no_step),
		TEST(a_new_table_is_written_beside_the_old_one),
		TEST(resting_lines_are_left_alone),
		TEST(an_endpoint_is_taken_out_first_and_brought_in_before_the_switch),
		TEST(an_endpoint_that_goes_answers_until_the_switch),
		TEST(a_changed_row_is_put_again),
		TEST(an_endpoint_is_put_again_when_its_flags_change),
		TEST(rows_are_switched_when_the_answer_without_endpoint_changes),
		TEST(rows_are_switched_when_an_idle_time_changes),
		TEST(services_come_and_go),
		TEST(two_services_that_swap_numbers_are_both_put),
		TEST(a_key_under_another_number_is_not_deleted),
		TEST(many_changes_never_write_lines_in_use),
		TEST(tables_are_printed_as_counts),
		TEST(idle_times_are_printed_where_they_are_no_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
