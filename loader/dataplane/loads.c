/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet path counts the open flows of some endpoints in one word. It is exact but for what passed
 * while the counting began, or a program was replaced; here it is compared with the sums over all CPUs,
 * some endpoints a second. Both move while they are read: a difference counts when the word stood still
 * meanwhile, or when it is larger than what moves.
 */
#include <stdlib.h>

#include "dataplane/state.h"

#define EVERY_MS 1000
#define PORTION	 256 /* endpoints: a millisecond or so */
#define MOVES	 64  /* flows that come and go while two numbers are read */

static bool is_counted(const struct dataplane *dp, uint32_t id)
{
	const struct spw_endpoint *row = &dp->maps.endpoints[id];

	return row->mode != SPW_MODE_NONE && (row->flags & SPW_ENDPOINT_COUNTED);
}

static void mend(struct dataplane *dp, uint32_t id)
{
	__s64 *open = &dp->maps.loads[id].open;
	const __s64 before = __atomic_load_n(open, __ATOMIC_ACQUIRE);
	struct spw_endpoint_stats s;
	__s64 lacks;

	dataplane_endpoint_stats(dp, id, &s);
	lacks = (__s64)(s.flows_opened - s.flows_closed) - before;
	if (!lacks)
		return;
	if (llabs(lacks) > MOVES || __atomic_load_n(open, __ATOMIC_ACQUIRE) == before)
		(void)__atomic_fetch_add(open, lacks, __ATOMIC_RELAXED);
}

static void on_timer(uv_timer_t *timer)
{
	struct dataplane *dp = timer->data;
	uint32_t looked = 0, id = dp->loads_next;

	for (; looked < PORTION && id < dp->endpoints_end; id++) {
		if (!is_counted(dp, id))
			continue;
		mend(dp, id);
		looked++;
	}
	dp->loads_next = id < dp->endpoints_end ? id : 1;
}

int loads_open(struct dataplane *dp)
{
	int err = uv_timer_init(dp->loop, &dp->loads_timer);

	if (err)
		return err;
	handle_opened(dp, &dp->loads_timer);
	dp->loads_next = 1;
	return uv_timer_start(&dp->loads_timer, on_timer, EVERY_MS, EVERY_MS);
}
