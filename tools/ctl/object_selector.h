/* SPDX-License-Identifier: BSD-2-Clause */
/* `-l` and `--field-selector`: which objects of a list are meant. */
#ifndef SPILLWAY_CTL_OBJECT_SELECTOR_H
#define SPILLWAY_CTL_OBJECT_SELECTOR_H

#include "ctl/label_selector.h"

struct field_term;

/* Zero: everything. */
struct object_selector {
	struct node *labels;	   /* of label_selector_parse(), or NULL */
	struct field_term *fields; /* in the arena; all must hold */
	size_t field_count;
};

/* Adds `metadata.name=v`, `metadata.namespace!=v`, with commas between. -EINVAL, and a sentence in *why. */
int object_selector_read_fields(struct arena *a, const char *text, struct object_selector *s,
				const char **why);

/* Does it leave anything out? */
bool object_selector_is_set(const struct object_selector *s);
bool object_selector_matches(const struct object_selector *s, struct node *object);

/* What the verb's flags "selector" and "field-selector" say; nonzero, and said so, for nonsense. */
int object_selector_of_flags(struct ctl *c, struct object_selector *out);
#define SELECTOR_FLAGS                                                                             \
	{.name = "selector",                                                                       \
	 .letter = 'l',                                                                            \
	 .type = FLAG_TEXT,                                                                        \
	 .value = "LABELS",                                                                        \
	 .help = "Only objects with these labels: k=v, k!=v, k in (a,b), k notin (a,b), k, !k"},   \
		{.name = "field-selector",                                                         \
		 .type = FLAG_TEXT,                                                                \
		 .value = "FIELDS",                                                                \
		 .help = "Only objects with this metadata.name or metadata.namespace: FIELD=v, "   \
			 "FIELD!=v"}

#endif
