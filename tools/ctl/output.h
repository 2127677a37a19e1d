/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees as YAML or JSON on standard output, in kubectl's form: keys sorted, JSON indented by 4. */
#ifndef SPILLWAY_CTL_OUTPUT_H
#define SPILLWAY_CTL_OUTPUT_H

#include "ctl/ctl.h"
#include "ctl/target.h"

enum output_form { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_NAME, OUTPUT_JSON, OUTPUT_YAML };

/*
 * What flag "output" of the verb says; `allowed` has a bit (1 << form) for each form the verb has.
 * Nonzero, and said so, for another word.
 */
#define OUTPUT_BIT(form) (1u << (form))
int output_parse(struct ctl *c, unsigned int allowed, enum output_form *out);

/* Puts the keys of all maps in order, as kubectl has them in YAML. */
void output_sort(struct node *n);

/* `form` is OUTPUT_JSON or OUTPUT_YAML. The exit code. */
int output_tree(struct node *n, enum output_form form);

/* `kind: List` of the objects. */
int output_list(struct ctl *c, const struct found_list *found, enum output_form form);

#define OUTPUT_FLAG(forms)                                                                         \
	{.name = "output",                                                                         \
	 .letter = 'o',                                                                            \
	 .type = FLAG_TEXT,                                                                        \
	 .value = "FORM",                                                                          \
	 .help = "Output form, one of: " forms}

#endif
