/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layer 7 while HAProxy runs: weights are told as they change, everything else makes a new process. What
 * HAProxy refuses of it is left out line by line, until it is no part of the configuration any more.
 */
#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "handoff/l7_render.h"
#include "handoff/state.h"

#define BATCH_BYTES 8000 /* of commands in one line: HAProxy's buffers have 16384 */
#define UNTOLD	    UINT32_MAX

static size_t slot_of(void *ctx, uint32_t id)
{
	const struct handoff *h = ctx;
	const struct entry *e = id < SPW_ENDPOINTS_LIMIT ? h->entries[id] : NULL;

	return e ? e->slot : SLOT_NONE;
}

void l7_input(struct handoff *h, struct l7_render_input *in)
{
	*in = (struct l7_render_input){
		.plan = &h->l7,
		.refused = &h->l7_refused,
		.slot_of = slot_of,
		.ctx = h,
		.first_fd = FIRST_FD,
		.has_v6 = h->slot_count && h->sockets[0].v6 >= 0,
	};
}

static void copy_section(struct arena *a, struct l7_section *s)
{
	const struct l7_server *from = s->servers;

	s->word = arena_strdup(a, s->word);
	s->name = arena_strdup(a, s->name);
	s->text = arena_strdup(a, s->text);
	s->bind = arena_strdup(a, s->bind);
	s->servers = arena_array(a, s->server_count, sizeof(*s->servers));
	for (size_t i = 0; i < s->server_count; i++)
		s->servers[i] = (struct l7_server){
			.id = from[i].id,
			.tag = from[i].tag,
			.address = arena_strdup(a, from[i].address),
			.params = arena_strdup(a, from[i].params),
			.weight = from[i].weight,
			.told = UNTOLD,
		};
}

static const struct l7_section *find(const struct l7_plan *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++) {
		if (strcmp(p->sections[i].name, name) == 0)
			return &p->sections[i];
	}
	return NULL;
}

/* Most plans are like the ones before: the place is the first guess. */
static const struct l7_section *find_near(const struct l7_plan *p, size_t place, const char *name)
{
	if (place < p->count && strcmp(p->sections[place].name, name) == 0)
		return &p->sections[place];
	return find(p, name);
}

static void inherit(struct l7_server *to, const struct l7_server *from)
{
	to->told = from->told;
	to->read = from->read;
	to->sum = from->sum;
}

static void inherit_told(struct l7_section *s, const struct l7_section *old)
{
	for (size_t i = 0; old && i < s->server_count; i++) {
		for (size_t k = 0; k < old->server_count; k++) {
			if (old->servers[k].id == s->servers[i].id &&
			    old->servers[k].tag == s->servers[i].tag)
				inherit(&s->servers[i], &old->servers[k]);
		}
	}
}

void l7_keep(struct handoff *h, const struct l7_plan *p)
{
	struct arena *a = arena_new();
	struct l7_plan kept = {.count = p->count};

	if (!a)
		abort();
	kept.sections = arena_array(a, p->count, sizeof(*kept.sections));
	for (size_t i = 0; i < p->count; i++) {
		kept.sections[i] = p->sections[i];
		copy_section(a, &kept.sections[i]);
		if (kept.sections[i].server_count)
			inherit_told(&kept.sections[i], find_near(&h->l7, i, p->sections[i].name));
	}
	arena_free(h->l7_arena);
	h->l7_arena = a;
	h->l7 = kept;
}

void l7_hash(struct handoff *h)
{
	struct l7_render_input in;
	struct strbuf text = {0};

	l7_input(h, &in);
	in.as_structure = true;
	in.refused = NULL;
	l7_render(&text, &in);
	h->l7_hash = h->l7.count ? hash_bytes(text.text, text.len, 1) : 1;
	h->l7_servers = l7_servers_hash(&h->l7);
	strbuf_done(&text);
}

/* HAProxy's answers tell of servers that it does not have (yet): the next process does. */
static void flush(struct handoff *h, struct strbuf *b)
{
	if (!b->len)
		return;
	strbuf_puts(b, "\n");
	(void)admin_send(h->now->admin, b->text, NULL, NULL);
	strbuf_done(b);
	*b = (struct strbuf){0};
}

void l7_tell_weights(struct handoff *h)
{
	struct strbuf b = {0};
	char name[L7_NAME_MAX];

	if (!h->now)
		return;
	for (size_t i = 0; i < h->l7.count; i++) {
		struct l7_section *s = &h->l7.sections[i];

		for (size_t k = 0; k < s->server_count; k++) {
			struct l7_server *server = &s->servers[k];

			if (server->told == server->weight || server->id == SPW_ENDPOINT_NONE)
				continue;
			l7_server_name(server, name);
			strbuf_printf(&b, "%sset server %s/%s weight %u", b.len ? ";" : "", s->name,
				      name, server->weight);
			server->told = server->weight;
			if (b.len > BATCH_BYTES)
				flush(h, &b);
		}
	}
	flush(h, &b);
}

/* What a new process was given may have changed while it started. */
void l7_took_over(struct handoff *h)
{
	for (size_t i = 0; i < h->l7.count; i++) {
		for (size_t k = 0; k < h->l7.sections[i].server_count; k++) {
			h->l7.sections[i].servers[k].told = UNTOLD;
			h->l7.sections[i].servers[k].read = (struct l7_counts){0};
		}
	}
	l7_tell_weights(h);
}

/* A try under way looks like an answer, so a server of which nothing came has answered nobody. */
static void judge(struct handoff *h, struct l7_server *s, const struct l7_counts *now)
{
	const struct l7_counts was = s->read;
	uint64_t answered = was.answered;

	if (now->out != was.out && now->tried > now->failed + answered)
		answered = now->tried - now->failed;
	s->read = *now;
	s->read.answered = answered;
	if (answered != was.answered || now->failed != was.failed)
		h->hooks.counted(h->hooks.ctx, s->id,
				 answered - was.answered + now->failed - was.failed,
				 now->failed - was.failed);
}

void l7_count(struct handoff *h, const char *section, const struct l7_server *which,
	      const struct l7_counts *now)
{
	const struct l7_section *s = find(&h->l7, section);

	for (size_t i = 0; s && i < s->server_count; i++) {
		struct l7_server *server = &s->servers[i];

		if (server->id != which->id || server->tag != which->tag)
			continue;
		server->sum.in += now->in - server->read.in;
		server->sum.out += now->out - server->read.out;
		server->sum.failed +=
			now->failed + now->lost - server->read.failed - server->read.lost;
		judge(h, server, now);
	}
}

void handoff_count(const struct handoff *h, uint32_t id, struct handoff_counters *out)
{
	const struct entry *e = id < SPW_ENDPOINTS_LIMIT ? h->entries[id] : NULL;

	*out = e ? e->counters : (struct handoff_counters){0};
	for (size_t i = 0; i < h->l7.count; i++) {
		const struct l7_section *s = &h->l7.sections[i];

		for (size_t k = 0; k < s->server_count; k++) {
			if (s->servers[k].id != id)
				continue;
			out->bytes_in += s->servers[k].sum.in;
			out->bytes_out += s->servers[k].sum.out;
			out->failed += s->servers[k].sum.failed;
		}
	}
}

bool l7_refuse(struct handoff *h, uint64_t key, const char *why)
{
	struct l7_refused *r = &h->l7_refused;
	uint64_t *keys = realloc(r->keys, (r->count + 1) * sizeof(*keys));

	if (!keys)
		return false;
	for (size_t i = 0; i < r->count; i++) {
		if (keys[i] == key) {
			r->keys = keys;
			return false; /* it is left out, and still something is wrong there */
		}
	}
	r->keys = keys;
	r->keys[r->count++] = key;
	free(h->l7_problem);
	if (asprintf(&h->l7_problem, "HAProxy refuses a part of layer 7, which is left out: %s",
		     why) < 0)
		h->l7_problem = NULL;
	log_error("proxy: %s", h->l7_problem ? h->l7_problem : why);
	return true;
}

void l7_forgive(struct handoff *h)
{
	free(TAKE(h->l7_refused.keys));
	h->l7_refused.count = 0;
	free(TAKE(h->l7_problem));
}

void handoff_shares(struct handoff *h, const struct model *m, const struct ids *ids,
		    const struct health_view *v)
{
	AUTO(arena_free) struct arena *a = h->l7.count ? arena_new() : NULL;

	if (!a)
		return;
	l7_plan_weigh(a, m, ids, v, &h->l7);
	l7_tell_weights(h);
}
