/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Lengths and pointers in words that the verifiers of Linux 6.1 and 6.12 follow. That of 6.1 learns
 * nothing from "not 0"; neither knows that an array's row is there, so no address in it may be
 * worked out before it was looked at, as compilers like to. `make check-kernels` finds such places.
 */
#ifndef SPILLWAY_BPF_BOUNDS_H
#define SPILLWAY_BPF_BOUNDS_H

#include <stdbool.h>

#include <linux/types.h>

/* Is it 1 to `max`? If so it is, for the verifier too. */
static inline bool bounds_fit(__u32 *len, __u32 max)
{
	__u32 less = *len - 1;

	asm volatile("" : "+r"(less));
	if (less >= max)
		return false;
	*len = less + 1;
	return true;
}

/* The pointer as it is, which nothing is added to before this. */
#define bounds_here(pointer) asm volatile("" : "+r"(pointer))

#endif
