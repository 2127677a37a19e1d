/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Order matters: first one write per instance, which takes it out at the next packet and says that
 * no store has the word; then the store, however long its disk takes; then the mark goes, and the
 * tables spread the share. Whoever starts after a crash in between finds the mark and adopts the
 * word. It stays for as long as the store fails: a full disk must not keep traffic on a broken
 * server, nor a restart bring it back.
 */
#include "control/operator.h"

#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "base/log.h"
#include "control/drain.h"
#include "control/rebuild.h"

/* As health_set_admin() wants it. */
static const char *reason_of(enum spw_admin admin)
{
	return admin == SPW_ADMIN_DRAIN ? "drain" : "operator";
}

/* One change per port, however many instances share it: they are ordered by port. */
void operator_pick_address(struct engine *e, struct arena *a, const struct spw_addr *addr,
			   uint16_t port, struct operator_request *out)
{
	size_t first, count = generation_range(e->now, addr, port, &first);
	const struct instance *i;

	for (size_t n = first; n < first + count; n++) {
		i = e->now->by_address[n];
		if (out->count && out->changes[out->count - 1].port == i->port)
			continue;
		*arena_push(a, out->changes, out->count) = (struct operator_change){
			.addr = *addr,
			.port = i->port,
			.from = admins_get(&e->admins, addr, i->port),
		};
	}
}

static bool is_new_drain(const struct operator_request *r, const struct operator_change *c)
{
	return r->admin == SPW_ADMIN_DRAIN && (r->terms || c->from != SPW_ADMIN_DRAIN);
}

static struct admin_entry make_entry(struct engine *e, const struct operator_request *r,
				     const struct operator_change *c)
{
	const struct admin_entry *before = admins_find(&e->admins, &c->addr, c->port);
	struct admin_entry next = {.addr = c->addr, .port = c->port, .admin = r->admin};
	const int64_t now_ms = drain_wall_ms();

	if (r->admin != SPW_ADMIN_DRAIN)
		return next;
	if (before && before->admin == SPW_ADMIN_DRAIN)
		next = *before;
	if (!is_new_drain(r, c))
		return next;
	if (!next.drain.started_ms)
		next.drain.flows = drain_open_flows(e, &c->addr, c->port);
	next.drain.started_ms =
		now_ms - (next.drain.started_ms ? drain_now_ms(&next) - next.drain.started_ms : 0);
	drain_set_clock(&next);
	next.drain.deadline_ms =
		r->terms && r->terms->deadline_s ? now_ms + r->terms->deadline_s * 1000 : 0;
	next.drain.reset = r->terms && r->terms->reset;
	next.drain.over = false;
	next.drain.done = false;
	return next;
}

/* At the next packet; all that may take long comes later. */
static void announce(struct engine *e, const struct admin_entry *next)
{
	size_t first, count = generation_range(e->now, &next->addr, next->port, &first);
	uint32_t id;

	for (size_t i = first; i < first + count; i++) {
		id = engine_endpoint_id(e, e->now->by_address[i]);
		if (id != SPW_ENDPOINT_NONE)
			dataplane_set_admin_unkept(e->dp, id, next->admin);
	}
}

/* All in one transaction. */
static int keep(struct engine *e, struct arena *a, const struct admin_entry *entries, size_t count)
{
	struct store_word *words = arena_array(a, count, sizeof(*words));
	char text[ADDR_PORT_TEXT_MAX], word[ADMIN_TEXT_MAX];
	const struct admin_entry *n;

	for (size_t i = 0; i < count; i++) {
		n = &entries[i];
		words[i].endpoint = arena_strdup(a, addr_print_port(&n->addr, n->port, text));
		if (n->admin != SPW_ADMIN_AUTO)
			words[i].word = arena_strdup(a, admin_print_word(n, word));
	}
	return store_set_admins(e->store, words, count);
}

/* The store has yet to hear of it. */
static void note_lag(struct engine *e, const struct admin_entry *entry)
{
	struct admin_entry *items;

	for (size_t i = 0; i < e->lagging_count; i++) {
		if (e->lagging[i].port == entry->port &&
		    addr_equal(&e->lagging[i].addr, &entry->addr))
			return;
	}
	items = realloc(e->lagging, (e->lagging_count + 1) * sizeof(*items));
	if (!items)
		return; /* the mark in the maps is still there for the next start */
	e->lagging = items;
	e->lagging[e->lagging_count++] = *entry;
}

static void clear_mark(struct engine *e, const struct admin_entry *entry)
{
	size_t first, count = generation_range(e->now, &entry->addr, entry->port, &first);
	uint32_t id;

	for (size_t i = first; i < first + count; i++) {
		id = engine_endpoint_id(e, e->now->by_address[i]);
		if (id != SPW_ENDPOINT_NONE)
			dataplane_set_admin(e->dp, id, entry->admin);
	}
}

/* A second write, and only where a drain's reset begins or ends with the word. */
static void write_reset(struct engine *e, const struct admin_entry *next)
{
	const struct admin_entry *before = admins_find(&e->admins, &next->addr, next->port);
	const bool resets = drain_resets(next), did = before && drain_resets(before);
	size_t first, count = generation_range(e->now, &next->addr, next->port, &first);
	uint32_t id;

	for (size_t i = first; resets != did && i < first + count; i++) {
		id = engine_endpoint_id(e, e->now->by_address[i]);
		if (id != SPW_ENDPOINT_NONE)
			dataplane_set_reset(e->dp, id, resets);
	}
}

/* Where no endpoint's standing changes with the word, nothing else would tell of it. */
static void tell_word(struct engine *e, const struct operator_change *c, enum spw_admin to)
{
	struct event v = {.kind = "operator"};
	char text[ADDR_PORT_TEXT_MAX];

	event_text(v.subject, sizeof(v.subject), "%s", addr_print_port(&c->addr, c->port, text));
	event_text(v.from, sizeof(v.from), "%s", admin_text(c->from));
	event_text(v.to, sizeof(v.to), "%s", admin_text(to));
	event_text(v.reason, sizeof(v.reason), "no other change");
	(void)event_log_add(e->events, &v);
}

/* One word into health, and told. */
static void put_in_force(struct engine *e, const struct operator_request *r,
			 const struct operator_change *c, const struct admin_entry *next)
{
	const uint64_t seq = event_log_last_seq(e->events);
	char text[ADDR_PORT_TEXT_MAX];

	admins_put(&e->admins, next);
	health_set_admin(e->health, &c->addr, c->port, next->admin, reason_of(next->admin));
	if (c->from != next->admin) {
		log_info("endpoint %s: %s -> %s (operator)",
			 addr_print_port(&c->addr, c->port, text), admin_text(c->from),
			 admin_text(next->admin));
		if (event_log_last_seq(e->events) == seq)
			tell_word(e, c, next->admin);
	}
	if (is_new_drain(r, c))
		drain_tell_start(e, next);
}

int operator_set(struct engine *e, struct arena *a, const struct operator_request *r,
		 const char **why)
{
	struct admin_entry *entries = arena_array(a, r->count, sizeof(*entries));
	int err, kept;

	for (size_t i = 0; i < r->count; i++) {
		entries[i] = make_entry(e, r, &r->changes[i]);
		announce(e, &entries[i]);
	}
	kept = keep(e, a, entries, r->count);
	for (size_t i = 0; i < r->count; i++) {
		if (kept)
			note_lag(e, &entries[i]);
		else
			clear_mark(e, &entries[i]);
		write_reset(e, &entries[i]);
		put_in_force(e, r, &r->changes[i], &entries[i]);
	}
	if (kept)
		log_error("endpoints: words are not kept: store: %s", store_error(e->store));
	drains_watch(e);
	if (r->admin == SPW_ADMIN_DRAIN)
		drains_look(e);
	err = engine_rebuild(e);
	if (err)
		*why = arena_printf(a, "%s: the word is kept, the tables follow when they can",
				    e->problem);
	else if (kept)
		*why = arena_printf(a,
				    "in force, but only in the packet path, where a restart finds "
				    "it and a reboot does not: store: %s; it is tried again every "
				    "5 seconds",
				    store_error(e->store));
	return err ? err : kept;
}

static void load_word(void *ctx, const char *endpoint, const char *word)
{
	struct engine *e = ctx;
	struct admin_entry entry = {0};

	if (addr_parse_port(endpoint, &entry.addr, &entry.port) || admin_parse_word(word, &entry)) {
		log_warn("store: word %s of %s: not understood, ignored", word, endpoint);
		return;
	}
	drain_set_clock(&entry);
	admins_put(&e->admins, &entry);
	health_set_admin(e->health, &entry.addr, entry.port, entry.admin, reason_of(entry.admin));
}

int operator_load(struct engine *e)
{
	return store_each_admin(e->store, load_word, e);
}

size_t operator_find_marked(struct engine *e, struct arena *a, struct admin_entry **out)
{
	const struct table_endpoint *row;
	size_t count = 0;

	*out = NULL;
	for (size_t i = 0; i < e->have.endpoint_count; i++) {
		row = &e->have.endpoints[i];
		if (dataplane_admin_by_hand(e->dp, row->id))
			*arena_push(a, *out, count) = (struct admin_entry){
				.addr = row->addr,
				.port = row->port,
				.admin = dataplane_admin(e->dp, row->id),
			};
	}
	return count;
}

static void adopt(struct engine *e, const struct admin_entry *next)
{
	const enum spw_admin before = admins_get(&e->admins, &next->addr, next->port);
	char text[ADDR_PORT_TEXT_MAX];

	note_lag(e, next);
	if (next->admin == before)
		return; /* a drain keeps its terms */
	log_info("endpoint %s: %s -> %s (set in the packet path, not kept yet)",
		 addr_print_port(&next->addr, next->port, text), admin_text(before),
		 admin_text(next->admin));
	write_reset(e, next);
	admins_put(&e->admins, next);
	health_set_admin(e->health, &next->addr, next->port, next->admin, reason_of(next->admin));
}

void operator_adopt(struct engine *e, const struct admin_entry *marked, size_t count)
{
	for (size_t i = 0; i < count; i++)
		adopt(e, &marked[i]);
	if (!count)
		return;
	operator_keep_again(e);
	if (e->lagging_count)
		log_error("endpoints: words are not kept: store: %s", store_error(e->store));
	drains_watch(e);
	(void)engine_rebuild(e);
}

void operator_keep_again(struct engine *e)
{
	AUTO(arena_free) struct arena *a = e->lagging_count ? arena_new() : NULL;
	struct admin_entry *entries;
	const struct admin_entry *found;

	if (!a)
		return;
	entries = arena_array(a, e->lagging_count, sizeof(*entries));
	for (size_t i = 0; i < e->lagging_count; i++) {
		entries[i] = e->lagging[i];
		found = admins_find(&e->admins, &entries[i].addr, entries[i].port);
		entries[i].admin = SPW_ADMIN_AUTO;
		if (found)
			entries[i] = *found;
	}
	if (keep(e, a, entries, e->lagging_count))
		return;
	for (size_t i = 0; i < e->lagging_count; i++)
		clear_mark(e, &entries[i]);
	e->lagging_count = 0;
	log_info("endpoints: words that only the packet path had are kept");
}

void operator_write_all(struct engine *e)
{
	const struct model *m = e->now->model;
	const struct admin_entry *entry;
	enum spw_admin admin;
	uint32_t id;

	for (size_t i = 0; i < m->instance_count; i++) {
		id = engine_endpoint_id(e, &m->instances[i]);
		if (id == SPW_ENDPOINT_NONE)
			continue;
		entry = admins_find(&e->admins, &m->instances[i].addr, m->instances[i].port);
		admin = entry ? entry->admin : SPW_ADMIN_AUTO;
		/* A marked one is that of `admins`, or is adopted next. */
		if (dataplane_admin(e->dp, id) != admin && !dataplane_admin_by_hand(e->dp, id))
			dataplane_set_admin(e->dp, id, admin);
		if (!e->resets_known || (entry && drain_resets(entry)))
			dataplane_set_reset(e->dp, id, entry && drain_resets(entry));
		e->rest_since_ms[id] = 0;
	}
	e->resets_known = e->numbered;
}
