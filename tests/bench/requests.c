/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests ADDRESS PORT FIRST COUNT SECONDS keep|close: HTTP requests from COUNT client addresses, FIRST
 * and those after it, a connection each at a time; prints answers a second. `close`: a connection for
 * each request. wrk has one address only, and so one flow's worth of a gateway's tables by address.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS	    256
#define ANSWER_MAX  4096
#define RETRY_AFTER 1000 /* failures in a row: nobody answers */
#define WARM_UP_S   1	 /* until all have connected */

static const char ask_keep[] = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";
static const char ask_close[] = "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";

static struct {
	struct sockaddr_in to;
	uint32_t first;
	bool close;
	int epoll;
	uint64_t answers, failures;
} run;

struct client {
	uint32_t number;
	int fd; /* -1: none */
};

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The kernel chooses the port when it connects, so every address has all ports. */
static int open_socket(uint32_t number)
{
	const struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(run.first + number),
	};
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) ||
	    (connect(fd, (const struct sockaddr *)&run.to, sizeof(run.to)) &&
	     errno != EINPROGRESS)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int start(struct client *c)
{
	struct epoll_event e = {.events = EPOLLOUT, .data.ptr = c};

	c->fd = open_socket(c->number);
	if (c->fd < 0 || epoll_ctl(run.epoll, EPOLL_CTL_ADD, c->fd, &e))
		return -1;
	return 0;
}

static int again(struct client *c)
{
	close(c->fd);
	return start(c);
}

static int wait_for(struct client *c, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = c};

	return epoll_ctl(run.epoll, EPOLL_CTL_MOD, c->fd, &e);
}

static int failed(struct client *c)
{
	if (++run.failures > RETRY_AFTER)
		return -1;
	return again(c);
}

static int ask(struct client *c)
{
	const char *text = run.close ? ask_close : ask_keep;

	if (send(c->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return failed(c);
	return wait_for(c, EPOLLIN);
}

/* An answer is short: it comes in one piece, or its rest does not count. */
static int hear(struct client *c)
{
	char answer[ANSWER_MAX];
	ssize_t got = recv(c->fd, answer, sizeof(answer), 0);

	if (got < 0)
		return failed(c);
	if (got > 0) {
		run.answers++;
		run.failures = 0;
		return run.close ? wait_for(c, EPOLLIN) : ask(c);
	}
	return run.close ? again(c) : failed(c);
}

static int handle(const struct epoll_event *e)
{
	struct client *c = e->data.ptr;

	if (e->events & EPOLLIN)
		return hear(c);
	if (e->events & (EPOLLERR | EPOLLHUP))
		return failed(c);
	return ask(c);
}

static int go(double seconds)
{
	struct epoll_event events[EVENTS];
	double end = now_s() + seconds;

	while (now_s() < end) {
		int count = epoll_wait(run.epoll, events, EVENTS, 100);

		for (int i = 0; i < count; i++) {
			if (handle(&events[i]))
				return -1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t count = argc == 7 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0;
	double seconds = count ? strtod(argv[5], NULL) : 0, start_s;
	uint64_t before;
	struct client *clients = calloc(count + 1, sizeof(*clients));

	if (!count || seconds <= 0 || !clients) {
		fprintf(stderr, "usage: requests ADDRESS PORT FIRST COUNT SECONDS keep|close\n");
		return 2;
	}
	run.to = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = inet_addr(argv[1]),
		.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10)),
	};
	run.first = ntohl(inet_addr(argv[3]));
	run.close = !strcmp(argv[6], "close");
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	for (uint32_t i = 0; i < count; i++) {
		clients[i].number = i;
		if (start(&clients[i]))
			return 1;
	}
	if (go(WARM_UP_S))
		return 1;
	start_s = now_s();
	before = run.answers;
	if (go(seconds))
		return 1;
	printf("%.1f\n", (double)(run.answers - before) / (now_s() - start_s));
	return 0;
}
