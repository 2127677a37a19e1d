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
#include "manifest/frozen.h"
#include "manifest/manifest.h"
#include "model/check.h"
#include "model/guard.h"
#include "model/mode.h"
#include "model/object.h"
#include "model/quic.h"

#define CONTROLLER_NAME "spillway.dev/gateway" /* of a GatewayClass, and in status */
#define MODEL_TIERS	8 /* tier 0, the fallback tier, and those of spillway.dev/tier */

/* ENDPOINT_PROXY: what the userspace path does for a port on layer 7 (model/frontend.h). */
enum endpoint_kind { ENDPOINT_IP, ENDPOINT_FQDN, ENDPOINT_UNIX, ENDPOINT_PROXY };

/* BackendTrafficPolicy dns.lookupFamily; the preferred ones take the other when there is none. */
enum name_family {
	NAME_IPV4_PREFERRED, /* the default */
	NAME_IPV6_PREFERRED,
	NAME_IPV4,
	NAME_IPV6,
	NAME_BOTH,
};

/* A name whose addresses are endpoints, and how it is to be followed. */
struct name_wish {
	const char *host; /* without a trailing dot */
	enum name_family family;
	uint32_t refresh_ms; /* dnsRefreshRate, 30000: without respect_ttl */
	bool respect_ttl;    /* respectDnsTtl, true */
};

/* What a name stands for at the moment. */
struct name_addrs {
	const struct spw_addr *addrs; /* good for the time of the call */
	size_t count;
};

/* How the userspace path speaks to an endpoint, by the policy in force and the route. */
struct pool_settings {
	uint32_t connect_timeout_ms; /* timeout.tcp.connectTimeout, 10000 */
	uint32_t idle_s;	     /* of established connections, by the route's annotation */
	uint32_t max_connections;    /* circuitBreaker, of each endpoint; 0: no limit */
	uint8_t proxy_protocol;	     /* 0: none; 1, 2: the version of the header that is sent */
	bool http;		     /* requests are carried, not connections */
	bool keepalive;		     /* tcpKeepalive; the rest 0: the system's */
	uint32_t keepalive_probes, keepalive_idle_s, keepalive_interval_s;
};

/* What a Backend's appProtocols say of the way HTTP is spoken to it. */
enum app_protocol { APP_HTTP1, APP_H2C };

/*
 * An endpoint as policies judge it: services whose policies are equal share the instance.
 * Identity: addr, port, mode, profile; `name` too where there is no address. New flows of instances of
 * mode SPW_MODE_HANDOFF (FQDN, Unix, TLS, this host's own) are given to the userspace path. Those that
 * are not carried (a name without an address, or no userspace path) are judged and shown like all
 * others, but have no number and are in no table.
 */
struct instance {
	uint32_t index; /* in model.instances, and in a health_view */
	enum endpoint_kind kind;
	struct spw_addr addr; /* ENDPOINT_UNIX: one made of its path; ENDPOINT_FQDN: zero */
	uint16_t port;	      /* host order; 0 for ENDPOINT_UNIX */
	enum spw_mode mode;
	bool carried;
	bool steered;	  /* connections of a VIP are given to it: it needs sockets of its own */
	uint64_t profile; /* hash of the check (0: nothing judges it) and what else judges it */
	const char *
		name; /* "10.0.0.1:80", "[2001:db8::1]:80", "api.example.com:443", "unix:/run/x.sock" */
	const char *host; /* ENDPOINT_FQDN: the name to resolve; ENDPOINT_UNIX: the path; or NULL */
	const char *fqdn; /* ENDPOINT_IP: the name that stood for the address, or NULL */
	const struct check *check;	  /* active; NULL: none */
	const struct passive *passive;	  /* NULL: none */
	const struct tls_settings *tls;	  /* NULL: plain */
	const struct pool_settings *pool; /* SPW_MODE_HANDOFF; else NULL */
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
	/*
	 * A rule of a route on layer 7: its flows are those of a frontend's service, and a proxy
	 * spreads its requests by the shares of the tables. No row and no number.
	 */
	bool proxied;
	const char *name; /* "NAMESPACE/ROUTE", what `endpoints SERVICE` takes */
	const struct object *gateway;
	const char *listener;
	const struct object *route;		    /* NULL: a frontend, of many */
	const struct object *policy;		    /* the BackendTrafficPolicy in force, or NULL */
	uint8_t panic_threshold;		    /* percent, 50 */
	enum spw_no_endpoint new_flows, live_flows; /* the route's annotations */
	uint32_t idle_s[SPW_IDLE_MAX];		    /* likewise, see idle.h */
	enum spw_pick pick;			    /* the policy's loadBalancer */
	uint32_t table_size;			    /* slots of its tables; 0: by endpoints */
	struct guard guard;
	struct quic_map quic;
	struct prefer_local prefer_local;
	const char *local_zone;	     /* the gateway's own, or NULL */
	const char *zone_note;	     /* why zones of its endpoints have no effect, or NULL */
	struct locality *localities; /* tier by tier, in the order of the backendRefs or zones */
	size_t locality_count;
	/* Endpoints of its Backends that are not carried: judged and shown. */
	struct instance **handoff;
	const struct object **handoff_backends;
	uint8_t *handoff_tiers;
	size_t handoff_count;
};

/* An address and port that a listener wants and the Gateway `owner` has. */
struct lost_claim {
	const struct object *gateway;
	const char *listener;
	const char *protocol;
	struct spw_addr vip;
	uint16_t port; /* host order */
	const struct object *owner;
};

struct model_options {
	bool on_host;	   /* loopback endpoints and single-label names are accepted */
	const char *zone;  /* of this gateway (--zone), or NULL */
	uint16_t gue_port; /* that packets of mode gue go to (--gue-port); 0: the default */
	/* For Gateways without addresses: the global addresses of the attached interfaces. */
	const struct spw_addr *host_addrs;
	size_t host_addr_count;
	const struct spw_addr *own_addrs; /* of all interfaces of this host */
	size_t own_addr_count;
	/* What a name stands for; NULL: no name is known, and none is followed. */
	struct name_addrs (*resolve)(void *ctx, const struct name_wish *wish);
	void *resolve_ctx;
	/* Why a certificate and its key do not go together, in `a`; NULL: nobody can say. */
	const char *(*refuse_pair)(struct arena *a, const char *cert_pem, const char *key_pem);
	const char *no_userspace; /* why there is no userspace path, a sentence; NULL: there is */
	const struct refused_key *refused; /* in this run; references to them are not told */
	size_t refused_count;
};

struct model {
	struct arena *arena;		  /* owned by the generation, not by the model */
	const struct model_options *opts; /* that it was resolved with */
	struct links *links;		  /* see links.h; NULL: not asked for yet */
	struct object *objects;
	size_t object_count;
	struct service
		*services; /* by project, vip, port, proto, proxied; unique there unless proxied */
	size_t service_count;
	struct instance *instances;
	size_t instance_count;
	struct spw_addr *vips; /* unique, those of `services` */
	size_t vip_count;
	struct lost_claim *lost;
	size_t lost_count;
	struct frontend *frontends; /* of layer 7, see model/frontend.h */
	size_t frontend_count;
	struct spw_addr *kept; /* where no client may choose to go: VIPs and this host's own */
	size_t kept_count;
	struct name_wish *wishes; /* the names that its endpoints stand on; each once */
	size_t wish_count;
};

/*
 * Resolves `objects` (copied into the arena). Cross-object mistakes become conditions and, with
 * the place of the field, warnings in `d` (may be NULL), whose subject is the object's place, from 1. Order does not matter: where two resources
 * want the same thing, the older wins, then the smaller NAMESPACE/NAME (as the Gateway API rules).
 * Never fails on content.
 */
struct model *model_resolve(struct arena *a, const struct object *objects, size_t count,
			    const struct model_options *opts, struct diags *d);

/*
 * An order of instances that outlives generations: by kind, address, port and, where there is no
 * address, name; then by what judges them. The first only by place.
 */
int instance_compare_places(const struct instance *x, const struct instance *y);
int instance_compare(const struct instance *x, const struct instance *y);

/* The kinds of routes that a listener of a Gateway takes by its protocol, NULL-terminated. */
const char *const *model_route_kinds(const struct node *listener);

/* The object's conditions of the given type (NULL parent: any), or NULL. */
const struct condition *model_condition(const struct object *o, const char *type);

#endif
