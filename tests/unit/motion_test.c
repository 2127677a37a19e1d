/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots in motion: single steps, and the promise as a whole. For that a gateway is played that decides as
 * bpf/direct.h does, while tables change at random: no flow may change its endpoint while that lives.
 */
#include "tables/motion.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

#define IDLE_S 50
#define HZ     10
#define WINDOW (IDLE_S * HZ)
#define PHASE1 (SPW_MOTION_PHASE1_S * HZ)
#define SIZE   31
#define POOL   12
#define FLOWS  400
#define STEPS  6000

static struct arena *arena;
static struct motion_clock now;

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	now = (struct motion_clock){.now = 1000, .hz = HZ};
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* One TCP service of direct return with this table; endpoints 1 to POOL, of which `up` tells. */
static struct tables *tables_with(const uint16_t *slots, uint32_t size, const bool *present,
				  const bool *up)
{
	struct tables *t = arena_alloc(arena, sizeof(*t));
	uint16_t *copy = arena_array(arena, size, sizeof(*copy));

	*t = (struct tables){0};
	memcpy(copy, slots, size * sizeof(*copy));
	*arena_push(arena, t->slots, t->slots_count) =
		(struct table_slots){.size = size, .base = TABLE_UNPLACED, .slots = copy};
	*arena_push(arena, t->services, t->service_count) =
		(struct table_service){.id = 1,
				       .port = 80,
				       .proto = IPPROTO_TCP,
				       .table = 0,
				       .spare = TABLE_NONE,
				       .direct = true,
				       .idle_s = {30, IDLE_S, 60}};
	for (uint32_t id = 1; id <= POOL; id++) {
		if (present && !present[id])
			continue;
		*arena_push(arena, t->endpoints, t->endpoint_count) = (struct table_endpoint){
			.id = id, .mode = SPW_MODE_IPIP, .pickable = true, .up = !up || up[id]};
	}
	return t;
}

static struct tables *filled(uint16_t id, uint32_t size)
{
	uint16_t slots[SPW_TABLE_SIZE_MAX];

	for (uint32_t i = 0; i < size; i++)
		slots[i] = id;
	return tables_with(slots, size, NULL, NULL);
}

static const struct table_motion *motion_of(const struct tables *t)
{
	return tables_motion(t, &t->services[0]);
}

static struct tables *step(const struct tables *have, struct tables *want)
{
	motions_make(arena, have, want, &now);
	return want;
}

static void a_slot_that_gets_another_endpoint_is_in_motion_until_nothing_is_left_of_it(void **state)
{
	struct tables *a = filled(1, SIZE), *b = step(a, filled(2, SIZE)), *c;

	(void)state;
	assert_null(motion_of(step(a, filled(1, SIZE))));
	assert_non_null(motion_of(b));
	assert_int_equal(motion_of(b)->slots[5].was, 1);
	assert_int_equal(motion_of(b)->slots[5].since, 1000);
	assert_int_equal(motions_of(b, &b->services[0]), SIZE);
	assert_int_equal(motions_of(a, &a->services[0]), 0);
	now.now += WINDOW;
	now.round = now.running = 7;
	now.round_began = now.now - 1;
	assert_false(motions_are_due(b, &now));
	assert_non_null(motion_of(step(b, filled(2, SIZE))));
	now.round_began = now.now;
	assert_true(motions_are_due(b, &now));
	c = step(b, filled(2, SIZE));
	assert_null(motion_of(c));
}

/* Flows that were opened since are the new endpoint's, and have no entry: they stay there. */
static void a_longer_window_gives_nothing_back_to_the_endpoint_of_before(void **state)
{
	struct tables *b = step(filled(1, SIZE), filled(2, SIZE)), *c = filled(2, SIZE);
	const struct spw_motion *m;

	(void)state;
	now.now += WINDOW + 5; /* over, and the sweep has not met an end of its entries */
	c->services[0].idle_s[SPW_IDLE_ESTABLISHED] = 4 * IDLE_S;
	m = motion_of(step(b, c))->slots;
	assert_true(now.now - m[5].since >= 4 * WINDOW || m[5].was == MOTION_NOBODY);
}

static void entries_that_the_sweep_meets_keep_a_slot_in_motion(void **state)
{
	struct tables *b = step(filled(1, SIZE), filled(2, SIZE));
	struct spw_motion *slots = (struct spw_motion *)motion_of(b)->slots;

	(void)state;
	now.now += 2 * WINDOW;
	now.round = now.running = 7;
	now.round_began = now.now - 1;
	slots[3].kept = 7;
	b = step(b, filled(2, SIZE));
	assert_int_equal(motion_of(b)->slots[3].was, 1);
	assert_int_equal(motion_of(b)->slots[4].was, 0);
	/* The next round has begun, and has met it already. */
	now.round = 8;
	now.running = 9;
	slots = (struct spw_motion *)motion_of(b)->slots;
	slots[3].kept = 9;
	assert_false(motions_are_due(b, &now));
	slots[3].kept = 7;
	assert_true(motions_are_due(b, &now));
}

static void a_further_move_changes_only_whom_new_flows_go_to(void **state)
{
	struct tables *b = step(filled(1, SIZE), filled(2, SIZE)), *c;

	(void)state;
	now.now += WINDOW - 1;
	c = step(b, filled(3, SIZE));
	assert_int_equal(motion_of(c)->slots[0].was, 1);
	assert_int_equal(motion_of(c)->slots[0].since, now.now);
	/* When the window was over, flows without an entry were the one's before. */
	now.now += WINDOW;
	c = step(c, filled(4, SIZE));
	assert_int_equal(motion_of(c)->slots[0].was, 3);
}

static void who_is_down_or_removed_keeps_the_flows(void **state)
{
	bool up[POOL + 1], present[POOL + 1];
	uint16_t slots[SIZE];
	struct tables *a = filled(1, SIZE), *b;

	(void)state;
	memset(up, true, sizeof(up));
	memset(present, true, sizeof(present));
	for (uint32_t i = 0; i < SIZE; i++)
		slots[i] = 2;
	up[1] = false;
	b = step(a, tables_with(slots, SIZE, present, up));
	assert_int_equal(motion_of(b)->slots[0].was, 1);
	up[1] = true;
	present[1] = false;
	b = step(a, tables_with(slots, SIZE, present, up));
	assert_int_equal(motion_of(b)->slots[0].was, 1);
	assert_true(motions_name(b, 1));
	assert_false(motions_name(b, 2));
}

static void a_table_that_was_empty_had_nobodys_flows(void **state)
{
	struct tables *a = filled(1, SIZE), *b = filled(0, SIZE), *c;

	(void)state;
	assert_null(motion_of(step(filled(0, SIZE), filled(1, SIZE))));
	step(a, b);
	assert_int_equal(motion_of(b)->slots[0].was, 1);
	c = step(b, filled(1, SIZE));
	assert_int_equal(motion_of(c)->slots[0].was, 1);
}

static void a_table_of_another_size_keeps_the_old_one_whole(void **state)
{
	struct tables *b = step(filled(1, SIZE), filled(2, 61)), *c;

	(void)state;
	assert_int_equal(motion_of(b)->size, SIZE);
	assert_int_equal(motion_of(b)->slots[SIZE - 1].was, 1);
	now.now += 5;
	c = step(b, filled(2, 61));
	assert_int_equal(motion_of(c)->slots[0].since, 1000);
	c = step(c, filled(3, 61));
	assert_int_equal(motion_of(c)->slots[0].since, now.now);
	assert_int_equal(motion_of(c)->slots[0].was, 1);
}

static void another_pick_keeps_the_old_table_whole(void **state)
{
	struct tables *a = filled(1, SIZE), *b = filled(1, SIZE), *c = filled(1, SIZE);

	(void)state;
	b->services[0].pick = c->services[0].pick = SPW_PICK_SOURCE;
	step(a, b);
	assert_int_equal(motion_of(b)->slots[SIZE - 1].was, 1);
	assert_int_equal(motion_of(b)->slots[SIZE - 1].since, 1000);
	assert_false(motion_of(b)->by_source);
	now.now += WINDOW;
	now.round = now.running = 7;
	now.round_began = now.now;
	assert_null(motion_of(step(b, c)));
}

static void a_slot_whose_flows_strayed_is_in_motion_until_a_sweep_has_met_none(void **state)
{
	struct tables *a = filled(1, SIZE), *b = filled(1, SIZE), *c;
	bool strays[POOL + 1] = {[1] = true};

	(void)state;
	a->strays = strays;
	step(a, b);
	/* Only entries tell of them: all others are the slot's endpoint's. */
	assert_int_equal(motion_of(b)->slots[4].was, MOTION_NOBODY);
	assert_int_equal(now.now - motion_of(b)->slots[4].since, WINDOW);
	c = step(b, filled(1, SIZE));
	assert_non_null(motion_of(c));
	now.round = now.running = 7;
	now.round_began = now.now;
	assert_null(motion_of(step(c, filled(1, SIZE))));
}

static void strays_of_a_slot_in_motion_wait_for_a_new_sweep(void **state)
{
	struct tables *b = step(filled(1, SIZE), filled(2, SIZE)), *c;
	bool strays[POOL + 1] = {[2] = true};

	(void)state;
	now.now += WINDOW + 10;
	now.round = now.running = 7;
	now.round_began = now.now - 1;
	b->strays = strays;
	c = step(b, filled(2, SIZE));
	assert_int_equal(motion_of(c)->slots[0].was, 1);
	assert_int_equal(now.now - motion_of(c)->slots[0].since, WINDOW);
	assert_false(motions_are_due(c, &now));
	now.round_began = now.now;
	assert_true(motions_are_due(c, &now));
}

static void strays_hold_a_block_of_another_size_too(void **state)
{
	struct tables *b = step(filled(1, SIZE), filled(2, 61)), *c;
	bool strays[POOL + 1] = {[2] = true};

	(void)state;
	now.now += WINDOW;
	now.round = now.running = 7;
	now.round_began = now.now - 1;
	b->strays = strays;
	now.now++;
	c = step(b, filled(2, 61));
	assert_int_equal(motion_of(c)->size, SIZE);
	assert_int_equal(now.now - motion_of(c)->slots[0].since, WINDOW);
	/* None is of the block's size any more: then they are in one of their table's. */
	now.round_began = now.now;
	c->strays = strays;
	c = step(c, filled(2, 61));
	assert_int_equal(motion_of(c)->size, 61);
	assert_int_equal(motion_of(c)->slots[60].was, MOTION_NOBODY);
}

static void services_of_nat_have_no_motion(void **state)
{
	struct tables *a = filled(1, SIZE), *b = filled(2, SIZE);

	(void)state;
	a->services[0].direct = b->services[0].direct = false;
	step(a, b);
	assert_null(motion_of(b));
	/* One that becomes direct return has: its flows have entries of the other mode. */
	b->services[0].direct = true;
	step(a, b);
	assert_non_null(motion_of(b));
}

/* The played gateway. */
static struct {
	uint32_t rnd;
	struct tables *in_force;
	uint16_t table[128];
	uint32_t size;
	bool by_source; /* how slots are picked */
	bool present[POOL + 1], up[POOL + 1];
	struct {
		uint32_t hash[2];    /* of all, and of the source */
		uint16_t endpoint;   /* whose the connection is; 0: none */
		uint16_t entry;	     /* 0: none */
		uint32_t sent, seen; /* ticks: the client's latest packet, and the entry's */
		uint32_t syn_at;     /* when it was opened */
	} flows[FLOWS];
	uint64_t moved, kept, opened, remembered, settled;
} play;

static uint32_t draw(uint32_t below)
{
	play.rnd ^= play.rnd << 13;
	play.rnd ^= play.rnd >> 17;
	play.rnd ^= play.rnd << 5;
	return play.rnd % below;
}

static uint32_t place(uint32_t hash, uint32_t size)
{
	return (uint32_t)((uint64_t)hash * size >> 32);
}

static bool lives(uint16_t id)
{
	return id && id != MOTION_NOBODY && play.up[id];
}

static bool picks(uint16_t id)
{
	return lives(id) && play.present[id];
}

static struct spw_motion *slot_of(size_t i)
{
	const struct table_motion *m = motion_of(play.in_force);

	return m ? (struct spw_motion *)&m->slots[place(play.flows[i].hash[m->by_source], m->size)]
		 : NULL;
}

/* As bpf/direct.h decides; 0: nobody. */
static uint16_t decide(size_t i, bool syn)
{
	const struct tables *t = play.in_force;
	const bool by_source = t->services[0].pick == SPW_PICK_SOURCE;
	const uint16_t slot =
		t->slots[0].slots[place(play.flows[i].hash[by_source], t->slots[0].size)];
	const struct spw_motion *m = slot_of(i);
	const uint32_t age = m ? now.now - m->since : 0;
	const bool moves = m && m->was, remembers = moves && age < WINDOW;
	const uint16_t owner = remembers && m->was != MOTION_NOBODY ? m->was : slot;
	uint16_t to = owner;

	if (!moves && picks(slot))
		return slot;
	if (play.flows[i].entry && now.now - play.flows[i].seen > WINDOW)
		play.flows[i].entry = 0;
	if (play.flows[i].entry && !syn) {
		play.flows[i].seen = now.now;
		return play.flows[i].entry;
	}
	if (syn)
		to = remembers && age < PHASE1 && picks(owner) ? owner : slot;
	if (remembers || to != slot) {
		play.flows[i].entry = to;
		play.flows[i].seen = now.now;
		play.remembered++;
	}
	return to;
}

static void send_one(size_t i)
{
	const bool syn = !play.flows[i].endpoint || !lives(play.flows[i].endpoint) || !draw(40);
	uint16_t to;

	if (syn)
		play.flows[i].entry = 0; /* its FIN has been seen, or it never was */
	for (int k = 0; k < 2 && syn; k++)
		play.flows[i].hash[k] = draw(UINT32_MAX);
	to = decide(i, syn);
	if (syn) {
		play.flows[i].endpoint = lives(to) ? to : 0;
		play.flows[i].syn_at = now.now;
		play.opened++;
	} else if (to != play.flows[i].endpoint) {
		play.moved++;
		play.flows[i].endpoint = 0;
	} else {
		play.kept++;
	}
	play.flows[i].sent = now.now;
}

/* Nobody is silent for as long as the idle time. */
static void traffic(void)
{
	for (size_t i = 0; i < FLOWS; i++) {
		if (!draw(30) || now.now - play.flows[i].sent > WINDOW - 40)
			send_one(i);
	}
}

static void sweep(void)
{
	now.running++;
	now.round_began = now.now;
	for (size_t i = 0; i < FLOWS; i++) {
		struct spw_motion *m = slot_of(i);

		if (play.flows[i].entry && now.now - play.flows[i].seen > WINDOW)
			play.flows[i].entry = 0;
		if (play.flows[i].entry && m)
			m->kept = now.running;
	}
	now.round = now.running;
}

/* Slots of those that may be picked; of what changed, what had to, and a few others. */
static void deal(void)
{
	uint16_t among[POOL];
	uint32_t count = 0;

	for (uint16_t id = 1; id <= POOL; id++) {
		if (picks(id))
			among[count++] = id;
	}
	if (!count)
		return;
	for (uint32_t i = 0; i < play.size; i++) {
		if (!picks(play.table[i]) || !draw(20))
			play.table[i] = among[draw(count)];
	}
}

static void change(void)
{
	const uint16_t id = (uint16_t)(1 + draw(POOL));

	switch (draw(5)) {
	case 0:
		play.present[id] = !play.present[id]; /* added, or removed alive */
		break;
	case 1:
		play.up[id] = !play.up[id];
		for (size_t i = 0; i < FLOWS && !play.up[id]; i++) {
			if (play.flows[i].endpoint == id)
				play.flows[i].endpoint = 0; /* it died */
		}
		break;
	case 2:
		if (!draw(4))
			play.by_source = !play.by_source;
		if (draw(4))
			break;
		play.size = play.size == SIZE ? 61 : SIZE;
		for (uint32_t i = 0; i < play.size; i++)
			play.table[i] = 0;
		break;
	default:
		break;
	}
	deal();
}

static void apply(void)
{
	struct arena *next = arena_new(), *old = arena;
	struct tables *want;

	arena = next;
	want = tables_with(play.table, play.size, play.present, play.up);
	want->services[0].pick = play.by_source ? SPW_PICK_SOURCE : SPW_PICK_FLOW;
	play.settled += motion_of(play.in_force) != NULL;
	step(play.in_force, want);
	play.settled -= motion_of(want) != NULL;
	/* The old arena holds slots that the new tables may share. */
	for (size_t i = 0; i < want->motion_count; i++) {
		struct spw_motion *copy = arena_array(next, want->motions[i].size, sizeof(*copy));

		memcpy(copy, want->motions[i].slots, want->motions[i].size * sizeof(*copy));
		want->motions[i].slots = copy;
	}
	play.in_force = want;
	arena_free(old);
}

static void no_flow_moves_while_its_endpoint_lives(void **state)
{
	(void)state;
	memset(&play, 0, sizeof(play));
	play.rnd = 0x5eed1234;
	play.size = SIZE;
	memset(play.up, true, sizeof(play.up));
	memset(play.present, true, sizeof(play.present));
	deal();
	play.in_force = tables_with(play.table, play.size, play.present, play.up);
	for (size_t i = 0; i < FLOWS; i++)
		send_one(i);
	for (uint32_t n = 0; n < STEPS; n++) {
		/* Quiet times are long enough for all to settle, now and then. */
		if (n / 500 % 2 ? !draw(100) : !draw(6))
			change();
		now.now += 1 + draw(20);
		if (!draw(3))
			sweep();
		apply();
		traffic();
	}
	print_message("%llu opened, %llu packets of kept flows, %llu remembered, %llu moved\n",
		      (unsigned long long)play.opened, (unsigned long long)play.kept,
		      (unsigned long long)play.remembered, (unsigned long long)play.moved);
	assert_int_equal(play.moved, 0);
	assert_true(play.kept > 50000 && play.remembered > 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_slot_that_gets_another_endpoint_is_in_motion_until_nothing_is_left_of_it),
		TEST(a_longer_window_gives_nothing_back_to_the_endpoint_of_before),
		TEST(entries_that_the_sweep_meets_keep_a_slot_in_motion),
		TEST(a_further_move_changes_only_whom_new_flows_go_to),
		TEST(who_is_down_or_removed_keeps_the_flows),
		TEST(a_table_that_was_empty_had_nobodys_flows),
		TEST(a_table_of_another_size_keeps_the_old_one_whole),
		TEST(another_pick_keeps_the_old_table_whole),
		TEST(a_slot_whose_flows_strayed_is_in_motion_until_a_sweep_has_met_none),
		TEST(strays_of_a_slot_in_motion_wait_for_a_new_sweep),
		TEST(strays_hold_a_block_of_another_size_too),
		TEST(services_of_nat_have_no_motion),
		TEST(no_flow_moves_while_its_endpoint_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
