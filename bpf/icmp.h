/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is used of ICMP and ICMPv6: errors, which have the same shape in both.
 * <linux/icmp.h> includes what a BPF program cannot.
 */
#ifndef SPILLWAY_BPF_ICMP_H
#define SPILLWAY_BPF_ICMP_H

#include <linux/types.h>

struct icmp_head {
	__u8 type;
	__u8 code;
	__sum16 check;
	__be32 rest; /* an MTU, a pointer, or nothing */
};

#define ICMP4_UNREACH	   3 /* RFC 792 */
#define ICMP4_HOST	   1
#define ICMP4_PORT	   3
#define ICMP4_FRAG_NEEDED  4
#define ICMP4_LAST_UNREACH 13 /* 14 and 15 speak of precedence (RFC 1812, 5.2.7.1) */
#define ICMP4_EXCEEDED	   11
#define ICMP4_BAD_PARAM	   12

#define ICMP6_UNREACH	1 /* RFC 4443 */
#define ICMP6_ADDR	3
#define ICMP6_PORT	4
#define ICMP6_TOO_BIG	2
#define ICMP6_EXCEEDED	3
#define ICMP6_BAD_PARAM 4

#endif
