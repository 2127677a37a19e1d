/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether bytes are UTF-8 (RFC 3629): what is none cannot be repeated in an answer. */
#ifndef SPILLWAY_BASE_UTF8_H
#define SPILLWAY_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Overlong forms, surrogates and what is beyond U+10FFFF are none. */
bool utf8_is_valid(const char *text, size_t len);

#endif
