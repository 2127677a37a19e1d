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

static int look(const struct handoff *h, const char *address)
{
	static const char prefix[] = "unix@";

	if (strncmp(address, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	return reach_path(h, address + sizeof(prefix) - 1, W_OK);
}

/* Of rules of layer 7. */
static bool look_behind_rules(struct handoff *h)
{
	bool changed = false;

	h->l7_path_errors = 0;
	for (size_t i = 0; i < h->l7.count; i++) {
		for (size_t k = 0; k < h->l7.sections[i].server_count; k++) {
			struct l7_server *s = &h->l7.sections[i].servers[k];
			const int err = look(h, s->address);

			changed = changed || err != s->path_error;
			s->path_error = err;
			h->l7_path_errors += err != 0;
		}
	}
	return changed;
}

bool reach_look(struct handoff *h)
{
	bool changed = look_behind_rules(h);

	for (size_t i = 0; i < h->live_count; i++) {
		struct entry *e = h->entries[h->live[i]];
		const int err = e->has_want ? look(h, e->want.address) : 0;

		changed = changed || err != e->path_error;
		e->path_error = err;
	}
	return changed;
}

int reach_behind_rules(const struct handoff *h, uint32_t id)
{
	for (size_t i = 0; h->l7_path_errors && i < h->l7.count; i++) {
		for (size_t k = 0; k < h->l7.sections[i].server_count; k++) {
			const struct l7_server *s = &h->l7.sections[i].servers[k];

			if (s->id == id && s->path_error)
				return s->path_error;
		}
	}
	return 0;
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
