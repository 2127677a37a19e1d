/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8 (RFC 3629): what is none cannot be repeated in an answer. */
#ifndef SPILLWAY_BASE_UTF8_H
#define SPILLWAY_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Overlong forms, surrogates and what is beyond U+10FFFF are none. */
bool utf8_is_valid(const char *text, size_t len);

/* Puts a question mark in the place of each byte that is none. */
void utf8_mend(char *text);

/* A code point up to U+10FFFF; how many bytes of `out` it takes, at most four. */
size_t utf8_put(char *out, uint32_t c);

#endif
