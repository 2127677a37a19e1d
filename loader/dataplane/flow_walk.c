/* SPDX-License-Identifier: BSD-2-Clause */
/* A walk over the flows beside the loop: its owner lives until the walk has ended. */
#include <errno.h>
#include <stdlib.h>

#include "dataplane/state.h"

struct walk {
	uv_work_t req;
	struct dataplane *dp;
	bool (*fn)(void *ctx, const struct flow_row *row);
	void (*done)(void *ctx, int err);
	void *ctx;
	int err;
};

static void work(uv_work_t *req)
{
	struct walk *w = req->data;

	w->err = dataplane_each_flow(w->dp, w->fn, w->ctx);
}

static void after_work(uv_work_t *req, int status)
{
	struct walk *w = req->data;
	struct dataplane *dp = w->dp;

	w->done(w->ctx, dp->closing || status ? -ECANCELED : w->err);
	free(w);
	handle_closed(dp);
}

int dataplane_walk_flows(struct dataplane *dp, bool (*fn)(void *ctx, const struct flow_row *row),
			 void (*done)(void *ctx, int err), void *ctx)
{
	struct walk *w = malloc(sizeof(*w));

	if (!w)
		return -ENOMEM;
	*w = (struct walk){.req.data = w, .dp = dp, .fn = fn, .done = done, .ctx = ctx};
	if (uv_queue_work(dp->loop, &w->req, work, after_work)) {
		free(w);
		return -ENOMEM;
	}
	dp->open_handles++;
	return 0;
}
