/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A perfect hash over the keys of services: two reads find the only slot where a key can be. How a
 * lookup goes is in spillway/hash.h; here it is built.
 */
#ifndef SPILLWAY_TABLES_PERFECT_H
#define SPILLWAY_TABLES_PERFECT_H

#include <spillway/abi.h>
#include <spillway/hash.h>
#include <stddef.h>
#include <stdint.h>

/* Sizes for up to `max_services` keys, powers of two: at most half of the slots are in use. */
uint32_t perfect_slot_count(uint32_t max_services);
uint32_t perfect_displace_count(uint32_t max_services);

/*
 * Key i gets a slot that says ids[i]; the other slots say SPW_SERVICE_NONE. The result depends on
 * the set of keys and ids, the seed and the counts, not on the keys' order. -EEXIST: a key is
 * there twice. -ENOSPC: not with this seed, another may do; or more keys than slots. -ENOMEM. After
 * an error the two arrays hold nothing of use.
 */
int perfect_build(const struct spw_service_key *keys, const uint32_t *ids, size_t count,
		  uint32_t seed, uint16_t *displace, uint32_t displace_count, uint32_t *slots,
		  uint32_t slot_count);

/* What the key's slot says, for the caller to compare the key with that of the service. */
uint32_t perfect_find(const struct spw_service_key *key, uint32_t seed, const uint16_t *displace,
		      uint32_t displace_count, const uint32_t *slots, uint32_t slot_count);

#endif
