/* SPDX-License-Identifier: BSD-2-Clause */
/* Services of direct return in the world, and what leaves for their endpoints. */
#ifndef SPILLWAY_TESTS_DIRECT_WORLD_H
#define SPILLWAY_TESTS_DIRECT_WORLD_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

bool direct_is_v6(uint32_t service);
void direct_put_row(struct bpf_map *map, uint32_t key, const void *value);
/* All VIPs are looked at, of all services. */
void direct_on(void);
void direct_set_mode(uint32_t id, uint8_t mode);
/* The service has direct return, with a block of motions at this line; 0: none is in motion. */
void direct_set_row(uint32_t service, uint32_t motion);
/* Every slot was `was`, since so long; 0: the service has none in motion. */
void direct_set_motion(uint32_t service, uint16_t was, uint64_t ago_ns);
/* The service's one endpoint, in this mode: WEB4_A or WEB6_A. */
uint32_t direct_service(uint32_t service, uint8_t mode);
/* All slots of an IPv4 service are WEB4_B's and were WEB4_A's, both of ipip; returns a client's packet. */
struct desc direct_moved(uint32_t service, uint64_t ago_ns);

/* The outer headers for `inner`. What may vary is taken from the frame, see direct_expected(). */
void direct_outer(const struct frame *got, uint32_t id, const struct desc *inner,
		  struct desc *outer);
/*
 * How the client's frame `in`, which `d` describes, leaves for the endpoint. The outer source, which must
 * be one of the gateway's, its port, which must be in its range, and IPv6's flow label are those of `got`.
 * d->no_checksum: the inner packet has no checksum over all of it, so the outer one has none.
 */
void direct_expected(uint8_t mode, const struct frame *got, uint32_t id, const struct desc *d,
		     const struct frame *in, struct frame *want);

#endif
