/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of health/ share: servers on loopback in a thread of their own, so that a blocked
 * loop does not block them, and a model made by hand with a health module on a loop.
 */
#ifndef SPILLWAY_TESTS_HEALTH_RIG_H
#define SPILLWAY_TESTS_HEALTH_RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "health/health.h"

#define SERVER_CONNECTIONS 4096
#define SERVER_STARTS	   65536

enum server_way {
	SERVER_ANSWERS, /* reads something, writes `answer`, closes */
	SERVER_GREETS,	/* writes `answer` without reading, closes */
	SERVER_SILENT,	/* accepts and keeps the connection */
	SERVER_CLOSES,	/* accepts and closes */
	SERVER_RESETS,	/* accepts and sends a reset */
};

struct server {
	int fd;
	uint16_t port;
	pthread_t thread;
	_Atomic enum server_way way;
	const char *_Atomic answer;
	_Atomic unsigned pause_ms; /* before the answer */
	_Atomic unsigned accepted;
	_Atomic bool stop;
	int held[SERVER_CONNECTIONS];
	size_t held_count;
	char request[4096];		     /* the latest, NUL-terminated */
	uint64_t accepted_ms[SERVER_STARTS]; /* when each was */
};

static inline void server_reply(struct server *s, int fd, bool read_first)
{
	const char *answer = s->answer;
	struct timeval wait = {.tv_sec = 1};
	ssize_t n;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (read_first) {
		n = recv(fd, s->request, sizeof(s->request) - 1, 0);
		s->request[n > 0 ? n : 0] = '\0';
	}
	if (s->pause_ms)
		usleep(s->pause_ms * 1000);
	(void)send(fd, answer, strlen(answer), MSG_NOSIGNAL);
	(void)close(fd);
}

static inline void server_take(struct server *s, int fd)
{
	struct linger reset = {.l_onoff = 1};

	switch (s->way) {
	case SERVER_ANSWERS:
		server_reply(s, fd, true);
		return;
	case SERVER_GREETS:
		server_reply(s, fd, false);
		return;
	case SERVER_SILENT:
		if (s->held_count < SERVER_CONNECTIONS)
			s->held[s->held_count++] = fd;
		return;
	case SERVER_RESETS:
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		break;
	case SERVER_CLOSES:
		break;
	}
	(void)close(fd);
}

static inline void *server_run(void *ctx)
{
	struct server *s = ctx;
	struct pollfd p = {.fd = s->fd, .events = POLLIN};

	while (!s->stop) {
		int fd;

		if (poll(&p, 1, 20) <= 0)
			continue;
		fd = accept(s->fd, NULL, NULL);
		if (fd < 0)
			continue;
		if (s->accepted < SERVER_STARTS)
			s->accepted_ms[s->accepted] = clock_ms();
		s->accepted++;
		server_take(s, fd);
	}
	return NULL;
}

/* A listening socket on `address` with a port of the kernel's choice. */
static inline int server_listen(const char *address, int backlog, uint16_t *port)
{
	struct sockaddr_storage at = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&at;
	socklen_t len = sizeof(*v4);
	int fd;

	at.ss_family = AF_INET;
	if (inet_pton(AF_INET, address, &v4->sin_addr) != 1) {
		at.ss_family = AF_INET6;
		len = sizeof(*v6);
		assert_int_equal(inet_pton(AF_INET6, address, &v6->sin6_addr), 1);
	}
	fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(v4->sin_port); /* at the same place in both families */
	return fd;
}

static inline struct server *server_start(const char *address, enum server_way way,
					  const char *answer)
{
	struct server *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->fd = server_listen(address, 1024, &s->port);
	s->way = way;
	s->answer = answer;
	assert_int_equal(pthread_create(&s->thread, NULL, server_run, s), 0);
	return s;
}

static inline void server_stop(struct server *s)
{
	s->stop = true;
	(void)pthread_join(s->thread, NULL);
	for (size_t i = 0; i < s->held_count; i++)
		(void)close(s->held[i]);
	(void)close(s->fd);
	free(s);
}

/* A port on which nothing listens: bound, so that nobody else gets it meanwhile. */
static inline int refused_port(uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

struct rig {
	uv_loop_t loop;
	struct health *health;
	uv_timer_t alarm;
	bool alarmed;
	unsigned changes; /* calls of health_changed_fn */
};

static inline void rig_changed(void *ctx)
{
	struct rig *r = ctx;

	r->changes++;
}

static inline void rig_start(struct rig *r)
{
	*r = (struct rig){0};
	assert_int_equal(uv_loop_init(&r->loop), 0);
	assert_int_equal(uv_timer_init(&r->loop, &r->alarm), 0);
	r->alarm.data = r;
	assert_int_equal(health_new(&r->loop, rig_changed, r, &r->health), 0);
}

/* Every handle must be closed by then, or uv_loop_close() says so. */
static inline void rig_stop(struct rig *r)
{
	health_free(r->health);
	uv_close((uv_handle_t *)&r->alarm, NULL);
	assert_int_equal(uv_run(&r->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&r->loop), 0);
}

static inline void rig_on_alarm(uv_timer_t *alarm)
{
	((struct rig *)alarm->data)->alarmed = true;
}

/* Runs the loop until `done` holds, at most for_ms; whether it holds. NULL: all the time. */
static inline bool rig_run(struct rig *r, unsigned for_ms, bool (*done)(void *), void *ctx)
{
	r->alarmed = false;
	uv_update_time(&r->loop);
	(void)uv_timer_start(&r->alarm, rig_on_alarm, for_ms, 0);
	while (!r->alarmed && !(done && done(ctx)))
		(void)uv_run(&r->loop, UV_RUN_ONCE);
	(void)uv_timer_stop(&r->alarm);
	return done && done(ctx);
}

static inline struct check rig_check(enum check_type type)
{
	static const uint16_t ok[] = {200};

	return (struct check){
		.type = type,
		.timeout_ms = 300,
		.interval_ms = 50,
		.unhealthy_threshold = 3,
		.healthy_threshold = 1,
		.http_path = "/healthz",
		.http_method = "GET",
		.expected = ok,
		.expected_count = 1,
	};
}

static inline struct check_payload payload(const char *text)
{
	return (struct check_payload){(const uint8_t *)text, text ? strlen(text) : 0};
}

static inline struct instance rig_instance(const char *addr, uint16_t port, uint64_t profile,
					   const struct check *c)
{
	struct instance i = {.port = port,
			     .mode = SPW_MODE_NAT,
			     .profile = profile,
			     .check = c,
			     .backend = "default/web"};

	assert_int_equal(addr_parse(addr, &i.addr), 0);
	return i;
}

/* Numbers the instances and hands them over. */
static inline void rig_sync(struct rig *r, struct instance *instances, size_t count)
{
	struct model m = {.instances = instances, .instance_count = count};

	for (size_t i = 0; i < count; i++)
		instances[i].index = (uint32_t)i;
	assert_int_equal(health_sync(r->health, &m), 0);
}

static inline struct health_info rig_info(struct rig *r, const struct instance *i)
{
	struct health_info info;

	health_get(r->health, i, &info);
	return info;
}

/* For rig_run(): until an instance has a state, or another one. */
struct wait_for {
	struct rig *rig;
	const struct instance *instance;
	enum health_state state;
};

static inline bool is_known(void *ctx)
{
	const struct wait_for *w = ctx;

	return rig_info(w->rig, w->instance).state != HEALTH_UNKNOWN;
}

static inline bool is_state(void *ctx)
{
	const struct wait_for *w = ctx;

	return rig_info(w->rig, w->instance).state == w->state;
}

struct outcome {
	enum health_state state;
	char reason[64];
	unsigned changes;
};

/* One endpoint, new, until its first result. */
static inline struct outcome first_result(struct instance i)
{
	struct rig r;
	struct wait_for w = {.rig = &r, .instance = &i};
	struct outcome o;
	struct health_info info;

	rig_start(&r);
	rig_sync(&r, &i, 1);
	(void)rig_run(&r, 3000, is_known, &w);
	info = rig_info(&r, &i);
	o.state = info.state;
	(void)snprintf(o.reason, sizeof(o.reason), "%s", info.reason);
	o.changes = r.changes;
	rig_stop(&r);
	return o;
}

#endif
