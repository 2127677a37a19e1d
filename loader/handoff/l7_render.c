/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line that is refused is left out: a server gets nothing then, and a match meets nobody. Where it says
 * what is to be done with a request, the request is answered with 500 instead.
 */
#include "handoff/l7_render.h"

#include <string.h>

#include "base/hash.h"

static bool is_refused(const struct l7_refused *r, uint64_t key)
{
	for (size_t i = 0; r && i < r->count; i++) {
		if (r->keys[i] == key)
			return true;
	}
	return false;
}

static bool begins(const char *line, size_t len, const char *word)
{
	return len > strlen(word) && strncmp(line, word, strlen(word)) == 0;
}

static bool is_deed(const char *line, size_t len)
{
	return begins(line, len, "\thttp-request ") || begins(line, len, "\thttp-response ");
}

/* Behind its first tab; words of users are quoted, or refused, before. */
static bool is_one_line(const char *line, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if ((unsigned char)line[i] < ' ')
			return false;
	}
	return true;
}

/* A whole line, without its end; true when it is not refused. */
static bool put_line(struct strbuf *out, struct l7_render_input *in, const char *section,
		     const char *line, size_t len)
{
	const uint64_t key = hash_bytes(line, len, hash_bytes(section, strlen(section), 0));

	const bool is_good = is_one_line(line, len) && !is_refused(in->refused, key);

	if (is_good)
		strbuf_add(out, line, len);
	else if (is_deed(line, len))
		strbuf_puts(out, "\thttp-request return status 500");
	else
		strbuf_puts(out, "\t# refused");
	if (in->arena)
		*arena_push(in->arena, in->keys, in->key_count) = key;
	return is_good;
}

static void put_text(struct strbuf *out, struct l7_render_input *in, const char *section,
		     const char *text)
{
	for (size_t len; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		(void)put_line(out, in, section, text, len);
		strbuf_puts(out, "\n");
	}
}

static void put_binds(struct strbuf *out, struct l7_render_input *in, const struct l7_section *s)
{
	const size_t slot = in->slot_of(in->ctx, s->id);
	struct strbuf line = {0};

	if (slot == SIZE_MAX)
		return;
	for (size_t i = 0; i < (in->has_v6 ? 2 : 1); i++) {
		strbuf_printf(&line, "\tbind fd@%zu name p%zu%s",
			      (size_t)in->first_fd + 2 * slot + i, slot, s->bind);
		(void)put_line(out, in, s->name, line.text, line.len);
		strbuf_puts(out, "\n");
		strbuf_done(&line);
		line = (struct strbuf){0};
	}
}

static void put_server(struct strbuf *out, struct l7_render_input *in, const struct l7_section *s,
		       const struct l7_server *server)
{
	struct strbuf line = {0};
	char name[L7_NAME_MAX];

	if (in->as_structure && server->id != SPW_ENDPOINT_NONE)
		return;
	l7_server_name(server, name);
	strbuf_printf(&line, "\tserver %s %s%s", name, server->address, server->params);
	if (put_line(out, in, s->name, line.text, line.len) && !in->as_structure)
		strbuf_printf(out, " weight %u", server->weight);
	strbuf_puts(out, "\n");
	strbuf_done(&line);
}

static void put_section(struct strbuf *out, struct l7_render_input *in, const struct l7_section *s)
{
	struct strbuf head = {0};

	strbuf_printf(&head, "%s %s", s->word, s->name);
	(void)put_line(out, in, "", head.text, head.len);
	strbuf_puts(out, "\n");
	strbuf_done(&head);
	if (s->id != SPW_ENDPOINT_NONE)
		put_binds(out, in, s);
	put_text(out, in, s->name, s->text);
	for (size_t i = 0; i < s->server_count; i++)
		put_server(out, in, s, &s->servers[i]);
}

void l7_render(struct strbuf *out, struct l7_render_input *in)
{
	for (size_t i = 0; i < in->plan->count; i++)
		put_section(out, in, &in->plan->sections[i]);
}
