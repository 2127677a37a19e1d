/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects, services and instances lie in arrays, so the new model has new arrays, and what points into the
 * old ones is led over. That is copying, by far cheaper than to resolve; texts, conditions, policies and
 * lists are shared.
 */
#include "model/splice.h"

#include <string.h>

#include "base/addr.h"

static bool is_same_service(const struct service *a, const struct service *b)
{
	return a->proto == b->proto && a->port == b->port && a->proxied == b->proxied &&
	       addr_equal(&a->vip, &b->vip) && strcmp(a->project, b->project) == 0 &&
	       strcmp(a->name, b->name) == 0 && strcmp(a->listener, b->listener) == 0;
}

static size_t place_in(const struct model *m, const struct object *o)
{
	return (size_t)(o - m->objects);
}

static bool is_in(const struct model *m, const struct object *o)
{
	return o >= m->objects && o < m->objects + m->object_count;
}

/* Backends change no service's key, so both sides have the same ones in the same order. */
static bool pair_services(struct splice *s)
{
	const struct model *before = s->before, *part = s->part;
	size_t n = 0;

	s->service_of = arena_array(s->arena, before->service_count, sizeof(uint32_t));
	s->place_of_service = arena_array(s->arena, part->service_count, sizeof(uint32_t));
	s->patched->services = arena_array(s->arena, before->service_count, sizeof(bool));
	for (size_t i = 0; i < before->service_count; i++) {
		const struct service *old = &before->services[i];

		if (!s->patched->objects[place_in(before, old->gateway)])
			continue;
		if (n == part->service_count || !is_same_service(old, &part->services[n]))
			return false;
		s->place_of_service[n++] = (uint32_t)i;
		s->service_of[i] = (uint32_t)n;
		s->patched->services[i] = true;
	}
	return n == part->service_count;
}

/* Merged policies are no objects of the model: they stay where they are. */
static const struct object *object_now(const struct splice *s, const struct model *from,
				       const struct object *o)
{
	if (!o || !is_in(from, o))
		return o;
	return &s->now->objects[from == s->before ? place_in(from, o)
						  : s->places[place_in(from, o)]];
}

static struct instance *instance_now(const struct splice *s, const struct model *from,
				     const struct instance *i)
{
	const uint32_t *now = from == s->before ? s->patched->instances : s->instance_of;

	return &s->now->instances[now[i->index]];
}

static void copy_objects(struct splice *s)
{
	const struct model *before = s->before, *part = s->part;
	struct object *all = arena_array(s->arena, before->object_count, sizeof(*all));

	if (before->object_count)
		memcpy(all, before->objects, before->object_count * sizeof(*all));
	for (size_t i = 0; i < part->object_count; i++) {
		struct object *o = &all[s->places[i]];

		if (!s->patched->objects[s->places[i]])
			continue;
		*o = part->objects[i];
		o->res.loc = (struct loc){0}; /* of the request, which is soon over */
	}
	s->now->objects = all;
	s->now->object_count = before->object_count;
}

/* Room for all members of all services at once: there are many small lists. */
struct room {
	struct locality *localities;
	struct instance **members;
	const struct object **backends;
};

static const struct service *source_of(const struct splice *s, size_t place,
				       const struct model **from)
{
	const uint32_t of = s->service_of[place];

	*from = of ? s->part : s->before;
	return of ? &s->part->services[of - 1] : &s->before->services[place];
}

static struct room make_room(const struct splice *s)
{
	size_t localities = 0, members = 0;

	for (size_t i = 0; i < s->before->service_count; i++) {
		const struct model *from;
		const struct service *of = source_of(s, i, &from);

		localities += of->locality_count;
		members += of->handoff_count;
		for (size_t n = 0; n < of->locality_count; n++)
			members += of->localities[n].count;
	}
	return (struct room){
		.localities = arena_array(s->arena, localities, sizeof(struct locality)),
		.members = arena_array(s->arena, members, sizeof(struct instance *)),
		.backends = arena_array(s->arena, members, sizeof(struct object *)),
	};
}

/* Takes `count` places of the room; both lists are led over. */
static void copy_list(const struct splice *s, const struct model *from, struct room *room,
		      struct instance ***members, const struct object ***backends, size_t count)
{
	struct instance *const *old_members = *members;
	const struct object *const *old_backends = *backends;

	*members = room->members;
	*backends = room->backends;
	room->members += count;
	room->backends += count;
	for (size_t i = 0; i < count; i++) {
		(*members)[i] = instance_now(s, from, old_members[i]);
		(*backends)[i] = object_now(s, from, old_backends[i]);
	}
}

static void copy_quic(const struct splice *s, const struct model *from, struct quic_map *map)
{
	const struct quic_id *old = map->ids;

	if (!map->count)
		return;
	map->ids = arena_array(s->arena, map->count, sizeof(*map->ids));
	for (size_t i = 0; i < map->count; i++) {
		map->ids[i] = old[i];
		map->ids[i].instance =
			instance_now(s, from, &from->instances[old[i].instance])->index;
	}
}

static void copy_service(const struct splice *s, size_t place, struct room *room)
{
	const struct model *from;
	struct service *to = &s->now->services[place];

	*to = *source_of(s, place, &from);
	to->gateway = object_now(s, from, to->gateway);
	to->route = object_now(s, from, to->route);
	to->policy = object_now(s, from, to->policy);
	copy_quic(s, from, &to->quic);
	copy_list(s, from, room, &to->handoff, &to->handoff_backends, to->handoff_count);
	if (to->locality_count)
		memcpy(room->localities, to->localities,
		       to->locality_count * sizeof(struct locality));
	to->localities = room->localities;
	room->localities += to->locality_count;
	for (size_t i = 0; i < to->locality_count; i++) {
		struct locality *l = &to->localities[i];

		l->backend = object_now(s, from, l->backend);
		copy_list(s, from, room, &l->members, &l->backends, l->count);
	}
}

static void copy_services(struct splice *s)
{
	struct room room = make_room(s);

	s->now->service_count = s->before->service_count;
	s->now->services = arena_array(s->arena, s->now->service_count, sizeof(struct service));
	for (size_t i = 0; i < s->now->service_count; i++)
		copy_service(s, i, &room);
}

/* Claims are those of Gateways, which did not change. */
static void copy_lost(struct splice *s)
{
	const struct model *before = s->before;

	s->now->lost = arena_array(s->arena, before->lost_count, sizeof(*s->now->lost));
	s->now->lost_count = before->lost_count;
	for (size_t i = 0; i < before->lost_count; i++) {
		s->now->lost[i] = before->lost[i];
		s->now->lost[i].gateway = object_now(s, before, before->lost[i].gateway);
		s->now->lost[i].owner = object_now(s, before, before->lost[i].owner);
	}
}

struct model *splice(struct splice *s)
{
	const struct model *before = s->before;

	if (s->part->frontend_count || s->part->wish_count || !pair_services(s))
		return NULL;
	s->now = arena_alloc(s->arena, sizeof(*s->now));
	*s->now = (struct model){
		.arena = s->arena,
		.opts = before->opts,
		.links = before->links,
		.vips = before->vips,
		.vip_count = before->vip_count,
		.kept = before->kept,
		.kept_count = before->kept_count,
	};
	copy_objects(s);
	if (!splice_instances(s))
		return NULL;
	copy_services(s);
	copy_lost(s);
	return s->now;
}
