/* SPDX-License-Identifier: BSD-2-Clause */
/* TCPRoute and UDPRoute, gateway.networking.k8s.io: from listeners to Backends. One table. */
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
static const struct field parent_ref_row = {.type = FIELD_OBJECT, .fields = parent_ref_fields};

static const struct field backend_ref_fields[] = {
	ROW_GROUP("gateway.envoyproxy.io for a Backend.", .preset = "\"\""),
	ROW_KIND("Backend.", .preset = "\"Service\""),
	ROW_NAME("Name of the Backend.", .required = true),
	ROW_NAMESPACE(
		"Namespace of the Backend; the route's when absent. Another namespace needs a "
		"ReferenceGrant there."),
	ROW_PORT("Without effect for a Backend: each of its endpoints has its own port."),
	{.name = "weight",
	 .type = FIELD_INT32,
	 FIELD_MIN(0),
	 FIELD_MAX(1000000),
	 .preset = "1",
	 .text = "Share of the traffic, relative to the other Backends of the same tier."},
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

static const struct field spec_fields[] = {
	{.name = "parentRefs",
	 .type = FIELD_LIST,
	 .item = &parent_ref_row,
	 FIELD_MAX(32),
	 .rules = route_parents_rules,
	 .text = "Gateways whose listeners the route attaches to."},
	{.name = "rules",
	 .type = FIELD_LIST,
	 .item = &rule_row,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(1),
	 .text = "Exactly one: where the traffic goes."},
	FIELD_END,
};

#define ROUTE_FIELDS                                                                               \
	{                                                                                          \
		ROW_ENVELOPE,                                                                      \
		{.name = "spec",                                                                   \
		 .type = FIELD_OBJECT,                                                             \
		 .fields = spec_fields,                                                            \
		 .required = true,                                                                 \
		 .text = "Where traffic comes from and where it goes."},                           \
		{.name = "status",                                                                 \
		 .type = FIELD_OBJECT,                                                             \
		 .fields = route_status_fields,                                                    \
		 .text = "What became of it; set by the daemon, ignored in manifests."},           \
		FIELD_END,                                                                         \
	}

const struct field tcproute_fields[] = ROUTE_FIELDS;
const struct field udproute_fields[] = ROUTE_FIELDS;
