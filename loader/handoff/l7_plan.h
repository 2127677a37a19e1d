/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layer 7 in HAProxy's words: a section for each frontend, and one for each cluster with a server for
 * each of its endpoints. Texts are whole lines; weights stand apart, since they change at run time. Pure.
 */
#ifndef SPILLWAY_HANDOFF_L7_PLAN_H
#define SPILLWAY_HANDOFF_L7_PLAN_H

#include "handoff/plan.h"
#include "model/frontend.h"
#include "model/health_view.h"

#define L7_WEIGHT_MOST 256

/* What HAProxy counted of a server. */
struct l7_counts {
	uint64_t tried, failed, lost, in, out;
	uint64_t answered; /* worked out of these */
};

struct l7_server {
	uint32_t id;  /* the endpoint's number; SPW_ENDPOINT_NONE: a DynamicResolver's one */
	uint32_t tag; /* of what follows: a number may come back as another endpoint's */
	const char *address, *params;
	unsigned int weight;	    /* 0: it gets nothing now */
	unsigned int told;	    /* what the running process has; see l7_run.c */
	struct l7_counts read, sum; /* of the running process, and of all */
	int path_error; /* of a socket's path: an errno that HAProxy's user would meet, or 0 */
};

#define L7_NAME_MAX 32
/* "e5-1a2b3c4d", or "any". */
void l7_server_name(const struct l7_server *s, char out[L7_NAME_MAX]);

struct l7_section {
	const char *word; /* "frontend", "backend", "resolvers" */
	const char *name;
	const char *text; /* lines, each with a tab in front */
	uint32_t id;	  /* a frontend's: number of its proxy; SPW_ENDPOINT_NONE: a cluster */
	const char *bind; /* a frontend's: what its `bind` lines say besides, or "" */
	struct l7_server *servers;
	size_t server_count;
};

struct l7_plan {
	struct l7_section *sections;
	size_t count;
	const char *problem; /* of an endpoint that HAProxy is not told of, or NULL */
};

struct l7_plan_options {
	const char *dir;	/* of files, which are added to those of `files` */
	uint16_t resolver_port; /* on loopback, for names that clients choose; 0: there is none */
};

/* Everything is in `a`. */
void l7_plan_make(struct arena *a, const struct model *m, const struct ids *ids,
		  const struct l7_plan_options *opts, struct plan *files, struct l7_plan *out);

/* The weights of this moment, by the arithmetic that XDP's tables are made by. */
void l7_plan_weigh(struct arena *a, const struct model *m, const struct ids *ids,
		   const struct health_view *v, struct l7_plan *p);

/* The frontend of a proxy's number, or NULL. */
const struct l7_section *l7_plan_frontend(const struct l7_plan *p, uint32_t id);

#endif
