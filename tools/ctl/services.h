/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's view of services and endpoints, for the verbs that show health. */
#ifndef SPILLWAY_CTL_SERVICES_H
#define SPILLWAY_CTL_SERVICES_H

#include "ctl/ctl.h"

/*
 * The whole answer, its "services" reduced to those of a namespace (NULL: all) and a name
 * ("ROUTE" or "NS/ROUTE", NULL: all). Nonzero, and said so, on failure.
 */
int services_fetch(struct ctl *c, const char *namespace, const char *name, struct node **out);

/* The services of all namespaces, or NULL where they cannot be had; says nothing. */
const struct node *services_try(struct ctl *c);

/* A number that may be written as an integer or with a fraction: "46.5", "100". In `a`. */
const char *number_text(struct arena *a, const struct node *n);

/* What an operator should know of an endpoint: its problem, else the reason of its state. */
const char *endpoint_reason(const struct node *endpoint);

/*
 * One tier's arithmetic in a line, for the tier at `index` of the service's "tiers":
 * "tier 0: 2/3 up x 1.4 = 93 %; tier 1 takes 7 %". NULL when the tier has no endpoint.
 */
const char *tier_text(struct arena *a, const struct node *tiers, size_t index);

#endif
