/* SPDX-License-Identifier: BSD-2-Clause */
/* The columns of `get` by kind, and the small texts they share with other verbs. */
#ifndef SPILLWAY_CTL_COLUMNS_H
#define SPILLWAY_CTL_COLUMNS_H

#include "ctl/ctl.h"
#include "ctl/table.h"

struct columns_view {
	struct ctl *c;
	bool namespaces;   /* a NAMESPACE column in front */
	bool kind_in_name; /* several kinds in one answer */
	bool wide;
	bool labels;	  /* a LABELS column behind all */
	struct use *uses; /* wide: what services use, by Backend and address */
	size_t use_count;
};

/* Takes what `-o wide` needs from the daemon's `services`; NULL is fine. */
void columns_note_services(struct columns_view *v, const struct node *services);

void columns_head(const struct columns_view *v, const struct kind *kind, struct table *t);
void columns_row(const struct columns_view *v, const struct kind *kind, const struct node *object,
		 struct table *t);

/* kubectl's age of an RFC 3339 time ("4h"), or "<unknown>". */
const char *age_text(struct arena *a, const char *rfc3339, int64_t now_s);

/* The condition of status.conditions with this type, or NULL. */
const struct node *find_condition(const struct node *object, const char *type);

#endif
