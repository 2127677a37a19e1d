/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the running HAProxy is told over its admin socket: a server that is new or has changed is added
 * under a name of its own, then the map leads its slot to it, in one step. The one before stays until its
 * last connection ends.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "handoff/render.h"
#include "handoff/state.h"

/* A change under way; it may outlive the entry and the process. */
struct push {
	struct handoff *handoff;
	uint64_t process;
	uint32_t id;
	uint64_t number;
	char pool[32];
};

static bool knows_pool(const struct process *p, const char *name)
{
	for (size_t i = 0; i < p->pool_count; i++) {
		if (strcmp(p->pools[i], name) == 0)
			return true;
	}
	return false;
}

static bool is_due(const struct entry *e)
{
	return e->has_want && !e->problem && !e->is_frontend && e->want.number != e->have.number;
}

bool push_needs_process(const struct handoff *h)
{
	const struct process *p = h->now;

	if (!p || p->slot_count < h->slot_count || p->l7_hash != h->l7_hash)
		return true;
	for (size_t i = 0; i < h->live_count; i++) {
		const struct entry *e = h->entries[h->live[i]];

		if (is_due(e) && !knows_pool(p, e->want.pool))
			return true;
	}
	return false;
}

static void tell(struct handoff *h, const char *text, admin_done_fn *done, void *ctx)
{
	if (admin_send(h->now->admin, text, done, ctx) && done)
		done(ctx, -ENOMEM, "");
}

/* A blank line would end the payload. */
static void add_payload(struct strbuf *b, const char *pem)
{
	for (size_t len; *pem; pem += len + (pem[len] == '\n')) {
		len = strcspn(pem, "\n");
		if (len && pem[0] != '\r') {
			strbuf_add(b, pem, len);
			strbuf_puts(b, "\n");
		}
	}
	strbuf_puts(b, "\n");
}

static void tell_file(struct handoff *h, const struct plan_file *f)
{
	const char *kind = f->kind == PLAN_FILE_CA ? "ca-file" : "cert";
	struct strbuf b = {0};

	strbuf_printf(&b, "new ssl %s %s\n", kind, f->path);
	tell(h, b.text, NULL, NULL);
	strbuf_done(&b);
	strbuf_printf(&b, "set ssl %s %s <<\n", kind, f->path);
	add_payload(&b, f->pem);
	tell(h, b.text, NULL, NULL);
	strbuf_done(&b);
	strbuf_printf(&b, "commit ssl %s %s\n", kind, f->path);
	tell(h, b.text, NULL, NULL);
	strbuf_done(&b);
}

static bool knows_file(const struct process *p, const char *path)
{
	for (size_t i = 0; i < p->file_count; i++) {
		if (strcmp(p->files[i], path) == 0)
			return true;
	}
	return false;
}

void push_tell_files(struct handoff *h, const char *params)
{
	struct process *p = h->now;

	for (size_t i = 0; i < h->file_count; i++) {
		const struct plan_file *f = &h->files[i];

		if (!strstr(params, f->path) || knows_file(p, f->path))
			continue;
		tell_file(h, f);
		*arena_push(p->arena, p->files, p->file_count) = arena_strdup(p->arena, f->path);
	}
}

static void settle(const struct push *push, struct entry *e)
{
	struct handoff *h = push->handoff;

	e->pushing = false;
	if (e->want.number != push->number || !e->has_want)
		return; /* it is to be something else by now */
	push_retire(h, &e->have);
	entry_have(h, e);
	h->hooks.changed(h->hooks.ctx);
}

/* NULL: the process that was told is not the one that counts any more, or the entry is gone. */
static struct entry *entry_of(const struct push *push, int err)
{
	const struct handoff *h = push->handoff;

	if (err == -ECANCELED || !h->now || h->now->number != push->process)
		return NULL;
	return h->entries[push->id];
}

static void refuse(const struct push *push, struct entry *e, int err, const char *answer)
{
	char why[256];

	e->pushing = false;
	(void)snprintf(why, sizeof(why), "HAProxy refuses it: %.*s", (int)strcspn(answer, "\n"),
		       err ? strerror(-err) : answer);
	if (e->want.number == push->number)
		entry_refuse(push->handoff, e, why);
}

static void on_mapped(void *ctx, int err, const char *answer)
{
	AUTO(free) struct push *push = ctx;
	struct entry *e = entry_of(push, err);

	if (!e)
		return;
	if (err || *answer)
		refuse(push, e, err, answer);
	else
		settle(push, e);
	push_all(push->handoff); /* it may be to be something else by now */
}

static void on_added(void *ctx, int err, const char *answer)
{
	struct push *push = ctx;
	struct handoff *h = push->handoff;
	struct entry *e = entry_of(push, err);
	struct strbuf b = {0};

	if (e && (err || !strstr(answer, "New server registered")))
		refuse(push, e, err, answer);
	if (!e || !e->pushing) {
		free(push);
		return;
	}
	strbuf_printf(&b, "set server %s/s%" PRIu64 " state ready\n", push->pool, push->number);
	tell(h, b.text, NULL, NULL);
	strbuf_done(&b);
	strbuf_printf(&b, "%s map %s/" RENDER_MAP " p%zu %s/s%" PRIu64 "\n",
		      e->have.number ? "set" : "add", h->dir, e->slot, push->pool, push->number);
	tell(h, b.text, on_mapped, push);
	strbuf_done(&b);
}

static void push_one(struct handoff *h, struct entry *e)
{
	const struct server *s = &e->want;
	struct push *push = calloc(1, sizeof(*push));
	struct strbuf b = {0};

	if (!push)
		return;
	*push = (struct push){
		.handoff = h, .process = h->now->number, .id = e->id, .number = s->number};
	(void)snprintf(push->pool, sizeof(push->pool), "%s", s->pool);
	e->pushing = true;
	push_tell_files(h, s->params);
	strbuf_printf(&b, "add server %s/s%" PRIu64 " %s weight 0%s\n", s->pool, s->number,
		      s->address, s->params);
	tell(h, b.text, on_added, push);
	strbuf_done(&b);
}

void push_all(struct handoff *h)
{
	if (!h->now || h->next)
		return;
	for (size_t i = 0; i < h->live_count; i++) {
		struct entry *e = h->entries[h->live[i]];

		if (is_due(e) && !e->pushing && knows_pool(h->now, e->want.pool))
			push_one(h, e);
	}
}

void push_unmap(struct handoff *h, const struct entry *e)
{
	struct strbuf b = {0};

	if (!h->now || !e->have.number)
		return;
	strbuf_printf(&b, "del map %s/" RENDER_MAP " p%zu\n", h->dir, e->slot);
	tell(h, b.text, NULL, NULL);
	strbuf_done(&b);
}

void push_retire(struct handoff *h, struct server *s)
{
	struct retired *all;

	if (!s->number)
		return;
	all = realloc(h->retired, (h->retired_count + 1) * sizeof(*all));
	if (!all)
		return; /* it stays in HAProxy until the next process */
	h->retired = all;
	all[h->retired_count++] = (struct retired){.number = s->number, .pool = strdup(s->pool)};
}

static void on_removed(void *ctx, int err, const char *answer)
{
	struct handoff *h = ctx;
	size_t i = 0;

	if (err == -ECANCELED)
		return;
	while (i < h->retired_count && !h->retired[i].asked)
		i++;
	if (i == h->retired_count)
		return;
	h->retired[i].asked = false;
	if (!err && (strstr(answer, "deleted") || strstr(answer, "No such"))) {
		free(h->retired[i].pool);
		h->retired[i] = h->retired[--h->retired_count];
	}
}

/* One at a time: its last connection may be long. */
void push_drop_retired(struct handoff *h)
{
	static size_t turn;
	struct strbuf b = {0};
	struct retired *r;

	if (!h->now || !h->retired_count)
		return;
	for (size_t i = 0; i < h->retired_count; i++) {
		if (h->retired[i].asked)
			return;
	}
	r = &h->retired[turn++ % h->retired_count];
	r->asked = true;
	strbuf_printf(&b, "set server %s/s%" PRIu64 " state maint\n", r->pool, r->number);
	tell(h, b.text, NULL, NULL);
	strbuf_done(&b);
	strbuf_printf(&b, "del server %s/s%" PRIu64 "\n", r->pool, r->number);
	tell(h, b.text, on_removed, h);
	strbuf_done(&b);
}
