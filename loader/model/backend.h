/* SPDX-License-Identifier: BSD-2-Clause */
/* Backends and their endpoints as they are read, and their way into services. For resolver.h. */
#ifndef SPILLWAY_MODEL_BACKEND_H
#define SPILLWAY_MODEL_BACKEND_H

#include "manifest/quic_ids.h"
#include "model/certs.h"
#include "model/judges.h"
#include "model/model.h"

struct resolver;

/* Names for a message: the first few, then how many more; one twice in a row counts once. */
struct name_list { /* zero-initialise */
	const char *text;
	const char *last;
	size_t count;
};

/* One endpoint of a Backend. */
struct endpoint {
	enum endpoint_kind kind;
	struct spw_addr addr;
	uint16_t port;
	const char *name; /* as written: "10.0.0.1:80", "a.example:443", "unix:/run/x" */
	const char *host; /* the name to resolve, or the path; NULL: it has an address */
	const char *fqdn; /* the name that `addr` is one address of, or NULL */
	const char *hostname;
	const char *zone;
	const struct tls_settings *tls; /* NULL: plain */
	const char *unusable;		/* why nobody can serve it, or NULL */
	bool handoff;			/* the userspace path is to serve it */
};

struct backend {
	struct object *object;
	struct endpoint *endpoints;
	size_t count;
	const char *name; /* "NAMESPACE/NAME" */
	uint8_t tier;
	bool dynamic;		      /* type DynamicResolver */
	bool reset_on_removal;	      /* annotation on-removal */
	bool udp_replies;	      /* annotation udp-replies: silence is a failure */
	bool xdp_names;		      /* annotation fqdn-path: xdp */
	enum spw_mode mode;	      /* annotation forwarding */
	struct name_list other_ports; /* of direct return: endpoints that no listener's port fits */
	enum app_protocol app;
	const char *refusal;		 /* why it is not accepted, or NULL */
	const char *ca_pem;		 /* caCertificateRefs of spec.tls; NULL: the system's */
	struct client_cert client;	 /* clientCertificateRef of spec.tls */
	struct cert_problem tls_problem; /* of any endpoint's TLS */
	struct object **tls_policies;	 /* BackendTLSPolicies that cover any of its endpoints */
	size_t tls_policy_count;
	const char *unusable;	     /* names of the endpoints left out, each with why, or NULL */
	const struct quic_ids *quic; /* annotation quic-server-ids, or NULL */
	bool quic_used, quic_idle;   /* on a route over UDP; on another one */
	const char *quic_reason, *quic_message; /* what is wrong with them, or NULL */
	unsigned int quic_complaints;		/* in that message */
	/* Of a fallback: a route on which it cannot take over by itself, or NULL. */
	const char *unchecked; /* nothing judges the primaries */
	const char *capped;    /* too few of them may be ejected: a sentence */
};

/* backends.c: for what has no address, one made of a text. */
struct spw_addr addr_of_text(const char *text);

/* backend_words.c: what a Backend says in single words, whether it is accepted or not. */
enum app_protocol backend_app(const struct object *o);
bool backend_resets(const struct object *o); /* annotation on-removal */
void backend_read_words(struct backend *b);

/* Packets for such an address are this host's own. */
bool addr_is_of_this_host(const struct model_options *o, const struct spw_addr *addr);

/* instances.c: the one of an endpoint under its judges; its index counts from 0. */
struct instances;
struct instances *instances_new(struct arena *a);
struct instance *instances_get(struct instances *all, const struct backend *b,
			       const struct endpoint *e, const struct judges *j);
/* Moves them into one array; pointers taken before lead there by their index. */
struct instance *instances_finish(struct instances *all, size_t *count);

/* endpoints.c: who is carried, and by whom. */
bool endpoint_is_promoted(const struct backend *b, const struct endpoint *e, uint8_t proto);
bool endpoint_is_served(const struct resolver *r, const struct backend *b, const struct endpoint *e,
			uint8_t proto);

/* The endpoints of one backendRef on their way into a service. */
struct adding {
	struct service *service;
	struct locality *locality; /* gets those that are carried */
	const struct backend *backend;
	const struct judges *judges;
	struct instances *all;
};
void endpoints_add(struct resolver *r, struct adding *to);
const char *endpoints_left_out(struct resolver *r, const struct backend *b, uint8_t proto);

#endif
