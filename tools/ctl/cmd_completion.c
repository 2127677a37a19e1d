/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `spillway completion -- WORDS...`, for the shell: what the last of the words may become, one a
 * line. It reads the same tables as help does, so the shell's script never needs a change.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

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

/* The verb among the words, and how many words without a dash follow it. */
static const struct verb *verb_among(const struct ctl *c, size_t *follow)
{
	const struct verb *v = NULL;
	const struct flag *f = NULL;

	*follow = 0;
	for (size_t i = 0; i + 1 < c->args.word_count; i++) {
		if (f)
			f = NULL;
		else if (c->args.words[i][0] == '-')
			f = pending_flag(v, c->args.words[i]);
		else if (v)
			(*follow)++;
		else
			v = verb_find(c->args.words[i]);
	}
	return v;
}

static void offer_words(const struct verb *v, size_t follow, const char *begun)
{
	if (!v) {
		offer_verbs(begun);
		return;
	}
	if (follow)
		return;
	switch (v->words) {
	case WORDS_ANY:
		break;
	case WORDS_FIELD:
	case WORDS_KIND:
		offer_kinds(begun);
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

static int run(struct ctl *c)
{
	size_t count = c->args.word_count;
	const char *begun = count ? c->args.words[count - 1] : "";
	const char *before = count > 1 ? c->args.words[count - 2] : "";
	const struct flag *f;
	const struct verb *v;
	size_t follow;

	v = verb_among(c, &follow);
	f = pending_flag(v, before);
	if (f) {
		for (const char *const *choice = f->choices; choice && *choice; choice++)
			offer(*choice, begun);
		return 0;
	}
	if (begun[0] == '-') {
		offer_flags(c, v ? v->flags : NULL, begun);
		offer_flags(c, general_flags, begun);
		return 0;
	}
	offer_words(v, follow, begun);
	return 0;
}

const struct verb verb_completion = {
	.name = "completion",
	.usage = "-- WORD...",
	.summary = "What the last word may become",
	.hidden = true,
	.run = run,
};
