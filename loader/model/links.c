/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A name is a hash of project, namespace and name; two that collide link more than they should, which is
 * harmless. Objects have lists of hashes, and one list of all (hash, object), sorted, leads back.
 */
#include "model/links.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/hash.h"

#define SEED_NAME    1
#define SEED_ADDRESS 2

enum link_kind {
	LINK_NAME,    /* it is called so */
	LINK_MENTION, /* it mentions it; two that mention what is not there have nothing in common */
	LINK_ADDRESS, /* it wants the address */
};

struct link {
	uint64_t hash;
	uint32_t object;
	enum link_kind kind;
};

struct links {
	struct link *by_object; /* in the order of the objects */
	struct link *by_hash;
	size_t count;
	uint32_t *first; /* in by_object, by object; one more at the end */
	size_t object_count;
	bool is_open;
};

struct listing {
	struct arena *arena;
	struct links *links;
	const struct object *object;
	uint32_t index;
};

static uint64_t hash_text(uint64_t h, const char *text)
{
	return hash_bytes(text, strlen(text), hash_mix(h));
}

static void add(struct listing *l, uint64_t hash, enum link_kind kind)
{
	*arena_push(l->arena, l->links->by_object, l->links->count) =
		(struct link){hash, l->index, kind};
}

static void add_name(struct listing *l, const char *namespace, const char *name,
		     enum link_kind kind)
{
	const uint64_t h = hash_text(hash_text(SEED_NAME, l->object->project), namespace);

	add(l, hash_text(h, name), kind);
}

/* Any map with a name is taken for a reference: parentRefs, backendRefs, targetRefs, of whatever kind. */
static void list_mentions(struct listing *l, const struct node *n)
{
	const char *name = node_text_at(n, "name", NULL);

	if (name)
		add_name(l, node_text_at(n, "namespace", l->object->res.namespace), name,
			 LINK_MENTION);
	for (size_t i = 0; i < node_count(n); i++)
		list_mentions(l, n->items[i]);
}

static bool has_mention(const struct node *n)
{
	bool found = node_text_at(n, "name", NULL) != NULL;

	for (size_t i = 0; i < node_count(n) && !found; i++)
		found = has_mention(n->items[i]);
	return found;
}

bool links_mentions(const struct object *o)
{
	return has_mention(node_member(o->res.root, "spec"));
}

static void add_address(struct listing *l, const struct spw_addr *addr)
{
	add(l, hash_bytes(addr->b, sizeof(addr->b), SEED_ADDRESS), LINK_ADDRESS);
}

/* Who has an address and port is settled between Gateways. Without addresses they want the host's. */
static void list_addresses(struct listing *l, const struct model_options *opts)
{
	const struct node *list = node_at(l->object->res.root, "spec.addresses");
	bool is_named = false;
	struct spw_addr addr;

	for (size_t i = 0; i < node_count(list); i++) {
		const char *value = node_text_at(node_item(list, i), "value", "");

		is_named = is_named || *value;
		if (addr_parse(value, &addr) == 0)
			add_address(l, &addr);
	}
	for (size_t i = 0; !is_named && i < opts->host_addr_count; i++)
		add_address(l, &opts->host_addrs[i]);
}

bool links_lead_on(const struct object *o)
{
	switch (o->res.kind->id) {
	case KIND_REFERENCEGRANT:
	case KIND_GATEWAYCLASS:
	case KIND_CONFIGMAP:
	case KIND_SECRET:
	case KIND_MAX:
		return false;
	case KIND_BACKEND:
	case KIND_TCPROUTE:
	case KIND_UDPROUTE:
	case KIND_TLSROUTE:
	case KIND_HTTPROUTE:
	case KIND_GATEWAY:
	case KIND_BACKENDTRAFFICPOLICY:
	case KIND_BACKENDTLSPOLICY:
		return true;
	}
	return true;
}

/* A zone without weight has endpoints that are nowhere to be seen, but were heard: on their zones. */
static bool hides_endpoints(const struct node *spec)
{
	const struct node *list = node_at(spec, "loadBalancer.zoneAware.weightedZones");
	bool found = false;

	for (size_t i = 0; i < node_count(list) && !found; i++)
		found = node_int_at(node_item(list, i), "weight", 1) == 0;
	return found;
}

static void list_object(struct listing *l, const struct model_options *opts)
{
	const struct object *o = l->object;
	const struct node *spec = node_member(o->res.root, "spec");

	if (!links_lead_on(o))
		return;
	add_name(l, o->res.namespace, o->res.name, LINK_NAME);
	list_mentions(l, spec);
	if (o->res.kind->id == KIND_GATEWAY)
		list_addresses(l, opts);
	l->links->is_open = l->links->is_open || node_count(node_member(spec, "targetSelectors")) ||
			    hides_endpoints(spec);
}

static int compare(const void *va, const void *vb)
{
	const struct link *a = va, *b = vb;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->object < b->object ? -1 : a->object > b->object;
}

struct links *links_new(struct arena *a, const struct model *m)
{
	struct links *l = arena_alloc(a, sizeof(*l));
	struct listing to = {.arena = a, .links = l};

	l->object_count = m->object_count;
	l->first = arena_array(a, m->object_count + 1, sizeof(*l->first));
	for (size_t i = 0; i < m->object_count; i++) {
		l->first[i] = (uint32_t)l->count;
		to.object = &m->objects[i];
		to.index = (uint32_t)i;
		list_object(&to, m->opts);
	}
	l->first[m->object_count] = (uint32_t)l->count;
	l->by_hash = arena_array(a, l->count, sizeof(*l->by_hash));
	if (!l->count)
		return l;
	memcpy(l->by_hash, l->by_object, l->count * sizeof(*l->by_hash));
	qsort(l->by_hash, l->count, sizeof(*l->by_hash), compare);
	return l;
}

bool links_are_open(const struct links *l)
{
	return l->is_open;
}

static size_t first_of(const struct links *l, uint64_t hash)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (l->by_hash[mid].hash < hash)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct reaching {
	const struct links *links;
	uint32_t *found; /* those that were reached, in that order */
	size_t count, most;
	bool *in;
};

static bool reach(struct reaching *r, uint32_t object)
{
	if (r->in[object])
		return true;
	if (r->count == r->most)
		return false;
	r->in[object] = true;
	r->found[r->count++] = object;
	return true;
}

static bool reach_all_of(struct reaching *r, const struct link *from)
{
	const struct links *l = r->links;

	for (size_t i = first_of(l, from->hash); i < l->count; i++) {
		const struct link *to = &l->by_hash[i];

		if (to->hash != from->hash)
			break;
		if (from->kind == LINK_MENTION && to->kind == LINK_MENTION)
			continue;
		if (!reach(r, to->object))
			return false;
	}
	return true;
}

bool links_reach(const struct links *l, const size_t *places, size_t count, size_t most, bool *in)
{
	AUTO(free) uint32_t *found = calloc(most + 1, sizeof(*found));
	struct reaching r = {.links = l, .found = found, .most = most, .in = in};

	if (!found)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!reach(&r, (uint32_t)places[i]))
			return false;
	}
	for (size_t i = 0; i < r.count; i++) {
		for (uint32_t k = l->first[found[i]]; k < l->first[found[i] + 1]; k++) {
			if (!reach_all_of(&r, &l->by_object[k]))
				return false;
		}
	}
	return true;
}
