/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Can the interfaces transmit what is redirected to them? A driver in native mode hands frames to
 * the other driver's own function for that; where it is missing or switched off they are lost, and
 * only a tracepoint tells. In generic mode the kernel's ordinary way out is taken, which any driver
 * has: so only frames that come in natively matter.
 */
#include "dataplane/transmit.h"

#include <errno.h>

#include "base/log.h"
#include "dataplane/ethtool.h"
#include "dataplane/state.h"

#define MESSAGE_BYTES 32768

/* As enter_maps() marks it: frames turn round on their own interface by XDP_TX, but for veth. */
static bool is_redirected(const struct interface *from, const struct interface *to)
{
	return from->bpf_link >= 0 && from->native && (from != to || to->link.veth);
}

/* Frames of several buffers come in where the MTU is above a page and leave where it is too. */
static bool may_have_buffers(const struct interface *from, const struct interface *to)
{
	return from->link.mtu > MTU_ONE_PAGE && to->link.mtu > MTU_ONE_PAGE;
}

enum lack { LACKS_NOTHING, LACKS_XMIT, LACKS_XMIT_SG };

static enum lack find_lack(const struct dataplane *dp, const struct interface *to)
{
	enum lack lack = LACKS_NOTHING;

	for (size_t i = 0; i < dp->interface_count && to->bpf_link >= 0; i++) {
		const struct interface *from = &dp->interfaces[i];

		if (!is_redirected(from, to))
			continue;
		if (!to->driver.xdp_xmit)
			return LACKS_XMIT;
		if (!to->driver.xdp_xmit_sg && may_have_buffers(from, to))
			lack = LACKS_XMIT_SG;
	}
	return lack;
}

/* The kernel clears the bit of veth for want of GRO; other drivers never get it. */
static const char *remedy(struct arena *a, const struct interface *i, enum lack lack)
{
	if (lack == LACKS_XMIT_SG)
		return arena_printf(a, "`ip link set dev %s mtu %d`", i->link.name, MTU_ONE_PAGE);
	if (i->link.veth)
		return "switch GRO on at its peer: `ethtool -K PEER gro on`";
	return "use a network card whose driver can, or --xdp-mode generic (slower)";
}

static const char *cause(struct arena *a, const struct interface *i, enum lack lack)
{
	const char *driver = i->driver.name[0] ? i->driver.name : "unknown";

	if (lack == LACKS_XMIT_SG)
		return arena_printf(a,
				    "its driver (%s) cannot transmit frames of more than one page "
				    "that another interface redirects to it, and its MTU is %u",
				    driver, i->link.mtu);
	return arena_printf(a,
			    "its driver (%s) cannot transmit frames that another interface "
			    "redirects to it%s",
			    driver, i->link.veth ? " while its peer has GRO off" : "");
}

const char *transmit_problem(const struct dataplane *dp, struct arena *a, const struct interface *i)
{
	enum lack lack = find_lack(dp, i);

	if (lack == LACKS_NOTHING)
		return NULL;
	return arena_printf(a, "%s: %s", cause(a, i, lack), remedy(a, i, lack));
}

const char *transmit_endpoint_problem(const struct dataplane *dp, struct arena *a,
				      const struct interface *i)
{
	enum lack lack = find_lack(dp, i);

	if (lack != LACKS_XMIT)
		return NULL;
	return arena_printf(a,
			    "its packets would leave by %s, whose driver (%s) cannot transmit what "
			    "is redirected to it: %s",
			    i->link.name, i->driver.name[0] ? i->driver.name : "unknown",
			    remedy(a, i, lack));
}

static void read_driver(struct dataplane *dp, struct interface *i)
{
	struct netdev_features f;
	int err = netdev_features(&dp->transmit.netdev, i->link.ifindex, &f);

	i->driver.xdp_xmit = err || f.xdp_xmit;
	i->driver.xdp_xmit_sg = err || f.xdp_xmit_sg;
	if (ethtool_driver(i->link.name, i->driver.name, sizeof(i->driver.name)))
		i->driver.name[0] = '\0';
}

static void say(const struct dataplane *dp, struct interface *i)
{
	AUTO(arena_free) struct arena *a = arena_new();
	const char *problem = a ? transmit_problem(dp, a, i) : NULL;

	if (problem && !i->driver.said_lack)
		log_warn("interface: %s: %s", i->link.name, problem);
	if (!problem && i->driver.said_lack && i->bpf_link >= 0)
		log_info("interface: %s: transmits frames that are redirected to it now",
			 i->link.name);
	i->driver.said_lack = problem;
}

void transmit_refresh(struct dataplane *dp)
{
	for (size_t i = 0; i < dp->interface_count; i++) {
		if (dp->interfaces[i].bpf_link >= 0)
			read_driver(dp, &dp->interfaces[i]);
	}
	for (size_t i = 0; i < dp->interface_count; i++)
		say(dp, &dp->interfaces[i]);
}

static int on_message(const struct nlmsghdr *m, void *ctx)
{
	struct dataplane *dp = ctx;
	struct netdev_features f;

	netdev_read(m, &f);
	dp->transmit.changed = dp->transmit.changed || interface_by_index(dp, f.ifindex);
	return MNL_CB_OK;
}

/* Many messages are one refresh; lost ones may have been about any interface. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct dataplane *dp = poll->data;
	char buf[MESSAGE_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t len = 1;

	(void)status;
	(void)events;
	for (int i = 0; i < 64 && len > 0; i++) {
		len = mnl_socket_recvfrom(dp->transmit.netdev.watch, buf, sizeof(buf));
		if (len > 0)
			(void)mnl_cb_run(buf, (size_t)len, 0, 0, on_message, dp);
		else if (len < 0 && errno == ENOBUFS)
			dp->transmit.changed = true;
	}
	if (dp->transmit.changed)
		transmit_refresh(dp);
	dp->transmit.changed = false;
}

int transmit_open(struct dataplane *dp)
{
	int err = netdev_open(&dp->transmit.netdev);

	if (err == -ENOENT) {
		log_debug("transmit: this kernel does not tell what drivers can: all are taken to "
			  "transmit redirected frames");
		return 0;
	}
	if (err)
		return err;
	err = uv_poll_init(dp->loop, &dp->transmit.poll,
			   mnl_socket_get_fd(dp->transmit.netdev.watch));
	if (err)
		return err;
	handle_opened(dp, &dp->transmit.poll);
	return uv_poll_start(&dp->transmit.poll, UV_READABLE, on_readable);
}
