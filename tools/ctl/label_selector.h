/* SPDX-License-Identifier: BSD-2-Clause */
/* Label selectors as kubectl writes them after -l: `app=web,tier in (a, b),!old`. */
#ifndef SPILLWAY_CTL_LABEL_SELECTOR_H
#define SPILLWAY_CTL_LABEL_SELECTOR_H

#include "ctl/ctl.h"

/*
 * Makes a LabelSelector (matchLabels, matchExpressions) of the text; NULL, and a sentence in *why,
 * when it is none. An empty text selects everything.
 */
struct node *label_selector_parse(struct arena *a, const char *text, const char **why);

/* Whether an object's labels match; NULL matches everything. */
bool label_selector_matches(const struct node *selector, struct node *object);

#define LABEL_SELECTOR_FLAG(text)                                                                  \
	{.name = "selector", .letter = 'l', .type = FLAG_TEXT, .value = "SELECTOR", .help = text}

/* Flag "selector" of the verb: *out is NULL without it. Nonzero, and said so, for a mistake. */
int label_selector_read(struct ctl *c, struct node **out);

#endif
