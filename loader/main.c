/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spillwayd: reads the command line, opens the engine and the API on one event loop, and ends on
 * SIGTERM or SIGINT. What it leaves behind in the kernel goes on forwarding.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "control/engine.h"
#include "control/lock.h"
#include "control/options.h"
#include "control/server.h"

#define MMAP_THRESHOLD_BYTES (256 << 10)

struct daemon {
	uv_loop_t loop;
	uv_signal_t term, interrupt, hangup;
	struct engine *engine;
	struct server *server;
};

static void close_signals(struct daemon *d)
{
	uv_close((uv_handle_t *)&d->term, NULL);
	uv_close((uv_handle_t *)&d->interrupt, NULL);
	uv_close((uv_handle_t *)&d->hangup, NULL);
}

static void on_end(uv_signal_t *s, int number)
{
	struct daemon *d = s->data;

	log_info("spillwayd: signal %d: ending, traffic goes on", number);
	(void)sd_notify(0, "STOPPING=1");
	server_close(TAKE(d->server));
	engine_close(TAKE(d->engine));
	close_signals(d);
}

/* There is nothing to read again: resources come by the API. */
static void on_hangup(uv_signal_t *s, int number)
{
	(void)s;
	(void)number;
	log_info("spillwayd: SIGHUP: ignored, resources are changed with spillway apply");
}

static void watch_signals(struct daemon *d)
{
	(void)uv_signal_init(&d->loop, &d->term);
	(void)uv_signal_init(&d->loop, &d->interrupt);
	(void)uv_signal_init(&d->loop, &d->hangup);
	d->term.data = d;
	d->interrupt.data = d;
	d->hangup.data = d;
	(void)uv_signal_start(&d->term, on_end, SIGTERM);
	(void)uv_signal_start(&d->interrupt, on_end, SIGINT);
	(void)uv_signal_start(&d->hangup, on_hangup, SIGHUP);
}

static int open_all(struct arena *a, struct daemon *d, const struct daemon_options *o,
		    const char **why)
{
	const struct server_options server = {
		.path = arena_printf(a, "%s/spillwayd.sock", o->engine.dataplane.run_dir),
		.group = o->socket_group,
	};
	int err = server_check(a, &server, why);

	if (!err)
		err = engine_open(a, &d->loop, &o->engine, &d->engine, why);
	if (err)
		return err;
	err = server_open(a, &d->loop, d->engine, &server, &d->server, why);
	if (err)
		engine_close(TAKE(d->engine));
	return err;
}

static void say_ready(void)
{
	(void)fputs("ready\n", stderr); /* at any log level: scripts wait for it */
	(void)sd_notifyf(0, "READY=1\nMAINPID=%ld\nSTATUS=forwarding", (long)getpid());
}

static int run_daemon(struct arena *a, const struct daemon_options *o)
{
	struct daemon d = {0};
	const char *why = NULL;
	int err = uv_loop_init(&d.loop);

	if (!err)
		err = open_all(a, &d, o, &why);
	if (err) {
		log_error("start: %s", why ? why : strerror(-err));
	} else {
		watch_signals(&d);
		say_ready();
	}
	(void)uv_run(&d.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&d.loop);
	return err ? 1 : 0;
}

static int detach(struct arena *a, const struct daemon_options *o)
{
	const struct dataplane_options *dp = &o->engine.dataplane;
	AUTO(fd_close) int lock = -1, pins = -1;
	const char *why = NULL;
	int err = lock_take(a, dp->run_dir, 0755, "--run-dir", &lock, &why);

	if (!err)
		err = lock_pins(a, dp->bpffs, &pins, &why);
	fd_close(fd_take(&pins)); /* an open directory could not be unmounted */
	if (!err)
		err = handoff_detach(dp->run_dir);
	if (!err)
		err = dataplane_detach(a, dp->bpffs, dp->run_dir, &why);
	if (err) {
		log_error("detach: %s", why ? why : strerror(-err));
		return 1;
	}
	log_info("detach: the data path is off");
	return 0;
}

static int print_help(void)
{
	char *text = options_help();

	(void)fputs(text, stdout);
	free(text);
	return 0;
}

static int run_action(struct arena *a, const struct daemon_options *o)
{
	switch (o->action) {
	case ACTION_RUN:
		return run_daemon(a, o);
	case ACTION_DETACH:
		return detach(a, o);
	case ACTION_VERSION:
		(void)puts("spillwayd " SPILLWAY_VERSION);
		return 0;
	case ACTION_HELP:
		return print_help();
	}
	return 1;
}

/* A probe under way is a descriptor: a shell's soft limit of 1024 would make many of them wait. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		log_debug("spillwayd: the limit of descriptors stays: %s", strerror(errno));
}

/*
 * What a large request took goes back to the kernel when it has ended: set once, the threshold does not
 * follow the largest block that was ever freed.
 */
static void return_memory_early(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
}

int main(int argc, char **argv)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct daemon_options opts;
	const char *why = NULL;

	if (!a)
		return 1;
	(void)signal(SIGPIPE, SIG_IGN);
	if (options_parse(a, argc, argv, &opts, &why)) {
		log_error("%s", why);
		return 1;
	}
	log_set_level(opts.log_level);
	raise_descriptor_limit();
	return_memory_early();
	return run_action(a, &opts);
}
