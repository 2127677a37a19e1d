/* SPDX-License-Identifier: BSD-2-Clause */
/* Listening sockets, clients over loopback, and the wire to the gateway's interface of the clients. */
#ifndef SPILLWAY_TESTS_STEER_SOCKETS_H
#define SPILLWAY_TESTS_STEER_SOCKETS_H

#include "frame.h"

#define SYNCOOKIES "/proc/sys/net/ipv4/tcp_syncookies"

/* An endpoint's, at addresses and ports that no client asks for. */
struct listeners {
	int v4, v6;
};
void listeners_open(struct listeners *l);
void listeners_close(struct listeners *l);
/* Which of `count` has got a connection within a moment, which is closed; -1: none. */
int listeners_accept(const struct listeners *l, int count);

/* A listening socket there. */
int steer_listen(const char *address, uint16_t port);
/* A connection from src to dst of a SYN, over loopback: its socket or a negative errno. */
int steer_connect(const struct desc *syn);
/* Likewise closed at once: was there one? */
bool steer_connect_closes(const struct desc *syn);

/* The VIPs as addresses of this host, and a neighbour for the IPv6 client. */
void steer_vips_add(void);
void steer_vips_del(void);
/* A descriptor of this network namespace. */
int steer_netns(void);

/* Frames from and to the clients' end of the link. */
void wire_open(void);
void wire_close(void);
void wire_send(const struct desc *d);
/* The sequence number of the SYN-ACK to this client. */
uint32_t wire_answer(const struct desc *syn);

#endif
