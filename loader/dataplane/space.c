/* SPDX-License-Identifier: BSD-2-Clause */
/* A table that is replaced rests for a second before its lines are written again. */
#include "dataplane/space.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define REST_MS 1000

static int by_base(const void *a, const void *b)
{
	const struct line_range *x = a, *y = b;

	return x->base < y->base ? -1 : x->base > y->base;
}

static uint32_t range_end(const struct space *s, const struct line_range *r)
{
	return r->base + r->lines * s->unit;
}

void space_done(struct space *s)
{
	free(s->placed);
	free(s->resting);
	*s = (struct space){.unit = s->unit};
}

void space_set(struct space *s, const struct line_range *ranges, size_t count)
{
	const size_t room = s->resting_count + s->placed_count + 1;
	struct line_range *placed = calloc(count + 1, sizeof(*placed));
	struct resting *resting;
	size_t at = 0;

	if (!placed)
		return;
	if (count) {
		memcpy(placed, ranges, count * sizeof(*placed));
		qsort(placed, count, sizeof(*placed), by_base);
	}
	resting = realloc(s->resting, room * sizeof(*resting));
	for (size_t i = 0; resting && i < s->placed_count; i++) {
		const struct line_range *old = &s->placed[i];

		while (at < count && range_end(s, &placed[at]) < range_end(s, old))
			at++;
		if (at == count || placed[at].base > old->base)
			resting[s->resting_count++] = (struct resting){*old, clock_ms()};
	}
	if (resting)
		s->resting = resting;
	free(s->placed);
	s->placed = placed;
	s->placed_count = count;
}

void space_resting(struct space *s, struct arena *a, struct line_range **out, size_t *count)
{
	const uint64_t now = clock_ms();
	size_t kept = 0;

	for (size_t i = 0; i < s->resting_count; i++) {
		if (now - s->resting[i].freed_ms <= REST_MS)
			s->resting[kept++] = s->resting[i];
	}
	s->resting_count = kept;
	*out = arena_array(a, kept + 1, sizeof(**out));
	*count = kept;
	for (size_t i = 0; i < kept; i++)
		(*out)[i] = s->resting[i].range;
}
