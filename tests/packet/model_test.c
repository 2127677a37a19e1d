/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random steps of what happens to endpoints: they come, go, drain, fall ill and recover, their weights
 * change, and now and then the daemon is started again. Each step goes the daemon's own way: the model
 * is compiled, compared with the tables in force and applied; a start takes over the pinned maps and
 * the links with a newly loaded program, and knows nothing but what it reads back. Meanwhile two CPUs
 * send packets of established flows (model_traffic.h): none of them may change its endpoint, but UDP
 * whose endpoint is down or gone.
 */
#include "gateway.h"
#include "groups.h"
#include "model_traffic.h"
#include "world.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/log.h"
#include "dataplane/state.h"
#include "tables/compile.h"

#include "../unit/model_fixture.h"

#define GROUPS	      3
#define RESTART_EVERY 500 /* steps */
#define TIDY_EVERY    100

static int prog = -1; /* a descriptor of our own, or -1 */
static struct fixture fixture;
static struct moment now;
static uint32_t ids_of[POOL]; /* of present endpoints; 0: not known */
static uint32_t weights[GROUPS];
static uint32_t rnd, restarts;

static uint32_t below(uint32_t n)
{
	return random_u32(&rnd) % n;
}

/* Every third of the pool is a locality; the last one is the tier behind the others. */
static void add_localities(struct service *s, const size_t first[GROUPS],
			   const size_t count[GROUPS])
{
	for (uint8_t g = 0; g < GROUPS; g++) {
		if (count[g])
			fixture_locality(&fixture, s, g == GROUPS - 1, weights[g], first[g],
					 count[g]);
	}
}

static void add_service(uint16_t port, uint8_t proto, const size_t first[GROUPS],
			const size_t count[GROUPS])
{
	struct service *s = fixture_service(&fixture, 0, port);

	s->vip = addr_of(VIP4);
	s->proto = proto;
	s->live_flows = SPW_NO_ENDPOINT_LEAVE;
	for (unsigned int i = 0; i < SPW_IDLE_MAX; i++)
		s->idle_s[i] = idle_default_s(proto, (enum spw_idle)i);
	add_localities(s, first, count);
}

static void make_model(const struct moment *m)
{
	size_t first[GROUPS], count[GROUPS] = {0};

	fixture_init(&fixture);
	fixture_room(&fixture, POOL, 2);
	for (uint32_t g = 0; g < GROUPS; g++) {
		first[g] = fixture.model.instance_count;
		for (uint32_t n = g; n < POOL; n += GROUPS) {
			struct health_entry *h;

			if (!m->pool[n].present)
				continue;
			h = &fixture.health[fixture_instance(&fixture, n + 1, SERVER_PORT)->index];
			h->state = m->pool[n].down ? HEALTH_DOWN : HEALTH_UP;
			h->admin = m->pool[n].drained ? SPW_ADMIN_DRAIN : SPW_ADMIN_AUTO;
			count[g]++;
		}
	}
	add_service(80, IPPROTO_TCP, first, count);
	add_service(53, IPPROTO_UDP, first, count);
}

/* What the tables make of the pool. */
static void note_words(struct moment *m, const struct tables *t, uint32_t ids[POOL])
{
	memset(ids, 0, POOL * sizeof(*ids));
	for (uint32_t n = 0; n < POOL; n++)
		m->pool[n].pickable = m->pool[n].up = false;
	for (size_t i = 0; i < t->endpoint_count; i++) {
		const struct table_endpoint *e = &t->endpoints[i];
		uint32_t n = e->addr.b[15] - 1u;

		assert_true(n < POOL && m->pool[n].present);
		m->pool[n].pickable = e->pickable;
		m->pool[n].up = e->up;
		ids[n] = e->id;
	}
}

/* From the model to tables that are placed; the steps to get there from those in force. */
static void plan(struct moment *m, struct tables *want, struct steps *steps, uint32_t ids[POOL])
{
	const struct line_space space = {GATEWAY_SLOT_LINES, NULL, 0};
	const char *why = NULL;

	make_model(m);
	gateway_must(ids_assign(gateway.ids, &fixture.model, &why), "numbers", why);
	gateway_must(tables_compile(fixture.arena, &fixture.model, &fixture.view, gateway.ids,
				    GATEWAY_SLOT_LINES, gateway.cache, want, &why),
		     "compile", why);
	/* Lines need not rest: a step begins when no packet is left that may read them. */
	gateway_must(tables_diff(fixture.arena, &gateway.have, want, &space, &space, steps),
		     "compare", NULL);
	note_words(m, want, ids);
}

static void carry_out(const struct steps *steps)
{
	struct line_space slots, motions;
	const char *why = NULL;

	/* The pause between two switches is for packets under way, of which there are none here. */
	gateway.dp->switched_ms = 0;
	gateway_must(dataplane_apply(gateway.dp, fixture.arena, steps, &why), "apply", why);
	dataplane_resting(gateway.dp, fixture.arena, &slots, &motions);
}

/* The operator's words, which the packet path heeds by themselves; the compile follows. */
static void put_admins(const struct moment *m)
{
	for (uint32_t n = 0; n < POOL; n++) {
		if (ids_of[n] && m->pool[n].present)
			dataplane_set_admin(gateway.dp, ids_of[n],
					    m->pool[n].drained ? SPW_ADMIN_DRAIN : SPW_ADMIN_AUTO);
	}
}

static void apply(struct moment *m)
{
	struct tables want;
	struct steps steps;
	uint32_t ids[POOL];

	plan(m, &want, &steps, ids);
	memcpy(ids_of, ids, sizeof(ids));
	traffic_step_begins();
	carry_out(&steps);
	put_admins(m);
	traffic_step_ends();
	gateway_keep(fixture.arena, &want);
}

static void take_program(int *former)
{
	*former = prog;
	prog = fcntl(gateway.dp->xdp_fd, F_DUPFD_CLOEXEC, 0);
	assert_true(prog >= 0);
}

static bool is_present(const uint32_t ids[POOL], uint32_t id)
{
	for (uint32_t n = 0; n < POOL; n++) {
		if (ids[n] == id)
			return true;
	}
	return false;
}

/*
 * But for removed endpoints that have flows: they are read back, so that their numbers are taken, and
 * removed once more.
 */
static void expect_nothing_to_do(const struct steps *s, const uint32_t ids[POOL])
{
	for (size_t i = 0; i < s->word_count; i++)
		assert_false(is_present(ids, s->words[i].id));
	for (size_t i = 0; i < s->endpoints_del_count; i++)
		assert_false(is_present(ids, s->endpoints_del[i]));
	assert_int_equal(s->endpoints_put_count + s->slots_put_count, 0);
	assert_int_equal(s->services_put_count + s->services_del_count, 0);
	assert_false(s->switch_rows);
}

/*
 * What it reads back are the tables that were in force, and every endpoint has the number that it had:
 * there is nothing to do.
 */
static void restart(struct moment *m)
{
	uint32_t ids[POOL];
	struct tables want;
	struct steps steps;
	int former;

	traffic_step_begins();
	gateway_close();
	gateway_open();
	plan(m, &want, &steps, ids);
	expect_nothing_to_do(&steps, ids);
	assert_memory_equal(ids, ids_of, sizeof(ids));
	for (uint32_t n = 0; n < POOL; n++) {
		if (ids[n])
			assert_int_equal(dataplane_admin(gateway.dp, ids[n]),
					 m->pool[n].drained ? SPW_ADMIN_DRAIN : SPW_ADMIN_AUTO);
	}
	carry_out(&steps);
	take_program(&former);
	traffic_prog(prog);
	traffic_step_ends();
	gateway_keep(fixture.arena, &want);
	(void)traffic_next();
	close(former);
	restarts++;
}

/* One thing happens to one endpoint, or to the weight of its locality, or to the daemon. */
static void step(uint32_t number)
{
	struct moment *next = traffic_next();
	struct member *m = &next->pool[below(POOL)];

	if (number % RESTART_EVERY == RESTART_EVERY - 1) {
		restart(next);
		return;
	}
	switch (below(4)) {
	case 0:
		m->removals += m->present;
		m->present = !m->present;
		m->down = m->drained = false;
		break;
	case 1:
		m->down = !m->down;
		break;
	case 2:
		m->drained = m->present && !m->drained;
		break;
	case 3:
		weights[(m - next->pool) % GROUPS] = 1 + below(9);
		break;
	}
	apply(next);
}

static bool mark_used(void *ctx, const struct flow_row *row)
{
	((bool *)ctx)[row->endpoint_id] = true;
	return true;
}

static bool is_unused(void *ctx, uint32_t id)
{
	return !((const bool *)ctx)[id];
}

/* As the daemon does, but sooner: numbers that no flow has are free again. */
static void tidy(void)
{
	bool used[WORLD_ENDPOINTS] = {false};

	assert_int_equal(dataplane_each_flow(gateway.dp, mark_used, used), 0);
	ids_release(gateway.ids, is_unused, used);
}

static int prepare(void **state)
{
	prog = -1;
	return gateway_setup(state);
}

static int clean_up(void **state)
{
	(void)traffic_stop();
	return gateway_teardown(state);
}

static void start(void)
{
	int none;

	gateway_open();
	take_program(&none);
	for (uint32_t n = 0; n < POOL; n++)
		now.pool[n] = (struct member){.present = n % 2};
	for (uint32_t g = 0; g < GROUPS; g++)
		weights[g] = 1;
	apply(&now);
	traffic_start(prog, &now);
}

static void flows_keep_their_endpoints_whatever_happens_to_others(void **state)
{
	const uint32_t steps = repeats(10000);
	struct traffic_sum sum;

	(void)state;
	rnd = 4711;
	restarts = 0;
	log_set_level(LOG_LEVEL_ERROR);
	start();
	for (uint32_t i = 0; i < steps; i++) {
		step(i);
		(void)uv_run(&gateway.loop, UV_RUN_NOWAIT);
		if (i % TIDY_EVERY == TIDY_EVERY - 1)
			tidy();
	}
	sum = traffic_stop();
	gateway_end();
	close(prog);
	print_message("%u steps, %u of them restarts: flows opened %llu, new flows refused %llu, "
		      "packets of kept flows %llu, UDP that moved %llu, sent during a step %llu\n",
		      steps, restarts, (unsigned long long)sum.opened,
		      (unsigned long long)sum.refused, (unsigned long long)sum.kept,
		      (unsigned long long)sum.moved, (unsigned long long)sum.unsure);
	if (sum.wrong)
		fail_msg("%llu packets went wrong, the first: %s", (unsigned long long)sum.wrong,
			 sum.first_wrong);
	/* Both have been tried: it is the same code that tells them apart. */
	assert_true(sum.kept > sum.moved && sum.moved);
	assert_true(restarts * 100 <= steps && restarts);
}

int model_tests(void)
{
	const struct CMUnitTest models[] = {
		cmocka_unit_test_setup_teardown(
			flows_keep_their_endpoints_whatever_happens_to_others, prepare, clean_up),
	};

	return cmocka_run_group_tests(models, NULL, NULL);
}
