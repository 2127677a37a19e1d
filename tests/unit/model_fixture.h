/* SPDX-License-Identifier: BSD-2-Clause */
/* Models made by hand for tests of the tables: a service is a list of localities of endpoints. */
#ifndef SPILLWAY_TESTS_MODEL_FIXTURE_H
#define SPILLWAY_TESTS_MODEL_FIXTURE_H

#include <netinet/in.h>
#include <string.h>

#include "base/addr.h"
#include "base/arena.h"
#include "model/health_view.h"
#include "model/idle.h"
#include "model/model.h"

struct fixture {
	struct arena *arena;
	struct model model;
	struct health_entry health[16384];
	struct health_view view;
};

static inline void fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->arena = arena_new();
	f->model.arena = f->arena;
	f->view.entries = f->health;
}

static inline void fixture_done(struct fixture *f)
{
	arena_free(f->arena);
}

static inline struct spw_addr fixture_addr(uint32_t n)
{
	return addr_from_v4(htonl(0x0a000000u + n));
}

/* Room for everything first: localities point at instances. */
static inline void fixture_room(struct fixture *f, size_t instances, size_t services)
{
	f->model.instances = arena_array(f->arena, instances, sizeof(*f->model.instances));
	f->model.services = arena_array(f->arena, services, sizeof(*f->model.services));
}

static inline struct instance *fixture_instance(struct fixture *f, uint32_t addr, uint16_t port)
{
	struct instance *i = &f->model.instances[f->model.instance_count];

	i->index = (uint32_t)f->model.instance_count++;
	i->addr = fixture_addr(addr);
	i->port = port;
	i->mode = SPW_MODE_NAT;
	i->carried = true;
	f->view.count = f->model.instance_count;
	return i;
}

static inline struct service *fixture_service(struct fixture *f, uint32_t vip, uint16_t port)
{
	struct service *s = &f->model.services[f->model.service_count++];

	s->vip = fixture_addr(0x00ff0000u + vip);
	s->port = port;
	s->proto = IPPROTO_TCP;
	s->panic_threshold = 50;
	s->project = "default";
	s->name = "default/web";
	for (unsigned int i = 0; i < SPW_IDLE_MAX; i++)
		s->idle_s[i] = idle_default_s(s->proto, (enum spw_idle)i);
	return s;
}

/* Instances first .. first + count - 1. */
static inline void fixture_locality(struct fixture *f, struct service *s, uint8_t tier,
				    uint32_t weight, size_t first, size_t count)
{
	struct locality *l = arena_push(f->arena, s->localities, s->locality_count);

	l->tier = tier;
	l->weight = weight;
	l->count = count;
	l->members = arena_array(f->arena, count, sizeof(struct instance *));
	l->backends = arena_array(f->arena, count, sizeof(struct object *));
	l->zones = arena_array(f->arena, count, sizeof(*l->zones));
	for (size_t i = 0; i < count; i++) {
		l->members[i] = &f->model.instances[first + i];
		l->zones[i] = l->members[i]->zone;
	}
}

#endif
