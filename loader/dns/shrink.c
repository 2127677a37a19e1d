/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Half is measured from what the set had when its step began, so that answers which come faster
 * than the steps cannot halve it again and again.
 */
#include "dns/shrink.h"

#include <string.h>

#include "base/addr.h"

static bool has(const struct spw_addr *addrs, size_t count, const struct spw_addr *a)
{
	for (size_t i = 0; i < count; i++)
		if (addr_equal(&addrs[i], a))
			return true;
	return false;
}

static void insert(struct shrink *s, const struct spw_addr *a)
{
	size_t at = s->count++;

	for (; at > 0 && addr_compare(&s->addrs[at - 1], a) > 0; at--)
		s->addrs[at] = s->addrs[at - 1];
	s->addrs[at] = *a;
}

static void note_empty(struct shrink *s, size_t count, uint64_t now_ms)
{
	if (count) {
		s->empty_answers = 0;
		return;
	}
	if (s->empty_answers == 0)
		s->empty_ms = now_ms;
	s->empty_answers++;
}

/* The fewest that may be left. */
static size_t least(const struct shrink *s, uint64_t now_ms, const struct shrink_times *t)
{
	if (s->from)
		return (s->from + 1) / 2;
	if (s->count == 1 && s->empty_answers >= SHRINK_EMPTY_ANSWERS &&
	    now_ms - s->empty_ms >= t->confirm_ms)
		return 0;
	return (s->count + 1) / 2;
}

bool shrink_take(struct shrink *s, const struct spw_addr *addrs, size_t count, uint64_t now_ms,
		 const struct shrink_times *t)
{
	const struct shrink was = *s;
	size_t floor;

	if (s->count >= s->from || now_ms - s->stepped_ms >= t->step_ms)
		s->from = 0;
	note_empty(s, count, now_ms);
	floor = least(s, now_ms, t);
	s->answered = count;
	s->count = count;
	memcpy(s->addrs, addrs, count * sizeof(*addrs));
	for (size_t i = 0; i < was.count && s->count < floor; i++)
		if (!has(addrs, count, &was.addrs[i]))
			insert(s, &was.addrs[i]);
	if (s->count < was.count && !s->from) {
		s->from = was.count;
		s->stepped_ms = now_ms;
	}
	return s->count != was.count ||
	       memcmp(s->addrs, was.addrs, s->count * sizeof(*s->addrs)) != 0;
}
