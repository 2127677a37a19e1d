/* SPDX-License-Identifier: BSD-2-Clause */
/* What is read from the netdev family's messages; hand-made, as some kernels lack the family. */
#include <linux/genetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/netdev.h"

static struct nlmsghdr *start(struct netlink_message *m, uint16_t type)
{
	struct nlmsghdr *h = netlink_start(m, type, 0);

	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct genlmsghdr));
	return h;
}

/* Attributes by number, as the kernel's header has them: 1 ifindex, 3 XDP features. */
static struct netdev_features of_features(uint64_t bits)
{
	struct netlink_message m;
	struct nlmsghdr *h = start(&m, 20);
	struct netdev_features f;

	mnl_attr_put_u32(h, 1, 7);
	mnl_attr_put_u64(h, 3, bits);
	mnl_attr_put_u32(h, 4, 1); /* a later kernel's */
	netdev_read(h, &f);
	assert_int_equal(f.ifindex, 7);
	return f;
}

static void the_bits_of_transmission_are_read(void **state)
{
	(void)state;
	assert_true(of_features(0x77).xdp_xmit && of_features(0x77).xdp_xmit_sg);
	assert_true(of_features(0x07).xdp_xmit && !of_features(0x07).xdp_xmit_sg);
	assert_false(of_features(0x23).xdp_xmit || of_features(0x23).xdp_xmit_sg);
	assert_false(of_features(0).xdp_xmit);
	assert_true(of_features(UINT64_MAX).xdp_xmit_sg);
}

static void a_message_without_features_can_nothing(void **state)
{
	struct netlink_message m;
	struct nlmsghdr *h = start(&m, 20);
	struct netdev_features f;

	(void)state;
	netdev_read(h, &f);
	assert_int_equal(f.ifindex, 0);
	assert_false(f.xdp_xmit || f.xdp_xmit_sg);
}

static void put_group(struct nlmsghdr *h, const char *name, uint32_t id)
{
	struct nlattr *group = mnl_attr_nest_start(h, (uint16_t)id);

	mnl_attr_put_u32(h, CTRL_ATTR_MCAST_GRP_ID, id);
	mnl_attr_put_strz(h, CTRL_ATTR_MCAST_GRP_NAME, name);
	mnl_attr_nest_end(h, group);
}

static void the_family_is_found_with_its_group_of_changes(void **state)
{
	struct netlink_message m;
	struct nlmsghdr *h = start(&m, GENL_ID_CTRL);
	struct nlattr *groups;
	uint16_t family;
	uint32_t group;

	(void)state;
	mnl_attr_put_u16(h, CTRL_ATTR_FAMILY_ID, 33);
	groups = mnl_attr_nest_start(h, CTRL_ATTR_MCAST_GROUPS);
	put_group(h, "page-pool", 11);
	put_group(h, "mgmt", 12);
	mnl_attr_nest_end(h, groups);
	netdev_read_family(h, &family, &group);
	assert_int_equal(family, 33);
	assert_int_equal(group, 12);
}

static void a_family_without_that_group_has_none(void **state)
{
	struct netlink_message m;
	struct nlmsghdr *h = start(&m, GENL_ID_CTRL);
	uint16_t family = 1;
	uint32_t group = 1;

	(void)state;
	netdev_read_family(h, &family, &group);
	assert_int_equal(family, 0);
	assert_int_equal(group, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bits_of_transmission_are_read),
		cmocka_unit_test(a_message_without_features_can_nothing),
		cmocka_unit_test(the_family_is_found_with_its_group_of_changes),
		cmocka_unit_test(a_family_without_that_group_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
