/* SPDX-License-Identifier: BSD-2-Clause */
/* What a user means by KIND NAME..., KIND/NAME... and KIND,KIND, and where the daemon has it. */
#ifndef SPILLWAY_CTL_TARGET_H
#define SPILLWAY_CTL_TARGET_H

#include "ctl/ctl.h"

struct target {
	const struct kind *kind;
	const char *name; /* NULL: all of the kind */
};

struct targets {
	struct target *items; /* in the arena, in the order given */
	size_t count;
	bool many_kinds;
	bool one_object; /* exactly one was named */
};

/* From the words of the command line; nonzero, and said so, when they make no sense. */
int targets_parse(struct ctl *c, struct targets *out);

/* "envoy-gateway" or "gateway-api", as in the resource definitions; "": none. */
const char *target_category(const struct kind *kind);

/* The path of an object, or of a list when `name` is NULL; `namespace` NULL means all of them. */
const char *target_path(struct ctl *c, const struct kind *kind, const char *namespace,
			const char *name);

/* Items of a list may leave out what the list says of all of them: puts it in. */
struct node *target_complete(struct arena *a, const struct kind *kind, struct node *object);

/* Objects fetched from the daemon. */
struct found {
	const struct kind *kind;
	struct node *object;
};

struct found_list {
	struct found *items; /* in the arena */
	size_t count;
};

/*
 * Appends the target's object, or all of its kind. What the daemon answers instead (404) is
 * appended to `refused`, for http_error() once the rest is printed. Nonzero, and said so, when
 * there was no answer.
 */
struct reply;
struct refusals {
	struct reply *items; /* in the arena */
	size_t count;
};
int target_fetch(struct ctl *c, const struct target *t, const char *namespace,
		 struct found_list *found, struct refusals *refused);
/* Prints them; the exit code. */
int refusals_print(const struct refusals *refused);

/* `No resources found in NS namespace.` on standard error; `namespace` NULL means all. */
void say_nothing_found(const char *namespace);

#endif
