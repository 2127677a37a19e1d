/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services share instances, also those that have nothing else to do with each other. What an instance takes
 * from the Backends that have it (the first word on its zone, any for a reset) is worked out again in the
 * order of the services. An instance that stays keeps its index; a new one gets that of one that went, or
 * the next; and the last ones move into what is left of the gaps.
 */
#include <string.h>

#include "model/backend.h"
#include "model/splice.h"

/* An instance that services of the part have, or had. */
struct touched {
	const struct instance *old;   /* of `before`, or NULL */
	const struct instance *fresh; /* of the part, or NULL: no service of the part has it now */
	uint32_t index;		      /* now */
	uint32_t *others;	      /* services that have it and are not of the part, ascending */
	size_t other_count;
};

struct touching {
	struct splice *s;
	struct touched *items;
	size_t count;
	uint32_t *of; /* by index in `before`: in items, plus 1 */
};

static bool is_plain(const struct instance *i)
{
	return i->kind == ENDPOINT_IP && i->carried && i->mode != SPW_MODE_HANDOFF && !i->tls &&
	       !i->fqdn && !i->host;
}

static void list_others(const struct splice *s, struct touched *t)
{
	for (size_t i = 0; i < t->old->service_count; i++) {
		if (!s->service_of[t->old->services[i]])
			*arena_push(s->arena, t->others, t->other_count) = t->old->services[i];
	}
}

static struct touched *touch(struct touching *x, const struct instance *old)
{
	struct touched *t;

	if (old && x->of[old->index])
		return &x->items[x->of[old->index] - 1];
	t = arena_push(x->s->arena, x->items, x->count);
	t->old = old;
	if (!old)
		return t;
	x->of[old->index] = (uint32_t)x->count;
	list_others(x->s, t);
	return t;
}

static bool touch_members(struct touching *x, const struct service *s)
{
	if (s->handoff_count)
		return false;
	for (size_t i = 0; i < s->locality_count; i++) {
		for (size_t k = 0; k < s->localities[i].count; k++) {
			if (!is_plain(s->localities[i].members[k]))
				return false;
			(void)touch(x, s->localities[i].members[k]);
		}
	}
	return true;
}

static const struct instance *find_old(const struct splice *s, const struct instance *i)
{
	size_t low = 0, high = s->before->instance_count;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (instance_compare(s->by_place[mid], i) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < s->before->instance_count; low++) {
		if (instance_compare(s->by_place[low], i))
			break;
		if (s->by_place[low]->carried == i->carried)
			return s->by_place[low];
	}
	return NULL;
}

/* All that the services had, and all that they have. */
static bool touch_all(struct touching *x)
{
	const struct model *before = x->s->before, *part = x->s->part;

	for (size_t i = 0; i < before->service_count; i++) {
		if (x->s->service_of[i] && !touch_members(x, &before->services[i]))
			return false;
	}
	for (size_t i = 0; i < part->service_count; i++) {
		if (part->services[i].handoff_count)
			return false;
	}
	for (size_t i = 0; i < part->instance_count; i++) {
		if (!is_plain(&part->instances[i]))
			return false;
		touch(x, find_old(x->s, &part->instances[i]))->fresh = &part->instances[i];
	}
	return true;
}

static bool has_gone(const struct touched *t)
{
	return !t->fresh && !t->other_count;
}

/* Who is at which index. */
struct numbering {
	const struct instance **at; /* of `before`; NULL: a gap */
	size_t count;
	uint32_t *gaps; /* ascending */
	size_t gap_count, gaps_used;
};

static void open_gaps(struct touching *x, struct numbering *n)
{
	const struct model *before = x->s->before;

	n->at = arena_array(x->s->arena, before->instance_count + x->count, sizeof(*n->at));
	n->count = before->instance_count;
	for (size_t i = 0; i < before->instance_count; i++) {
		const uint32_t of = x->of[i];

		if (!of || !has_gone(&x->items[of - 1]))
			n->at[i] = &before->instances[i];
		else
			*arena_push(x->s->arena, n->gaps, n->gap_count) = (uint32_t)i;
	}
}

static void number_new(struct touching *x, struct numbering *n)
{
	for (size_t i = 0; i < x->count; i++) {
		struct touched *t = &x->items[i];

		if (t->old)
			continue;
		t->index = n->gaps_used < n->gap_count ? n->gaps[n->gaps_used++]
						       : (uint32_t)n->count++;
		n->at[t->index] = t->fresh;
	}
}

static void close_gaps(struct numbering *n)
{
	while (n->gaps_used < n->gap_count) {
		const uint32_t gap = n->gaps[n->gaps_used];

		while (n->count > gap && !n->at[n->count - 1])
			n->count--;
		if (n->count <= gap)
			return;
		n->at[gap] = n->at[--n->count];
		n->gaps_used++;
	}
}

static bool is_of(const struct model *m, const struct instance *i)
{
	return i >= m->instances && i < m->instances + m->instance_count;
}

static void copy_instances(struct touching *x, const struct numbering *n)
{
	struct splice *s = x->s;
	const struct model *before = s->before;
	struct instance *all = arena_array(s->arena, n->count, sizeof(*all));
	uint32_t *now = arena_array(s->arena, before->instance_count, sizeof(*now));

	for (size_t i = 0; i < before->instance_count; i++)
		now[i] = PATCH_GONE;
	for (size_t i = 0; i < n->count; i++) {
		all[i] = *n->at[i];
		all[i].index = (uint32_t)i;
		if (is_of(before, n->at[i]))
			now[n->at[i]->index] = (uint32_t)i;
	}
	s->now->instances = all;
	s->now->instance_count = n->count;
	s->patched->instances = now;
	for (size_t i = 0; i < x->count; i++) {
		struct touched *t = &x->items[i];

		if (t->old)
			t->index = now[t->old->index];
		if (t->fresh)
			s->instance_of[t->fresh->index] = t->index;
	}
}

/* Both lists are ascending. */
static void join_services(const struct splice *s, const struct touched *t, struct instance *to)
{
	const size_t more = t->fresh ? t->fresh->service_count : 0;
	uint32_t *list = arena_array(s->lasting, t->other_count + more, sizeof(*list));
	size_t n = 0, o = 0;

	for (size_t i = 0; i < more; i++) {
		const uint32_t place = s->place_of_service[t->fresh->services[i]];

		while (o < t->other_count && t->others[o] < place)
			list[n++] = t->others[o++];
		list[n++] = place;
	}
	while (o < t->other_count)
		list[n++] = t->others[o++];
	to->services = list;
	to->service_count = n;
}

/* A name of an endpoint counts for its check, or not; and it is the text of a Backend that may go. */
static bool names_hosts(const struct object *backend)
{
	const struct node *list = node_at(backend->res.root, "spec.endpoints");
	bool found = false;

	for (size_t i = 0; i < node_count(list) && !found; i++)
		found = node_member(node_item(list, i), "hostname") != NULL;
	return found;
}

static void hear_backend(const struct splice *s, const struct locality *l, size_t member,
			 struct instance *to)
{
	const struct object *b = l->backends[member];

	if (!to->backend) {
		to->backend = arena_printf(s->lasting, "%s/%s", b->res.namespace, b->res.name);
		to->app = backend_app(b);
	}
	to->zone = to->zone ? to->zone : l->zones[member];
	to->reset_on_removal = to->reset_on_removal || backend_resets(b);
}

/* What a service's Backends say of it. False: it cannot be told which of them was heard first. */
static bool hear_service(const struct splice *s, const struct service *from,
			 const struct instance *as, struct instance *to)
{
	for (size_t i = 0; i < from->locality_count; i++) {
		const struct locality *l = &from->localities[i];

		if (l->zone)
			return false;
		for (size_t k = 0; k < l->count; k++) {
			if (l->members[k] != as)
				continue;
			if (names_hosts(l->backends[k]))
				return false;
			hear_backend(s, l, k, to);
		}
	}
	return true;
}

/* Of one that services share that were not resolved together. */
static bool hear_all(const struct splice *s, const struct touched *t, struct instance *to)
{
	to->backend = NULL;
	to->zone = NULL;
	to->reset_on_removal = false;
	for (size_t i = 0; i < to->service_count; i++) {
		const uint32_t place = to->services[i], of = s->service_of[place];
		const struct service *from =
			of ? &s->part->services[of - 1] : &s->before->services[place];

		if (!hear_service(s, from, of ? t->fresh : t->old, to))
			return false;
	}
	return true;
}

static bool settle(const struct splice *s, const struct touched *t)
{
	struct instance *to = &s->now->instances[t->index];

	if (has_gone(t))
		return true;
	if (t->fresh)
		*to = *t->fresh;
	else if (to->hostname) /* perhaps of a Backend that has it no more */
		return false;
	to->index = t->index;
	join_services(s, t, to);
	return !t->other_count || hear_all(s, t, to);
}

bool splice_instances(struct splice *s)
{
	struct touching x = {.s = s};
	struct numbering n = {0};

	x.of = arena_array(s->arena, s->before->instance_count, sizeof(*x.of));
	s->instance_of = arena_array(s->arena, s->part->instance_count, sizeof(uint32_t));
	if (!touch_all(&x))
		return false;
	open_gaps(&x, &n);
	number_new(&x, &n);
	close_gaps(&n);
	copy_instances(&x, &n);
	for (size_t i = 0; i < x.count; i++) {
		if (!settle(s, &x.items[i]))
			return false;
	}
	return true;
}
