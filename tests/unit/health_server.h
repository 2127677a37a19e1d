/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Endpoints for the tests of health/: real servers on loopback, each in a thread of its own, so that
 * a blocked loop does not block them.
 */
#ifndef SPILLWAY_TESTS_HEALTH_SERVER_H
#define SPILLWAY_TESTS_HEALTH_SERVER_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

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
	_Atomic uint64_t answer_at_ms; /* SERVER_SILENT answers what it holds then; 0: never */
	_Atomic unsigned pause_ms;     /* before the answer */
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

static inline void server_answer_held(struct server *s)
{
	while (s->held_count)
		server_reply(s, s->held[--s->held_count], true);
	s->answer_at_ms = 0;
}

static inline void *server_run(void *ctx)
{
	struct server *s = ctx;
	struct pollfd p = {.fd = s->fd, .events = POLLIN};

	while (!s->stop) {
		int fd;

		if (s->answer_at_ms && clock_ms() >= s->answer_at_ms)
			server_answer_held(s);
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

#endif
