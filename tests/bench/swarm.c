/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Very many UDP flows from one process, and the servers that answer them. A datagram carries when it
 * was sent (CLOCK_MONOTONIC, the same for all namespaces of a host), so the server's table says for
 * every endpoint when the latest new flow that reached it had been sent.
 *
 *   swarm echo PORT FILE                          any local address; FILE: 65536 times, ns, by the
 *                                                 last 16 bits of the address
 *   swarm open VIP PORT FIRST_PORT FLOWS RATE     FLOWS new flows, one datagram each
 *
 * Clients are the addresses 10.50.0.0/16, which must be local (an AnyIP route); each source port
 * from FIRST_PORT on serves for 65536 flows.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH	 64
#define HOSTS	 65536
#define CLIENTS	 0x0a320000u /* 10.50.0.0 */
#define RECV_BUF (64 << 20)

struct batch {
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_in peers[BATCH];
	uint64_t payloads[BATCH];
	union {
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct cmsghdr align;
	} control[BATCH];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int udp_socket(uint16_t port)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1, size = RECV_BUF;

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)))
		fail("bind");
	(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static void prepare(struct batch *b)
{
	for (size_t i = 0; i < BATCH; i++) {
		b->iov[i] = (struct iovec){&b->payloads[i], sizeof(b->payloads[i])};
		b->msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &b->peers[i],
			.msg_namelen = sizeof(b->peers[i]),
			.msg_iov = &b->iov[i],
			.msg_iovlen = 1,
			.msg_control = b->control[i].bytes,
			.msg_controllen = sizeof(b->control[i].bytes),
		};
	}
}

static struct in_pktinfo *pktinfo(struct batch *b, size_t i)
{
	return (struct in_pktinfo *)CMSG_DATA(&b->control[i].align);
}

static void send_all(int fd, struct batch *b, size_t count)
{
	size_t sent = 0;
	int n;

	while (sent < count) {
		n = sendmmsg(fd, b->msgs + sent, (unsigned int)(count - sent), 0);
		if (n < 0 && errno != ENOBUFS && errno != EAGAIN && errno != ECONNREFUSED)
			fail("sendmmsg");
		sent += n > 0 ? (size_t)n : 0;
	}
}

static int echo(uint16_t port, const char *path)
{
	static struct batch b;
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), fd = udp_socket(port);
	uint64_t *latest;

	if (file < 0 || ftruncate(file, HOSTS * sizeof(*latest)))
		fail(path);
	latest = mmap(NULL, HOSTS * sizeof(*latest), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (latest == MAP_FAILED)
		fail(path);
	for (;;) {
		int n;

		prepare(&b);
		n = recvmmsg(fd, b.msgs, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++) {
			struct in_pktinfo *info = pktinfo(&b, (size_t)i);
			uint64_t *last = &latest[ntohl(info->ipi_addr.s_addr) & (HOSTS - 1)];

			if (b.payloads[i] > *last)
				*last = b.payloads[i];
			info->ipi_spec_dst = info->ipi_addr;
			info->ipi_ifindex = 0;
		}
		if (n > 0)
			send_all(fd, &b, (size_t)n);
	}
}

static void address(struct batch *b, size_t i, const struct sockaddr_in *vip, uint32_t host)
{
	struct cmsghdr *c = &b->control[i].align;
	struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(CLIENTS + host)};

	b->peers[i] = *vip;
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	b->payloads[i] = now_ns();
}

static int open_flows(const struct sockaddr_in *vip, uint16_t first_port, uint64_t flows,
		      uint64_t rate)
{
	static struct batch b;
	const uint64_t start = now_ns();
	int fd = -1;

	for (uint64_t done = 0; done < flows; done += BATCH) {
		if (done % HOSTS == 0) {
			if (fd >= 0)
				(void)close(fd);
			fd = udp_socket((uint16_t)(first_port + done / HOSTS));
		}
		while (now_ns() - start < done * 1000000000ull / rate)
			;
		prepare(&b);
		for (size_t i = 0; i < BATCH; i++)
			address(&b, i, vip, (uint32_t)((done + i) % HOSTS));
		send_all(fd, &b, BATCH);
	}
	printf("%llu flows in %.2f s\n", (unsigned long long)flows,
	       (double)(now_ns() - start) / 1e9);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in vip = {.sin_family = AF_INET};

	if (argc == 4 && strcmp(argv[1], "echo") == 0)
		return echo((uint16_t)atoi(argv[2]), argv[3]);
	if (argc != 7 || strcmp(argv[1], "open") != 0 ||
	    inet_pton(AF_INET, argv[2], &vip.sin_addr) != 1) {
		(void)fputs("usage: swarm echo PORT FILE | open VIP PORT FIRST_PORT FLOWS RATE\n",
			    stderr);
		return 2;
	}
	vip.sin_port = htons((uint16_t)atoi(argv[3]));
	return open_flows(&vip, (uint16_t)atoi(argv[4]), strtoull(argv[5], NULL, 10),
			  strtoull(argv[6], NULL, 10));
}
