/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table has IPv4 networks once; their embedded forms are derived. What is worked out is worked
 * out once, with the first question.
 */
#include "dns/target.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"

#define CIDRS_MAX 96
#define CIDR_TEXT (ADDR_TEXT_MAX + 4)

static const struct row {
	enum target_class class;
	const char *net;
	unsigned bits;
} rows[] = {
	{TARGET_NEVER, "0.0.0.0", 8},	     /* "this network" */
	{TARGET_NEVER, "127.0.0.0", 8},	     /* loopback */
	{TARGET_NEVER, "169.254.0.0", 16},   /* link-local, and clouds' metadata */
	{TARGET_NEVER, "224.0.0.0", 4},	     /* multicast */
	{TARGET_NEVER, "240.0.0.0", 4},	     /* reserved, and broadcast */
	{TARGET_PRIVATE, "10.0.0.0", 8},     /* RFC 1918 */
	{TARGET_PRIVATE, "100.64.0.0", 10},  /* RFC 6598: carriers' NAT */
	{TARGET_PRIVATE, "172.16.0.0", 12},  /* RFC 1918 */
	{TARGET_PRIVATE, "192.168.0.0", 16}, /* RFC 1918 */
	{TARGET_NEVER, "::", 128},	     /* unspecified */
	{TARGET_NEVER, "::1", 128},	     /* loopback */
	{TARGET_NEVER, "64:ff9b:1::", 48}, /* RFC 8215: NAT64 in a form that only its owner knows */
	{TARGET_NEVER, "fe80::", 10},	   /* link-local */
	{TARGET_NEVER, "fec0::", 10},	   /* site-local, RFC 3879 */
	{TARGET_NEVER, "ff00::", 8},	   /* multicast */
	{TARGET_PRIVATE, "fc00::", 7},	   /* unique local */
};

/* Where an IPv4 address lies in an IPv6 one. */
static const struct {
	const char *prefix;
	unsigned at; /* byte */
} embeddings[] = {
	{"::ffff:0:0", 12}, /* mapped, RFC 4291 */
	{"::", 12},	    /* compatible, RFC 4291 */
	{"64:ff9b::", 12},  /* NAT64, RFC 6052 */
	{"2002::", 2},	    /* 6to4, RFC 3056 */
};

/* A network in the form of spw_addr, and as text; the texts of a class end with NULL. */
struct cidr {
	enum target_class class;
	uint8_t bytes[16];
	unsigned bits;
	char text[CIDR_TEXT];
};

static struct {
	pthread_once_t once;
	struct cidr all[CIDRS_MAX];
	size_t count;
	const char *texts[2][CIDRS_MAX + 1];
} table = {.once = PTHREAD_ONCE_INIT};

static void add(enum target_class class, const uint8_t bytes[16], unsigned bits, const char *text)
{
	struct cidr *c = &table.all[table.count++];
	size_t n = 0;

	c->class = class;
	memcpy(c->bytes, bytes, sizeof(c->bytes));
	c->bits = bits;
	(void)snprintf(c->text, sizeof(c->text), "%s", text);
	while (table.texts[class][n])
		n++;
	table.texts[class][n] = c->text;
}

static void add_v6(enum target_class class, const uint8_t bytes[16], unsigned bits)
{
	char addr[INET6_ADDRSTRLEN], text[CIDR_TEXT];

	(void)inet_ntop(AF_INET6, bytes, addr, sizeof(addr));
	(void)snprintf(text, sizeof(text), "%s/%u", addr, bits);
	add(class, bytes, bits, text);
}

static void add_v4(const struct row *r)
{
	uint8_t v4[4], bytes[16];
	char text[CIDR_TEXT];

	(void)inet_pton(AF_INET, r->net, v4);
	(void)snprintf(text, sizeof(text), "%s/%u", r->net, r->bits);
	(void)inet_pton(AF_INET6, embeddings[0].prefix, bytes);
	memcpy(bytes + 12, v4, sizeof(v4));
	add(r->class, bytes, 96 + r->bits, text);
	for (size_t i = 0; i < sizeof(embeddings) / sizeof(*embeddings); i++) {
		(void)inet_pton(AF_INET6, embeddings[i].prefix, bytes);
		memcpy(bytes + embeddings[i].at, v4, sizeof(v4));
		add_v6(r->class, bytes, embeddings[i].at * 8 + r->bits);
	}
}

static void fill(void)
{
	uint8_t bytes[16];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (inet_pton(AF_INET6, rows[i].net, bytes) == 1)
			add_v6(rows[i].class, bytes, rows[i].bits);
		else
			add_v4(&rows[i]);
	}
}

static bool is_in(const struct spw_addr *a, const struct cidr *c)
{
	unsigned whole = c->bits / 8, rest = c->bits % 8;

	if (memcmp(a->b, c->bytes, whole) != 0)
		return false;
	return !rest || (a->b[whole] ^ c->bytes[whole]) >> (8 - rest) == 0;
}

bool target_is_refused(const struct spw_addr *a, const struct target_rules *rules)
{
	(void)pthread_once(&table.once, fill);
	for (size_t i = 0; i < rules->extra_count; i++)
		if (addr_equal(a, &rules->extra[i]))
			return true;
	for (size_t i = 0; i < table.count; i++) {
		const struct cidr *c = &table.all[i];

		if ((c->class == TARGET_NEVER || !rules->allow_private) && is_in(a, c))
			return true;
	}
	return false;
}

const char *const *target_refused_cidrs(enum target_class class)
{
	(void)pthread_once(&table.once, fill);
	return table.texts[class];
}
