/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random steps of what happens to endpoints: they come, go, drain, fall ill and recover, and their
 * weights change. Each step's model is compiled by the daemon's own code, written beside the tables
 * in force, and switched to. Between steps established flows send on both CPUs: none of them may
 * change its endpoint, but UDP whose endpoint is down or gone.
 */
#include "cpus.h"
#include "groups.h"
#include "whole.h"
#include "world.h"

#include <arpa/inet.h>
#include <string.h>

#include "tables/compile.h"

#include "../unit/model_fixture.h"

#define POOL	   24
#define GROUPS	   3
#define FLOWS	   200
#define SENDS	   12 /* between two steps */
#define SIDE_SLOTS (WORLD_SLOT_LINES / 4 * SPW_LINE_SLOTS)

/* Endpoint n has the address 10.0.0.n + 1. */
struct member {
	bool present, down, drained;
	uint32_t id, word;
};

struct live {
	bool open;
	uint32_t member;
	struct desc client, sent;
};

static struct member pool[POOL];
static uint32_t weights[GROUPS];
static struct live flows[FLOWS];
static struct fixture fixture;
static struct tables tables;
static uint32_t rnd, next_port, kept, moved, opened;

static uint32_t below(uint32_t n)
{
	return random_u32(&rnd) % n;
}

/* Every third of the pool is a locality; the last one is the tier behind the others. */
static void make_model(void)
{
	struct service *s;

	fixture_init(&fixture);
	fixture_room(&fixture, POOL, 1);
	s = fixture_service(&fixture, 1, 80);
	for (uint8_t g = 0; g < GROUPS; g++) {
		size_t first = fixture.model.instance_count, count = 0;

		for (uint32_t n = g; n < POOL; n += GROUPS) {
			struct instance *i;

			if (!pool[n].present)
				continue;
			i = fixture_instance(&fixture, n + 1, 80);
			fixture.health[i->index].state = pool[n].down ? HEALTH_DOWN : HEALTH_UP;
			count++;
		}
		if (count)
			fixture_locality(&fixture, s, g == GROUPS - 1, weights[g], first, count);
	}
}

static void put_word(uint32_t n)
{
	const uint32_t admin = pool[n].drained ? SPW_ADMIN_DRAIN : SPW_ADMIN_AUTO;

	world_set_word(pool[n].id, pool[n].word | admin << SPW_WORD_ADMIN_SHIFT);
}

/* Rows of endpoints that are new or changed. */
static void put_endpoints(void)
{
	for (size_t i = 0; i < tables.endpoint_count; i++) {
		const struct table_endpoint *t = &tables.endpoints[i];
		const struct spw_endpoint e = {.addr = t->addr,
					       .port = htons(t->port),
					       .mode = t->mode,
					       .source_count = 2};
		uint32_t n = t->addr.b[15] - 1u;

		world_put_endpoint(t->id, &e);
		pool[n].id = t->id;
		pool[n].word = (t->pickable ? SPW_WORD_PICKABLE : 0) | (t->up ? SPW_WORD_UP : 0);
		put_word(n);
	}
}

/* After the switch: what has gone. */
static void take_endpoints(void)
{
	const struct spw_endpoint none = {};

	for (uint32_t n = 0; n < POOL; n++) {
		if (pool[n].present || !pool[n].id)
			continue;
		world_put_endpoint(pool[n].id, &none);
		world_set_word(pool[n].id, 0);
		pool[n].id = pool[n].word = 0;
	}
}

/* Slots and rows beside those in force, then the one word that packets go by. */
static void switch_sides(void)
{
	const uint32_t side = !world.config.active;
	uint32_t base = side * SIDE_SLOTS;
	struct spw_service_row rows[] = {world_row(TCP4, side), world_row(UDP4, side)};

	for (size_t i = 0; i < 2; i++)
		memset(&rows[i].table, 0, sizeof(rows[i].table));
	for (size_t t = 0; t < tables.slots_count; t++) {
		const struct table_slots *s = &tables.slots[t];
		const struct spw_table_ref ref = {.base = base, .size = s->size};

		assert_true(base + s->size <= (side + 1) * SIDE_SLOTS);
		world_put_slots(base, s->slots, s->size);
		base += (s->size + SPW_LINE_SLOTS - 1) / SPW_LINE_SLOTS * SPW_LINE_SLOTS;
		for (size_t i = 0; i < 2; i++) {
			if (tables.services[0].table == t)
				rows[i].table = ref;
			if (tables.services[0].spare == t)
				rows[i].spare = ref;
		}
	}
	for (uint32_t i = 0; i < 2; i++) {
		rows[i].flags =
			SPW_SERVICE_VALID | (tables.services[0].empty ? SPW_SERVICE_EMPTY : 0);
		rows[i].live_flows = SPW_NO_ENDPOINT_LEAVE;
		if (tables.services[0].spare == TABLE_NONE)
			memset(&rows[i].spare, 0, sizeof(rows[i].spare));
		world_row_on_side(i ? UDP4 : TCP4, side, &rows[i]);
	}
	world.config.active = side;
	world_put_config();
}

static void apply(struct ids *ids)
{
	const char *why = NULL;

	make_model();
	assert_int_equal(ids_assign(ids, &fixture.model, &why), 0);
	assert_int_equal(tables_compile(fixture.arena, &fixture.model, &fixture.view, ids,
					SIDE_SLOTS / SPW_LINE_SLOTS, NULL, &tables, &why),
			 0);
	put_endpoints();
	switch_sides();
	take_endpoints();
	fixture_done(&fixture);
}

/* One thing happens to one endpoint, or to the weight of its locality. */
static void step(struct ids *ids)
{
	struct member *m = &pool[below(POOL)];

	switch (below(4)) {
	case 0:
		m->present = !m->present;
		m->down = m->drained = false;
		break;
	case 1:
		m->down = !m->down;
		break;
	case 2:
		m->drained = !m->drained;
		if (m->present)
			put_word((uint32_t)(m - pool));
		return;
	case 3:
		weights[(m - pool) % GROUPS] = 1 + below(9);
		break;
	}
	apply(ids);
}

static bool member_keeps(const struct live *l)
{
	const struct member *m = &pool[l->member];

	if (l->client.proto == IPPROTO_TCP)
		return true; /* whatever becomes of it: its packets go there or nowhere */
	return m->present && (m->word & (SPW_WORD_UP | SPW_WORD_PICKABLE));
}

/* Where a forwarded client's packet went. */
static uint32_t note_way(struct live *l, const struct frame *out)
{
	l->sent = l->client;
	l->sent.src = addr_of("10.2.0.1");
	memcpy(l->sent.src.b + 12, out->b + FRAME_ETH + 12, 4);
	l->sent.dst = fixture_addr(out->b[FRAME_ETH + 19]);
	l->sent.sport = frame_sport(&l->client, out);
	l->sent.dport = 80;
	memcpy(l->sent.smac, mac_gateway_server, 6);
	memcpy(l->sent.dmac, mac_router, 6);
	return out->b[FRAME_ETH + 19] - 1u;
}

static void reply(const struct live *l)
{
	struct desc r = from_endpoint(&l->sent);

	world_expect_reply(world.if_server, &l->client, &r);
}

/* A handshake, or a question and its answer; nobody may be there for it. */
static void open_flow(struct live *l, bool tcp)
{
	struct frame out;

	l->client = from_client(tcp ? TCP4 : UDP4);
	l->client.sport = (uint16_t)(1024 + next_port++ % 60000);
	l->open = world_send(world.if_client, &l->client, &out) == XDP_REDIRECT;
	if (!l->open)
		return;
	l->member = note_way(l, &out);
	assert_true(pool[l->member].present && !pool[l->member].drained);
	assert_true(pool[l->member].word & SPW_WORD_PICKABLE);
	reply(l);
	if (tcp)
		l->client.flags = TCP_ACK;
	assert_int_equal(world_send(world.if_client, &l->client, &out), XDP_REDIRECT);
	opened++;
}

static void send_both_ways(struct live *l)
{
	struct frame out;
	uint32_t now;
	int verdict = world_send(world.if_client, &l->client, &out);

	if (verdict != XDP_REDIRECT) {
		/* UDP that finds nobody; TCP always has its way. */
		assert_false(member_keeps(l));
		l->open = false;
		return;
	}
	now = note_way(l, &out);
	if (now != l->member) {
		if (member_keeps(l))
			print_message("proto %u: %u (word %u) to %u\n", l->client.proto, l->member,
				      pool[l->member].word, now);
		assert_false(member_keeps(l));
		moved++;
	} else {
		kept++;
	}
	l->member = now;
	reply(l);
}

static void send_some(void)
{
	for (uint32_t i = 0; i < SENDS; i++) {
		uint32_t n = below(FLOWS);

		if (i % (SENDS / 2) == 0)
			cpu_take(i / (SENDS / 2));
		if (!flows[n].open || !below(64))
			open_flow(&flows[n], n % 2);
		else
			send_both_ways(&flows[n]);
	}
}

static void mark_used(const struct flow *f, void *ctx)
{
	((bool *)ctx)[f->endpoint] = true;
}

static bool is_unused(void *ctx, uint32_t id)
{
	return !((const bool *)ctx)[id];
}

/* As the daemon does now and then: UDP of what has gone goes too, whose numbers are free again. */
static void tidy(struct ids *ids)
{
	static bool used[WORLD_ENDPOINTS];

	world_sweep(0);
	for (uint32_t n = 0; n < FLOWS; n++) {
		if (flows[n].client.proto == IPPROTO_UDP && !pool[flows[n].member].present)
			flows[n].open = false;
	}
	memset(used, 0, sizeof(used));
	world_each_flow(mark_used, used);
	ids_release(ids, is_unused, used);
}

static void flows_keep_their_endpoints_whatever_happens_to_others(void **state)
{
	const struct ids_limits limits = {WORLD_ENDPOINTS, WORLD_SERVICES};
	AUTO(ids_free) struct ids *ids = ids_new(&limits);
	const uint32_t steps = repeats(10000);

	(void)state;
	assert_non_null(ids);
	rnd = 4711;
	world_set_ports(8000);
	for (uint32_t n = 0; n < POOL; n++)
		pool[n] = (struct member){.present = n % 2};
	for (uint32_t g = 0; g < GROUPS; g++)
		weights[g] = 1;
	apply(ids);
	for (uint32_t i = 0; i < steps; i++) {
		step(ids);
		send_some();
		if (i % 100 == 99)
			tidy(ids);
	}
	cpu_release();
	whole_expect();
	print_message("%u steps: flows opened %u, packets of kept flows %u, UDP that moved %u\n",
		      steps, opened, kept, moved);
	/* Both have been tried: it is the same code that tells them apart. */
	assert_true(kept > moved && moved);
}

int model_tests(void)
{
	const struct CMUnitTest models[] = {
		cmocka_unit_test_setup(flows_keep_their_endpoints_whatever_happens_to_others,
				       world_reset),
	};

	return cmocka_run_group_tests(models, NULL, NULL);
}
