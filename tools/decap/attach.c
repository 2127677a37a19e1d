/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pinned XDP links. A link that is there gets the new program, so that no packet is missed; one
 * whose interface has gone, or that is in another mode than asked for, is made anew.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "dataplane/foreign.h"
#include "dataplane/xdp_link.h"
#include "decap.skel.h"
#include "decap/decap.h"

static bool mode_fits(enum xdp_mode mode, bool native)
{
	return mode == XDP_MODE_AUTO || (mode == XDP_MODE_NATIVE) == native;
}

/* The descriptor of the pinned link with our program in it; -1: there is none to use. */
static int update_pinned(const struct decap *d, const struct link_info *link, const char *path)
{
	AUTO(fd_close) int fd = bpf_obj_get(path);
	int program = bpf_program__fd(d->skel->progs.spillway_decap);

	if (fd < 0 || xdp_link_ifindex(fd) != link->ifindex ||
	    !mode_fits(d->options->xdp_mode, xdp_link_is_native(link->ifindex)))
		return -1;
	return bpf_link_update(fd, program, NULL) ? -1 : fd_take(&fd);
}

/* Its descriptor, or a negative errno. */
static int create(const struct decap *d, const struct link_info *link, struct why why)
{
	int program = bpf_program__fd(d->skel->progs.spillway_decap);
	int fd = foreign_check(link->name, link->ifindex, why);

	if (fd)
		return fd;
	fd = -EOPNOTSUPP;
	if (d->options->xdp_mode != XDP_MODE_GENERIC)
		fd = xdp_link_create(program, link->ifindex, XDP_FLAGS_DRV_MODE);
	if (fd >= 0)
		return fd;
	if (d->options->xdp_mode == XDP_MODE_NATIVE)
		return why_set(why, fd, "%s: native XDP is refused: %s: use --xdp-mode generic",
			       link->name, strerror(-fd));
	if (d->options->xdp_mode == XDP_MODE_AUTO)
		log_warn("attach: %s: native XDP is refused (%s): generic, which is slower",
			 link->name, strerror(-fd));
	fd = xdp_link_create(program, link->ifindex, XDP_FLAGS_SKB_MODE);
	if (fd < 0)
		return why_set(why, fd, "%s: XDP cannot be attached: %s", link->name,
			       strerror(-fd));
	return fd;
}

int attach_interface(struct decap *d, struct decap_interface *i, const struct link_info *link,
		     struct why why)
{
	AUTO(fd_close) int fd = -1;
	char path[PATH_MAX];
	int err;

	xdp_link_path(d->options->bpffs, link->name, path, sizeof(path));
	fd = update_pinned(d, link, path);
	if (fd < 0) {
		if (!link_unpin(path))
			log_warn("attach: %s: the pinned link does not serve any more: attached "
				 "anew, packets pass untouched for a moment",
				 link->name);
		fd = create(d, link, why);
		if (fd < 0)
			return fd;
		if (bpf_obj_pin(fd, path)) {
			err = -errno;
			return why_set(why, err, "%s: cannot be pinned: %s", path, strerror(-err));
		}
	}
	log_info("attach: %s: %s", link->name,
		 xdp_link_is_native(link->ifindex) ? "native" : "generic");
	fd_close(i->link);
	i->link = fd_take(&fd);
	i->ifindex = link->ifindex;
	return 0;
}

static bool is_named(const struct decap *d, const char *pin)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < d->options->interface_count; i++) {
		xdp_link_path(d->options->bpffs, d->options->interfaces[i], path, sizeof(path));
		if (!strcmp(path, pin))
			return true;
	}
	return false;
}

/* d: NULL for all. */
static void remove_links(const char *bpffs, const struct decap *d)
{
	char dir[PATH_MAX], path[PATH_MAX];
	const struct dirent *e;
	DIR *list;

	(void)snprintf(dir, sizeof(dir), "%s/links", bpffs);
	list = opendir(dir);
	while (list && (e = readdir(list))) {
		if (e->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >= (int)sizeof(path) ||
		    (d && is_named(d, path)))
			continue;
		(void)link_unpin(path);
		log_info("attach: %s: taken off", e->d_name);
	}
	if (list)
		(void)closedir(list);
}

void attach_remove_others(const struct decap *d)
{
	remove_links(d->options->bpffs, d);
}

void attach_remove_all(const char *bpffs)
{
	remove_links(bpffs, NULL);
}
