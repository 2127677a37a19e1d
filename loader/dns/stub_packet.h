/* SPDX-License-Identifier: BSD-2-Clause */
/* The stub's packets: a question read, an answer written. Pure. */
#ifndef SPILLWAY_DNS_STUB_PACKET_H
#define SPILLWAY_DNS_STUB_PACKET_H

#include <spillway/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STUB_NAME_MAX	254  /* as text, NUL included */
#define STUB_WIRE_MAX	259  /* a name of 255 bytes, type and class */
#define STUB_ANSWER_MAX 1232 /* what fits any path unfragmented */

enum stub_type { STUB_A = 1, STUB_AAAA = 28 };

enum stub_code {
	STUB_NOERROR = 0,
	STUB_SERVFAIL = 2,
	STUB_NXDOMAIN = 3,
	STUB_NOTIMP = 4,
	STUB_REFUSED = 5,
	STUB_BADVERS = 16,
};

struct stub_question {
	uint16_t id;
	bool recursion;
	bool has_opt;
	uint16_t type;
	size_t room;		     /* how long an answer may be */
	char name[STUB_NAME_MAX];    /* lower case, without a trailing dot */
	uint8_t wire[STUB_WIRE_MAX]; /* as it was asked */
	size_t wire_len;
};

enum stub_reading {
	STUB_DROP,  /* not a question, or a broken one */
	STUB_TELL,  /* *code says why there is no answer */
	STUB_ASKED, /* for an address */
};

/* Fills *q unless the packet is to be dropped. */
enum stub_reading stub_read(const uint8_t *packet, size_t len, struct stub_question *q,
			    enum stub_code *code);

/*
 * Names that are answered without asking anybody: those of this host, and addresses in whatever
 * spelling someone may take for one.
 */
bool stub_name_is_refused(const char *name);

struct stub_reply {
	enum stub_code code;
	const struct spw_addr
		*addrs; /* of the question's family; those that do not fit are left out */
	size_t count;
	uint32_t ttl_s;
};

/* The length of the answer. */
size_t stub_write(const struct stub_question *q, const struct stub_reply *r,
		  uint8_t out[STUB_ANSWER_MAX]);

#endif
