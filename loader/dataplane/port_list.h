/* SPDX-License-Identifier: BSD-2-Clause */
/* The source ports that may be used: the host's own ranges left out; pure. */
#ifndef SPILLWAY_DATAPLANE_PORT_LIST_H
#define SPILLWAY_DATAPLANE_PORT_LIST_H

#include <spillway/abi.h>
#include <stdint.h>

#define PORT_LIST_FIRST 1024

struct port_set {
	uint64_t bits[65536 / 64];
};

/* All ports from PORT_LIST_FIRST up. */
void port_set_init(struct port_set *s);
void port_set_remove(struct port_set *s, uint32_t first, uint32_t last);

/* Takes "LOW HIGH" out, as net.ipv4.ip_local_port_range has it. -EINVAL, s untouched. */
int port_set_remove_range(struct port_set *s, const char *text);
/* Takes "8080,9000-9010" out, as net.ipv4.ip_local_reserved_ports has it. -EINVAL, s untouched. */
int port_set_remove_list(struct port_set *s, const char *text);

/* Fills SPW_PORT_LINES lines in ascending order, the rest with zeros; returns the number of ports. */
uint32_t port_set_fill(const struct port_set *s, struct spw_port_line *lines);

#endif
