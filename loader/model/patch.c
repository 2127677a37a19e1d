/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a patch is possible. Everything that objects share beyond the links of links.h must be out of play:
 *  - only Backends changed, and neither they nor any they are linked with, by routes and Gateways, need
 *    the userspace path: plain addresses of other hosts, without TLS. (Who needs it depends on all listeners.)
 *  - none of them has server ids of QUIC: where instances share an address, the first by number has the id.
 *  - no policy chooses by labels or gives a zone the weight 0, there is nothing on layer 7 and no name is
 *    followed: any object might.
 *  - what the host has is what it had.
 *  - what they are linked with is a small part of all. Else a whole resolve costs as much.
 * In doubt there is no patch.
 */
#include "model/patch.h"

#include <string.h>

#include "base/addr.h"
#include "manifest/annotations.h"
#include "model/backend.h"
#include "model/links.h"
#include "model/splice.h"

#define PART_OF_ALL 4
#define PART_LEAST  64

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool are_same_addrs(const struct spw_addr *a, size_t a_count, const struct spw_addr *b,
			   size_t b_count)
{
	return a_count == b_count && (!a_count || memcmp(a, b, a_count * sizeof(*a)) == 0);
}

static bool are_same_options(const struct model_options *a, const struct model_options *b)
{
	return a->on_host == b->on_host && is_same_text(a->zone, b->zone) &&
	       a->gue_port == b->gue_port &&
	       are_same_addrs(a->host_addrs, a->host_addr_count, b->host_addrs,
			      b->host_addr_count) &&
	       are_same_addrs(a->own_addrs, a->own_addr_count, b->own_addrs, b->own_addr_count) &&
	       a->resolve == b->resolve && a->resolve_ctx == b->resolve_ctx &&
	       a->refuse_pair == b->refuse_pair && is_same_text(a->no_userspace, b->no_userspace) &&
	       a->refused_count == 0 && b->refused_count == 0;
}

/* Nothing of it depends on anything but its own text and the addresses of the host. */
static bool is_plain_backend(const struct model_options *opts, const struct object *o)
{
	const struct node *spec = node_member(o->res.root, "spec");
	const struct node *list = node_member(spec, "endpoints");
	struct spw_addr addr;

	if (node_member(spec, "tls") || links_mentions(o) ||
	    annotation_value(o->res.root, ANNOTATION_QUIC_SERVER_IDS) ||
	    strcmp(node_text_at(spec, "type", "Endpoints"), "Endpoints") != 0)
		return false;
	for (size_t i = 0; i < node_count(list); i++) {
		const struct node *ip = node_member(node_item(list, i), "ip");

		if (!ip || addr_parse(node_text_at(ip, "address", ""), &addr) ||
		    addr_is_of_this_host(opts, &addr))
			return false;
	}
	return true;
}

static bool is_patchable(const struct patch *p)
{
	const struct model *m = p->before;

	if (m->frontend_count || m->wish_count || links_are_open(m->links) ||
	    !are_same_options(m->opts, p->opts))
		return false;
	for (size_t i = 0; i < p->count; i++) {
		if (p->objects[i].is_changed && p->objects[i].object.res.kind->id != KIND_BACKEND)
			return false;
	}
	return true;
}

static bool reach(const struct patch *p, struct arena *a, bool *in)
{
	const size_t part = p->before->object_count / PART_OF_ALL;
	size_t *places = arena_array(a, p->count, sizeof(*places));
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++) {
		if (p->objects[i].is_changed)
			places[n++] = p->objects[i].place;
	}
	return links_reach(p->before->links, places, n, part > PART_LEAST ? part : PART_LEAST, in);
}

/* Whether one that was reached can be resolved with those alone that were. */
static bool is_simple(const struct patch *p, const struct object *o)
{
	switch (o->res.kind->id) {
	case KIND_BACKEND:
		return is_plain_backend(p->opts, o);
	case KIND_GATEWAY:
	case KIND_TCPROUTE:
	case KIND_UDPROUTE:
	case KIND_BACKENDTRAFFICPOLICY:
		return true;
	case KIND_HTTPROUTE:
	case KIND_TLSROUTE:
	case KIND_BACKENDTLSPOLICY:
	case KIND_REFERENCEGRANT:
	case KIND_GATEWAYCLASS:
	case KIND_CONFIGMAP:
	case KIND_SECRET:
	case KIND_MAX:
		return false;
	}
	return false;
}

/* The objects to be resolved, as they are to be; and their places in `before`. */
struct part {
	struct object *objects;
	size_t *places;
	size_t count, place_count;
};

/* By place: which object of the request it is, plus 1. */
static uint32_t *index_given(const struct patch *p, struct arena *a)
{
	uint32_t *given = arena_array(a, p->before->object_count, sizeof(*given));

	for (size_t i = 0; i < p->count; i++)
		given[p->objects[i].place] = (uint32_t)i + 1;
	return given;
}

static bool gather(const struct patch *p, struct arena *a, const bool *in, const uint32_t *given,
		   struct part *out)
{
	for (size_t i = 0; i < p->before->object_count; i++) {
		const struct object *o = &p->before->objects[i];
		const struct patch_object *now;
		struct object *to;

		if (!in[i] && links_lead_on(o))
			continue;
		to = arena_push(a, out->objects, out->count);
		*to = *o;
		to->res.loc = (struct loc){0};
		*arena_push(a, out->places, out->place_count) = i;
		now = in[i] && given[i] ? &p->objects[given[i] - 1] : NULL;
		if (now && now->is_changed)
			*to = now->object;
		if (now)
			to->res.loc = now->object.res.loc;
		if (in[i] && !is_simple(p, to))
			return false;
	}
	return true;
}

/* Of an object of `before`: the place in a file that the request has it from. */
static struct loc loc_of(const struct patch *p, const uint32_t *given, size_t place)
{
	return given[place] ? p->objects[given[place] - 1].object.res.loc : (struct loc){0};
}

/* Those of objects that were not resolved anew hold as before. False: not all of them are known. */
static bool keep_warnings(const struct patch *p, const struct part *part, const uint32_t *given,
			  struct diags *out)
{
	bool *is_anew = arena_array(out->arena, p->before->object_count, sizeof(*is_anew));

	for (size_t i = 0; i < part->count; i++)
		is_anew[part->places[i]] = true;
	if (p->warnings->warnings != p->warnings->count)
		return false;
	for (size_t i = 0; i < p->warnings->count; i++) {
		const struct diag *w = &p->warnings->items[i];

		if (!w->subject)
			return false;
		out->subject = w->subject;
		if (!is_anew[w->subject - 1])
			diag_warn(out, loc_of(p, given, w->subject - 1), "%s", w->text);
	}
	return true;
}

static bool add_warnings(const struct part *part, const struct diags *found, struct diags *out)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct diag *w = &found->items[i];

		if (!w->subject)
			return false;
		out->subject = part->places[w->subject - 1] + 1;
		diag_warn(out, w->loc, "%s", w->text);
	}
	out->subject = 0;
	return found->warnings == found->count && out->warnings == out->count;
}

struct model *model_patch(struct arena *a, struct arena *lasting, const struct patch *p,
			  struct diags *d, struct patched *out)
{
	const struct model *before = p->before;
	struct part part = {0};
	struct diags found, all;
	const uint32_t *given;
	struct splice s;
	struct model *m;

	if (!is_patchable(p))
		return NULL;
	diags_init(&found, lasting);
	diags_init(&all, a);
	given = index_given(p, a);
	*out = (struct patched){.objects = arena_array(a, before->object_count, sizeof(bool))};
	if (!reach(p, a, out->objects) || !gather(p, lasting, out->objects, given, &part))
		return NULL;
	s = (struct splice){
		.arena = a,
		.lasting = lasting,
		.before = before,
		.by_place = p->by_place,
		.part = model_resolve(lasting, part.objects, part.count, p->opts, &found),
		.places = part.places,
		.patched = out,
	};
	if (!keep_warnings(p, &part, given, &all) || !add_warnings(&part, &found, &all))
		return NULL;
	m = splice(&s);
	if (m && d)
		*d = all;
	return m;
}
