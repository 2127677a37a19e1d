/* SPDX-License-Identifier: BSD-2-Clause */
/* What is told of an endpoint's first answers: which outcome, once, in which cohort, and the run. */
#include "groups.h"
#include "world.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#define COHORT_NS (1ULL << SPW_COHORT_SHIFT)
#define LONG_AGO  (3 * SECOND_NS)

static uint32_t endpoint_for(uint32_t service)
{
	return service == TCP4 || service == UDP4 ? WEB4_A : WEB6_A;
}

static void expect_outcomes(uint32_t id, struct spw_cohort want)
{
	struct spw_cohort got = world_outcomes(id);

	assert_int_equal(got.opened, want.opened);
	assert_int_equal(got.answered, want.answered);
	assert_int_equal(got.refused, want.refused);
	assert_int_equal(got.unreachable, want.unreachable);
	assert_int_equal(got.retried, want.retried);
}

static void expect_run(uint32_t id, uint32_t run, uint32_t run_max)
{
	struct spw_signals s = world_signals(id);

	assert_int_equal(s.run, run);
	assert_int_equal(s.run_max, run_max);
}

/* An endpoint's answer with these flags to the packet that it was sent. */
static void answers(const struct desc *client, const struct desc *sent, uint8_t flags)
{
	struct desc d = from_endpoint(sent);

	if (client->proto == IPPROTO_TCP)
		d.flags = flags;
	world_expect_reply(world.if_server, client, &d);
}

static void a_new_flow_is_counted_in_the_cohort_of_its_birth(void **state)
{
	(void)state;
	for (uint32_t service = TCP4; service <= UDP6; service++) {
		struct desc d = from_client(service);
		uint32_t id = endpoint_for(service);
		struct spw_cohort before = world_outcomes(id);
		struct spw_signals s;
		struct flow f;

		world_expect_to(id, &d);
		world_expect_to(id, &d);
		assert_int_equal(world_outcomes(id).opened, before.opened + 1);
		assert_true(world_flow(&d, &f));
		s = world_signals(id);
		assert_true(s.cohort[(f.born_ns >> SPW_COHORT_SHIFT) % SPW_COHORTS].opened > 0);
	}
	expect_outcomes(WEB4_A, (struct spw_cohort){.opened = 2});
	expect_outcomes(WEB6_A, (struct spw_cohort){.opened = 2});
}

static void only_the_first_answer_of_a_flow_counts(void **state)
{
	(void)state;
	for (uint32_t service = TCP4; service <= UDP6; service++) {
		struct desc d = from_client(service), sent, plain;

		world_reset(NULL);
		sent = world_expect_to(endpoint_for(service), &d);
		answers(&d, &sent, TCP_SYN | TCP_ACK);
		plain = d;
		plain.flags = TCP_ACK;
		world_expect_to(endpoint_for(service), &plain);
		answers(&d, &sent, TCP_ACK);
		answers(&d, &sent, TCP_FIN | TCP_ACK);
		answers(&d, &sent, TCP_RST);
		expect_outcomes(endpoint_for(service),
				(struct spw_cohort){.opened = 1, .answered = 1});
		expect_run(endpoint_for(service), 0, 0);
		assert_int_equal(world_stat(SPW_COUNT_FLOW_REFUSED), 0);
	}
}

static void a_reset_as_first_answer_is_a_refusal(void **state)
{
	static const uint32_t services[] = {TCP4, TCP6};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct desc d = from_client(services[i]);
		uint32_t id = endpoint_for(services[i]);
		struct desc sent = world_expect_to(id, &d);

		answers(&d, &sent, TCP_RST | TCP_ACK);
		answers(&d, &sent, TCP_RST | TCP_ACK);
		answers(&d, &sent, TCP_SYN | TCP_ACK);
		expect_outcomes(id, (struct spw_cohort){.opened = 1, .refused = 1});
		assert_int_equal(world_signals(id).last_failure, SPW_FAILURE_REFUSED);
		expect_run(id, 1, 1);
		sent = world_expect_to(id, &d); /* opens anew, and is refused for itself */
		answers(&d, &sent, TCP_RST | TCP_ACK);
		expect_outcomes(id, (struct spw_cohort){.opened = 2, .refused = 2});
		expect_run(id, 2, 2);
	}
	assert_int_equal(world_stat(SPW_COUNT_FLOW_REFUSED), 4);
}

static void a_syn_that_comes_again_in_time_for_an_answer_is_no_failure(void **state)
{
	struct desc d = from_client(TCP4);

	(void)state;
	world_expect_to(WEB4_A, &d);
	world_born(&d, SPW_RETRY_AFTER_NS - 100000000);
	world_expect_to(WEB4_A, &d);
	expect_outcomes(WEB4_A, (struct spw_cohort){.opened = 1});
	expect_run(WEB4_A, 0, 0);
}

static void a_syn_that_comes_again_unanswered_is_one_failure(void **state)
{
	struct desc d = from_client(TCP6), plain;

	(void)state;
	world_expect_to(WEB6_A, &d);
	world_born(&d, SPW_RETRY_AFTER_NS + 10000000); /* a few ticks */
	plain = d;
	plain.flags = TCP_ACK;
	world_expect_to(WEB6_A, &plain); /* no SYN */
	expect_run(WEB6_A, 0, 0);
	for (int i = 0; i < 3; i++)
		world_expect_to(WEB6_A, &d);
	expect_outcomes(WEB6_A, (struct spw_cohort){.opened = 1, .retried = 1});
	expect_run(WEB6_A, 1, 1);
	assert_int_equal(world_signals(WEB6_A).last_failure, SPW_FAILURE_SILENT);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_RETRIED), 1);
}

static void an_answer_after_a_failure_ends_the_run_and_is_no_second_outcome(void **state)
{
	struct desc d = from_client(TCP4), sent = world_expect_to(WEB4_A, &d);

	(void)state;
	world_born(&d, SPW_RETRY_AFTER_NS + 10000000); /* a few ticks */
	world_expect_to(WEB4_A, &d);
	expect_run(WEB4_A, 1, 1);
	answers(&d, &sent, TCP_SYN | TCP_ACK);
	expect_run(WEB4_A, 0, 1);
	expect_outcomes(WEB4_A, (struct spw_cohort){.opened = 1, .retried = 1});
	world_expect_to(WEB4_A, &d); /* a SYN on a flow that is answered */
	expect_run(WEB4_A, 0, 1);
}

static void a_refusal_after_a_failure_is_no_second_failure(void **state)
{
	struct desc d = from_client(TCP4), sent = world_expect_to(WEB4_A, &d);

	(void)state;
	world_born(&d, SPW_RETRY_AFTER_NS + 10000000); /* a few ticks */
	world_expect_to(WEB4_A, &d);
	answers(&d, &sent, TCP_RST | TCP_ACK);
	expect_run(WEB4_A, 1, 1);
	expect_outcomes(WEB4_A, (struct spw_cohort){.opened = 1, .retried = 1});
	assert_int_equal(world_stat(SPW_COUNT_FLOW_REFUSED), 0);
}

/* As if opened in a cohort that is judged within `ns` from now, the last there is. */
static void judged_within(const struct desc *d, uint64_t ns)
{
	struct flow f;

	assert_true(world_flow(d, &f));
	f.born_ns = ((world_now_ns() + ns - SPW_COHORT_JUDGED_NS) & ~(COHORT_NS - 1)) - 1;
	world_put_flow(d, &f);
}

static void an_outcome_counts_until_its_cohort_is_judged(void **state)
{
	struct desc d = from_client(TCP4), sent;

	(void)state;
	sent = world_expect_to(WEB4_A, &d);
	judged_within(&d, COHORT_NS + 50000000);
	answers(&d, &sent, TCP_SYN | TCP_ACK);
	expect_outcomes(WEB4_A, (struct spw_cohort){.opened = 1, .answered = 1});
	d.sport++;
	sent = world_expect_to(WEB4_A, &d);
	judged_within(&d, 0);
	answers(&d, &sent, TCP_SYN | TCP_ACK);
	expect_outcomes(WEB4_A, (struct spw_cohort){.opened = 2, .answered = 1});
}

static void after_that_the_run_counts_alone(void **state)
{
	struct desc d = from_client(TCP4), sent;

	(void)state;
	for (int i = 0; i < 3; i++, d.sport++) {
		sent = world_expect_to(WEB4_A, &d);
		world_born(&d, LONG_AGO);
		if (i == 1)
			world_expect_to(WEB4_A, &d);
		else
			answers(&d, &sent, TCP_RST | TCP_ACK);
	}
	expect_outcomes(WEB4_A, (struct spw_cohort){.opened = 3});
	expect_run(WEB4_A, 3, 3);
	sent = world_expect_to(WEB4_A, &d);
	world_born(&d, LONG_AGO);
	answers(&d, &sent, TCP_SYN | TCP_ACK);
	expect_outcomes(WEB4_A, (struct spw_cohort){.opened = 4});
	expect_run(WEB4_A, 0, 3);
}

static void a_flow_that_is_picked_again_is_another_endpoints(void **state)
{
	struct desc d = from_client(TCP4), sent;

	(void)state;
	world_expect_to(WEB4_A, &d);
	world_born(&d, SPW_RETRY_AFTER_NS + 10000000); /* a few ticks */
	world_serve(TCP4, (uint16_t[]){WEB4_B}, 1);
	world_set_word(WEB4_A, SPW_WORD_UP);
	sent = world_expect_to(WEB4_B, &d);
	expect_outcomes(WEB4_A, (struct spw_cohort){.opened = 1, .retried = 1});
	expect_outcomes(WEB4_B, (struct spw_cohort){.opened = 1});
	world_expect_to(WEB4_B, &d); /* young again */
	answers(&d, &sent, TCP_RST | TCP_ACK);
	expect_outcomes(WEB4_A, (struct spw_cohort){.opened = 1, .retried = 1});
	expect_outcomes(WEB4_B, (struct spw_cohort){.opened = 1, .refused = 1});
	expect_run(WEB4_A, 1, 1);
	expect_run(WEB4_B, 1, 1);
}

#define RACES 1500

/* Both CPUs send the same packets in the same order, as near to each other as they get. */
struct racer {
	pthread_barrier_t *start;
	const struct desc *packets;
	int ifindex, cpu;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	struct frame out;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(r->cpu, &cpus);
	(void)pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	for (int i = 0; i < RACES; i++) {
		(void)pthread_barrier_wait(r->start);
		world_send(r->ifindex, &r->packets[i], &out);
	}
	return NULL;
}

static void two_cpus_send(int ifindex, const struct desc *packets)
{
	pthread_barrier_t start;
	struct racer r[2];
	pthread_t t[2];

	assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
	for (int i = 0; i < 2; i++) {
		r[i] = (struct racer){&start, packets, ifindex, i};
		assert_int_equal(pthread_create(&t[i], NULL, race, &r[i]), 0);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	pthread_barrier_destroy(&start);
}

static struct desc packets[RACES];

/*
 * As if born in a minute: a CPU that is held up for a second, or a race that takes two, makes no
 * answer too late for its cohort.
 */
static void not_late(const struct desc *d)
{
	world_born(d, -60 * SECOND_NS);
}

/* Opens the flows; `packets` are the endpoint's answers with these flags. */
static void open_for_race(uint8_t flags)
{
	struct desc d = from_client(TCP4);

	world_reset(NULL);
	world_set_ports(4 * RACES);
	for (int i = 0; i < RACES; i++) {
		struct desc sent;

		d.sport = (uint16_t)(1000 + i);
		sent = world_expect_to(WEB4_A, &d);
		not_late(&d);
		packets[i] = from_endpoint(&sent);
		packets[i].flags = flags;
	}
}

static void two_cpus_count_a_flow_once(void **state)
{
	struct desc d = from_client(TCP4);

	(void)state;
	world_set_ports(4 * RACES);
	for (int i = 0; i < RACES; i++) {
		packets[i] = d;
		packets[i].sport = (uint16_t)(1000 + i);
	}
	two_cpus_send(world.if_client, packets);
	/* The SYN of a CPU that was held up for a second is a retry, and rightly counted as one. */
	assert_int_equal(world_outcomes(WEB4_A).opened, RACES);
	open_for_race(TCP_SYN | TCP_ACK);
	two_cpus_send(world.if_server, packets);
	expect_outcomes(WEB4_A, (struct spw_cohort){.opened = RACES, .answered = RACES});
	open_for_race(TCP_RST | TCP_ACK);
	two_cpus_send(world.if_server, packets);
	expect_outcomes(WEB4_A, (struct spw_cohort){.opened = RACES, .refused = RACES});
	expect_run(WEB4_A, RACES, RACES);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_REFUSED), RACES);
	open_for_race(TCP_SYN);
	for (int i = 0; i < RACES; i++) {
		d.sport = (uint16_t)(1000 + i);
		packets[i] = d;
		world_born(&d, SPW_RETRY_AFTER_NS + 10000000); /* a few ticks */
	}
	two_cpus_send(world.if_client, packets);
	assert_int_equal(world_outcomes(WEB4_A).opened, RACES);
	expect_run(WEB4_A, RACES, RACES);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_RETRIED), RACES);
}

int signal_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest signal[] = {
		T(a_new_flow_is_counted_in_the_cohort_of_its_birth),
		T(only_the_first_answer_of_a_flow_counts),
		T(a_reset_as_first_answer_is_a_refusal),
		T(a_syn_that_comes_again_in_time_for_an_answer_is_no_failure),
		T(a_syn_that_comes_again_unanswered_is_one_failure),
		T(an_answer_after_a_failure_ends_the_run_and_is_no_second_outcome),
		T(a_refusal_after_a_failure_is_no_second_failure),
		T(an_outcome_counts_until_its_cohort_is_judged),
		T(after_that_the_run_counts_alone),
		T(a_flow_that_is_picked_again_is_another_endpoints),
		T(two_cpus_count_a_flow_once),
	};
#undef T

	return cmocka_run_group_tests(signal, NULL, NULL);
}
