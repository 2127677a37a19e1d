/* SPDX-License-Identifier: BSD-2-Clause */
/* The world's network namespace is this process's own, so its sockets are there too. */
#include "steer_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world.h"

#define WAIT_MS	      2000
#define LISTENERS_MAX 8

static int wire = -1;

static socklen_t name_of(const struct spw_addr *a, uint16_t port, struct sockaddr_storage *out)
{
	const struct desc d = {.src = *a};
	struct sockaddr_in6 *in6 = (void *)out;
	struct sockaddr_in *in = (void *)out;

	memset(out, 0, sizeof(*out));
	if (desc_is_v4(&d)) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = a->w[3];
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a, sizeof(*a));
	return sizeof(*in6);
}

static int bound(const struct spw_addr *a, uint16_t port, int flags)
{
	struct sockaddr_storage name;
	socklen_t len = name_of(a, port, &name);
	int fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	const int on = 1;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, len), 0);
	return fd;
}

int steer_listen(const char *address, uint16_t port)
{
	const struct spw_addr a = addr_of(address);
	int fd = bound(&a, port, SOCK_NONBLOCK);

	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

void listeners_open(struct listeners *l)
{
	l->v4 = steer_listen("127.0.0.1", 0);
	l->v6 = steer_listen("::1", 0);
}

void listeners_close(struct listeners *l)
{
	close(l->v4);
	close(l->v6);
}

int listeners_accept(const struct listeners *l, int count)
{
	struct pollfd fds[2 * LISTENERS_MAX];
	int fd;

	assert_in_range(count, 1, LISTENERS_MAX);
	for (int i = 0; i < count; i++) {
		fds[2 * i] = (struct pollfd){.fd = l[i].v4, .events = POLLIN};
		fds[2 * i + 1] = (struct pollfd){.fd = l[i].v6, .events = POLLIN};
	}
	if (poll(fds, 2ul * (size_t)count, WAIT_MS) <= 0)
		return -1;
	for (int i = 0; i < 2 * count; i++) {
		fd = accept4(fds[i].fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		close(fd);
		return i / 2;
	}
	return -1;
}

int steer_connect(const struct desc *syn)
{
	struct sockaddr_storage name;
	socklen_t len = name_of(&syn->dst, syn->dport, &name);
	int fd = bound(&syn->src, syn->sport, 0), err;

	if (!connect(fd, (struct sockaddr *)&name, len))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

bool steer_connect_closes(const struct desc *syn)
{
	int fd = steer_connect(syn);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void run_ip(const char *lines)
{
	FILE *ip = popen("ip -batch -", "w");

	assert_non_null(ip);
	fputs(lines, ip);
	assert_int_equal(pclose(ip), 0);
}

/* The kernel may have an entry of its own by now, since what was sent to the client is repeated. */
void steer_vips_add(void)
{
	run_ip("route add local " VIP4 "/32 dev lo\n"
	       "route add local " VIP6 "/128 dev lo\n"
	       "neigh replace " CLIENT6 " lladdr 02:00:00:00:01:20 dev client nud permanent\n");
}

void steer_vips_del(void)
{
	run_ip("route del local " VIP4 "/32 dev lo\n"
	       "route del local " VIP6 "/128 dev lo\n"
	       "neigh del " CLIENT6 " dev client\n");
}

int steer_netns(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

void wire_open(void)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex("client-p"),
	};

	wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	assert_true(wire >= 0);
	assert_int_equal(bind(wire, (struct sockaddr *)&at, sizeof(at)), 0);
}

void wire_close(void)
{
	close(wire);
	wire = -1;
}

void wire_send(const struct desc *d)
{
	struct frame f;

	frame_build(d, &f);
	assert_int_equal(send(wire, f.b, f.len, 0), f.len);
}

static uint16_t get16(const struct frame *f, size_t at)
{
	return (uint16_t)(f->b[at] << 8 | f->b[at + 1]);
}

/* Is it a SYN-ACK to the client of this SYN? */
static bool is_answer(const struct desc *syn, const struct frame *f)
{
	size_t l4 = frame_l4(syn), proto = FRAME_ETH + (desc_is_v4(syn) ? 9 : 6);

	return f->len >= l4 + 20 && get16(f, 12) == (desc_is_v4(syn) ? ETH_P_IP : ETH_P_IPV6) &&
	       f->b[proto] == IPPROTO_TCP && get16(f, l4) == syn->dport &&
	       get16(f, l4 + 2) == syn->sport && f->b[l4 + 13] == (TCP_SYN | TCP_ACK);
}

uint32_t wire_answer(const struct desc *syn)
{
	struct pollfd p = {.fd = wire, .events = POLLIN};
	size_t l4 = frame_l4(syn);
	struct frame f;
	ssize_t len;

	while (poll(&p, 1, WAIT_MS) > 0) {
		len = recv(wire, f.b, sizeof(f.b), 0);
		assert_true(len > 0);
		f.len = (size_t)len;
		if (is_answer(syn, &f))
			return (uint32_t)get16(&f, l4 + 4) << 16 | get16(&f, l4 + 6);
	}
	world_print_counters();
	fail_msg("no SYN-ACK came");
	return 0;
}
