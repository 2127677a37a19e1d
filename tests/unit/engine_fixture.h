/* SPDX-License-Identifier: BSD-2-Clause */
/* An engine on a directory of its own and the fake data path, asked by way of the API's routes. */
#ifndef SPILLWAY_TESTS_ENGINE_FIXTURE_H
#define SPILLWAY_TESTS_ENGINE_FIXTURE_H

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <unistd.h>

#include "base/log.h"
#include "control/call.h"
#include "control/rebuild.h"
#include "manifest/manifest.h"

#include "fake_dataplane.h"

#define OWN	 "/apis/spillway.dev/v1alpha1"
#define BACKENDS "/apis/gateway.envoyproxy.io/v1alpha1/namespaces/default/backends"
#define GATEWAYS "/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways"

#define GATEWAY                                                                                    \
	"{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"Gateway\","                   \
	"\"metadata\":{\"name\":\"edge\"},\"spec\":{\"gatewayClassName\":\"spillway\","            \
	"\"addresses\":[{\"type\":\"IPAddress\",\"value\":\"192.0.2.1\"}],"                        \
	"\"listeners\":[{\"name\":\"http\",\"port\":80,\"protocol\":\"TCP\"}]}}"
#define ROUTE                                                                                      \
	"{\"apiVersion\":\"gateway.networking.k8s.io/v1alpha2\",\"kind\":\"TCPRoute\","            \
	"\"metadata\":{\"name\":\"web\"},\"spec\":{\"parentRefs\":[{\"name\":\"edge\"}],"          \
	"\"rules\":[{\"backendRefs\":[{\"group\":\"gateway.envoyproxy.io\",\"kind\":\"Backend\","  \
	"\"name\":\"web\"}]}]}}"
/* A Backend of two endpoints on port 8080. */
#define BACKEND(name, one, two)                                                                    \
	"{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":\"Backend\","                 \
	"\"metadata\":{\"name\":\"" name "\"},\"spec\":{\"endpoints\":["                           \
	"{\"ip\":{\"address\":\"" one "\",\"port\":8080}},"                                        \
	"{\"ip\":{\"address\":\"" two "\",\"port\":8080}}]}}"
/* One of direct return, on the listener's port. */
#define DIRECT(name, mode, one, two)                                                               \
	"{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":\"Backend\","                 \
	"\"metadata\":{\"name\":\"" name "\",\"annotations\":{"                                    \
	"\"spillway.dev/forwarding\":\"" mode "\"}},\"spec\":{\"endpoints\":["                     \
	"{\"ip\":{\"address\":\"" one "\",\"port\":80}},"                                          \
	"{\"ip\":{\"address\":\"" two "\",\"port\":80}}]}}"
#define WEB	   BACKEND("web", "10.0.0.1", "10.0.0.2")
#define APPLY(...) "{\"objects\":[" __VA_ARGS__ "]}"

struct fixture {
	char dir[64];
	struct arena *arena;
	uv_loop_t loop;
	struct engine *engine;
	int code; /* of the latest answer */
};

/*
 * Endpoints at the host's own addresses are handed off, and a host may have any, those of the tests
 * too: so root leaves its network. Others cannot.
 */
static inline int leave_network(void **state)
{
	(void)state;
	return geteuid() ? 0 : unshare(CLONE_NEWNET);
}

static inline void fixture_open(struct fixture *f)
{
	const struct engine_options opts = {
		.state_dir = arena_printf(f->arena, "%s/state", f->dir),
		.haproxy = "/nonexistent",
		.on_host = true,
		.dataplane = {.run_dir = arena_printf(f->arena, "%s/run", f->dir)},
	};
	const char *why = NULL;

	assert_int_equal(uv_loop_init(&f->loop), 0);
	if (engine_open(f->arena, &f->loop, &opts, &f->engine, &why))
		fail_msg("engine_open: %s", why);
}

static inline void fixture_close(struct fixture *f)
{
	engine_close(TAKE(f->engine));
	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	log_set_level(LOG_LEVEL_ERROR);
	strcpy(f->dir, "/tmp/engine_test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->arena = arena_new();
	fake_reset();
	fixture_open(f);
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	fixture_close(f);
	arena_free(f->arena);
	arena_free(TAKE(fake.arena));
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static inline void take_query(struct fixture *f, struct call *c, const char *path)
{
	char *rest = strchr(arena_strdup(f->arena, path), '?'), *word;

	if (rest)
		*rest++ = '\0';
	c->path = rest ? arena_strndup(f->arena, path, strcspn(path, "?")) : path;
	while (rest && (word = strsep(&rest, "&"))) {
		c->query[c->query_count].name = strsep(&word, "=");
		c->query[c->query_count++].value = word ? word : "";
	}
}

/* The answer as a tree, or as a string node when it is no JSON. */
static inline struct node *ask(struct fixture *f, const char *method, const char *path,
			       const char *body)
{
	struct call c = {.engine = f->engine, .arena = f->arena, .method = method};
	struct node *answer = NULL;
	struct diags d;

	take_query(f, &c, path);
	c.body = body;
	c.body_len = body ? strlen(body) : 0;
	call_dispatch(&c);
	f->code = c.code;
	assert_non_null(c.answer);
	diags_init(&d, f->arena);
	if (node_from_json(f->arena, &d, c.answer, strlen(c.answer), &answer))
		answer = node_new_string(f->arena, c.answer, (struct loc){0});
	free(c.answer);
	return answer;
}

/* The same, and the answer must have the code. */
static inline struct node *must(struct fixture *f, int code, const char *method, const char *path,
				const char *body)
{
	struct node *answer = ask(f, method, path, body);
	char *text;

	if (f->code == code)
		return answer;
	text = node_to_json(answer, 0);
	fail_msg("%s %s: %d, not %d: %s", method, path, f->code, code, text);
	return NULL;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

#endif
