/* SPDX-License-Identifier: BSD-2-Clause */
/* Mistakes in manifests, each with its place; all of one run are collected, then shown. */
#ifndef SPILLWAY_BASE_DIAG_H
#define SPILLWAY_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"

/* Where something was written. `file` NULL means the place is unknown (an API request). */
struct loc {
	const char *file; /* in the arena of whatever holds the loc */
	int line;	  /* from 1, in the whole file; 0: unknown */
	int column;	  /* from 1, in code points */
};

enum diag_severity {
	DIAG_ERROR,   /* refuses the whole apply */
	DIAG_WARNING, /* stored with a condition; `validate` counts it as an error */
};

struct diag {
	enum diag_severity severity;
	struct loc loc;
	const char *text; /* no place, no full stop */
	size_t subject;	  /* diags.subject of then */
};

/* Owned by the caller; texts live in `arena`. */
struct diags {
	struct arena *arena;
	struct diag *items;
	size_t count;
	size_t errors;
	size_t warnings;
	size_t subject; /* of what is added from now on: a number that the adder gives it; 0: none */
};

void diags_init(struct diags *d, struct arena *arena);
void diag_add(struct diags *d, struct loc loc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void diag_warn(struct diags *d, struct loc loc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* One line each: `FILE:LINE:COLUMN: text`; warnings as `FILE:LINE:COLUMN: warning: text`. */
void diags_print(const struct diags *d, FILE *out);

/* "FILE:LINE:COLUMN" as far as it is known, in the arena; "" when nothing is. */
const char *loc_text(struct arena *a, struct loc loc);

#endif
