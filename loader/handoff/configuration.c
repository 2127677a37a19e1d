/* SPDX-License-Identifier: BSD-2-Clause */
/* What a new HAProxy begins with: its configuration, its map and the PEM texts, and a note of all of it. */
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "handoff/render.h"
#include "handoff/state.h"

#define DESCRIPTORS_SPARE 200
#define CONNECTIONS_MOST  100000 /* what it sets aside for each is not for nothing */

/* HAProxy wants two descriptors for a connection, and refuses to start when it cannot have them. */
static unsigned int connections_most(const struct handoff *h)
{
	struct rlimit limit;
	rlim_t room;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 1000;
	room = limit.rlim_max / 10 * 9;
	if (room < 2 * h->slot_count + DESCRIPTORS_SPARE + 200)
		return 100;
	room = (room - 2 * h->slot_count - DESCRIPTORS_SPARE) / 2;
	return room > CONNECTIONS_MOST ? CONNECTIONS_MOST : (unsigned int)room;
}

/* What it wants may be something else by the time that the process takes over. */
static void note_line(struct process *p, struct config_line *l, const struct entry *e,
		      const struct server *s)
{
	l->id = e->id;
	l->slot = e->slot;
	l->number = s->number;
	l->server = (struct plan_server){
		.identity = s->identity,
		.pool = arena_strdup(p->arena, s->pool),
		.address = arena_strdup(p->arena, s->address),
		.params = arena_strdup(p->arena, s->params),
	};
}

/* The servers that the configuration is to have: those wanted, but for what HAProxy refuses. */
static void list_servers(struct process *p, struct render_input *in)
{
	const struct handoff *h = p->handoff;

	in->servers = arena_array(p->arena, h->live_count, sizeof(*in->servers));
	p->lines = arena_array(p->arena, h->live_count, sizeof(*p->lines));
	for (size_t i = 0; i < h->live_count; i++) {
		const struct entry *e = h->entries[h->live[i]];
		const struct server *s = e->has_want && !e->problem ? &e->want : &e->have;

		if (!s->number || e->is_frontend)
			continue;
		note_line(p, &p->lines[in->server_count], e, s);
		in->servers[in->server_count++] = (struct render_server){
			.slot = e->slot,
			.number = s->number,
			.pool = s->pool,
			.address = s->address,
			.params = s->params,
		};
	}
}

static int write_texts(struct process *p, struct render_input *in)
{
	const struct handoff *h = p->handoff;
	struct strbuf config = {0}, map = {0};
	int err;

	in->l7.arena = p->arena;
	render_config(&config, in);
	p->l7_keys = in->l7.keys;
	p->l7_key_count = in->l7.key_count;
	p->l7_first_line = in->l7_first_line;
	render_map(&map, in);
	for (size_t i = 0; i < in->server_count; i++)
		p->lines[i].line = in->servers[i].line;
	p->line_count = in->server_count;
	err = files_write_pems(h);
	if (!err)
		err = files_write(h, p->config, config.text);
	if (!err)
		err = files_write(h, arena_printf(p->arena, "%s/" RENDER_MAP, h->dir),
				  map.text ? map.text : "");
	strbuf_done(&config);
	strbuf_done(&map);
	return err;
}

/* What it knows, for what it need not be told. */
static void note_contents(struct process *p)
{
	const struct handoff *h = p->handoff;

	for (size_t i = 0; i < h->pool_count; i++)
		*arena_push(p->arena, p->pools, p->pool_count) =
			arena_strdup(p->arena, h->pools[i].name);
	for (size_t i = 0; i < h->file_count; i++)
		*arena_push(p->arena, p->files, p->file_count) =
			arena_strdup(p->arena, h->files[i].path);
}

int configuration_write(struct process *p)
{
	struct handoff *h = p->handoff;
	struct render_input in = {
		.dir = h->dir,
		.process = p->number,
		.max_connections = connections_most(h),
		.slot_count = h->slot_count,
		.first_fd = FIRST_FD,
		.has_v6 = h->slot_count && h->sockets[0].v6 >= 0,
		.pools = h->pools,
		.pool_count = h->pool_count,
	};

	l7_input(h, &in.l7);
	p->l7_hash = h->l7_hash;
	l7_note_servers(h, p);
	list_servers(p, &in);
	note_contents(p);
	return write_texts(p, &in);
}
