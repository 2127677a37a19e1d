/* SPDX-License-Identifier: BSD-2-Clause */
/* IP addresses: one 16-byte form for both families, IPv4 as IPv4-mapped IPv6 (RFC 4291 2.5.5.2). */
#ifndef SPILLWAY_BASE_ADDR_H
#define SPILLWAY_BASE_ADDR_H

#include <spillway/abi.h>
#include <stdbool.h>
#include <stdint.h>

#define ADDR_TEXT_MAX	   46 /* INET6_ADDRSTRLEN */
#define ADDR_PORT_TEXT_MAX 54 /* "[v6]:65535" and NUL */

/*
 * Any textual IPv4 or IPv6 address, canonicalised; IPv4-mapped becomes IPv4. Zone ids, brackets,
 * prefixes and leading zeros in IPv4 are refused: -EINVAL, *out untouched.
 */
int addr_parse(const char *text, struct spw_addr *out);

/* "ADDR:PORT" or "[ADDR]:PORT"; the port in host order, 1..65535. -EINVAL otherwise. */
int addr_parse_port(const char *text, struct spw_addr *addr, uint16_t *port);

/* Canonical text (RFC 5952), `buf` of ADDR_TEXT_MAX bytes; returns buf. */
const char *addr_print(const struct spw_addr *a, char *buf);

/* "10.0.0.1:80", "[2001:db8::1]:80"; the port in host order; `buf` of ADDR_PORT_TEXT_MAX. */
const char *addr_print_port(const struct spw_addr *a, uint16_t port, char *buf);

bool addr_is_v4(const struct spw_addr *a);
bool addr_is_loopback(const struct spw_addr *a);
bool addr_is_unspecified(const struct spw_addr *a);
bool addr_is_multicast(const struct spw_addr *a);
bool addr_is_link_local(const struct spw_addr *a);
bool addr_equal(const struct spw_addr *a, const struct spw_addr *b);
int addr_compare(const struct spw_addr *a, const struct spw_addr *b); /* as memcmp */

/* From and to the kernel's forms; addr_v4 needs addr_is_v4(). Network order. */
struct spw_addr addr_from_v4(__be32 v4);
struct spw_addr addr_from_v6(const void *v6_16_bytes);
__be32 addr_v4(const struct spw_addr *a);

#endif
