/* SPDX-License-Identifier: BSD-2-Clause */
/* Backend, gateway.envoyproxy.io/v1alpha1: a named set of endpoints. */
#include "manifest/fields.h"
#include "manifest/rules.h"

#define PORT_ROW                                                                                   \
	{.name = "port",                                                                           \
	 .type = FIELD_INT32,                                                                      \
	 .required = true,                                                                         \
	 FIELD_MIN(0),                                                                             \
	 FIELD_MAX(65535),                                                                         \
	 .refuse = refuse_backend_port,                                                            \
	 .refuse_text = "Port 0, which nothing listens on.",                                       \
	 .text = "Port of the endpoint, 1 to 65535."}

static const struct field fqdn_fields[] = {
	{.name = "hostname",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .pattern = &pattern_fqdn,
	 .text = "Name that is resolved; every address found is an endpoint. One trailing dot is "
		 "allowed."},
	PORT_ROW,
	FIELD_END,
};
static const struct field ip_fields[] = {
	{.name = "address",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(3),
	 FIELD_MAX(45),
	 .pattern = &pattern_ip,
	 .text = "IPv4 or IPv6 address, without brackets, prefix or zone."},
	PORT_ROW,
	FIELD_END,
};
static const struct field unix_fields[] = {
	{.name = "path",
	 .type = FIELD_STRING,
	 .required = true,
	 .rules = backend_unix_path_rules,
	 .refuse = refuse_unix_path,
	 .refuse_text = "An empty path, and one of more than 107 bytes: the kernel takes no other.",
	 .text = "Path of the socket, 1 to 107 bytes. A leading @ means the abstract namespace."},
	FIELD_END,
};
static const struct field endpoint_fields[] = {
	{.name = "fqdn",
	 .type = FIELD_OBJECT,
	 .fields = fqdn_fields,
	 .text = "An endpoint with a host name, by the userspace path unless spillway.dev/fqdn-path "
		 "says otherwise. Not together with other types in one Backend."},
	{.name = "hostname",
	 .type = FIELD_STRING,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .pattern = &pattern_subdomain,
	 .text = "Name of the endpoint for TLS (SNI) and for the Host header of health checks."},
	{.name = "ip",
	 .type = FIELD_OBJECT,
	 .fields = ip_fields,
	 .text = "An endpoint with an IP address."},
	{.name = "unix",
	 .type = FIELD_OBJECT,
	 .fields = unix_fields,
	 .text = "An endpoint that is a Unix domain socket on the gateway host.",
	 .acts = ACTS_USERSPACE},
	{.name = "zone",
	 .type = FIELD_STRING,
	 .text = "Zone the endpoint is in, for zone-aware policies."},
	FIELD_END,
};
static const struct field endpoint_row = {
	.type = FIELD_OBJECT, .fields = endpoint_fields, .rules = backend_endpoint_rules};

static const struct field ca_ref_fields[] = {
	ROW_GROUP("API group of the referent, empty for ConfigMap and Secret.", .required = true),
	ROW_KIND("ConfigMap, Secret or ClusterTrustBundle.", .required = true),
	ROW_NAME("Name of the referent, in the Backend's namespace.", .required = true),
	FIELD_END,
};
static const struct field ca_ref_row = {.type = FIELD_OBJECT, .fields = ca_ref_fields};

static const char *const versions[] = {"Auto", "1.0", "1.1", "1.2", "1.3", NULL};
static const char *const fingerprints[] = {"JA3", "JA4", NULL};
static const struct field fingerprint_row = {.type = FIELD_STRING, .values = fingerprints};

static const struct field tls_fields[] = {
	{.name = "alpnProtocols",
	 .type = FIELD_LIST,
	 .item = &row_text,
	 .text = "ALPN protocols offered to endpoints; an empty list turns ALPN off."},
	{.name = "autoSNIFromEndpointHostname",
	 .type = FIELD_BOOL,
	 .text = "Sends each endpoint's hostname as SNI and verifies it."},
	{.name = "caCertificateRefs",
	 .type = FIELD_LIST,
	 .item = &ca_ref_row,
	 FIELD_MAX(8),
	 .text = "Certificate authorities that sign the endpoints' certificates."},
	{.name = "ciphers",
	 .type = FIELD_LIST,
	 .item = &row_text,
	 .text = "Cipher suites for TLS up to 1.2."},
	{.name = "clientCertificateRef",
	 .type = FIELD_OBJECT,
	 .fields = secret_ref_fields,
	 .text = "Secret with the certificate that is shown to endpoints."},
	{.name = "ecdhCurves",
	 .type = FIELD_LIST,
	 .item = &row_text,
	 .text = "Curves of the key exchange. HAProxy has no such setting towards servers.",
	 .acts = ACTS_NOWHERE},
	{.name = "fingerprints",
	 .type = FIELD_LIST,
	 .item = &fingerprint_row,
	 .text = "Without effect towards endpoints.",
	 .acts = ACTS_NEVER},
	{.name = "insecureSkipVerify",
	 .type = FIELD_BOOL,
	 .preset = "false",
	 .text = "Accepts any certificate of an endpoint."},
	{.name = "maxVersion",
	 .type = FIELD_STRING,
	 .values = versions,
	 .text = "Highest TLS version, 1.3 when absent."},
	{.name = "minVersion",
	 .type = FIELD_STRING,
	 .values = versions,
	 .text = "Lowest TLS version, 1.2 when absent."},
	{.name = "signatureAlgorithms",
	 .type = FIELD_LIST,
	 .item = &row_text,
	 .text = "Signature algorithms that are accepted. HAProxy has no such setting towards servers.",
	 .acts = ACTS_NOWHERE},
	{.name = "sni",
	 .type = FIELD_STRING,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .pattern = &pattern_subdomain,
	 .text = "Server name that is sent and verified."},
	{.name = "wellKnownCACertificates",
	 .type = FIELD_STRING,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .pattern = &pattern_well_known,
	 .text = "System: the host's certificate authorities."},
	FIELD_END,
};

static const char *const types[] = {"Endpoints", "DynamicResolver", NULL};
static const char *const protocols[] = {"gateway.envoyproxy.io/h2c", "gateway.envoyproxy.io/ws",
					"gateway.envoyproxy.io/wss", NULL};
static const struct field protocol_row = {.type = FIELD_STRING, .values = protocols};

static const struct field spec_fields[] = {
	{.name = "appProtocols",
	 .type = FIELD_LIST,
	 .item = &protocol_row,
	 .text = "Protocols that the endpoints speak, for requests; h2c makes it HTTP/2.",
	 .acts = ACTS_HTTP},
	{.name = "endpoints",
	 .type = FIELD_LIST,
	 .item = &endpoint_row,
	 FIELD_MIN(1),
	 FIELD_MAX(256),
	 .rules = backend_endpoints_rules,
	 .text = "Where traffic goes: IP addresses, host names or Unix sockets."},
	{.name = "fallback",
	 .type = FIELD_BOOL,
	 .text = "Gets traffic only when the other Backends of a route are too unhealthy."},
	{.name = "tls",
	 .type = FIELD_OBJECT,
	 .fields = tls_fields,
	 .rules = backend_tls_rules,
	 .text = "Present: connections to the endpoints are TLS.",
	 .acts = ACTS_USERSPACE},
	{.name = "type",
	 .type = FIELD_STRING,
	 .values = types,
	 .preset = "\"Endpoints\"",
	 .text = "Endpoints, or DynamicResolver: the address comes from the request."},
	FIELD_END,
};
static const struct field status_fields[] = {
	{.name = "conditions",
	 .type = FIELD_LIST,
	 .item = &row_condition,
	 .list_key = "type",
	 FIELD_MAX(8),
	 .text = "What was found out about the Backend."},
	FIELD_END,
};

const struct field backend_fields[] = {
	ROW_ENVELOPE,
	{.name = "spec",
	 .type = FIELD_OBJECT,
	 .fields = spec_fields,
	 .required = true,
	 .rules = backend_spec_rules,
	 .text = "What the Backend is.",
	 .acts = ACTS_BOTH},
	ROW_STATUS(status_fields),
	FIELD_END,
};
