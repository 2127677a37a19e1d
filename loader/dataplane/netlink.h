/* SPDX-License-Identifier: BSD-2-Clause */
/* rtnetlink and generic netlink over libmnl: one request at a time, answered before the call returns. */
#ifndef SPILLWAY_DATAPLANE_NETLINK_H
#define SPILLWAY_DATAPLANE_NETLINK_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <spillway/abi.h>
#include <stdbool.h>
#include <stdint.h>

/* Marks routes, addresses and neighbours as ours; unused in iproute2's rt_protos. */
#define NETLINK_OURS 155

struct netlink {
	struct mnl_socket *socket;
	uint32_t sequence;
};

/* A message under construction. */
struct netlink_message {
	char bytes[512] __attribute__((aligned(NLMSG_ALIGNTO)));
};

int netlink_open(struct netlink *nl); /* rtnetlink */
int netlink_open_generic(struct netlink *nl);
void netlink_close(struct netlink *nl);

/* The header of a request; `flags` besides NLM_F_REQUEST and NLM_F_ACK. */
struct nlmsghdr *netlink_start(struct netlink_message *m, uint16_t type, uint16_t flags);

/* Sends it and calls fn (may be NULL) for each message of the answer. 0 or a negative errno. */
int netlink_do(struct netlink *nl, struct nlmsghdr *m, mnl_cb_t fn, void *ctx);

/* Attributes by type, up to `max`; absent ones are NULL. `offset`: size of the family's header. */
void netlink_attributes(const struct nlmsghdr *m, size_t offset, const struct nlattr **table,
			uint16_t max);

/* The same of the attributes within one; NULL has none. */
void netlink_nested(const struct nlattr *outer, const struct nlattr **table, uint16_t max);

/* Is there an attribute, and is it this text, all of it? */
bool netlink_has_text(const struct nlattr *attr, const char *text);

/* Addresses in attributes: 4 or 16 bytes. */
int netlink_family(const struct spw_addr *addr);
void netlink_put_addr(struct nlmsghdr *m, uint16_t type, const struct spw_addr *addr);
bool netlink_get_addr(const struct nlattr *attr, struct spw_addr *out);

#endif
