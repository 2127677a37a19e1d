/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three kinds of entries in one hash table: services by their recipes, finished tables by their whole list of
 * members, and home tables by keys and home shares. A service that is as before costs the look at its recipe.
 * An endpoint that goes down changes the tables of its services, never the home tables,
 * so that only the moved slots are worked out again. Lists are
 * compared byte by byte: a hit is exact, and the result is the same with or without a cache.
 */
#include "tables/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tables/maglev.h"

#define BUCKETS_FIRST 64

enum entry_kind { ENTRY_SERVICE, ENTRY_TABLE, ENTRY_HOME };

/* What a home table depends on. */
struct home_key {
	uint64_t key, home;
};

struct entry {
	struct entry *next;
	uint64_t list_hash;
	uint64_t made, used; /* numbers of the compiles that made it and asked for it last */
	enum entry_kind kind;
	uint32_t size; /* of the table */
	size_t list_bytes;
	void *list;		   /* owned: words of a recipe, struct member or struct home_key */
	struct cached_table table; /* ENTRY_HOME: slots are indices of members */
	uint32_t *counts;	   /* owned; ENTRY_HOME: slots of each member */
	struct entry *home;	   /* ENTRY_TABLE: used, and so kept, as long as this one */
	struct cached_service service; /* ENTRY_SERVICE: its tables are used as long as this one */
};

struct table_cache {
	struct entry **buckets; /* owned, a power of two of them */
	size_t bucket_count, entry_count;
	uint64_t compile; /* number of the latest */
};

static void *allocate(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	if (!p)
		abort();
	return p;
}

struct table_cache *table_cache_new(void)
{
	struct table_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->bucket_count = BUCKETS_FIRST;
	c->buckets = calloc(c->bucket_count, sizeof(*c->buckets));
	if (!c->buckets) {
		free(c);
		return NULL;
	}
	return c;
}

static void entry_free(struct entry *e)
{
	free(e->list);
	free(e->table.slots);
	free(e->table.has_slots);
	free(e->counts);
	free(e->service.has_slots);
	free(e);
}

enum which { WHICH_ALL, WHICH_UNUSED, WHICH_NEW };

static bool is_meant(const struct table_cache *c, const struct entry *e, enum which which)
{
	switch (which) {
	case WHICH_ALL:
		return true;
	case WHICH_UNUSED:
		return e->used != c->compile;
	case WHICH_NEW:
		return e->made == c->compile;
	}
	return false;
}

static void forget(struct table_cache *c, enum which which)
{
	for (size_t b = 0; b < c->bucket_count; b++) {
		struct entry **at = &c->buckets[b];

		while (*at) {
			struct entry *e = *at;

			if (!is_meant(c, e, which)) {
				at = &e->next;
				continue;
			}
			*at = e->next;
			entry_free(e);
			c->entry_count--;
		}
	}
}

void table_cache_free(struct table_cache *c)
{
	if (!c)
		return;
	forget(c, WHICH_ALL);
	free(c->buckets);
	free(c);
}

void cache_begin(struct table_cache *c)
{
	c->compile++;
}

void cache_commit(struct table_cache *c)
{
	forget(c, WHICH_UNUSED);
}

void cache_cancel(struct table_cache *c)
{
	forget(c, WHICH_NEW);
}

static void grow(struct table_cache *c)
{
	const size_t count = c->bucket_count * 2;
	struct entry **buckets = allocate(count, sizeof(struct entry *));

	for (size_t b = 0; b < c->bucket_count; b++) {
		struct entry *next;

		for (struct entry *e = c->buckets[b]; e; e = next) {
			next = e->next;
			e->next = buckets[e->list_hash & (count - 1)];
			buckets[e->list_hash & (count - 1)] = e;
		}
	}
	free(c->buckets);
	c->buckets = buckets;
	c->bucket_count = count;
}

/* Words, not bytes: lists are long, and the value is nowhere to be seen. */
static uint64_t hash_list(const void *list, size_t bytes, enum entry_kind kind)
{
	uint64_t h = (uint64_t)kind + bytes;

	for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, (const char *)list + i, sizeof(word));
		h = hash_mix(h ^ word) + word;
	}
	return hash_mix(h);
}

/* What is looked for. */
struct wanted {
	enum entry_kind kind;
	uint32_t size;
	const void *list;
	size_t bytes;
};

static bool is_wanted(const struct entry *e, const struct wanted *w)
{
	return e->kind == w->kind && e->size == w->size && e->list_bytes == w->bytes &&
	       memcmp(e->list, w->list, w->bytes) == 0;
}

static void use(const struct table_cache *c, struct entry *e)
{
	if (e->used != c->compile)
		e->table.row = TABLE_NONE;
	e->used = c->compile;
	if (e->home)
		e->home->used = c->compile;
}

static void use_table(const struct table_cache *c, struct cached_table *t)
{
	if (t)
		use(c, (struct entry *)((char *)t - offsetof(struct entry, table)));
}

/* The entry of this list; *is_new: just made, with the list copied and no table yet. */
static struct entry *obtain(struct table_cache *c, const struct wanted *w, bool *is_new)
{
	const uint64_t hash = hash_list(w->list, w->bytes, w->kind) + w->size;
	struct entry *e = c->buckets[hash & (c->bucket_count - 1)];

	while (e && (e->list_hash != hash || !is_wanted(e, w)))
		e = e->next;
	*is_new = !e;
	if (!e) {
		if (c->entry_count >= c->bucket_count)
			grow(c);
		e = allocate(1, sizeof(*e));
		*e = (struct entry){.list_hash = hash,
				    .made = c->compile,
				    .kind = w->kind,
				    .size = w->size,
				    .list_bytes = w->bytes};
		e->list = allocate(1, w->bytes);
		memcpy(e->list, w->list, w->bytes);
		e->next = c->buckets[hash & (c->bucket_count - 1)];
		c->buckets[hash & (c->bucket_count - 1)] = e;
		c->entry_count++;
	}
	use(c, e);
	return e;
}

static struct entry *obtain_home(struct table_cache *c, const struct member *members, size_t count,
				 uint32_t size)
{
	struct home_key *keys = allocate(count, sizeof(*keys));
	const struct wanted w = {ENTRY_HOME, size, keys, count * sizeof(*keys)};
	struct entry *e;
	bool is_new;

	for (size_t i = 0; i < count; i++)
		keys[i] = (struct home_key){members[i].key, members[i].home};
	e = obtain(c, &w, &is_new);
	free(keys);
	if (!is_new)
		return e;
	e->table.size = size;
	e->table.slots = allocate(e->table.size, sizeof(*e->table.slots));
	e->counts = allocate(count, sizeof(*e->counts));
	maglev_home(members, count, e->table.size, e->counts, e->table.slots);
	return e;
}

static void fill(const struct entry *home, const struct member *members, size_t count,
		 struct cached_table *t)
{
	t->size = home->table.size;
	t->slots = allocate(t->size, sizeof(*t->slots));
	t->has_slots = allocate(count, sizeof(*t->has_slots));
	memcpy(t->slots, home->table.slots, t->size * sizeof(*t->slots));
	maglev_move(members, count, t->size, home->counts, t->slots);
	for (uint32_t s = 0; s < t->size; s++) {
		t->has_slots[t->slots[s]] = true;
		t->slots[s] = (uint16_t)members[t->slots[s]].id;
	}
	t->hash = table_hash(t->slots, t->size);
}

struct cached_table *cache_table(struct table_cache *c, const struct member *members, size_t count,
				 uint32_t size)
{
	const struct wanted w = {ENTRY_TABLE, size ? size : maglev_size(count), members,
				 count * sizeof(*members)};
	struct entry *e;
	bool is_new;

	if (!maglev_is_wanted(members, count))
		return NULL;
	e = obtain(c, &w, &is_new);
	if (is_new) {
		e->home = obtain_home(c, members, count, w.size);
		fill(e->home, members, count, &e->table);
	}
	return &e->table;
}

struct cached_service *cache_service(struct table_cache *c, const struct recipe *r, bool *is_new)
{
	const struct wanted w = {ENTRY_SERVICE, 0, r->words, r->count * sizeof(*r->words)};
	struct entry *e = obtain(c, &w, is_new);

	if (*is_new) {
		e->service.has_slots = allocate(r->members, sizeof(*e->service.has_slots));
		e->service.direct = r->direct;
	}
	use_table(c, e->service.table);
	use_table(c, e->service.spare);
	return &e->service;
}
