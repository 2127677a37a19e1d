/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name of a request's host, or of a connection's SNI, is looked up with the daemon's own name server
 * (dns/stub.h). An address takes the same way without it. What comes of either is compared with the
 * networks that no client may be led to. Spellings of addresses that some read otherwise (octal, hex, short
 * ones, a dot behind) are no names and no addresses here.
 */
#include "handoff/l7_dynamic.h"

#include <string.h>

#include "base/addr.h"
#include "dns/target.h"

#define OCTET "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define IS_V4 "^" OCTET "(\\." OCTET "){3}$"
#define IS_V6 "^\\[[0-9a-f:.]+\\]$"
/* The last part begins with a letter, so nothing that is a name could be read as a number. */
#define IS_NAME	 "^([a-z0-9_]([-a-z0-9_]*[a-z0-9_])?\\.)*[a-z_]([-a-z0-9_]*[a-z0-9_])?$"
#define SNI_PORT 443 /* upstream's, too: nothing in a handshake says another */

static void add_kept(struct strbuf *b, enum target_class class)
{
	for (const char *const *p = target_refused_cidrs(class); *p; p++)
		strbuf_printf(b, "\tacl kept var(txn.to) -m ip %s\n", *p);
}

/* Whether the address may not be gone to. VIPs would lead in circles, and this host is nobody's target. */
static void add_filter(struct strbuf *b, const struct model *m, const struct l7_rule *r)
{
	char text[ADDR_TEXT_MAX];

	add_kept(b, TARGET_NEVER);
	if (!r->dynamic_private)
		add_kept(b, TARGET_PRIVATE);
	for (size_t i = 0; i < m->kept_count; i++)
		strbuf_printf(b, "\tacl kept var(txn.to) -m ip %s\n",
			      addr_print(&m->kept[i], text));
}

static void add_http(struct strbuf *b, const struct model *m, const struct l7_rule *r)
{
	strbuf_printf(b, "\thttp-reuse never\n"
			 "\tacl v4 var(txn.name) -m reg -- '" IS_V4 "'\n"
			 "\tacl v6 var(txn.name) -m reg -- '" IS_V6 "'\n"
			 "\tacl name var(txn.name) -m reg -- '" IS_NAME "'\n");
	add_filter(b, m, r);
	strbuf_printf(b,
		      "\thttp-request set-var(txn.name) req.hdr(host),host_only,lower\n"
		      "\thttp-request set-var(txn.port) req.hdr(host),port_only\n"
		      "\thttp-request set-var(txn.port) int(%d) if { var(txn.port) -m int 0 }\n"
		      "\thttp-request return status 403 if !v4 !v6 !name\n"
		      "\thttp-request set-var(txn.to) var(txn.name) if v4\n"
		      "\thttp-request set-var(txn.to) var(txn.name),ltrim([),rtrim(]) if v6\n"
		      "\thttp-request do-resolve(txn.to," L7_RESOLVERS ",ipv4) var(txn.name) if "
		      "name\n"
		      "\thttp-request return status 503 if !{ var(txn.to) -m found }\n"
		      "\thttp-request return status 403 if kept\n"
		      "\thttp-request set-dst var(txn.to)\n"
		      "\thttp-request set-dst-port var(txn.port)\n",
		      r->dynamic_tls ? 443 : 80);
}

static void add_tcp(struct strbuf *b, const struct model *m, const struct l7_rule *r)
{
	strbuf_puts(b, "\ttcp-request inspect-delay 5s\n" /* what the look-up may take */
		       "\tacl name var(txn.host) -m reg -- '" IS_NAME "'\n");
	add_filter(b, m, r);
	strbuf_printf(b,
		      "\ttcp-request content reject if !name\n"
		      "\ttcp-request content do-resolve(txn.to," L7_RESOLVERS
		      ",ipv4) var(txn.host)\n"
		      "\ttcp-request content reject if !{ var(txn.to) -m found }\n"
		      "\ttcp-request content reject if kept\n"
		      "\ttcp-request content set-dst var(txn.to)\n"
		      "\ttcp-request content set-dst-port int(%d)\n",
		      SNI_PORT);
}

void l7_dynamic(struct strbuf *b, const struct model *m, const struct frontend *f,
		const struct l7_rule *r)
{
	if (f->kind <= FRONTEND_HTTPS)
		add_http(b, m, r);
	else
		add_tcp(b, m, r);
}

/* Without a name of its own the certificate is verified against what is sent: the host. */
const char *l7_dynamic_params(struct arena *a, struct plan *files, const char *dir,
			      const struct l7_rule *r)
{
	struct tls_settings t;
	struct instance i = {.pool = r->dynamic_pool};

	if (!r->dynamic_tls)
		return plan_params(a, files, dir, &i);
	t = *r->dynamic_tls;
	t.sni = NULL;
	t.names = NULL;
	i.tls = &t;
	return arena_printf(a, "%s sni var(txn.name)", plan_params(a, files, dir, &i));
}

void l7_resolvers(struct strbuf *b, uint16_t port)
{
	static const char *const outcomes[] = {"nx", "other", "refused", "timeout", "obsolete"};

	strbuf_printf(b,
		      "\tnameserver daemon 127.0.0.1:%u\n"
		      "\taccepted_payload_size 8192\n"
		      "\tresolve_retries 3\n"
		      "\ttimeout resolve 1s\n"
		      "\ttimeout retry 2s\n"
		      "\thold valid 5s\n",
		      port);
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		strbuf_printf(b, "\thold %s 1s\n", outcomes[i]);
}
