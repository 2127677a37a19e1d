/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Servers have weight 0, so that nothing but the map from a socket to its server ever chooses one. A
 * certificate's path is a hash of it: who has another one has another server line, and connections that
 * are under way keep theirs.
 */
#include "handoff/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/strbuf.h"

struct planning {
	struct arena *arena;
	const char *dir;
	struct plan *out;
};

const char *plan_address(struct arena *a, const struct instance *i)
{
	char text[ADDR_PORT_TEXT_MAX];

	if (i->kind == ENDPOINT_UNIX)
		return arena_printf(a, "unix@%s", i->host);
	return arena_strdup(a, addr_print_port(&i->addr, i->port, text));
}

const char *plan_add_file(struct arena *a, struct plan *p, const char *dir, const char *text,
			  enum plan_file_kind kind)
{
	static const char *const names[] = {
		[PLAN_FILE_CERT] = "cert", [PLAN_FILE_CA] = "ca", [PLAN_FILE_LIST] = "list"};
	const char *path = arena_printf(a, "%s/%s-%016llx.%s", dir, names[kind],
					(unsigned long long)hash_bytes(text, strlen(text), 0),
					kind == PLAN_FILE_LIST ? "txt" : "pem");

	for (size_t i = 0; i < p->file_count; i++) {
		if (strcmp(p->files[i].path, path) == 0)
			return p->files[i].path;
	}
	*arena_push(a, p->files, p->file_count) =
		(struct plan_file){.path = path, .pem = text, .kind = kind};
	return path;
}

static const char *add_file(struct planning *p, const char *pem, enum plan_file_kind kind)
{
	return plan_add_file(p->arena, p->out, p->dir, pem, kind);
}

static void add_verify(struct planning *p, struct strbuf *b, const struct tls_settings *t)
{
	const char *name = t->names && t->names[0] ? t->names[0] : t->sni;

	if (!t->verify) {
		strbuf_puts(b, " verify none");
		return;
	}
	strbuf_printf(b, " verify required ca-file %s",
		      t->ca_pem ? add_file(p, t->ca_pem, PLAN_FILE_CA) : "@system-ca");
	if (name)
		strbuf_printf(b, " verifyhost %s", name);
}

/* OpenSSL's default level of security refuses what the oldest versions need. */
static void add_versions(struct strbuf *b, const struct tls_settings *t)
{
	const bool is_old = t->min_version && strcmp(t->min_version, "1.2") < 0;

	if (t->min_version)
		strbuf_printf(b, " ssl-min-ver TLSv%s", t->min_version);
	if (t->max_version)
		strbuf_printf(b, " ssl-max-ver TLSv%s", t->max_version);
	if (t->ciphers || is_old)
		strbuf_printf(b, " ciphers %s%s", t->ciphers ? t->ciphers : "DEFAULT",
			      is_old ? ":@SECLEVEL=0" : "");
}

static void add_alpn(struct strbuf *b, const char *const *alpn)
{
	for (size_t i = 0; alpn && alpn[i]; i++)
		strbuf_printf(b, "%s%s", i ? "," : " alpn ", alpn[i]);
}

static void add_tls(struct planning *p, struct strbuf *b, const struct tls_settings *t)
{
	strbuf_puts(b, " ssl");
	add_verify(p, b, t);
	if (t->sni)
		strbuf_printf(b, " sni str(%s)", t->sni);
	if (t->cert_pem)
		strbuf_printf(b, " crt %s",
			      add_file(p,
				       arena_printf(p->arena, "%s\n%s", t->cert_pem,
						    t->key_pem ? t->key_pem : ""),
				       PLAN_FILE_CERT));
	add_versions(b, t);
	add_alpn(b, t->alpn);
}

/* Of a local client's connection to a plain endpoint, which no policy speaks of. */
static const struct pool_settings plain = {.connect_timeout_ms = 10000, .idle_s = 7440};

static const struct pool_settings *settings_of(const struct instance *i)
{
	return i->pool ? i->pool : &plain;
}

/* What is spoken to it, unless the list for ALPN says. */
static void add_http(struct strbuf *b, const struct instance *i)
{
	const bool is_h2 = i->app == APP_H2C;

	if (!i->tls)
		strbuf_puts(b, is_h2 ? " proto h2" : "");
	else if (!i->tls->alpn)
		strbuf_puts(b, is_h2 ? " alpn h2" : " alpn http/1.1");
}

static const char *params_of(struct planning *p, const struct instance *i)
{
	const struct pool_settings *s = settings_of(i);
	struct strbuf b = {0};
	const char *text;

	if (s->proxy_protocol)
		strbuf_puts(&b, s->proxy_protocol == 1 ? " send-proxy" : " send-proxy-v2");
	if (s->max_connections)
		strbuf_printf(&b, " maxconn %u", s->max_connections);
	if (i->tls)
		add_tls(p, &b, i->tls);
	if (s->http)
		add_http(&b, i);
	text = arena_strdup(p->arena, b.text ? b.text : "");
	strbuf_done(&b);
	return text;
}

const char *plan_params(struct arena *a, struct plan *out, const char *dir,
			const struct instance *i)
{
	struct planning p = {.arena = a, .dir = dir, .out = out};

	return params_of(&p, i);
}

/* Of what is said in the section, not in a server's line. */
static const char *pool_of(struct planning *p, const struct pool_settings *s)
{
	struct pool_settings key = *s;
	struct plan *out = p->out;
	const char *name;
	uint64_t h;

	key.max_connections = 0;
	key.proxy_protocol = 0;
	h = hash_mix(key.connect_timeout_ms);
	h = hash_mix(h + key.idle_s);
	h = hash_mix(h + key.keepalive);
	h = hash_mix(h + key.keepalive_probes);
	h = hash_mix(h + key.keepalive_idle_s);
	h = hash_mix(h + key.keepalive_interval_s);
	name = arena_printf(p->arena, "pool-%016llx", (unsigned long long)h);
	for (size_t i = 0; i < out->pool_count; i++) {
		if (strcmp(out->pools[i].name, name) == 0)
			return out->pools[i].name;
	}
	*arena_push(p->arena, out->pools, out->pool_count) =
		(struct plan_pool){.name = name, .settings = key};
	return name;
}

/*
 * Words of users end up in a configuration and in commands, where blanks, quotes and separators would
 * make other words of them: what holds such a character is not told at all.
 */
static const char *find_unsafe(const char *text)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "._/-+=:,@~!*[]";

	return text && text[strspn(text, safe)] ? text : NULL;
}

const char *plan_refusal(struct arena *a, const struct instance *i)
{
	const struct tls_settings *t = i->tls;
	const char *bad = i->kind == ENDPOINT_UNIX ? find_unsafe(i->host) : NULL;

	if (t && !bad)
		bad = find_unsafe(t->ciphers);
	for (size_t n = 0; t && !bad && t->alpn && t->alpn[n]; n++)
		bad = find_unsafe(t->alpn[n]);
	if (t && !bad)
		bad = find_unsafe(t->sni);
	if (t && !bad && t->names)
		bad = find_unsafe(t->names[0]);
	if (!bad)
		return NULL;
	return arena_printf(a,
			    "HAProxy cannot be told \"%s\": only letters, digits and "
			    "._/-+=:,@~!*[] may be in it",
			    bad);
}

static uint64_t mix_text(uint64_t h, const char *text)
{
	return hash_bytes(text, strlen(text), h);
}

static void add_server(struct planning *p, const struct instance *i, uint32_t id)
{
	struct plan_server s = {
		.id = id,
		.instance = i,
		.address = plan_address(p->arena, i),
		.params = params_of(p, i),
		.pool = pool_of(p, settings_of(i)),
		.refusal = plan_refusal(p->arena, i),
	};

	s.identity = mix_text(mix_text(mix_text(1, s.address), s.params), s.pool);
	*arena_push(p->arena, p->out->servers, p->out->server_count) = s;
}

static int compare_servers(const void *va, const void *vb)
{
	const struct plan_server *a = va, *b = vb;

	return a->id < b->id ? -1 : a->id > b->id;
}

static bool has_tcp(const struct model *m, const struct instance *i)
{
	for (size_t n = 0; n < i->service_count; n++) {
		if (m->services[i->services[n]].proto == IPPROTO_TCP)
			return true;
	}
	return false;
}

/* Is it to have a server? */
static bool is_wanted(const struct model *m, const struct instance *i,
		      const struct plan_options *opts, struct plan *out, size_t *locals)
{
	if (i->carried && i->mode == SPW_MODE_HANDOFF)
		return i->steered && i->kind != ENDPOINT_PROXY;
	if (!opts->local_most || !i->carried || i->mode != SPW_MODE_NAT || !has_tcp(m, i))
		return false;
	if (*locals == opts->local_most) {
		out->left_out++;
		return false;
	}
	(*locals)++;
	return true;
}

void plan_make(struct arena *a, const struct model *m, const struct ids *ids,
	       const struct plan_options *opts, struct plan *out)
{
	struct planning p = {.arena = a, .dir = opts->dir, .out = out};
	size_t locals = 0;

	*out = (struct plan){0};
	for (size_t n = 0; n < m->instance_count; n++) {
		const struct instance *i = &m->instances[n];
		const uint32_t id = ids_endpoint(ids, i);

		if (id != SPW_ENDPOINT_NONE && is_wanted(m, i, opts, out, &locals))
			add_server(&p, i, id);
	}
	if (out->server_count > 1)
		qsort(out->servers, out->server_count, sizeof(*out->servers), compare_servers);
}
