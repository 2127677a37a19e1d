/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RFC 1035 and RFC 6891, as much of them as one question needs. A name in a question has nothing
 * before it to point to, so a pointer there is an attack or a mistake.
 */
#include "dns/stub_packet.h"

#include <string.h>

#include "base/addr.h"

#define HEADER_LEN    12
#define OPT_LEN	      11 /* without options */
#define TYPE_OPT      41
#define CLASS_IN      1
#define LABEL_MAX     63
#define WIRE_NAME_MAX 255
#define LEAST_ROOM    512

/* What is left to be read. */
struct bytes {
	const uint8_t *at;
	size_t left;
};

static bool skip(struct bytes *b, size_t count)
{
	if (b->left < count)
		return false;
	b->at += count;
	b->left -= count;
	return true;
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint8_t *put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static char lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* A dot or a NUL within a label would make another name of it: as text it is none. */
static char text_of(uint8_t c)
{
	return c == '.' || c == '\0' ? '\\' : lower(c);
}

static bool read_name(struct bytes *b, char text[STUB_NAME_MAX])
{
	const uint8_t *start = b->at;
	size_t used = 0;

	while (b->left && b->at[0] && b->at[0] <= LABEL_MAX) {
		size_t len = b->at[0];

		if (b->left <= len || (size_t)(b->at - start) + 1 + len + 1 > WIRE_NAME_MAX)
			return false;
		if (used)
			text[used++] = '.';
		for (size_t i = 1; i <= len; i++)
			text[used++] = text_of(b->at[i]);
		(void)skip(b, len + 1);
	}
	text[used] = '\0';
	return b->left && b->at[0] == 0 && skip(b, 1);
}

/* The only record that a question may have behind it. */
static bool read_opt(struct bytes *b, struct stub_question *q, enum stub_code *code)
{
	size_t room;

	if (b->left < OPT_LEN || b->at[0] != 0 || get16(b->at + 1) != TYPE_OPT)
		return false;
	room = get16(b->at + 3);
	q->has_opt = true;
	q->room = room < LEAST_ROOM ? LEAST_ROOM : room;
	if (q->room > STUB_ANSWER_MAX)
		q->room = STUB_ANSWER_MAX;
	if (b->at[6])
		*code = STUB_BADVERS;
	return skip(b, OPT_LEN + (size_t)get16(b->at + 9));
}

enum stub_reading stub_read(const uint8_t *packet, size_t len, struct stub_question *q,
			    enum stub_code *code)
{
	struct stub_question got = {.room = LEAST_ROOM};
	enum stub_code tell = STUB_NOERROR;
	struct bytes b = {packet, len};
	unsigned extra;

	if (!skip(&b, HEADER_LEN) || packet[2] & 0x82) /* an answer, or truncated */
		return STUB_DROP;
	extra = get16(packet + 10);
	if (get16(packet + 4) != 1 || get16(packet + 6) || get16(packet + 8) || extra > 1)
		return STUB_DROP;
	if (!read_name(&b, got.name) || !skip(&b, 4))
		return STUB_DROP;
	got.wire_len = len - HEADER_LEN - b.left;
	memcpy(got.wire, packet + HEADER_LEN, got.wire_len);
	got.type = get16(b.at - 4);
	if (packet[2] & 0x78)
		tell = STUB_NOTIMP;
	else if (get16(b.at - 2) != CLASS_IN)
		tell = STUB_REFUSED;
	else if (got.type != STUB_A && got.type != STUB_AAAA)
		tell = STUB_NOTIMP;
	if ((extra && !read_opt(&b, &got, &tell)) || b.left)
		return STUB_DROP;
	got.id = get16(packet);
	got.recursion = packet[2] & 1;
	*q = got;
	*code = tell;
	return tell ? STUB_TELL : STUB_ASKED;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* No top-level domain is a number: decimal, octal or hexadecimal, it is the end of an address. */
static bool is_number(const char *label)
{
	if (label[0] == '0' && label[1] == 'x')
		return strspn(label + 2, "0123456789abcdef") == strlen(label + 2);
	return strspn(label, "0123456789") == strlen(label);
}

bool stub_name_is_refused(const char *name)
{
	const char *last = strrchr(name, '.');

	last = last ? last + 1 : name;
	for (const char *c = name; *c; c++)
		if (!is_plain(*c))
			return true;
	return is_number(last) || strcmp(last, "localhost") == 0;
}

static uint8_t *put_opt(uint8_t *at, enum stub_code code)
{
	*at++ = 0;
	at = put16(at, TYPE_OPT);
	at = put16(at, STUB_ANSWER_MAX);
	at = put16(at, (unsigned)code >> 4 << 8);
	at = put16(at, 0);
	return put16(at, 0);
}

size_t stub_write(const struct stub_question *q, const struct stub_reply *r,
		  uint8_t out[STUB_ANSWER_MAX])
{
	const size_t len = q->type == STUB_A ? 4 : 16;
	const uint8_t *end = out + q->room - (q->has_opt ? OPT_LEN : 0);
	uint8_t *at = out + HEADER_LEN;
	unsigned count = 0;

	memcpy(at, q->wire, q->wire_len);
	at += q->wire_len;
	for (; count < r->count && at + 12 + len <= end; count++) {
		at = put16(at, 0xc000 | HEADER_LEN); /* the question's name */
		at = put16(at, q->type);
		at = put16(at, CLASS_IN);
		at = put16(at, r->ttl_s >> 16);
		at = put16(at, r->ttl_s);
		at = put16(at, (unsigned)len);
		memcpy(at, r->addrs[count].b + 16 - len, len);
		at += len;
	}
	if (q->has_opt)
		at = put_opt(at, r->code);
	memset(out, 0, HEADER_LEN);
	(void)put16(out, q->id);
	(void)put16(out + 2, 0x8080 | (q->recursion ? 0x100u : 0) | ((unsigned)r->code & 15));
	(void)put16(out + 4, 1);
	(void)put16(out + 6, count);
	(void)put16(out + 10, q->has_opt);
	return (size_t)(at - out);
}
