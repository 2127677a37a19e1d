/* SPDX-License-Identifier: BSD-2-Clause */
/* The flags of `delete`, with kubectl's words for those that do not go together. */
#ifndef SPILLWAY_CTL_DELETE_TERMS_H
#define SPILLWAY_CTL_DELETE_TERMS_H

#include "ctl/commit.h"

struct delete_terms {
	enum dry_run dry;
	struct node *selector; /* or NULL */
	bool all, everywhere;
	bool ignore;	 /* what is not there is no error */
	bool only_names; /* -o name */
	bool forced;	 /* said so, as kubectl does; nothing is graceful here */
};

/* Nonzero, and said so, for a mistake. */
int delete_terms_read(struct ctl *c, struct delete_terms *out);

#endif
