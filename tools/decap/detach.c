/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes off what outlives the program. Each part is tried whatever became of the others, so that a
 * second call finishes what a first could not; on a clean host nothing happens.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "dataplane/bpffs.h"
#include "dataplane/netns_lock.h"
#include "dataplane/privileges.h"
#include "dataplane/sysctl.h"
#include "decap/decap.h"

static int remove_from_network(const struct journal *j, struct why why)
{
	struct netlink nl = {0};
	int err = netlink_open(&nl);

	if (err)
		return why_set(why, err, "netlink cannot be opened: %s", strerror(-err));
	mss_remove(j, &nl);
	err = vips_give_up(&nl);
	netlink_close(&nl);
	return err ? why_set(why, err, "the addresses of lo cannot be read: %s", strerror(-err))
		   : 0;
}

static int remove_pins(const struct decap_options *o, struct why why)
{
	int err;

	if (bpffs_exists(o->bpffs))
		attach_remove_all(o->bpffs);
	err = bpffs_remove(o->bpffs);
	return err ? why_set(why, err, "%s: pins cannot be removed: %s", o->bpffs, strerror(-err))
		   : 0;
}

static int undo_changes(const struct decap_options *o, struct why why)
{
	struct journal j = {0};
	int err = journal_open(&j, o->run_dir), one;

	if (err)
		(void)why_set(why, err, "%s: cannot be read: %s", o->run_dir, strerror(-err));
	one = remove_from_network(&j, why);
	err = one ? one : err;
	sysctl_undo(&j);
	bpffs_unmount(&j);
	if (!err) {
		err = journal_clear(&j);
		if (err)
			(void)why_set(why, err, "%s/host-changes: cannot be removed: %s",
				      o->run_dir, strerror(-err));
	}
	journal_done(&j);
	return err;
}

int decap_detach(struct arena *a, const struct decap_options *o, const char **why)
{
	struct why w = {a, why};
	AUTO(fd_close) int netns = -1;
	int err = privileges_check(w), lock = -1, one;

	if (!err)
		err = netns_lock(DECAP_PROGRAM, &netns, w);
	if (!err)
		err = lock_directory(o->bpffs, &lock, w);
	if (err)
		return err;
	fd_close(fd_take(&lock)); /* an open directory could not be unmounted */
	err = remove_pins(o, w);
	one = undo_changes(o, w);
	if (!one)
		(void)rmdir(o->run_dir);
	return one ? one : err;
}
