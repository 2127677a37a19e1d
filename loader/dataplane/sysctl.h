/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel settings of this network namespace, by their path below /proc/sys. */
#ifndef SPILLWAY_DATAPLANE_SYSCTL_H
#define SPILLWAY_DATAPLANE_SYSCTL_H

#include <stddef.h>

#include "dataplane/journal.h"

/* The text without its newline; -ENOENT when this kernel or interface has none. */
int sysctl_read(const char *name, char *buf, size_t size);
int sysctl_write(const char *name, const char *value);

/* Sets the value, noted in the journal, unless it is in force. 1: it was set. */
int sysctl_want(struct journal *j, const char *name, const char *value);

/*
 * What bpf_fib_lookup() needs of an attached interface: forwarding, for both families. Keeps the
 * routes that router advertisements made. What was changed goes to the journal first.
 */
int sysctl_forwarding(struct journal *j, const char *interface);

/* Sets back what still has our value, latest first. */
void sysctl_undo(const struct journal *j);

#endif
