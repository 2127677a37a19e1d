/* SPDX-License-Identifier: BSD-2-Clause */
/* What an endpoint's change comes to: the one write, the tables behind it, and the news of tiers. */
#include "base/strbuf.h"
#include "control/reaction.h"

#include "engine_fixture.h"

#define ONE   "10.0.0.1:8080"
#define TWO   "10.0.0.2:8080"
#define SPARE "10.0.0.9:8080"

#define REF(name) "{\"group\":\"gateway.envoyproxy.io\",\"kind\":\"Backend\",\"name\":\"" name "\"}"
#define SPARE_BACKEND                                                                              \
	"{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":\"Backend\",\"metadata\":"    \
	"{\"name\":\"spare\"},\"spec\":{\"fallback\":true,\"endpoints\":["                         \
	"{\"ip\":{\"address\":\"10.0.0.9\",\"port\":8080}}]}}"
#define ROUTE_WITH(refs)                                                                           \
	"{\"apiVersion\":\"gateway.networking.k8s.io/v1alpha2\",\"kind\":\"TCPRoute\","            \
	"\"metadata\":{\"name\":\"web\"},\"spec\":{\"parentRefs\":[{\"name\":\"edge\"}],"          \
	"\"rules\":[{\"backendRefs\":[" refs "]}]}}"

static void apply_tiers(struct fixture *f)
{
	must(f, 200, "POST", OWN "/apply",
	     APPLY(WEB "," SPARE_BACKEND "," GATEWAY "," ROUTE_WITH(REF("web") "," REF("spare"))));
}

static void set_word(struct fixture *f, const char *address, const char *word)
{
	must(f, 200, "POST", OWN "/endpoints/state",
	     arena_printf(f->arena, "{\"address\":\"%s\",\"state\":\"%s\"}", address, word));
}

/* Events of the kind, as "FROM -> TO (REASON)", separated by semicolons. */
static const char *told(struct fixture *f, const char *kind)
{
	struct node *list = node_member(must(f, 200, "GET", OWN "/events", NULL), "events"), *e;
	const char *text = "";

	for (size_t i = 0; i < node_count(list); i++) {
		e = node_item(list, i);
		if (strcmp(node_text_at(e, "kind", ""), kind) == 0)
			text = arena_printf(f->arena, "%s%s%s -> %s (%s)", text,
					    text[0] ? "; " : "", node_text_at(e, "from", ""),
					    node_text_at(e, "to", ""),
					    node_text_at(e, "reason", ""));
	}
	return text;
}

static const struct instance *instance_of(struct fixture *f, const char *address)
{
	struct spw_addr addr;
	uint16_t port;
	size_t first;

	assert_int_equal(addr_parse_port(address, &addr, &port), 0);
	assert_int_equal(generation_range(f->engine->now, &addr, port, &first), 1);
	return f->engine->now->by_address[first];
}

static void what_a_failure_makes_of_the_tiers_is_an_event(void **state)
{
	struct fixture *f = *state;

	apply_tiers(f);
	assert_string_equal(told(f, "tiers"), "");
	set_word(f, ONE, "down");
	assert_string_equal(told(f, "tiers"), "100/0 -> 70/30 (tier 0: 1 of 2 up)");
	set_word(f, ONE, "auto");
	assert_string_equal(told(f, "tiers"), "100/0 -> 70/30 (tier 0: 1 of 2 up); "
					      "70/30 -> 100/0 (tier 0: 2 of 2 up)");
}

static void a_word_adopted_at_a_start_is_told_with_what_it_makes_of_the_tiers(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	apply_tiers(f);
	id = fake_endpoint(ONE)->id;
	fixture_close(f);
	fake.admin[id] = SPW_ADMIN_DOWN;
	fake.by_hand[id] = true;
	fixture_open(f);
	assert_string_equal(told(f, "endpoint"), "up -> down (set by the operator)");
	assert_string_equal(told(f, "tiers"), "100/0 -> 70/30 (tier 0: 1 of 2 up)");
	assert_false(fake.by_hand[id]);
	fixture_close(f);
	fake.admin[id] = SPW_ADMIN_AUTO; /* its row says no longer whether it was healthy */
	fake.by_hand[id] = true;
	fixture_open(f);
	assert_true(fake_endpoint(ONE)->pickable);
}

static void a_service_without_endpoints_is_told_and_its_return(void **state)
{
	struct fixture *f = *state;
	struct node *e;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	set_word(f, ONE, "down");
	set_word(f, TWO, "down");
	set_word(f, TWO, "auto");
	assert_string_equal(told(f, "tiers"), "100 -> none (tier 0: 0 of 2 up, panic); "
					      "none -> 100 (tier 0: 1 of 2 up)");
	e = node_item(node_member(must(f, 200, "GET", OWN "/events", NULL), "events"), 0);
	assert_string_equal(node_text_at(e, "kind", ""), "endpoint");
	e = node_item(node_member(must(f, 200, "GET", OWN "/events?since=2", NULL), "events"), 0);
	assert_string_equal(node_text_at(e, "kind", ""), "tiers");
	assert_string_equal(node_text_at(e, "subject", ""), "default/web at 192.0.2.1:80/tcp");
}

static void an_apply_that_moves_shares_is_told_and_one_that_does_not_is_not(void **state)
{
	struct fixture *f = *state;

	apply_tiers(f);
	set_word(f, ONE, "down");
	must(f, 200, "POST", OWN "/apply", APPLY(BACKEND("other", "10.0.0.7", "10.0.0.8")));
	assert_string_equal(told(f, "tiers"), "100/0 -> 70/30 (tier 0: 1 of 2 up)");
	must(f, 200, "POST", OWN "/apply", APPLY(BACKEND("web", "10.0.0.2", "10.0.0.3")));
	assert_string_equal(told(f, "tiers"), "100/0 -> 70/30 (tier 0: 1 of 2 up); "
					      "70/30 -> 100/0 (tier 0: 2 of 2 up)");
}

static void a_word_that_changes_no_standing_is_an_event_too(void **state)
{
	struct fixture *f = *state;

	apply_tiers(f);
	set_word(f, ONE, "up");
	assert_string_equal(told(f, "operator"), "auto -> up (no other change)");
	assert_string_equal(told(f, "endpoint"), "");
	set_word(f, ONE, "down");
	assert_string_equal(told(f, "operator"), "auto -> up (no other change)");
	assert_string_equal(told(f, "endpoint"), "up -> down (set by the operator)");
}

static void events_are_read_in_parts(void **state)
{
	struct fixture *f = *state;
	struct node *answer, *e;

	answer = must(f, 200, "GET", OWN "/events", NULL);
	assert_int_equal(node_int_at(answer, "last", -1), 0);
	assert_int_equal(node_int_at(answer, "oldest", -1), 0);
	apply_tiers(f);
	set_word(f, ONE, "down");
	set_word(f, ONE, "auto");
	answer = must(f, 200, "GET", OWN "/events?limit=3", NULL);
	assert_int_equal(node_count(node_member(answer, "events")), 3);
	assert_int_equal(node_int_at(answer, "last", 0), 4);
	assert_int_equal(node_int_at(answer, "oldest", 0), 1);
	answer = must(f, 200, "GET", OWN "/events?since=3", NULL);
	assert_int_equal(node_count(node_member(answer, "events")), 1);
	e = node_item(node_member(answer, "events"), 0);
	assert_int_equal(node_int_at(e, "seq", 0), 4);
	assert_true(node_int_at(e, "monotonicNs", 0) > 0);
	assert_int_equal(strlen(node_text_at(e, "time", "")), strlen("2026-01-02T03:04:05.678Z"));
	answer = must(f, 200, "GET", OWN "/events?since=99", NULL);
	assert_int_equal(node_count(node_member(answer, "events")), 0);
	must(f, 400, "GET", OWN "/events?since=x", NULL);
	must(f, 400, "GET", OWN "/events?limit=0", NULL);
}

static void who_goes_out_is_one_write_and_the_tables_follow(void **state)
{
	struct fixture *f = *state;
	struct health_hooks hooks = reaction_hooks(f->engine);
	int applies;

	apply_tiers(f);
	applies = fake.applies;
	hooks.out(hooks.ctx, instance_of(f, ONE));
	assert_int_equal(fake.words, 1);
	assert_false(fake_endpoint(ONE)->pickable);
	assert_int_equal(fake.applies, applies);
	hooks.out(hooks.ctx, instance_of(f, ONE)); /* again: nothing left to write */
	assert_int_equal(fake.words, 1);
	hooks.changed(hooks.ctx); /* it is up after all: the rebuild says the last word */
	assert_int_equal(fake.applies, applies + 1);
	assert_true(fake_endpoint(ONE)->pickable);
	hooks.changed(hooks.ctx); /* nothing changed since */
	assert_int_equal(fake.applies, applies + 1);
}

static void the_last_healthy_one_of_a_service_is_spared(void **state)
{
	struct fixture *f = *state;
	struct health_hooks hooks = reaction_hooks(f->engine);

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	hooks.out(hooks.ctx, instance_of(f, ONE));
	hooks.out(hooks.ctx, instance_of(f, TWO));
	assert_int_equal(fake.words, 1);
	assert_false(fake_endpoint(ONE)->pickable);
	assert_true(fake_endpoint(TWO)->pickable);
}

static void a_spare_tier_lets_all_of_the_first_go(void **state)
{
	struct fixture *f = *state;
	struct health_hooks hooks = reaction_hooks(f->engine);

	apply_tiers(f);
	hooks.out(hooks.ctx, instance_of(f, ONE));
	hooks.out(hooks.ctx, instance_of(f, TWO));
	assert_int_equal(fake.words, 2);
	hooks.out(hooks.ctx, instance_of(f, SPARE));
	assert_int_equal(fake.words, 2);
	assert_true(fake_endpoint(SPARE)->pickable);
}

static void an_operators_word_is_one_rebuild(void **state)
{
	struct fixture *f = *state;
	int applies;

	apply_tiers(f);
	applies = fake.applies;
	set_word(f, ONE, "down");
	for (int i = 0; i < 10; i++)
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(fake.applies, applies + 1);
	assert_int_equal(fake.words, 0); /* its own bits say enough until the tables are there */
	assert_int_equal(fake.resets, 0);
}

static void signals_and_traffic_are_those_of_the_endpoints_number(void **state)
{
	struct fixture *f = *state;
	struct health_hooks hooks = reaction_hooks(f->engine);
	uint64_t in = 0, out = 0;
	uint32_t id;

	apply_tiers(f);
	id = fake_endpoint(TWO)->id;
	fake.stats[id] = (struct spw_endpoint_stats){.packets_in = 7, .packets_out = 5};
	assert_ptr_equal(hooks.signals(hooks.ctx, instance_of(f, TWO)), &fake.signals[id]);
	hooks.traffic(hooks.ctx, instance_of(f, TWO), &in, &out);
	assert_int_equal(in, 7);
	assert_int_equal(out, 5);
}

static void what_the_packet_path_does_not_carry_is_shown_and_touches_no_map(void **state)
{
	struct fixture *f = *state;
	struct health_hooks hooks = reaction_hooks(f->engine);
	struct node *list, *row = NULL;

	must(f, 200, "POST", OWN "/apply",
	     APPLY(WEB "," GATEWAY "," ROUTE_WITH(REF("web") "," REF(
		     "named")) ","
			       "{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":\"Backend\","
			       "\"metadata\":{\"name\":\"named\"},\"spec\":{\"endpoints\":[{\"fqdn\":{"
			       "\"hostname\":\"api.example.com\",\"port\":443}}]}}"));
	list = node_member(
		node_item(node_member(must(f, 200, "GET", OWN "/endpoints", NULL), "services"), 0),
		"endpoints");
	for (size_t i = 0; i < node_count(list); i++) {
		if (strcmp(node_text_at(node_item(list, i), "kind", ""), "fqdn") == 0)
			row = node_item(list, i);
	}
	assert_non_null(row);
	assert_string_equal(node_text_at(row, "address", ""), "api.example.com:443");
	assert_string_equal(node_text_at(row, "backend", ""), "default/named");
	assert_false(node_bool_at(row, "carried", true));
	assert_int_equal(fake.tables.endpoint_count, 2);
	for (size_t i = 0; i < f->engine->now->model->instance_count; i++) {
		if (f->engine->now->model->instances[i].mode != SPW_MODE_HANDOFF)
			continue;
		hooks.out(hooks.ctx, &f->engine->now->model->instances[i]);
		assert_null(hooks.signals(hooks.ctx, &f->engine->now->model->instances[i]));
	}
	assert_int_equal(fake.words, 0);
}

#define MANY	  300
#define LISTENERS 60 /* of one Gateway */

/* So many services of the one Backend. */
static char *many_services(void)
{
	struct strbuf b = {0};

	strbuf_puts(&b, "{\"objects\":[" WEB);
	for (int i = 0; i < MANY; i++) {
		if (i % LISTENERS == 0)
			strbuf_printf(
				&b,
				"%s,{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":"
				"\"Gateway\",\"metadata\":{\"name\":\"g%d\"},\"spec\":{"
				"\"gatewayClassName\":\"spillway\",\"addresses\":[{\"value\":"
				"\"192.0.2.%d\"}],\"listeners\":[",
				i ? "]}}" : "", i / LISTENERS, i / LISTENERS + 1);
		strbuf_printf(&b, "%s{\"name\":\"l%d\",\"port\":%d,\"protocol\":\"TCP\"}",
			      i % LISTENERS ? "," : "", i, 1000 + i);
	}
	strbuf_puts(&b, "]}}");
	for (int i = 0; i < MANY; i++)
		strbuf_printf(
			&b,
			",{\"apiVersion\":\"gateway.networking.k8s.io/v1alpha2\",\"kind\":"
			"\"TCPRoute\",\"metadata\":{\"name\":\"r%d\"},\"spec\":{\"parentRefs\":"
			"[{\"name\":\"g%d\",\"sectionName\":\"l%d\"}],\"rules\":[{"
			"\"backendRefs\":[" REF("web") "]}]}}",
			i, i / LISTENERS, i);
	strbuf_puts(&b, "]}");
	return strbuf_take(&b);
}

static void of_very_many_services_the_first_are_told_and_the_rest_counted(void **state)
{
	struct fixture *f = *state;
	AUTO(free) char *body = many_services();
	struct node *list, *last;

	fixture_close(f);
	fake.meta.max_services = MANY;
	fixture_open(f);
	must(f, 200, "POST", OWN "/apply", body);
	assert_int_equal(f->engine->now->model->service_count, MANY);
	set_word(f, ONE, "down");
	set_word(f, TWO, "down");
	list = node_member(must(f, 200, "GET", OWN "/events", NULL), "events");
	assert_int_equal(node_count(list), 2 + 256 + 1);
	last = node_item(list, node_count(list) - 1);
	assert_string_equal(node_text_at(last, "subject", ""), "44 more services");
	set_word(f, TWO, "auto");
	assert_int_equal(node_int_at(must(f, 200, "GET", OWN "/events", NULL), "last", 0),
			 2 * (1 + 256 + 1) + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_failure_makes_of_the_tiers_is_an_event),
		TEST(a_word_adopted_at_a_start_is_told_with_what_it_makes_of_the_tiers),
		TEST(a_service_without_endpoints_is_told_and_its_return),
		TEST(an_apply_that_moves_shares_is_told_and_one_that_does_not_is_not),
		TEST(a_word_that_changes_no_standing_is_an_event_too),
		TEST(events_are_read_in_parts),
		TEST(who_goes_out_is_one_write_and_the_tables_follow),
		TEST(the_last_healthy_one_of_a_service_is_spared),
		TEST(a_spare_tier_lets_all_of_the_first_go),
		TEST(an_operators_word_is_one_rebuild),
		TEST(signals_and_traffic_are_those_of_the_endpoints_number),
		TEST(what_the_packet_path_does_not_carry_is_shown_and_touches_no_map),
		TEST(of_very_many_services_the_first_are_told_and_the_rest_counted),
	};

	return cmocka_run_group_tests(tests, leave_network, NULL);
}
