/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Servers of clusters while HAProxy runs: those that are new are added, those that nobody wants any more get
 * no new requests and stay until the next process. A name that is used again is the same server.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "handoff/l7_render.h"
#include "handoff/state.h"

#define LEFT_MOST 256 /* servers of no use in a process; with more it is replaced */

uint64_t l7_server_key(const char *section, const struct l7_server *s)
{
	char name[L7_NAME_MAX];

	l7_server_name(s, name);
	return hash_bytes(name, strlen(name), hash_bytes(section, strlen(section), 3));
}

/* Of all servers, in whichever order. */
uint64_t l7_servers_hash(const struct l7_plan *p)
{
	uint64_t h = 0;

	for (size_t i = 0; i < p->count; i++) {
		for (size_t k = 0; k < p->sections[i].server_count; k++)
			h += l7_server_key(p->sections[i].name, &p->sections[i].servers[k]);
	}
	return h;
}

static struct l7_known *find(struct process *p, uint64_t key)
{
	for (size_t i = 0; i < p->l7_known_count; i++) {
		if (p->l7_known[i].key == key)
			return &p->l7_known[i];
	}
	return NULL;
}

static void note(struct process *p, const char *section, const struct l7_server *s)
{
	char name[L7_NAME_MAX];

	l7_server_name(s, name);
	*arena_push(p->arena, p->l7_known, p->l7_known_count) = (struct l7_known){
		.key = l7_server_key(section, s),
		.place = arena_printf(p->arena, "%s/%s", section, name),
		.is_ready = true,
		.is_wanted = true,
	};
}

/* What a new process has of its configuration. */
void l7_note_servers(struct handoff *h, struct process *p)
{
	for (size_t i = 0; i < h->l7.count; i++) {
		const struct l7_section *s = &h->l7.sections[i];

		for (size_t k = 0; k < s->server_count; k++) {
			if (s->servers[k].id != SPW_ENDPOINT_NONE)
				note(p, s->name, &s->servers[k]);
		}
	}
	p->l7_servers = h->l7_servers;
}

struct addition {
	struct handoff *handoff;
	uint64_t process;
};

/* A new process will have it, or say what is wrong with it. */
static void on_added(void *ctx, int err, const char *answer)
{
	AUTO(free) struct addition *a = ctx;
	struct handoff *h = a->handoff;

	if (err == -ECANCELED || !h->now || h->now->number != a->process)
		return;
	if (!err && strstr(answer, "New server registered"))
		return;
	log_warn("proxy: a server is not added while HAProxy runs: %s", answer);
	h->now->l7_hash = 0;
	handoff_settle(h);
}

static void set_state(struct handoff *h, const char *place, const char *state)
{
	struct strbuf b = {0};

	strbuf_printf(&b, "set server %s state %s\n", place, state);
	(void)admin_send(h->now->admin, b.text, NULL, NULL);
	strbuf_done(&b);
}

static void add(struct handoff *h, const struct l7_section *s, struct l7_server *server)
{
	struct addition *a = calloc(1, sizeof(*a));
	struct process *p = h->now;
	struct strbuf b = {0};

	if (!a)
		abort();
	*a = (struct addition){h, p->number};
	note(p, s->name, server);
	push_tell_files(h, server->params);
	strbuf_printf(&b, "add server %s %s weight %u%s\n",
		      p->l7_known[p->l7_known_count - 1].place, server->address, server->weight,
		      server->params);
	if (admin_send(p->admin, b.text, on_added, a))
		free(a);
	strbuf_done(&b);
	set_state(h, p->l7_known[p->l7_known_count - 1].place, "ready");
	server->told = server->weight;
}

static void want(struct handoff *h, const struct l7_section *s, struct l7_server *server)
{
	struct l7_known *known = find(h->now, l7_server_key(s->name, server));

	if (server->id == SPW_ENDPOINT_NONE)
		return;
	if (!known) {
		add(h, s, server);
		return;
	}
	known->is_wanted = true;
	if (!known->is_ready)
		set_state(h, known->place, "ready");
	known->is_ready = true;
}

void l7_push_servers(struct handoff *h)
{
	struct process *p = h->now;
	size_t left = 0;

	if (!p || p->l7_servers == h->l7_servers)
		return;
	p->l7_servers = h->l7_servers;
	for (size_t i = 0; i < p->l7_known_count; i++)
		p->l7_known[i].is_wanted = false;
	for (size_t i = 0; i < h->l7.count; i++) {
		for (size_t k = 0; k < h->l7.sections[i].server_count; k++)
			want(h, &h->l7.sections[i], &h->l7.sections[i].servers[k]);
	}
	for (size_t i = 0; i < p->l7_known_count; i++) {
		struct l7_known *known = &p->l7_known[i];

		left += !known->is_wanted;
		if (!known->is_wanted && known->is_ready) {
			set_state(h, known->place, "maint");
			known->is_ready = false;
		}
	}
	l7_tell_weights(h);
	if (left > LEFT_MOST) {
		p->l7_hash = 0;
		process_begin(h);
	}
}
