/* SPDX-License-Identifier: BSD-2-Clause */
/* BackendTLSPolicy, gateway.networking.k8s.io: how the certificates of endpoints are verified. */
#include "manifest/fields.h"
#include "manifest/rules.h"

static const struct field target_fields[] = {
	ROW_GROUP("gateway.envoyproxy.io.", .required = true),
	ROW_KIND("Backend.", .required = true),
	ROW_NAME("Name of the Backend.", .required = true),
	ROW_SECTION("sectionName", "Only its endpoints on this port."),
	FIELD_END,
};
static const struct field target_row = {.type = FIELD_OBJECT, .fields = target_fields};

static const struct field ca_ref_fields[] = {
	ROW_GROUP("API group of the referent, empty for a ConfigMap or Secret.", .required = true),
	ROW_KIND("ConfigMap or Secret.", .required = true),
	ROW_NAME("Name of the referent.", .required = true),
	FIELD_END,
};
static const struct field ca_ref_row = {.type = FIELD_OBJECT, .fields = ca_ref_fields};

static const char *const name_types[] = {"Hostname", "URI", NULL};
static const struct field alt_name_fields[] = {
	{.name = "hostname",
	 .type = FIELD_STRING,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .pattern = &pattern_hostname,
	 .text = "For Hostname: the name, possibly with a wildcard."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = name_types,
	 .text = "Hostname or URI."},
	{.name = "uri",
	 .type = FIELD_STRING,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .pattern = &pattern_uri,
	 .text = "For URI, such as spiffe://example.com/web."},
	FIELD_END,
};
static const struct field alt_name_row = {
	.type = FIELD_OBJECT, .fields = alt_name_fields, .rules = tls_alt_name_rules};

static const struct field validation_fields[] = {
	{.name = "caCertificateRefs",
	 .type = FIELD_LIST,
	 .item = &ca_ref_row,
	 FIELD_MAX(8),
	 .text = "ConfigMaps and Secrets with the certificates of authorities."},
	{.name = "hostname",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .pattern = &pattern_subdomain,
	 .text = "Name that is sent, and verified when there are no subjectAltNames."},
	{.name = "subjectAltNames",
	 .type = FIELD_LIST,
	 .item = &alt_name_row,
	 FIELD_MAX(5),
	 .text = "Names of which the certificate must have one."},
	{.name = "wellKnownCACertificates",
	 .type = FIELD_STRING,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .pattern = &pattern_well_known,
	 .text = "System: the authorities that this host trusts."},
	FIELD_END,
};

static const struct field option_row = {.type = FIELD_STRING, FIELD_MAX(4096)};
static const struct field spec_fields[] = {
	{.name = "options",
	 .type = FIELD_MAP,
	 .item = &option_row,
	 FIELD_MAX(16),
	 .text = "Settings of implementations; none here.",
	 .acts = ACTS_NOWHERE},
	{.name = "targetRefs",
	 .type = FIELD_LIST,
	 .item = &target_row,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(16),
	 .rules = route_targets_rules,
	 .text = "Backends of the policy's namespace."},
	{.name = "validation",
	 .type = FIELD_OBJECT,
	 .fields = validation_fields,
	 .required = true,
	 .rules = tls_validation_rules,
	 .text = "Who is trusted, and for which name."},
	FIELD_END,
};

const struct field tls_policy_fields[] = {
	ROW_ENVELOPE,
	{.name = "spec",
	 .type = FIELD_OBJECT,
	 .fields = spec_fields,
	 .required = true,
	 .text = "Which Backends, and what is verified.",
	 .acts = ACTS_USERSPACE},
	ROW_STATUS(policy_status_fields),
	FIELD_END,
};
