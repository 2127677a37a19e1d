/* SPDX-License-Identifier: BSD-2-Clause */
/* Gateway, gateway.networking.k8s.io/v1: the addresses and ports that traffic comes in on. */
#include "manifest/fields.h"
#include "manifest/rules.h"

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
					 .refuse_key = "value",
					 .refuse_text = "A value of type IPAddress that is no IPv4 "
							"or IPv6 address."};

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
	 .text = "Settings of implementations; none here.",
	 .acts = ACTS_NOWHERE},
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
	 .text = "Host name that clients ask for; not for TCP and UDP.",
	 .acts = ACTS_USERSPACE},
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
	 .text = "For TLS and HTTPS: where TLS ends, and with which certificate.",
	 .acts = ACTS_USERSPACE},
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
static const struct field client_ca_fields[] = {
	ROW_GROUP("API group of the referent, empty for a ConfigMap.", .required = true),
	ROW_KIND("ConfigMap.", .required = true),
	ROW_NAME("Name of the referent.", .required = true),
	ROW_NAMESPACE("Namespace of the referent; the Gateway's when absent."),
	FIELD_END,
};
static const struct field client_ca_row = {.type = FIELD_OBJECT, .fields = client_ca_fields};
static const char *const client_modes[] = {"AllowValidOnly", "AllowInsecureFallback", NULL};
static const struct field client_validation_fields[] = {
	{.name = "caCertificateRefs",
	 .type = FIELD_LIST,
	 .item = &client_ca_row,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(8),
	 .text = "Authorities that sign the certificates of clients."},
	{.name = "mode",
	 .type = FIELD_STRING,
	 .values = client_modes,
	 .preset = "\"AllowValidOnly\"",
	 .text = "What becomes of a client without a valid certificate."},
	FIELD_END,
};
static const struct field client_tls_fields[] = {
	{.name = "validation",
	 .type = FIELD_OBJECT,
	 .fields = client_validation_fields,
	 .text = "Which certificates clients must show."},
	FIELD_END,
};
static const struct field port_tls_fields[] = {
	ROW_PORT("Listeners on this port.", .required = true),
	{.name = "tls",
	 .type = FIELD_OBJECT,
	 .fields = client_tls_fields,
	 .required = true,
	 .text = "What holds there."},
	FIELD_END,
};
static const struct field port_tls_row = {.type = FIELD_OBJECT, .fields = port_tls_fields};
static const struct field frontend_fields[] = {
	{.name = "default",
	 .type = FIELD_OBJECT,
	 .fields = client_tls_fields,
	 .required = true,
	 .text = "What holds for all listeners of HTTPS."},
	{.name = "perPort",
	 .type = FIELD_LIST,
	 .item = &port_tls_row,
	 .list_key = "port",
	 FIELD_MAX(64),
	 .rules = gateway_ports_rules,
	 .text = "What holds for those on a port instead."},
	FIELD_END,
};
static const struct field gateway_tls_fields[] = {
	{.name = "backend",
	 .type = FIELD_OBJECT,
	 .fields = backend_tls_fields,
	 .text = "Connections to endpoints.",
	 .acts = ACTS_USERSPACE},
	{.name = "frontend",
	 .type = FIELD_OBJECT,
	 .fields = frontend_fields,
	 .text = "Certificates of clients. They cannot be asked for in this version, so listeners "
		 "with TLS are not programmed when this is there."},
	FIELD_END,
};

static const struct field label_value_row = {
	.type = FIELD_STRING, FIELD_MAX(63), .pattern = &pattern_label_value};
static const struct field parameters_fields[] = {
	ROW_GROUP("API group of the referent.", .required = true),
	ROW_KIND("Kind of the referent.", .required = true),
	ROW_NAME("Name of the referent.", .required = true),
	FIELD_END,
};
static const struct field infrastructure_fields[] = {
	{.name = "annotations",
	 .type = FIELD_MAP,
	 .item = &option_row,
	 FIELD_MAX(16),
	 .rules = gateway_annotations_rules,
	 .text = "Annotations of what is made for the Gateway."},
	{.name = "labels",
	 .type = FIELD_MAP,
	 .item = &label_value_row,
	 FIELD_MAX(8),
	 .rules = gateway_labels_rules,
	 .text = "Labels of what is made for the Gateway."},
	{.name = "parametersRef",
	 .type = FIELD_OBJECT,
	 .fields = parameters_fields,
	 .text = "Further settings of implementations."},
	FIELD_END,
};

static const char *const set_from_values[] = {"All", "Selector", "Same", "None", NULL};
static const struct field set_namespaces_fields[] = {
	{.name = "from",
	 .type = FIELD_STRING,
	 .values = set_from_values,
	 .preset = "\"None\"",
	 .text = "Namespaces whose ListenerSets may attach."},
	{.name = "selector",
	 .type = FIELD_OBJECT,
	 .fields = label_selector_fields,
	 .text = "Labels of the namespaces, for Selector."},
	FIELD_END,
};
static const struct field allowed_listeners_fields[] = {
	{.name = "namespaces",
	 .type = FIELD_OBJECT,
	 .fields = set_namespaces_fields,
	 .preset = "{\"from\":\"None\"}",
	 .text = "Namespaces of ListenerSets that may attach."},
	FIELD_END,
};

static const struct field spec_fields[] = {
	{.name = "addresses",
	 .type = FIELD_LIST,
	 .item = &address_row,
	 FIELD_MAX(16),
	 .rules = gateway_addresses_rules,
	 .text = "VIPs. When absent: the addresses of the attached interfaces."},
	{.name = "allowedListeners",
	 .type = FIELD_OBJECT,
	 .fields = allowed_listeners_fields,
	 .text = "ListenerSets that may attach; there are none here.",
	 .acts = ACTS_NOWHERE},
	{.name = "gatewayClassName",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .text = "Any name, unless a GatewayClass of that name is another controller's.",
	 .acts = ACTS_BOTH},
	{.name = "infrastructure",
	 .type = FIELD_OBJECT,
	 .fields = infrastructure_fields,
	 .text = "About what is made for a Gateway; nothing is made here.",
	 .acts = ACTS_NOWHERE},
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
	 .text = "TLS of the whole Gateway.",
	 .acts = ACTS_USERSPACE},
	FIELD_END,
};
static const struct field status_address_fields[] = {
	{.name = "type",
	 .type = FIELD_STRING,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .pattern = &pattern_address_type,
	 .preset = "\"IPAddress\"",
	 .text = "IPAddress."},
	{.name = "value",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .text = "The address."},
	FIELD_END,
};
static const struct field status_address_row = {.type = FIELD_OBJECT,
						.fields = status_address_fields,
						.rules = gateway_status_address_rules};
#define ROW_CONDITIONS(description, ...)                                                           \
	{.name = "conditions",                                                                     \
	 .type = FIELD_LIST,                                                                       \
	 .item = &row_condition,                                                                   \
	 .list_key = "type",                                                                       \
	 FIELD_MAX(8),                                                                             \
	 .text = description,                                                                      \
	 ##__VA_ARGS__}
static const struct field listener_status_fields[] = {
	{.name = "attachedRoutes",
	 .type = FIELD_INT32,
	 .required = true,
	 .text = "Routes that are attached to it."},
	ROW_CONDITIONS("What was found out about the listener.", .required = true),
	ROW_SECTION("name", "Name of the listener.", .required = true),
	{.name = "supportedKinds",
	 .type = FIELD_LIST,
	 .item = &route_kind_row,
	 FIELD_MAX(8),
	 .text = "Kinds of routes that may attach."},
	FIELD_END,
};
static const struct field listener_status_row = {.type = FIELD_OBJECT,
						 .fields = listener_status_fields};
static const struct field status_fields[] = {
	{.name = "addresses",
	 .type = FIELD_LIST,
	 .item = &status_address_row,
	 FIELD_MAX(16),
	 .text = "Addresses in use."},
	{.name = "attachedListenerSets", .type = FIELD_INT32, .text = "Always absent."},
	ROW_CONDITIONS("What was found out about the Gateway."),
	{.name = "listeners",
	 .type = FIELD_LIST,
	 .item = &listener_status_row,
	 .list_key = "name",
	 FIELD_MAX(64),
	 .text = "What was found out about each listener."},
	FIELD_END,
};

const struct field gateway_fields[] = {
	ROW_ENVELOPE,
	{.name = "spec",
	 .type = FIELD_OBJECT,
	 .fields = spec_fields,
	 .required = true,
	 .text = "What the Gateway listens on.",
	 .acts = ACTS_BOTH},
	ROW_STATUS(status_fields),
	FIELD_END,
};
