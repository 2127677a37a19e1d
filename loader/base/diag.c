/* SPDX-License-Identifier: BSD-2-Clause */
/* Collecting and printing of diagnostics, in the order in which they were found. */
#include "base/diag.h"

void diags_init(struct diags *d, struct arena *arena)
{
	*d = (struct diags){.arena = arena};
}

static void add(struct diags *d, struct diag item)
{
	*arena_push(d->arena, d->items, d->count) = item;
	if (item.severity == DIAG_ERROR)
		d->errors++;
	else
		d->warnings++;
}

void diag_add(struct diags *d, struct loc loc, const char *fmt, ...)
{
	struct diag item = {.severity = DIAG_ERROR, .loc = loc};
	va_list ap;

	va_start(ap, fmt);
	item.text = arena_vprintf(d->arena, fmt, ap);
	va_end(ap);
	add(d, item);
}

void diag_warn(struct diags *d, struct loc loc, const char *fmt, ...)
{
	struct diag item = {.severity = DIAG_WARNING, .loc = loc};
	va_list ap;

	va_start(ap, fmt);
	item.text = arena_vprintf(d->arena, fmt, ap);
	va_end(ap);
	add(d, item);
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
