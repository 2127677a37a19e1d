/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The identity of what judges an instance: equal values share one instance and one verdict. It is
 * kept in the maps and in the store, so a value must not change from version to version without
 * need: what is added is mixed in only where it is used.
 */
#include <string.h>

#include "base/hash.h"
#include "model/resolver.h"

static uint64_t mix_bytes(uint64_t h, const void *bytes, size_t len)
{
	return bytes ? hash_bytes(bytes, len, h + 1) : hash_mix(h + 2);
}

static uint64_t mix_text(uint64_t h, const char *text)
{
	return mix_bytes(h, text, text ? strlen(text) : 0);
}

uint64_t check_profile(const struct check *c, const char *hostname)
{
	uint64_t h = 0;

	if (!c)
		return 0;
	h = hash_mix(h + c->type);
	h = hash_mix(h + c->timeout_ms);
	h = hash_mix(h + c->interval_ms);
	h = hash_mix(h + c->jitter_ms);
	h = hash_mix(h + c->unhealthy_threshold);
	h = hash_mix(h + c->healthy_threshold);
	h = hash_mix(h + c->port);
	h = mix_bytes(h, c->send.bytes, c->send.len);
	h = mix_bytes(h, c->receive.bytes, c->receive.len);
	h = mix_text(h, c->http_path);
	h = mix_text(h, c->http_method);
	/* Without a name of its own the probe asks for the endpoint's. */
	h = mix_text(h, c->type != CHECK_TCP && !c->http_hostname ? hostname : c->http_hostname);
	h = mix_bytes(h, c->expected, c->expected_count * sizeof(*c->expected));
	h = mix_bytes(h, c->retriable, c->retriable_count * sizeof(*c->retriable));
	h = mix_bytes(h, c->request_body.bytes, c->request_body.len);
	h = mix_bytes(h, c->expected_body.bytes, c->expected_body.len);
	h = mix_text(h, c->grpc_service);
	return h ? h : 1;
}

static uint64_t mix_passive(uint64_t h, const struct passive *p, uint8_t proto)
{
	h = hash_mix(h + p->interval_ms);
	h = hash_mix(h + p->base_ejection_ms);
	h = hash_mix(h + p->max_ejection_percent);
	h = hash_mix(h + p->consecutive);
	h = hash_mix(h + p->failure_percent);
	h = hash_mix(h + (p->always_eject_one ? 2 : 0) + (p->udp_replies ? 1 : 0));
	return hash_mix(h + proto);
}

static uint64_t mix_words(uint64_t h, const char *const *words)
{
	if (!words)
		return hash_mix(h + 3);
	for (; *words; words++)
		h = mix_text(h, *words);
	return hash_mix(h + 4);
}

static uint64_t mix_tls(uint64_t h, const struct tls_settings *t)
{
	h = hash_mix(h + (t->verify ? 1 : 0));
	h = mix_text(h, t->sni);
	h = mix_text(h, t->ca_pem);
	h = mix_words(h, t->names);
	h = mix_text(h, t->cert_pem);
	h = mix_text(h, t->key_pem);
	h = mix_text(h, t->min_version);
	h = mix_text(h, t->max_version);
	h = mix_text(h, t->ciphers);
	return mix_words(h, t->alpn);
}

static uint64_t mix_pool(uint64_t h, const struct pool_settings *p)
{
	h = hash_mix(h + p->connect_timeout_ms);
	h = hash_mix(h + p->idle_s);
	h = hash_mix(h + p->max_connections);
	h = hash_mix(h + p->proxy_protocol);
	h = hash_mix(h + (p->keepalive ? 1 : 0));
	h = hash_mix(h + p->keepalive_probes);
	h = hash_mix(h + p->keepalive_idle_s);
	h = hash_mix(h + p->keepalive_interval_s);
	return p->http ? hash_mix(h + 1) : h;
}

enum part { PART_PASSIVE = 1, PART_SLOW_START, PART_TLS, PART_APP, PART_HOST, PART_POOL };

static uint64_t open_part(uint64_t h, enum part part)
{
	return hash_mix(h + 0x9e3779b97f4a7c15ull * part);
}

uint64_t instance_profile(const struct instance *i)
{
	uint64_t h = check_profile(i->check, i->hostname);

	if (i->passive)
		h = mix_passive(open_part(h, PART_PASSIVE), i->passive, i->proto);
	if (i->slow_start_ms)
		h = hash_mix(open_part(h, PART_SLOW_START) + i->slow_start_ms);
	if (i->tls)
		h = mix_tls(open_part(h, PART_TLS), i->tls);
	if (i->app != APP_HTTP1 &&
	    ((i->check && i->check->type == CHECK_HTTP) || (i->pool && i->pool->http)))
		h = hash_mix(open_part(h, PART_APP) + i->app);
	if (i->host)
		h = mix_text(open_part(h, PART_HOST) + i->kind, i->host);
	if (i->pool)
		h = mix_pool(open_part(h, PART_POOL), i->pool);
	return h || !(i->passive || i->slow_start_ms || i->tls || i->host || i->pool) ? h : 1;
}
