/* SPDX-License-Identifier: BSD-2-Clause */
/* Base64 of RFC 4648 section 4, read as Go reads it: line breaks anywhere are skipped. */
#ifndef SPILLWAY_MANIFEST_BASE64_H
#define SPILLWAY_MANIFEST_BASE64_H

#include <stdint.h>

#include "base/arena.h"

struct base64_bytes {
	const uint8_t *bytes; /* in the arena; a NUL follows */
	size_t len;
};

/* -1, or the offset of the byte that Go's decoder would name. */
int64_t base64_decode(struct arena *a, const char *text, size_t len, struct base64_bytes *out);
/* On one line, with padding. */
const char *base64_encode(struct arena *a, const void *bytes, size_t len);

#endif
