/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two messages of grpc.health.v1.Health/Check with their gRPC frame, by hand: one string, one
 * enum. Pure.
 */
#ifndef SPILLWAY_HEALTH_GRPC_MESSAGE_H
#define SPILLWAY_HEALTH_GRPC_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define GRPC_FRAME_BYTES 5 /* compressed or not, and the length */

/* HealthCheckResponse.ServingStatus */
enum grpc_serving {
	GRPC_UNKNOWN = 0,
	GRPC_SERVING = 1,
	GRPC_NOT_SERVING = 2,
	GRPC_SERVICE_UNKNOWN = 3,
};

/* A frame with HealthCheckRequest{service}; its length, at most `size`, or 0: no room. */
size_t grpc_encode_request(const char *service, uint8_t *buf, size_t size);

/* The status in a frame with HealthCheckResponse; -1: that is not one. */
int grpc_decode_response(const uint8_t *data, size_t len);

/* "NOT_FOUND" of 5; NULL: there is no such code. */
const char *grpc_code_name(unsigned code);

#endif
