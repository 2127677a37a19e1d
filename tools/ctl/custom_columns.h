/* SPDX-License-Identifier: BSD-2-Clause */
/* `-o custom-columns=TITLE:PATH,...`: a table of JSONPaths. */
#ifndef SPILLWAY_CTL_CUSTOM_COLUMNS_H
#define SPILLWAY_CTL_CUSTOM_COLUMNS_H

#include "ctl/table.h"
#include "manifest/node.h"

struct custom_column {
	const char *title;
	struct jsonpath *path;
};

/* Zero-initialise; in the arena. */
struct custom_columns {
	struct custom_column *items;
	size_t count;
};

/* -EINVAL, and the reason in *why in kubectl's words. */
int custom_columns_parse(struct arena *a, const char *text, struct custom_columns *out,
			 const char **why);
void custom_columns_head(const struct custom_columns *cc, struct table *t);
int custom_columns_row(const struct custom_columns *cc, const struct node *object, struct table *t,
		       const char **why);

#endif
