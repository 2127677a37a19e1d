/* SPDX-License-Identifier: BSD-2-Clause */
/* Drains as the daemon tells them: the list, and the wait for their end. */
#ifndef SPILLWAY_CTL_DRAIN_H
#define SPILLWAY_CTL_DRAIN_H

#include "ctl/ctl.h"
#include "ctl/output.h"

#define DRAINS_PATH "/apis/spillway.dev/v1alpha1/drains"

/* `spillway drain` without words: the drains under way. The exit code. */
int drain_list(struct ctl *c, enum output_form form);

/*
 * Waits until the drains of these endpoints ("ADDR:PORT") have ended, and shows how far they are.
 * 0 when all ended, 1 when `timeout_ms` (-1: no matter) passed first or one was called off. Without
 * a table only the outcome is printed, as `form` says.
 */
int drain_wait(struct ctl *c, const char *const *addresses, size_t count, int64_t timeout_ms,
	       enum output_form form);

/* How far some drains are, together. */
struct drain_sum {
	size_t endpoints, under_way; /* how many there are, and of those not ended */
	size_t uncounted;	     /* of those not ended: nobody knows of their flows */
	int64_t flows, flows_at_start;
	int64_t estimate_s; /* until the last flow ends; -1: unknown */
	int64_t deadline_s; /* the last one; -1: none */
	const char *then;   /* what becomes of the flows left then, when all agree; else NULL */
};

/* `rows` are drains of the daemon's answer. */
struct drain_sum drain_sum_of(const struct node *const *rows, size_t count);

/* Are the flows of this row, of a begun drain or one under way, known? Those of direct return are not. */
bool drain_is_counted(const struct node *row);

/* "37 of 120 flows left, about 2m10s; deadline in 8m, then reset", in `a`. */
const char *drain_sum_text(struct arena *a, const struct drain_sum *s);

/* "endpoint 10.0.0.1:80 done: no flows left", in `a`; NULL while the drain is under way. */
const char *drain_end_text(struct arena *a, const struct node *row);

#endif
