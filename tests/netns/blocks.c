/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many TCP connections that move data all the time: each sends numbered blocks, gets every one back
 * with its bytes turned over, looks at all of them and sends the next, at most one in `every` ms.
 *
 *   blocks echo PORT CPU                             until it is killed
 *   blocks talk ADDR PORT CONNECTIONS EVERY_MS CPU   until standard input ends
 *
 * CPU may be -, which is any. `talk` prints a line of JSON a second: what it is of, is in report().
 * A connection is broken for good when an error or an end is read, a byte is wrong, or nothing has
 * come for SILENCE_S; the kernel sends again for longer than that.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

#define BLOCK		1024
#define EVENTS		256
#define CONNECTIONS_MAX 4096
#define SILENCE_S	15
#define TICK_MS		2
#define SECOND_NS	1000000000ull
#define TURN		0x5a

struct connection {
	int fd;		/* -1: broken */
	bool under_way; /* block `number`, of which so many bytes were sent and heard */
	uint32_t number, sent, heard;
	uint64_t due_ns, heard_ns;
};

static struct {
	struct connection all[CONNECTIONS_MAX];
	uint32_t count;
	uint64_t every_ns;
	uint64_t blocks;			     /* whole ones since the latest report */
	uint32_t ended, reset, wrong, silent, other; /* how connections broke */
} talk;

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static uint8_t byte_of(uint32_t connection, uint32_t number, uint32_t at)
{
	return (uint8_t)((connection * 31 + number * 131 + at * 7) * 2654435761u >> 24);
}

static void watch(int epoll, int fd, uint32_t mark)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = mark};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		fail("epoll_ctl");
}

/* All of it, however long it takes: the peer reads all the time. */
static bool write_all(int fd, const uint8_t *bytes, ssize_t len)
{
	ssize_t done = 0, n;

	while (done < len) {
		n = send(fd, bytes + done, (size_t)(len - done), MSG_NOSIGNAL);
		if (n < 0)
			return false;
		done += n;
	}
	return true;
}

static void echo_one(int fd)
{
	uint8_t bytes[4 * BLOCK];
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

	for (ssize_t i = 0; i < n; i++)
		bytes[i] ^= TURN;
	if (n <= 0 || !write_all(fd, bytes, n))
		(void)close(fd);
}

static int echo(uint16_t port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[EVENTS];

	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (listener < 0 || bind(listener, (struct sockaddr *)&any, sizeof(any)) ||
	    listen(listener, 4096))
		fail("listen");
	watch(epoll, listener, (uint32_t)listener);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = (int)events[i].data.u32;

			if (fd != listener)
				echo_one(fd);
			else if ((fd = accept(listener, NULL, NULL)) >= 0)
				watch(epoll, fd, (uint32_t)fd);
		}
	}
}

static void break_off(struct connection *c, uint32_t *why)
{
	(void)close(c->fd);
	c->fd = -1;
	++*why;
}

static void on_error(struct connection *c)
{
	if (errno == EAGAIN || errno == EINTR)
		return;
	(void)fprintf(stderr, "connection %td: %s\n", c - talk.all, strerror(errno));
	break_off(c, errno == ECONNRESET  ? &talk.reset
		     : errno == ETIMEDOUT ? &talk.silent
					  : &talk.other);
}

/* The rest of the present block. */
static void speak(struct connection *c)
{
	const uint32_t index = (uint32_t)(c - talk.all);
	uint8_t bytes[BLOCK];
	ssize_t n;

	for (uint32_t i = c->sent; i < BLOCK; i++)
		bytes[i] = byte_of(index, c->number, i);
	n = send(c->fd, bytes + c->sent, BLOCK - c->sent, MSG_NOSIGNAL);
	if (n < 0)
		on_error(c);
	else
		c->sent += (uint32_t)n;
}

static void hear(struct connection *c)
{
	const uint32_t index = (uint32_t)(c - talk.all);
	uint8_t bytes[BLOCK];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0) {
		on_error(c);
		return;
	}
	if (!n) {
		break_off(c, &talk.ended);
		return;
	}
	for (ssize_t i = 0; i < n; i++, c->heard++) {
		if (!c->under_way || c->heard >= c->sent ||
		    bytes[i] != (byte_of(index, c->number, c->heard) ^ TURN)) {
			break_off(c, &talk.wrong);
			return;
		}
	}
	c->heard_ns = now_ns();
	if (c->heard < BLOCK)
		return;
	c->under_way = false;
	c->number++;
	talk.blocks++;
}

/* Sends what is due. */
static void tick(uint64_t now)
{
	for (uint32_t i = 0; i < talk.count; i++) {
		struct connection *c = &talk.all[i];

		if (c->fd < 0)
			continue;
		if (now > c->heard_ns + SILENCE_S * SECOND_NS) {
			break_off(c, &talk.silent);
			continue;
		}
		if (!c->under_way && now >= c->due_ns) {
			c->under_way = true;
			c->sent = c->heard = 0;
			c->due_ns = now + talk.every_ns;
		}
		if (c->under_way && c->sent < BLOCK)
			speak(c);
	}
}

/* Blocks since the latest one, and for how long nothing has come on the quietest connection. */
static void report(uint64_t now)
{
	uint64_t quiet_ns = 0;
	uint32_t live = 0;

	for (uint32_t i = 0; i < talk.count; i++) {
		const struct connection *c = &talk.all[i];

		if (c->fd < 0)
			continue;
		live++;
		if (now > c->heard_ns && now - c->heard_ns > quiet_ns)
			quiet_ns = now - c->heard_ns;
	}
	printf("{\"at\": %.3f, \"blocks\": %llu, \"live\": %u, \"quiet_ms\": %llu, \"ended\": %u, "
	       "\"reset\": %u, \"wrong\": %u, \"silent\": %u, \"other\": %u}\n",
	       (double)now / 1e9, (unsigned long long)talk.blocks, live,
	       (unsigned long long)quiet_ns / 1000000, talk.ended, talk.reset, talk.wrong,
	       talk.silent, talk.other);
	(void)fflush(stdout);
	talk.blocks = 0;
}

static void connect_all(int epoll, const struct sockaddr_in *addr)
{
	for (uint32_t i = 0; i < talk.count; i++) {
		struct connection *c = &talk.all[i];

		c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)addr, sizeof(*addr)) ||
		    fcntl(c->fd, F_SETFL, O_NONBLOCK))
			fail("connect");
		watch(epoll, c->fd, i);
		c->heard_ns = now_ns();
		/* Not all at once. */
		c->due_ns = c->heard_ns + talk.every_ns * i / talk.count;
	}
}

/* Mark of standard input among the events. */
#define STDIN_MARK CONNECTIONS_MAX

static int talk_to(const struct sockaddr_in *addr)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[EVENTS];
	uint64_t report_ns, now;

	connect_all(epoll, addr);
	watch(epoll, STDIN_FILENO, STDIN_MARK);
	report(now_ns());
	report_ns = now_ns() + SECOND_NS;
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, TICK_MS);

		for (int i = 0; i < n; i++) {
			uint32_t mark = events[i].data.u32;

			if (mark == STDIN_MARK) {
				report(now_ns());
				return 0;
			}
			if (talk.all[mark].fd >= 0)
				hear(&talk.all[mark]);
		}
		now = now_ns();
		tick(now);
		if (now >= report_ns) {
			report(now);
			report_ns = now + SECOND_NS;
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};

	if (argc == 4 && !strcmp(argv[1], "echo")) {
		on_cpu(argv[3]);
		return echo((uint16_t)atoi(argv[2]));
	}
	if (argc != 7 || strcmp(argv[1], "talk") != 0 ||
	    inet_pton(AF_INET, argv[2], &addr.sin_addr) != 1 || atoi(argv[4]) < 1 ||
	    atoi(argv[4]) > CONNECTIONS_MAX) {
		(void)fputs(
			"usage: blocks echo PORT CPU | talk ADDR PORT CONNECTIONS EVERY_MS CPU\n",
			stderr);
		return 2;
	}
	addr.sin_port = htons((uint16_t)atoi(argv[3]));
	talk.count = (uint32_t)atoi(argv[4]);
	talk.every_ns = strtoull(argv[5], NULL, 10) * 1000000;
	on_cpu(argv[6]);
	return talk_to(&addr);
}
