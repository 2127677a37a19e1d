/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fixed words for the service and for each locality and member; where zones count, their names behind
 * the members they are of. Every list says how long it is, so no two services are written alike.
 */
#include "tables/recipe.h"

#include <string.h>

#include "tables/shares.h"

#define WORDS_OF_SERVICE  8
#define WORDS_OF_LOCALITY 2
#define WORDS_OF_MEMBER	  4

static size_t text_words(const char *text)
{
	return 1 + (text ? strlen(text) / sizeof(uint64_t) + 1 : 0);
}

static size_t most_words(const struct service *s)
{
	size_t n = WORDS_OF_SERVICE + text_words(s->local_zone);

	for (size_t i = 0; i < s->locality_count; i++) {
		const struct locality *l = &s->localities[i];

		n += WORDS_OF_LOCALITY + l->count * WORDS_OF_MEMBER;
		for (size_t m = 0; s->prefer_local.enabled && m < l->count; m++)
			n += text_words(l->zones[m]);
	}
	return n;
}

static void add(struct recipe *r, uint64_t word)
{
	r->words[r->count++] = word;
}

/* The words are zero, and so is the rest of the last one. */
static void add_text(struct recipe *r, const char *text)
{
	add(r, text ? strlen(text) + 1 : 0);
	if (!text)
		return;
	memcpy(&r->words[r->count], text, strlen(text));
	r->count += text_words(text) - 1;
}

static void add_service(struct recipe *r, const struct service *s)
{
	const struct prefer_local *p = &s->prefer_local;

	add(r, s->panic_threshold);
	add(r, s->table_size);
	add(r, s->locality_count);
	add(r, p->enabled);
	if (!p->enabled)
		return;
	add(r, p->force);
	add(r, p->min_in_zone);
	add(r, p->min_endpoints);
	add(r, p->percent);
	add_text(r, s->local_zone);
}

static void add_member(struct recipe *r, const struct instance *i, const struct health_entry *e,
		       uint32_t id)
{
	uint64_t addr[2];

	memcpy(addr, i->addr.b, sizeof(addr));
	add(r, addr[0]);
	add(r, addr[1]);
	add(r, (uint64_t)id << 32 | (uint64_t)i->port << 16 | (uint64_t)i->mode);
	add(r, (uint64_t)e->ramp_percent << 2 | (uint64_t)(health_is_allowed(e) << 1) |
		       (uint64_t)health_is_healthy(e));
	r->members++;
	r->direct |= mode_is_direct(i->mode);
}

struct recipe recipe_of(struct arena *a, const struct service *s, const struct health_view *v,
			const struct ids *ids)
{
	struct recipe r = {.words = arena_array(a, most_words(s), sizeof(*r.words))};

	add_service(&r, s);
	for (size_t i = 0; i < s->locality_count; i++) {
		const struct locality *l = &s->localities[i];

		add(&r, (uint64_t)l->weight << 8 | l->tier);
		add(&r, l->count);
		for (size_t m = 0; m < l->count; m++) {
			const struct health_entry e = shares_health(v, l->members[m]);

			add_member(&r, l->members[m], &e, ids_endpoint(ids, l->members[m]));
			if (s->prefer_local.enabled)
				add_text(&r, l->zones[m]);
		}
	}
	return r;
}
