/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of server ids, as packets look into them (<spillway/quic.h>). */
#ifndef SPILLWAY_TABLES_QUIC_H
#define SPILLWAY_TABLES_QUIC_H

#include "model/quic.h"
#include "tables/tables.h"

/* Of a map with ids; endpoints[i] is the number of its i-th one's. In `a`; equal input, equal table. */
void quic_build(struct arena *a, const struct quic_map *map, const uint16_t *endpoints,
		struct table_slots *out);

/* As packets look it up; SPW_ENDPOINT_NONE: nobody's. */
uint32_t quic_find(const struct table_slots *t, const union spw_quic_key *key);

#endif
