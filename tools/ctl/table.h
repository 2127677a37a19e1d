/* SPDX-License-Identifier: BSD-2-Clause */
/* Columns as kubectl prints them: three spaces between, none behind the last, at least six wide. */
#ifndef SPILLWAY_CTL_TABLE_H
#define SPILLWAY_CTL_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"

#define TABLE_COLUMNS_MAX 28

struct table_row {
	const char *cells[TABLE_COLUMNS_MAX];
	size_t count;
};

/* Cells live in the arena, or longer. */
struct table {
	struct arena *arena;
	struct table_row *rows;
	size_t row_count;
	size_t width[TABLE_COLUMNS_MAX];
	const char *indent; /* in front of each line; NULL: nothing */
};

void table_init(struct table *t, struct arena *a);
/* Begins a row; the cells that follow are its. */
void table_row(struct table *t);
void table_cell(struct table *t, const char *text); /* NULL is empty */
void table_cellf(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A row of headings: their words, separated by single spaces. */
void table_head(struct table *t, const char *words);
void table_print(const struct table *t, FILE *out);

#endif
