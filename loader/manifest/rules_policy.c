/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of BackendTrafficPolicy. */
#include <string.h>
#include <strings.h>

#include "manifest/rules.h"

static bool is(const struct node *map, const char *key, const char *value)
{
	return strcmp(node_text_at(map, key, ""), value) == 0;
}

/* A field that belongs to one type: there exactly when the type is that one. */
static enum rule_result belongs(const struct node *self, const char *type, const char *field)
{
	return rule_if(is(self, "type", type) == rule_has(self, field));
}

static bool is_gateway_group(const struct node *ref)
{
	return is(ref, "group", "gateway.networking.k8s.io");
}

static bool is_route(const struct node *ref)
{
	return is(ref, "kind", "HTTPRoute") || is(ref, "kind", "GRPCRoute") ||
	       is(ref, "kind", "TCPRoute") || is(ref, "kind", "UDPRoute") ||
	       is(ref, "kind", "TLSRoute");
}

static bool is_target_kind(const struct node *ref)
{
	return is_route(ref) || is(ref, "kind", "Gateway") || is(ref, "kind", "ListenerSet");
}

static enum rule_result one(const struct node *self, bool (*fits)(const struct node *))
{
	const struct node *ref = node_member(self, "targetRef");

	return rule_if(!ref || fits(ref));
}

static enum rule_result all_of(const struct node *list, bool (*fits)(const struct node *))
{
	for (size_t i = 0; i < node_count(list); i++) {
		if (!fits(list->items[i]))
			return RULE_BROKEN;
	}
	return RULE_HOLDS;
}

static enum rule_result each(const struct node *self, bool (*fits)(const struct node *))
{
	return all_of(node_member(self, "targetRefs"), fits);
}

/* Of all ways to name a target. */
static enum rule_result any_target(const struct node *self, bool (*fits)(const struct node *))
{
	return rule_if(one(self, fits) == RULE_HOLDS && each(self, fits) == RULE_HOLDS &&
		       all_of(node_member(self, "targetSelectors"), fits) == RULE_HOLDS);
}

static enum rule_result has_target(const struct node *self)
{
	return rule_if(rule_has(self, "targetRef") != rule_has(self, "targetRefs") ||
		       node_count(node_member(self, "targetSelectors")) > 0);
}

static enum rule_result selector_group(const struct node *self)
{
	return rule_if(is_gateway_group(self));
}

static enum rule_result target_group(const struct node *self)
{
	return one(self, is_gateway_group);
}

static enum rule_result target_kind(const struct node *self)
{
	return one(self, is_target_kind);
}

static enum rule_result targets_group(const struct node *self)
{
	return each(self, is_gateway_group);
}

static enum rule_result targets_kind(const struct node *self)
{
	return each(self, is_target_kind);
}

static enum rule_result merge_of_routes(const struct node *self)
{
	if (!rule_has(self, "mergeType"))
		return RULE_HOLDS;
	return any_target(self, is_route);
}

static enum rule_result merge_is_no_replace(const struct node *self)
{
	return rule_if(strcmp(self->text, "Replace") != 0);
}

static enum rule_result one_spelling(const struct node *self)
{
	return rule_if(!rule_has(self, "compression") || !rule_has(self, "compressor"));
}

static enum rule_result buffer_without_upgrade(const struct node *self)
{
	return rule_if(!rule_has(self, "requestBuffer") ||
		       node_count(node_member(self, "httpUpgrade")) == 0);
}

static bool is_admission_target(const struct node *ref)
{
	return is(ref, "kind", "Gateway") || is(ref, "kind", "ListenerSet") ||
	       is(ref, "kind", "HTTPRoute") || is(ref, "kind", "GRPCRoute");
}

static enum rule_result admission_of_http(const struct node *self)
{
	if (!rule_has(self, "admissionControl"))
		return RULE_HOLDS;
	return any_target(self, is_admission_target);
}

static enum rule_result prediction(const struct node *self)
{
	return rule_if(!node_at(self, "connection.preconnect.predictivePercent") ||
		       is(self, "loadBalancer.type", "Random") ||
		       is(self, "loadBalancer.type", "RoundRobin"));
}

static enum rule_result selector_given(const struct node *self)
{
	return rule_if(!is(self, "from", "Selector") || rule_has(self, "selector"));
}

static enum rule_result http_check(const struct node *self)
{
	return belongs(self, "HTTP", "http");
}

static enum rule_result tcp_check(const struct node *self)
{
	return belongs(self, "TCP", "tcp");
}

static enum rule_result grpc_check(const struct node *self)
{
	return rule_if(!rule_has(self, "grpc") || is(self, "type", "GRPC"));
}

static enum rule_result body_has_method(const struct node *self)
{
	const char *method = node_text_at(self, "method", "GET");

	return rule_if(!rule_has(self, "requestBody") || strcasecmp(method, "POST") == 0 ||
		       strcasecmp(method, "PUT") == 0);
}

static enum rule_result text_payload(const struct node *self)
{
	return belongs(self, "Text", "text");
}

static enum rule_result binary_payload(const struct node *self)
{
	return belongs(self, "Binary", "binary");
}

static enum rule_result consistent_hash(const struct node *self)
{
	return belongs(self, "ConsistentHash", "consistentHash");
}

static enum rule_result utilization(const struct node *self)
{
	return belongs(self, "BackendUtilization", "backendUtilization");
}

static enum rule_result dynamic_module(const struct node *self)
{
	return belongs(self, "DynamicModule", "dynamicModule");
}

static enum rule_result slow_start(const struct node *self)
{
	return rule_if(!rule_has(self, "slowStart") ||
		       !(is(self, "type", "ConsistentHash") || is(self, "type", "Random") ||
			 is(self, "type", "DynamicModule")));
}

static bool prefers_local(const struct node *self)
{
	return rule_has(node_member(self, "zoneAware"), "preferLocal");
}

static enum rule_result hash_zones(const struct node *self)
{
	return rule_if(!is(self, "type", "ConsistentHash") || !prefers_local(self));
}

static enum rule_result utilization_zones(const struct node *self)
{
	return rule_if(!is(self, "type", "BackendUtilization") || !prefers_local(self));
}

static enum rule_result module_zones(const struct node *self)
{
	return rule_if(!is(self, "type", "DynamicModule") || !rule_has(self, "zoneAware"));
}

static enum rule_result module_override(const struct node *self)
{
	return rule_if(!is(self, "type", "DynamicModule") || !rule_has(self, "endpointOverride"));
}

static enum rule_result hash_header(const struct node *self)
{
	return belongs(self, "Header", "header");
}

static enum rule_result hash_headers(const struct node *self)
{
	return belongs(self, "Headers", "headers");
}

static enum rule_result hash_cookie(const struct node *self)
{
	return belongs(self, "Cookie", "cookie");
}

static enum rule_result hash_params(const struct node *self)
{
	return belongs(self, "QueryParams", "queryParams");
}

static enum rule_result one_kind_of_zones(const struct node *self)
{
	return rule_if(!prefers_local(self) ||
		       !rule_has(node_member(self, "zoneAware"), "weightedZones"));
}

#define TARGET_KINDS "Gateway/ListenerSet/HTTPRoute/GRPCRoute/TCPRoute/UDPRoute/TLSRoute"

const struct rule policy_spec_rules[] = {
	{has_target, "either targetRef or targetRefs must be used", NULL},
	{target_group, "this policy can only have a targetRef.group of gateway.networking.k8s.io",
	 NULL},
	{target_kind, "this policy can only have a targetRef.kind of " TARGET_KINDS, NULL},
	{targets_group,
	 "this policy can only have a targetRefs[*].group of gateway.networking.k8s.io", NULL},
	{targets_kind, "this policy can only have a targetRefs[*].kind of " TARGET_KINDS, NULL},
	{merge_of_routes, "mergeType can only be used with xRoute targets", NULL},
	{one_spelling, "either compression or compressor can be set, not both", NULL},
	{buffer_without_upgrade, "requestBuffer cannot be used together with httpUpgrade", NULL},
	{admission_of_http,
	 "admissionControl can only be used with HTTPRoute, GRPCRoute, Gateway, or ListenerSet "
	 "targets",
	 NULL},
	{prediction,
	 "predictivePercent in preconnect policy only works with RoundRobin or Random load "
	 "balancers",
	 NULL},
	{0},
};
const struct rule policy_merge_rules[] = {
	{merge_is_no_replace, "Replace is not a valid MergeType for BackendTrafficPolicySpec",
	 NULL},
	{0},
};
const struct rule policy_namespaces_rules[] = {
	{selector_given, "selector must be specified when from is Selector", NULL},
	{0},
};
const struct rule policy_selector_rules[] = {
	{selector_group, "group must be gateway.networking.k8s.io", NULL},
	{0},
};
const struct rule policy_active_rules[] = {
	{http_check, "If Health Checker type is HTTP, http field needs to be set.", NULL},
	{tcp_check, "If Health Checker type is TCP, tcp field needs to be set.", NULL},
	{grpc_check, "The grpc field can only be set if the Health Checker type is GRPC.", NULL},
	{0},
};
const struct rule policy_http_check_rules[] = {
	{body_has_method, "The requestBody field can only be set when method is POST or PUT.",
	 NULL},
	{0},
};
const struct rule policy_payload_rules[] = {
	{text_payload, "If payload type is Text, text field needs to be set.", NULL},
	{binary_payload, "If payload type is Binary, binary field needs to be set.", NULL},
	{0},
};
const struct rule policy_balancer_rules[] = {
	{consistent_hash,
	 "If LoadBalancer type is consistentHash, consistentHash field needs to be set.", NULL},
	{utilization,
	 "If LoadBalancer type is BackendUtilization, backendUtilization field needs to be set.",
	 NULL},
	{dynamic_module,
	 "If LoadBalancer type is DynamicModule, dynamicModule field needs to be set.", NULL},
	{slow_start,
	 "Currently SlowStart is only supported for RoundRobin, LeastRequest, and "
	 "BackendUtilization load balancers.",
	 NULL},
	{hash_zones,
	 "PreferLocal zone-aware routing is not supported for ConsistentHash load balancers. Use "
	 "weightedZones instead.",
	 NULL},
	{utilization_zones,
	 "PreferLocal zone-aware routing is not currently supported for BackendUtilization load "
	 "balancers. Only WeightedZones can be used with BackendUtilization.",
	 NULL},
	{module_zones, "ZoneAware routing is not supported for DynamicModule load balancers.",
	 NULL},
	{one_kind_of_zones, "ZoneAware PreferLocal and WeightedZones cannot be specified together.",
	 NULL},
	{module_override, "EndpointOverride is not supported for DynamicModule load balancers.",
	 NULL},
	{0},
};
const struct rule policy_hash_rules[] = {
	{hash_header, "If consistent hash type is header, the header field must be set.", NULL},
	{hash_headers, "If consistent hash type is headers, the headers field must be set.", NULL},
	{hash_cookie, "If consistent hash type is cookie, the cookie field must be set.", NULL},
	{hash_params, "If consistent hash type is queryParams, the queryParams field must be set.",
	 NULL},
	{0},
};
