/* SPDX-License-Identifier: BSD-2-Clause */
/* What is read from the kernel's messages about interfaces: hand-made ones, no device needed. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/links.h"

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 7};

static struct nlmsghdr *start(struct netlink_message *m, const char *name)
{
	struct nlmsghdr *h = netlink_start(m, RTM_NEWLINK, 0);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));

	i->ifi_index = 9;
	i->ifi_type = ARPHRD_ETHER;
	i->ifi_flags = IFF_UP | IFF_RUNNING;
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put_u32(h, IFLA_MTU, 1400);
	mnl_attr_put(h, IFLA_ADDRESS, sizeof(mac), mac);
	return h;
}

static struct link_info of_kind(const char *kind)
{
	struct netlink_message m;
	struct nlmsghdr *h = start(&m, "x0");
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	struct link_info link;

	mnl_attr_put_strz(h, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(h, info);
	link_read(h, &link);
	return link;
}

struct vlan {
	uint16_t id, protocol;	 /* protocol 0: the kernel does not tell */
	uint32_t parent;	 /* 0: none */
	bool in_other_namespace; /* the parent */
};

static struct link_info of_vlan(const struct vlan *v)
{
	struct netlink_message m;
	struct nlmsghdr *h = start(&m, "x0.100");
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO), *data;
	struct link_info link;

	mnl_attr_put_strz(h, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u16(h, IFLA_VLAN_ID, v->id);
	if (v->protocol)
		mnl_attr_put_u16(h, IFLA_VLAN_PROTOCOL, htons(v->protocol));
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	if (v->parent)
		mnl_attr_put_u32(h, IFLA_LINK, v->parent);
	if (v->in_other_namespace)
		mnl_attr_put_u32(h, IFLA_LINK_NETNSID, 0);
	link_read(h, &link);
	return link;
}

static void the_plain_facts_of_an_interface_are_read(void **state)
{
	struct netlink_message m;
	struct nlmsghdr *h = start(&m, "eth0");
	struct link_info link;

	(void)state;
	link_read(h, &link);
	assert_string_equal(link.name, "eth0");
	assert_int_equal(link.ifindex, 9);
	assert_int_equal(link.mtu, 1400);
	assert_memory_equal(link.mac, mac, 6);
	assert_true(link.up && link.ethernet);
	assert_false(link.veth || link.loopback || link.partial_csum);
	assert_int_equal(link.vlan_parent_ifindex, 0);
	assert_int_equal(link.vlan_id, 0);
}

static void kinds_whose_senders_leave_checksums_partial_are_known(void **state)
{
	(void)state;
	assert_true(of_kind("veth").veth);
	assert_true(of_kind("veth").partial_csum);
	assert_true(of_kind("tun").partial_csum);
	assert_false(of_kind("tun").veth);
	assert_false(of_kind("bridge").partial_csum);
	assert_false(of_kind("vethx").veth);
	assert_false(of_kind("vet").veth);
	assert_false(of_kind("").veth);
}

static void a_device_on_the_virtio_bus_may_bring_partial_checksums(void **state)
{
	static const struct {
		const char *bus;
		bool partial;
	} rows[] = {{"virtio", true}, {"pci", false}, {"virtio2", false}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct netlink_message m;
		struct nlmsghdr *h = start(&m, "eth0");
		struct link_info link;

		mnl_attr_put_strz(h, IFLA_PARENT_DEV_BUS_NAME, rows[i].bus);
		link_read(h, &link);
		assert_int_equal(link.partial_csum, rows[i].partial);
	}
}

static void a_vlan_device_names_its_parent_and_number(void **state)
{
	static const struct vlan named = {.id = 100, .protocol = ETH_P_8021Q, .parent = 4};
	static const struct vlan old_kernel = {.id = 4094, .parent = 5};
	struct link_info link = of_vlan(&named);

	(void)state;
	assert_int_equal(link.vlan_parent_ifindex, 4);
	assert_int_equal(link.vlan_id, 100);
	assert_false(link.veth || link.partial_csum);
	link = of_vlan(&old_kernel);
	assert_int_equal(link.vlan_parent_ifindex, 5);
	assert_int_equal(link.vlan_id, 4094);
}

static void a_vlan_that_is_not_ours_to_tag_is_none(void **state)
{
	static const struct vlan rows[] = {
		{.id = 100, .protocol = ETH_P_8021AD, .parent = 4},
		{.id = 100, .protocol = ETH_P_8021Q, .parent = 4, .in_other_namespace = true},
		{.id = 100, .protocol = ETH_P_8021Q},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct link_info link = of_vlan(&rows[i]);

		assert_int_equal(link.vlan_parent_ifindex, 0);
		assert_int_equal(link.vlan_id, 0);
	}
}

static void a_parent_alone_makes_no_vlan(void **state)
{
	struct netlink_message m;
	struct nlmsghdr *h = start(&m, "x0");
	struct link_info link;

	(void)state;
	mnl_attr_put_u32(h, IFLA_LINK, 4); /* veth has one too: its peer */
	link_read(h, &link);
	assert_int_equal(link.vlan_parent_ifindex, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plain_facts_of_an_interface_are_read),
		cmocka_unit_test(kinds_whose_senders_leave_checksums_partial_are_known),
		cmocka_unit_test(a_device_on_the_virtio_bus_may_bring_partial_checksums),
		cmocka_unit_test(a_vlan_device_names_its_parent_and_number),
		cmocka_unit_test(a_vlan_that_is_not_ours_to_tag_is_none),
		cmocka_unit_test(a_parent_alone_makes_no_vlan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
