/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Server ids of QUIC: what a Backend's annotation says becomes the map of each UDP service that has the
 * Backend. An id that two endpoints of a service have leads to neither: the flows of one would meet the other.
 */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "manifest/annotations.h"
#include "model/resolver.h"

#define FIRST_OCTET_ODDS 8	 /* one random connection ID of so many has a given configuration */
#define WORTH_TELLING	 1000000 /* odds that are no concern */
#define COMPLAINTS_SHOWN 8

/* One endpoint's claim to an id. */
struct claim {
	struct quic_id id;
	struct spw_addr addr;
	uint16_t port;
	const char *name;
	struct backend *backend;
};

struct mapping {
	struct resolver *r;
	struct service *service;
	struct backend *owners[SPW_QUIC_CONFIGS]; /* who said how long its ids are */
	struct claim *claims;
	size_t count;
};

void quic_read(struct resolver *r, struct backend *b)
{
	const char *text = annotation_value(b->object->res.root, ANNOTATION_QUIC_SERVER_IDS);
	struct quic_ids *ids;

	if (!text)
		return;
	ids = arena_alloc(r->arena, sizeof(*ids));
	if (!quic_ids_parse(r->arena, text, strlen(text), ids)) /* right, or it would not be here */
		b->quic = ids;
}

/* One octet for thousands of endpoints would be as many complaints. */
static bool has_enough(const struct backend *b)
{
	return b->quic_complaints > COMPLAINTS_SHOWN;
}

static void complain(struct resolver *r, struct backend *b, const char *reason, const char *text)
{
	if (has_enough(b) || (b->quic_message && strstr(b->quic_message, text)))
		return;
	if (!b->quic_reason)
		b->quic_reason = reason;
	if (++b->quic_complaints > COMPLAINTS_SHOWN)
		text = "and more of the kind";
	b->quic_message = text_join(r->arena, b->quic_message, "; ", text);
}

/* Do the Backend's ids of this configuration have the length that the service's have? */
static bool fits(struct mapping *m, struct backend *b, unsigned int config)
{
	uint8_t *len = &m->service->quic.id_len[config];

	if (!*len) {
		*len = b->quic->configs[config].id_len;
		m->owners[config] = b;
	}
	if (*len == b->quic->configs[config].id_len)
		return true;
	if (has_enough(b))
		return false;
	complain(m->r, b, "LengthsDiffer",
		 arena_printf(m->r->arena,
			      "configuration %u: its ids have %u octets, and those of Backend %s, "
			      "which is on route %s too, have %u: they have no effect there, give "
			      "them another configuration",
			      config, b->quic->configs[config].id_len, m->owners[config]->name,
			      m->service->name, *len));
	return false;
}

static void add_member(struct mapping *m, const struct instance *i, struct backend *b)
{
	for (unsigned int n = 0; n < SPW_QUIC_CONFIGS; n++) {
		struct claim c = {.id = {.key = {.b = {(uint8_t)n}}, .instance = i->index},
				  .addr = i->addr,
				  .port = i->port,
				  .name = i->name,
				  .backend = b};

		if (b->quic->configs[n].id_len && fits(m, b, n) &&
		    quic_ids_find(&b->quic->configs[n], &i->addr, i->port, &c.id.key.b[1]))
			*arena_push(m->r->arena, m->claims, m->count) = c;
	}
}

static int compare_claims(const void *va, const void *vb)
{
	const struct claim *a = va, *b = vb;
	int order = memcmp(&a->id.key, &b->id.key, sizeof(a->id.key));

	if (!order)
		order = addr_compare(&a->addr, &b->addr);
	if (order)
		return order;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return a->id.instance < b->id.instance ? -1 : a->id.instance > b->id.instance;
}

static bool is_same_key(const struct claim *a, const struct claim *b)
{
	return memcmp(&a->id.key, &b->id.key, sizeof(a->id.key)) == 0;
}

static bool is_same_endpoint(const struct claim *a, const struct claim *b)
{
	return addr_equal(&a->addr, &b->addr) && a->port == b->port;
}

static void tell_shared(struct mapping *m, const struct claim *a, const struct claim *b)
{
	const union spw_quic_key *key = &a->id.key;
	const char *text;

	if (has_enough(a->backend) && has_enough(b->backend))
		return;
	text = arena_printf(
		m->r->arena,
		"on route %s %s and %s have the same id %s in configuration %u: it leads to "
		"neither, give each its own",
		m->service->name, a->name, b->name,
		quic_ids_text(m->r->arena, &key->b[1], m->service->quic.id_len[key->b[0]]),
		key->b[0]);

	complain(m->r, a->backend, "DuplicateServerId", text);
	complain(m->r, b->backend, "DuplicateServerId", text);
}

/* Claims to one key, of which there are `count`: one endpoint may have it more than once. */
static void settle_key(struct mapping *m, const struct claim *c, size_t count)
{
	struct quic_map *out = &m->service->quic;

	if (is_same_endpoint(&c[0], &c[count - 1]))
		*arena_push(m->r->arena, out->ids, out->count) = c[0].id;
	for (size_t i = 1; i < count; i++) {
		if (!is_same_endpoint(&c[i - 1], &c[i]))
			tell_shared(m, &c[i - 1], &c[i]);
	}
}

static void settle(struct mapping *m)
{
	size_t from = 0;

	if (m->count > 1)
		qsort(m->claims, m->count, sizeof(*m->claims), compare_claims);
	for (size_t i = 1; i <= m->count; i++) {
		if (i < m->count && is_same_key(&m->claims[from], &m->claims[i]))
			continue;
		settle_key(m, &m->claims[from], i - from);
		from = i;
	}
}

void quic_map_make(struct resolver *r, const struct draft *d, struct service *s)
{
	struct mapping m = {.r = r, .service = s};

	for (size_t i = 0; i < d->refs->count; i++) {
		if (s->proto == IPPROTO_UDP)
			d->refs->items[i].backend->quic_used = true;
		else
			d->refs->items[i].backend->quic_idle = true;
	}
	if (s->proto != IPPROTO_UDP)
		return;
	for (size_t i = 0; i < s->locality_count; i++) {
		const struct locality *l = &s->localities[i];

		for (size_t k = 0; k < l->count; k++) {
			struct backend *b = r->backend_of[l->backends[k] - r->model->objects];

			if (b->quic)
				add_member(&m, l->members[k], b);
		}
	}
	settle(&m);
}

static void tell_without(struct resolver *r, struct backend *b, unsigned int config)
{
	const struct quic_config *c = &b->quic->configs[config];
	struct name_list without = {0};
	uint8_t id[SPW_QUIC_ID_MAX];

	for (size_t i = 0; i < b->count; i++) {
		const struct endpoint *e = &b->endpoints[i];

		if (e->kind == ENDPOINT_IP && !quic_ids_find(c, &e->addr, e->port, id))
			names_add(r->arena, &without, e->name);
	}
	if (without.count)
		complain(r, b, "ServerIdMissing",
			 arena_printf(r->arena,
				      "configuration %u has no id for %s: name it with one%s",
				      config, names_text(r->arena, &without),
				      c->by_address ? ", or take fewer octets of addresses" : ""));
}

/* Named endpoints that the Backend has not. A name of it may stand for any address. */
static void tell_unknown(struct resolver *r, struct backend *b, unsigned int config)
{
	const struct quic_config *c = &b->quic->configs[config];
	bool *found = arena_array(r->arena, c->count, sizeof(*found));
	struct name_list unknown = {0};
	char text[ADDR_PORT_TEXT_MAX];

	for (size_t i = 0; i < b->count; i++) {
		const struct endpoint *e = &b->endpoints[i];
		const struct quic_named *n = quic_ids_named(c, &e->addr, e->port);

		if (e->kind == ENDPOINT_FQDN)
			return;
		if (n)
			found[n - c->named] = true;
	}
	for (size_t i = 0; i < c->count; i++) {
		const struct quic_named *n = &c->named[i];

		if (!found[i])
			names_add(r->arena, &unknown,
				  arena_strdup(r->arena, addr_print_port(&n->addr, n->port, text)));
	}
	if (unknown.count)
		complain(r, b, "EndpointNotFound",
			 arena_printf(r->arena,
				      "configuration %u names %s: no endpoint of this Backend",
				      config, names_text(r->arena, &unknown)));
}

/* Of how many connection IDs that nobody numbered one looks like an endpoint's. */
static double odds_of(const struct backend *b)
{
	double share = 0;

	for (size_t n = 0; n < SPW_QUIC_CONFIGS; n++) {
		double ids = (double)b->count / FIRST_OCTET_ODDS;

		for (uint8_t i = 0; i < b->quic->configs[n].id_len; i++)
			ids /= 256;
		share += b->quic->configs[n].id_len ? ids : 0;
	}
	return share > 0 ? 1 / share : WORTH_TELLING;
}

static void report_use(struct resolver *r, const struct backend *b)
{
	const double odds = odds_of(b);
	const char *list = NULL, *text;

	for (unsigned int n = 0; n < SPW_QUIC_CONFIGS; n++) {
		if (b->quic->configs[n].id_len)
			list = text_join(r->arena, list, ", ",
					 arena_printf(r->arena, "%u (%u octets)", n,
						      b->quic->configs[n].id_len));
	}
	text = arena_printf(r->arena,
			    "each server has to put its id into the QUIC connection IDs that it "
			    "issues, in plaintext as QUIC-LB has it, of configuration %s "
			    "(docs/quic.md)",
			    list);
	if (odds < WORTH_TELLING)
		text = arena_printf(r->arena,
				    "%s; 1 of %.0f connection IDs that are not made so would be "
				    "taken for one of another server's: longer ids make that rarer",
				    text, odds);
	condition_plain(r, b->object, "QuicServerIds", true, "ServersEncodeIds", text);
}

void quic_report(struct resolver *r, struct backend *b)
{
	const struct node *notes = node_at(b->object->res.root, "metadata.annotations");

	if (!b->quic)
		return;
	for (unsigned int n = 0; n < SPW_QUIC_CONFIGS; n++) {
		if (!b->quic->configs[n].id_len)
			continue;
		tell_without(r, b, n);
		tell_unknown(r, b, n);
	}
	if (b->quic_idle && !b->quic_used)
		complain(r, b, "FieldsWithoutEffect",
			 ANNOTATION_QUIC_SERVER_IDS
			 " has no effect without a UDPRoute to this Backend: TCP and the userspace "
			 "path have no connection IDs");
	if (!b->quic_reason) {
		report_use(r, b);
		return;
	}
	condition_plain(r, b->object, "QuicServerIds", false, b->quic_reason, b->quic_message);
	resolve_warn(r, b->object, member_loc(notes, ANNOTATION_QUIC_SERVER_IDS), b->quic_message);
}
