/* SPDX-License-Identifier: BSD-2-Clause */
/* What HTTP and gRPC checks have in common: one request by curl, on a connection of its own. */
#ifndef SPILLWAY_HEALTH_TRANSFER_H
#define SPILLWAY_HEALTH_TRANSFER_H

#include "health/http_loop.h"
#include "health/probe.h"

struct tls_context;
struct transfer;

/* What the type of check adds. */
struct transfer_type {
	bool always_h2; /* else HTTP/2 is for Backends of application protocol h2c */
	/* All options of the request; false when out of memory. */
	bool (*set_up)(struct transfer *t);
	/* The answer is here, complete. */
	struct verdict (*judge)(struct transfer *t);
	void (*release)(struct transfer *t); /* of what the type itself has, and `t` */
};

/* First member of the type's own struct. */
struct transfer {
	struct probe probe;
	const struct transfer_type *type;
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct tls_context *tls; /* NULL: plain */
	bool wants_h2;
	int socket_error; /* errno of socket(), 0: none */
	char error[CURL_ERROR_SIZE];
};

/*
 * Starts it. `t` is zeroed but for what the type needs; it is released on failure, too. Returns as
 * the start functions of probe.h do.
 */
struct probe *transfer_start(struct transfer *t, const struct transfer_type *type,
			     const struct probe_tools *tools, const struct probe_order *order,
			     struct verdict *now);

/* Adds a header line; false when out of memory. */
bool transfer_header(struct transfer *t, const char *line);

#endif
