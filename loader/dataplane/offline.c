/* SPDX-License-Identifier: BSD-2-Clause */
/* The operator's word without a daemon: written into the pinned maps. */
#include <errno.h>

#include "dataplane/dataplane.h"

int dataplane_offline_set_admin(struct arena *a, const char *bpffs, const struct spw_addr *addr,
				uint16_t port, enum spw_admin admin,
				void (*was)(void *ctx, const struct spw_addr *addr, uint16_t port,
					    enum spw_admin before),
				void *ctx, const char **why)
{
	(void)addr;
	(void)port;
	(void)admin;
	(void)was;
	(void)ctx;
	*why = arena_printf(a, "%s: not supported yet", bpffs);
	return -ENOTCONN;
}
