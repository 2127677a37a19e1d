/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows as the daemon would write them, and outer headers as the RFCs have them. */
#include "direct_world.h"

#include <string.h>

#include <bpf/bpf.h>

#include "spillway.skel.h"
#include "world.h"

#define GUE_PORT 6080

void direct_put_row(struct bpf_map *map, uint32_t key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), &key, value, BPF_ANY), 0);
}

void direct_on(void)
{
	struct spw_addr_line all;

	memset(&all, 0xff, sizeof(all));
	for (uint32_t i = 0; i < bpf_map__max_entries(world.skel->maps.direct_bits); i++)
		direct_put_row(world.skel->maps.direct_bits, i, &all);
	world.config.direct = 1;
	world_put_config();
}

void direct_set_mode(uint32_t id, uint8_t mode)
{
	struct spw_endpoint e = world_endpoint(id);

	e.mode = mode;
	world_put_endpoint(id, &e);
}

void direct_set_row(uint32_t service, uint32_t motion)
{
	for (uint32_t side = 0; side < 2; side++) {
		struct spw_service_row row = world_row(service, side);

		row.flags |= SPW_SERVICE_DIRECT | (motion ? SPW_SERVICE_MOTION : 0);
		row.flags &= motion ? ~0u : ~(uint32_t)SPW_SERVICE_MOTION;
		row.motion = motion;
		world_row_on_side(service, side, &row);
	}
}

void direct_set_motion(uint32_t service, uint16_t was, uint64_t ago_ns)
{
	struct spw_motion_line line = {.at[0] = {.since = 1}};
	const uint32_t ticks = (uint32_t)(ago_ns * world.skel->rodata->ticks_a_second / SECOND_NS);

	direct_put_row(world.skel->maps.motions, 1, &line);
	line.at[0] = (struct spw_motion){.since = world_sweep(0).now - ticks, .was = was};
	direct_put_row(world.skel->maps.motions, 2, &line);
	direct_set_row(service, was ? 1 : 0);
}

bool direct_is_v6(uint32_t service)
{
	return service == TCP6 || service == UDP6;
}

uint32_t direct_service(uint32_t service, uint8_t mode)
{
	const uint32_t id = direct_is_v6(service) ? WEB6_A : WEB4_A;

	direct_on();
	direct_set_mode(id, mode);
	world_serve(service, (uint16_t[]){(uint16_t)id}, 1);
	direct_set_row(service, 0);
	return id;
}

struct desc direct_moved(uint32_t service, uint64_t ago_ns)
{
	direct_service(service, SPW_MODE_IPIP);
	direct_set_mode(WEB4_B, SPW_MODE_IPIP);
	world_serve(service, (uint16_t[]){WEB4_B}, 1);
	direct_set_motion(service, WEB4_A, ago_ns);
	return from_client(service);
}

/* The client's frame as it goes on within the outer packet, or as it is. */
static void aged(const struct frame *in, bool v4, struct frame *out)
{
	*out = *in;
	out->b[FRAME_ETH + (v4 ? 8 : 7)]--;
	if (v4)
		frame_fix_ip4(out);
}

/* IPIP: an outer header in front of the inner packet, as RFC 2003 and 2473 have it. */
static void put_ipip(const struct desc *outer, const struct frame *inner, struct frame *out)
{
	const bool v4 = desc_is_v4(outer);
	const size_t header = v4 ? 20 : 40, len = inner->len - FRAME_ETH;
	struct desc d = *outer;

	d.proto = IPPROTO_UDP; /* for the header, whose length and protocol are put right below */
	frame_build(&d, out);
	memcpy(out->b + FRAME_ETH + header, inner->b + FRAME_ETH, len);
	out->len = FRAME_ETH + header + len;
	if (v4) {
		out->b[FRAME_ETH + 9] = IPPROTO_IPIP;
		frame_put16(out, FRAME_ETH + 2, (uint16_t)(header + len));
		frame_fix_ip4(out);
	} else {
		out->b[FRAME_ETH + 6] = IPPROTO_IPV6;
		frame_put16(out, FRAME_ETH + 4, (uint16_t)len);
	}
}

static bool is_source(const struct spw_addr *a)
{
	const struct spw_settings *s = &world.config.settings[0];

	for (int i = 0; i < SPW_SOURCES_MAX; i++) {
		if (!memcmp(&s->source[i], a, sizeof(*a)))
			return true;
	}
	return false;
}

void direct_outer(const struct frame *got, uint32_t id, const struct desc *inner,
		  struct desc *outer)
{
	const bool v4 = desc_is_v4(inner);
	const uint8_t *ip = got->b + FRAME_ETH;

	*outer = (struct desc){.dst = world_endpoint(id).addr,
			       .tos = inner->tos,
			       .no_checksum = inner->no_checksum};
	memset(outer->src.b, 0, 10);
	memset(outer->src.b + 10, 0xff, 2);
	memcpy(v4 ? outer->src.b + 12 : outer->src.b, ip + (v4 ? 12 : 8), v4 ? 4 : 16);
	outer->sport = (uint16_t)(ip[v4 ? 20 : 40] << 8 | ip[v4 ? 21 : 41]);
	outer->dport = GUE_PORT;
	memcpy(outer->smac, mac_gateway_server, 6);
	mac_of(&outer->dst, outer->dmac);
	if (id == FAR4)
		memcpy(outer->dmac, mac_router, 6);
}

void direct_expected(uint8_t mode, const struct frame *got, uint32_t id, const struct desc *d,
		     const struct frame *in, struct frame *want)
{
	const bool v4 = desc_is_v4(d);
	struct frame inner;
	struct desc outer;

	aged(in, v4, &inner);
	direct_outer(got, id, d, &outer);
	if (mode == SPW_MODE_L2) {
		*want = inner;
		memcpy(want->b, outer.dmac, 6);
		memcpy(want->b + 6, outer.smac, 6);
		return;
	}
	if (mode == SPW_MODE_IPIP) {
		put_ipip(&outer, &inner, want);
	} else {
		assert_in_range(outer.sport, 49152, 65535);
		outer.proto = IPPROTO_UDP;
		outer.payload = inner.len - FRAME_ETH;
		outer.bytes = inner.b + FRAME_ETH;
		frame_build(&outer, want);
	}
	assert_true(is_source(&outer.src));
	if (v4) {
		memcpy(want->b + FRAME_ETH + 4, (uint8_t[]){0, 0}, 2);
		frame_fix_ip4(want);
	} else { /* the label is no part of any checksum */
		want->b[FRAME_ETH + 1] |= got->b[FRAME_ETH + 1] & 15;
		memcpy(want->b + FRAME_ETH + 2, got->b + FRAME_ETH + 2, 2);
	}
}
