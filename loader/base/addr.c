/* SPDX-License-Identifier: BSD-2-Clause */
/* inet_pton() does the parsing: it already refuses zone ids, prefixes and IPv4 leading zeros. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

struct spw_addr addr_from_v4(__be32 v4)
{
	struct spw_addr a;

	memcpy(a.b, mapped_prefix, sizeof(mapped_prefix));
	a.w[3] = v4;
	return a;
}

struct spw_addr addr_from_v6(const void *v6_16_bytes)
{
	struct spw_addr a;

	memcpy(a.b, v6_16_bytes, sizeof(a.b));
	return a;
}

__be32 addr_v4(const struct spw_addr *a)
{
	return a->w[3];
}

int addr_parse(const char *text, struct spw_addr *out)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		*out = addr_from_v4(v4.s_addr);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &v6) == 1) {
		*out = addr_from_v6(&v6);
		return 0;
	}
	return -EINVAL;
}

static int parse_port(const char *text, uint16_t *port)
{
	unsigned long n;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || n < 1 || n > 65535)
		return -EINVAL;
	*port = (uint16_t)n;
	return 0;
}

int addr_parse_port(const char *text, struct spw_addr *addr, uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	char host[ADDR_TEXT_MAX];
	struct spw_addr a;
	size_t len;
	bool brackets;
	uint16_t p;

	if (!colon || parse_port(colon + 1, &p))
		return -EINVAL;
	len = (size_t)(colon - text);
	brackets = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	if (brackets) {
		text++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	if (addr_parse(host, &a) || (!brackets && strchr(host, ':')))
		return -EINVAL;
	*addr = a;
	*port = p;
	return 0;
}

const char *addr_print(const struct spw_addr *a, char *buf)
{
	if (addr_is_v4(a))
		return inet_ntop(AF_INET, &a->w[3], buf, ADDR_TEXT_MAX);
	return inet_ntop(AF_INET6, a->b, buf, ADDR_TEXT_MAX);
}

const char *addr_print_port(const struct spw_addr *a, uint16_t port, char *buf)
{
	char text[ADDR_TEXT_MAX];
	bool v4 = addr_is_v4(a);

	(void)snprintf(buf, ADDR_PORT_TEXT_MAX, "%s%s%s:%u", v4 ? "" : "[", addr_print(a, text),
		       v4 ? "" : "]", port);
	return buf;
}

bool addr_is_v4(const struct spw_addr *a)
{
	return memcmp(a->b, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

bool addr_is_loopback(const struct spw_addr *a)
{
	static const uint8_t one[16] = {[15] = 1};

	return addr_is_v4(a) ? a->b[12] == 127 : memcmp(a->b, one, sizeof(one)) == 0;
}

bool addr_is_unspecified(const struct spw_addr *a)
{
	static const uint8_t zero[16];

	return addr_is_v4(a) ? a->w[3] == 0 : memcmp(a->b, zero, sizeof(zero)) == 0;
}

bool addr_is_multicast(const struct spw_addr *a)
{
	return addr_is_v4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

bool addr_is_link_local(const struct spw_addr *a)
{
	if (addr_is_v4(a))
		return a->b[12] == 169 && a->b[13] == 254;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

int addr_compare(const struct spw_addr *a, const struct spw_addr *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool addr_equal(const struct spw_addr *a, const struct spw_addr *b)
{
	return addr_compare(a, b) == 0;
}
