/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes off what outlives a daemon. Each part is tried whatever became of the others, so that a
 * second call finishes what a first could not; on a clean host nothing happens.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "dataplane/bpffs.h"
#include "dataplane/netns_lock.h"
#include "dataplane/privileges.h"
#include "dataplane/state.h"
#include "dataplane/sysctl.h"
#include "dataplane/offload.h"

/* First of all: from here on no packet is touched. */
static void detach_links(const char *bpffs)
{
	char dir[PATH_MAX], path[PATH_MAX];
	const struct dirent *e;
	DIR *d;

	(void)snprintf(dir, sizeof(dir), "%s/links", bpffs);
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) < (int)sizeof(path))
			(void)link_unpin(path);
	}
	if (d)
		(void)closedir(d);
}

static int remove_claims(struct netlink *nl)
{
	AUTO(free) struct spw_addr *vips = NULL;
	size_t count = 0;
	int err = claims_list(nl, &vips, &count), one;

	for (size_t i = 0; i < count; i++) {
		one = claim_remove(nl, &vips[i]);
		if (one)
			err = one;
	}
	return err;
}

static int remove_from_network(struct why why)
{
	struct netlink nl = {0};
	int err = netlink_open(&nl), claims, neighbours;

	if (err)
		return why_set(why, err, "netlink cannot be opened: %s", strerror(-err));
	claims = remove_claims(&nl);
	neighbours = neighbours_remove_all(&nl);
	netlink_close(&nl);
	err = claims ? claims : neighbours;
	if (err)
		return why_set(why, err,
			       "VIPs or neighbours (protocol %d) cannot be removed: %s: look at "
			       "`ip route show table local proto %d`",
			       NETLINK_OURS, strerror(-err), NETLINK_OURS);
	return 0;
}

int dataplane_detach(struct arena *a, const char *bpffs, const char *run_dir, const char **why)
{
	struct why w = {a, why};
	struct journal journal = {0};
	AUTO(fd_close) int lock = -1;
	int err = privileges_check(w), one;

	if (!err)
		err = netns_lock("spillwayd", &lock, w);
	if (err)
		return err;
	if (bpffs && bpffs_exists(bpffs))
		detach_links(bpffs);
	one = bpffs ? bpffs_remove(bpffs) : 0;
	if (one)
		err = why_set(w, one, "%s: pins cannot be removed: %s", bpffs, strerror(-one));
	one = remove_from_network(w);
	if (one)
		err = one;
	one = journal_open(&journal, run_dir);
	if (one)
		err = why_set(w, one, "%s: cannot be read: %s", journal.path, strerror(-one));
	sysctl_undo(&journal);
	offloads_undo(&journal);
	bpffs_unmount(&journal);
	if (!err) {
		err = journal_clear(&journal);
		if (err)
			err = why_set(w, err, "%s/host-changes: cannot be removed: %s", run_dir,
				      strerror(-err));
	}
	journal_done(&journal);
	return err;
}
