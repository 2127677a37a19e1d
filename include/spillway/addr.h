/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The one form of IP addresses, see abi.h. */
#ifndef SPILLWAY_ADDR_H
#define SPILLWAY_ADDR_H

#include <linux/types.h>

/* An IPv4 address is kept IPv4-mapped (::ffff:a.b.c.d), so that one key serves both families. */
struct spw_addr {
	union {
		__u8 b[16];
		__be32 w[4];
	};
};

_Static_assert(sizeof(struct spw_addr) == 16, "abi");

#endif
