/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Health by way of the engine: real probes of listening sockets here, the maps faked; and numbers
 * that rest.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "control/rest.h"

#include "engine_fixture.h"

#define WAIT_MS	 10000
#define ENDPOINT 0x0a000001 /* 10.0.0.1 */
#define HOST	 0x0a0000fe /* 10.0.0.254 */

#define POLICY                                                                                     \
	"{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":\"BackendTrafficPolicy\","    \
	"\"metadata\":{\"name\":\"checks\"},\"spec\":{\"targetRefs\":[{\"group\":"                 \
	"\"gateway.networking.k8s.io\",\"kind\":\"TCPRoute\",\"name\":\"web\"}],"                  \
	"\"healthCheck\":{\"active\":{\"type\":\"TCP\",\"timeout\":\"1s\",\"interval\":\"100ms\"," \
	"\"unhealthyThreshold\":1,\"healthyThreshold\":1,\"tcp\":{}}}}}"

/*
 * Endpoints at loopback or at one of the host's own addresses are not the packet path's, so the test
 * moves into a network of its own, in which the whole of 10.0.0.0/8 ends here and only 10.0.0.254 is the
 * host's. Without root that takes a user namespace.
 */
static int enter_own_network(void **state)
{
	struct ifreq req = {.ifr_name = "lo"};
	struct sockaddr_in *addr = (struct sockaddr_in *)&req.ifr_addr;
	AUTO(fd_close) int fd = -1;

	(void)state;
	if (unshare(CLONE_NEWNET | (geteuid() ? CLONE_NEWUSER : 0)))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	addr->sin_family = AF_INET;
	addr->sin_addr.s_addr = htonl(HOST);
	if (fd < 0 || ioctl(fd, SIOCSIFADDR, &req))
		return -1;
	req.ifr_flags = IFF_UP | IFF_RUNNING;
	return ioctl(fd, SIOCSIFFLAGS, &req);
}

/* Listens on 10.0.0.1, on *port unless that is 0; the kernel answers connects by itself. */
static int listen_on(uint16_t *port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(ENDPOINT),
				   .sin_port = htons(*port)};
	socklen_t size = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1024), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &size), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

/* Applies a Backend with the given ports of 10.0.0.1, and the rest of a service with checks. */
static void apply_checked(struct fixture *f, const uint16_t *ports, size_t count)
{
	const char *list = "";

	for (size_t i = 0; i < count; i++)
		list = arena_printf(f->arena, "%s%s{\"ip\":{\"address\":\"10.0.0.1\",\"port\":%u}}",
				    list, i ? "," : "", ports[i]);
	must(f, 200, "POST", OWN "/apply",
	     arena_printf(f->arena,
			  APPLY("{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":"
				"\"Backend\",\"metadata\":{\"name\":\"web\"},\"spec\":{"
				"\"endpoints\":[%s]}},%s,%s,%s"),
			  list, GATEWAY, ROUTE, POLICY));
}

static const char *state_of(struct fixture *f, const char *address)
{
	struct node *services =
		node_member(must(f, 200, "GET", OWN "/endpoints", NULL), "services");
	struct node *list = node_member(node_item(services, 0), "endpoints");

	for (size_t i = 0; i < node_count(list); i++) {
		if (strcmp(node_text_at(node_item(list, i), "address", ""), address) == 0)
			return node_text_at(node_item(list, i), "state", "");
	}
	return "none";
}

static void wait_for_state(struct fixture *f, const char *address, const char *state)
{
	const uint64_t end_ms = clock_ms() + WAIT_MS;

	while (strcmp(state_of(f, address), state) != 0) {
		if (clock_ms() > end_ms)
			fail_msg("%s is %s, not %s", address, state_of(f, address), state);
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
		usleep(5000);
	}
}

static const char *local(struct fixture *f, uint16_t port)
{
	return arena_printf(f->arena, "10.0.0.1:%u", port);
}

static void an_endpoint_that_goes_down_is_taken_out_first_and_comes_back(void **state)
{
	struct fixture *f = *state;
	uint16_t ports[2] = {0, 0};
	AUTO(fd_close) int one = listen_on(&ports[0]);
	AUTO(fd_close) int two = listen_on(&ports[1]);

	apply_checked(f, ports, 2);
	wait_for_state(f, local(f, ports[0]), "up");
	wait_for_state(f, local(f, ports[1]), "up");
	fd_close(fd_take(&one));
	wait_for_state(f, local(f, ports[0]), "down");
	assert_int_equal(fake.words, 1);
	assert_false(fake_endpoint(local(f, ports[0]))->pickable);
	assert_true(fake_endpoint(local(f, ports[1]))->pickable);
	one = listen_on(&ports[0]);
	wait_for_state(f, local(f, ports[0]), "up");
	assert_true(fake_endpoint(local(f, ports[0]))->pickable);
}

static void tables_that_would_follow_too_soon_wait_and_the_word_does_not(void **state)
{
	struct fixture *f = *state;
	uint16_t ports[2] = {0, 0};
	AUTO(fd_close) int one = listen_on(&ports[0]);
	AUTO(fd_close) int two = listen_on(&ports[1]);
	uint64_t end_ms;
	int applies;

	apply_checked(f, ports, 2);
	wait_for_state(f, local(f, ports[0]), "up");
	wait_for_state(f, local(f, ports[1]), "up");
	fake.wait_ms = 300;
	applies = fake.applies;
	fd_close(fd_take(&one));
	wait_for_state(f, local(f, ports[0]), "down");
	assert_int_equal(fake.words, 1);
	assert_int_equal(fake.applies, applies);
	end_ms = clock_ms() + WAIT_MS;
	while (fake.applies == applies && clock_ms() < end_ms)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	assert_int_equal(fake.applies, applies + 1);
	assert_false(f->engine->stale);
}

static void the_last_one_down_stays_pickable_without_a_gap(void **state)
{
	struct fixture *f = *state;
	uint16_t port = 0;
	AUTO(fd_close) int one = listen_on(&port);

	apply_checked(f, &port, 1);
	wait_for_state(f, local(f, port), "up");
	fd_close(fd_take(&one));
	wait_for_state(f, local(f, port), "down");
	assert_int_equal(fake.words, 0);
	assert_true(fake_endpoint(local(f, port))->pickable);
	assert_false(fake_endpoint(local(f, port))->up);
}

static void a_restart_remembers_who_was_down(void **state)
{
	struct fixture *f = *state;
	uint16_t ports[2] = {0, 0};
	AUTO(fd_close) int one = listen_on(&ports[0]);
	AUTO(fd_close) int two = listen_on(&ports[1]);
	int applies;

	fd_close(fd_take(&one));
	apply_checked(f, ports, 2);
	wait_for_state(f, local(f, ports[0]), "down");
	wait_for_state(f, local(f, ports[1]), "up");
	fixture_close(f);
	applies = fake.applies;
	fixture_open(f);
	assert_int_equal(fake.applies, applies);
	assert_string_equal(state_of(f, local(f, ports[0])), "down");
	assert_string_equal(state_of(f, local(f, ports[1])), "up");
}

static void an_edited_backend_keeps_the_health_of_who_stays(void **state)
{
	struct fixture *f = *state;
	uint16_t ports[3] = {0, 0, 0};
	AUTO(fd_close) int one = listen_on(&ports[0]);
	AUTO(fd_close) int two = listen_on(&ports[1]);
	AUTO(fd_close) int three = listen_on(&ports[2]);
	uint32_t id;

	fd_close(fd_take(&one));
	apply_checked(f, ports, 2);
	wait_for_state(f, local(f, ports[0]), "down");
	id = fake_endpoint(local(f, ports[0]))->id;
	apply_checked(f, ports, 3);
	assert_string_equal(state_of(f, local(f, ports[0])), "down");
	assert_false(fake_endpoint(local(f, ports[0]))->pickable);
	assert_int_equal(fake_endpoint(local(f, ports[0]))->id, id);
}

static bool note_resting(void *ctx, uint32_t id)
{
	*(uint32_t *)ctx = id;
	return false;
}

static uint32_t resting(struct fixture *f)
{
	uint32_t id = SPW_ENDPOINT_NONE;

	ids_release(f->engine->ids, note_resting, &id);
	return id;
}

static void a_number_rests_until_no_flow_can_have_it(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	id = fake_endpoint("10.0.0.2:8080")->id;
	must(f, 200, "POST", OWN "/apply", APPLY(BACKEND("web", "10.0.0.1", "10.0.0.9")));
	assert_int_equal(resting(f), id);

	fake.stats[id].flows_opened = 1; /* one is active */
	f->engine->rest_since_ms[id] = 1;
	rest_release(f->engine);
	assert_int_equal(resting(f), id);
	assert_int_equal(f->engine->rest_since_ms[id], 0);

	fake.stats[id].flows_closed = 1; /* it ended just now */
	rest_release(f->engine);
	assert_int_equal(resting(f), id);
	assert_int_not_equal(f->engine->rest_since_ms[id], 0);

	f->engine->rest_since_ms[id] = 1; /* long ago, but an entry is left */
	fake.flows[0].endpoint_id = id;
	fake.flow_count = 1;
	rest_release(f->engine);
	assert_int_equal(resting(f), id);

	fake.flow_count = 0;
	rest_release(f->engine);
	assert_int_equal(resting(f), SPW_ENDPOINT_NONE);
}

/* One that is removed with its flows to be reset is not given out while any of them is left. */
static void a_number_rests_while_its_flows_are_being_reset(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	id = fake_endpoint("10.0.0.2:8080")->id;
	fake.reset[id] = true;
	fake.stats[id].flows_opened = 2;
	fake.stats[id].flows_closed = 1;
	fake.flows[0].endpoint_id = id;
	fake.flow_count = 1;
	must(f, 200, "POST", OWN "/apply", APPLY(BACKEND("web", "10.0.0.1", "10.0.0.9")));
	f->engine->rest_since_ms[id] = 1; /* long ago */
	rest_release(f->engine);
	assert_int_equal(resting(f), id);
	must(f, 200, "POST", OWN "/apply", APPLY(BACKEND("web", "10.0.0.1", "10.0.0.8")));
	assert_int_not_equal(fake_endpoint("10.0.0.8:8080")->id, id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_endpoint_that_goes_down_is_taken_out_first_and_comes_back),
		TEST(tables_that_would_follow_too_soon_wait_and_the_word_does_not),
		TEST(the_last_one_down_stays_pickable_without_a_gap),
		TEST(a_restart_remembers_who_was_down),
		TEST(an_edited_backend_keeps_the_health_of_who_stays),
		TEST(a_number_rests_until_no_flow_can_have_it),
		TEST(a_number_rests_while_its_flows_are_being_reset),
	};

	return cmocka_run_group_tests(tests, enter_own_network, NULL);
}
