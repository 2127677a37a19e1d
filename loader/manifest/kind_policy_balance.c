/* SPDX-License-Identifier: BSD-2-Clause */
/* BackendTrafficPolicy, spec.loadBalancer: how an endpoint is picked. */
#include "manifest/policy.h"
#include "manifest/rules.h"

static const struct field named_fields[] = {
	{.name = "name", .type = FIELD_STRING, .required = true, .text = "Its name."},
	FIELD_END,
};
static const struct field named_row = {.type = FIELD_OBJECT, .fields = named_fields};
static const struct field cookie_fields[] = {
	{.name = "attributes",
	 .type = FIELD_MAP,
	 .item = &row_text,
	 .text = "Further attributes of the cookie."},
	{.name = "name", .type = FIELD_STRING, .required = true, .text = "Name of the cookie."},
	ROW_DURATION("ttl", "Lifetime of the cookie."),
	FIELD_END,
};
static const char *const hash_types[] = {"SourceIP", "Header",	    "Headers",
					 "Cookie",   "QueryParams", NULL};
static const struct field hash_fields[] = {
	{.name = "cookie",
	 .type = FIELD_OBJECT,
	 .fields = cookie_fields,
	 .text = "For Cookie.",
	 .acts = ACTS_NOWHERE},
	{.name = "header",
	 .type = FIELD_OBJECT,
	 .fields = named_fields,
	 .text = "For Header: the header whose value is hashed.",
	 .acts = ACTS_HTTP},
	{.name = "headers",
	 .type = FIELD_LIST,
	 .item = &named_row,
	 .text = "For Headers.",
	 .acts = ACTS_NOWHERE},
	{.name = "queryParams",
	 .type = FIELD_LIST,
	 .item = &named_row,
	 .text = "For QueryParams.",
	 .acts = ACTS_NOWHERE},
	{.name = "tableSize",
	 .type = FIELD_INT64,
	 FIELD_MIN(2),
	 FIELD_MAX(5000011),
	 .preset = "65537",
	 .text = "For SourceIP in XDP: slots of the table, a prime number, at most 65537 of them. "
		 "HAProxy's hash needs none.",
	 .acts = ACTS_XDP},
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = hash_types,
	 .text = "What is hashed. SourceIP and Header work."},
	FIELD_END,
};

static const struct field report_fields[] = {
	{.name = "authority",
	 .type = FIELD_STRING,
	 FIELD_MIN(1),
	 FIELD_MAX(259),
	 .pattern = &pattern_authority,
	 .text = "Authority of the stream; the endpoint's name or address when absent."},
	ROW_PORT("Port that is asked; the endpoint's when absent."),
	ROW_DURATION("reportingPeriod", "Time between reports, 10s when absent.",
		     .rules = policy_period_rules),
	FIELD_END,
};
static const struct field utilization_fields[] = {
	ROW_DURATION("blackoutPeriod",
		     "How long an endpoint must have reported before its weight counts, 10s when "
		     "absent."),
	{.name = "errorUtilizationPenaltyPercent",
	 .type = FIELD_INT32,
	 FIELD_MIN(0),
	 .text = "How much failures lower an endpoint's weight; 100 is once."},
	{.name = "keepResponseHeaders",
	 .type = FIELD_BOOL,
	 .preset = "false",
	 .text = "Clients get the headers with the load, too."},
	{.name = "metricNamesForComputingUtilization",
	 .type = FIELD_LIST,
	 .item = &row_text,
	 .text = "Numbers of a report that are looked at when the utilization is not in it."},
	{.name = "outOfBand",
	 .type = FIELD_OBJECT,
	 .fields = report_fields,
	 .text = "Endpoints are asked for their load over gRPC."},
	ROW_DURATION("weightExpirationPeriod",
		     "How long a weight counts without a new report, 3m when absent."),
	ROW_DURATION("weightUpdatePeriod", "Time between computations, 1s when absent."),
	FIELD_END,
};

static const struct field module_fields[] = {
	{.name = "config", .type = FIELD_ANY, .text = "Whatever the module takes."},
	{.name = "lbPolicyName",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .text = "Which of the module's ways to balance."},
	{.name = "name",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .pattern = &pattern_module,
	 .text = "Name of the module."},
	FIELD_END,
};

static const struct field slow_start_fields[] = {
	ROW_DURATION("window", "Time in which a new endpoint reaches its full share.",
		     .required = true),
	FIELD_END,
};
static const struct field force_fields[] = {
	{.name = "minEndpointsInZoneThreshold",
	 .type = FIELD_INT32,
	 FIELD_MIN(0),
	 .text = "Healthy endpoints that the own zone needs for it, 1 when absent."},
	FIELD_END,
};
static const struct field local_fields[] = {
	{.name = "force",
	 .type = FIELD_OBJECT,
	 .fields = force_fields,
	 .text = "All traffic goes to the own zone."},
	{.name = "minEndpointsThreshold",
	 .type = FIELD_INT64,
	 FIELD_MIN(0),
	 .text = "Endpoints that all zones need for it, 6 when absent."},
	ROW_PERCENT("percentageEnabled", 0,
		    "Share of the traffic that it is used for, all of it when absent."),
	FIELD_END,
};
static const struct field zone_weight_fields[] = {
	{.name = "weight",
	 .type = FIELD_INT32,
	 FIELD_MIN(0),
	 .required = true,
	 .text = "Share of the zone, relative to the others; 0: none."},
	{.name = "zone", .type = FIELD_STRING, .required = true, .text = "Name of the zone."},
	FIELD_END,
};
static const struct field zone_weight_row = {.type = FIELD_OBJECT, .fields = zone_weight_fields};
static const struct field zone_fields[] = {
	{.name = "preferLocal",
	 .type = FIELD_OBJECT,
	 .fields = local_fields,
	 .text = "Endpoints of the gateway's own zone first."},
	{.name = "weightedZones",
	 .type = FIELD_LIST,
	 .item = &zone_weight_row,
	 .list_key = "zone",
	 .text = "Shares by zone; zones that are not listed have weight 1."},
	FIELD_END,
};
static const struct field extract_fields[] = {
	{.name = "header", .type = FIELD_STRING, .text = "Header with endpoint addresses."},
	FIELD_END,
};
static const struct field extract_row = {.type = FIELD_OBJECT, .fields = extract_fields};
static const struct field override_fields[] = {
	{.name = "extractFrom",
	 .type = FIELD_LIST,
	 .item = &extract_row,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(10),
	 .text = "Where the addresses of endpoints are found."},
	FIELD_END,
};

static const char *const balancer_types[] = {
	"ConsistentHash",     "LeastRequest",  "Random", "RoundRobin",
	"BackendUtilization", "DynamicModule", NULL};
const struct field policy_balancer_fields[] = {
	{.name = "backendUtilization",
	 .type = FIELD_OBJECT,
	 .fields = utilization_fields,
	 .text = "For BackendUtilization: the load that endpoints report.",
	 .acts = ACTS_NOWHERE},
	{.name = "consistentHash",
	 .type = FIELD_OBJECT,
	 .fields = hash_fields,
	 .rules = policy_hash_rules,
	 .text = "For ConsistentHash: what is hashed; on layer 4 SourceIP only."},
	{.name = "dynamicModule",
	 .type = FIELD_OBJECT,
	 .fields = module_fields,
	 .text = "For DynamicModule: a program that picks.",
	 .acts = ACTS_NOWHERE},
	{.name = "endpointOverride",
	 .type = FIELD_OBJECT,
	 .fields = override_fields,
	 .text = "Requests may name their endpoint.",
	 .acts = ACTS_NOWHERE},
	{.name = "slowStart",
	 .type = FIELD_OBJECT,
	 .fields = slow_start_fields,
	 .text = "A new endpoint's share grows slowly, with RoundRobin and LeastRequest."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = balancer_types,
	 .text = "How an endpoint is picked. On layer 4 RoundRobin and Random are a hash of the "
		 "5-tuple, and the others are not done."},
	{.name = "zoneAware",
	 .type = FIELD_OBJECT,
	 .fields = zone_fields,
	 .text = "Zones of endpoints."},
	FIELD_END,
};
