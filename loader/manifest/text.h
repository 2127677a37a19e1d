/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of a file as UTF-8, and places in them. */
#ifndef SPILLWAY_MANIFEST_TEXT_H
#define SPILLWAY_MANIFEST_TEXT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"

struct text {
	const char *bytes; /* UTF-8 as far as the file was; no byte order mark */
	size_t len;
};

/* UTF-16 with a byte order mark becomes UTF-8 (in the arena); a UTF-8 mark is skipped. */
struct text text_decode(struct arena *a, const char *bytes, size_t len);

/*
 * For a text that begins with `{`: pairs of \uD8xx\uDCxx escapes become \U000xxxxx, which YAML
 * understands. Returns `t` itself when there are none.
 */
struct text text_join_surrogates(struct arena *a, struct text t);
/* Where the `{` is that a text begins with, blanks aside; SIZE_MAX when there is none. */
size_t text_json_start(struct text t);

/* Line breaks as YAML counts them between two offsets. */
int text_lines(struct text t, size_t from, size_t to);
/* Offset of the code point number `index`. */
size_t text_offset(struct text t, size_t index);
/* Line and column (from 1) of a byte offset, lines counted from `first_line`. */
struct loc text_loc(struct text t, size_t offset, const char *file, int first_line);
/* Offset of the next line from `from` on that begins a document (`---`); t.len when none. */
size_t text_next_document(struct text t, size_t from);
/* Offset of the last such line in (from, to]; `from` when there is none. */
size_t text_last_document(struct text t, size_t from, size_t to);

#endif
