/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of what a BackendTrafficPolicy says of requests. */
#include <string.h>

#include "manifest/manifest.h"
#include "manifest/rules.h"

static bool is(const struct node *map, const char *key, const char *value)
{
	return strcmp(node_text_at(map, key, ""), value) == 0;
}

/* Does anything but a duration that is shorter than `least` stand there? The pattern tells the rest. */
static bool lasts(const char *duration, int64_t least)
{
	const int64_t ms = duration_ms(duration);

	return ms < 0 || ms >= least;
}

static enum rule_result period_lasts(const struct node *self)
{
	return rule_if(lasts(self->text, 1));
}

static enum rule_result ping_in_time(const struct node *self)
{
	const int64_t timeout = duration_ms(node_text_at(self, "timeout", NULL));
	const int64_t interval = duration_ms(node_text_at(self, "interval", NULL));

	return rule_if(timeout < 0 || interval < 0 || timeout < interval);
}

static enum rule_result connect_of_connect(const struct node *self)
{
	return rule_if(!rule_has(self, "connect") || is(self, "type", "CONNECT"));
}

static bool is_within(const struct node *self, const char *key, int64_t least)
{
	const int64_t value = node_int_at(self, key, least);

	return value >= least && value <= 100;
}

static enum rule_result success_rate(const struct node *self)
{
	return rule_if(is_within(self, "minSuccessRate", 1));
}

static enum rule_result rejection_percent(const struct node *self)
{
	return rule_if(is_within(self, "maxRejectionPercent", 0));
}

static enum rule_result window_lasts(const struct node *self)
{
	return rule_if(lasts(node_text_at(self, "samplingWindow", NULL), 1000));
}

/* At least one of two, or not both. */
static enum rule_result either(const struct node *self, const char *a, const char *b)
{
	return rule_if(rule_has(self, a) || rule_has(self, b));
}

static enum rule_result not_both(const struct node *self, const char *a, const char *b)
{
	return rule_if(!rule_has(self, a) || !rule_has(self, b));
}

static enum rule_result a_direction(const struct node *self)
{
	return either(self, "request", "response");
}

static enum rule_result a_fault(const struct node *self)
{
	return either(self, "delay", "abort");
}

static enum rule_result one_status(const struct node *self)
{
	return not_both(self, "httpStatus", "grpcStatus");
}

static enum rule_result a_status(const struct node *self)
{
	return either(self, "httpStatus", "grpcStatus");
}

static enum rule_result a_condition(const struct node *self)
{
	return rule_if(rule_has(self, "headers") || rule_has(self, "methods") ||
		       rule_has(self, "path") || rule_has(self, "sourceCIDR") ||
		       rule_has(self, "queryParams"));
}

static enum rule_result one_cost(const struct node *self)
{
	return not_both(self, "number", "metadata");
}

/* None of the list has anything at the path. */
static enum rule_result none_has(const struct node *self, const char *path)
{
	for (size_t i = 0; i < self->count; i++) {
		if (node_at(self->items[i], path))
			return RULE_BROKEN;
	}
	return RULE_HOLDS;
}

static enum rule_result no_response_cost(const struct node *self)
{
	return none_has(self, "cost.response");
}

static enum rule_result no_metadata(const struct node *self)
{
	return none_has(self, "limit.fromMetadata");
}

static enum rule_result range_rises(const struct node *self)
{
	return rule_if(node_int_at(self, "end", 0) > node_int_at(self, "start", 0));
}

/* A type's field is there; that of another type may be, too. */
static enum rule_result needs(const struct node *self, const char *type, const char *field)
{
	return rule_if(!is(self, "type", type) || rule_has(self, field));
}

static enum rule_result value_given(const struct node *self)
{
	return needs(self, "Value", "value");
}

static enum rule_result range_given(const struct node *self)
{
	return needs(self, "Range", "range");
}

static enum rule_result a_match(const struct node *self)
{
	return either(self, "statusCodes", "responseHeaders");
}

static enum rule_result one_answer(const struct node *self)
{
	return rule_if(rule_has(self, "response") != rule_has(self, "redirect"));
}

static enum rule_result full_path(const struct node *self)
{
	return rule_if(is(self, "type", "ReplaceFullPath"));
}

static enum rule_result full_given(const struct node *self)
{
	return needs(self, "ReplaceFullPath", "replaceFullPath");
}

static enum rule_result full_alone(const struct node *self)
{
	return rule_if(!rule_has(self, "replaceFullPath") || is(self, "type", "ReplaceFullPath"));
}

static enum rule_result prefix_given(const struct node *self)
{
	return needs(self, "ReplacePrefixMatch", "replacePrefixMatch");
}

static enum rule_result prefix_alone(const struct node *self)
{
	return rule_if(!rule_has(self, "replacePrefixMatch") ||
		       is(self, "type", "ReplacePrefixMatch"));
}

static enum rule_result inline_given(const struct node *self)
{
	return needs(self, "Inline", "inline");
}

static enum rule_result ref_given(const struct node *self)
{
	return needs(self, "ValueRef", "valueRef");
}

static enum rule_result ref_to_configmap(const struct node *self)
{
	return rule_if(!rule_has(self, "valueRef") || is(self, "valueRef.kind", "ConfigMap"));
}

static enum rule_result nothing_removed(const struct node *self)
{
	return rule_if(node_count(node_member(self, "remove")) == 0);
}

static enum rule_result file_given(const struct node *self)
{
	return rule_if(is(self, "type", "File") == rule_has(self, "file"));
}

static bool lists(const struct node *list, const char *a, const char *b)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i]->text, a) == 0 || strcmp(list->items[i]->text, b) == 0)
			return true;
	}
	return false;
}

static enum rule_result both_outcomes(const struct node *self)
{
	return rule_if(lists(self, "Failure", "FailureSeriesStart") ==
		       lists(self, "Success", "HealthyTransition"));
}

const struct rule policy_period_rules[] = {
	{period_lasts, "reportingPeriod must be greater than 0", NULL},
	{0},
};
const struct rule policy_ping_rules[] = {
	{ping_in_time, "timeout must be less than interval", NULL},
	{0},
};
const struct rule policy_upgrade_rules[] = {
	{connect_of_connect, "The connect configuration is only allowed when the type is CONNECT.",
	 NULL},
	{0},
};
const struct rule policy_admission_rules[] = {
	{success_rate, "minSuccessRate must be between 1 and 100", NULL},
	{rejection_percent, "maxRejectionPercent must be between 0 and 100", NULL},
	{window_lasts, "samplingWindow must be at least 1s", NULL},
	{0},
};
const struct rule policy_bandwidth_rules[] = {
	{a_direction, "at least one of request or response must be specified", NULL},
	{0},
};
const struct rule policy_fault_rules[] = {
	{a_fault, "Delay and abort faults are set at least one.", NULL},
	{0},
};
const struct rule policy_abort_rules[] = {
	{one_status, "httpStatus and grpcStatus cannot be simultaneously defined.", NULL},
	{a_status, "httpStatus and grpcStatus are set at least one.", NULL},
	{0},
};
const struct rule policy_client_rules[] = {
	{a_condition,
	 "at least one of headers, methods, path, sourceCIDR or queryParams must be specified",
	 NULL},
	{0},
};
const struct rule policy_cost_rules[] = {
	{one_cost, "only one of number or metadata can be specified", NULL},
	{0},
};
const struct rule policy_local_limit_rules[] = {
	{no_response_cost, "response cost is not supported for Local Rate Limits", NULL},
	{no_metadata, "limit fromMetadata is not supported for Local Rate Limits", NULL},
	{0},
};
const struct rule policy_range_rules[] = {
	{range_rises, "end must be greater than start", NULL},
	{0},
};
const struct rule policy_status_rules[] = {
	{value_given, "value must be set for type Value", NULL},
	{range_given, "range must be set for type Range", NULL},
	{0},
};
const struct rule policy_match_rules[] = {
	{a_match, "at least one of statusCodes or responseHeaders must be specified", NULL},
	{0},
};
const struct rule policy_answer_rules[] = {
	{one_answer, "exactly one of response or redirect must be specified", NULL},
	{0},
};
const struct rule policy_redirect_path_rules[] = {
	{full_path, "only ReplaceFullPath is supported for path.type", NULL},
	{full_given, "replaceFullPath must be specified when type is set to 'ReplaceFullPath'",
	 NULL},
	{full_alone, "type must be 'ReplaceFullPath' when replaceFullPath is set", NULL},
	{prefix_given,
	 "replacePrefixMatch must be specified when type is set to 'ReplacePrefixMatch'", NULL},
	{prefix_alone, "type must be 'ReplacePrefixMatch' when replacePrefixMatch is set", NULL},
	{0},
};
const struct rule policy_body_rules[] = {
	{inline_given, "inline must be set for type Inline", NULL},
	{ref_given, "valueRef must be set for type ValueRef", NULL},
	{ref_to_configmap, "only ConfigMap is supported for ValueRef", NULL},
	{0},
};
const struct rule policy_header_rules[] = {
	{nothing_removed, "Remove is not supported for header in CustomResponse", NULL},
	{0},
};
const struct rule policy_sink_rules[] = {
	{file_given, "If ProxyHealthCheckLogSink type is File, file field needs to be set.", NULL},
	{0},
};
const struct rule policy_outcome_rules[] = {
	{both_outcomes, "a failure type and a success type must both be specified together", NULL},
	{0},
};
