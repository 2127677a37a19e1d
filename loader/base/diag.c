/* SPDX-License-Identifier: BSD-2-Clause */
/* Collecting and printing of diagnostics, in the order in which they were found. */
#include "base/diag.h"

#include <string.h>

#include "base/limits.h"

/* At a character's end. */
static const char *cut(struct arena *a, char *text)
{
	size_t len = strlen(text), end = LIMIT_MISTAKE_BYTES;

	if (len <= end)
		return text;
	while (end && ((unsigned char)text[end] & 0xc0) == 0x80)
		end--;
	return arena_printf(a, "%.*s... (and %zu more bytes)", (int)end, text, len - end);
}

void diags_init(struct diags *d, struct arena *arena)
{
	*d = (struct diags){.arena = arena};
}

/* A hostile text makes a mistake of every few bytes. What is not kept is counted all the same. */
static void add(struct diags *d, struct diag item, const char *fmt, va_list ap)
{
	if (item.severity == DIAG_ERROR)
		d->errors++;
	else
		d->warnings++;
	if (d->count > LIMIT_MISTAKES)
		return;
	item.subject = d->subject;
	if (d->count == LIMIT_MISTAKES)
		item.text = arena_printf(d->arena,
					 "error: more than %d mistakes: the others are not shown",
					 LIMIT_MISTAKES);
	else
		item.text = cut(d->arena, arena_vprintf(d->arena, fmt, ap));
	*arena_push(d->arena, d->items, d->count) = item;
}

void diag_add(struct diags *d, struct loc loc, const char *fmt, ...)
{
	struct diag item = {.severity = DIAG_ERROR, .loc = loc};
	va_list ap;

	va_start(ap, fmt);
	add(d, item, fmt, ap);
	va_end(ap);
}

void diag_warn(struct diags *d, struct loc loc, const char *fmt, ...)
{
	struct diag item = {.severity = DIAG_WARNING, .loc = loc};
	va_list ap;

	va_start(ap, fmt);
	add(d, item, fmt, ap);
	va_end(ap);
}

const char *loc_text(struct arena *a, struct loc loc)
{
	if (!loc.file)
		return "";
	if (loc.line <= 0)
		return loc.file;
	return arena_printf(a, "%s:%d:%d", loc.file, loc.line, loc.column);
}

void diags_print(const struct diags *d, FILE *out)
{
	const char *place;

	for (size_t i = 0; i < d->count; i++) {
		place = loc_text(d->arena, d->items[i].loc);
		fprintf(out, "%s%s%s%s\n", place, place[0] ? ": " : "",
			d->items[i].severity == DIAG_WARNING ? "warning: " : "", d->items[i].text);
	}
}
