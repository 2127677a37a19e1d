/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Service rows and settings exist twice; packets read the side that config.active names, one word.
 * So a commit over many services is seen as a whole: the other side is written in full, then the
 * word is stored. A packet under way may still read the old side, hence a pause between switches.
 */
#include "dataplane/side.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "dataplane/port_list.h"
#include "dataplane/state.h"
#include "dataplane/sysctl.h"
#include "model/idle.h"

#define SWITCH_PAUSE_MS 20

void side_settings_defaults(struct spw_settings *s, uint32_t seed)
{
	memset(s, 0, sizeof(*s));
	s->seed = seed;
	for (int i = 0; i < SPW_IDLE_MAX; i++) {
		s->idle_s[0][i] = idle_default_s(IPPROTO_TCP, (enum spw_idle)i);
		s->idle_s[1][i] = idle_default_s(IPPROTO_UDP, (enum spw_idle)i);
	}
}

static int compare_bound(const void *a, const void *b)
{
	const struct bound_port *x = a, *y = b;

	return addr_compare(&x->addr, &y->addr);
}

/* Takes the list over. */
static void set_bound(struct dataplane *dp, struct bound_port *bound, size_t count)
{
	if (count)
		qsort(bound, count, sizeof(*bound), compare_bound);
	free(dp->bound);
	dp->bound = bound;
	dp->bound_count = count;
}

bool side_is_vip(const struct dataplane *dp, const struct spw_addr *addr)
{
	const struct bound_port key = {.addr = *addr};

	return dp->bound_count &&
	       bsearch(&key, dp->bound, dp->bound_count, sizeof(key), compare_bound);
}

int side_bind(struct dataplane *dp, const struct tables *t)
{
	struct bound_port *bound = calloc(t->service_count + 1, sizeof(*bound));

	if (!bound)
		return -ENOMEM;
	for (size_t i = 0; i < t->service_count; i++) {
		bound[i].addr = t->services[i].vip;
		bound[i].port = t->services[i].port;
	}
	set_bound(dp, bound, t->service_count);
	return 0;
}

int side_bind_pinned(struct dataplane *dp)
{
	struct bound_port *bound = calloc(dp->meta.max_services, sizeof(*bound));
	int fd = dp->maps.fd[MAP_SERVICES];
	struct spw_service_key key;
	size_t count = 0;

	if (!bound)
		return -ENOMEM;
	while (count < dp->meta.max_services &&
	       !bpf_map_get_next_key(fd, count ? &key : NULL, &key))
		bound[count++] = (struct bound_port){key.vip, ntohs(key.port)};
	set_bound(dp, bound, count);
	return 0;
}

static bool is_source(const struct dataplane *dp, const struct spw_addr *addr)
{
	for (size_t i = 0; i < SPW_SOURCES_MAX; i++) {
		if (addr_equal(&dp->settings.source[i], addr))
			return true;
	}
	return false;
}

static void wanted_ports(const struct dataplane *dp, struct port_set *set)
{
	char text[4096];

	port_set_init(set);
	if (sysctl_read("net/ipv4/ip_local_port_range", text, sizeof(text)) ||
	    port_set_remove_range(set, text))
		port_set_remove(set, 32768, 60999);
	if (!sysctl_read("net/ipv4/ip_local_reserved_ports", text, sizeof(text)) &&
	    port_set_remove_list(set, text))
		log_warn("source ports: net.ipv4.ip_local_reserved_ports cannot be read: ignored");
	for (size_t i = 0; i < dp->bound_count; i++) {
		if (is_source(dp, &dp->bound[i].addr))
			port_set_remove(set, dp->bound[i].port, dp->bound[i].port);
	}
}

static const struct spw_settings *in_force(const struct dataplane *dp)
{
	return &dp->maps.config->settings[dp->maps.config->active & 1];
}

/* Writes the list into the half that no packet reads, unless the one in force is the same. */
static void update_ports(struct dataplane *dp)
{
	size_t bytes = SPW_PORT_LINES * sizeof(struct spw_port_line);
	AUTO(free) struct spw_port_line *lines = malloc(bytes);
	const struct spw_settings *now = in_force(dp);
	uint32_t line = now->port_line ? SPW_PORT_LINES : 0, count;
	struct port_set set;

	if (!lines)
		return;
	wanted_ports(dp, &set);
	count = port_set_fill(&set, lines);
	if (count != now->port_count || memcmp(&dp->maps.ports[line], lines, bytes)) {
		line = SPW_PORT_LINES - line;
		memcpy(&dp->maps.ports[line], lines, bytes);
	}
	dp->settings.port_line = line;
	dp->settings.port_count = count;
}

bool side_differs(struct dataplane *dp)
{
	update_ports(dp);
	return memcmp(in_force(dp), &dp->settings, sizeof(dp->settings)) != 0;
}

static struct spw_table_ref table_ref(const struct tables *t, uint32_t index)
{
	struct spw_table_ref none = {0};

	if (index == TABLE_NONE || index >= t->slots_count)
		return none;
	return (struct spw_table_ref){t->slots[index].base, t->slots[index].size};
}

/* Lists and limits are no part of it when it has none. */
static void write_extra(struct spw_service_extra *x, const struct tables *want,
			const struct table_service *s)
{
	x->weights = table_ref(want, table_weights(s));
	x->quic = table_ref(want, table_quic(s));
	if (!s->guarded)
		return;
	x->allow = table_ref(want, s->guard.allow);
	x->deny = table_ref(want, s->guard.deny);
	x->every_ns = s->guard.every_ns;
	x->burst_ns = s->guard.burst_ns;
	x->source_every_ns = s->guard.source_every_ns;
	x->source_burst_ns = s->guard.source_burst_ns;
}

static uint32_t flags_of(const struct table_service *s)
{
	return SPW_SERVICE_VALID | (s->empty ? SPW_SERVICE_EMPTY : 0) |
	       (s->direct ? SPW_SERVICE_DIRECT : 0) | (s->motion ? SPW_SERVICE_MOTION : 0) |
	       (s->guarded ? SPW_SERVICE_GUARDED : 0) | (s->quic ? SPW_SERVICE_QUIC : 0);
}

static void write_rows(struct dataplane *dp, uint32_t side, const struct tables *want)
{
	struct spw_service_row *rows = dp->maps.service_rows;
	struct spw_service_extra *extras = dp->maps.service_extras;

	for (uint32_t i = 0; i < dp->meta.max_services; i++) {
		rows[i * 2 + side] = (struct spw_service_row){0};
		extras[i * 2 + side] = (struct spw_service_extra){0};
	}
	for (size_t i = 0; i < want->service_count; i++) {
		const struct table_service *s = &want->services[i];

		rows[s->id * 2 + side] = (struct spw_service_row){
			.flags = flags_of(s),
			.new_flows = s->new_flows,
			.live_flows = s->live_flows,
			.pick = s->pick,
			.table = table_ref(want, s->table),
			.spare = table_ref(want, s->spare),
			.key = {.vip = s->vip, .port = htons(s->port), .proto = s->proto},
			.motion = s->motion ? tables_motion(want, s)->line : 0,
		};
		memcpy(rows[s->id * 2 + side].idle_s, s->idle_s, sizeof(s->idle_s));
		write_extra(&extras[s->id * 2 + side], want, s);
	}
}

static void copy_rows(struct dataplane *dp, uint32_t side)
{
	struct spw_service_row *rows = dp->maps.service_rows;
	struct spw_service_extra *extras = dp->maps.service_extras;

	for (uint32_t i = 0; i < dp->meta.max_services; i++) {
		rows[i * 2 + side] = rows[i * 2 + !side];
		extras[i * 2 + side] = extras[i * 2 + !side];
	}
}

unsigned int dataplane_apply_wait_ms(const struct dataplane *dp)
{
	uint64_t passed = clock_ms() - dp->switched_ms;

	return passed > SWITCH_PAUSE_MS ? 0 : (unsigned int)(SWITCH_PAUSE_MS - passed) + 1;
}

static void pause_since_switch(const struct dataplane *dp)
{
	const struct timespec rest = {.tv_nsec = (long)dataplane_apply_wait_ms(dp) * 1000000};

	if (rest.tv_nsec)
		(void)nanosleep(&rest, NULL);
}

void side_switch(struct dataplane *dp, const struct tables *want)
{
	struct spw_config *config = dp->maps.config;
	uint32_t side = !(config->active & 1);

	pause_since_switch(dp);
	if (want)
		direct_put(dp, want);
	update_ports(dp);
	if (want)
		write_rows(dp, side, want);
	else
		copy_rows(dp, side);
	lookup_write(dp, side, want);
	config->settings[side] = dp->settings;
	__atomic_store_n(&config->active, side, __ATOMIC_RELEASE);
	dp->switched_ms = clock_ms();
	if (want)
		direct_prune(dp, want);
}
