/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `spillway completion -- WORDS...`, for the shell: what the last of the words may become, one a
 * line. It reads the same tables as help does, so the shell's script never needs a change.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/explain.h"
#include "ctl/http.h"
#include "ctl/target.h"

static void offer(const char *candidate, const char *begun)
{
	if (strncmp(candidate, begun, strlen(begun)) == 0)
		puts(candidate);
}

static void offer_verbs(const char *begun)
{
	for (const struct verb *const *v = verbs; *v; v++) {
		if (!(*v)->hidden)
			offer((*v)->name, begun);
	}
}

static void offer_flags(struct ctl *c, const struct flag *table, const char *begun)
{
	for (const struct flag *f = table; f && f->name; f++) {
		if (!f->hidden)
			offer(arena_printf(c->arena, "--%s", f->name), begun);
	}
}

static void offer_kinds(const char *begun)
{
	for (size_t i = 0; i < KIND_MAX; i++)
		offer(kinds[i].plural, begun);
}

/* The fields of the object that `begun` has entered, each with all that is in front of it. */
static void offer_fields(struct ctl *c, const char *begun)
{
	const char *dot = strrchr(begun, '.'), *path, *text;
	const struct kind *kind;
	const struct field *f;
	struct field root;
	size_t len;

	if (!dot) {
		offer_kinds(begun);
		return;
	}
	text = arena_strndup(c->arena, begun, (size_t)(dot - begun));
	kind = explain_kind(c->arena, text, &path);
	if (!kind)
		return;
	root = explain_root(kind);
	for (f = &root; f && *path; path += len + (path[len] == '.')) {
		len = strcspn(path, ".");
		f = explain_children(f);
		f = f ? field_find(f, arena_strndup(c->arena, path, len)) : NULL;
	}
	for (f = explain_children(f); f && f->name; f++)
		offer(arena_printf(c->arena, "%s.%s", text, f->name), begun);
}

/* What the daemon has; nothing where there is none. */
static void offer_names(struct ctl *c, const struct kind *kind, const char *prefix,
			const char *begun)
{
	const struct node *items;
	const char *why = NULL;
	struct reply r;

	if (!kind || http_try(c, "GET", target_path(c, kind, c->namespace, NULL), NULL, &r, &why) ||
	    r.code != 200)
		return;
	items = node_member(r.body, "items");
	for (size_t i = 0; i < node_count(items); i++)
		offer(arena_printf(c->arena, "%s%s", prefix,
				   node_text_at(node_item(items, i), "metadata.name", "")),
		      begun);
}

/* A kind, or behind KIND/ a name. */
static void offer_targets(struct ctl *c, const char *begun)
{
	const size_t len = strcspn(begun, "/");

	if (!begun[len])
		offer_kinds(begun);
	else
		offer_names(c, kind_find(arena_strndup(c->arena, begun, len)),
			    arena_strndup(c->arena, begun, len + 1), begun);
}

static const struct flag *find_flag(const struct flag *table, const char *word)
{
	for (const struct flag *f = table; f && f->name; f++) {
		if (word[0] == '-' && ((word[1] == f->letter && f->letter && !word[2]) ||
				       (word[1] == '-' && strcmp(word + 2, f->name) == 0)))
			return f;
	}
	return NULL;
}

/* The flag whose value the last word is, or NULL. */
static const struct flag *pending_flag(const struct verb *v, const char *before)
{
	const struct flag *f = find_flag(general_flags, before);

	if (!f && v)
		f = find_flag(v->flags, before);
	return f && f->type != FLAG_SWITCH && !f->bare ? f : NULL;
}

/* What stands in front of the word that is completed. */
struct typed {
	const struct verb *verb;
	const char *first; /* the first word behind the verb, or NULL */
	size_t follow;	   /* how many such words */
};

/* General flags count for what is asked of the daemon. */
static void heed_flag(struct ctl *c, const char *name, const char *value)
{
	if (strcmp(name, "namespace") == 0)
		c->namespace = value;
	else if (strcmp(name, "project") == 0)
		c->project = value;
	else if (strcmp(name, "socket") == 0)
		c->socket_path = value;
}

/* `--flag=value` of a general flag. */
static void heed_joined(struct ctl *c, const char *word)
{
	const size_t len = strcspn(word, "=");
	const struct flag *f = find_flag(general_flags, arena_strndup(c->arena, word, len));

	if (f && word[len])
		heed_flag(c, f->name, word + len + 1);
}

static struct typed look_at(struct ctl *c)
{
	const struct flag *f = NULL;
	struct typed t = {0};
	const char *word;

	for (size_t i = 0; i + 1 < c->args.word_count; i++) {
		word = c->args.words[i];
		if (f) {
			heed_flag(c, f->name, word);
			f = NULL;
		} else if (word[0] == '-') {
			heed_joined(c, word);
			f = pending_flag(t.verb, word);
		} else if (!t.verb) {
			t.verb = verb_find(word);
		} else {
			t.first = t.first ? t.first : word;
			t.follow++;
		}
	}
	return t;
}

/* Behind the first word. */
static void offer_more(struct ctl *c, const struct typed *t, const char *begun)
{
	if (t->verb->words == WORDS_KIND && strchr(t->first, '/'))
		offer_targets(c, begun);
	else if (t->verb->words == WORDS_KIND)
		offer_names(c, kind_find(t->first), "", begun);
	else if (t->verb->words == WORDS_DRAINABLE && strcmp(t->first, "backend") == 0)
		offer_names(c, &kinds[KIND_BACKEND], "", begun);
}

static void offer_words(struct ctl *c, const struct typed *t, const char *begun)
{
	if (!t->verb) {
		offer_verbs(begun);
		return;
	}
	if (t->follow) {
		offer_more(c, t, begun);
		return;
	}
	switch (t->verb->words) {
	case WORDS_ANY:
		break;
	case WORDS_FIELD:
		offer_fields(c, begun);
		break;
	case WORDS_KIND:
		offer_targets(c, begun);
		break;
	case WORDS_VERB:
		offer_verbs(begun);
		break;
	case WORDS_THING:
		offer("endpoint", begun);
		break;
	case WORDS_BACKEND:
		offer("backend", begun);
		break;
	case WORDS_DRAINABLE:
		offer("endpoint", begun);
		offer("backend", begun);
		break;
	}
}

static void offer_values(struct ctl *c, const struct flag *f, const char *begun)
{
	const char *text = f->choices || !f->offers ? "" : f->offers;
	size_t len;

	for (const char *const *choice = f->choices; choice && *choice; choice++)
		offer(*choice, begun);
	for (; *text; text += len + strspn(text + len, ", ")) {
		len = strcspn(text, ",");
		offer(arena_strndup(c->arena, text, len), begun);
	}
}

/* The word at this distance from the end, "" when there is none. The shell splits words at `=`. */
static const char *word_before(const struct ctl *c, size_t back)
{
	const size_t count = c->args.word_count;

	return count > back ? c->args.words[count - 1 - back] : "";
}

static int run(struct ctl *c)
{
	const char *begun = word_before(c, 0), *before = word_before(c, 1);
	const struct typed t = look_at(c);
	const struct flag *f;

	if (strcmp(begun, "=") == 0)
		begun = "";
	else if (strcmp(before, "=") == 0)
		before = word_before(c, 2);
	f = pending_flag(t.verb, before);
	if (f) {
		offer_values(c, f, begun);
		return 0;
	}
	if (begun[0] == '-') {
		offer_flags(c, t.verb ? t.verb->flags : NULL, begun);
		offer_flags(c, general_flags, begun);
		return 0;
	}
	offer_words(c, &t, begun);
	return 0;
}

const struct verb verb_completion = {
	.name = "completion",
	.usage = "-- WORD...",
	.summary = "What the last word may become",
	.hidden = true,
	.run = run,
};
