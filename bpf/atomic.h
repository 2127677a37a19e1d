/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Words that several CPUs read and swap. Every word of the flow table is read and written whole by
 * these, so that the same headers are compiled natively for the thread sanitizer. Swaps are full
 * barriers in both worlds. Plain loads of BPF are not ordered on weakly ordered CPUs, so there a
 * fence between two of them is an atomic operation that changes nothing.
 */
#ifndef SPILLWAY_BPF_ATOMIC_H
#define SPILLWAY_BPF_ATOMIC_H

#include <stdbool.h>

#include <linux/types.h>

typedef __u64 __attribute__((may_alias)) word64;

#ifdef __bpf__

/* Set by the loader before it loads: the CPUs may reorder loads (all but x86). */
extern const volatile bool weak_order;

#define load64(p)     (*(volatile word64 *)(p))
#define store64(p, v) (*(volatile word64 *)(p) = (v))
#define load16(p)     (*(volatile __u16 *)(p))
#define store16(p, v) (*(volatile __u16 *)(p) = (v))
#define load32(p)     (*(volatile __u32 *)(p))

static inline void load_fence(void)
{
	__u64 nothing = 0;

	if (weak_order)
		__sync_fetch_and_add(&nothing, 0);
}

#else

#define load64(p)     __atomic_load_n((word64 *)(p), __ATOMIC_ACQUIRE)
#define store64(p, v) __atomic_store_n((word64 *)(p), (v), __ATOMIC_RELEASE)
#define load16(p)     __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store16(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define load32(p)     __atomic_load_n((p), __ATOMIC_ACQUIRE)

static inline void load_fence(void)
{
}

#endif

static inline bool swap64(__u64 *p, __u64 old, __u64 new)
{
	return __sync_val_compare_and_swap(p, old, new) == old;
}

/* All that was written before is seen by whoever sees this. */
static inline void publish64(__u64 *p, __u64 new)
{
	(void)__sync_lock_test_and_set(p, new);
}

#endif
