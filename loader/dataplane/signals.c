/* SPDX-License-Identifier: BSD-2-Clause */
/* The packet path's signals about endpoints, as mapped memory. */
#include <string.h>

#include "dataplane/state.h"

struct spw_signals *dataplane_signals(struct dataplane *dp, uint32_t endpoint_id)
{
	return endpoint_id < dp->meta.max_endpoints ? &dp->maps.signals[endpoint_id] : NULL;
}

/* No flow has the number now, so nobody adds to it meanwhile. */
void signals_clear(struct dataplane *dp, uint32_t endpoint_id)
{
	memset(&dp->maps.signals[endpoint_id], 0, sizeof(struct spw_signals));
}
