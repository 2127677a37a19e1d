/* SPDX-License-Identifier: BSD-2-Clause */
/* Endpoints that connections are handed off to, the servers that they are to have and have, and their slots. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "handoff/state.h"

void server_done(struct server *s)
{
	arena_free(s->arena);
	*s = (struct server){0};
}

void server_set(struct server *to, const struct plan_server *from, uint64_t number)
{
	struct arena *a = arena_new();

	if (!a)
		abort();
	server_done(to);
	*to = (struct server){
		.arena = a,
		.number = number,
		.identity = from->identity,
		.pool = arena_strdup(a, from->pool),
		.address = arena_strdup(a, from->address),
		.params = arena_strdup(a, from->params),
	};
}

void server_copy(struct server *to, const struct server *from)
{
	const struct plan_server s = {
		.identity = from->identity,
		.pool = from->pool,
		.address = from->address,
		.params = from->params,
	};

	server_set(to, &s, from->number);
}

void entry_now_has(struct handoff *h, struct entry *e, const struct server *s)
{
	const struct socket_pair *pair = &h->sockets[e->slot];

	if (s != &e->have)
		server_copy(&e->have, s);
	e->answered = e->failed = e->in = e->out = e->lost = 0;
	h->trusted[e->id] = false;
	h->hooks.steer(h->hooks.ctx, e->id, pair->v4, pair->v6);
}

void entry_have(struct handoff *h, struct entry *e)
{
	entry_now_has(h, e, &e->want);
}

void entry_lose(struct handoff *h, struct entry *e)
{
	server_done(&e->have);
	h->hooks.steer(h->hooks.ctx, e->id, -1, -1);
}

void entry_refuse(struct handoff *h, struct entry *e, const char *why)
{
	free(e->problem);
	e->problem = strdup(why);
	log_error("proxy: endpoint %s: %s", e->want.address, why);
	h->hooks.changed(h->hooks.ctx);
}

void entry_free(struct handoff *h, size_t nth)
{
	const uint32_t id = h->live[nth];
	struct entry *e = h->entries[id];

	h->entries[id] = NULL;
	h->trusted[id] = false;
	h->live[nth] = h->live[--h->live_count];
	h->slot_ids[e->slot] = SPW_ENDPOINT_NONE;
	server_done(&e->want);
	server_done(&e->have);
	free(e->problem);
	free(e);
}

/* More sockets than are needed, so that the next endpoints need no new process. */
int slots_grow(struct handoff *h)
{
	const size_t wanted = h->slot_count ? 2 * h->slot_count : SLOTS_LEAST;
	uint32_t *ids = realloc(h->slot_ids, wanted * sizeof(*ids));
	int err;

	if (!ids)
		return -ENOMEM;
	h->slot_ids = ids;
	err = sockets_open(&h->sockets, &h->slot_count, wanted);
	if (err)
		return err;
	memset(ids + wanted / 2 * (wanted > SLOTS_LEAST), 0,
	       (wanted > SLOTS_LEAST ? wanted / 2 : wanted) * sizeof(*ids));
	return 0;
}

static size_t take_slot(struct handoff *h, uint32_t id, bool is_frontend)
{
	size_t i = 0;

	while (i < h->slot_count &&
	       (h->slot_ids[i] != SPW_ENDPOINT_NONE || l7_slot_is_frontends(i) != is_frontend))
		i++;
	if (i == h->slot_count && (h->lacks_sockets || slots_grow(h)))
		return SLOT_NONE;
	while (l7_slot_is_frontends(i) != is_frontend)
		i++;
	h->slot_ids[i] = id;
	return i;
}

static struct entry *add_entry(struct handoff *h, uint32_t id, bool is_frontend)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->id = id;
	e->is_frontend = is_frontend;
	e->slot = take_slot(h, id, is_frontend);
	if (e->slot == SLOT_NONE) {
		if (!h->lacks_sockets)
			log_error("proxy: no listening socket is to be had for more endpoints: %s: "
				  "raise the daemon's limit of descriptors",
				  strerror(errno));
		h->lacks_sockets = true;
		free(e);
		return NULL;
	}
	h->entries[id] = e;
	h->live[h->live_count++] = id;
	return e;
}

void entry_want(struct handoff *h, const struct plan_server *s)
{
	struct entry *e = h->entries[s->id];

	if (!e)
		e = add_entry(h, s->id, !*s->pool);
	if (!e)
		return;
	e->has_want = true;
	e->leave_ms = 0;
	if (e->want.number && e->want.identity == s->identity)
		return;
	free(TAKE(e->problem));
	if (e->have.number && e->have.identity == s->identity)
		server_copy(&e->want, &e->have); /* back to what it was */
	else
		server_set(&e->want, s, h->next_number++);
	if (s->refusal)
		entry_refuse(h, e, s->refusal);
}
