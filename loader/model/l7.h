/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of model_resolve() that are for layer 7. */
#ifndef SPILLWAY_MODEL_L7_H
#define SPILLWAY_MODEL_L7_H

#include "model/resolver.h"

/* hosts.c: what both admit, or NULL; a name that is NULL is any, and so is one that is "". */
const char *hosts_meet(const char *a, const char *b);

/* frontends.c */
void frontends_open(struct resolver *r);
/* A route on a listener; false: they have no host name in common. */
bool frontends_feed(struct resolver *r, struct parent *p, struct listener *l);
void frontends_finish(struct resolver *r);
/* matches.c: in the order in which they are asked. */
void matches_sort(struct frontend *f);

/* listener_certs.c: of a listener where TLS ends, into `out`. */
void listener_certs_read(struct resolver *r, struct listener *l, struct l7_listener *out);

/* route_fields.c: a rule that cannot be carried out. */
bool route_rule_is_void(const struct node *rule);

#endif
