/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A filter on the way out (clsact, since tcx needs Linux 6.6) lowers the MSS of VIPs' SYN-ACKs. A
 * route's advmss would have to be kept on every route back to clients, and would be lost with it. The
 * filter stays in the kernel by itself, and is replaced in place.
 */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <net/if.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "decap.skel.h"
#include "decap/decap.h"

/* Of our filter: nobody's by accident, and last, when others have decided. */
#define HANDLE	 0x5350
#define PRIORITY 0x5350

#define OUTER_MAX  48 /* IPv6 and UDP, the largest header that gateways put in front */
#define HEADERS_V4 40 /* IP and TCP, which the MSS does not count */
#define HEADERS_V6 60
#define MTU_MIN	   576 /* below it the arithmetic leads nowhere */

static bool is_ours(uint32_t id)
{
	AUTO(fd_close) int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) &&
	       !strcmp(info.name, "spillway_mss");
}

/* 1: our filter is there; 0: none is; -EEXIST: another one has its place. */
static int find_filter(uint32_t ifindex)
{
	struct bpf_tc_hook hook = {
		.sz = sizeof(hook), .ifindex = (int)ifindex, .attach_point = BPF_TC_EGRESS};
	struct bpf_tc_opts opts = {.sz = sizeof(opts), .handle = HANDLE, .priority = PRIORITY};

	if (bpf_tc_query(&hook, &opts))
		return 0;
	return is_ours(opts.prog_id) ? 1 : -EEXIST;
}

static int add_filter(struct decap *d, const struct decap_interface *i)
{
	struct bpf_tc_hook hook = {
		.sz = sizeof(hook), .ifindex = (int)i->ifindex, .attach_point = BPF_TC_EGRESS};
	struct bpf_tc_opts opts = {.sz = sizeof(opts),
				   .handle = HANDLE,
				   .priority = PRIORITY,
				   .prog_fd = bpf_program__fd(d->skel->progs.spillway_mss),
				   .flags = BPF_TC_F_REPLACE};
	int err = bpf_tc_hook_create(&hook);

	if (!err)
		err = journal_note(&d->journal, CHANGE_CLSACT, i->name, "none", "clsact");
	if (err && err != -EEXIST)
		return err;
	err = find_filter(i->ifindex);
	return err < 0 ? err : bpf_tc_attach(&hook, &opts);
}

static struct spw_decap_mss limits(const struct decap_options *o, uint32_t mtu)
{
	if (o->mss == DECAP_MSS_NUMBER)
		return (struct spw_decap_mss){o->mss_number, o->mss_number};
	if (mtu < MTU_MIN)
		return (struct spw_decap_mss){0};
	return (struct spw_decap_mss){mtu - OUTER_MAX - HEADERS_V4, mtu - OUTER_MAX - HEADERS_V6};
}

int mss_set(struct decap *d, const struct decap_interface *i, uint32_t mtu, struct why why)
{
	int map = bpf_map__fd(d->skel->maps.decap_mss), err;
	struct spw_decap_mss mss = limits(d->options, mtu);

	if (d->options->mss == DECAP_MSS_OFF)
		return 0;
	err = bpf_map_update_elem(map, &i->ifindex, &mss, BPF_ANY);
	if (!err)
		err = add_filter(d, i);
	if (err)
		return why_set(why, err,
			       "%s: the filter that lowers the MSS cannot be put in: %s: lower it "
			       "by other means and use --mss off",
			       i->name, strerror(-err));
	log_info("mss: %s: VIPs offer %u at most, %u by IPv6", i->name, mss.v4, mss.v6);
	return 0;
}

static int count_one(const struct nlmsghdr *m, void *ctx)
{
	if (m->nlmsg_type == RTM_NEWTFILTER)
		++*(unsigned int *)ctx;
	return MNL_CB_OK;
}

/* Filters of a clsact discipline, in and out. */
static unsigned int count_filters(struct netlink *nl, uint32_t ifindex)
{
	const uint32_t parents[] = {TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
				    TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)};
	struct netlink_message m;
	struct nlmsghdr *h;
	struct tcmsg *t;
	unsigned int count = 0;

	for (size_t i = 0; i < 2; i++) {
		h = netlink_start(&m, RTM_GETTFILTER, NLM_F_DUMP);
		t = mnl_nlmsg_put_extra_header(h, sizeof(*t));
		t->tcm_family = AF_UNSPEC;
		t->tcm_ifindex = (int)ifindex;
		t->tcm_parent = parents[i];
		if (netlink_do(nl, h, count_one, &count))
			count++; /* unknown: left alone */
	}
	return count;
}

static void remove_from(const struct journal *j, struct netlink *nl, const struct if_nameindex *n)
{
	struct bpf_tc_hook hook = {
		.sz = sizeof(hook), .ifindex = (int)n->if_index, .attach_point = BPF_TC_EGRESS};
	struct bpf_tc_opts opts = {.sz = sizeof(opts), .handle = HANDLE, .priority = PRIORITY};

	if (find_filter(n->if_index) == 1) {
		(void)bpf_tc_detach(&hook, &opts);
		log_info("mss: %s: the filter is taken off", n->if_name);
	}
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	if (journal_find(j, CHANGE_CLSACT, n->if_name) && !count_filters(nl, n->if_index))
		(void)bpf_tc_hook_destroy(&hook);
}

void mss_remove(const struct journal *j, struct netlink *nl)
{
	struct if_nameindex *list = if_nameindex();

	for (const struct if_nameindex *n = list; n && n->if_index; n++)
		remove_from(j, nl, n);
	if_freenameindex(list);
}
