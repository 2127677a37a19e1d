/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that ask whether somebody has an address, and those that say we do; pure. */
#ifndef SPILLWAY_DATAPLANE_PROBE_PACKET_H
#define SPILLWAY_DATAPLANE_PROBE_PACKET_H

#include <spillway/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_PACKET_BYTES 96

/* RFC 5227 ARP probe; for IPv6 the solicitation of RFC 4862 5.4.2. Returns the frame's length. */
size_t probe_packet_ask(uint8_t frame[PROBE_PACKET_BYTES], const uint8_t mac[6],
			const struct spw_addr *addr);
/* RFC 5227 announcement (gratuitous ARP); for IPv6 an unsolicited advertisement, RFC 4861 7.2.6. */
size_t probe_packet_announce(uint8_t frame[PROBE_PACKET_BYTES], const uint8_t mac[6],
			     const struct spw_addr *addr);

/*
 * Whether the frame says that its sender has an address, or wants it (another probe of it): which
 * one, and by which MAC.
 */
bool probe_packet_read(const uint8_t *frame, size_t len, struct spw_addr *addr, uint8_t mac[6]);

#endif
