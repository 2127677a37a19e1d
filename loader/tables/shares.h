/* SPDX-License-Identifier: BSD-2-Clause */
/* From a service and the health of its endpoints to shares of new flows: the arithmetic alone. */
#ifndef SPILLWAY_TABLES_SHARES_H
#define SPILLWAY_TABLES_SHARES_H

#include "model/health_view.h"
#include "model/model.h"
#include "tables/compile.h"
#include "tables/quota.h"

/* One share: a member of one locality. */
struct part {
	const struct locality *locality;
	const struct instance *instance;
	const struct object *backend;
	const char *zone; /* or NULL */
	size_t place;	  /* in the model's order */
	uint64_t home;	  /* of SHARE_ONE: when everything is up */
	uint64_t now;	  /* now */
	uint64_t
		spare; /* of the table of another tier, see shares.c; 0 for all when there is none */
};

struct parts {
	struct part *items; /* in the model's order */
	size_t count;
	struct tier_summary tiers[MODEL_TIERS];
};

void shares_compute(struct arena *a, const struct service *s, const struct health_view *v,
		    struct parts *out);

/* What is known of an instance; up and automatic when the view does not reach it. */
struct health_entry shares_health(const struct health_view *v, const struct instance *i);

#endif
