/* SPDX-License-Identifier: BSD-2-Clause */
/* What the packet path tells: the only event so far is a next hop that is not resolved. */
#include <errno.h>

#include <bpf/libbpf.h>
#include <spillway/events.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "dataplane/state.h"

#define KICKS_PER_SECOND 200

static int on_event(void *ctx, void *data, size_t size)
{
	const struct spw_event *e = data;
	struct dataplane *dp = ctx;
	char text[ADDR_TEXT_MAX];

	if (size < sizeof(*e) || e->type != SPW_EVENT_NO_NEIGHBOUR)
		return 0;
	if (clock_ms() - dp->kicks_since_ms >= 1000) {
		dp->kicks_since_ms = clock_ms();
		dp->kicks = 0;
	}
	/* Asking is a system call each: a scan over absent hosts must not keep the daemon busy. */
	if (dp->kicks++ >= KICKS_PER_SECOND)
		return 0;
	log_debug("events: no neighbour: %s on interface %u", addr_print(&e->addr, text),
		  e->ifindex);
	neighbour_kick(dp, e->ifindex, &e->addr);
	return 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct dataplane *dp = poll->data;

	(void)status;
	(void)events;
	(void)ring_buffer__consume(dp->events);
}

int events_open(struct dataplane *dp)
{
	int err;

	dp->events = ring_buffer__new(dp->maps.fd[MAP_EVENTS], on_event, dp, NULL);
	if (!dp->events)
		return -errno;
	err = uv_poll_init(dp->loop, &dp->events_poll, ring_buffer__epoll_fd(dp->events));
	if (err)
		return err;
	handle_opened(dp, &dp->events_poll);
	return uv_poll_start(&dp->events_poll, UV_READABLE, on_readable);
}

void events_close(struct dataplane *dp)
{
	ring_buffer__free(dp->events);
	dp->events = NULL;
}
