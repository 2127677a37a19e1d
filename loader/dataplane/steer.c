/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program that gives connections of the userspace path to listening sockets: loaded against the
 * maps of the packet path, and attached to the network namespace that this process is in. Its link is
 * pinned beside those of the interfaces, so it goes on while the daemon is away, and a new program
 * takes its place without a gap. The sockets belong to whoever made them; the map forgets one that is
 * closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/log.h"
#include "dataplane/constants.h"
#include "dataplane/state.h"
#include "steer.skel.h"

#define NETNS "/proc/self/ns/net"

/* The maps of the packet path, by their names; scratch of its stages is not needed here. */
static int share_maps(struct dataplane *dp)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, dp->steer.skel->obj)
	{
		if (!bpf_map__is_internal(map))
			(void)bpf_map__set_autocreate(map, false);
	}
	for (int i = 0; i < MAP_COUNT && !err; i++) {
		map = bpf_object__find_map_by_name(dp->steer.skel->obj, map_name((enum map_id)i));
		if (!map)
			continue;
		(void)bpf_map__set_autocreate(map, true);
		err = bpf_map__reuse_fd(map, dp->maps.fd[i]);
	}
	return err;
}

static int load_steer(struct dataplane *dp, struct why why)
{
	int err;

	libbpf_log_clear();
	dp->steer.skel = steer_bpf__open();
	err = dp->steer.skel ? share_maps(dp) : -errno;
	if (!err) {
		CONSTANTS_SET(dp->steer.skel->rodata, &dp->meta);
		err = steer_bpf__load(dp->steer.skel);
	}
	if (err)
		return why_set(why, err,
			       "the BPF program of the userspace path cannot be loaded: %s (%s)",
			       strerror(-err), libbpf_log_text());
	return 0;
}

void steer_pin_path(const struct dataplane *dp, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/links/%s", dp->bpffs, STEER_PIN);
}

static bool is_of_here(int fd)
{
	struct bpf_link_info info = {0};
	uint32_t len = sizeof(info);
	struct stat here;

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == BPF_LINK_TYPE_NETNS &&
	       !stat(NETNS, &here) && info.netns.netns_ino == here.st_ino;
}

/* The pinned link with our program in it, or a negative errno when there is none to use. */
static int attach_pinned(const char *path, int prog_fd)
{
	AUTO(fd_close) int fd = bpf_obj_get(path);
	int err;

	if (fd < 0)
		return -errno;
	if (!is_of_here(fd)) {
		log_info("steer: %s: is of another network namespace: link removed", path);
		return -ENODEV;
	}
	err = bpf_link_update(fd, prog_fd, NULL);
	if (err) {
		log_warn("steer: the pinned link cannot be updated: %s: attached anew",
			 strerror(-err));
		return err;
	}
	return fd_take(&fd);
}

static int attach_new(int prog_fd)
{
	AUTO(fd_close) int netns = open(NETNS, O_RDONLY | O_CLOEXEC);
	int fd;

	if (netns < 0)
		return -errno;
	fd = bpf_link_create(prog_fd, netns, BPF_SK_LOOKUP, NULL);
	return fd < 0 ? -errno : fd;
}

static int attach_steer(struct dataplane *dp, struct why why)
{
	int prog_fd = bpf_program__fd(dp->steer.skel->progs.spillway_steer), err;
	AUTO(fd_close) int fd = -1;
	char path[PATH_MAX];

	if (dp->bpffs) {
		steer_pin_path(dp, path, sizeof(path));
		fd = attach_pinned(path, prog_fd);
		if (fd >= 0) {
			dp->steer.link = fd_take(&fd);
			return 0;
		}
		(void)link_unpin(path);
	}
	fd = attach_new(prog_fd);
	if (fd < 0)
		return why_set(
			why, fd,
			"the BPF program of the userspace path cannot be attached to the network "
			"namespace: %s",
			strerror(-fd));
	if (dp->bpffs && bpf_obj_pin(fd, path)) {
		err = -errno;
		return why_set(why, err, "%s: cannot be pinned: %s", path, strerror(-err));
	}
	dp->steer.link = fd_take(&fd);
	return 0;
}

int steer_open(struct dataplane *dp, struct why why)
{
	int err = load_steer(dp, why);

	return err ? err : attach_steer(dp, why);
}

void steer_close(struct dataplane *dp)
{
	fd_close(dp->steer.link);
	dp->steer.link = -1;
	steer_bpf__destroy(dp->steer.skel);
	dp->steer.skel = NULL;
}

static uint32_t key_of(uint32_t endpoint_id, enum spw_steer_family family)
{
	return endpoint_id * SPW_STEER_FAMILIES + (uint32_t)family;
}

static int put_socket(struct dataplane *dp, uint32_t key, int socket)
{
	uint64_t value = (uint64_t)socket;

	if (socket < 0)
		return bpf_map_delete_elem(dp->maps.fd[MAP_STEER_SOCKETS], &key) &&
				       errno != ENOENT && errno != EINVAL
			       ? -errno
			       : 0;
	return bpf_map_update_elem(dp->maps.fd[MAP_STEER_SOCKETS], &key, &value, BPF_ANY) ? -errno
											  : 0;
}

int dataplane_steer_set(struct dataplane *dp, uint32_t endpoint_id, int socket_v4, int socket_v6)
{
	int err;

	if (endpoint_id == SPW_ENDPOINT_NONE || endpoint_id >= dp->meta.max_endpoints)
		return -ERANGE;
	err = put_socket(dp, key_of(endpoint_id, SPW_STEER_IPV4), socket_v4);
	return err ? err : put_socket(dp, key_of(endpoint_id, SPW_STEER_IPV6), socket_v6);
}

void dataplane_steer_clear(struct dataplane *dp, uint32_t endpoint_id)
{
	if (endpoint_id < dp->meta.max_endpoints)
		(void)dataplane_steer_set(dp, endpoint_id, -1, -1);
}
