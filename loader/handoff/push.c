/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the running HAProxy is told over its admin socket: a server that is new or has changed is added
 * under a name of its own, then the map leads its slot to it, in one step. The one before stays until its
 * last connection ends.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "handoff/render.h"
#include "handoff/state.h"

#define PAYLOAD_MOST 12000 /* bytes; HAProxy's buffers have 16384 */

/* A change under way; it may outlive the entry and the process. */
struct push {
	struct handoff *handoff;
	uint64_t process;
	uint32_t id;
	size_t slot;
	struct server server; /* what is pushed */
};

static void push_free(struct push *p)
{
	server_done(&p->server);
	free(p);
}

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

static bool knows_file(const struct process *p, const char *path)
{
	for (size_t i = 0; i < p->file_count; i++) {
		if (strcmp(p->files[i], path) == 0)
			return true;
	}
	return false;
}

/* Its buffer takes no longer command; from a file HAProxy reads what it likes. */
static bool has_large_file(const struct handoff *h, const char *params)
{
	bool any = false;

	for (size_t i = 0; i < h->file_count && !any; i++)
		any = strstr(params, h->files[i].path) && strlen(h->files[i].pem) > PAYLOAD_MOST &&
		      !knows_file(h->now, h->files[i].path);
	return any;
}

bool push_needs_process(const struct handoff *h)
{
	const struct process *p = h->now;

	if (!p || p->slot_count < h->slot_count || p->l7_hash != h->l7_hash)
		return true;
	for (size_t i = 0; i < h->live_count; i++) {
		const struct entry *e = h->entries[h->live[i]];

		if (is_due(e) &&
		    (!knows_pool(p, e->want.pool) || has_large_file(h, e->want.params)))
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

void push_tell_files(struct handoff *h, const char *params)
{
	struct process *p = h->now;

	for (size_t i = 0; i < h->file_count; i++) {
		const struct plan_file *f = &h->files[i];

		if (!strstr(params, f->path) || knows_file(p, f->path))
			continue;
		if (access(f->path, F_OK)) /* for later processes */
			(void)files_write(h, f->path, f->pem);
		tell_file(h, f);
		*arena_push(p->arena, p->files, p->file_count) = arena_strdup(p->arena, f->path);
	}
}

/* NULL: the entry is gone. */
static struct entry *entry_of(const struct push *push)
{
	return push->handoff->entries[push->id];
}

/* Does the process that was told still count? */
static bool is_current(const struct push *push, int err)
{
	const struct handoff *h = push->handoff;

	return err != -ECANCELED && h->now && h->now->number == push->process;
}

/* No word about the server: the process may have ended, or hang. A new one will have it. */
static void give_up(struct handoff *h, int err)
{
	log_warn("proxy: haproxy does not answer on its admin socket: %s",
		 err ? strerror(-err) : "it closed the connection");
	h->now->l7_hash = 0;
	handoff_settle(h);
}

static void refuse(const struct push *push, struct entry *e, const char *answer)
{
	char why[256];

	(void)snprintf(why, sizeof(why), "HAProxy refuses it: %.*s", (int)strcspn(answer, "\n"),
		       answer);
	if (e->want.number == push->server.number)
		entry_refuse(push->handoff, e, why);
}

/* The slot leads to the pushed server now, whatever the entry wants by this time. */
static void settle(struct push *push, struct entry *e)
{
	struct handoff *h = push->handoff;

	if (!e || e->slot != push->slot) {
		push_unmap(h, push->slot);
		push_retire(h, &push->server);
		return;
	}
	push_retire(h, &e->have);
	entry_now_has(h, e, &push->server);
	h->hooks.changed(h->hooks.ctx);
}

static void on_mapped(void *ctx, int err, const char *answer)
{
	struct push *push = ctx;
	struct handoff *h = push->handoff;
	const bool counts = is_current(push, err);
	struct entry *e = entry_of(push);

	if (counts && e && e->slot == push->slot)
		e->pushing = false;
	if (counts && !err && !*answer)
		settle(push, e);
	else if (counts && !err && e)
		refuse(push, e, answer);
	else if (counts)
		give_up(h, err);
	push_free(push);
	if (counts)
		push_all(h); /* it may be to be something else by now */
}

static void lead(struct push *push)
{
	const struct server *s = &push->server;
	struct handoff *h = push->handoff;
	struct entry *e = entry_of(push);
	struct strbuf b = {0};

	strbuf_printf(&b, "set server %s/s%" PRIu64 " state ready\n", s->pool, s->number);
	tell(h, b.text, NULL, NULL);
	strbuf_done(&b);
	if (!e->have.number)
		push_unmap(h, e->slot); /* a second entry of one name would not be found */
	strbuf_printf(&b, "%s map %s/" RENDER_MAP " p%zu %s/s%" PRIu64 "\n",
		      e->have.number ? "set" : "add", h->dir, e->slot, s->pool, s->number);
	tell(h, b.text, on_mapped, push);
	strbuf_done(&b);
}

static void on_added(void *ctx, int err, const char *answer)
{
	struct push *push = ctx;
	struct handoff *h = push->handoff;
	const bool counts = is_current(push, err);
	const bool is_added = !err && strstr(answer, "New server registered");
	struct entry *e = entry_of(push);
	const bool is_wanted =
		e && e->slot == push->slot && e->has_want && e->want.number == push->server.number;

	if (counts && is_added && is_wanted) {
		lead(push);
		return;
	}
	if (counts && e && e->slot == push->slot)
		e->pushing = false;
	if (counts && is_added)
		push_retire(h, &push->server);
	else if (counts && !err && *answer && e)
		refuse(push, e, answer);
	else if (counts && (err || !*answer))
		give_up(h, err);
	push_free(push);
	if (counts)
		push_all(h);
}

static void push_one(struct handoff *h, struct entry *e)
{
	const struct server *s = &e->want;
	struct push *push = calloc(1, sizeof(*push));
	struct strbuf b = {0};

	if (!push)
		return;
	*push = (struct push){
		.handoff = h, .process = h->now->number, .id = e->id, .slot = e->slot};
	server_copy(&push->server, s);
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

void push_unmap(struct handoff *h, size_t slot)
{
	struct strbuf b = {0};

	if (!h->now)
		return;
	strbuf_printf(&b, "del map %s/" RENDER_MAP " p%zu\n", h->dir, slot);
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
