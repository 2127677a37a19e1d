/* SPDX-License-Identifier: BSD-2-Clause */
/* Gateway, gateway.networking.k8s.io/v1: the addresses and ports that traffic comes in on. */
#include "manifest/fields.h"
#include "manifest/rules.h"

static const struct field row_any_object = {.type = FIELD_ANY};

static const struct field address_fields[] = {
	{.name = "type",
	 .type = FIELD_STRING,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .pattern = &pattern_address_type,
	 .preset = "\"IPAddress\"",
	 .text = "IPAddress."},
	{.name = "value",
	 .type = FIELD_STRING,
	 FIELD_MAX(253),
	 .text = "The address, such as 203.0.113.80 or 2001:db8::80."},
	FIELD_END,
};
static const struct field address_row = {.type = FIELD_OBJECT,
					 .fields = address_fields,
					 .rules = gateway_address_rules,
					 .refuse = refuse_gateway_address,
					 .refuse_key = "value"};

static const char *const from_values[] = {"All", "Selector", "Same", NULL};
static const struct field namespaces_fields[] = {
	{.name = "from",
	 .type = FIELD_STRING,
	 .values = from_values,
	 .preset = "\"Same\"",
	 .text = "Namespaces whose routes may attach: All, Same as the Gateway's, or Selector."},
	{.name = "selector",
	 .type = FIELD_OBJECT,
	 .fields = label_selector_fields,
	 .text = "Labels of the namespaces, for Selector."},
	FIELD_END,
};
static const struct field route_kind_fields[] = {
	ROW_GROUP("API group of the route.", .preset = "\"gateway.networking.k8s.io\""),
	ROW_KIND("Kind of the route, such as TCPRoute.", .required = true),
	FIELD_END,
};
static const struct field route_kind_row = {.type = FIELD_OBJECT, .fields = route_kind_fields};
static const struct field allowed_fields[] = {
	{.name = "kinds",
	 .type = FIELD_LIST,
	 .item = &route_kind_row,
	 FIELD_MAX(8),
	 .text = "Kinds of routes that may attach; by protocol when absent."},
	{.name = "namespaces",
	 .type = FIELD_OBJECT,
	 .fields = namespaces_fields,
	 .preset = "{\"from\":\"Same\"}",
	 .text = "Namespaces of routes that may attach."},
	FIELD_END,
};

static const char *const tls_modes[] = {"Terminate", "Passthrough", NULL};
static const struct field option_row = {.type = FIELD_STRING, FIELD_MAX(4096)};
static const struct field listener_tls_fields[] = {
	{.name = "certificateRefs",
	 .type = FIELD_LIST,
	 .item = &row_secret_ref,
	 FIELD_MAX(64),
	 .text = "Secrets with the certificates that are shown to clients."},
	{.name = "mode",
	 .type = FIELD_STRING,
	 .values = tls_modes,
	 .preset = "\"Terminate\"",
	 .text = "Terminate: TLS ends here. Passthrough: it ends at the endpoint."},
	{.name = "options",
	 .type = FIELD_MAP,
	 .item = &option_row,
	 FIELD_MAX(16),
	 .text = "Settings of implementations."},
	FIELD_END,
};
static const struct field listener_fields[] = {
	{.name = "allowedRoutes",
	 .type = FIELD_OBJECT,
	 .fields = allowed_fields,
	 .preset = "{\"namespaces\":{\"from\":\"Same\"}}",
	 .text = "Routes that may attach."},
	{.name = "hostname",
	 .type = FIELD_STRING,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .pattern = &pattern_hostname,
	 .text = "Host name that clients ask for; not for TCP and UDP."},
	ROW_SECTION("name", "Name of the listener, unique in the Gateway.", .required = true),
	ROW_PORT("Port that is listened on.", .required = true),
	{.name = "protocol",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(255),
	 .pattern = &pattern_protocol,
	 .text = "TCP, UDP, TLS, HTTP or HTTPS."},
	{.name = "tls",
	 .type = FIELD_OBJECT,
	 .fields = listener_tls_fields,
	 .rules = gateway_listener_tls_rules,
	 .text = "For TLS and HTTPS."},
	FIELD_END,
};
static const struct field listener_row = {.type = FIELD_OBJECT, .fields = listener_fields};

static const struct field backend_tls_fields[] = {
	{.name = "clientCertificateRef",
	 .type = FIELD_OBJECT,
	 .fields = secret_ref_fields,
	 .text = "Certificate that is shown to endpoints."},
	FIELD_END,
};
static const struct field gateway_tls_fields[] = {
	{.name = "backend",
	 .type = FIELD_OBJECT,
	 .fields = backend_tls_fields,
	 .text = "Connections to endpoints."},
	{.name = "frontend", .type = FIELD_ANY, .text = "Kept, without effect."},
	FIELD_END,
};

static const struct field spec_fields[] = {
	{.name = "addresses",
	 .type = FIELD_LIST,
	 .item = &address_row,
	 FIELD_MAX(16),
	 .rules = gateway_addresses_rules,
	 .text = "VIPs. When absent: the addresses of the attached interfaces."},
	{.name = "allowedListeners", .type = FIELD_ANY, .text = "Kept, without effect."},
	{.name = "gatewayClassName",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .text = "Any name: there is one class of gateways here."},
	{.name = "infrastructure", .type = FIELD_ANY, .text = "Kept, without effect."},
	{.name = "listeners",
	 .type = FIELD_LIST,
	 .item = &listener_row,
	 .list_key = "name",
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(64),
	 .rules = gateway_listeners_rules,
	 .text = "Ports and protocols that routes attach to."},
	{.name = "tls",
	 .type = FIELD_OBJECT,
	 .fields = gateway_tls_fields,
	 .text = "TLS of the whole Gateway."},
	FIELD_END,
};
static const struct field status_fields[] = {
	{.name = "addresses",
	 .type = FIELD_LIST,
	 .item = &row_any_object,
	 .text = "Addresses in use."},
	{.name = "attachedListenerSets", .type = FIELD_INT32, .text = "Always absent."},
	{.name = "conditions",
	 .type = FIELD_LIST,
	 .item = &row_condition,
	 .list_key = "type",
	 .text = "What was found out about the Gateway."},
	{.name = "listeners",
	 .type = FIELD_LIST,
	 .item = &row_any_object,
	 .text = "What was found out about each listener."},
	FIELD_END,
};

const struct field gateway_fields[] = {
	ROW_ENVELOPE,
	{.name = "spec",
	 .type = FIELD_OBJECT,
	 .fields = spec_fields,
	 .required = true,
	 .text = "What the Gateway listens on."},
	{.name = "status",
	 .type = FIELD_OBJECT,
	 .fields = status_fields,
	 .text = "What became of it; set by the daemon, ignored in manifests."},
	FIELD_END,
};
