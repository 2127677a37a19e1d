/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows as `flows` and `drain -o wide` show them. */
#ifndef SPILLWAY_CTL_FLOW_TABLE_H
#define SPILLWAY_CTL_FLOW_TABLE_H

#include "base/arena.h"
#include "manifest/node.h"

/* `flows` is a list of the daemon's answer; on standard output. */
void flow_table_print(struct arena *a, const struct node *flows);

#endif
