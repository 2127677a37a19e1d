/* SPDX-License-Identifier: BSD-2-Clause */
/* The pages of docs/reference/, in markdown, from the tables that the program itself uses. */
#ifndef SPILLWAY_CTL_REFERENCE_H
#define SPILLWAY_CTL_REFERENCE_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "manifest/kind.h"

/* Under each page's title. */
#define REFERENCE_NOTE                                                                             \
	"Made by `make docs` from the program's own tables; a change goes there, not here.\n\n"

/* A cell of a table: on one line, and `|` is no border. In the arena. */
const char *reference_cell(struct arena *a, const char *text);

void reference_kind(struct arena *a, struct strbuf *out, const struct kind *k);
void reference_metadata(struct arena *a, struct strbuf *out);
void reference_annotations(struct arena *a, struct strbuf *out);
void reference_limits(struct arena *a, struct strbuf *out);

#endif
