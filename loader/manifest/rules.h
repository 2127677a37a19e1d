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
extern const struct rule policy_merge_rules[];	    /* mergeType */
extern const struct rule policy_namespaces_rules[]; /* of a selector */

/* Of what only requests have: rules_policy_http.c. */
extern const struct rule policy_period_rules[];
extern const struct rule policy_ping_rules[];
extern const struct rule policy_upgrade_rules[];
extern const struct rule policy_admission_rules[];
extern const struct rule policy_bandwidth_rules[];
extern const struct rule policy_fault_rules[];
extern const struct rule policy_abort_rules[];
extern const struct rule policy_client_rules[]; /* clientSelectors */
extern const struct rule policy_cost_rules[];
extern const struct rule policy_local_limit_rules[]; /* the list */
extern const struct rule policy_range_rules[];
extern const struct rule policy_status_rules[];
extern const struct rule policy_match_rules[];
extern const struct rule policy_answer_rules[];
extern const struct rule policy_redirect_path_rules[];
extern const struct rule policy_body_rules[];
extern const struct rule policy_header_rules[];
extern const struct rule policy_sink_rules[];	 /* healthCheckLog */
extern const struct rule policy_outcome_rules[]; /* the list */

extern const struct rule gateway_annotations_rules[]; /* spec.infrastructure */
extern const struct rule gateway_labels_rules[];
extern const struct rule gateway_ports_rules[];		 /* the list tls.frontend.perPort */
extern const struct rule gateway_status_address_rules[]; /* of status */
extern const struct rule http_session_rules[];

#endif
