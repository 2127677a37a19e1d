/* SPDX-License-Identifier: BSD-2-Clause */
/* Values in messages, in the form that Go's %q gives them upstream. */
#ifndef SPILLWAY_MANIFEST_QUOTE_H
#define SPILLWAY_MANIFEST_QUOTE_H

#include "manifest/node.h"

/* A string quoted; numbers and the rest as JSON. In the arena. */
const char *quote_node(struct arena *a, const struct node *n);
const char *quote_text(struct arena *a, const char *text, size_t len);

/* A whole message, for what is in it without quotes of its own: only what is not printable. */
const char *quote_hidden(struct arena *a, const char *text);

#endif
