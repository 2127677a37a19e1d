/* SPDX-License-Identifier: BSD-2-Clause */
/* Protocol Buffers wire format: a tag is (field << 3 | type), numbers are in groups of 7 bits. */
#include "health/grpc_message.h"

#include <string.h>

#define TAG_SERVICE 0x0a /* field 1, length-delimited */
#define VARINT_MAX  10

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

size_t grpc_encode_request(const char *service, uint8_t *buf, size_t size)
{
	size_t len = strlen(service), at = GRPC_FRAME_BYTES, body;

	if (len + GRPC_FRAME_BYTES + 1 + VARINT_MAX > size)
		return 0;
	if (len) {
		buf[at++] = TAG_SERVICE;
		for (size_t rest = len; rest; rest >>= 7)
			buf[at++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
		memcpy(buf + at, service, len);
		at += len;
	}
	body = at - GRPC_FRAME_BYTES;
	buf[0] = 0;
	for (int i = 0; i < 4; i++)
		buf[1 + i] = (uint8_t)(body >> (24 - 8 * i));
	return at;
}

/* Bytes that a number took, 0: it is cut off or too long. */
static size_t read_varint(const uint8_t *data, size_t len, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < len && i < VARINT_MAX; i++) {
		*value |= (uint64_t)(data[i] & 0x7f) << (7 * i);
		if (!(data[i] & 0x80))
			return i + 1;
	}
	return 0;
}

/* Bytes of a field's value of the type, 0: it is cut off. *value is set for numbers. */
static size_t read_value(unsigned type, const uint8_t *data, size_t len, uint64_t *value)
{
	uint64_t bytes = 0;
	size_t n;

	switch (type) {
	case WIRE_VARINT:
		return read_varint(data, len, value);
	case WIRE_FIXED64:
		return len < 8 ? 0 : 8;
	case WIRE_FIXED32:
		return len < 4 ? 0 : 4;
	case WIRE_BYTES:
		n = read_varint(data, len, &bytes);
		return n == 0 || bytes > len - n ? 0 : n + (size_t)bytes;
	}
	return 0;
}

/* The last one counts, and without any it is 0, as everywhere in Protocol Buffers. */
int grpc_decode_response(const uint8_t *data, size_t len)
{
	uint32_t body;
	int status = GRPC_UNKNOWN;

	if (len < GRPC_FRAME_BYTES || data[0] != 0)
		return -1;
	body = (uint32_t)data[1] << 24 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 8 | data[4];
	if (body != len - GRPC_FRAME_BYTES)
		return -1;
	for (size_t at = GRPC_FRAME_BYTES; at < len;) {
		uint64_t tag, value = 0;
		size_t n = read_varint(data + at, len - at, &tag), m;

		if (n == 0)
			return -1;
		at += n;
		m = read_value(tag & 7, data + at, len - at, &value);
		if (m == 0)
			return -1;
		at += m;
		if (tag == (1 << 3 | WIRE_VARINT))
			status = value > GRPC_SERVICE_UNKNOWN ? GRPC_UNKNOWN : (int)value;
	}
	return status;
}

const char *grpc_code_name(unsigned code)
{
	static const char *const names[] = {
		"OK",
		"CANCELLED",
		"UNKNOWN",
		"INVALID_ARGUMENT",
		"DEADLINE_EXCEEDED",
		"NOT_FOUND",
		"ALREADY_EXISTS",
		"PERMISSION_DENIED",
		"RESOURCE_EXHAUSTED",
		"FAILED_PRECONDITION",
		"ABORTED",
		"OUT_OF_RANGE",
		"UNIMPLEMENTED",
		"INTERNAL",
		"UNAVAILABLE",
		"DATA_LOSS",
		"UNAUTHENTICATED",
	};

	return code < sizeof(names) / sizeof(names[0]) ? names[code] : NULL;
}
