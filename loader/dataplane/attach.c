/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One interface's XDP link. A pinned link gets the new program by bpf_link_update(): no packet is
 * missed. A link whose interface has gone stays in its pin with interface index 0; it is removed.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/log.h"
#include "dataplane/foreign.h"
#include "dataplane/native.h"
#include "dataplane/state.h"

void link_pin_path(const struct dataplane *dp, const char *interface, char *path, size_t size)
{
	xdp_link_path(dp->bpffs, interface, path, size);
}

/* Returns the link's descriptor. */
static int attach_new(struct dataplane *dp, struct interface *i, struct why why)
{
	int fd = foreign_check(i->link.name, i->link.ifindex, why);

	if (fd)
		return fd;
	if (dp->xdp_mode != XDP_MODE_GENERIC) {
		fd = xdp_link_create(dp->xdp_fd, i->link.ifindex, XDP_FLAGS_DRV_MODE);
		i->native = fd >= 0;
		if (fd >= 0)
			return fd;
		if (dp->xdp_mode == XDP_MODE_NATIVE)
			return native_refuse(i, fd, why);
	}
	native_note_generic(i, dp->xdp_mode, fd);
	fd = xdp_link_create(dp->xdp_fd, i->link.ifindex, XDP_FLAGS_SKB_MODE);
	i->native = false;
	if (fd < 0)
		return why_set(why, fd, "%s: XDP cannot be attached: %s", i->link.name,
			       strerror(-fd));
	return fd;
}

static bool mode_fits(enum xdp_mode mode, bool native)
{
	return mode == XDP_MODE_AUTO || (mode == XDP_MODE_NATIVE) == native;
}

/* The pinned link with our program in it, or a negative errno when there is none to use. */
static int attach_pinned(struct dataplane *dp, struct interface *i, const char *path)
{
	AUTO(fd_close) int fd = bpf_obj_get(path);
	bool native;
	int err;

	if (fd < 0)
		return -errno;
	if (xdp_link_ifindex(fd) != i->link.ifindex) {
		log_info("attach: %s: the interface of its pinned link is gone: link removed",
			 i->link.name);
		return -ENODEV;
	}
	native = xdp_link_is_native(i->link.ifindex);
	if (!mode_fits(dp->xdp_mode, native)) {
		log_warn("attach: %s: attached in %s mode: attached anew, packets pass untouched "
			 "for a moment",
			 i->link.name, native ? "native" : "generic");
		return -EINVAL;
	}
	err = bpf_link_update(fd, dp->xdp_fd, NULL);
	if (err) {
		log_warn("attach: %s: the pinned link cannot be updated: %s", i->link.name,
			 strerror(-err));
		return err;
	}
	i->native = native;
	if (!native)
		native_note_generic(i, dp->xdp_mode, 0);
	return fd_take(&fd);
}

static uint32_t pinned_ifindex(const char *path)
{
	AUTO(fd_close) int fd = bpf_obj_get(path);

	return fd < 0 ? 0 : xdp_link_ifindex(fd);
}

/* The pin of the link that is on this interface; false when there is none. */
static bool find_pin(const struct dataplane *dp, uint32_t ifindex, char *path, size_t size)
{
	char dir[PATH_MAX];
	const struct dirent *e;
	bool found = false;
	DIR *d;

	(void)snprintf(dir, sizeof(dir), "%s/links", dp->bpffs);
	d = opendir(dir);
	while (d && !found && (e = readdir(d))) {
		if (e->d_name[0] != '.' &&
		    snprintf(path, size, "%s/%s", dir, e->d_name) < (int)size)
			found = pinned_ifindex(path) == ifindex;
	}
	if (d)
		(void)closedir(d);
	return found;
}

/*
 * Interfaces may have swapped names: then the links follow, by their pins' names, and no packet is
 * missed. What stands in the way is put aside under a name too long for an interface.
 */
static void rename_pin(const struct dataplane *dp, const struct interface *i, const char *path)
{
	char found[PATH_MAX], aside[PATH_MAX];
	uint32_t holder = pinned_ifindex(path);

	if (holder == i->link.ifindex || !find_pin(dp, i->link.ifindex, found, sizeof(found)))
		return;
	if (holder &&
	    snprintf(aside, sizeof(aside), "%s-of-another-interface", path) < (int)sizeof(aside))
		(void)rename(path, aside);
	else
		(void)link_unpin(path);
	if (!rename(found, path))
		log_info("attach: %s: the interface had another name: its link is kept",
			 i->link.name);
}

int attach(struct dataplane *dp, struct interface *i, struct why why)
{
	AUTO(fd_close) int fd = -1;
	char path[PATH_MAX];
	int err;

	if (dp->bpffs) {
		link_pin_path(dp, i->link.name, path, sizeof(path));
		rename_pin(dp, i, path);
		fd = attach_pinned(dp, i, path);
		if (fd >= 0) {
			i->bpf_link = fd_take(&fd);
			return 0;
		}
		(void)link_unpin(path);
	}
	fd = attach_new(dp, i, why);
	if (fd < 0)
		return fd;
	if (dp->bpffs && bpf_obj_pin(fd, path)) {
		err = -errno;
		return why_set(why, err, "%s: cannot be pinned: %s", path, strerror(-err));
	}
	i->bpf_link = fd_take(&fd);
	return 0;
}
