/* SPDX-License-Identifier: BSD-2-Clause */
/* What a route's backendRefs lead to. For resolver.h. */
#ifndef SPILLWAY_MODEL_REFS_H
#define SPILLWAY_MODEL_REFS_H

#include "model/model.h"

struct backend;

/* Why something is not as asked: a condition's reason and message. Zero: nothing is wrong. */
struct problem {
	const char *reason;
	const char *message;
};

/* A backendRef that takes part. */
struct ref {
	struct backend *backend;
	uint32_t weight;
	size_t rule; /* of an HTTPRoute: which one */
};

/* Weights of a rule's backendRefs. */
struct rule_weights {
	uint64_t total, invalid;
};

struct refs {
	struct ref *items;
	size_t count;
	struct problem problem;	      /* the first one's reason, all messages */
	const char *left_out;	      /* endpoints that cannot be served, and why; NULL: none */
	const char *idle;	      /* fields without effect; NULL: none */
	struct problem sources;	      /* of its lists of sources, once its services are built */
	struct rule_weights *weights; /* by rule */
	struct backend **covered;     /* those that a BackendTLSPolicy covers */
	size_t covered_count;
	uint8_t proto;	       /* of the flows that the route is for */
	unsigned int families; /* FAMILY_V4, FAMILY_V6: of the VIPs that the route feeds */
};

#endif
