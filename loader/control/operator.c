/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Order matters: the store first, so that what is in force survives a restart; then one write per
 * instance, which takes it out at the next packet; then the tables, which spread its share. A store
 * that fails does not stop the word: a full disk must not keep traffic on a broken server.
 */
#include "control/operator.h"

#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "base/log.h"
#include "control/rebuild.h"

static bool is_meant(const struct instance *i, const struct operator_request *r)
{
	return addr_equal(&i->addr, &r->addr) && (!r->port || i->port == r->port);
}

static int compare_ports(const void *a, const void *b)
{
	const struct operator_change *x = a, *y = b;

	return (int)x->port - (int)y->port;
}

/* One change per port, however many instances share it. */
static void collect(struct engine *e, struct arena *a, const struct operator_request *r,
		    struct operator_result *out)
{
	const struct model *m = e->now->model;
	struct operator_change *changes = NULL;
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < m->instance_count; i++) {
		if (is_meant(&m->instances[i], r))
			arena_push(a, changes, n)->port = m->instances[i].port;
	}
	if (n)
		qsort(changes, n, sizeof(*changes), compare_ports);
	for (size_t i = 0; i < n; i++) {
		if (kept && changes[i].port == changes[kept - 1].port)
			continue;
		changes[kept++] = (struct operator_change){
			.addr = r->addr,
			.port = changes[i].port,
			.from = admins_get(&e->admins, &r->addr, changes[i].port),
			.to = r->admin,
		};
	}
	out->changes = changes;
	out->count = kept;
}

static int keep(struct engine *e, const struct operator_change *c)
{
	char text[ADDR_PORT_TEXT_MAX];
	const char *word = c->to == SPW_ADMIN_AUTO ? NULL : admin_text(c->to);
	int err = store_set_admin(e->store, addr_print_port(&c->addr, c->port, text), word);

	if (err)
		log_error("endpoint %s: %s is not kept: store: %s", text, admin_text(c->to),
			  store_error(e->store));
	admins_set(&e->admins, &c->addr, c->port, c->to);
	if (c->from != c->to)
		log_info("endpoint %s: %s -> %s (operator)", text, admin_text(c->from),
			 admin_text(c->to));
	return err;
}

static void write_words(struct engine *e, const struct operator_request *r)
{
	const struct model *m = e->now->model;

	for (size_t i = 0; e->numbered && i < m->instance_count; i++) {
		if (is_meant(&m->instances[i], r))
			dataplane_set_admin(e->dp, ids_endpoint(e->ids, &m->instances[i]),
					    r->admin);
	}
}

int operator_set(struct engine *e, struct arena *a, const struct operator_request *r,
		 struct operator_result *out)
{
	int err, kept = 0;

	*out = (struct operator_result){0};
	collect(e, a, r, out);
	if (!out->count)
		return -ENOENT;
	for (size_t i = 0; i < out->count; i++) {
		err = keep(e, &out->changes[i]);
		if (err)
			kept = err;
	}
	write_words(e, r);
	err = engine_rebuild(e);
	if (err)
		out->why = arena_printf(a, "%s: the word is kept, the tables follow when they can",
					e->problem);
	else if (kept)
		out->why = arena_printf(a,
					"in force, but a restart may forget it: store: %s; set it "
					"again then",
					store_error(e->store));
	return err ? err : kept;
}
