/* SPDX-License-Identifier: BSD-2-Clause */
/* The kinds, one row each. The first version is the one that is stored and shown. */
#include "manifest/kind.h"

#include <string.h>
#include <strings.h>

#include "manifest/config.h"
#include "manifest/schema.h"

#define ENVOY	"gateway.envoyproxy.io"
#define GATEWAY "gateway.networking.k8s.io"
#define CORE	""

static const char *const v1alpha1[] = {"v1alpha1", NULL};
static const char *const v1_v1alpha2[] = {"v1", "v1alpha2", NULL};
static const char *const v1_v1beta1[] = {"v1", "v1beta1", NULL};
static const char *const v1[] = {"v1", NULL};
static const char *const v1_v1alpha3[] = {"v1", "v1alpha3", NULL};
static const char *const v1_v1alpha2_v1alpha3[] = {"v1", "v1alpha2", "v1alpha3", NULL};
static const char *const be[] = {"be", NULL};
static const char *const btp[] = {"btp", NULL};
static const char *const btlspolicy[] = {"btlspolicy", NULL};
static const char *const cm[] = {"cm", NULL};
static const char *const gc[] = {"gc", NULL};
static const char *const gtw[] = {"gtw", NULL};
static const char *const refgrant[] = {"refgrant", NULL};
static const char *const none[] = {NULL};

const struct kind kinds[KIND_MAX] = {
	[KIND_BACKEND] = {KIND_BACKEND, "Backend", ENVOY, v1alpha1, "backends", "backend", be,
			  backend_fields,
			  "A Backend is a named set of endpoints that routes send traffic to."},
	[KIND_GATEWAY] = {KIND_GATEWAY, "Gateway", GATEWAY, v1_v1beta1, "gateways", "gateway", gtw,
			  gateway_fields,
			  "A Gateway says on which addresses and ports traffic comes in."},
	[KIND_TCPROUTE] = {KIND_TCPROUTE, "TCPRoute", GATEWAY, v1_v1alpha2, "tcproutes", "tcproute",
			   none, tcproute_fields,
			   "A TCPRoute sends connections of a listener to Backends."},
	[KIND_UDPROUTE] = {KIND_UDPROUTE, "UDPRoute", GATEWAY, v1_v1alpha2, "udproutes", "udproute",
			   none, udproute_fields,
			   "A UDPRoute sends datagrams of a listener to Backends."},
	[KIND_BACKENDTRAFFICPOLICY] = {KIND_BACKENDTRAFFICPOLICY, "BackendTrafficPolicy", ENVOY,
				       v1alpha1, "backendtrafficpolicies", "backendtrafficpolicy",
				       btp, traffic_policy_fields,
				       "A BackendTrafficPolicy says how traffic of a Gateway or "
				       "route is balanced and how endpoints are checked."},
	[KIND_REFERENCEGRANT] = {KIND_REFERENCEGRANT, "ReferenceGrant", GATEWAY, v1_v1beta1,
				 "referencegrants", "referencegrant", refgrant, grant_fields,
				 "A ReferenceGrant lets other namespaces refer to resources of its "
				 "own."},
	[KIND_HTTPROUTE] = {KIND_HTTPROUTE, "HTTPRoute", GATEWAY, v1_v1beta1, "httproutes",
			    "httproute", none, httproute_fields,
			    "An HTTPRoute sends requests of a listener to Backends."},
	[KIND_TLSROUTE] = {KIND_TLSROUTE, "TLSRoute", GATEWAY, v1_v1alpha2_v1alpha3, "tlsroutes",
			   "tlsroute", none, tlsroute_fields,
			   "A TLSRoute sends connections of a listener to Backends by the name "
			   "that clients ask for."},
	[KIND_BACKENDTLSPOLICY] = {KIND_BACKENDTLSPOLICY, "BackendTLSPolicy", GATEWAY, v1_v1alpha3,
				   "backendtlspolicies", "backendtlspolicy", btlspolicy,
				   tls_policy_fields,
				   "A BackendTLSPolicy says how the certificates of a Backend's "
				   "endpoints are verified."},
	[KIND_GATEWAYCLASS] = {KIND_GATEWAYCLASS, "GatewayClass", GATEWAY, v1_v1beta1,
			       "gatewayclasses", "gatewayclass", gc, gateway_class_fields,
			       "A GatewayClass names who takes care of Gateways.", SCOPE_CLUSTER},
	[KIND_CONFIGMAP] = {KIND_CONFIGMAP, "ConfigMap", CORE, v1, "configmaps", "configmap", cm,
			    configmap_fields,
			    "A ConfigMap holds texts by key, such as certificates of authorities.",
			    .check = config_check},
	[KIND_SECRET] = {KIND_SECRET, "Secret", CORE, v1, "secrets", "secret", none, secret_fields,
			 "A Secret holds values by key that are not shown, such as private keys.",
			 .check = config_check},
};

static bool is_word_of(const struct kind *k, const char *word, size_t len)
{
	if (strlen(k->plural) == len && strncasecmp(k->plural, word, len) == 0)
		return true;
	if (strlen(k->singular) == len && strncasecmp(k->singular, word, len) == 0)
		return true;
	for (const char *const *s = k->shorts; *s; s++) {
		if (strlen(*s) == len && strncasecmp(*s, word, len) == 0)
			return true;
	}
	return false;
}

const struct kind *kind_find(const char *word)
{
	size_t len = strcspn(word, ".");

	for (size_t i = 0; i < KIND_MAX; i++) {
		if (word[len] && strcasecmp(word + len + 1, kinds[i].group) != 0)
			continue;
		if (is_word_of(&kinds[i], word, len))
			return &kinds[i];
	}
	return NULL;
}

static bool serves(const struct kind *k, const char *api_version)
{
	const char *slash = strchr(api_version, '/');
	const char *version = slash ? slash + 1 : api_version;
	size_t len = strlen(k->group);

	if ((size_t)(slash ? slash - api_version : 0) != len ||
	    strncmp(api_version, k->group, len) != 0)
		return false;
	for (const char *const *v = k->versions; *v; v++) {
		if (strcmp(version, *v) == 0)
			return true;
	}
	return false;
}

const struct kind *kind_lookup(const char *api_version, const char *name)
{
	for (size_t i = 0; i < KIND_MAX; i++) {
		if (strcmp(kinds[i].name, name) == 0 && serves(&kinds[i], api_version))
			return &kinds[i];
	}
	return NULL;
}

const struct kind *kind_named(const char *group, const char *name)
{
	for (size_t i = 0; i < KIND_MAX; i++) {
		if (strcmp(kinds[i].group, group) == 0 && strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

const char *kind_api_version(struct arena *a, const struct kind *k, const char *version)
{
	if (!version)
		version = k->versions[0];
	return *k->group ? arena_printf(a, "%s/%s", k->group, version) : version;
}

const char *kind_resource(struct arena *a, const struct kind *k)
{
	return *k->group ? arena_printf(a, "%s.%s", k->plural, k->group) : k->plural;
}
