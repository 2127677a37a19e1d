/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a packet for the stub: what is read must be answerable within its room, and the
 * answer must repeat the question. What is taken for a name must be one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "dns/stub_packet.h"

static void require(bool what)
{
	if (!what)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct spw_addr addrs[64];
	struct stub_reply r = {.addrs = addrs, .count = size % 65, .ttl_s = 60};
	uint8_t out[STUB_ANSWER_MAX];
	struct stub_question q;
	enum stub_reading reading = stub_read(data, size, &q, &r.code);
	size_t len;

	if (reading == STUB_DROP)
		return 0;
	require(strlen(q.name) < STUB_NAME_MAX && q.wire_len <= STUB_WIRE_MAX);
	require(q.wire_len == strlen(q.name) + (q.name[0] ? 2 : 1) + 4);
	(void)stub_name_is_refused(q.name);
	if (reading == STUB_TELL)
		r.count = 0;
	len = stub_write(&q, &r, out);
	require(len <= q.room && q.room <= sizeof(out));
	require(memcmp(out, data, 2) == 0 && out[2] & 0x80);
	require(memcmp(out + 12, data + 12, q.wire_len) == 0);
	return 0;
}
