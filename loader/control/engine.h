/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's core: holds the store, the generation in force, endpoint numbers, health and the
 * data path, and moves all of them from one generation to the next. Runs on one event loop.
 */
#ifndef SPILLWAY_CONTROL_ENGINE_H
#define SPILLWAY_CONTROL_ENGINE_H

#include <uv.h>

#include "base/event_log.h"
#include "control/admins.h"
#include "control/generation.h"
#include "dataplane/dataplane.h"
#include "dns/names.h"
#include "dns/stub.h"
#include "handoff/handoff.h"
#include "health/health.h"
#include "store/store.h"
#include "tables/compile.h"
#include "tables/ids.h"

#define ENGINE_EVENTS 32768 /* that are kept: 10,000 endpoints may go and come at once */

struct engine_options {
	const char *state_dir;
	const char *zone; /* of this gateway, or NULL */
	bool on_host;
	const char *resolv_conf; /* path; NULL: the system's */
	const char *haproxy;	 /* path of the userspace path's program */
	bool local_clients;
	struct dataplane_options dataplane; /* run_dir and bpffs included */
};

/* A stored row that today's rules refuse: kept in the store, not in the model. */
struct refused {
	struct stored key;
	const char *why; /* NULL once the row was replaced or deleted */
};

/* The longest-lived flows of endpoints that drain, as the latest walk over the flows found them. */
struct drain_lists {
	struct oldest_flows *items; /* owned; ordered by endpoint id */
	size_t count;
	uint64_t at_ms; /* clock_ms() of the end of that walk; 0: there was none */
	uint64_t took_ms;
	struct drain_walk *walk; /* under way, or NULL; it releases itself */
};

/*
 * What a trial compiled, for the rebuild that follows: the same tables, if no entry changed meanwhile.
 * The model is the one that is numbered; rebuild_renumber() for another one ends it.
 */
struct trial {
	struct arena *arena; /* owned; NULL: there is none */
	const struct model *model;
	const struct health_entry *entries; /* a copy, of `model` */
	struct tables want;		    /* nothing placed yet, without motions */
};

struct engine {
	uv_loop_t *loop;
	struct arena *arena;		    /* what lives as long as the engine */
	struct model_options model_options; /* without host_addrs */
	int state_lock, run_lock, pins_lock;
	struct store *store;
	struct dataplane *dp;
	struct health *health;
	struct handoff *handoff;  /* NULL: there is no userspace path */
	const char *no_userspace; /* why not, or NULL */
	struct dns *client_dns;	  /* of names that clients choose; NULL as handoff */
	struct stub *stub;	  /* through which HAProxy asks for them */
	struct names *names;
	uint64_t names_took_ms;	  /* for the latest generation that names made */
	uint64_t names_done_ms;	  /* clock_ms() of its end */
	const char *names_file;	  /* in `arena`; their addresses outlive a restart in it */
	uint64_t names_kept_ms;	  /* when it was written last */
	uint64_t settle_until_ms; /* new tables wait for the userspace path; 0: they do not */
	struct ids *ids;
	struct event_log *events;  /* owned */
	struct table_cache *cache; /* owned; NULL: every table is filled each time */
	struct admins admins;
	struct drain_lists drain_lists;
	struct generation *now; /* owned; never NULL once opened */
	/* Whose numbers `ids` has: that of `now` but during a change; NULL: ids_assign() refused it. */
	const struct model *numbered;
	const struct model *numbered_before; /* a trial; NULL: there was none */
	struct trial trial;
	struct arena *have_arena;
	struct tables have;  /* what the maps hold, in have_arena */
	bool resets_known;   /* SPW_WORD_RESET of the maps is what the words say */
	uint64_t rebuilt_ns; /* uv_hrtime() at the end of the latest rebuild; 0: none */
	uint64_t rebuild_took_ns;
	bool stale;		     /* `now` or its health changed since the tables were made */
	bool vips_lag;		     /* the latest dataplane_set_vips() failed */
	struct admin_entry *lagging; /* owned; whose words the store has yet to hear of */
	size_t lagging_count;
	char *problem;		 /* owned; why the maps are not what `now` wants, or NULL */
	struct refused *refused; /* in `arena` */
	size_t refused_count;
	struct rest_walk *rest_walk; /* under way, or NULL; it releases itself */
	uint64_t *rest_since_ms; /* owned; by endpoint id: resting without flows since; 0: not */
	uint64_t started_ms;	 /* clock_ms() */
	uv_timer_t retry;	 /* engine_rebuild() again */
	uv_timer_t housekeeping;
	uv_timer_t drain_timer;
	uv_timer_t names_timer; /* for a generation that names are to make */
	int handles;		/* open ones of the four */
};

/*
 * Takes the locks, opens everything, brings the maps to what the store says. Content that does not
 * fit is no failure: the maps stay as they are, `problem` says why.
 */
int engine_open(struct arena *a, uv_loop_t *loop, const struct engine_options *opts,
		struct engine **out, const char **why);
/* Traffic goes on. Frees the engine once its handles are closed: run the loop afterwards. */
void engine_close(struct engine *e);

/*
 * Makes `g` (taken over) the generation in force: health, tables, words, VIPs. The error is that of
 * engine_rebuild(); `g` is in force in any case, and the maps follow when they can.
 */
int engine_install(struct engine *e, struct generation *g);

/* Its number in the maps; SPW_ENDPOINT_NONE for what the packet path does not carry. */
uint32_t engine_endpoint_id(const struct engine *e, const struct instance *i);

/* Model options with the host's addresses of this moment, in `a`. */
struct model_options engine_model_options(struct engine *e, struct arena *a);

/* Takes what `text` says as the reason why the maps lag behind; NULL: they do not. */
void engine_set_problem(struct engine *e, const char *text);

#endif
