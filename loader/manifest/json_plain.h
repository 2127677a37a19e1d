/* SPDX-License-Identifier: BSD-2-Clause */
/* A reader of JSON, several times as fast as jansson, that knows right from doubtful, not right from wrong. */
#ifndef SPILLWAY_MANIFEST_JSON_PLAIN_H
#define SPILLWAY_MANIFEST_JSON_PLAIN_H

#include "manifest/node.h"

enum json_plain {
	JSON_PLAIN_READ,
	JSON_PLAIN_TOO_LARGE, /* for what a tree may hold */
	JSON_PLAIN_UNSURE,    /* a mistake, or a number that is too long: ask jansson */
};

/* What is read is what jansson would have read. Nothing is said of mistakes. *out only when it was read. */
enum json_plain json_plain_read(struct arena *a, const char *text, size_t len, struct node **out);

#endif
