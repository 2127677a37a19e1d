/* SPDX-License-Identifier: BSD-2-Clause */
/* How many slots each member gets, which ones, and how few of them move. */
#include "tables/maglev.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "base/hash.h"
#include "tables/tiers.h"

#define MEMBERS_MAX 700

#define TIERS 3

/* A set of endpoints in tiers, their weights, and which of them are down. */
struct set {
	struct member members[MEMBERS_MAX];
	uint32_t weight[MEMBERS_MAX];
	size_t count;
	bool down[MEMBERS_MAX];
};

static void set_add(struct set *s, uint32_t tier, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		s->members[s->count].key = hash_bytes(&s->count, sizeof(s->count), 7);
		s->members[s->count].tier = tier;
		s->weight[s->count++] = 1;
	}
}

static void set_init(struct set *s, size_t primaries, size_t fallbacks)
{
	memset(s, 0, sizeof(*s));
	set_add(s, 0, primaries);
	set_add(s, 1, fallbacks);
}

/* `weight` of `sum`, of a percentage. */
static uint64_t part(uint32_t percent, uint32_t weight, uint32_t sum)
{
	return sum ? (uint64_t)((unsigned __int128)percent * weight * SHARE_ONE / (100ull * sum))
		   : 0;
}

/* Everybody in tier 0 at home; now by Envoy's loads, without panic. */
static void set_shares(struct set *s)
{
	uint32_t home[TIERS] = {0}, now[TIERS] = {0};
	struct tier t[TIERS] = {{0}};

	for (size_t i = 0; i < s->count; i++) {
		const uint32_t tier = s->members[i].tier;

		t[tier].total++;
		t[tier].healthy += !s->down[i];
		home[tier] += s->weight[i];
		now[tier] += s->down[i] ? 0 : s->weight[i];
	}
	tiers_load(t, TIERS, 0);
	for (size_t i = 0; i < s->count; i++) {
		struct member *m = &s->members[i];

		m->home = m->tier ? 0 : part(100, s->weight[i], home[0]);
		m->now = s->down[i] ? 0 : part(t[m->tier].load_percent, s->weight[i], now[m->tier]);
	}
}

static uint16_t *set_fill(struct set *s, uint32_t *size)
{
	uint16_t *slots;

	*size = maglev_size(s->count);
	slots = malloc(*size * sizeof(*slots));
	assert_non_null(slots);
	set_shares(s);
	assert_true(maglev_fill(s->members, s->count, *size, slots));
	return slots;
}

/* Moved slots; fewest possible from the same counts to the same counts. */
static uint32_t moved(const uint16_t *a, const uint16_t *b, uint32_t size, uint32_t *fewest)
{
	static uint32_t before[MEMBERS_MAX], after[MEMBERS_MAX];
	uint32_t n = 0;

	memset(before, 0, sizeof(before));
	memset(after, 0, sizeof(after));
	*fewest = 0;
	for (uint32_t i = 0; i < size; i++) {
		n += a[i] != b[i];
		before[a[i]]++;
		after[b[i]]++;
	}
	for (size_t i = 0; i < MEMBERS_MAX; i++)
		*fewest += before[i] > after[i] ? before[i] - after[i] : 0;
	return n;
}

static void sizes_are_primes_that_rarely_change(void **state)
{
	static const struct {
		size_t members;
		uint32_t size;
	} rows[] = {{1, 251},	  {2, 251},	{3, 509},     {5, 509},
		    {6, 1021},	  {10, 1021},	{11, 2039},   {40, 4093},
		    {100, 16381}, {655, 65537}, {656, 65537}, {4096, 65537}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint32_t size = maglev_size(rows[i].members);

		assert_int_equal(size, rows[i].size);
		for (uint32_t d = 2; d * d <= size; d++)
			assert_int_not_equal(size % d, 0);
	}
}

static void check_dead_slots_alone_move(struct set *s)
{
	bool down[MEMBERS_MAX];
	uint32_t size, other, fewest;
	uint16_t *home, *now;

	now = set_fill(s, &size);
	memcpy(down, s->down, sizeof(down));
	memset(s->down, 0, sizeof(s->down));
	home = set_fill(s, &other);
	memcpy(s->down, down, sizeof(down));
	assert_int_equal(size, other);
	for (uint32_t i = 0; i < size; i++) {
		if (s->down[home[i]])
			assert_false(s->down[now[i]]);
		else
			assert_int_equal(home[i], now[i]);
	}
	other = moved(home, now, size, &fewest);
	assert_int_equal(other, fewest);
	free(home);
	free(now);
}

/* A few different subsets of `k` dead among n, by a fixed pseudo-random walk. */
static void choose_dead(struct set *s, size_t n, size_t k, uint64_t seed)
{
	memset(s->down, 0, sizeof(s->down));
	while (k > 0) {
		const size_t i = hash_mix(++seed) % n;

		if (s->down[i])
			continue;
		s->down[i] = true;
		k--;
	}
}

static void with_equal_weights_exactly_the_slots_of_the_dead_move(void **state)
{
	static struct set s;

	(void)state;
	for (size_t n = 1; n <= 12; n++) {
		for (size_t fallbacks = 1; fallbacks <= 3; fallbacks++) {
			set_init(&s, n, fallbacks);
			for (size_t k = 0; k <= n; k++) {
				for (uint64_t seed = 0; seed < 5; seed++) {
					choose_dead(&s, n, k, seed * 1000);
					check_dead_slots_alone_move(&s);
				}
			}
		}
	}
}

static void with_a_hundred_primaries_too(void **state)
{
	static const size_t ks[] = {1, 2, 3, 10, 28, 29, 50, 75, 90, 96, 97, 98, 99, 100};
	static struct set s;

	(void)state;
	set_init(&s, 100, 4);
	for (size_t i = 0; i < sizeof(ks) / sizeof(ks[0]); i++) {
		choose_dead(&s, 100, ks[i], 77 * ks[i]);
		check_dead_slots_alone_move(&s);
	}
}

/* 100 at home in a table of 10007: the first seven have 101. Two of them live on with 1 % each. */
static void rounding_alone_takes_no_slot_away(void **state)
{
	struct member m[102] = {0};
	uint32_t home[102], counts[102], sum = 0;

	(void)state;
	for (size_t i = 0; i < 100; i++)
		m[i].home = part(100, 1, 100);
	m[0].now = m[1].now = part(1, 1, 1);
	m[100].now = m[101].now = part(49, 1, 1);
	quota_home(m, 102, 10007, home);
	assert_int_equal(home[0], 101);
	assert_int_equal(home[7], 100);
	quota_now(m, 102, 10007, home, counts);
	assert_int_equal(counts[0], 101);
	assert_int_equal(counts[1], 101);
	for (size_t i = 0; i < 102; i++)
		sum += counts[i];
	assert_int_equal(sum, 10007);
}

static void a_tie_goes_to_who_has_more_at_home(void **state)
{
	const uint32_t home[2] = {100, 151};
	const struct member m[2] = {{.now = SHARE_ONE / 2}, {.now = SHARE_ONE / 2}};
	uint32_t counts[2];

	(void)state;
	quota_now(m, 2, 251, home, counts);
	assert_int_equal(counts[0], 125);
	assert_int_equal(counts[1], 126);
}

static void without_a_fallback_the_others_take_over(void **state)
{
	static struct set s;

	(void)state;
	for (size_t n = 2; n <= 12; n++) {
		set_init(&s, n, 0);
		for (size_t k = 1; k < n; k++) {
			choose_dead(&s, n, k, n * 31 + k);
			check_dead_slots_alone_move(&s);
		}
	}
}

static void slot_counts_are_within_two_of_the_share(void **state)
{
	static struct set s;
	static uint32_t counts[MEMBERS_MAX];

	(void)state;
	set_init(&s, 100, 3);
	for (size_t k = 0; k <= 100; k++) {
		uint32_t size;
		uint16_t *slots;

		choose_dead(&s, 100, k, k);
		slots = set_fill(&s, &size);
		memset(counts, 0, sizeof(counts));
		for (uint32_t i = 0; i < size; i++)
			counts[slots[i]]++;
		for (size_t i = 0; i < 103; i++) {
			const double share = (double)s.members[i].now / SHARE_ONE * size;

			assert_true(counts[i] < share + 2 && counts[i] > share - 2);
			if (s.members[i].now == 0)
				assert_int_equal(counts[i], 0);
		}
		free(slots);
	}
}

static void the_table_depends_on_health_alone_not_on_its_history(void **state)
{
	static struct set s;
	uint32_t size, again, fewest;
	uint16_t *a, *b;

	(void)state;
	set_init(&s, 5, 2);
	s.down[1] = s.down[3] = true;
	a = set_fill(&s, &size);
	memset(s.down, 0, sizeof(s.down));
	free(set_fill(&s, &again));
	s.down[3] = s.down[1] = true;
	b = set_fill(&s, &again);
	assert_int_equal(moved(a, b, size, &fewest), 0);
	free(a);
	free(b);
}

static void nobody_has_a_share_and_there_is_no_table(void **state)
{
	const struct member m[2] = {{.key = 1, .home = SHARE_ONE / 2},
				    {.key = 2, .home = SHARE_ONE / 2}};
	uint16_t slots[251];

	(void)state;
	assert_false(maglev_fill(m, 2, 251, slots));
	assert_false(maglev_fill(m, 0, 251, slots));
}

/* One line of the report: how far from the fewest possible moves a step of a sequence is. */
static void report_step(struct set *s, const char *what, uint16_t **last, uint32_t *total,
			uint32_t *total_fewest)
{
	uint32_t size, fewest, n;
	uint16_t *now = set_fill(s, &size);

	n = moved(*last, now, size, &fewest);
	print_message("  %-22s moved %5u of %u, at least %5u\n", what, n, size, fewest);
	*total += n;
	*total_fewest += fewest;
	free(*last);
	*last = now;
}

/* At most `percent` of the fewest moves: history-free tables cannot reach 100. */
static void run_sequence(struct set *s, size_t failures, uint32_t percent)
{
	uint32_t size, total = 0, fewest = 0;
	char what[40];
	uint16_t *last;

	last = set_fill(s, &size);
	for (size_t i = 0; i < failures; i++) {
		s->down[i] = true;
		(void)snprintf(what, sizeof(what), "endpoint %zu fails", i);
		report_step(s, what, &last, &total, &fewest);
	}
	for (size_t i = 0; i < failures; i++) {
		s->down[i] = false;
		(void)snprintf(what, sizeof(what), "endpoint %zu recovers", i);
		report_step(s, what, &last, &total, &fewest);
	}
	free(last);
	print_message("  together %u, at least %u (%.2f times)\n", total, fewest,
		      (double)total / fewest);
	assert_true(100 * total <= percent * fewest);
}

static void run_equal(size_t n, size_t fallbacks, size_t failures, uint32_t percent)
{
	static struct set s;

	set_init(&s, n, fallbacks);
	print_message("%zu primaries, %zu fallbacks:\n", n, fallbacks);
	run_sequence(&s, failures, percent);
}

static void failures_and_recoveries_in_a_row_move_little(void **state)
{
	(void)state;
	run_equal(3, 2, 3, 107);
	run_equal(5, 2, 4, 114);
	run_equal(10, 3, 6, 125);
	run_equal(100, 10, 5, 131);
}

static void so_they_do_with_unequal_weights(void **state)
{
	static const uint32_t weights[][10] = {{3, 1, 2, 1, 5, 1, 1, 4, 1, 1},
					       {1, 1, 1, 1, 1, 10, 10, 10, 10, 10}};
	static struct set s;

	(void)state;
	for (size_t w = 0; w < 2; w++) {
		set_init(&s, 10, 3);
		memcpy(s.weight, weights[w], sizeof(weights[w]));
		print_message("10 primaries of unequal weights, 3 fallbacks:\n");
		run_sequence(&s, 6, 120);
	}
}

static void so_they_do_over_three_tiers(void **state)
{
	static struct set s;

	(void)state;
	set_init(&s, 6, 4);
	set_add(&s, 2, 3);
	print_message("6, 4 and 3 endpoints in three tiers:\n");
	run_sequence(&s, 10, 117);
}

/* Ten primaries, all fallbacks healthy, from all up. */
static void failing_k_of_ten_moves_the_slots_of_the_dead_and_no_other(void **state)
{
	static struct set s;
	uint32_t size, fewest;
	uint16_t *home, *now;

	(void)state;
	set_init(&s, 10, 3);
	home = set_fill(&s, &size);
	for (size_t k = 1; k <= 10; k++) {
		uint32_t dead = 0, n;

		s.down[k - 1] = true;
		now = set_fill(&s, &size);
		for (uint32_t i = 0; i < size; i++)
			dead += s.down[home[i]];
		n = moved(home, now, size, &fewest);
		print_message("  %2zu of 10 down: moved %4u slots, the dead had %4u\n", k, n, dead);
		assert_int_equal(n, dead);
		assert_int_equal(n, fewest);
		free(now);
	}
	free(home);
}

/* More members than a slot looks at: the same promise, and counts that come out exactly. */
static void a_slot_of_a_large_set_finds_a_living_member(void **state)
{
	static struct set s;
	uint32_t size;
	uint16_t *slots;

	(void)state;
	memset(&s, 0, sizeof(s));
	for (uint32_t tier = 0; tier < TIERS; tier++)
		set_add(&s, tier, 230);
	choose_dead(&s, 690, 400, 3);
	slots = set_fill(&s, &size);
	for (uint32_t i = 0; i < size; i++) {
		assert_true(slots[i] < s.count);
		assert_false(s.down[slots[i]]);
	}
	free(slots);
	memset(s.down, 0, sizeof(s.down));
	choose_dead(&s, 230, 60, 4);
	check_dead_slots_alone_move(&s);
}

/* Localities 3:1 and 10:1 and the like: shares as given, the first of each set fails. */
static void unequal_weights_move_little(void **state)
{
	static const uint64_t weights[][4] = {{3, 1, 0, 0}, {10, 1, 1, 0}, {5, 4, 3, 2}};

	(void)state;
	for (size_t w = 0; w < 3; w++) {
		struct member m[4] = {0};
		uint16_t home[509], now[509];
		uint64_t sum = 0, left = 0;
		uint32_t fewest, n;

		for (size_t i = 0; i < 4; i++) {
			sum += weights[w][i];
			left += i ? weights[w][i] : 0;
		}
		for (uint64_t i = 0; i < 4; i++) {
			m[i].key = hash_mix(i + 1);
			m[i].home = (uint64_t)((unsigned __int128)SHARE_ONE * weights[w][i] / sum);
			m[i].now = m[i].home;
		}
		assert_true(maglev_fill(m, 4, 509, home));
		for (size_t i = 0; i < 4; i++)
			m[i].now =
				i ? (uint64_t)((unsigned __int128)SHARE_ONE * weights[w][i] / left)
				  : 0;
		assert_true(maglev_fill(m, 4, 509, now));
		n = moved(home, now, 509, &fewest);
		print_message("  weights %llu:%llu:%llu:%llu, the first fails: moved %u, at least "
			      "%u\n",
			      (unsigned long long)weights[w][0], (unsigned long long)weights[w][1],
			      (unsigned long long)weights[w][2], (unsigned long long)weights[w][3],
			      n, fewest);
		assert_int_equal(n, fewest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_primes_that_rarely_change),
		cmocka_unit_test(with_equal_weights_exactly_the_slots_of_the_dead_move),
		cmocka_unit_test(with_a_hundred_primaries_too),
		cmocka_unit_test(rounding_alone_takes_no_slot_away),
		cmocka_unit_test(a_tie_goes_to_who_has_more_at_home),
		cmocka_unit_test(without_a_fallback_the_others_take_over),
		cmocka_unit_test(slot_counts_are_within_two_of_the_share),
		cmocka_unit_test(the_table_depends_on_health_alone_not_on_its_history),
		cmocka_unit_test(nobody_has_a_share_and_there_is_no_table),
		cmocka_unit_test(failures_and_recoveries_in_a_row_move_little),
		cmocka_unit_test(so_they_do_with_unequal_weights),
		cmocka_unit_test(so_they_do_over_three_tiers),
		cmocka_unit_test(failing_k_of_ten_moves_the_slots_of_the_dead_and_no_other),
		cmocka_unit_test(a_slot_of_a_large_set_finds_a_living_member),
		cmocka_unit_test(unequal_weights_move_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
