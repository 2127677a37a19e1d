/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiled rows, shaped like the maps. `want` is made by tables_compile(), `have` is read back from
 * the pinned maps; both are this one type, so start, reload, health change and recovery are one
 * code path: read back, compile, diff, apply.
 */
#ifndef SPILLWAY_TABLES_TABLES_H
#define SPILLWAY_TABLES_TABLES_H

#include <spillway/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/strbuf.h"

#define TABLE_NONE     UINT32_MAX /* no slot table */
#define TABLE_UNPLACED UINT32_MAX /* slots not in the map yet */

struct table_endpoint {
	uint32_t id; /* 1..SPW_ENDPOINTS_LIMIT - 1 */
	struct spw_addr addr;
	uint16_t port;	  /* host order */
	uint8_t mode;	  /* enum spw_mode */
	uint8_t flags;	  /* enum spw_endpoint_flag */
	uint8_t was_mode; /* of a removed one (SPW_MODE_NONE) of direct return */
	uint64_t profile;
	bool pickable; /* SPW_WORD_PICKABLE */
	bool up;       /* SPW_WORD_UP */
};

/* What lines of `slots` hold. */
enum table_kind {
	TABLE_PICK,    /* endpoint ids */
	TABLE_WEIGHTS, /* slot by slot, how many of its table's its endpoint has */
	TABLE_LIST,    /* networks, see <spillway/list.h>; in whole lines */
	TABLE_QUIC,    /* server ids, see <spillway/quic.h>; likewise */
};

/* Equal tables are one row, shared by the services that point at it. */
struct table_slots {
	uint32_t size;	       /* prime, or 1 in a table of one endpoint; of a list any */
	uint32_t base;	       /* first slot in the map, or TABLE_UNPLACED */
	const uint16_t *slots; /* endpoint ids, or what `kind` says */
	uint64_t hash;	       /* table_hash(); 0: not worked out */
	uint64_t digest;       /* for tables_digest(); 0: not worked out */
	enum table_kind kind;
};

/* As in struct spw_service_extra; who has `guarded` unset has none of it. */
struct table_guard {
	uint32_t allow, deny; /* indices in tables.slots, or TABLE_NONE */
	uint64_t every_ns, burst_ns;
	uint64_t source_every_ns, source_burst_ns;
};

/* What slots were, of one service; see tables/motion.h. */
struct table_motion {
	uint32_t size;
	bool by_source; /* how slots were picked: by the source alone */
	uint32_t line;	/* first line in the map, or TABLE_UNPLACED */
	const struct spw_motion *slots;
};

struct table_service {
	uint32_t id; /* 0..max_services - 1 */
	struct spw_addr vip;
	uint16_t port; /* host order */
	uint8_t proto;
	uint32_t table; /* index in tables.slots, or TABLE_NONE */
	uint32_t spare;
	uint32_t motion;    /* index in tables.motions, plus 1; 0: no slot is in motion */
	bool direct;	    /* SPW_SERVICE_DIRECT */
	bool empty;	    /* SPW_SERVICE_EMPTY: none of its endpoints may be picked */
	uint8_t new_flows;  /* enum spw_no_endpoint */
	uint8_t live_flows; /* likewise */
	uint32_t idle_s[SPW_IDLE_MAX];
	uint8_t pick;	  /* enum spw_pick */
	uint32_t weights; /* of SPW_PICK_LEAST: like `table` */
	uint32_t quic;	  /* SPW_SERVICE_QUIC, index in tables.slots, plus 1; 0: no server ids */
	bool guarded;	  /* SPW_SERVICE_GUARDED: `guard` says something */
	struct table_guard guard;
};

struct tables {
	struct table_endpoint *endpoints; /* ordered by id */
	size_t endpoint_count;
	struct table_slots *slots;
	size_t slots_count;
	struct table_motion *motions;
	size_t motion_count;
	struct table_service *services; /* ordered by id */
	size_t service_count;
	/* Of those in force, by endpoint id: flows of its slots may be others'. NULL: nobody's. */
	const bool *strays;
};

/* Slots of the map that the pick tables take, whole lines. */
uint64_t tables_slots_taken(const struct tables *t);
/* Index of the server ids, or TABLE_NONE. */
static inline uint32_t table_quic(const struct table_service *s)
{
	return s->quic ? s->quic - 1 : TABLE_NONE;
}

/* Index of the weights, or TABLE_NONE where the pick knows none. */
uint32_t table_weights(const struct table_service *s);

/* The block of a service of these tables, or NULL. */
static inline const struct table_motion *tables_motion(const struct tables *t,
						       const struct table_service *s)
{
	return s->motion ? &t->motions[s->motion - 1] : NULL;
}

/* Of the content; never 0. */
uint64_t table_hash(const uint16_t *slots, uint32_t size);

/*
 * Equal on two gateways whose picks for the service are equal, whatever their endpoints' numbers are. 0: it
 * has no table. What was worked out is kept in `t`.
 */
uint64_t tables_digest(struct tables *t, const struct table_service *s);

/* Stable text of the tables for golden tests and `status`; slot tables as counts per endpoint. */
void tables_print(const struct tables *t, struct strbuf *out);

#endif
