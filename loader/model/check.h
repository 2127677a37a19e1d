/* SPDX-License-Identifier: BSD-2-Clause */
/* A configured health test: BackendTrafficPolicy healthCheck.active, defaults filled in. */
#ifndef SPILLWAY_MODEL_CHECK_H
#define SPILLWAY_MODEL_CHECK_H

#include <stddef.h>
#include <stdint.h>

enum check_type { CHECK_TCP, CHECK_HTTP, CHECK_GRPC };

struct check_payload {
	const uint8_t *bytes; /* decoded from Text or Binary; NULL: none */
	size_t len;
};

struct check {
	enum check_type type;
	uint32_t timeout_ms;		    /* 1000 */
	uint32_t interval_ms;		    /* 3000 */
	uint32_t jitter_ms;		    /* initialJitter, 0 */
	uint32_t unhealthy_threshold;	    /* 3 */
	uint32_t healthy_threshold;	    /* 1 */
	uint16_t port;			    /* overrides.port; 0: the endpoint's */
	struct check_payload send, receive; /* TCP */
	const char *http_path;
	const char *http_hostname; /* NULL: the endpoint's hostname, else its address */
	const char *http_method;   /* "GET" */
	const uint16_t *expected;  /* statuses; never empty for HTTP: 200 */
	size_t expected_count;
	const uint16_t *retriable;
	size_t retriable_count;
	struct check_payload request_body, expected_body;
	const char *grpc_service;
};

#endif
