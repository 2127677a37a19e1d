/* SPDX-License-Identifier: BSD-2-Clause */
/* Which flows of an endpoint are its oldest: one at a time, in any order. */
#ifndef SPILLWAY_DATAPLANE_OLDEST_H
#define SPILLWAY_DATAPLANE_OLDEST_H

#include "dataplane/dataplane.h"

/* One list for each of these endpoints, ordered by number; returns their count. */
size_t oldest_start(struct oldest_flows *lists, const uint32_t *ids, size_t count);
/* Notes a flow in the list of its endpoint, if that has one and the flow is open. */
void oldest_note(struct oldest_flows *lists, size_t count, const struct flow_row *row);

#endif
