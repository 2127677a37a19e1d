/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a BackendTrafficPolicy says of the userspace path's connections, and of the names that
 * endpoints stand on. Upstream's defaults, as Envoy has them.
 */
#include <string.h>

#include "model/resolver.h"

#define CONNECT_TIMEOUT_MS 10000
#define REFRESH_MS	   30000

static uint32_t seconds_of(const struct node *n, const char *path)
{
	return check_duration(n, path, 0) / 1000;
}

/* Upstream's 1024 are not put in force unless somebody asks: a limit nobody set surprises. */
static uint32_t read_limit(const struct node *spec)
{
	const int64_t whole = node_int_at(spec, "circuitBreaker.maxConnections", 0);
	const int64_t each = node_int_at(spec, "circuitBreaker.perEndpoint.maxConnections", 0);
	const int64_t least = whole && each ? (whole < each ? whole : each) : whole + each;

	return least > INT32_MAX ? 0 : (uint32_t)least;
}

static uint8_t read_proxy_protocol(const struct node *spec)
{
	const char *version = node_text_at(spec, "proxyProtocol.version", "");

	return strcmp(version, "V1") == 0 ? 1 : strcmp(version, "V2") == 0 ? 2 : 0;
}

const struct pool_settings *pool_read(struct arena *a, const struct object *policy, uint32_t idle_s)
{
	const struct node *spec = policy ? node_at(policy->res.root, "spec") : NULL;
	const struct node *keepalive = node_member(spec, "tcpKeepalive");
	struct pool_settings *p = arena_alloc(a, sizeof(*p));

	*p = (struct pool_settings){.connect_timeout_ms = CONNECT_TIMEOUT_MS, .idle_s = idle_s};
	if (!spec)
		return p;
	p->connect_timeout_ms =
		check_duration(spec, "timeout.tcp.connectTimeout", CONNECT_TIMEOUT_MS);
	p->max_connections = read_limit(spec);
	p->proxy_protocol = read_proxy_protocol(spec);
	if (!keepalive)
		return p;
	p->keepalive = true;
	p->keepalive_probes = (uint32_t)node_int_at(keepalive, "probes", 0);
	p->keepalive_idle_s = seconds_of(keepalive, "idleTime");
	p->keepalive_interval_s = seconds_of(keepalive, "interval");
	return p;
}

static enum name_family read_family(const struct node *dns)
{
	static const char *const words[] = {
		[NAME_IPV4_PREFERRED] = "IPv4Preferred",
		[NAME_IPV6_PREFERRED] = "IPv6Preferred",
		[NAME_IPV4] = "IPv4",
		[NAME_IPV6] = "IPv6",
		[NAME_BOTH] = "IPv4AndIPv6",
	};
	const char *text = node_text_at(dns, "lookupFamily", words[NAME_IPV4_PREFERRED]);
	size_t i = NAME_BOTH;

	while (i > NAME_IPV4_PREFERRED && strcmp(words[i], text) != 0)
		i--;
	return (enum name_family)i;
}

struct name_wish dns_read(const struct object *policy)
{
	const struct node *dns = policy ? node_at(policy->res.root, "spec.dns") : NULL;

	return (struct name_wish){
		.family = read_family(dns),
		.refresh_ms = check_duration(dns, "dnsRefreshRate", REFRESH_MS),
		.respect_ttl = node_bool_at(dns, "respectDnsTtl", true),
	};
}
