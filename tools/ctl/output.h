/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees as YAML or JSON on standard output, in kubectl's form: keys sorted, JSON indented by 4. */
#ifndef SPILLWAY_CTL_OUTPUT_H
#define SPILLWAY_CTL_OUTPUT_H

#include "ctl/ctl.h"
#include "ctl/target.h"

enum output_form {
	OUTPUT_TABLE,
	OUTPUT_WIDE,
	OUTPUT_NAME,
	OUTPUT_JSON,
	OUTPUT_YAML,
	/* These have an argument: FORM=ARGUMENT. */
	OUTPUT_JSONPATH,
	OUTPUT_JSONPATH_JSON,
	OUTPUT_COLUMNS,
};

/*
 * What flag "output" of the verb says; `allowed` has a bit (1 << form) for each form the verb has.
 * Nonzero, and said so, for another word.
 */
#define OUTPUT_BIT(form) (1u << (form))
int output_parse(struct ctl *c, unsigned int allowed, enum output_form *out);

/* What follows the `=` of such a form, "" if nothing. */
const char *output_argument(const struct ctl *c);

/* Keys in kubectl's order, in the whole tree. */
void output_sort(struct node *n);

/* `form` is OUTPUT_JSON or OUTPUT_YAML. The exit code. */
int output_tree(struct node *n, enum output_form form);

/* `kind: List` of the objects. */
struct node *output_list_node(struct arena *a, const struct found_list *found);
int output_list(struct ctl *c, const struct found_list *found, enum output_form form);

#define OUTPUT_FLAG(forms)                                                                         \
	{.name = "output",                                                                         \
	 .letter = 'o',                                                                            \
	 .type = FLAG_TEXT,                                                                        \
	 .value = "FORM",                                                                          \
	 .offers = forms,                                                                          \
	 .help = "Output form, one of: " forms}

#endif
