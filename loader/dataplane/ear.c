/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets stay open; their filter refuses every frame while nothing is probed, so a host with
 * much ARP or IPv6 traffic does not wake the daemon.
 */
#include "dataplane/ear.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

#include "dataplane/probe_packet.h"
#include "dataplane/state.h"

#define FILTER(fd, code) set_filter(fd, code, sizeof(code) / sizeof((code)[0]))

static struct sock_filter refuse_all[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
static struct sock_filter accept_all[] = {BPF_STMT(BPF_RET | BPF_K, 0xffff)};
/* Neighbour solicitations (135) and advertisements (136) without extension headers. */
static struct sock_filter accept_nd[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ETH_HLEN + 6),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 4),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ETH_HLEN + 40),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 135, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 136, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 0xffff),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

static int set_filter(int fd, struct sock_filter *code, size_t len)
{
	const struct sock_fprog program = {.len = (unsigned short)len, .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ? -errno : 0;
}

static void hear(struct dataplane *dp, int fd)
{
	const struct interface *i;
	struct sockaddr_ll from;
	socklen_t from_len;
	struct spw_addr addr;
	uint8_t frame[256], mac[6];
	ssize_t len;

	for (int n = 0; n < 64; n++) {
		from_len = sizeof(from);
		len = recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &from_len);
		if (len < 0)
			return;
		i = interface_by_index(dp, (uint32_t)from.sll_ifindex);
		if (i && probe_packet_read(frame, (size_t)len, &addr, mac))
			vip_heard(dp, &addr, mac, i->link.name);
	}
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct dataplane *dp = poll->data;

	(void)status;
	(void)events;
	hear(dp, poll == &dp->ear_arp.poll ? dp->ear_arp.fd : dp->ear_nd.fd);
}

void ears_hear(struct dataplane *dp)
{
	hear(dp, dp->ear_arp.fd);
	hear(dp, dp->ear_nd.fd);
}

static int ear_open(struct dataplane *dp, struct ear *ear, uint16_t protocol)
{
	const struct sockaddr_ll any = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol)};
	int err;

	/* Protocol 0 hears nothing until bind(), when the filter is in place. */
	ear->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (ear->fd < 0)
		return -errno;
	err = FILTER(ear->fd, refuse_all);
	if (err)
		return err;
	if (bind(ear->fd, (const struct sockaddr *)&any, sizeof(any)))
		return -errno;
	err = uv_poll_init(dp->loop, &ear->poll, ear->fd);
	if (err)
		return err;
	handle_opened(dp, &ear->poll);
	return uv_poll_start(&ear->poll, UV_READABLE, on_readable);
}

int ears_open(struct dataplane *dp)
{
	int err = ear_open(dp, &dp->ear_arp, ETH_P_ARP);

	return err ? err : ear_open(dp, &dp->ear_nd, ETH_P_IPV6);
}

void ears_listen(struct dataplane *dp)
{
	(void)FILTER(dp->ear_arp.fd, accept_all);
	(void)FILTER(dp->ear_nd.fd, accept_nd);
}

void ears_rest(struct dataplane *dp)
{
	(void)FILTER(dp->ear_arp.fd, refuse_all);
	(void)FILTER(dp->ear_nd.fd, refuse_all);
}

void ears_close(struct dataplane *dp)
{
	fd_close(dp->ear_arp.fd);
	fd_close(dp->ear_nd.fd);
	dp->ear_arp.fd = dp->ear_nd.fd = -1;
}

enum send_where { SEND_ON_LINK, SEND_EVERYWHERE };

static size_t send_all(struct dataplane *dp, const struct spw_addr *addr, enum send_where where,
		       size_t (*build)(uint8_t *, const uint8_t *, const struct spw_addr *))
{
	uint8_t frame[PROBE_PACKET_BYTES];
	size_t sent = 0, len;

	for (size_t i = 0; i < dp->interface_count; i++) {
		const struct link_info *link = &dp->interfaces[i].link;
		struct sockaddr_ll to = {
			.sll_family = AF_PACKET, .sll_ifindex = (int)link->ifindex, .sll_halen = 6};

		if (dp->interfaces[i].bpf_link < 0 || !link->up)
			continue;
		if (where == SEND_ON_LINK && !interface_on_link(dp, &dp->interfaces[i], addr))
			continue;
		len = build(frame, link->mac, addr);
		if (sendto(dp->ear_arp.fd, frame, len, 0, (struct sockaddr *)&to, sizeof(to)) > 0)
			sent++;
	}
	return sent;
}

size_t ears_ask(struct dataplane *dp, const struct spw_addr *addr)
{
	return send_all(dp, addr, SEND_ON_LINK, probe_packet_ask);
}

size_t ears_announce(struct dataplane *dp, const struct spw_addr *addr)
{
	return send_all(dp, addr, SEND_EVERYWHERE, probe_packet_announce);
}
