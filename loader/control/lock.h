/* SPDX-License-Identifier: BSD-2-Clause */
/* One daemon per directory: DIR/spillwayd.pid is locked for as long as the process lives. */
#ifndef SPILLWAY_CONTROL_LOCK_H
#define SPILLWAY_CONTROL_LOCK_H

#include "base/arena.h"

/*
 * Makes `dir` (with `mode`) and its parents where missing, and takes the lock; *fd holds it until it
 * is closed. -EBUSY when another process has it: *why names its pid. `flag` is the option that
 * chose `dir`.
 */
int lock_take(struct arena *a, const char *dir, unsigned int mode, const char *flag, int *fd,
	      const char **why);

/*
 * Locks the directory of pins itself, since a bpffs holds no files. What is not there is no error:
 * *fd is -1. Called again after a mount, it moves the lock to what is there now. -EBUSY: another
 * process has it.
 */
int lock_pins(struct arena *a, const char *dir, int *fd, const char **why);
/* The same, but waits for up to a second: `set endpoint` without a daemon has it for a moment. */
int lock_pins_patiently(struct arena *a, const char *dir, int *fd, const char **why);

#endif
