/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel itself takes tags off later, so VLAN devices on the interface go on as before. */
#include "dataplane/offload.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "dataplane/ethtool.h"

static int get_rx_vlan(const char *interface, bool *on)
{
	uint32_t flags = 0;
	int err = ethtool_flags_get(interface, &flags);

	*on = flags & ETH_FLAG_RXVLAN;
	return err;
}

static int set_rx_vlan(const char *interface, bool on)
{
	uint32_t flags;
	int err = ethtool_flags_get(interface, &flags);

	if (err)
		return err;
	flags &= ~(uint32_t)ETH_FLAG_RXVLAN;
	return ethtool_flags_set(interface, flags | (on ? ETH_FLAG_RXVLAN : 0));
}

static const struct {
	enum change_kind kind;
	const char *name;
	int (*get)(const char *interface, bool *on);
	int (*set)(const char *interface, bool on);
} offloads[] = {
	[OFFLOAD_RX_VLAN] = {CHANGE_RX_VLAN, "rx-vlan-offload", get_rx_vlan, set_rx_vlan},
	[OFFLOAD_GRO] = {CHANGE_GRO, "generic-receive-offload", ethtool_gro_get, ethtool_gro_set},
};

const char *offload_name(enum offload o)
{
	return offloads[o].name;
}

/* A driver may keep a feature on without saying so. */
static int switch_to(enum offload o, const char *interface, bool on)
{
	bool now = on;
	int err = offloads[o].set(interface, on);

	if (!err)
		err = offloads[o].get(interface, &now);
	if (err)
		return err;
	return now == on ? 0 : -EOPNOTSUPP;
}

int offload_off(struct journal *j, enum offload o, const char *interface)
{
	const enum change_kind kind = offloads[o].kind;
	bool on = false;
	int err = offloads[o].get(interface, &on);

	if (err || !on)
		return err == -EOPNOTSUPP ? 0 : err;
	err = journal_note(j, kind, interface, "on", "off");
	if (err)
		return err;
	err = switch_to(o, interface, false);
	if (err)
		(void)journal_forget(j, kind, interface);
	else
		log_info("interface: %s: %s: on -> off", interface, offloads[o].name);
	return err;
}

/* `interface`: its name now. */
static void set_back(enum offload o, const char *interface)
{
	bool on = false;
	int err = offloads[o].get(interface, &on);

	if (err || on)
		return;
	err = switch_to(o, interface, true);
	if (err)
		log_warn("interface: %s: %s: cannot be switched on again: %s", interface,
			 offloads[o].name, strerror(-err));
}

void offload_set_back(struct journal *j, enum offload o, const char *interface, uint32_t ifindex)
{
	char name[IFNAMSIZ];
	int err;

	if (!journal_find(j, offloads[o].kind, interface))
		return;
	if (if_indextoname(ifindex, name))
		set_back(o, name);
	err = journal_forget(j, offloads[o].kind, interface);
	if (err)
		log_warn("interface: %s: %s: cannot be written: %s", interface, j->path,
			 strerror(-err));
}

bool offload_of(const struct change *c, enum offload *out)
{
	for (enum offload o = 0; o < OFFLOADS; o++) {
		if (offloads[o].kind == c->kind) {
			*out = o;
			return true;
		}
	}
	return false;
}

void offloads_undo(const struct journal *j)
{
	enum offload o;

	for (size_t i = j->count; i-- > 0;) {
		if (offload_of(&j->items[i], &o))
			set_back(o, j->items[i].name);
	}
}
