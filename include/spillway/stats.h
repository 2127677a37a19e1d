/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every way a packet can end, and the counters of the flow table: one row each. The row's number
 * is its index in the per-CPU map `stats`; append only. The text is what `spillway stats` prints.
 *
 * Kinds: PASS (given to the stack), FORWARD (sent on), DROP (refused), COUNT (says what happened).
 */
#ifndef SPILLWAY_STATS_H
#define SPILLWAY_STATS_H

#define SPW_STATS(X)                                                                               \
	X(PASS, NOT_IP, "pass_not_ip", "neither IPv4 nor IPv6 (ARP, VLAN, others)")                \
	X(PASS, NOT_OURS, "pass_not_ours", "not to a VIP and not to a source address")             \
	X(PASS, MALFORMED, "pass_malformed", "headers cut short or contradictory")                 \
	X(PASS, FRAGMENT, "pass_fragment", "an IP fragment")                                       \
	X(PASS, OPTIONS, "pass_options", "IPv4 options or IPv6 extension headers")                 \
	X(PASS, NOT_L4, "pass_not_l4", "neither TCP nor UDP")                                      \
	X(PASS, NO_SERVICE, "pass_no_service", "no service on this port of a VIP")                 \
	X(PASS, NO_FLOW, "pass_no_flow", "TCP without a flow that is no SYN, or a stray reply")    \
	X(FORWARD, TX, "forward_tx", "sent out of the interface it came in by")                    \
	X(FORWARD, REDIRECT, "forward_redirect", "sent out by redirect")                           \
	X(DROP, NO_ENDPOINT, "drop_no_endpoint", "no endpoint of the service can be picked")       \
	X(DROP, NO_SOURCE, "drop_no_source", "no source address of the endpoint's family")         \
	X(DROP, PORTS_EXHAUSTED, "drop_ports_exhausted", "no source port free for the endpoint")   \
	X(DROP, FLOWS_FULL, "drop_flows_full", "the flow table is full")                           \
	X(DROP, TTL, "drop_ttl", "time to live or hop limit used up")                              \
	X(DROP, TOO_BIG, "drop_too_big", "larger than the MTU on the way out")                     \
	X(DROP, NO_NEIGHBOUR, "drop_no_neighbour", "the next hop's address is not resolved yet")   \
	X(DROP, NO_ROUTE, "drop_no_route", "no route to the endpoint or client")                   \
	X(DROP, FWD_DISABLED, "drop_fwd_disabled", "IP forwarding is off on the interface")        \
	X(DROP, NOT_ATTACHED, "drop_not_attached", "the way out is an interface not attached")     \
	X(DROP, INTERNAL, "drop_internal", "an impossible case; please report")                    \
	X(COUNT, FLOW_CREATED, "flow_created", "flows created")                                    \
	X(COUNT, FLOW_REPICKED, "flow_repicked", "flows given another endpoint")                   \
	X(COUNT, FLOW_EXPIRED, "flow_expired", "flows removed when their time had passed")         \
	X(COUNT, FLOW_RACED, "flow_raced", "flows another CPU created first")                      \
	X(COUNT, PICK_PROBED, "pick_probed", "picks that looked at more than one slot")            \
	X(COUNT, PICK_SPARE, "pick_spare", "picks from the spare table")                           \
	X(COUNT, PORT_REUSED_EARLY, "port_reused_early", "source ports reused within their rest")  \
	X(COUNT, RESET_SENT, "reset_sent", "refused TCP connections answered with RST")            \
	X(DROP, FLOWS_BUSY, "drop_flows_busy", "the flow table could not be locked in time")       \
	X(PASS, NO_ENDPOINT, "pass_no_endpoint", "no endpoint is left, and the host is to answer") \
	X(DROP, FLOW_RESET, "drop_flow_reset", "packets of flows that are reset on request")       \
	X(DROP, LIVE_NO_ENDPOINT, "drop_live_no_endpoint", "flows of services without endpoints")  \
	X(COUNT, UNREACHABLE_SENT, "unreachable_sent", "packets answered with ICMP unreachable")   \
	X(COUNT, UNREACHABLE_LIMITED, "unreachable_limited", "ICMP answers beyond the rate limit") \
	X(COUNT, FLOW_REFUSED, "flow_refused", "new flows that the endpoint answered with RST")    \
	X(COUNT, FLOW_UNREACHABLE, "flow_unreachable", "flows told of by ICMP unreachable")        \
	X(COUNT, FLOW_RETRIED, "flow_retried",                                                     \
	  "flows asked for again without an answer, or without a next hop")                        \
	X(COUNT, FLOW_PURGED, "flow_purged", "UDP flows removed with their endpoint")              \
	X(COUNT, FLOW_REPLACED, "flow_replaced",                                                   \
	  "flows without handshake that gave way to new ones")                                     \
	X(COUNT, CHECKSUM_COMPLETED, "checksum_completed",                                         \
	  "checksums that local senders left to hardware")                                         \
	X(COUNT, TOO_BIG_SENT, "too_big_sent", "packets answered with ICMP too big")               \
	X(COUNT, TTL_EXCEEDED_SENT, "ttl_exceeded_sent", "answered with ICMP time exceeded")       \
	X(COUNT, FORWARD_ICMP, "forward_icmp", "ICMP errors sent on to a flow's other side")       \
	X(COUNT, MSS_CLAMPED, "mss_clamped", "SYNs whose MSS was lowered to the way's MTU")        \
	X(COUNT, FORWARD_FRAGMENT, "forward_fragment", "fragments among the packets sent on")      \
	X(COUNT, FRAGMENT_EARLY, "fragment_early", "fragments held until their first one comes")   \
	X(DROP, FRAGMENT, "drop_fragment", "fragments whose first was dropped, or too many early") \
	X(PASS, HANDOFF, "pass_handoff", "of flows that the userspace path has")                   \
	X(COUNT, HANDOFF_UNKEPT, "handoff_unkept", "flows handed off without room for an entry")   \
	X(COUNT, STEERED, "steered", "new connections given to their endpoint's socket")           \
	X(COUNT, STEER_REPICKED, "steer_repicked", "of them those picked anew, without an entry")  \
	X(COUNT, STEER_NO_SOCKET, "steer_no_socket",                                               \
	  "connections that no endpoint has a socket for: the host answers")                       \
	X(COUNT, PICK_SECOND, "pick_second", "picks of the less loaded second of two slots")       \
	X(DROP, SOURCE_DENIED, "drop_source_denied", "new flows from a source that is denied")     \
	X(DROP, SOURCE_NOT_ALLOWED, "drop_source_not_allowed",                                     \
	  "new flows from a source that is not among the allowed")                                 \
	X(DROP, RATE_LIMITED, "drop_rate_limited", "new flows beyond the limit of their service")  \
	X(DROP, SOURCE_LIMITED, "drop_source_limited", "new flows beyond the limit of a source")   \
	X(COUNT, DIRECT_UNKEPT, "direct_unkept",                                                   \
	  "flows of direct return in motion without room for an entry")                            \
	X(COUNT, QUIC_ROUTED, "quic_routed",                                                       \
	  "packets sent by the server id in their connection ID; mode nat: new flows")             \
	X(COUNT, QUIC_UNKNOWN, "quic_unknown",                                                     \
	  "likewise, but no endpoint of that id lives: sent by addresses and ports")

enum spw_stat {
#define SPW_STAT_ENUM(kind, id, name, text) SPW_##kind##_##id,
	SPW_STATS(SPW_STAT_ENUM)
#undef SPW_STAT_ENUM
		SPW_STAT_MAX
};

#endif
