/* SPDX-License-Identifier: BSD-2-Clause */
/* What is measured: one row each. */
#ifndef SPILLWAY_BENCH_SCENARIOS_H
#define SPILLWAY_BENCH_SCENARIOS_H

#include <spillway/abi.h>
#include <spillway/stats.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scenario_kind {
	SCENARIO_CLIENT,   /* packets of established flows, from clients */
	SCENARIO_ENDPOINT, /* likewise, from endpoints */
	SCENARIO_NEW,	   /* each packet opens a flow */
	SCENARIO_STRAY,	   /* ACKs without a flow, to a service */
	SCENARIO_FOREIGN,  /* to addresses that are not ours */
	SCENARIO_ARP,
	SCENARIO_ERROR, /* ICMP about established flows */
};

/* What the services have besides. */
enum scenario_extra {
	SCENARIO_PLAIN,
	SCENARIO_NETWORKS, /* SCENARIO_NETWORK_COUNT denied networks, many of them between clients */
	SCENARIO_LIMITS,   /* of the service and of each source, never reached */
	SCENARIO_LEAST,	   /* picks by load */
	SCENARIO_QUIC,	   /* UDP over IPv4: server ids, and packets that have them */
};

struct scenario {
	const char *name;
	enum scenario_kind kind;
	uint8_t family; /* 4, 6 */
	uint8_t proto;
	bool skewed;
	bool balanced;	    /* the conventional balancer does this too */
	uint32_t flows;	    /* 0: as many as packets */
	uint32_t services;  /* in the maps; 0: 1 */
	uint32_t used;	    /* of them; 0: 1 */
	uint32_t endpoints; /* 0: SCENARIO_ENDPOINTS */
	enum scenario_extra extra;
	uint8_t mode;	    /* of the endpoints, enum spw_mode; 0: nat */
	bool moves;	    /* all slots are in motion, and the flows have entries of that */
	enum spw_stat ends; /* how the product must count every packet */
};

#define SCENARIO_ENDPOINTS     100
#define SCENARIO_FLOWS_MAX     1000000
#define SCENARIO_NETWORK_COUNT 100000

extern const struct scenario scenarios[];
extern const size_t scenario_count;

/* Quotients worth a line: of the product's medians in two scenarios. */
struct scenario_ratio {
	const char *text, *over, *under;
};
extern const struct scenario_ratio scenario_ratios[];
extern const size_t scenario_ratio_count;

static inline uint32_t scenario_services(const struct scenario *s)
{
	return s->services ? s->services : 1;
}

static inline uint32_t scenario_used(const struct scenario *s)
{
	return s->used ? s->used : 1;
}

static inline uint32_t scenario_endpoints(const struct scenario *s)
{
	return s->endpoints ? s->endpoints : SCENARIO_ENDPOINTS;
}

static inline uint8_t scenario_mode(const struct scenario *s)
{
	return s->mode ? s->mode : SPW_MODE_NAT;
}

/* Do endpoints answer clients themselves? Then the product has no flows, but those of slots in motion. */
static inline bool scenario_direct(const struct scenario *s)
{
	return scenario_mode(s) != SPW_MODE_NAT;
}

/* Does each packet go to whom its connection ID names? */
static inline bool scenario_goes_by_id(const struct scenario *s)
{
	return s->extra == SCENARIO_QUIC && (s->kind == SCENARIO_NEW || scenario_direct(s));
}

/* Do its packets need flows to be there? */
static inline bool scenario_opens(const struct scenario *s)
{
	return s->kind == SCENARIO_CLIENT || s->kind == SCENARIO_ENDPOINT ||
	       s->kind == SCENARIO_ERROR;
}

/* Is every packet one that the tables have not seen, so that they must forget between runs? */
static inline bool scenario_fresh(const struct scenario *s)
{
	return s->kind == SCENARIO_NEW || s->kind == SCENARIO_STRAY;
}

#endif
