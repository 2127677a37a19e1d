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

#define MODEL_TIERS 8 /* tier 0, the fallback tier, and those of spillway.dev/tier */

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

enum endpoint_kind { ENDPOINT_IP, ENDPOINT_FQDN, ENDPOINT_UNIX };

/* What a Backend's appProtocols say of the way HTTP is spoken to it. */
enum app_protocol { APP_HTTP1, APP_H2C };

/*
 * An endpoint as policies judge it: services whose policies are equal share the instance.
 * Identity: addr, port, mode, profile; `name` too where there is no address. Instances of mode
 * SPW_MODE_HANDOFF (FQDN, Unix, TLS) are judged like all others, but the packet path does not know
 * them: they have no number and are in no table.
 */
struct instance {
	uint32_t index; /* in model.instances, and in a health_view */
	enum endpoint_kind kind;
	struct spw_addr addr; /* ENDPOINT_IP; zero otherwise */
	uint16_t port;	      /* host order; 0 for ENDPOINT_UNIX */
	enum spw_mode mode;
	uint64_t profile; /* hash of the check (0: nothing judges it) and what else judges it */
	const char *
		name; /* "10.0.0.1:80", "[2001:db8::1]:80", "api.example.com:443", "unix:/run/x.sock" */
	const char *host; /* ENDPOINT_FQDN: the name to resolve; ENDPOINT_UNIX: the path; or NULL */
	const struct check *check;	/* active; NULL: none */
	const struct passive *passive;	/* NULL: none */
	const struct tls_settings *tls; /* NULL: plain */
	enum app_protocol app;
	uint8_t proto; /* of the services, when `passive` is set (it is in the profile then) */
	uint32_t slow_start_ms; /* window; 0: none. In the profile */
	bool reset_on_removal;	/* annotation spillway.dev/on-removal: reset */
	const char *hostname;	/* endpoints[].hostname, or NULL */
	const char *zone;	/* of the first Backend that says one; a locality has each's own */
	const char *backend; /* "NAMESPACE/NAME" of the first Backend that has it, for messages */
	const uint32_t
		*services; /* indices in model.services that have it as a member, ascending */
	size_t service_count;
};

/*
 * Members that share a weight: one backendRef's, or with weightedZones one zone's. Duplicate
 * endpoints stay duplicate: they are two shares.
 */
struct locality {
	const struct object *backend; /* NULL: a zone's, of several Backends */
	const char *zone; /* weightedZones: the zone ("" for endpoints without); else NULL */
	uint32_t weight;  /* 1..1000000; those of weight 0 are left out */
	uint8_t tier;	  /* 0; 1 for `fallback: true`; or the annotation spillway.dev/tier */
	struct instance **members;
	const struct object **backends; /* by member; never NULL */
	const char **zones;		/* by member: what its Backend says; NULL: nothing */
	size_t count;
};

/* loadBalancer.zoneAware.preferLocal; in force for tier 0 (as in Envoy). */
struct prefer_local {
	bool enabled;		/* preferLocal is set, and the gateway's own zone is known */
	bool force;		/* all to the own zone while it has min_in_zone healthy endpoints */
	uint32_t min_in_zone;	/* force.minEndpointsInZoneThreshold, 1 */
	uint32_t min_endpoints; /* minEndpointsThreshold, 6: healthy ones in all */
	uint32_t percent;	/* percentageEnabled, 100: part of the flows it is used for */
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
	const struct object *policy;		    /* the BackendTrafficPolicy in force, or NULL */
	uint8_t panic_threshold;		    /* percent, 50 */
	enum spw_no_endpoint new_flows, live_flows; /* the route's annotations */
	uint32_t idle_s[SPW_IDLE_MAX];		    /* likewise, see idle.h */
	struct prefer_local prefer_local;
	const char *local_zone;	     /* the gateway's own, or NULL */
	const char *zone_note;	     /* why zones of its endpoints have no effect, or NULL */
	struct locality *localities; /* tier by tier, in the order of the backendRefs or zones */
	size_t locality_count;
	/* Endpoints of its Backends that only the userspace path could serve: judged and shown. */
	struct instance **handoff;
	const struct object **handoff_backends;
	uint8_t *handoff_tiers;
	size_t handoff_count;
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
	bool on_host;	  /* loopback endpoints and single-label names are accepted */
	const char *zone; /* of this gateway (--zone), or NULL */
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

/* The kinds of routes that a listener of a Gateway takes by its protocol, NULL-terminated. */
const char *const *model_route_kinds(const struct node *listener);

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
 * it: nothing when accepted, else all mistakes, first the one that upstream stops at. `covered`:
 * BackendTLSPolicies cover it.
 */
struct refusals accept_backend(struct arena *a, const struct resource *backend, bool on_host,
			       bool covered);

#endif
