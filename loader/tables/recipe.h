/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that the tables of a service are made of, in words: services with equal recipes have equal tables. What
 * shares_compute() and the tables look at besides belongs in here, or they would not follow it.
 */
#ifndef SPILLWAY_TABLES_RECIPE_H
#define SPILLWAY_TABLES_RECIPE_H

#include "model/health_view.h"
#include "model/model.h"
#include "tables/ids.h"

struct recipe {
	uint64_t *words; /* in the arena */
	size_t count;
	size_t members; /* of all localities, in order */
	bool direct;	/* one of them is of direct return */
};

struct recipe recipe_of(struct arena *a, const struct service *s, const struct health_view *v,
			const struct ids *ids);

#endif
