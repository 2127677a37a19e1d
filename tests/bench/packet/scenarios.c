/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows in the order in which they are printed; those that want the same maps lie together. */
#include "scenarios.h"

#include <netinet/in.h>

#define K64 65536
#define M1  SCENARIO_FLOWS_MAX

#define CLIENT4	  .kind = SCENARIO_CLIENT, .family = 4, .proto = IPPROTO_TCP, .balanced = true, TX
#define CLIENT6	  .kind = SCENARIO_CLIENT, .family = 6, .proto = IPPROTO_TCP, .balanced = true, TX
#define ENDPOINT4 .kind = SCENARIO_ENDPOINT, .family = 4, .proto = IPPROTO_TCP, TX
#define ENDPOINT6 .kind = SCENARIO_ENDPOINT, .family = 6, .proto = IPPROTO_TCP, TX
#define UDP4	  .kind = SCENARIO_CLIENT, .family = 4, .proto = IPPROTO_UDP, .balanced = true, TX
#define NEW4	  .kind = SCENARIO_NEW, .family = 4, .proto = IPPROTO_TCP, .balanced = true, TX
#define TX	  .ends = SPW_FORWARD_TX
#define L2	  .mode = SPW_MODE_L2
#define IPIP	  .mode = SPW_MODE_IPIP
#define GUE	  .mode = SPW_MODE_GUE

const struct scenario scenarios[] = {
	{"client, 1 flow", CLIENT4, .flows = 1},
	{"client, 64k flows", CLIENT4, .flows = K64},
	{"client, 1M flows", CLIENT4, .flows = M1},
	{"client, 1M flows, skewed", CLIENT4, .flows = M1, .skewed = true},
	{"endpoint, 1 flow", ENDPOINT4, .flows = 1},
	{"endpoint, 64k flows", ENDPOINT4, .flows = K64},
	{"endpoint, 1M flows", ENDPOINT4, .flows = M1},
	{"endpoint, 1M flows, skewed", ENDPOINT4, .flows = M1, .skewed = true},
	{"udp client, 1 flow", UDP4, .flows = 1},
	{"udp client, 64k flows", UDP4, .flows = K64},
	{"udp client, 1M flows", UDP4, .flows = M1},
	{"ipv6 client, 1 flow", CLIENT6, .flows = 1},
	{"ipv6 client, 64k flows", CLIENT6, .flows = K64},
	{"ipv6 client, 1M flows", CLIENT6, .flows = M1},
	{"ipv6 endpoint, 1 flow", ENDPOINT6, .flows = 1},
	{"ipv6 endpoint, 64k flows", ENDPOINT6, .flows = K64},
	{"ipv6 endpoint, 1M flows", ENDPOINT6, .flows = M1},
	{"new flow", NEW4},
	{"new udp flow", .kind = SCENARIO_NEW, .family = 4, .proto = IPPROTO_UDP, .balanced = true,
	 TX},
	{"new ipv6 flow", .kind = SCENARIO_NEW, .family = 6, .proto = IPPROTO_TCP, .balanced = true,
	 TX},
	{"ack without a flow", .kind = SCENARIO_STRAY, .family = 4, .proto = IPPROTO_TCP,
	 .balanced = true, .ends = SPW_PASS_NO_FLOW},
	{"not ours", .kind = SCENARIO_FOREIGN, .family = 4, .proto = IPPROTO_TCP, .balanced = true,
	 .flows = K64, .ends = SPW_PASS_NOT_OURS},
	{"not ours, ipv6", .kind = SCENARIO_FOREIGN, .family = 6, .proto = IPPROTO_TCP,
	 .balanced = true, .flows = K64, .ends = SPW_PASS_NOT_OURS},
	{"arp", .kind = SCENARIO_ARP, .family = 4, .balanced = true, .flows = 1,
	 .ends = SPW_PASS_NOT_IP},
	{"icmp error, 64k flows", .kind = SCENARIO_ERROR, .family = 4, .proto = IPPROTO_TCP,
	 .flows = K64, TX},
	{"client, 64k flows, 1k services", CLIENT4, .flows = K64, .services = 1000},
	{"client, 64k flows, spread over 1k services", CLIENT4, .flows = K64, .services = 1000,
	 .used = 1000},
	{"client, 64k flows, 10k services", CLIENT4, .flows = K64, .services = 10000},
	{"client, 64k flows, spread over 10k services", CLIENT4, .flows = K64, .services = 10000,
	 .used = 10000},
	{"new flow, 1k services", NEW4, .services = 1000},
	{"new flow, spread over 1k services", NEW4, .services = 1000, .used = 1000},
	{"new flow, 10k services", NEW4, .services = 10000},
	{"new flow, spread over 10k services", NEW4, .services = 10000, .used = 10000},
	{"client, 64k flows, 100k networks", CLIENT4, .flows = K64, .extra = SCENARIO_NETWORKS},
	{"new flow, 100k networks", NEW4, .extra = SCENARIO_NETWORKS},
	{"new ipv6 flow, 100k networks", .kind = SCENARIO_NEW, .family = 6, .proto = IPPROTO_TCP,
	 .balanced = true, TX, .extra = SCENARIO_NETWORKS},
	{"client, 64k flows, limits", CLIENT4, .flows = K64, .extra = SCENARIO_LIMITS},
	{"new flow, limits", NEW4, .extra = SCENARIO_LIMITS},
	{"client, 64k flows, least", CLIENT4, .flows = K64, .extra = SCENARIO_LEAST},
	{"new flow, least", NEW4, .extra = SCENARIO_LEAST},
	{"udp client, 64k flows, quic ids", UDP4, .flows = K64, .extra = SCENARIO_QUIC},
	{"new udp flow, quic ids", .kind = SCENARIO_NEW, .family = 4, .proto = IPPROTO_UDP,
	 .balanced = true, TX, .extra = SCENARIO_QUIC},
	{"client, 64k flows, 10 endpoints", CLIENT4, .flows = K64, .endpoints = 10},
	{"client, 64k flows, 1k endpoints", CLIENT4, .flows = K64, .endpoints = 1000},
	{"client, 64k flows, 4k endpoints", CLIENT4, .flows = K64, .endpoints = 4000},
	{"client, 64k flows, 10k endpoints", CLIENT4, .flows = K64, .endpoints = 10000},
	{"new flow, 10 endpoints", NEW4, .endpoints = 10},
	{"new flow, 1k endpoints", NEW4, .endpoints = 1000},
	{"new flow, 4k endpoints", NEW4, .endpoints = 4000},
	{"new flow, 10k endpoints", NEW4, .endpoints = 10000},
	{"l2 client, 1 flow", CLIENT4, .flows = 1, L2},
	{"l2 client, 64k flows", CLIENT4, .flows = K64, L2},
	{"l2 client, 1M flows", CLIENT4, .flows = M1, L2},
	{"l2 udp client, 64k flows", UDP4, .flows = K64, L2},
	{"l2 udp client, 64k flows, quic ids", UDP4, .flows = K64, L2, .extra = SCENARIO_QUIC},
	{"l2 new flow", NEW4, L2},
	{"l2 ipv6 client, 64k flows", CLIENT6, .flows = K64, L2},
	{"ipip client, 1 flow", CLIENT4, .flows = 1, IPIP},
	{"ipip client, 64k flows", CLIENT4, .flows = K64, IPIP},
	{"ipip client, 1M flows", CLIENT4, .flows = M1, IPIP},
	{"ipip new flow", NEW4, IPIP},
	{"ipip ipv6 client, 64k flows", CLIENT6, .flows = K64, IPIP},
	{"ipip client, 64k flows, slots in motion", CLIENT4, .flows = K64, IPIP, .moves = true},
	{"ipip ipv6 client, 64k flows, slots in motion", CLIENT6, .flows = K64, IPIP,
	 .moves = true},
	{"ipip new flow, slots in motion", NEW4, IPIP, .moves = true},
	{"gue client, 1 flow", CLIENT4, .flows = 1, GUE},
	{"gue client, 64k flows", CLIENT4, .flows = K64, GUE},
	{"gue client, 1M flows", CLIENT4, .flows = M1, GUE},
	{"gue udp client, 64k flows", UDP4, .flows = K64, GUE},
	{"gue new flow", NEW4, GUE},
	{"gue ipv6 client, 64k flows", CLIENT6, .flows = K64, GUE},
};

const size_t scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);

const struct scenario_ratio scenario_ratios[] = {
	{"client: 64k flows over 1", "client, 64k flows", "client, 1 flow"},
	{"client: 1M flows over 1", "client, 1M flows", "client, 1 flow"},
	{"client: 1M flows, skewed over uniform", "client, 1M flows, skewed", "client, 1M flows"},
	{"endpoint: 1M flows over 1", "endpoint, 1M flows", "endpoint, 1 flow"},
	{"1M flows: endpoint over client", "endpoint, 1M flows", "client, 1M flows"},
	{"1M flows: udp over tcp", "udp client, 1M flows", "client, 1M flows"},
	{"client, 1 flow: ipv6 over ipv4", "ipv6 client, 1 flow", "client, 1 flow"},
	{"client, 64k flows: ipv6 over ipv4", "ipv6 client, 64k flows", "client, 64k flows"},
	{"client, 1M flows: ipv6 over ipv4", "ipv6 client, 1M flows", "client, 1M flows"},
	{"endpoint, 1M flows: ipv6 over ipv4", "ipv6 endpoint, 1M flows", "endpoint, 1M flows"},
	{"new flow: ipv6 over ipv4", "new ipv6 flow", "new flow"},
	{"new flow: 10k services over 1", "new flow, spread over 10k services", "new flow"},
	{"new flow: 4k endpoints over 10", "new flow, 4k endpoints", "new flow, 10 endpoints"},
	{"new flow: 10k endpoints over 10", "new flow, 10k endpoints", "new flow, 10 endpoints"},
	{"new flow: 100k networks over none", "new flow, 100k networks", "new flow"},
	{"new flow: limits over none", "new flow, limits", "new flow"},
	{"new flow: least over hash", "new flow, least", "new flow"},
	{"client, 64k flows: 100k networks over none", "client, 64k flows, 100k networks",
	 "client, 64k flows"},
	{"client, 64k flows: 10k services over 1", "client, 64k flows, spread over 10k services",
	 "client, 64k flows"},
	{"client, 64k flows: 4k endpoints over 10", "client, 64k flows, 4k endpoints",
	 "client, 64k flows, 10 endpoints"},
	{"client, 64k flows: 10k endpoints over 10", "client, 64k flows, 10k endpoints",
	 "client, 64k flows, 10 endpoints"},
	{"client, 64k flows: ipip over nat", "ipip client, 64k flows", "client, 64k flows"},
	{"new udp flow: quic ids over none", "new udp flow, quic ids", "new udp flow"},
	{"l2 udp client, 64k flows: quic ids over none", "l2 udp client, 64k flows, quic ids",
	 "l2 udp client, 64k flows"},
	{"ipip client: 1M flows over 1", "ipip client, 1M flows", "ipip client, 1 flow"},
	{"ipip client, 64k flows: in motion over settled",
	 "ipip client, 64k flows, slots in motion", "ipip client, 64k flows"},
};

const size_t scenario_ratio_count = sizeof(scenario_ratios) / sizeof(scenario_ratios[0]);
