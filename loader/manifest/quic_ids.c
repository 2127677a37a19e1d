/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All ids of a configuration have one length, since a packet says only which configuration its connection
 * ID is of. A rule is there for those who number their servers by address already; what it does not fit is
 * named beside it.
 */
#include "manifest/quic_ids.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"

#define RULE	   "address/"
#define SEPARATORS " \t\r\n,"

struct reading {
	struct arena *arena;
	struct quic_ids ids;
	struct quic_config *config; /* that words are of; NULL: the first, if it comes so far */
};

static const char *begin(struct reading *g, unsigned int number)
{
	if (number == SPW_QUIC_CONFIGS)
		return "configuration 7 says that a connection ID cannot be routed: use 0 to 6";
	if (number > SPW_QUIC_CONFIGS)
		return arena_printf(g->arena, "configuration %u: there are 0 to 6", number);
	if (g->config && !g->config->id_len)
		return arena_printf(g->arena, "configuration %u has no ids: write them behind it",
				    (unsigned int)(g->config - g->ids.configs));
	g->config = &g->ids.configs[number];
	if (g->config->id_len)
		return arena_printf(
			g->arena, "configuration %u is there twice: write all its words behind one",
			number);
	return NULL;
}

static const char *set_length(struct reading *g, const char *word, size_t len)
{
	if (g->config->id_len && g->config->id_len != len)
		return arena_printf(g->arena,
				    "%s: all ids of a configuration have one length, in octets: "
				    "this one has %zu, those before it %u",
				    word, len, g->config->id_len);
	g->config->id_len = (uint8_t)len;
	return NULL;
}

static const char *read_rule(struct reading *g, const char *word)
{
	const char *digits = word + strlen(RULE);
	const unsigned long n = strtoul(digits, NULL, 10);

	if (strspn(digits, "0123456789") != strlen(digits) || strlen(digits) > 2 ||
	    digits[0] == '0' || n < 1 || n > SPW_QUIC_ID_MAX)
		return arena_printf(g->arena, "%s: must be address/1 to address/%d", word,
				    SPW_QUIC_ID_MAX);
	if (g->config->by_address)
		return arena_printf(g->arena, "%s: a configuration has one rule", word);
	g->config->by_address = true;
	return set_length(g, word, n);
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)((at - digits) % 16) : -1;
}

/* How many octets it is, 0 if it is none. */
static size_t read_hex(const char *text, uint8_t id[SPW_QUIC_ID_MAX])
{
	const size_t len = strlen(text);

	if (len % 2 || len > 2 * SPW_QUIC_ID_MAX)
		return 0;
	for (size_t i = 0; i < len; i += 2) {
		const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return 0;
		id[i / 2] = (uint8_t)(high << 4 | low);
	}
	return len / 2;
}

static const char *read_named(struct reading *g, const char *word)
{
	const char *equals = strchr(word, '=');
	struct quic_named n = {.port = 0};
	size_t len;

	if (!equals || addr_parse_port(arena_strndup(g->arena, word, (size_t)(equals - word)),
				       &n.addr, &n.port))
		return arena_printf(
			g->arena,
			"\"%s\" is neither address/N nor an endpoint and its id, such as "
			"192.0.2.1:443=0a01 or [2001:db8::1]:443=0a01",
			word);
	len = read_hex(equals + 1, n.id);
	if (!len)
		return arena_printf(g->arena,
				    "%s: an id is 1 to %d octets in hexadecimal, such as 0a01",
				    word, SPW_QUIC_ID_MAX);
	*arena_push(g->arena, g->config->named, g->config->count) = n;
	return set_length(g, word, len);
}

static const char *read_word(struct reading *g, const char *word)
{
	const char *why = NULL;

	if (word[0] >= '0' && word[0] <= '9' && word[1] == ':') {
		why = begin(g, (unsigned int)(word[0] - '0'));
		word += 2;
	} else if (!g->config) {
		g->config = &g->ids.configs[0];
	}
	if (why || !*word)
		return why;
	if (strncmp(word, RULE, strlen(RULE)) == 0)
		return read_rule(g, word);
	return read_named(g, word);
}

static int by_endpoint(const void *va, const void *vb)
{
	const struct quic_named *a = va, *b = vb;
	const int order = addr_compare(&a->addr, &b->addr);

	return order ? order : (int)a->port - (int)b->port;
}

static int by_id(const void *va, const void *vb)
{
	const struct quic_named *a = va, *b = vb;

	return memcmp(a->id, b->id, sizeof(a->id));
}

static const char *refuse_twice(struct arena *a, const struct quic_config *c)
{
	char text[2][ADDR_PORT_TEXT_MAX];

	qsort(c->named, c->count, sizeof(*c->named), by_id);
	for (size_t i = 1; i < c->count; i++) {
		const struct quic_named *n = &c->named[i];

		if (by_id(n - 1, n) == 0 && by_endpoint(n - 1, n) != 0)
			return arena_printf(a, "%s and %s have the same id, %s: give each its own",
					    addr_print_port(&n[-1].addr, n[-1].port, text[0]),
					    addr_print_port(&n->addr, n->port, text[1]),
					    quic_ids_text(a, n->id, c->id_len));
	}
	qsort(c->named, c->count, sizeof(*c->named), by_endpoint);
	for (size_t i = 1; i < c->count; i++) {
		const struct quic_named *n = &c->named[i];

		if (by_endpoint(n - 1, n) == 0)
			return arena_printf(a, "%s is there twice: take one away",
					    addr_print_port(&n->addr, n->port, text[0]));
	}
	return NULL;
}

const char *quic_ids_parse(struct arena *a, const char *text, size_t len, struct quic_ids *out)
{
	struct reading g = {.arena = a};
	const char *why = NULL;

	if (strlen(text) != len)
		return "must be text";
	for (const char *p = text + strspn(text, SEPARATORS); *p && !why;) {
		const size_t word = strcspn(p, SEPARATORS);

		why = read_word(&g, arena_strndup(a, p, word));
		p += word;
		p += strspn(p, SEPARATORS);
	}
	if (!why && !g.config)
		why = "must say how endpoints are numbered, such as address/2";
	if (!why && !g.config->id_len)
		why = arena_printf(a, "configuration %u has no ids: write them behind it",
				   (unsigned int)(g.config - g.ids.configs));
	for (size_t i = 0; i < SPW_QUIC_CONFIGS && !why; i++) {
		if (g.ids.configs[i].count > 1)
			why = refuse_twice(a, &g.ids.configs[i]);
	}
	if (!why)
		*out = g.ids;
	return why;
}

const struct quic_named *quic_ids_named(const struct quic_config *c, const struct spw_addr *addr,
					uint16_t port)
{
	const struct quic_named want = {.addr = *addr, .port = port};

	return c->count ? bsearch(&want, c->named, c->count, sizeof(want), by_endpoint) : NULL;
}

bool quic_ids_find(const struct quic_config *c, const struct spw_addr *addr, uint16_t port,
		   uint8_t id[SPW_QUIC_ID_MAX])
{
	const struct quic_named *found = quic_ids_named(c, addr, port);
	const size_t octets = addr_is_v4(addr) ? 4 : 16;

	if (found) {
		memcpy(id, found->id, c->id_len);
		return true;
	}
	if (!c->by_address || c->id_len > octets)
		return false;
	memcpy(id, &addr->b[sizeof(addr->b) - c->id_len], c->id_len);
	return true;
}

const char *quic_ids_text(struct arena *a, const uint8_t *id, uint8_t len)
{
	char text[2 * SPW_QUIC_ID_MAX + 1] = "";

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = "0123456789abcdef"[id[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[id[i] & 15];
	}
	return arena_strdup(a, text);
}
