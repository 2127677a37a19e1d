/* SPDX-License-Identifier: BSD-2-Clause */
/* libbpf 1.1's bpf_program__attach_xdp() takes no mode, so links are made by hand. */
#include "dataplane/xdp_link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"

void xdp_link_path(const char *bpffs, const char *interface, char *path, size_t size)
{
	size_t dir;

	(void)snprintf(path, size, "%s/links/%s", bpffs, interface);
	/* bpffs refuses dots (eth0.100); a colon is in no interface's name. */
	dir = strlen(bpffs) + strlen("/links/");
	for (char *p = path + (dir < size ? dir : size - 1); *p; p++) {
		if (*p == '.')
			*p = ':';
	}
}

int link_unpin(const char *path)
{
	AUTO(fd_close) int fd = bpf_obj_get(path);

	if (fd >= 0)
		(void)bpf_link_detach(fd);
	return unlink(path) ? -errno : 0;
}

uint32_t xdp_link_ifindex(int fd)
{
	struct bpf_link_info info = {0};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.type != BPF_LINK_TYPE_XDP)
		return 0;
	return info.xdp.ifindex;
}

bool xdp_link_is_native(uint32_t ifindex)
{
	struct bpf_xdp_query_opts q = {.sz = sizeof(q)};

	return !bpf_xdp_query((int)ifindex, 0, &q) && q.attach_mode != XDP_ATTACHED_SKB;
}

int xdp_link_create(int program, uint32_t ifindex, uint32_t flags)
{
	struct bpf_link_create_opts opts = {.sz = sizeof(opts), .flags = flags};
	int fd = bpf_link_create(program, (int)ifindex, BPF_XDP, &opts);

	return fd < 0 ? -errno : fd;
}
