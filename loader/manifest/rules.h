/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of the kinds, and Spillway's own refusals, for the rows of their tables. */
#ifndef SPILLWAY_MANIFEST_RULES_H
#define SPILLWAY_MANIFEST_RULES_H

#include "manifest/schema.h"

static inline bool rule_has(const struct node *map, const char *key)
{
	return node_member(map, key) != NULL;
}

static inline enum rule_result rule_if(bool holds)
{
	return holds ? RULE_HOLDS : RULE_BROKEN;
}

extern const struct rule backend_spec_rules[];
extern const struct rule backend_endpoints_rules[]; /* the list */
extern const struct rule backend_endpoint_rules[];  /* one of them */
extern const struct rule backend_unix_path_rules[];
extern const struct rule backend_tls_rules[];
const char *refuse_backend_port(struct arena *a, const struct node *self);
const char *refuse_unix_path(struct arena *a, const struct node *self);

extern const struct rule gateway_listeners_rules[];
extern const struct rule gateway_listener_tls_rules[];
extern const struct rule gateway_addresses_rules[];
extern const struct rule gateway_address_rules[];
const char *refuse_gateway_address(struct arena *a, const struct node *self);

extern const struct rule route_parents_rules[];
extern const struct rule route_backend_ref_rules[];
extern const struct rule route_targets_rules[]; /* targetRefs, as parentRefs */
extern const struct rule route_tls_hostnames_rules[];

extern const struct rule http_rules_rules[]; /* the list */
extern const struct rule http_rule_rules[];
extern const struct rule http_path_rules[];
extern const struct rule http_timeouts_rules[];
extern const struct rule http_filters_rules[]; /* the list */
extern const struct rule http_filter_rules[];
extern const struct rule http_path_modifier_rules[];
extern const struct rule http_mirror_rules[];
extern const struct rule http_fraction_rules[];
extern const struct rule http_origins_rules[];
extern const struct rule http_methods_rules[];
extern const struct rule http_headers_rules[];

extern const struct rule tls_validation_rules[];
extern const struct rule tls_alt_name_rules[];

extern const struct rule policy_spec_rules[];
extern const struct rule policy_selector_rules[];
extern const struct rule policy_active_rules[];
extern const struct rule policy_http_check_rules[];
extern const struct rule policy_payload_rules[];
extern const struct rule policy_balancer_rules[];
extern const struct rule policy_hash_rules[];
extern const struct rule policy_zone_rules[];

#endif
