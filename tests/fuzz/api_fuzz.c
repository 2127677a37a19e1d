/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as requests, one after the other, to a whole engine with a data path in memory: each must
 * be answered, in JSON where it says so, and none may be the server's fault. A request is a line
 * "METHOD PATH?QUERY" and a body; a line "%%" ends it. What requests left behind goes with its
 * engine, so an input finds the same state whenever it runs. Nothing runs the loop, so no probe is sent.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "control/call.h"
#include "manifest/manifest.h"

#include "../unit/fake_dataplane.h"

#define REQUESTS_MAX 32

static struct {
	char dir[64];
	uv_loop_t loop;
	struct engine *engine;
	struct arena *arena; /* of the engine's options */
	bool used;	     /* something was changed */
} world;

static void require(bool what, const char *why)
{
	if (what)
		return;
	fprintf(stderr, "%s\n", why);
	abort();
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *where)
{
	(void)s;
	(void)type;
	(void)where;
	return remove(path);
}

static void remove_dir(void)
{
	require(nftw(world.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0, "remove");
}

static void open_world(void)
{
	struct engine_options opts = {.haproxy = "/nonexistent", .on_host = true};
	const char *why = NULL, *tmp = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
	int fd;

	(void)snprintf(world.dir, sizeof(world.dir), "%s/api_fuzz.XXXXXX", tmp);
	require(mkdtemp(world.dir) != NULL, "mkdtemp");
	world.arena = arena_new();
	opts.state_dir = arena_printf(world.arena, "%s/state", world.dir);
	opts.dataplane.run_dir = arena_printf(world.arena, "%s/run", world.dir);
	opts.resolv_conf = arena_printf(world.arena, "%s/resolv.conf", world.dir);
	fd = open(opts.resolv_conf, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	require(fd >= 0 && write(fd, "nameserver 127.0.0.1\n", 21) == 21, "resolv.conf");
	(void)close(fd);
	fake_reset();
	require(addr_parse("198.51.100.1", &fake.host[0]) == 0, "addr_parse");
	fake.host_count = 1;
	require(uv_loop_init(&world.loop) == 0, "uv_loop_init");
	require(engine_open(world.arena, &world.loop, &opts, &world.engine, &why) == 0, why);
}

static void close_world(void)
{
	engine_close(TAKE(world.engine));
	(void)uv_run(&world.loop, UV_RUN_DEFAULT);
	require(uv_loop_close(&world.loop) == 0, "a handle was left open");
	arena_free(TAKE(world.arena));
	remove_dir();
	world.used = false;
}

static void check_answer(const struct call *c)
{
	struct node *tree = NULL;

	require(c->answer && c->content_type, "no answer");
	require(c->code >= 200 && c->code < 600 && c->code != 500, "the server's fault");
	if (strcmp(c->content_type, "application/json") == 0)
		require(node_from_json(c->arena, NULL, c->answer, strlen(c->answer), &tree) == 0,
			arena_printf(c->arena, "%s %s: no JSON: %s", c->method, c->path,
				     c->answer));
}

/* As libmicrohttpd would hand them over: cut at & and =, values decoded. */
static void take_query(struct call *c, char *text)
{
	char *word;

	while (text && c->query_count < CALL_QUERY_MAX && (word = strsep(&text, "&"))) {
		c->query[c->query_count].name = strsep(&word, "=");
		c->query[c->query_count++].value = word ? word : "";
	}
}

static void request(const char *text, size_t len)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct call c = {.engine = world.engine, .arena = a};
	const char *end = memchr(text, '\n', len);
	char *line = arena_strndup(a, text, end ? (size_t)(end - text) : len), *path;

	c.method = strsep(&line, " ");
	path = line ? line : (char *)"/";
	c.path = strsep(&path, "?");
	take_query(&c, path);
	if (end && end + 1 < text + len) { /* as in the server, a NUL follows it */
		c.body_len = (size_t)(text + len - (end + 1));
		c.body = arena_strndup(a, end + 1, c.body_len);
	}
	call_dispatch(&c);
	check_answer(&c);
	world.used |= c.code < 300 && strcmp(c.method, "GET") != 0;
	free(c.answer);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_set_level(LOG_LEVEL_ERROR);
	open_world();
	(void)atexit(remove_dir);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size, *next;

	for (size_t i = 0; i < REQUESTS_MAX && at < end; i++, at = next) {
		next = memmem(at, (size_t)(end - at), "\n%%\n", 4);
		request(at, (size_t)((next ? next : end) - at));
		next = next ? next + 4 : end;
	}
	if (world.used) {
		close_world();
		open_world();
	}
	return 0;
}
