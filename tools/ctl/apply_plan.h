/* SPDX-License-Identifier: BSD-2-Clause */
/* What an apply is to do, from its command line and files; and what it would do. */
#ifndef SPILLWAY_CTL_APPLY_PLAN_H
#define SPILLWAY_CTL_APPLY_PLAN_H

#include "ctl/write.h"

struct apply_plan {
	struct ctl *c;
	struct resources rs;
	struct node *prune; /* or NULL */
	enum dry_run dry;
	enum output_form form;
	bool server_side;
};

/* Fills in all but `c`. Nonzero, and said so, when the flags or the files are mistaken. */
int apply_plan_read(struct apply_plan *p);

/* "created", "configured" or "unchanged", by what is stored. Nonzero, and said so, on failure. */
int apply_foresee(const struct apply_plan *p, const struct resource *r, const char **outcome);

#endif
