/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What we changed on the host that the kernel does not mark as ours, noted in the run directory
 * before it is done, so that detach can undo it without a running daemon.
 */
#ifndef SPILLWAY_DATAPLANE_JOURNAL_H
#define SPILLWAY_DATAPLANE_JOURNAL_H

#include <stddef.h>

enum change_kind { CHANGE_SYSCTL, CHANGE_MOUNT, CHANGE_RX_VLAN, CHANGE_GRO, CHANGE_CLSACT };

struct change {
	enum change_kind kind;
	char *name; /* below /proc/sys, the mount point, or an interface */
	char *from; /* NULL for mounts */
	char *to;
};

/* Zero-initialise; owns everything in it. */
struct journal {
	char *path;
	struct change *items;
	size_t count;
};

/* Takes the entries of `text` over; lines that make no sense are left out. -ENOMEM. */
int journal_parse(struct journal *j, const char *text);

/* Reads RUN_DIR/host-changes; that it does not exist is no failure. */
int journal_open(struct journal *j, const char *run_dir);
void journal_done(struct journal *j);

/* Notes a change unless one of that kind and name is noted; then the oldest `from` stays. */
int journal_note(struct journal *j, enum change_kind kind, const char *name, const char *from,
		 const char *to);

/* NULL when none of that kind and name is noted. */
const struct change *journal_find(const struct journal *j, enum change_kind kind, const char *name);

/* Forgets an entry, here and in the file, since the change is undone. That there is none is fine. */
int journal_forget(struct journal *j, enum change_kind kind, const char *name);

/* Forgets all entries and removes the file. */
int journal_clear(struct journal *j);

#endif
