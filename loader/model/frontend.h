/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layer 7: what the userspace path is to do with the connections of a VIP's port. Which rule a request
 * or connection meets is settled here, in the order of the matches; how it is asked is the proxy's.
 */
#ifndef SPILLWAY_MODEL_FRONTEND_H
#define SPILLWAY_MODEL_FRONTEND_H

#include "model/model.h"

enum frontend_kind {
	FRONTEND_HTTP,
	FRONTEND_HTTPS,
	FRONTEND_PASS, /* TLS that ends at the endpoint: routed by SNI */
	FRONTEND_END,  /* TLS that ends here, with anything in it */
};

/* A listener that has a part in it. */
struct l7_listener {
	const char *name;
	const char *hostname; /* "a.example", "*.example"; NULL: any */
	const char **pems;    /* certificates, each with its key behind it */
	size_t pem_count;
};

/* What a rule of a route does. */
struct l7_rule {
	const struct object *route;
	const struct node *node;       /* of the rule, with its filters and timeouts */
	const struct service *cluster; /* its endpoints: proxied, perhaps without any */
	uint32_t invalid_ppm;	       /* share of backendRefs that cannot be used: answered 500 */
	bool is_dynamic;	       /* its Backend is of type DynamicResolver */
	bool dynamic_private;	       /* which may lead to private networks, too */
	const struct tls_settings *dynamic_tls;
	const struct pool_settings *dynamic_pool;
	bool is_void; /* it has a filter that cannot be: answered 500 */
};

struct l7_match {
	size_t listener;	 /* in the frontend */
	const char *host;	 /* as a hostname above; NULL: any */
	const struct node *node; /* of an HTTPRoute's match; NULL: everything */
	size_t rule;		 /* in the frontend */
	size_t order;		 /* as they were found: rules as they are written */
};

struct frontend {
	enum frontend_kind kind;
	struct spw_addr vip;
	uint16_t port;
	const struct object *gateway;
	const struct service *service; /* whose one endpoint it is */
	const struct instance *instance;
	struct l7_listener *listeners;
	size_t listener_count;
	struct l7_rule *rules;
	size_t rule_count;
	struct l7_match *matches; /* the first that fits is in force, in its listener and host */
	size_t match_count;
};

/* policy_http.c: how a request's endpoint is chosen; NONE: as the policy says it cannot be. */
enum balance {
	BALANCE_NONE,
	BALANCE_ROUND_ROBIN,
	BALANCE_RANDOM,
	BALANCE_LEAST,
	BALANCE_SOURCE,
	BALANCE_HEADER,
};
enum balance policy_balance(const struct node *spec, const char **header);
/* HAProxy's words for a trigger of upstream's, or NULL; and the statuses that it can try again on. */
const char *policy_retry_words(const char *trigger);
bool policy_can_retry(int64_t status);

/* hosts.c: the more specific one first; NULL and "" are any. */
int hosts_compare(const char *a, const char *b);

#endif
