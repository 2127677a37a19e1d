/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads the programs. Where maps are pinned the new programs are loaded against them, sizes and
 * contents stay, and attach.c then replaces the program in the links without a gap. `meta` is
 * pinned last, so maps without it are the rest of a start that was cut short.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/log.h"
#include "dataplane/bpffs.h"
#include "dataplane/constants.h"
#include "dataplane/state.h"
#include "spillway.skel.h"

#define STAGES_PREFIX "stages-" /* of the pins of program arrays */

static void map_path(const struct dataplane *dp, enum map_id id, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/maps/%s", dp->bpffs, map_name(id));
}

/* 1: read, 0: there is none. A layout that we cannot read is refused. */
static int read_meta(struct dataplane *dp, struct spw_meta *meta, struct why why)
{
	AUTO(fd_close) int fd = -1;
	char path[PATH_MAX];
	uint32_t zero = 0;
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);

	map_path(dp, MAP_META, path, sizeof(path));
	fd = bpf_obj_get(path);
	if (fd < 0)
		return errno == ENOENT ? 0 : why_set(why, -errno, "%s: %s", path, strerror(errno));
	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.value_size != sizeof(*meta) ||
	    bpf_map_lookup_elem(fd, &zero, meta) || meta->magic != SPW_ABI_MAGIC)
		return why_set(why, -EINVAL,
			       "%s: is not a map of Spillway: name another directory with --bpffs",
			       path);
	if (meta->abi_version != SPW_ABI_VERSION)
		return why_set(
			why, -EPROTO,
			"%s: the pinned maps have layout %u (made by version %.39s), this is "
			"version %s with layout %u: run `spillwayd --detach` first; flows "
			"will be lost",
			dp->bpffs, meta->abi_version, meta->version, SPILLWAY_VERSION,
			SPW_ABI_VERSION);
	return 1;
}

static void warn_sizes(const struct spw_meta *pinned, const struct spw_meta *asked)
{
	const struct {
		const char *what;
		uint32_t pinned, asked;
	} sizes[] = {
		{"max-flows", pinned->max_flows, asked->max_flows},
		{"max-flows-ipv6", pinned->max_flows6, asked->max_flows6},
		{"max-endpoints", pinned->max_endpoints, asked->max_endpoints},
		{"max-services", pinned->max_services, asked->max_services},
		{"max-slots", pinned->slot_lines * SPW_LINE_SLOTS,
		 asked->slot_lines * SPW_LINE_SLOTS},
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i].pinned != sizes[i].asked)
			log_warn("dataplane: %s: the pinned maps have %u, not %u: kept; "
				 "`spillwayd --detach` first would change it and lose flows",
				 sizes[i].what, sizes[i].pinned, sizes[i].asked);
	}
}

/* Gives the object the pinned map, if there is one, else the size it is to have. */
static int prepare_map(struct dataplane *dp, enum map_id id, struct why why)
{
	struct bpf_map *map = bpf_object__find_map_by_name(dp->skel->obj, map_name(id));
	uint32_t entries = map_entries(id, &dp->meta);
	AUTO(fd_close) int fd = -1;
	char path[PATH_MAX];
	int err;

	if (!map)
		return why_set(why, -ENOENT, "the BPF object has no map %s", map_name(id));
	if (dp->taken_over) {
		map_path(dp, id, path, sizeof(path));
		fd = bpf_obj_get(path);
		if (fd >= 0) {
			err = bpf_map__reuse_fd(map, fd);
			return err ? why_set(why, err, "%s: cannot be reused: %s", path,
					     strerror(-err))
				   : 0;
		}
	}
	return entries ? bpf_map__set_max_entries(map, entries) : 0;
}

static const char *load_remedy(int err)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return "this kernel has no BTF (/sys/kernel/btf/vmlinux): run a kernel with "
		       "CONFIG_DEBUG_INFO_BTF=y, as Debian's are";
	if (err == -EPERM)
		return "the kernel forbids it: look for kernel lockdown or a container's seccomp "
		       "profile";
	if (err == -ENOMEM || err == -E2BIG)
		return "the maps do not fit in memory: lower --max-flows";
	if (err == -EINVAL)
		return "the kernel may be too old: 6.1 or later is needed";
	return "run with --log-level debug for the kernel's messages";
}

static int load_object(struct dataplane *dp, struct why why)
{
	int err;

	libbpf_log_clear();
	dp->skel = spillway_bpf__open();
	if (!dp->skel) {
		err = -errno;
		return why_set(why, err, "the BPF object cannot be opened: %s (%s)", strerror(-err),
			       libbpf_log_text());
	}
	for (int i = 0; i < MAP_COUNT; i++) {
		err = prepare_map(dp, (enum map_id)i, why);
		if (err)
			return err;
	}
	CONSTANTS_SET(dp->skel->rodata, &dp->meta);
	err = spillway_bpf__load(dp->skel);
	if (err)
		return why_set(why, err, "the BPF programs cannot be loaded: %s: %s (%s)",
			       strerror(-err), load_remedy(err), libbpf_log_text());
	for (int i = 0; i < MAP_COUNT; i++)
		dp->maps.fd[i] =
			bpf_object__find_map_fd_by_name(dp->skel->obj, map_name((enum map_id)i));
	dp->xdp_fd = bpf_program__fd(dp->skel->progs.spillway_xdp);
	dp->sweep_fd = bpf_program__fd(dp->skel->progs.spillway_sweep);
	return 0;
}

/* Maps that are not pinned yet; in a directory taken over, those a newer program has added. */
static int pin_maps(struct dataplane *dp, struct why why)
{
	char path[PATH_MAX];
	int err;

	dp->pinned_anew = !dp->taken_over;
	for (int i = 0; i < MAP_COUNT; i++) {
		map_path(dp, (enum map_id)i, path, sizeof(path));
		if (dp->taken_over && !access(path, F_OK))
			continue;
		(void)unlink(path);
		if (bpf_obj_pin(dp->maps.fd[i], path)) {
			err = -errno;
			return why_set(why, err, "%s: cannot be pinned: %s", path, strerror(-err));
		}
	}
	return 0;
}

/* The new program takes the old one's name by rename, so that the name is never missing. */
static int pin_program(struct dataplane *dp, const char *name, int fd, struct why why)
{
	char path[PATH_MAX], next[PATH_MAX];
	int err;

	(void)snprintf(path, sizeof(path), "%s/progs/%s", dp->bpffs, name);
	(void)snprintf(next, sizeof(next), "%s/progs/%s-next", dp->bpffs, name);
	(void)unlink(next);
	if (bpf_obj_pin(fd, next) || rename(next, path)) {
		err = -errno;
		return why_set(why, err, "%s: cannot be pinned: %s", path, strerror(-err));
	}
	return 0;
}

/*
 * The programs find each other by an array that is emptied when nothing in user space holds it. It is
 * pinned, under a name of its own, before packets go through them; that of the set before goes after.
 */
static int pin_stages(struct dataplane *dp, struct why why)
{
	const int fd = bpf_map__fd(dp->skel->maps.stages);
	char path[PATH_MAX];
	int err;

	(void)snprintf(dp->stages, sizeof(dp->stages), STAGES_PREFIX "%llu",
		       (unsigned long long)uv_hrtime());
	(void)snprintf(path, sizeof(path), "%s/progs/%s", dp->bpffs, dp->stages);
	if (!bpf_obj_pin(fd, path))
		return 0;
	err = -errno;
	return why_set(why, err, "%s: cannot be pinned: %s", path, strerror(-err));
}

static void unpin_other_stages(const struct dataplane *dp)
{
	char path[PATH_MAX];
	const struct dirent *e;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/progs", dp->bpffs);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (strncmp(e->d_name, STAGES_PREFIX, strlen(STAGES_PREFIX)) == 0 &&
		    strcmp(e->d_name, dp->stages) != 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d)
		(void)closedir(d);
}

int pin_programs(struct dataplane *dp, struct why why)
{
	int err;

	if (!dp->bpffs)
		return 0;
	err = pin_program(dp, "spillway_xdp", dp->xdp_fd, why);
	if (!err)
		err = pin_program(dp, "spillway_sweep", dp->sweep_fd, why);
	if (!err)
		unpin_other_stages(dp);
	return err;
}

/* Fills what a new set of maps must hold before packets come. */
static int fill_new(struct dataplane *dp, struct why why)
{
	uint32_t zero = 0;
	int err = bpf_map_update_elem(dp->maps.fd[MAP_META], &zero, &dp->meta, BPF_ANY);

	if (err)
		return why_set(why, err, "map meta cannot be written: %s", strerror(-err));
	if (getrandom(&dp->maps.config->flow_seed, sizeof(dp->maps.config->flow_seed), 0) < 0)
		return why_set(why, -errno, "no random number is to be had: %s", strerror(errno));
	dp->maps.config->settings[0] = dp->settings;
	dp->maps.config->settings[1] = dp->settings;
	return 0;
}

int load(struct dataplane *dp, struct why why)
{
	struct spw_meta pinned = {0};
	int err = 0;

	if (dp->bpffs) {
		err = bpffs_prepare(dp->bpffs, &dp->journal, why);
		if (!err)
			err = read_meta(dp, &pinned, why);
		if (err < 0)
			return err;
		dp->taken_over = err == 1;
	}
	if (dp->taken_over) {
		warn_sizes(&pinned, &dp->meta);
		dp->meta = pinned;
	}
	err = load_object(dp, why);
	if (err)
		return err;
	err = maps_mmap(&dp->maps, &dp->meta);
	if (err)
		return why_set(why, err, "the maps cannot be mapped into memory: %s",
			       strerror(-err));
	if (!dp->taken_over) {
		err = fill_new(dp, why);
		if (err)
			return err;
	}
	if (!dp->bpffs)
		return 0;
	err = pin_maps(dp, why);
	return err ? err : pin_stages(dp, why);
}
