/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each start loads the programs with maps of their own and fills these first, so the link's switch
 * from the old program to the new one is the switch between two whole configurations. Only the
 * counters are taken over, where their layout is the same.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "decap.skel.h"
#include "decap/decap.h"

void stats_path(const char *bpffs, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/maps/decap_stats", bpffs);
}

/* 1: the pinned counters go on; 0: there are none that fit. */
static int take_over_stats(struct decap *d)
{
	AUTO(fd_close) int fd = -1;
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);
	char path[PATH_MAX];

	stats_path(d->options->bpffs, path, sizeof(path));
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == BPF_MAP_TYPE_PERCPU_ARRAY &&
	    info.value_size == sizeof(uint64_t) && info.max_entries == SPW_DECAP_STAT_MAX &&
	    !bpf_map__reuse_fd(d->skel->maps.decap_stats, fd))
		return 1;
	log_warn("load: the pinned counters are of another version: they start anew");
	(void)unlink(path);
	return 0;
}

static int pin_stats(struct decap *d, struct why why)
{
	char path[PATH_MAX];
	int err;

	stats_path(d->options->bpffs, path, sizeof(path));
	if (!bpf_obj_pin(bpf_map__fd(d->skel->maps.decap_stats), path))
		return 0;
	err = -errno;
	return why_set(why, err, "%s: cannot be pinned: %s", path, strerror(-err));
}

static int fill(const struct bpf_map *map, const struct spw_decap_prefix *list, size_t count,
		struct why why)
{
	const uint32_t one = 1;

	for (size_t i = 0; i < count; i++) {
		struct spw_decap_prefix key = list[i];
		int err = bpf_map_update_elem(bpf_map__fd(map), &key, &one, BPF_ANY);

		if (err)
			return why_set(why, err, "%s: does not hold %zu entries: %s",
				       bpf_map__name(map), count, strerror(-err));
	}
	return 0;
}

/* LPM keys count bits from the first byte of what follows, which is the address. */
static int fill_prefixes(struct decap *d, struct why why)
{
	const struct decap_options *o = d->options;
	int err = fill(d->skel->maps.decap_vips, o->vips, o->vip_count, why);

	return err ? err : fill(d->skel->maps.decap_gateways, o->gateways, o->gateway_count, why);
}

int load_programs(struct decap *d, struct why why)
{
	int err, taken;

	libbpf_log_clear();
	d->skel = decap_bpf__open();
	if (!d->skel)
		return why_set(why, -errno, "the BPF object cannot be opened: %s", strerror(errno));
	for (size_t i = 0; i < d->options->port_count; i++)
		d->skel->rodata->decap_ports[i] = d->options->ports[i];
	d->skel->rodata->decap_any_gateway = !d->options->gateway_count;
	taken = take_over_stats(d);
	err = decap_bpf__load(d->skel);
	if (err)
		return why_set(why, err,
			       "the BPF programs cannot be loaded: %s: Linux 6.1 or later is "
			       "needed, and no kernel lockdown that forbids it (%s)",
			       strerror(-err), libbpf_log_text());
	err = fill_prefixes(d, why);
	return err || taken ? err : pin_stats(d, why);
}
