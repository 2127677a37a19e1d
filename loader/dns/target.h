/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a client may not have the gateway connect to, when the client chooses the name: the host
 * itself and its links always, private networks unless they are allowed. One table, as a question
 * and as texts for who must ask elsewhere. Thread-safe.
 */
#ifndef SPILLWAY_DNS_TARGET_H
#define SPILLWAY_DNS_TARGET_H

#include <spillway/abi.h>
#include <stdbool.h>
#include <stddef.h>

enum target_class {
	TARGET_NEVER,	/* loopback, link-local, unspecified, multicast, reserved, site-local */
	TARGET_PRIVATE, /* RFC 1918, RFC 6598, unique local */
};

struct target_rules {
	bool allow_private;
	const struct spw_addr *extra; /* refused, too: the VIPs, so that nothing goes in circles */
	size_t extra_count;
};

/* Also an address that has a refused IPv4 address in it: compatible, NAT64, 6to4. */
bool target_is_refused(const struct spw_addr *a, const struct target_rules *rules);

/* "127.0.0.0/8", "::ffff:127.0.0.0/104", ...; NULL ends them. Static storage. */
const char *const *target_refused_cidrs(enum target_class class);

#endif
