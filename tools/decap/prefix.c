/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 is kept IPv4-mapped, so an IPv6 prefix may not hold ::ffff:0:0/96: it would mean both. */
#include "decap/prefix.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V4_BITS 96u

static unsigned int bits_before(const struct spw_addr *addr)
{
	return addr_is_v4(addr) ? V4_BITS : 0;
}

static bool bit(const struct spw_addr *addr, unsigned int at)
{
	return addr->b[at / 8] >> (7 - at % 8) & 1;
}

static bool ends_in_zeros(const struct spw_decap_prefix *p)
{
	for (unsigned int i = p->bits; i < 128; i++) {
		if (bit(&p->addr, i))
			return false;
	}
	return true;
}

/* Of the text behind the slash; false when it is none. */
static bool parse_len(const char *text, unsigned int max, unsigned int *out)
{
	unsigned long n;
	char *end;

	n = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || n > max)
		return false;
	*out = (unsigned int)n;
	return true;
}

struct spw_decap_prefix prefix_of(const struct spw_addr *addr)
{
	return (struct spw_decap_prefix){.bits = 128, .addr = *addr};
}

int prefix_parse(struct arena *a, const char *text, struct spw_decap_prefix *out, const char **why)
{
	const char *slash = strchr(text, '/');
	const char *name = slash ? arena_strndup(a, text, (size_t)(slash - text)) : text;
	const struct spw_addr v4 = addr_from_v4(0);
	struct spw_decap_prefix p;
	unsigned int len;

	if (addr_parse(name, &p.addr)) {
		*why = arena_printf(a, "%s: not an IPv4 or IPv6 address or prefix", text);
		return -EINVAL;
	}
	p.bits = 128;
	if (slash) {
		if (!parse_len(slash + 1, 128 - bits_before(&p.addr), &len)) {
			*why = arena_printf(a, "%s: the prefix length is no number that fits",
					    text);
			return -EINVAL;
		}
		p.bits = bits_before(&p.addr) + len;
	}
	if (!ends_in_zeros(&p)) {
		*why = arena_printf(a, "%s: there are bits behind the prefix length", text);
		return -EINVAL;
	}
	if (!addr_is_v4(&p.addr) && prefix_has(&p, &v4)) {
		*why = arena_printf(a,
				    "%s: holds IPv4-mapped addresses: name longer prefixes, as "
				    "2000::/3",
				    text);
		return -EINVAL;
	}
	*out = p;
	return 0;
}

bool prefix_is_one(const struct spw_decap_prefix *p)
{
	return p->bits == 128;
}

unsigned int prefix_len(const struct spw_decap_prefix *p)
{
	return p->bits - bits_before(&p->addr);
}

bool prefix_equal(const struct spw_decap_prefix *p, const struct spw_decap_prefix *q)
{
	return p->bits == q->bits && addr_equal(&p->addr, &q->addr);
}

bool prefix_has(const struct spw_decap_prefix *p, const struct spw_addr *addr)
{
	for (unsigned int i = 0; i < p->bits; i++) {
		if (bit(&p->addr, i) != bit(addr, i))
			return false;
	}
	return true;
}

const char *prefix_print(const struct spw_decap_prefix *p, char buf[PREFIX_TEXT_MAX])
{
	char text[ADDR_TEXT_MAX];

	(void)addr_print(&p->addr, text);
	if (prefix_is_one(p))
		(void)snprintf(buf, PREFIX_TEXT_MAX, "%s", text);
	else
		(void)snprintf(buf, PREFIX_TEXT_MAX, "%s/%u", text, prefix_len(p));
	return buf;
}
