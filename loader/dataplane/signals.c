/* SPDX-License-Identifier: BSD-2-Clause */
/* The packet path's signals about endpoints, as mapped memory. */
#include "dataplane/state.h"

struct spw_signals *dataplane_signals(struct dataplane *dp, uint32_t endpoint_id)
{
	return endpoint_id < dp->meta.max_endpoints ? &dp->maps.signals[endpoint_id] : NULL;
}

/*
 * The sums stay: they count up for ever, and whoever watches the new owner takes differences from
 * a reading that may be older than this moment. A run has no difference, so it starts from nothing.
 */
void signals_clear(struct dataplane *dp, uint32_t endpoint_id)
{
	struct spw_signals *s = &dp->maps.signals[endpoint_id];

	__atomic_store_n(&s->run, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&s->run_max, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&s->last_failure, SPW_FAILURE_NONE, __ATOMIC_RELAXED);
}
