/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel itself takes tags off later, so VLAN devices on the interface go on as before. */
#include "dataplane/vlan_tags.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "dataplane/ethtool.h"

/* A driver may keep a feature on without saying so. */
static int switch_offload(const char *interface, uint32_t flags, uint32_t to)
{
	int err = ethtool_flags_set(interface, (flags & ~(uint32_t)ETH_FLAG_RXVLAN) | to);

	if (!err)
		err = ethtool_flags_get(interface, &flags);
	if (err)
		return err;
	return (flags & ETH_FLAG_RXVLAN) == to ? 0 : -EOPNOTSUPP;
}

int vlan_tags_keep(struct journal *j, const char *interface)
{
	uint32_t flags;
	int err = ethtool_flags_get(interface, &flags);

	if (err || !(flags & ETH_FLAG_RXVLAN))
		return err == -EOPNOTSUPP ? 0 : err;
	err = journal_note(j, CHANGE_RX_VLAN, interface, "on", "off");
	if (err)
		return err;
	err = switch_offload(interface, flags, 0);
	if (err)
		(void)journal_forget(j, CHANGE_RX_VLAN, interface);
	else
		log_info("interface: %s: rx-vlan-offload: on -> off", interface);
	return err;
}

/* `interface`: its name now. */
static void set_back(const char *interface)
{
	uint32_t flags;
	int err = ethtool_flags_get(interface, &flags);

	if (err || (flags & ETH_FLAG_RXVLAN))
		return;
	err = switch_offload(interface, flags, ETH_FLAG_RXVLAN);
	if (err)
		log_warn("interface: %s: rx-vlan-offload: cannot be switched on again: %s",
			 interface, strerror(-err));
}

void vlan_tags_set_back(struct journal *j, const char *interface, uint32_t ifindex)
{
	char name[IFNAMSIZ];
	int err;

	if (!journal_find(j, CHANGE_RX_VLAN, interface))
		return;
	if (if_indextoname(ifindex, name))
		set_back(name);
	err = journal_forget(j, CHANGE_RX_VLAN, interface);
	if (err)
		log_warn("interface: %s: %s: cannot be written: %s", interface, j->path,
			 strerror(-err));
}

void vlan_tags_undo(const struct journal *j)
{
	for (size_t i = j->count; i-- > 0;) {
		if (j->items[i].kind == CHANGE_RX_VLAN)
			set_back(j->items[i].name);
	}
}
