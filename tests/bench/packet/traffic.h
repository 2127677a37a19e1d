/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of flows, and traces of packets drawn from them. */
#ifndef SPILLWAY_BENCH_TRAFFIC_H
#define SPILLWAY_BENCH_TRAFFIC_H

#include <stdint.h>

#include "frames.h"

struct traffic {
	struct shape shape;
	struct bench_row *rows; /* one a flow, checksums not set; owned */
	uint32_t count;
};

enum order {
	ORDER_EACH,    /* every flow once */
	ORDER_UNIFORM, /* each packet of any flow */
	ORDER_SKEWED,  /* 80 % of the packets of 20 % of the flows, and so on within these */
};

/* From clients to the first `services` services, in no order. */
int traffic_clients(int family, uint8_t proto, uint32_t flows, uint32_t services,
		    struct traffic *out);
/* From clients to addresses that are not ours. */
int traffic_foreign(int family, uint32_t flows, struct traffic *out);
/*
 * Of the flows that the product has, which must be about so many: from clients, and the answers of
 * endpoints.
 */
int traffic_known(int family, uint8_t proto, uint32_t flows, struct traffic *out);
int traffic_endpoints(int family, uint8_t proto, uint32_t flows, struct traffic *out);
/* ICMP errors about these: from endpoints to us. IPv4. */
int traffic_errors(uint32_t flows, struct traffic *out);
int traffic_arp(struct traffic *out);
void traffic_done(struct traffic *t);

/* Makes the driver's image and trace; returns the rows of the trace. */
uint32_t traffic_load(const struct traffic *t, uint8_t tcp_flags, enum order order);

#endif
