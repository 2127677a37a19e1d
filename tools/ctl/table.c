/* SPDX-License-Identifier: BSD-2-Clause */
/* All cells first, then widths, then lines. Width is counted in code points. */
#include "ctl/table.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "ctl/terminal.h"

#define GAP	  3
#define WIDTH_MIN 6

static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

void table_init(struct table *t, struct arena *a)
{
	*t = (struct table){.arena = a};
	for (size_t i = 0; i < TABLE_COLUMNS_MAX; i++)
		t->width[i] = WIDTH_MIN;
}

void table_row(struct table *t)
{
	(void)arena_push(t->arena, t->rows, t->row_count);
}

/* What is behind the first line would tear the table. */
static const char *first_line(struct arena *a, const char *text)
{
	size_t len = strcspn(text, "\r\n");

	return text[len] ? arena_printf(a, "%.*s...", (int)len, text) : text;
}

void table_cell(struct table *t, const char *text)
{
	struct table_row *row;
	size_t width;

	assert(t->row_count && t->rows[t->row_count - 1].count < TABLE_COLUMNS_MAX);
	row = &t->rows[t->row_count - 1];
	text = text ? terminal_safe(t->arena, first_line(t->arena, text)) : "";
	width = width_of(text) + GAP;
	if (width > t->width[row->count])
		t->width[row->count] = width;
	row->cells[row->count++] = text;
}

void table_cellf(struct table *t, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(t->arena, fmt, ap);
	va_end(ap);
	table_cell(t, text);
}

void table_head(struct table *t, const char *words)
{
	size_t len;

	table_row(t);
	while (*words) {
		len = strcspn(words, " ");
		table_cell(t, arena_strndup(t->arena, words, len));
		words += len + (words[len] == ' ');
	}
}

/* How many cells there are up to the last that holds something: no blanks at a line's end. */
static size_t used_cells(const struct table_row *row)
{
	size_t count = row->count;

	while (count && !row->cells[count - 1][0])
		count--;
	return count;
}

void table_print(const struct table *t, FILE *out)
{
	const struct table_row *row;
	size_t count;

	for (size_t i = 0; i < t->row_count; i++) {
		row = &t->rows[i];
		count = used_cells(row);
		fputs(t->indent ? t->indent : "", out);
		for (size_t j = 0; j < count; j++) {
			fputs(row->cells[j], out);
			if (j + 1 < count)
				fprintf(out, "%*s", (int)(t->width[j] - width_of(row->cells[j])),
					"");
		}
		fputc('\n', out);
	}
}
