/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a flow does to checksums, worked out once: the difference that its addresses and ports make
 * (RFC 1624, equation 3), folded to 16 bits. No difference is all zero bits, see csum.h.
 */
#ifndef SPILLWAY_BPF_DIFF_H
#define SPILLWAY_BPF_DIFF_H

#include "csum.h"
#include "entry.h"

/* Ports of the key, and both differences, into an entry whose rewritten side is complete. */
static inline void diff_entry(const struct spw_flow_key *key, struct entry *e)
{
	__u64 diff = csum_changed_addr(0, &key->saddr, &e->to_saddr);

	diff = csum_changed_addr(diff, &key->daddr, &e->to_daddr);
	e->core.sport = key->sport;
	e->core.dport = key->dport;
	e->core.proto = key->proto;
	e->core.l3_diff = csum_fold_sum(diff);
	diff = csum_changed16(diff, key->sport, e->core.to_sport);
	diff = csum_changed16(diff, key->dport, e->core.to_dport);
	e->core.l4_diff = csum_fold_sum(diff);
}

#endif
