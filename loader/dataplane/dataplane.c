/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens the parts in the order in which packets need them, and closes them. The struct holds its
 * libuv handles, so the close callback of the last one frees it.
 */
#include "dataplane/dataplane.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "dataplane/bpffs.h"
#include "dataplane/netns_lock.h"
#include "dataplane/privileges.h"
#include "dataplane/state.h"
#include "dataplane/sysctl.h"
#include "dataplane/offload.h"
#include "spillway.skel.h"

#define FLOWS_LIMIT (1u << 28)

static void release(struct dataplane *dp)
{
	events_close(dp);
	early_close(dp);
	vips_close(dp);
	interfaces_close(dp);
	steer_close(dp);
	if (dp->watch)
		(void)mnl_socket_close(dp->watch);
	netdev_close(&dp->transmit.netdev);
	netlink_close(&dp->netlink);
	maps_unmap(&dp->maps);
	spillway_bpf__destroy(dp->skel);
	journal_done(&dp->journal);
	fd_close(dp->netns_lock);
	free(dp->host_addrs);
	free(dp->bound);
	space_done(&dp->slot_space);
	space_done(&dp->motion_space);
	free(dp->next_hops);
	free(dp->neighbours);
	free(dp->vlans);
	free(dp->bpffs);
	free(dp);
}

void handle_opened(struct dataplane *dp, void *handle)
{
	((uv_handle_t *)handle)->data = dp;
	dp->open_handles++;
}

void handle_closed(struct dataplane *dp)
{
	if (!--dp->open_handles && dp->closing)
		release(dp);
}

static void on_closed(uv_handle_t *handle)
{
	handle_closed(handle->data);
}

void handle_close(struct dataplane *dp, void *handle)
{
	uv_handle_t *h = handle;

	if (h->data == dp && !uv_is_closing(h))
		uv_close(h, on_closed);
}

void dataplane_close(struct dataplane *dp)
{
	if (!dp)
		return;
	if (dp->applied)
		vips_finish(dp);
	dp->closing = true;
	dp->open_handles++; /* until the end of this function */
	handle_close(dp, &dp->watch_poll);
	handle_close(dp, &dp->transmit.poll);
	handle_close(dp, &dp->refresh_timer);
	handle_close(dp, &dp->lease_timer);
	handle_close(dp, &dp->events_poll);
	early_stop(dp);
	handle_close(dp, &dp->sweep.timer);
	handle_close(dp, &dp->vip_timer);
	handle_close(dp, &dp->loads_timer);
	handle_close(dp, &dp->ear_arp.poll);
	handle_close(dp, &dp->ear_nd.poll);
	handle_closed(dp);
}

static int check_options(const struct dataplane_options *o, struct why why)
{
	if (!o->interface_count)
		return why_set(why, -EINVAL, "no interface is named: use --interface");
	if (!o->max_flows || o->max_flows > FLOWS_LIMIT)
		return why_set(why, -EINVAL, "--max-flows must be between 1 and %u", FLOWS_LIMIT);
	if (o->max_flows6 > FLOWS_LIMIT)
		return why_set(why, -EINVAL, "--max-flows-ipv6 must be at most %u", FLOWS_LIMIT);
	if (o->max_endpoints < 2 || o->max_endpoints > SPW_ENDPOINTS_LIMIT || !o->max_services ||
	    !o->slot_lines || o->slot_lines > LIMIT_SLOTS / SPW_LINE_SLOTS)
		return why_set(why, -EINVAL, "a size of the tables is out of range");
	if (o->source_count > SPW_SOURCES_MAX)
		return why_set(why, -EINVAL, "more than %d source addresses", SPW_SOURCES_MAX);
	return 0;
}

static int set_options(struct dataplane *dp, const struct dataplane_options *o)
{
	dp->xdp_mode = o->xdp_mode;
	dp->meta = (struct spw_meta){
		.magic = SPW_ABI_MAGIC,
		.abi_version = SPW_ABI_VERSION,
		.max_flows = o->max_flows,
		.max_flows6 = o->max_flows6 ? o->max_flows6 : (o->max_flows + 3) / 4,
		.max_endpoints = o->max_endpoints,
		.max_services = o->max_services,
		.slot_lines = o->slot_lines,
	};
	(void)snprintf(dp->meta.version, sizeof(dp->meta.version), "%s", SPILLWAY_VERSION);
	side_settings_defaults(&dp->settings, o->seed);
	if (o->bpffs) {
		dp->bpffs = strdup(o->bpffs);
		if (!dp->bpffs)
			return -ENOMEM;
	}
	return sources_fix(&dp->sources, o->sources, o->source_count);
}

/* Sources and ports in force stay where they are; the rest is this run's. */
static int take_settings_over(struct dataplane *dp)
{
	const struct spw_config *c = dp->maps.config;
	const struct spw_settings *now = &c->settings[c->active & 1];

	memcpy(dp->settings.source, now->source, sizeof(now->source));
	dp->settings.port_line = now->port_line;
	dp->settings.port_count = now->port_count;
	return side_bind_pinned(dp);
}

static int open_loop_parts(struct dataplane *dp, struct why why)
{
	const struct {
		const char *what;
		int (*open)(struct dataplane *dp);
	} parts[] = {
		{"the neighbours", neighbours_open},	  {"the next hops", next_hops_open},
		{"the rows of next hops", hop_rows_open}, {"the VIPs", vips_open},
		{"the event buffer", events_open},	  {"the sweeper", sweep_open},
		{"the fragment buffer", early_open},	  {"the counts of flows", loads_open},
	};
	int err;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		err = parts[i].open(dp);
		if (err)
			return why_set(why, err, "%s cannot be set up: %s", parts[i].what,
				       strerror(-err));
	}
	return 0;
}

static int open_parts(struct dataplane *dp, const struct dataplane_options *opts, struct why why)
{
	int err = netlink_open(&dp->netlink);

	if (err)
		return why_set(why, err, "netlink cannot be opened: %s", strerror(-err));
	err = journal_open(&dp->journal, opts->run_dir);
	if (err)
		return why_set(why, err, "%s/host-changes: cannot be read: %s", opts->run_dir,
			       strerror(-err));
	dp->journal_was_empty = !dp->journal.count;
	err = load(dp, why);
	if (err)
		return err;
	tunnels_put(dp, &opts->tunnels);
	if (dp->taken_over && take_settings_over(dp))
		return why_set(why, -ENOMEM, "out of memory");
	err = steer_open(dp, why);
	if (err)
		return err;
	/* Heard from before the interfaces are looked up, so that none comes unnoticed. */
	err = watch_open(dp);
	if (!err)
		err = transmit_open(dp);
	if (err)
		return why_set(why, err, "netlink notifications cannot be had: %s", strerror(-err));
	err = vlan_devices_open(dp);
	if (err)
		return why_set(why, err, "the interfaces cannot be listed: %s", strerror(-err));
	err = interfaces_open(dp, opts, why);
	if (!err)
		err = pin_programs(dp, why);
	return err ? err : open_loop_parts(dp, why);
}

/* What a start that failed has pinned and changed serves nobody; an earlier one's stays. */
static void undo(struct dataplane *dp)
{
	if (dp->pinned_anew)
		(void)bpffs_remove(dp->bpffs);
	if (dp->taken_over || !dp->journal_was_empty || !dp->journal.count)
		return;
	sysctl_undo(&dp->journal);
	offloads_undo(&dp->journal);
	bpffs_unmount(&dp->journal);
	(void)journal_clear(&dp->journal);
}

int dataplane_open(struct arena *a, uv_loop_t *loop, const struct dataplane_options *opts,
		   struct dataplane **out, const char **why)
{
	struct dataplane *dp = calloc(1, sizeof(*dp));
	struct why w = {a, why};
	int err;

	if (!dp)
		return why_set(w, -ENOMEM, "out of memory");
	dp->loop = loop;
	dp->slot_space.unit = SPW_LINE_SLOTS;
	dp->motion_space.unit = 1;
	dp->netns_lock = dp->ear_arp.fd = dp->ear_nd.fd = dp->steer.link = -1;
	dp->switched_ms = clock_ms();
	libbpf_log_start();
	err = check_options(opts, w);
	if (!err)
		err = privileges_check(w);
	if (!err)
		err = netns_lock("spillwayd", &dp->netns_lock, w);
	if (!err)
		err = set_options(dp, opts);
	if (!err)
		err = open_parts(dp, opts, w);
	if (err) {
		undo(dp);
		dataplane_close(dp);
		return err;
	}
	*out = dp;
	return 0;
}

const struct spw_meta *dataplane_meta(const struct dataplane *dp)
{
	return &dp->meta;
}
