/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Only the last length - 1 bytes can belong to a match that is not complete yet; they are kept,
 * and looked at together with as many of the next piece.
 */
#include "health/finder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int finder_init(struct finder *f, const struct check_payload *text)
{
	uint8_t *seam = NULL;

	if (text->len > 1) {
		seam = malloc(2 * (text->len - 1));
		if (!seam)
			return -ENOMEM;
	}
	*f = (struct finder){.seam = seam, .found = text->len == 0};
	return 0;
}

void finder_done(struct finder *f)
{
	free(f->seam);
	f->seam = NULL;
}

/* Keeps the last `most` bytes of what was kept and `data`. */
static void keep(struct finder *f, size_t most, const uint8_t *data, size_t len)
{
	size_t old = most - (len < most ? len : most);

	if (old > f->kept)
		old = f->kept;
	if (len > most) {
		data += len - most;
		len = most;
	}
	memmove(f->seam, f->seam + f->kept - old, old);
	memcpy(f->seam + old, data, len);
	f->kept = old + len;
}

bool finder_feed(struct finder *f, const struct check_payload *text, const void *data, size_t len)
{
	size_t most = text->len ? text->len - 1 : 0;
	size_t head = len < most ? len : most;

	if (f->found || len == 0)
		return f->found;
	if (f->kept) {
		memcpy(f->seam + f->kept, data, head);
		f->found = memmem(f->seam, f->kept + head, text->bytes, text->len) != NULL;
	}
	if (!f->found)
		f->found = memmem(data, len, text->bytes, text->len) != NULL;
	if (!f->found && most)
		keep(f, most, data, len);
	return f->found;
}
