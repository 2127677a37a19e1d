/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where answers by ICMP are made: they have no room on the stack. */
#ifndef SPILLWAY_BPF_ANSWER_SCRATCH_H
#define SPILLWAY_BPF_ANSWER_SCRATCH_H

#include "maps.h"

#define ANSWER_ETH   20	 /* Ethernet and a tag, in whole words */
#define ANSWER_HEAD  48	 /* IPv6 and ICMP */
#define ANSWER_QUOTE 512 /* of the packet answered; bpf_csum_diff() takes no more */

/* An ICMP answer in the making, and when the latest ones were sent. */
struct answer {
	__u64 paid_ns;
	struct spw_addr from; /* whose answer it is */
	__u32 quote_len;
	__u8 eth[ANSWER_ETH];
	__u8 head[ANSWER_HEAD];
	__u8 quote[ANSWER_QUOTE];
};

/* Writer: the packet path. Not kept. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct answer);
} answers SEC(".maps");

static inline struct answer *answer_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&answers, &zero);
}

#endif
