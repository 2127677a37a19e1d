/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sums over the headers of a packet as they are now. */
#ifndef SPILLWAY_BPF_SEGMENT_H
#define SPILLWAY_BPF_SEGMENT_H

#include "csum.h"
#include "pkt.h"

/* Of the pseudo header, not complemented (RFC 9293, 3.1; RFC 8200, 8.1). */
static inline __u16 segment_pseudo(const struct pkt *p)
{
	__u64 sum = bpf_htons(p->key->proto) + bpf_htons(p->l4_len);
	const __u32 *w;

	if (p->ip4)
		sum += (__u64)p->ip4->saddr + p->ip4->daddr;
	if (p->ip6) {
		w = (const void *)&p->ip6->saddr;
		sum += (__u64)w[0] + w[1] + w[2] + w[3] + w[4] + w[5] + w[6] + w[7];
	}
	return csum_fold_sum(sum);
}

/* Is the checksum of an IPv4 header without options right? */
static inline bool segment_ip4_is_sound(const struct iphdr *ip)
{
	const __u32 *w = (const void *)ip;

	return !csum_fold((__u64)w[0] + w[1] + w[2] + w[3] + w[4]);
}

#endif
