/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests by UDP and their replies, each side bound to a CPU of its own, every datagram checked at
 * both ends. A request says its flow and its number in that flow and carries bytes that follow from
 * these; the reply carries others. What a CPU sends, it takes all the way to the other's queue, so
 * the two directions of a flow are worked on by both CPUs at once.
 *
 *   crossing serve PORT CPU                   until SIGTERM
 *   crossing ask VIP PORT CPU REQUESTS        one JSON object each, at the end
 *
 * SOCKETS flows are open at a time, each on a port of its own. One after the other sends a burst;
 * WINDOW datagrams at most are under way, below what any queue on the way holds. A flow ends after
 * LIFE bursts, and the next port opens another, so that flows are opened all the time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

#define SOCKETS	   1000
#define BURST	   8
#define WINDOW	   64
#define LIFE	   25
#define FIRST_PORT 10000
#define FLOWS_MAX  (65536 - FIRST_PORT)
#define BYTES	   128
#define BUFFER	   (8 << 20)
#define PATIENCE_S 3
#define LOST_MAX   100 /* each is waited for */

enum kind { REQUEST = 0x51, REPLY = 0xa7 };

struct datagram {
	uint32_t kind, flow, number;
	uint8_t body[BYTES - 12];
};

struct batch {
	struct mmsghdr msgs[WINDOW];
	struct iovec iov[WINDOW];
	struct sockaddr_in6 peers[WINDOW];
	struct datagram data[WINDOW];
};

/* A client's flow, or what the server knows of one by its number. */
struct flow {
	int fd;
	uint32_t id, next, bursts;
};

struct seen {
	struct sockaddr_in6 source;
	uint32_t next;
	bool known;
};

static struct {
	uint64_t right, wrong, lost, cpus;
	uint32_t flows;
} tally;

static volatile sig_atomic_t over;

static void note_cpu(void)
{
	tally.cpus |= 1ull << sched_getcpu();
}

static void fill(struct datagram *d, enum kind kind, uint32_t flow, uint32_t number)
{
	uint32_t x = kind * 2654435761u ^ flow * 40503u ^ number * 2246822519u;

	*d = (struct datagram){.kind = kind, .flow = flow, .number = number};
	for (size_t i = 0; i < sizeof(d->body); i++) {
		x = x * 1664525u + 1013904223u;
		d->body[i] = (uint8_t)(x >> 24);
	}
}

static bool is_whole(const struct datagram *d, size_t len, enum kind kind)
{
	struct datagram want;

	fill(&want, kind, d->flow, d->number);
	return len == sizeof(*d) && !memcmp(d, &want, sizeof(want));
}

/* All addresses are IPv6 here, those of IPv4 mapped. */
static bool is_same(const struct sockaddr_in6 *a, const struct sockaddr_in6 *b)
{
	return a->sin6_port == b->sin6_port &&
	       !memcmp(&a->sin6_addr, &b->sin6_addr, sizeof(a->sin6_addr));
}

static int open_socket(uint16_t port)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = BUFFER, no = 0;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)))
		fail("socket");
	return fd;
}

static void prepare(struct batch *b)
{
	for (size_t i = 0; i < WINDOW; i++) {
		b->iov[i] = (struct iovec){&b->data[i], sizeof(b->data[i])};
		b->msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &b->peers[i],
			.msg_namelen = sizeof(b->peers[i]),
			.msg_iov = &b->iov[i],
			.msg_iovlen = 1,
		};
	}
}

/* Nothing sent is given up: what the kernel refuses here would not count as lost on the way. */
static void send_all(int fd, struct batch *b, unsigned int count)
{
	unsigned int sent = 0;
	int n;

	while (sent < count) {
		n = sendmmsg(fd, b->msgs + sent, count - sent, 0);
		if (n < 0)
			fail("sendmmsg");
		sent += (unsigned int)n;
	}
}

static void print_tally(void)
{
	printf("{\"right\": %llu, \"wrong\": %llu, \"lost\": %llu, \"flows\": %u, \"cpus\": %llu}\n",
	       (unsigned long long)tally.right, (unsigned long long)tally.wrong,
	       (unsigned long long)tally.lost, tally.flows, (unsigned long long)tally.cpus);
	(void)fflush(stdout);
}

/* The next of its flow, and from where that flow has always come. */
static bool is_expected(const struct datagram *d, const struct sockaddr_in6 *from)
{
	static struct seen seen[FLOWS_MAX];
	static uint32_t by_port[65536]; /* flow + 1; one server sees one source address */
	uint32_t *owner = &by_port[ntohs(from->sin6_port)];
	struct seen *s;

	if (d->flow >= FLOWS_MAX)
		return false;
	s = &seen[d->flow];
	if (!s->known) {
		*s = (struct seen){.source = *from, .known = true};
		tally.flows++;
		if (*owner)
			return false;
		*owner = d->flow + 1;
	}
	return *owner == d->flow + 1 && is_same(&s->source, from) && d->number == s->next++;
}

static void end(int signo)
{
	(void)signo;
	over = 1;
}

static void serve_batch(int fd, struct batch *b)
{
	int n;

	prepare(b);
	n = recvmmsg(fd, b->msgs, WINDOW, MSG_WAITFORONE, NULL);
	if (n <= 0)
		return;
	note_cpu();
	for (int i = 0; i < n; i++) {
		struct datagram *d = &b->data[i];

		if (is_whole(d, b->msgs[i].msg_len, REQUEST) && is_expected(d, &b->peers[i]))
			tally.right++;
		else
			tally.wrong++;
		fill(d, REPLY, d->flow, d->number);
	}
	send_all(fd, b, (unsigned int)n);
}

static int serve(uint16_t port)
{
	static struct batch b;
	const struct sigaction act = {.sa_handler = end};
	int fd = open_socket(port);

	(void)sigaction(SIGTERM, &act, NULL);
	while (!over)
		serve_batch(fd, &b);
	print_tally();
	return 0;
}

static void open_flow(struct flow *f)
{
	*f = (struct flow){.id = tally.flows, .bursts = LIFE};
	if (tally.flows == FLOWS_MAX) {
		(void)fputs("no ports left\n", stderr);
		exit(1);
	}
	f->fd = open_socket((uint16_t)(FIRST_PORT + tally.flows++));
}

static void ask(struct flow *f, const struct sockaddr_in6 *vip)
{
	static struct batch b;

	prepare(&b);
	for (uint32_t i = 0; i < BURST; i++) {
		b.peers[i] = *vip;
		fill(&b.data[i], REQUEST, f->id, f->next + i);
	}
	send_all(f->fd, &b, BURST);
	note_cpu();
}

/* The replies to a flow's burst, in their order, from the VIP and to no other socket than its own. */
static void hear(struct flow *f, const struct sockaddr_in6 *vip)
{
	static struct batch b;
	uint32_t heard = 0;

	while (heard < BURST) {
		int n;

		prepare(&b);
		n = recvmmsg(f->fd, b.msgs, BURST, MSG_WAITFORONE, NULL);
		if (n <= 0) {
			tally.lost += BURST - heard;
			break;
		}
		for (int i = 0; i < n; i++, heard++) {
			const struct datagram *d = &b.data[i];

			if (is_whole(d, b.msgs[i].msg_len, REPLY) && is_same(&b.peers[i], vip) &&
			    d->flow == f->id && d->number == f->next + heard)
				tally.right++;
			else
				tally.wrong++;
		}
	}
	f->next += BURST;
}

/* What is still to be read when a flow ends has come too often. */
static void close_flow(struct flow *f)
{
	char one;

	while (recv(f->fd, &one, 1, MSG_DONTWAIT) >= 0)
		tally.wrong++;
	(void)close(f->fd);
}

static int ask_all(const struct sockaddr_in6 *vip, uint64_t requests)
{
	const uint64_t bursts = requests / BURST, ahead = WINDOW / BURST;
	static struct flow flows[SOCKETS];

	for (uint32_t i = 0; i < SOCKETS; i++) {
		open_flow(&flows[i]);
		flows[i].bursts = 1 + i % LIFE;
	}
	for (uint64_t i = 0; i < bursts + ahead && tally.lost < LOST_MAX; i++) {
		struct flow *f = &flows[(i - ahead) % SOCKETS];

		if (i >= ahead) {
			hear(f, vip);
			if (!--f->bursts) {
				close_flow(f);
				open_flow(f);
			}
		}
		if (i < bursts)
			ask(&flows[i % SOCKETS], vip);
	}
	for (uint32_t i = 0; i < SOCKETS; i++)
		close_flow(&flows[i]);
	print_tally();
	return 0;
}

static struct sockaddr_in6 address(const char *host, const char *port)
{
	const struct addrinfo hints = {.ai_family = AF_INET6,
				       .ai_socktype = SOCK_DGRAM,
				       .ai_flags = AI_NUMERICHOST | AI_V4MAPPED};
	struct sockaddr_in6 a;
	struct addrinfo *found;

	if (getaddrinfo(host, port, &hints, &found)) {
		(void)fprintf(stderr, "%s: no address\n", host);
		exit(2);
	}
	memcpy(&a, found->ai_addr, sizeof(a));
	freeaddrinfo(found);
	return a;
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 vip;

	if (argc == 4 && !strcmp(argv[1], "serve")) {
		on_cpu(argv[3]);
		return serve((uint16_t)atoi(argv[2]));
	}
	if (argc != 6 || strcmp(argv[1], "ask") != 0) {
		(void)fputs("usage: crossing serve PORT CPU | ask VIP PORT CPU REQUESTS\n", stderr);
		return 2;
	}
	vip = address(argv[2], argv[3]);
	on_cpu(argv[4]);
	return ask_all(&vip, strtoull(argv[5], NULL, 10));
}
