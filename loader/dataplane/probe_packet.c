/* SPDX-License-Identifier: BSD-2-Clause */
/* Built and read byte by byte: no structs, no alignment, no byte order of the host. */
#include "dataplane/probe_packet.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "base/addr.h"

#define ARP_BYTES	28
#define IP6_BYTES	40
#define ND_BYTES	24 /* the message and its target */
#define ND_OPTION_BYTES 8
#define ND_SOLICIT	135
#define ND_ADVERT	136
#define ND_OVERRIDE	0x20
#define ND_TARGET_MAC	2

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static size_t arp(uint8_t *frame, const uint8_t mac[6], const struct spw_addr *addr, bool announce)
{
	uint8_t *a = frame + ETH_HLEN;

	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 6);
	put16(frame + 12, ETH_P_ARP);
	memset(a, 0, ARP_BYTES);
	put16(a, 1);
	put16(a + 2, ETH_P_IP);
	a[4] = 6;
	a[5] = 4;
	put16(a + 6, 1);
	memcpy(a + 8, mac, 6);
	if (announce)
		memcpy(a + 14, &addr->b[12], 4);
	memcpy(a + 24, &addr->b[12], 4);
	return ETH_HLEN + ARP_BYTES;
}

/* ICMPv6 checksum over the pseudo-header (RFC 8200 8.1); `icmp` is an even number of bytes. */
static uint16_t checksum(const uint8_t *ip6, const uint8_t *icmp, size_t len)
{
	uint32_t sum = (uint32_t)len + IPPROTO_ICMPV6;

	for (size_t i = 8; i < IP6_BYTES; i += 2)
		sum += get16(ip6 + i);
	for (size_t i = 0; i < len; i += 2)
		sum += get16(icmp + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The multicast MAC is made of the destination's last four bytes, RFC 2464 section 7. */
static void ip6_header(uint8_t *frame, const uint8_t mac[6], const uint8_t dest[16], size_t payload)
{
	uint8_t *ip = frame + ETH_HLEN;

	frame[0] = frame[1] = 0x33;
	memcpy(frame + 2, dest + 12, 4);
	memcpy(frame + 6, mac, 6);
	put16(frame + 12, ETH_P_IPV6);
	memset(ip, 0, IP6_BYTES);
	ip[0] = 0x60;
	put16(ip + 4, (uint16_t)payload);
	ip[6] = IPPROTO_ICMPV6;
	ip[7] = 255;
	memcpy(ip + 24, dest, 16);
}

static size_t nd_ask(uint8_t *frame, const uint8_t mac[6], const struct spw_addr *addr)
{
	uint8_t dest[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
	uint8_t *icmp = frame + ETH_HLEN + IP6_BYTES;

	memcpy(dest + 13, &addr->b[13], 3);
	ip6_header(frame, mac, dest, ND_BYTES);
	memset(icmp, 0, ND_BYTES);
	icmp[0] = ND_SOLICIT;
	memcpy(icmp + 8, addr->b, 16);
	put16(icmp + 2, checksum(frame + ETH_HLEN, icmp, ND_BYTES));
	return ETH_HLEN + IP6_BYTES + ND_BYTES;
}

static size_t nd_announce(uint8_t *frame, const uint8_t mac[6], const struct spw_addr *addr)
{
	static const uint8_t all_nodes[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
	uint8_t *icmp = frame + ETH_HLEN + IP6_BYTES;
	size_t len = ND_BYTES + ND_OPTION_BYTES;

	ip6_header(frame, mac, all_nodes, len);
	memcpy(frame + ETH_HLEN + 8, addr->b, 16);
	memset(icmp, 0, len);
	icmp[0] = ND_ADVERT;
	icmp[4] = ND_OVERRIDE;
	memcpy(icmp + 8, addr->b, 16);
	icmp[24] = ND_TARGET_MAC;
	icmp[25] = 1;
	memcpy(icmp + 26, mac, 6);
	put16(icmp + 2, checksum(frame + ETH_HLEN, icmp, len));
	return ETH_HLEN + IP6_BYTES + len;
}

size_t probe_packet_ask(uint8_t frame[PROBE_PACKET_BYTES], const uint8_t mac[6],
			const struct spw_addr *addr)
{
	return addr_is_v4(addr) ? arp(frame, mac, addr, false) : nd_ask(frame, mac, addr);
}

size_t probe_packet_announce(uint8_t frame[PROBE_PACKET_BYTES], const uint8_t mac[6],
			     const struct spw_addr *addr)
{
	return addr_is_v4(addr) ? arp(frame, mac, addr, true) : nd_announce(frame, mac, addr);
}

static bool read_arp(const uint8_t *a, size_t len, struct spw_addr *addr, uint8_t mac[6])
{
	static const uint8_t ethernet_ip[6] = {0, 1, 8, 0, 6, 4};
	static const uint8_t nobody[4];
	const uint8_t *who = a + 14;
	__be32 v4;

	if (len < ARP_BYTES || memcmp(a, ethernet_ip, 6))
		return false;
	if (!memcmp(who, nobody, 4))
		who = a + 24; /* a probe of somebody who wants it too */
	memcpy(&v4, who, 4);
	*addr = addr_from_v4(v4);
	memcpy(mac, a + 8, 6);
	return true;
}

static bool read_nd(const uint8_t *frame, size_t len, struct spw_addr *addr, uint8_t mac[6])
{
	static const uint8_t nobody[16];
	const uint8_t *ip = frame + ETH_HLEN, *icmp = ip + IP6_BYTES;

	if (len < ETH_HLEN + IP6_BYTES + ND_BYTES || ip[6] != IPPROTO_ICMPV6 || ip[7] != 255)
		return false;
	if (icmp[0] != ND_ADVERT && (icmp[0] != ND_SOLICIT || memcmp(ip + 8, nobody, 16)))
		return false;
	*addr = addr_from_v6(icmp + 8);
	memcpy(mac, frame + 6, 6);
	return true;
}

bool probe_packet_read(const uint8_t *frame, size_t len, struct spw_addr *addr, uint8_t mac[6])
{
	if (len < ETH_HLEN)
		return false;
	if (get16(frame + 12) == ETH_P_ARP)
		return read_arp(frame + ETH_HLEN, len - ETH_HLEN, addr, mac);
	if (get16(frame + 12) == ETH_P_IPV6)
		return read_nd(frame, len, addr, mac);
	return false;
}
