/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers for endpoints and services that stay the same across reloads and restarts. Seeded from
 * the tables read back, so the maps themselves are the memory.
 */
#ifndef SPILLWAY_TABLES_IDS_H
#define SPILLWAY_TABLES_IDS_H

#include "model/model.h"
#include "tables/tables.h"

struct ids;

struct ids_limits {
	uint32_t max_endpoints; /* ids 1 .. max - 1 */
	uint32_t max_services;	/* ids 0 .. max - 1 */
};

struct ids *ids_new(const struct ids_limits *limits);
void ids_free(struct ids *ids);
AUTO_DEFINE(struct ids *, ids_free)

/* Takes over the numbers in use, once, at start. */
void ids_seed(struct ids *ids, const struct tables *have);

/*
 * Numbers for everything in the model that the packet path knows; what has one keeps it. An endpoint whose address,
 * port and mode are known but whose profile changed keeps its number if nothing else wants it, so
 * that an edited policy disturbs no flow. Numbers of what has gone rest until ids_release().
 * -ENOSPC and a sentence in *why (in the model's arena) when they do not fit; nothing changed then.
 */
int ids_assign(struct ids *ids, const struct model *m, const char **why);
/*
 * Takes the latest ids_assign() back, as if it had not been: false when that cannot be, since it was
 * settled, or numbers were released. ids_settle(): it is in force.
 */
bool ids_undo(struct ids *ids);
void ids_settle(struct ids *ids);

/* After ids_assign() on this model; instances that are not carried have SPW_ENDPOINT_NONE. */
uint32_t ids_endpoint(const struct ids *ids, const struct instance *i);
uint32_t ids_service(const struct ids *ids, const struct service *s);

/* Endpoint numbers that are not free: used, or resting. */
uint32_t ids_endpoints_taken(const struct ids *ids);

/*
 * Endpoint numbers that rest: gone from the model, perhaps still in flows. Calls fn for each; when
 * it returns true (no flow has it any more) the number is free again.
 */
void ids_release(struct ids *ids, bool (*fn)(void *ctx, uint32_t endpoint_id), void *ctx);

#endif
