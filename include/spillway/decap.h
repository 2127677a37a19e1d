/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What spillway-decap's programs and its loader share. Append only: the counters stay pinned. */
#ifndef SPILLWAY_DECAP_H
#define SPILLWAY_DECAP_H

#include <spillway/addr.h>

#define SPW_DECAP_PORTS_MAX 8

/* Every way a packet can go has a row: X(id, name, text). */
#define SPW_DECAP_STATS(X)                                                                         \
	X(SPW_DECAP_IPIP, "decapsulated_ipip", "packets taken out of IP in IP")                    \
	X(SPW_DECAP_GUE, "decapsulated_gue", "packets taken out of GUE")                           \
	X(SPW_DECAP_BYTES, "decapsulated_bytes", "bytes of those packets, without the outer one")  \
	X(SPW_DECAP_ECN_CE, "ecn_ce", "congestion marks moved from the outer to the inner header") \
	X(SPW_DECAP_DROP_ECN, "drop_ecn",                                                          \
	  "marked as congested on the way, while the inner packet's sender knows no marks")        \
	X(SPW_DECAP_DROP_INTERNAL, "drop_internal",                                                \
	  "the headers could not be moved: a mistake here")                                        \
	X(SPW_DECAP_PASS_NO_TUNNEL, "pass_no_tunnel", "neither IP in IP nor to a GUE port")        \
	X(SPW_DECAP_PASS_NOT_HOST, "pass_not_host",                                                \
	  "a tunnel's packet, but its destination is no address of this host")                     \
	X(SPW_DECAP_PASS_NOT_GATEWAY, "pass_not_gateway",                                          \
	  "a tunnel's packet, but not from a gateway of --gateway")                                \
	X(SPW_DECAP_PASS_NOT_VIP, "pass_not_vip", "the inner destination is no VIP of ours")       \
	X(SPW_DECAP_PASS_FRAGMENT, "pass_fragment",                                                \
	  "a fragment of a tunnel's packet: the way is too narrow for what the gateway sends")     \
	X(SPW_DECAP_PASS_MALFORMED, "pass_malformed", "lengths or versions contradict each other") \
	X(SPW_DECAP_PASS_CHECKSUM, "pass_checksum",                                                \
	  "the outer IPv4 header's checksum does not hold")                                        \
	X(SPW_DECAP_PASS_GUE_HEADER, "pass_gue_header",                                            \
	  "a GUE control message, or GUE with flags, protocol or variant unknown here")            \
	X(SPW_DECAP_MSS, "mss_lowered", "SYNs and SYN-ACKs of VIPs whose MSS was lowered")

enum spw_decap_stat {
#define SPW_DECAP_ID(id, name, text) id,
	SPW_DECAP_STATS(SPW_DECAP_ID)
#undef SPW_DECAP_ID
		SPW_DECAP_STAT_MAX
};

/* Key of the prefix tries: `bits` counts those of the 16-byte form, so IPv4's are 96 more. */
struct spw_decap_prefix {
	__u32 bits;
	struct spw_addr addr;
};

/* Largest MSS that a VIP may offer by an interface; 0: any. */
struct spw_decap_mss {
	__u32 v4;
	__u32 v6;
};

_Static_assert(sizeof(struct spw_decap_prefix) == 20, "abi");
_Static_assert(sizeof(struct spw_decap_mss) == 8, "abi");

#endif
