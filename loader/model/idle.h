/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long flows of a service live without a packet, by their state: the route's annotations, and
 * what holds without them. UDP does not close: its flows have the embryonic time there, so that no
 * time of a service is ever zero.
 */
#ifndef SPILLWAY_MODEL_IDLE_H
#define SPILLWAY_MODEL_IDLE_H

#include "model/model.h"

/* `proto` is IPPROTO_TCP or IPPROTO_UDP. */
uint32_t idle_default_s(uint8_t proto, enum spw_idle state);

/* Of a TCPRoute or UDPRoute. */
void idle_read(const struct object *route, uint32_t idle_s[SPW_IDLE_MAX]);

/* Has the protocol flows in that state? */
bool idle_has(uint8_t proto, enum spw_idle state);

/* "embryonic", "established", "closing" */
const char *idle_name(enum spw_idle state);

#endif
