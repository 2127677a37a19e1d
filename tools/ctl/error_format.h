/* SPDX-License-Identifier: BSD-2-Clause */
/* --error-format: what goes wrong as text, or as datumctl's envelope in JSON or YAML. */
#ifndef SPILLWAY_CTL_ERROR_FORMAT_H
#define SPILLWAY_CTL_ERROR_FORMAT_H

#include "base/arena.h"
#include "manifest/node.h"

enum error_format { ERROR_HUMAN, ERROR_JSON, ERROR_YAML };

/*
 * The flag among all words, before they are parsed, so that mistakes in them have its form too.
 * Nonzero, and said so, for another value.
 */
int error_format_find(int argc, char **argv, enum error_format *out);

/* From here to error_format_end() standard error is kept back, unless it is for humans. */
void error_format_begin(enum error_format format);
/* Prints what was kept: after a failure as an envelope, else as it is. Returns `code`. */
int error_format_end(struct arena *a, int code);

/* The descriptor of the real standard error. */
int error_format_fd(void);

/* {"error": {...}} of the text of a failure. */
struct node *error_envelope(struct arena *a, const char *text);

#endif
