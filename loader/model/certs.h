/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates and names of endpoints: references to them, BackendTLSPolicies, what comes of both. */
#ifndef SPILLWAY_MODEL_CERTS_H
#define SPILLWAY_MODEL_CERTS_H

#include "model/model.h"

struct resolver; /* model/resolver.h */
struct backend;
struct endpoint;

#define GATEWAY_GROUP "gateway.networking.k8s.io"
#define BACKEND_GROUP "gateway.envoyproxy.io"

#define NO_AUTHORITIES "CACertificate must be specified when InsecureSkipVerify is false"

/* Why certificates could not be had. Zero: nothing is wrong. */
struct cert_problem {
	const char *reason;
	const char *message;
	bool follows; /* from an object that is refused itself: no word more about it */
};

struct client_cert {
	const char *cert_pem, *key_pem; /* NULL: none */
};

/* A BackendTLSPolicy. */
struct tls_policy {
	struct object *object;
	const char *ca_pem;	  /* NULL: the system's */
	const char *hostname;	  /* sent; verified unless there are names */
	const char *const *names; /* subjectAltNames, NULL-terminated; NULL: none */
	struct cert_problem problem;
	const char *missing;	      /* targets that are not there, or NULL */
	const struct object *winner;  /* the policy that has a target of its, or NULL */
	const struct node *contested; /* that target */
};

struct tls_target {
	struct tls_policy *policy;
	const struct node *node;
	const char *name;
	const char *section; /* a port as text; "": all of the Backend */
};

/*
 * certs.c: what references to certificates come to; `owner` is who has them. Texts are in the
 * arena; NULL or false, and why, when any reference is of no use.
 */
const char *certs_authorities(struct resolver *r, const struct object *owner,
			      const struct node *refs, struct cert_problem *out);
bool certs_client(struct resolver *r, const struct object *owner, const struct node *ref,
		  struct client_cert *client, struct cert_problem *out);
/* Of a reference to a Secret that is there; false: it lacks either. */
bool certs_pair(struct resolver *r, const struct object *owner, const struct node *ref,
		struct client_cert *out);

/* tls_policies.c: the one for endpoints of the Backend on a port (0: without one), or NULL. */
void tls_policies_read(struct resolver *r);
const struct tls_policy *tls_policies_find(const struct resolver *r, struct object *backend,
					   uint16_t port);
/* Upstream's rule for a Backend whose spec.tls says nothing of authorities. */
bool tls_policies_cover(const struct resolver *r, struct object *backend);

/* tls_read.c: of one endpoint. By spec.tls of its Backend, over which the policy goes; either may be
 * NULL. */
const struct tls_settings *tls_read(struct arena *a, const struct backend *b,
				    const struct tls_policy *policy, const struct endpoint *e);
/* The same, with the Gateway's client certificate where there is none. */
const struct tls_settings *tls_for_gateway(struct arena *a, const struct tls_settings *tls,
					   const struct client_cert *client);

#endif
