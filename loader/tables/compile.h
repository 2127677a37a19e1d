/* SPDX-License-Identifier: BSD-2-Clause */
/* From model and health to tables; pure and deterministic: equal input, equal tables anywhere. */
#ifndef SPILLWAY_TABLES_COMPILE_H
#define SPILLWAY_TABLES_COMPILE_H

#include "base/cleanup.h"
#include "model/health_view.h"
#include "model/model.h"
#include "tables/ids.h"
#include "tables/tables.h"

/*
 * What a service's new flows get, for `endpoints` and `describe`: one row per member of each
 * locality, in the model's order. Parts per million of the new flows.
 */
struct share {
	const struct locality *locality;
	const struct instance *instance;
	const struct object *backend;
	const char *zone; /* or NULL */
	uint32_t share_ppm;
};

struct tier_summary {
	uint32_t total, healthy;    /* endpoints */
	uint32_t available_percent; /* min(100, 140 * healthy / total), Envoy's integers */
	uint32_t load_percent;	    /* share of new flows, Envoy's integers */
	bool panic;
};

struct service_plan {
	struct tier_summary tiers[MODEL_TIERS];
	struct share *shares;
	size_t share_count;
};

/*
 * Slots computed before, by what they were computed from: a rebuild fills only the tables whose
 * endpoints changed. It holds what the latest tables_compile() used. Not thread-safe.
 */
struct table_cache;

struct table_cache *table_cache_new(void); /* NULL when out of memory */
void table_cache_free(struct table_cache *c);
AUTO_DEFINE(struct table_cache *, table_cache_free)

/*
 * `cache` may be NULL; the result is the same with or without. -ENOSPC with a sentence in *why when
 * the tables exceed what the maps hold (`slot_lines` of 32 slots); *out is untouched then, and the
 * cache keeps what it had. Everything in *out lives in `a`.
 */
int tables_compile(struct arena *a, const struct model *m, const struct health_view *v,
		   const struct ids *ids, uint32_t slot_lines, struct table_cache *cache,
		   struct tables *out, const char **why);

/* The arithmetic of one service, by the same code that compiles it. */
void tables_plan(struct arena *a, const struct service *s, const struct health_view *v,
		 struct service_plan *out);

#endif
