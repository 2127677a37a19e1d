/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's view of services and endpoints, for the verbs that show health. */
#ifndef SPILLWAY_CTL_SERVICES_H
#define SPILLWAY_CTL_SERVICES_H

#include "ctl/ctl.h"

struct reply;

/*
 * The whole answer, its "services" reduced to those of a namespace (NULL: all) and a name
 * ("ROUTE" or "NS/ROUTE", NULL: all). Nonzero, and said so, on failure.
 */
int services_fetch(struct ctl *c, const char *namespace, const char *name, struct node **out);

/* The services of all namespaces, or NULL where they cannot be had; says nothing. */
const struct node *services_try(struct ctl *c);

/* A number that may be written as an integer or with a fraction: "46.5", "100". In `a`. */
const char *number_text(struct arena *a, const struct node *n);

/* A count, or "-" where the daemon does not know it. In `a`. */
const char *count_text(struct arena *a, const struct node *map, const char *key);

/* What an operator should know of an endpoint: why it is out, and what stands in packets' way. */
const char *endpoint_reason(struct arena *a, const struct node *endpoint);

/* Its state with what is left of it: "up", "ejected 25s", "starting 40%". */
const char *endpoint_state(struct arena *a, const struct node *endpoint);

/* "46.5%" and "1", or "-" when the packet path does not carry it. */
const char *endpoint_share(struct arena *a, const struct node *endpoint);
const char *endpoint_weight(struct arena *a, const struct node *endpoint);

/* Which way its packets go, and why: "userspace: TLS, host name", "xdp: mode nat". */
const char *endpoint_path(struct arena *a, const struct node *endpoint);

/* Does the packet path carry it? FQDN, Unix and TLS endpoints need the userspace path. */
bool endpoint_is_carried(const struct node *endpoint);

/* http_error(), and for what is not there also where to look for what is. */
int endpoint_error(const struct reply *r);

/* "192.0.2.1:80/TCP", "[2001:db8::1]:53/UDP". */
const char *service_address(struct arena *a, const struct node *service);

#endif
