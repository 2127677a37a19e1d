/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All resources resolved against each other: names have become pointers, policies their targets,
 * and every resource has its conditions. Immutable once made; lives in one arena with its tables.
 * Health is not in it (see health_view).
 */
#ifndef SPILLWAY_MODEL_MODEL_H
#define SPILLWAY_MODEL_MODEL_H

#include <netinet/in.h>
#include <spillway/abi.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/diag.h"
#include "manifest/manifest.h"
#include "model/check.h"

#define MODEL_TIERS 2 /* tier 0 and the fallback tier */

struct condition {
	const char *type; /* "Accepted", "ResolvedRefs", "Programmed" */
	bool status;	  /* "True" or "False" */
	const char *reason;
	const char *message;
	const char
		*parent; /* routes: "NAMESPACE/GATEWAY" it is about (status.parents[]); NULL else */
	const char *section; /* routes and gateways: listener name, or NULL */
};

/* A resource with what the store knows of it, and what was found out about it. */
struct object {
	struct resource res;
	const char *project;
	const char *uid; /* NULL when it was never stored (validate) */
	int64_t generation;
	int64_t resource_version;
	int64_t created_s;
	struct condition *conditions; /* filled in by model_resolve() */
	size_t condition_count;
	bool accepted; /* Backend: usable; Gateway, route: attached and used */
};

/*
 * An endpoint as policies judge it: services whose policies are equal share the instance.
 * Identity: addr, port, mode, profile.
 */
struct instance {
	uint32_t index; /* in model.instances, and in a health_view */
	struct spw_addr addr;
	uint16_t port; /* host order */
	enum spw_mode mode;
	uint64_t profile;	   /* hash of the check (0: no check) and what else judges it */
	const struct check *check; /* NULL: always up */
	const char *hostname;	   /* endpoints[].hostname, or NULL */
	const char *zone;	   /* or NULL */
	const char *backend; /* "NAMESPACE/NAME" of the first Backend that has it, for messages */
};

/* One backendRef of a service. Duplicate endpoints stay duplicate: they are two shares. */
struct locality {
	const struct object *backend;
	uint32_t weight; /* 1..1000000; refs of weight 0 are left out */
	uint8_t tier;	 /* 0, or 1 for `fallback: true` */
	struct instance **members;
	size_t count;
};

struct service {
	struct spw_addr vip;
	uint16_t port; /* host order */
	uint8_t proto; /* IPPROTO_TCP, IPPROTO_UDP */
	const char *project;
	const char *name; /* "NAMESPACE/ROUTE", what `endpoints SERVICE` takes */
	const struct object *gateway;
	const char *listener;
	const struct object *route;
	const struct object *policy; /* the BackendTrafficPolicy in force, or NULL */
	uint8_t panic_threshold;     /* percent, 50 */
	struct locality *localities; /* tier by tier, in the order of the backendRefs */
	size_t locality_count;
};

struct model {
	struct arena *arena; /* owned by the generation, not by the model */
	struct object *objects;
	size_t object_count;
	struct service
		*services; /* ordered by project, vip, port, proto; unique in vip, port, proto */
	size_t service_count;
	struct instance *instances;
	size_t instance_count;
	struct spw_addr *vips; /* unique, those of `services` */
	size_t vip_count;
};

struct model_options {
	bool on_host; /* loopback endpoints and single-label names are accepted */
	/* For Gateways without addresses: the global addresses of the attached interfaces. */
	const struct spw_addr *host_addrs;
	size_t host_addr_count;
	/* Objects refused in the same run: references to them are not reported once more. */
	const struct refused_key *refused;
	size_t refused_count;
};

/*
 * Resolves `objects` (copied into the arena). Cross-object mistakes become conditions and, with
 * the place of the field, warnings in `d` (may be NULL). Order does not matter: where two resources
 * want the same thing, the older wins, then the smaller NAMESPACE/NAME (as the Gateway API rules).
 * Never fails on content.
 */
struct model *model_resolve(struct arena *a, const struct object *objects, size_t count,
			    const struct model_options *opts, struct diags *d);

/* The object's conditions of the given type (NULL parent: any), or NULL. */
const struct condition *model_condition(const struct object *o, const char *type);

/* Why a Backend is not accepted: upstream's sentence without its prefix, and the field's place. */
struct refusal {
	const char *why;
	struct loc where;
};

struct refusals {
	struct refusal *items; /* in the arena */
	size_t count;
};

/*
 * The Backend checks of upstream's controller that need no other resource but the policies around
 * it: nothing when accepted, else all mistakes, first the one that upstream stops at. `covered`: a
 * BackendTLSPolicy covers it (always false until that kind is known).
 */
struct refusals accept_backend(struct arena *a, const struct resource *backend, bool on_host,
			       bool covered);

#endif
