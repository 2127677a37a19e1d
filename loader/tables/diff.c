/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both sides are sorted by number, so every comparison is one walk over two lists. Services are
 * known by their keys; those that another number has now are found by key afterwards.
 */
#include "tables/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "tables/place.h"

static bool is_same_row(const struct table_endpoint *a, const struct table_endpoint *b)
{
	return addr_equal(&a->addr, &b->addr) && a->port == b->port && a->mode == b->mode &&
	       a->profile == b->profile && a->flags == b->flags;
}

static void add_word(struct arena *a, struct steps *s, bool was_pickable,
		     const struct table_endpoint *want)
{
	*arena_push(a, s->words, s->word_count) = (struct word_step){
		.id = want->id,
		.pickable = want->pickable,
		.up = want->up,
		.takes_out = was_pickable && !want->pickable,
	};
}

static void compare_endpoint(struct arena *a, const struct table_endpoint *have,
			     const struct table_endpoint *want, struct steps *s)
{
	if (!want) {
		*arena_push(a, s->endpoints_del, s->endpoints_del_count) = have->id;
		return;
	}
	if (!have || !is_same_row(have, want))
		*arena_push(a, s->endpoints_put, s->endpoints_put_count) = want;
	if (!have || have->pickable != want->pickable || have->up != want->up)
		add_word(a, s, have && have->pickable, want);
}

static void compare_endpoints(struct arena *a, const struct tables *have, const struct tables *want,
			      struct steps *s)
{
	size_t h = 0, w = 0;

	while (h < have->endpoint_count || w < want->endpoint_count) {
		const struct table_endpoint *eh =
			h < have->endpoint_count ? &have->endpoints[h] : NULL;
		const struct table_endpoint *ew =
			w < want->endpoint_count ? &want->endpoints[w] : NULL;

		if (eh && ew && eh->id != ew->id) {
			if (eh->id < ew->id)
				ew = NULL;
			else
				eh = NULL;
		}
		compare_endpoint(a, eh, ew, s);
		h += eh != NULL;
		w += ew != NULL;
	}
}

static int compare_words(const void *va, const void *vb)
{
	const struct word_step *a = va, *b = vb;

	if (a->takes_out != b->takes_out)
		return a->takes_out ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static int compare_keys(const void *va, const void *vb)
{
	const struct table_service *a = *(const struct table_service *const *)va;
	const struct table_service *b = *(const struct table_service *const *)vb;
	const int order = addr_compare(&a->vip, &b->vip);

	if (order)
		return order;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return a->proto < b->proto ? -1 : a->proto > b->proto;
}

/* Services of one side that the other has not under the same number. */
struct rest {
	const struct table_service **items; /* sorted by key */
	size_t count;
};

static void sort_rest(struct rest *r)
{
	if (r->count > 1)
		qsort(r->items, r->count, sizeof(struct table_service *), compare_keys);
}

static const struct table_service *find_key(const struct rest *r, const struct table_service *s)
{
	const struct table_service **found =
		r->count ? bsearch(&s, r->items, r->count, sizeof(struct table_service *),
				   compare_keys)
			 : NULL;

	return found ? *found : NULL;
}

/* Number and size of the table in the map; {0, 0} for none. */
static struct spw_table_ref ref_of(const struct tables *t, const uint32_t *bases, uint32_t index)
{
	if (index == TABLE_NONE)
		return (struct spw_table_ref){0, 0};
	return (struct spw_table_ref){bases ? bases[index] : t->slots[index].base,
				      t->slots[index].size};
}

static bool is_same_ref(struct spw_table_ref a, struct spw_table_ref b)
{
	return a.size == b.size && (a.size == 0 || a.base == b.base);
}

static bool is_same_guard(const struct tables *have, const struct table_service *h,
			  const struct tables *want, const uint32_t *bases,
			  const struct table_service *w)
{
	if (h->guarded != w->guarded)
		return false;
	return !h->guarded ||
	       (is_same_ref(ref_of(have, NULL, h->guard.allow),
			    ref_of(want, bases, w->guard.allow)) &&
		is_same_ref(ref_of(have, NULL, h->guard.deny),
			    ref_of(want, bases, w->guard.deny)) &&
		h->guard.every_ns == w->guard.every_ns && h->guard.burst_ns == w->guard.burst_ns &&
		h->guard.source_every_ns == w->guard.source_every_ns &&
		h->guard.source_burst_ns == w->guard.source_burst_ns);
}

static uint32_t motion_line(const struct tables *t, const struct table_service *s)
{
	const struct table_motion *m = tables_motion(t, s);

	return m ? m->line : 0;
}

/* Do two rows tell the packet path the same? */
static bool is_same_service_row(const struct tables *have, const struct table_service *h,
				const struct tables *want, const uint32_t *bases,
				const struct table_service *w)
{
	return is_same_ref(ref_of(have, NULL, h->table), ref_of(want, bases, w->table)) &&
	       is_same_ref(ref_of(have, NULL, h->spare), ref_of(want, bases, w->spare)) &&
	       is_same_ref(ref_of(have, NULL, table_weights(h)),
			   ref_of(want, bases, table_weights(w))) &&
	       is_same_ref(ref_of(have, NULL, table_quic(h)), ref_of(want, bases, table_quic(w))) &&
	       is_same_guard(have, h, want, bases, w) && h->pick == w->pick &&
	       motion_line(have, h) == motion_line(want, w) && h->direct == w->direct &&
	       h->empty == w->empty && h->new_flows == w->new_flows &&
	       h->live_flows == w->live_flows &&
	       memcmp(h->idle_s, w->idle_s, sizeof(h->idle_s)) == 0;
}

static bool is_same_service(const struct table_service *a, const struct table_service *b)
{
	return a->id == b->id && compare_keys(&a, &b) == 0;
}

/* The walk by number: pairs that differ in their rows, and what has no partner. */
static void pair_services(struct arena *a, const struct tables *have, const struct tables *want,
			  const uint32_t *bases, struct steps *s, struct rest rests[2])
{
	size_t i = 0, k = 0;

	while (i < have->service_count || k < want->service_count) {
		const struct table_service *h = i < have->service_count ? &have->services[i] : NULL;
		const struct table_service *w = k < want->service_count ? &want->services[k] : NULL;

		if (h && w && is_same_service(h, w)) {
			if (!is_same_service_row(have, h, want, bases, w))
				s->switch_rows = true;
			i++;
			k++;
		} else if (h && (!w || h->id <= w->id)) {
			*arena_push(a, rests[0].items, rests[0].count) = h;
			i++;
		} else {
			*arena_push(a, rests[1].items, rests[1].count) = w;
			k++;
		}
	}
}

static void compare_services(struct arena *a, const struct tables *have, const struct tables *want,
			     const uint32_t *bases, struct steps *s)
{
	struct rest rests[2] = {{0}};

	pair_services(a, have, want, bases, s, rests);
	sort_rest(&rests[0]);
	sort_rest(&rests[1]);
	if (rests[0].count + rests[1].count > 0)
		s->switch_rows = true;
	s->services_put = rests[1].items;
	s->services_put_count = rests[1].count;
	for (size_t i = 0; i < rests[0].count; i++) {
		if (!find_key(&rests[1], rests[0].items[i]))
			*arena_push(a, s->services_del, s->services_del_count) = rests[0].items[i];
	}
}

int tables_diff(struct arena *a, const struct tables *have, struct tables *want,
		const struct line_space *slots, const struct line_space *motions, struct steps *out)
{
	uint32_t *bases = arena_array(a, want->slots_count, sizeof(*bases));
	uint32_t *lines = arena_array(a, want->motion_count, sizeof(*lines));
	bool *fresh = arena_array(a, want->slots_count, sizeof(*fresh));
	struct steps s = {.want = want};
	int err;

	err = place_tables(have, want, slots, bases, fresh);
	if (!err)
		err = place_motions(have, want, motions, lines);
	if (err)
		return err;
	for (size_t i = 0; i < want->motion_count; i++) {
		if (want->motions[i].line == TABLE_UNPLACED)
			*arena_push(a, s.motions_put, s.motions_put_count) = (uint32_t)i;
		want->motions[i].line = lines[i];
	}
	compare_endpoints(a, have, want, &s);
	if (s.word_count > 1)
		qsort(s.words, s.word_count, sizeof(*s.words), compare_words);
	compare_services(a, have, want, bases, &s);
	for (size_t i = 0; i < want->slots_count; i++) {
		want->slots[i].base = bases[i];
		if (fresh[i])
			*arena_push(a, s.slots_put, s.slots_put_count) = (uint32_t)i;
	}
	*out = s;
	return 0;
}

bool steps_empty(const struct steps *s)
{
	return s->motions_put_count == 0 && s->word_count == 0 && s->endpoints_put_count == 0 &&
	       s->endpoints_del_count == 0 && s->slots_put_count == 0 &&
	       s->services_put_count == 0 && s->services_del_count == 0 && !s->switch_rows;
}
