/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks for a text in bytes that arrive in pieces, in memory that depends on the text alone and
 * not on how much the endpoint sends.
 */
#ifndef SPILLWAY_HEALTH_FINDER_H
#define SPILLWAY_HEALTH_FINDER_H

#include <stdbool.h>

#include "model/check.h"

/* Zero-initialise; finder_done() releases it. */
struct finder {
	uint8_t *seam; /* the latest bytes that may begin a match, with room for as many again */
	size_t kept;
	bool found;
};

int finder_init(struct finder *f, const struct check_payload *text);
void finder_done(struct finder *f);

/* `text` has the bytes finder_init() was given, though it may have moved. Returns f->found. */
bool finder_feed(struct finder *f, const struct check_payload *text, const void *data, size_t len);

#endif
