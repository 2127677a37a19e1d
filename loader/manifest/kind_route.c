/* SPDX-License-Identifier: BSD-2-Clause */
/* TCPRoute, UDPRoute and TLSRoute, gateway.networking.k8s.io: from listeners to Backends. */
#include "manifest/fields.h"
#include "manifest/rules.h"

static const struct field parent_ref_fields[] = {
	ROW_GROUP("API group of the parent.", .preset = "\"gateway.networking.k8s.io\""),
	ROW_KIND("Gateway.", .preset = "\"Gateway\""),
	ROW_NAME("Name of the Gateway.", .required = true),
	ROW_NAMESPACE("Namespace of the Gateway; the route's when absent."),
	ROW_PORT("Only listeners on this port."),
	ROW_SECTION("sectionName", "Only the listener of this name."),
	FIELD_END,
};
const struct field row_parent_ref = {.type = FIELD_OBJECT, .fields = parent_ref_fields};

static const struct field backend_ref_fields[] = {
	ROWS_BACKEND,
	ROW_WEIGHT,
	FIELD_END,
};
static const struct field backend_ref_row = {
	.type = FIELD_OBJECT, .fields = backend_ref_fields, .rules = route_backend_ref_rules};

static const struct field rule_fields[] = {
	{.name = "backendRefs",
	 .type = FIELD_LIST,
	 .item = &backend_ref_row,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(16),
	 .text = "Backends that get the traffic."},
	ROW_SECTION("name", "Name of the rule, for policies."),
	FIELD_END,
};
static const struct field rule_row = {.type = FIELD_OBJECT, .fields = rule_fields};

#define ROW_RULES                                                                                  \
	{.name = "rules",                                                                          \
	 .type = FIELD_LIST,                                                                       \
	 .item = &rule_row,                                                                        \
	 .required = true,                                                                         \
	 FIELD_MIN(1),                                                                             \
	 FIELD_MAX(1),                                                                             \
	 .text = "Exactly one: where the traffic goes."}

static const struct field spec_fields[] = {
	ROW_PARENTS,
	ROW_RULES,
	FIELD_END,
};

static const struct field hostname_row = {
	.type = FIELD_STRING, FIELD_MIN(1), FIELD_MAX(253), .pattern = &pattern_hostname};
static const struct field tls_spec_fields[] = {
	{.name = "hostnames",
	 .type = FIELD_LIST,
	 .item = &hostname_row,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(1024),
	 .rules = route_tls_hostnames_rules,
	 .text = "Names that clients ask for (SNI)."},
	ROW_PARENTS,
	ROW_RULES,
	FIELD_END,
};

const struct field tcproute_fields[] = ROUTE_FIELDS(spec_fields, ACTS_BOTH);
const struct field udproute_fields[] = ROUTE_FIELDS(spec_fields, ACTS_XDP);
const struct field tlsroute_fields[] = ROUTE_FIELDS(tls_spec_fields, ACTS_USERSPACE);
