/* SPDX-License-Identifier: BSD-2-Clause */
/* One `spillway get`: what is asked for, and in which form it is shown. */
#ifndef SPILLWAY_CTL_GET_H
#define SPILLWAY_CTL_GET_H

#include "ctl/columns.h"
#include "ctl/custom_columns.h"
#include "ctl/output.h"
#include "ctl/object_selector.h"

struct jsonpath;

struct get {
	struct ctl *c;
	struct targets targets;
	const char *namespace; /* NULL: all */
	struct object_selector selector;
	enum output_form form;
	struct jsonpath *path; /* of the forms with JSONPath */
	const char *path_text;
	struct custom_columns columns;
	struct columns_view view;
};

/* What -o, --show-labels and the like say; nonzero, and said so, for nonsense. */
int get_parse_form(struct get *g);

/* All objects at once, as one answer. The exit code. */
int get_print(struct get *g, const struct found_list *found);

/* Objects one by one, below what was printed before: of a watch. */
struct get_stream {
	bool titled;
	struct table seen; /* its widths */
};
/* `a` holds what is needed until it returns. */
int get_print_more(struct get *g, struct get_stream *s, struct arena *a,
		   const struct found_list *found);

/* `--watch`: until it is interrupted. The exit code. */
int get_watch(struct get *g);

#endif
