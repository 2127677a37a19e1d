/* SPDX-License-Identifier: BSD-2-Clause */
/* Flags about the outer headers of ipip and gue. */
#include <arpa/inet.h>
#include <string.h>

#include "base/addr.h"
#include "control/option_flags.h"

#define BITS_MAX 16 /* that may vary */

/* Where outer packets seem to come from, and who is told of those that are lost. */
static bool is_global(const struct spw_addr *addr)
{
	return !addr_is_unspecified(addr) && !addr_is_multicast(addr) && !addr_is_loopback(addr) &&
	       !addr_is_link_local(addr);
}

/* The length behind the slash, counted from the address' own first bit; -1: none. */
static int parse_length(const char *text, int width)
{
	int n = 0;

	if (!text[0] || strlen(text) > 3)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		n = n * 10 + (*text - '0');
	}
	return n <= width ? n : -1;
}

static int put_prefix(struct reading *r, const char *text, const struct spw_addr *addr,
		      uint32_t bits)
{
	struct spw_tunnels *t = &r->opts->engine.dataplane.tunnels;
	const bool v4 = addr_is_v4(addr);
	struct spw_addr *source = v4 ? &t->source4 : &t->source6;

	if (!addr_is_unspecified(source))
		return flags_refuse(
			r, arena_printf(r->a, "%s: there is one of IPv%d already: give at most one",
					text, v4 ? 4 : 6));
	*source = *addr;
	*(v4 ? &t->bits4 : &t->bits6) = bits;
	return 0;
}

static int add_prefix(struct reading *r, const char *text)
{
	const size_t len = strcspn(text, "/");
	const int shortest[] = {128 - BITS_MAX, 32 - BITS_MAX};
	char buf[ADDR_TEXT_MAX];
	struct spw_addr addr, first;
	int width, length;
	uint32_t bits, low;

	if (addr_parse(arena_strndup(r->a, text, len), &addr))
		return flags_refuse(
			r, arena_printf(r->a,
					"%s: not a prefix of IPv4 or IPv6: give one such as "
					"172.16.0.0/16 or fd00:6::/112",
					text));
	width = addr_is_v4(&addr) ? 32 : 128;
	length = text[len] ? parse_length(text + len + 1, width) : width;
	if (length < 0)
		return flags_refuse(r, arena_printf(r->a, "%s: its length must be from %d to %d",
						    text, shortest[width == 32], width));
	if (length < shortest[width == 32])
		return flags_refuse(
			r, arena_printf(r->a, "%s: at most %d bits may vary: make it /%d or longer",
					text, BITS_MAX, shortest[width == 32]));
	bits = (uint32_t)(width - length);
	first = addr;
	memcpy(&low, first.b + 12, sizeof(low));
	low &= htonl(~((1u << bits) - 1));
	memcpy(first.b + 12, &low, sizeof(low));
	if (!addr_equal(&first, &addr))
		return flags_refuse(r, arena_printf(r->a,
						    "%s: bits behind the prefix are set: write "
						    "%s/%d",
						    text, addr_print(&first, buf), length));
	if (!is_global(&addr))
		return flags_refuse(
			r,
			arena_printf(r->a, "%s: no packet comes from there: give a global prefix",
				     text));
	return put_prefix(r, text, &addr, bits);
}

int set_tunnel_source(struct reading *r, const char *value)
{
	size_t len;
	int err;

	for (;; value += len + 1) {
		len = strcspn(value, ",");
		err = add_prefix(r, arena_strndup(r->a, value, len));
		if (err || !value[len])
			return err;
	}
}

int set_gue_port(struct reading *r, const char *value)
{
	uint32_t port;
	int err = flags_number(r, value, UINT16_MAX, &port);

	if (!err)
		r->opts->engine.dataplane.tunnels.gue_port = htons((uint16_t)port);
	return err;
}
