/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The annotation spillway.dev/quic-server-ids: which server id each endpoint puts into its QUIC connection IDs
 * (<spillway/quic.h>). Words, between white space or commas:
 *
 *	0:                       the configuration that what follows is of; without one it is 0
 *	address/2                an endpoint's id is the last two octets of its address
 *	192.0.2.1:443=0a01       or this, in hexadecimal
 */
#ifndef SPILLWAY_MANIFEST_QUIC_IDS_H
#define SPILLWAY_MANIFEST_QUIC_IDS_H

#include <spillway/quic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* An endpoint that is named with its id. */
struct quic_named {
	struct spw_addr addr;
	uint16_t port; /* host order */
	uint8_t id[SPW_QUIC_ID_MAX];
};

struct quic_config {
	uint8_t id_len; /* octets of every id; 0: there is no such configuration */
	bool by_address;
	struct quic_named *named; /* by address and port */
	size_t count;
};

struct quic_ids {
	struct quic_config configs[SPW_QUIC_CONFIGS];
};

/* What is wrong with the text, in `a`, or NULL; *out is only filled in then. */
const char *quic_ids_parse(struct arena *a, const char *text, size_t len, struct quic_ids *out);

/* Where the endpoint is named, or NULL. */
const struct quic_named *quic_ids_named(const struct quic_config *c, const struct spw_addr *addr,
					uint16_t port);

/* An endpoint's id, c->id_len octets; false: it has none. */
bool quic_ids_find(const struct quic_config *c, const struct spw_addr *addr, uint16_t port,
		   uint8_t id[SPW_QUIC_ID_MAX]);

/* "0a01", in `a`. */
const char *quic_ids_text(struct arena *a, const uint8_t *id, uint8_t len);

#endif
