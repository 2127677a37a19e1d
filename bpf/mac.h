/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * MAC addresses as words: one with 16 more bits behind it, as the rows of maps have them (an MTU, a
 * VLAN). In a frame they begin two bytes beside a word, since the IP header is what is aligned, so
 * either is a half and a word there. Copies of 6 bytes are made byte by byte, and what is read
 * back in another width than it was written in has to wait.
 */
#ifndef SPILLWAY_BPF_MAC_H
#define SPILLWAY_BPF_MAC_H

#include "atomic.h"

typedef __u32 __attribute__((may_alias)) word32;
typedef __u16 __attribute__((may_alias)) word16;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define MAC_PART(value, bytes, at) ((__u64)(value) << 8 * (at))
#define MAC_AT(word, bytes, at)	   ((word) >> 8 * (at))
#else
#define MAC_PART(value, bytes, at) ((__u64)(value) << 8 * (8 - (bytes) - (at)))
#define MAC_AT(word, bytes, at)	   ((word) >> 8 * (8 - (bytes) - (at)))
#endif
#define MAC_REST   6 /* where the other bits are */
#define MAC_BITS   (~MAC_PART(0xffff, 2, MAC_REST))
#define MAC_SOURCE 6 /* in the frame; the destination is at its start */

static inline __u64 mac_word(__u64 mac, __u16 rest)
{
	return (mac & MAC_BITS) | MAC_PART(rest, 2, MAC_REST);
}

static inline __u16 mac_rest(__u64 word)
{
	return MAC_AT(word, 2, MAC_REST);
}

static inline bool mac_is_same(__u64 a, __u64 b)
{
	return !((a ^ b) & MAC_BITS);
}

static inline __u64 mac_dest(const void *frame)
{
	return MAC_PART(*(const word16 *)frame, 2, 0) |
	       MAC_PART(*(const word32 *)(frame + 2), 4, 2);
}

static inline __u64 mac_source(const void *frame)
{
	const void *mac = frame + MAC_SOURCE;

	return MAC_PART(*(const word32 *)mac, 4, 0) | MAC_PART(*(const word16 *)(mac + 4), 2, 4);
}

static inline void mac_write(void *frame, __u64 dest, __u64 source)
{
	*(word16 *)frame = MAC_AT(dest, 2, 0);
	*(word32 *)(frame + 2) = MAC_AT(dest, 4, 2);
	*(word32 *)(frame + MAC_SOURCE) = MAC_AT(source, 4, 0);
	*(word16 *)(frame + MAC_SOURCE + 4) = MAC_AT(source, 2, 4);
}

#endif
