/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services and their instances, once both stay where they are: pointers into the model's array, and
 * the way back from an instance to the services that have it, so that a change of one endpoint is
 * not looked for in all services.
 */
#include "model/resolver.h"

struct index {
	struct model *model;
	uint32_t **lists; /* by instance; NULL while they are counted */
	uint32_t *counts;
	uint32_t *latest; /* service + 1: one may have an instance as a member many times */
};

static void settle_list(const struct model *m, struct instance **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		list[i] = &m->instances[list[i]->index];
}

static void settle(const struct model *m)
{
	for (size_t i = 0; i < m->service_count; i++) {
		const struct service *s = &m->services[i];

		for (size_t n = 0; n < s->locality_count; n++)
			settle_list(m, s->localities[n].members, s->localities[n].count);
		settle_list(m, s->handoff, s->handoff_count);
	}
}

static void note(struct index *x, uint32_t instance, uint32_t service)
{
	if (x->latest[instance] == service + 1)
		return;
	x->latest[instance] = service + 1;
	x->model->instances[instance].steered |=
		!x->model->services[service].proxied &&
		x->model->instances[instance].mode == SPW_MODE_HANDOFF;
	if (x->lists)
		x->lists[instance][x->counts[instance]] = service;
	x->counts[instance]++;
}

static void note_all(struct index *x)
{
	const struct model *m = x->model;

	x->counts = arena_array(m->arena, m->instance_count, sizeof(*x->counts));
	x->latest = arena_array(m->arena, m->instance_count, sizeof(*x->latest));
	for (uint32_t s = 0; s < m->service_count; s++) {
		for (size_t n = 0; n < m->services[s].locality_count; n++) {
			const struct locality *l = &m->services[s].localities[n];

			for (size_t k = 0; k < l->count; k++)
				note(x, l->members[k]->index, s);
		}
	}
}

void members_settle(struct model *m)
{
	struct index x = {.model = m};
	uint32_t **lists = arena_array(m->arena, m->instance_count, sizeof(uint32_t *));

	settle(m);
	note_all(&x);
	for (size_t i = 0; i < m->instance_count; i++)
		lists[i] = arena_array(m->arena, x.counts[i], sizeof(**lists));
	x.lists = lists;
	note_all(&x);
	for (size_t i = 0; i < m->instance_count; i++) {
		m->instances[i].services = lists[i];
		m->instances[i].service_count = x.counts[i];
	}
}
