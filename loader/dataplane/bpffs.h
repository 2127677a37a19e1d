/* SPDX-License-Identifier: BSD-2-Clause */
/* The directory of the pins: made, mounted where needed, and taken off. */
#ifndef SPILLWAY_DATAPLANE_BPFFS_H
#define SPILLWAY_DATAPLANE_BPFFS_H

#include <stdbool.h>

#include "dataplane/journal.h"
#include "dataplane/why.h"

/*
 * Makes `dir` and its links/, maps/ and progs/ on a bpffs. One is mounted, and noted, where there
 * is none: at /sys/fs/bpf for a directory below it, else at `dir` itself.
 */
int bpffs_prepare(const char *dir, struct journal *j, struct why why);

/* Whether `dir` exists and is on a bpffs. */
bool bpffs_exists(const char *dir);

/* Removes every pin and the directories, links first; what is not there is no failure. */
int bpffs_remove(const char *dir);

/* Unmounts what the journal says we mounted, where nothing is left in it. */
void bpffs_unmount(const struct journal *j);

#endif
