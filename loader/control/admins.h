/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's words by endpoint address, as the store keeps them. An absent one is `auto`. A word
 * `drain` says besides what the drain is to come to; the store has it as text, a plain word or
 * "drain started=UNIX deadline=UNIX then=reset flows=N over done".
 */
#ifndef SPILLWAY_CONTROL_ADMINS_H
#define SPILLWAY_CONTROL_ADMINS_H

#include <spillway/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADMIN_TEXT_MAX 160 /* of a word as the store keeps it */

/* What is kept of a drain over restarts; times are wall clock, for the daemon may be away. */
struct drain_word {
	int64_t started_ms;  /* 0: unknown, a plain word */
	int64_t deadline_ms; /* 0: none */
	bool reset;	     /* at the deadline, what is left is reset; else left alone */
	bool over;	     /* the deadline has passed, and was told */
	bool done;	     /* no flow was left, and that was told */
	uint64_t flows;	     /* at the start */
};

#define DRAIN_SAMPLES	13
#define DRAIN_SAMPLE_MS 5000

/* What is known of its course in this run: open flows now, and at most a minute back. */
struct drain_course {
	uint64_t active;
	bool is_known; /* `active` was read */
	size_t count;  /* of samples, oldest first */
	uint64_t at_ms[DRAIN_SAMPLES], flows[DRAIN_SAMPLES];
};

struct admin_entry {
	struct spw_addr addr;
	uint16_t port; /* host order */
	enum spw_admin admin;
	struct drain_word drain; /* zero unless SPW_ADMIN_DRAIN; and */
	struct drain_course course;
	int64_t skew_ms; /* what the monotonic clock lacks to the times in `drain` */
};

/* Zero-initialise; ordered by addr, port; holds no `auto`. */
struct admins {
	struct admin_entry *items; /* owned */
	size_t count;
	size_t capacity;
};

enum spw_admin admins_get(const struct admins *w, const struct spw_addr *addr, uint16_t port);
/* NULL: automatic. Good until the next change. */
struct admin_entry *admins_find(const struct admins *w, const struct spw_addr *addr, uint16_t port);
/* A plain word, or with admins_put() all of the entry; what was there before goes. */
void admins_set(struct admins *w, const struct spw_addr *addr, uint16_t port, enum spw_admin admin);
void admins_put(struct admins *w, const struct admin_entry *entry);
void admins_done(struct admins *w);

const char *admin_text(enum spw_admin admin);		/* "auto", "up", "down", "drain" */
int admin_parse(const char *text, enum spw_admin *out); /* -EINVAL */

/* The store's text of a word; and back into admin and drain of *out, -EINVAL. */
const char *admin_print_word(const struct admin_entry *e, char text[ADMIN_TEXT_MAX]);
int admin_parse_word(const char *text, struct admin_entry *out);

#endif
