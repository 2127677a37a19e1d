/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hashes that both sides must work out alike.
 *
 * The bit of an address in `addr_bits` is spw_addr_hash() & (bits - 1): what is not ours mostly ends
 * there, in one word of a small array.
 *
 * The perfect hash over services: the loader builds it, the packet path reads it, so the arithmetic
 * is here once. A lookup is
 *
 *	hash = spw_service_hash(vip, port, proto, seed)
 *	d    = displace[(__u32)hash & (displace_count - 1)]
 *	id   = slot[spw_service_slot(hash, d) & (slot_count - 1)]
 *
 * and the comparison of the key with that of service `id`: what is no service finds some slot too.
 * Both counts are powers of two. Part of the contract in abi.h.
 */
#ifndef SPILLWAY_HASH_H
#define SPILLWAY_HASH_H

#include <linux/types.h>

#include <spillway/addr.h>

#define SPW_SERVICE_NONE 0xffffffffU /* a slot without a service */

/* A bijection of `h` for each `v`, and of `v` for each `h`: multiply, then fold the top down. */
static inline __u64 spw_mix(__u64 h, __u64 v)
{
	h ^= v;
	h *= 0x9e3779b97f4a7c15ULL;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ULL;
	return h ^ h >> 29;
}

/* IPv4-mapped, ::ffff:a.b.c.d */
static inline int spw_addr_is_mapped(const struct spw_addr *a)
{
	const __u32 ffff = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0xffff0000U : 0xffffU;

	return !(a->w[0] | a->w[1] | (a->w[2] ^ ffff));
}

/* One round takes all that differs between IPv4 services, so their hashes are all different. */
static inline __u64 spw_service_hash(const struct spw_addr *vip, __be16 port, __u8 proto,
				     __u32 seed)
{
	__u64 rest = (__u64)port << 8 | proto;
	__u64 h = seed;

	if (spw_addr_is_mapped(vip))
		return spw_mix(h, (__u64)vip->w[3] << 32 | rest);
	h = spw_mix(h, (__u64)vip->w[0] << 32 | vip->w[1]);
	h = spw_mix(h, (__u64)vip->w[2] << 32 | vip->w[3]);
	return spw_mix(h, rest);
}

/*
 * Keys of one bucket share the low bits of their hash. The others, times a different odd number for
 * each displacement, reach the bits taken here.
 */
static inline __u32 spw_service_slot(__u64 hash, __u16 displacement)
{
	return hash * (2 * (__u64)displacement + 1) >> 32;
}

/* Cheap, since every packet asks; who collides only costs himself a further look. */
static inline __u32 spw_addr_hash(const struct spw_addr *a)
{
	__u64 h = ((__u64)a->w[0] << 32 | a->w[1]) * 0x9e3779b97f4a7c15ULL;

	h = (h ^ h >> 32 ^ ((__u64)a->w[2] << 32 | a->w[3])) * 0xd6e8feb86659fd93ULL;
	return h >> 32;
}

#endif
