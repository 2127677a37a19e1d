/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random steps of what happens to the endpoints of services of direct return, some of them of address
 * translation. Each goes the daemon's own way, and packets of live flows go through the program: none may
 * change its endpoint while that lives. Hours pass in seconds: time is played by moving all that is
 * remembered of time back, in flows, slots in motion and rounds of the sweep.
 */
#include "cpus.h"
#include "direct_play.h"
#include "gateway.h"
#include "groups.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/log.h"
#include "dataplane/ticks.h"
#include "tables/motion.h"

#include "../unit/model_fixture.h"

#define GROUPS	   3
#define STEPS	   3000
#define FLOWS	   400
#define PHASES	   12 /* busy ones and quiet ones in turns */
#define RESTARTS   4
#define TIDY_EVERY 100
/* Few steps for many flows. With SPILLWAY_LONG 100,000 of them are alive at once most of the time. */
#define CROWD_STEPS	 90
#define CROWD_FLOWS	 20000
#define CROWD_STEPS_LONG 500
#define CROWD_FLOWS_LONG 115000

static struct fixture fixture;
static uint32_t ids_of[PLAY_POOL]; /* of present endpoints; 0: not known */
static uint32_t weights[GROUPS];

static struct {
	uint32_t rnd; /* the traffic has its own, which time has a part in: so steps are alike */
	uint32_t steps;
	uint16_t round;
	bool half;			/* a round is under way */
	uint64_t moving, most, settled; /* slots */
	uint64_t rounds, restarts, flaps, repicks;
	bool by_source; /* how slots are picked */
} tell;

static uint32_t below(uint32_t n)
{
	return random_u32(&tell.rnd) % n;
}

static void add_service(uint16_t port, uint8_t proto, uint32_t idle_s, const size_t first[GROUPS],
			const size_t count[GROUPS])
{
	struct service *s = fixture_service(&fixture, 0, port);

	s->vip = addr_of(VIP4);
	s->proto = proto;
	s->live_flows = SPW_NO_ENDPOINT_LEAVE;
	s->pick = tell.by_source ? SPW_PICK_SOURCE : SPW_PICK_FLOW;
	for (unsigned int i = 0; i < SPW_IDLE_MAX; i++)
		s->idle_s[i] = idle_s;
	for (uint8_t g = 0; g < GROUPS; g++) {
		if (count[g])
			fixture_locality(&fixture, s, g == GROUPS - 1, weights[g], first[g],
					 count[g]);
	}
}

static void add_member(uint32_t n)
{
	struct instance *i = fixture_instance(&fixture, n + 1, 80);
	struct health_entry *h = &fixture.health[i->index];

	i->addr = play_addr(n);
	i->mode = play_mode(n);
	h->state = play.pool[n].down ? HEALTH_DOWN : HEALTH_UP;
	h->admin = play.pool[n].drained ? SPW_ADMIN_DRAIN : SPW_ADMIN_AUTO;
}

static void make_model(void)
{
	size_t first[GROUPS], count[GROUPS] = {0};

	fixture_init(&fixture);
	fixture_room(&fixture, PLAY_POOL, 2);
	for (uint32_t g = 0; g < GROUPS; g++) {
		first[g] = fixture.model.instance_count;
		for (uint32_t n = g; n < PLAY_POOL; n += GROUPS) {
			if (!play.pool[n].present)
				continue;
			add_member(n);
			count[g]++;
		}
	}
	add_service(80, IPPROTO_TCP, PLAY_TCP_IDLE_S, first, count);
	add_service(53, IPPROTO_UDP, PLAY_UDP_IDLE_S, first, count);
}

static void note_words(const struct tables *t)
{
	memset(ids_of, 0, sizeof(ids_of));
	for (uint32_t n = 0; n < PLAY_POOL; n++)
		play.pool[n].pickable = play.pool[n].up = false;
	for (size_t i = 0; i < t->endpoint_count; i++) {
		const struct table_endpoint *e = &t->endpoints[i];
		const uint32_t n = play_member(e->addr.b[15]);

		assert_true(n < PLAY_POOL && play.pool[n].present);
		play.pool[n].pickable = e->pickable;
		play.pool[n].up = e->up;
		ids_of[n] = e->id;
	}
}

/* The tables in force, with the blocks of motions as the sweep has left them. */
static struct tables have_now(void)
{
	struct tables have = gateway.have;

	have.motions = arena_array(fixture.arena, have.motion_count + 1, sizeof(*have.motions));
	if (have.motion_count)
		memcpy(have.motions, gateway.have.motions,
		       have.motion_count * sizeof(*have.motions));
	dataplane_read_motions(gateway.dp, fixture.arena, &have);
	dataplane_read_strays(gateway.dp, fixture.arena, &have);
	return have;
}

static void note_motions(const struct tables *t)
{
	uint64_t moving = 0;

	for (size_t i = 0; i < t->motion_count; i++) {
		for (uint32_t n = 0; n < t->motions[i].size; n++)
			moving += t->motions[i].slots[n].was != 0;
	}
	if (moving > tell.most)
		tell.most = moving;
	if (moving < tell.moving)
		tell.settled += tell.moving - moving;
	tell.moving = moving;
}

static void apply(void)
{
	const struct line_space space = {GATEWAY_SLOT_LINES, NULL, 0};
	const char *why = NULL;
	struct motion_clock clock;
	struct tables have, want;
	struct steps steps;

	make_model();
	gateway_must(ids_assign(gateway.ids, &fixture.model, &why), "numbers", why);
	gateway_must(tables_compile(fixture.arena, &fixture.model, &fixture.view, gateway.ids,
				    GATEWAY_SLOT_LINES, gateway.cache, &want, &why),
		     "compile", why);
	dataplane_motion_clock(gateway.dp, &clock);
	have = have_now();
	motions_make(fixture.arena, &have, &want, &clock);
	/* Lines need not rest: no packet is under way. */
	gateway_must(tables_diff(fixture.arena, &have, &want, &space, &space, &steps), "compare",
		     NULL);
	note_words(&want);
	note_motions(&want);
	gateway.dp->switched_ms = 0;
	gateway_must(dataplane_apply(gateway.dp, fixture.arena, &steps, &why), "apply", why);
	for (uint32_t n = 0; n < PLAY_POOL; n++) {
		if (ids_of[n])
			dataplane_set_admin(gateway.dp, ids_of[n],
					    play.pool[n].drained ? SPW_ADMIN_DRAIN
								 : SPW_ADMIN_AUTO);
	}
	dataplane_strays_seen(gateway.dp);
	play_note_slots(&gateway.have, &want);
	gateway_keep(fixture.arena, &want);
	play_end_the_dead();
}

/* Half of a round of the sweep, as the daemon makes it: of IPv4's sets, where the flows are, half each. */
static void sweep_half(void)
{
	const uint32_t sets = maps_flow_sets(gateway.flows); /* of each family */
	const uint32_t end = tell.half ? 2 * sets : sets / 2;
	struct sweep *s = &gateway.dp->sweep;
	struct spw_sweep args = {.first = tell.half ? sets / 2 : 0};

	if (!tell.half) {
		s->round = ++tell.round;
		assert_true(ticks_now(gateway.dp->sweep_fd, &s->began));
	}
	args.round = s->round;
	while (args.first < end) {
		struct bpf_test_run_opts opts = {
			.sz = sizeof(opts), .ctx_in = &args, .ctx_size_in = sizeof(args)};

		args.sets = end - args.first; /* of one family at a time */
		assert_int_equal(bpf_prog_test_run_opts(gateway.dp->sweep_fd, &opts), 0);
	}
	if (tell.half) {
		s->done_round = s->round;
		s->done_began = s->began;
		gateway.dp->switched_ms = 0;
		dataplane_end_strays(gateway.dp);
		tell.rounds++;
	}
	tell.half = !tell.half;
}

/* So many ticks pass. */
static void pass_time(uint32_t ticks)
{
	struct sweep *s = &gateway.dp->sweep;

	play_before_silence(ticks);
	play_age_flows(ticks);
	for (size_t i = 0; i < gateway.have.motion_count; i++) {
		const struct table_motion *m = &gateway.have.motions[i];

		for (uint32_t n = 0; n < m->size; n++) {
			struct spw_motion *slot =
				&gateway.dp->maps.motions[m->line + 1 + n / SPW_MOTION_LINE]
					 .at[n % SPW_MOTION_LINE];

			if (slot->was)
				slot->since -= ticks;
		}
	}
	s->began -= ticks;
	s->done_began -= ticks;
	gateway.dp->motions_put -= ticks;
}

/* A word that is taken back before any table follows. */
static void flap(void)
{
	const uint32_t n = below(PLAY_POOL), is_drain = below(2);
	struct play_member *m = &play.pool[n];
	const struct play_member was = *m;

	if (!m->present || m->drained || !m->pickable || !ids_of[n])
		return;
	tell.flaps++;
	m->drained = is_drain;
	m->down = !is_drain;
	m->pickable = m->up = is_drain && m->up;
	dataplane_set_admin(gateway.dp, ids_of[n], is_drain ? SPW_ADMIN_DRAIN : SPW_ADMIN_DOWN);
	play_end_the_dead();
	play_traffic();
	*m = was;
	dataplane_set_admin(gateway.dp, ids_of[n], SPW_ADMIN_AUTO);
	play_traffic();
}

static void restart(void)
{
	gateway_close();
	gateway_open();
	tell.half = false;
	tell.restarts++;
}

/* Nothing changes for as long as a window lasts. */
static void lull(void)
{
	const uint32_t part_s = 10;

	for (uint32_t s = 0; s <= PLAY_TCP_IDLE_S; s += part_s) {
		pass_time(part_s * ticks_a_second());
		apply();
		play_traffic();
		sweep_half();
	}
}

static void set_present(uint32_t n, bool present)
{
	struct play_member *m = &play.pool[n];

	if (m->present == present)
		return;
	m->removals += m->present;
	m->present = present;
	m->down = m->drained = false;
}

static void all_come(void)
{
	for (uint32_t n = 0; n < PLAY_POOL; n++)
		set_present(n, true);
}

/* Half of the endpoints go when no window is open: so all slots of the larger tables are in motion then. */
static void leave_large_tables(void)
{
	all_come();
	apply();
	lull();
	for (uint32_t n = 0; n < PLAY_POOL; n += 2)
		set_present(n, false);
}

/* One thing happens to one endpoint, or to the weight of its locality. */
static void change(bool grows)
{
	struct play_member *m = &play.pool[below(PLAY_POOL)];
	const uint32_t what = below(5);

	if (!below(50)) {
		tell.by_source = !tell.by_source;
		tell.repicks++;
	}
	if (what < 2 && (!grows || !m->present)) {
		set_present((uint32_t)(m - play.pool), !m->present);
	} else if (what == 2) {
		m->down = m->present && !m->down && !grows;
	} else if (what == 3) {
		m->drained = m->present && !m->drained && !grows;
	} else {
		weights[(m - play.pool) % GROUPS] = 1 + below(9);
	}
}

static bool mark_used(void *ctx, const struct flow_row *row)
{
	((bool *)ctx)[row->endpoint_id] = true;
	return true;
}

static bool is_unused(void *ctx, uint32_t id)
{
	return !((const bool *)ctx)[id] && !motions_name(&gateway.have, id);
}

/* As the daemon does, but sooner: numbers that no flow has are free again. */
static void tidy(void)
{
	bool used[WORLD_ENDPOINTS] = {false};

	assert_int_equal(dataplane_each_flow(gateway.dp, mark_used, used), 0);
	ids_release(gateway.ids, is_unused, used);
}

static void step(uint32_t number)
{
	const uint32_t phase = number * PHASES / tell.steps;
	const bool begins = number && (number - 1) * PHASES / tell.steps != phase;
	const bool quiet = phase % 2, grows = phase % 6 == 2;
	/* So that a short run comes to the larger tables as well. */
	const uint32_t changes = grows ? (STEPS + tell.steps - 1) / tell.steps : 1;
	const uint32_t restart_every = tell.steps / (RESTARTS + 1);
	const uint32_t hz = ticks_a_second();

	if (restart_every && number % restart_every == restart_every - 1)
		restart();
	if (begins && phase % 6 == 3)
		all_come();
	if (begins && phase % 6 == 5)
		leave_large_tables();
	for (uint32_t i = 0; i < changes; i++) {
		if (!below(quiet ? 100 : 2))
			change(grows);
	}
	pass_time(below(2) ? below(hz) : below((quiet ? 30 : 12) * hz));
	apply();
	play_traffic();
	if (!below(4))
		flap();
	play_note_entries(&gateway.have);
	if (below(2))
		sweep_half();
	if (number % TIDY_EVERY == TIDY_EVERY - 1)
		tidy();
}

static void play_all(uint32_t steps, uint32_t flows)
{
	uint64_t stats[SPW_STAT_MAX];

	log_set_level(LOG_LEVEL_ERROR);
	memset(&tell, 0, sizeof(tell));
	tell.rnd = 20250303;
	tell.steps = steps;
	gateway.flows = flows > GATEWAY_FLOWS ? 2 * flows : GATEWAY_FLOWS;
	gateway_open();
	play_start(flows);
	for (uint32_t g = 0; g < GROUPS; g++)
		weights[g] = 1;
	apply();
	for (uint32_t i = 0; i < steps; i++)
		step(i);
	dataplane_stats(gateway.dp, stats);
	gateway_end();
	print_message(
		"%u steps, %llu words taken back, %llu other picks, %llu restarts, %llu rounds; at "
		"most %llu slots in motion, %llu settled\n",
		steps, (unsigned long long)tell.flaps, (unsigned long long)tell.repicks,
		(unsigned long long)tell.restarts, (unsigned long long)tell.rounds,
		(unsigned long long)tell.most, (unsigned long long)tell.settled);
	play_report(stats);
	play_end();
	/* Slots that settled, and all slots of the larger tables in motion. */
	assert_true(tell.rounds && tell.settled && tell.repicks);
	assert_int_equal(tell.most, 2 * SPW_TABLE_SIZE_MAX);
}

static void no_flow_leaves_its_endpoint_while_that_lives(void **state)
{
	(void)state;
	play_all(repeats(STEPS), FLOWS);
}

static void of_a_crowd_of_flows_none_leaves_its_endpoint_either(void **state)
{
	(void)state;
	play_all(times(CROWD_STEPS, CROWD_STEPS_LONG),
		 repeats(times(CROWD_FLOWS, CROWD_FLOWS_LONG)));
}

static int prepare(void **state)
{
	play_neighbours("add");
	return gateway_setup(state);
}

static int clean_up(void **state)
{
	play_neighbours("del");
	return gateway_teardown(state);
}

int direct_model_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_flow_leaves_its_endpoint_while_that_lives,
						prepare, clean_up),
		cmocka_unit_test_setup_teardown(of_a_crowd_of_flows_none_leaves_its_endpoint_either,
						prepare, clean_up),
	};

	return cmocka_run_group_tests_name("direct, model", tests, NULL, NULL);
}
