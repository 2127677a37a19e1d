/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unix sockets that HAProxy's user may not connect to, or that are not there. The daemon may do
 * anything, so it looks with that user's eyes: file system permissions go by the fsuid (setfsuid(2)), and
 * the kernel takes the capabilities for files away with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "handoff/state.h"

int reach_path(const struct handoff *h, const char *path, int mode)
{
	int err;

	(void)setfsgid(h->gid);
	(void)setfsuid(h->uid);
	err = faccessat(AT_FDCWD, path, mode, AT_EACCESS) ? errno : 0;
	(void)setfsuid(geteuid());
	(void)setfsgid(getegid());
	return err;
}

bool reach_look(struct handoff *h)
{
	static const char prefix[] = "unix@";
	bool changed = false;

	for (size_t i = 0; i < h->live_count; i++) {
		struct entry *e = h->entries[h->live[i]];
		const char *address = e->want.address;
		int err = 0;

		if (e->has_want && strncmp(address, prefix, sizeof(prefix) - 1) == 0)
			err = reach_path(h, address + sizeof(prefix) - 1, W_OK);
		changed = changed || err != e->path_error;
		e->path_error = err;
	}
	return changed;
}

const char *reach_text(int err)
{
	switch (err) {
	case 0:
		return NULL;
	case EACCES:
		return "HAProxy's user may not connect to the socket (permission denied): let it "
		       "search the directories of the path and write to the socket";
	case ENOENT:
	case ENOTDIR:
		return "there is no such socket";
	}
	return strerror(err);
}
