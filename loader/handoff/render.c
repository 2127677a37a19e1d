/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One section takes the connections of all slots, whether they are in use or not, so that an endpoint
 * that is added later needs no new process.
 */
#include "handoff/render.h"

#include <inttypes.h>
#include <string.h>

#define QUEUE_MS 1 /* beyond a limit of connections nobody waits: upstream closes at once */
#define FIN_S	 60
#define LONGEST	 "169h" /* more than any idle time; that of the pool is in force */

static void add_global(struct strbuf *b, const struct render_input *in)
{
	strbuf_printf(b,
		      "global\n"
		      "\tstats socket %s/admin-%" PRIu64 ".sock mode 600 level admin\n"
		      "\tstats timeout 10s\n"
		      "\tmaxconn %u\n"
		      "\ttune.ssl.default-dh-param 2048\n"
		      "\tspread-checks 0\n%s\n",
		      in->dir, in->process, in->max_connections,
		      in->l7.plan && in->l7.plan->count
			      ? "\texpose-experimental-directives\n" /* normalize-uri */
			      : "");
	strbuf_puts(b, "defaults\n"
		       "\ttimeout connect 10s\n"
		       "\ttimeout client " LONGEST "\n"
		       "\ttimeout server " LONGEST "\n"
		       "\toption dontlognull\n\n");
}

static void add_binds(struct strbuf *b, const struct render_input *in)
{
	for (size_t i = 0; i < in->slot_count; i++) {
		if (l7_slot_is_frontends(i))
			continue;
		strbuf_printf(b, "\tbind fd@%zu name p%zu\n", (size_t)in->first_fd + 2 * i, i);
		if (in->has_v6)
			strbuf_printf(b, "\tbind fd@%zu name p%zu\n",
				      (size_t)in->first_fd + 2 * i + 1, i);
	}
}

static void add_keepalive(struct strbuf *b, const struct pool_settings *s)
{
	if (!s->keepalive)
		return;
	strbuf_puts(b, "\toption srvtcpka\n");
	if (s->keepalive_probes)
		strbuf_printf(b, "\tsrvtcpka-cnt %u\n", s->keepalive_probes);
	if (s->keepalive_idle_s)
		strbuf_printf(b, "\tsrvtcpka-idle %us\n", s->keepalive_idle_s);
	if (s->keepalive_interval_s)
		strbuf_printf(b, "\tsrvtcpka-intvl %us\n", s->keepalive_interval_s);
}

/* What was written so far, and how many lines that is. */
struct text {
	struct strbuf *out;
	size_t seen, lines;
};

static size_t count_lines(struct text *t)
{
	for (; t->seen < t->out->len; t->seen++)
		t->lines += t->out->text[t->seen] == '\n';
	return t->lines;
}

static void add_pool(struct text *t, const struct render_input *in, const struct plan_pool *p)
{
	struct strbuf *b = t->out;

	strbuf_printf(b,
		      "backend %s\n"
		      "\tmode tcp\n"
		      "\tbalance roundrobin\n"
		      "\tretries 1\n"
		      "\ttimeout connect %ums\n"
		      "\ttimeout tunnel %us\n"
		      "\ttimeout queue %dms\n"
		      "\ttimeout server-fin %ds\n",
		      p->name, p->settings.connect_timeout_ms, p->settings.idle_s, QUEUE_MS, FIN_S);
	add_keepalive(b, &p->settings);
	strbuf_puts(b, "\tuse-server %[var(sess.to),field(2,/)] if TRUE\n");
	for (size_t i = 0; i < in->server_count; i++) {
		struct render_server *s = &in->servers[i];

		if (strcmp(s->pool, p->name) != 0)
			continue;
		s->line = count_lines(t) + 1;
		strbuf_printf(b, "\tserver s%" PRIu64 " %s weight 0%s\n", s->number, s->address,
			      s->params);
	}
	strbuf_puts(b, "\n");
}

void render_config(struct strbuf *out, struct render_input *in)
{
	struct text t = {.out = out};

	add_global(out, in);
	strbuf_printf(out,
		      "frontend handoff\n"
		      "\tmode tcp\n"
		      "\ttimeout client-fin %ds\n",
		      FIN_S);
	add_binds(out, in);
	strbuf_printf(out,
		      "\ttcp-request connection set-var(sess.to) so_name,map(%s/" RENDER_MAP ")\n"
		      "\tuse_backend %%[var(sess.to),field(1,/)]\n\n",
		      in->dir);
	for (size_t i = 0; i < in->pool_count; i++)
		add_pool(&t, in, &in->pools[i]);
	in->l7_first_line = count_lines(&t) + 1;
	if (in->l7.plan)
		l7_render(out, &in->l7);
}

void render_map(struct strbuf *out, const struct render_input *in)
{
	for (size_t i = 0; i < in->server_count; i++)
		strbuf_printf(out, "p%zu %s/s%" PRIu64 "\n", in->servers[i].slot,
			      in->servers[i].pool, in->servers[i].number);
}
