/* SPDX-License-Identifier: BSD-2-Clause */
/* A name server for tests: UDP and TCP on loopback, in a thread of its own, with a table of records. */
#ifndef SPILLWAY_TESTS_DNS_SERVER_H
#define SPILLWAY_TESTS_DNS_SERVER_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct dns_record {
	const char *name; /* NULL ends the table; names that are not in it do not exist */
	const char *addr; /* IPv4 or IPv6; NULL with `alias`: a CNAME alone */
	unsigned ttl;
	const char *alias; /* the record's name is a CNAME of it, with alias_ttl */
	unsigned alias_ttl;
};

struct dns_server {
	int fd, tcp;
	char where[32]; /* "127.0.0.1:PORT" */
	pthread_t thread;
	const struct dns_record *_Atomic records;
	_Atomic unsigned rcode;	     /* instead of any answer, when not 0 */
	_Atomic unsigned rcode_type; /* only when this is asked for, 1 or 28; 0: always */
	_Atomic bool silent;
	_Atomic unsigned asked; /* for A */
	_Atomic bool stop;
};

static inline size_t dns_put_name(uint8_t *to, const char *name)
{
	uint8_t *at = to;

	while (*name) {
		size_t len = strcspn(name, ".");

		*at++ = (uint8_t)len;
		memcpy(at, name, len);
		at += len;
		name += len + (name[len] == '.');
	}
	*at++ = 0;
	return (size_t)(at - to);
}

static inline size_t dns_put_record(uint8_t *at, const char *name, unsigned type, unsigned ttl,
				    const void *data, size_t len)
{
	size_t n = dns_put_name(at, name);
	const uint8_t fixed[] = {0,
				 (uint8_t)type,
				 0,
				 1,
				 0,
				 0,
				 (uint8_t)(ttl >> 8),
				 (uint8_t)ttl,
				 (uint8_t)(len >> 8),
				 (uint8_t)len};

	memcpy(at + n, fixed, sizeof(fixed));
	memcpy(at + n + sizeof(fixed), data, len);
	return n + sizeof(fixed) + len;
}

static inline size_t dns_put_answers(struct dns_server *s, uint8_t *at, const char *name,
				     unsigned type, unsigned *count, bool *exists)
{
	size_t used = 0;

	for (const struct dns_record *r = s->records; r && r->name; r++) {
		uint8_t data[64];
		unsigned family = r->addr && strchr(r->addr, ':') ? AF_INET6 : AF_INET;

		if (strcmp(r->name, name) != 0)
			continue;
		*exists = true;
		if (type != (family == AF_INET ? 1 : 28))
			continue;
		if (r->alias) {
			size_t len = dns_put_name(data, r->alias);

			used += dns_put_record(at + used, name, 5, r->alias_ttl, data, len);
			(*count)++;
		}
		assert_int_equal(inet_pton((int)family, r->addr, data), 1);
		used += dns_put_record(at + used, r->alias ? r->alias : name, type, r->ttl, data,
				       family == AF_INET ? 4 : 16);
		(*count)++;
	}
	return used;
}

/* One question, answered in place; the length of the answer. */
static inline size_t dns_answer(struct dns_server *s, uint8_t *packet, size_t len)
{
	char name[256] = "";
	size_t at = 12, text = 0;
	unsigned type, count = 0;
	bool exists = false;

	(void)len;
	while (packet[at]) {
		memcpy(name + text, packet + at + 1, packet[at]);
		text += packet[at];
		name[text++] = '.';
		at += packet[at] + 1u;
	}
	name[text ? text - 1 : 0] = '\0';
	type = packet[at + 2];
	at += 5;
	s->asked += type == 1;
	packet[2] = 0x81;
	packet[3] = 0x80;
	memset(packet + 6, 0, 6);
	if (s->rcode && (!s->rcode_type || s->rcode_type == type)) {
		packet[3] |= (uint8_t)s->rcode;
		return at;
	}
	at += dns_put_answers(s, packet + at, name, type, &count, &exists);
	packet[3] |= exists ? 0 : 3;
	packet[7] = (uint8_t)count;
	return at;
}

/* One question, on a connection of its own. */
static inline void dns_serve_tcp(struct dns_server *s)
{
	int c = accept4(s->tcp, NULL, NULL, SOCK_CLOEXEC);
	uint8_t packet[4096];
	size_t len;

	if (c < 0)
		return;
	if (recv(c, packet, 2, MSG_WAITALL) == 2) {
		len = (size_t)packet[0] << 8 | packet[1];
		if (len <= 512 && recv(c, packet + 2, len, MSG_WAITALL) == (ssize_t)len) {
			len = dns_answer(s, packet + 2, len);
			packet[0] = (uint8_t)(len >> 8);
			packet[1] = (uint8_t)len;
			(void)send(c, packet, len + 2, MSG_NOSIGNAL);
		}
	}
	(void)close(c);
}

static inline void dns_serve_udp(struct dns_server *s)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	uint8_t packet[4096];
	ssize_t n = recvfrom(s->fd, packet, 512, 0, (struct sockaddr *)&from, &from_len);
	size_t len;

	if (n < 12 || s->silent)
		return;
	len = dns_answer(s, packet, (size_t)n);
	if (len > 512) {
		packet[2] |= 2; /* truncated: to be asked for over TCP */
		len = 512;
	}
	(void)sendto(s->fd, packet, len, 0, (struct sockaddr *)&from, from_len);
}

static inline void *dns_run(void *ctx)
{
	struct dns_server *s = ctx;
	struct pollfd p[] = {{.fd = s->fd, .events = POLLIN}, {.fd = s->tcp, .events = POLLIN}};

	while (!s->stop) {
		if (poll(p, 2, 10) <= 0)
			continue;
		if (p[0].revents)
			dns_serve_udp(s);
		if (p[1].revents)
			dns_serve_tcp(s);
	}
	return NULL;
}

/* One port for both; which is free for UDP may be taken for TCP, by a test beside this one. */
static inline uint16_t dns_server_bind(struct dns_server *s)
{
	for (unsigned tries = 0; tries < 100; tries++) {
		struct sockaddr_in at = {.sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		socklen_t len = sizeof(at);

		s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(s->fd, (struct sockaddr *)&at, len), 0);
		assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
		s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(s->tcp, (struct sockaddr *)&at, len) == 0)
			return ntohs(at.sin_port);
		assert_int_equal(errno, EADDRINUSE);
		(void)close(s->fd);
		(void)close(s->tcp);
	}
	fail_msg("no port of 100 is free for both");
	return 0;
}

static inline struct dns_server *dns_server_start(const struct dns_record *records)
{
	struct dns_server *s = calloc(1, sizeof(*s));
	uint16_t port;

	assert_non_null(s);
	port = dns_server_bind(s);
	assert_int_equal(listen(s->tcp, 8), 0);
	(void)snprintf(s->where, sizeof(s->where), "127.0.0.1:%u", port);
	s->records = records;
	assert_int_equal(pthread_create(&s->thread, NULL, dns_run, s), 0);
	return s;
}

static inline void dns_server_stop(struct dns_server *s)
{
	s->stop = true;
	(void)pthread_join(s->thread, NULL);
	(void)close(s->fd);
	(void)close(s->tcp);
	free(s);
}

#endif
