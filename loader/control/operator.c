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
	const int64_t now_ms = drain_now_ms();

	if (r->admin != SPW_ADMIN_DRAIN)
		return next;
	if (before && before->admin == SPW_ADMIN_DRAIN)
		next = *before;
	if (!is_new_drain(r, c))
		return next;
	if (!next.drain.started_ms) {
		next.drain.started_ms = now_ms;
		next.drain.flows = drain_open_flows(e, &c->addr, c->port);
	}
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
	int err;

	for (size_t i = 0; i < count; i++) {
		n = &entries[i];
		words[i].endpoint = arena_strdup(a, addr_print_port(&n->addr, n->port, text));
		if (n->admin != SPW_ADMIN_AUTO)
			words[i].word = arena_strdup(a, admin_print_word(n, word));
	}
	err = store_set_admins(e->store, words, count);
	if (err)
		log_error("endpoint %s: %s is not kept: store: %s", words[0].endpoint,
			  admin_text(entries[0].admin), store_error(e->store));
	e->words_lag = e->words_lag || err;
	return err;
}

/* The mark goes when the word is kept; one more write where a drain's reset begins or ends. */
static void write_instances(struct engine *e, const struct admin_entry *before,
			    const struct admin_entry *next, bool is_kept)
{
	const bool resets = drain_resets(next), did = before && drain_resets(before);
	size_t first, count = generation_range(e->now, &next->addr, next->port, &first);
	uint32_t id;

	for (size_t i = first; i < first + count; i++) {
		id = engine_endpoint_id(e, e->now->by_address[i]);
		if (id == SPW_ENDPOINT_NONE)
			continue;
		if (is_kept)
			dataplane_set_admin(e->dp, id, next->admin);
		if (resets != did)
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
	const struct operator_change *c;
	int err, kept;

	for (size_t i = 0; i < r->count; i++) {
		entries[i] = make_entry(e, r, &r->changes[i]);
		announce(e, &entries[i]);
	}
	kept = keep(e, a, entries, r->count);
	for (size_t i = 0; i < r->count; i++) {
		c = &r->changes[i];
		write_instances(e, admins_find(&e->admins, &c->addr, c->port), &entries[i], !kept);
		put_in_force(e, r, c, &entries[i]);
	}
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
	admins_put(&e->admins, &entry);
	health_set_admin(e->health, &entry.addr, entry.port, entry.admin, reason_of(entry.admin));
}

int operator_load(struct engine *e)
{
	return store_each_admin(e->store, load_word, e);
}

/* The marked word of an endpoint into the store; the mark stays when that fails. */
static int keep_marked(struct engine *e, const struct spw_addr *addr, uint16_t port, uint32_t id)
{
	const struct admin_entry *entry = admins_find(&e->admins, addr, port);
	char text[ADDR_PORT_TEXT_MAX], word[ADMIN_TEXT_MAX];
	int err = store_set_admin(e->store, addr_print_port(addr, port, text),
				  entry ? admin_print_word(entry, word) : NULL);

	if (!err)
		dataplane_set_admin(e->dp, id, entry ? entry->admin : SPW_ADMIN_AUTO);
	return err;
}

void operator_adopt(struct engine *e, const struct table_endpoint *row)
{
	struct admin_entry next = {
		.addr = row->addr,
		.port = row->port,
		.admin = dataplane_admin(e->dp, row->id),
	};
	const enum spw_admin before = admins_get(&e->admins, &row->addr, row->port);
	char text[ADDR_PORT_TEXT_MAX];

	if (!dataplane_admin_by_hand(e->dp, row->id))
		return;
	if (next.admin != before) { /* else a drain keeps its terms */
		log_info("endpoint %s: %s -> %s (set in the packet path, not kept yet)",
			 addr_print_port(&row->addr, row->port, text), admin_text(before),
			 admin_text(next.admin));
		admins_put(&e->admins, &next);
		health_set_admin(e->health, &row->addr, row->port, next.admin,
				 reason_of(next.admin));
	}
	if (!keep_marked(e, &row->addr, row->port, row->id))
		return;
	log_error("endpoint %s: %s is not kept: store: %s",
		  addr_print_port(&row->addr, row->port, text), admin_text(next.admin),
		  store_error(e->store));
	e->words_lag = true;
}

void operator_keep_again(struct engine *e)
{
	const struct instance *i;
	uint32_t id;

	if (!e->words_lag)
		return;
	for (size_t n = 0; n < e->now->by_address_count; n++) {
		i = e->now->by_address[n];
		id = engine_endpoint_id(e, i);
		if (id == SPW_ENDPOINT_NONE || !dataplane_admin_by_hand(e->dp, id))
			continue;
		if (keep_marked(e, &i->addr, i->port, id))
			return;
	}
	e->words_lag = false;
	log_info("store: words that were only in the packet path are kept");
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
		if (dataplane_admin(e->dp, id) != admin)
			dataplane_set_admin(e->dp, id, admin);
		if (!e->resets_known || (entry && drain_resets(entry)))
			dataplane_set_reset(e->dp, id, entry && drain_resets(entry));
		e->rest_since_ms[id] = 0;
	}
	e->resets_known = e->numbered;
}
