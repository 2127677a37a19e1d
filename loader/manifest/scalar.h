/* SPDX-License-Identifier: BSD-2-Clause */
/* What a plain YAML 1.1 scalar means, as kubectl reads it. */
#ifndef SPILLWAY_MANIFEST_SCALAR_H
#define SPILLWAY_MANIFEST_SCALAR_H

#include "manifest/node.h"

enum scalar_type {
	SCALAR_STRING,
	SCALAR_NULL,
	SCALAR_BOOL,
	SCALAR_INT,
	SCALAR_FLOAT,
};

struct scalar {
	enum scalar_type type;
	bool boolean;
	int64_t integer;
	double number; /* SCALAR_FLOAT, also what exceeds int64_t */
};

/* `text` is NUL-terminated; one with NUL bytes inside is a string. */
struct scalar scalar_resolve(const char *text, size_t len);

/* "a bool", "!!str" ... of messages. */
const char *scalar_tag(enum scalar_type type);

#endif
