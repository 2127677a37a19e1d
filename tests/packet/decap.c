/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds tunnels' packets from a description, and compares what comes out of them. */
#include "decap.h"
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "decap.skel.h"

#define LOOPBACK 1 /* the interface that frames leave by in a test run */
#define MSS4	 1412
#define MSS6	 1392

static struct decap_bpf *skel;

static int put_prefix(struct bpf_map *map, const char *addr, uint32_t bits)
{
	struct spw_decap_prefix key = {.bits = bits, .addr = addr_of(addr)};
	const uint32_t one = 1;

	return bpf_map_update_elem(bpf_map__fd(map), &key, &one, BPF_ANY);
}

static int put_host(const char *text)
{
	struct spw_addr addr = addr_of(text);
	const uint32_t one = 1;

	return bpf_map_update_elem(bpf_map__fd(skel->maps.decap_hosts), &addr, &one, BPF_ANY);
}

static int fill(void)
{
	const struct spw_decap_mss mss = {MSS4, MSS6};
	const uint32_t loopback = LOOPBACK;

	return put_prefix(skel->maps.decap_vips, VIP4, 128) ||
	       put_prefix(skel->maps.decap_vips, VIP6, 128) ||
	       put_prefix(skel->maps.decap_vips, "198.18.5.0", 96 + 24) ||
	       put_prefix(skel->maps.decap_vips, "2001:db8:5::", 48) ||
	       put_prefix(skel->maps.decap_gateways, "10.1.0.0", 96 + 24) ||
	       put_prefix(skel->maps.decap_gateways, "fd00:1::", 64) || put_host("10.1.0.1") ||
	       put_host("fd00:1::1") ||
	       bpf_map_update_elem(bpf_map__fd(skel->maps.decap_mss), &loopback, &mss, BPF_ANY);
}

int decap_open(void **state)
{
	(void)state;
	skel = decap_bpf__open();
	if (!skel)
		return -1;
	skel->rodata->decap_ports[0] = DECAP_PORT;
	skel->rodata->decap_ports[1] = DECAP_PORT2;
	return decap_bpf__load(skel) || fill() ? -1 : 0;
}

int decap_close(void **state)
{
	(void)state;
	decap_bpf__destroy(skel);
	return 0;
}

int decap_reset(void **state)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *zeros = calloc((size_t)cpus, sizeof(*zeros));
	int err = !zeros;

	(void)state;
	for (uint32_t i = 0; i < SPW_DECAP_STAT_MAX && !err; i++)
		err = bpf_map_update_elem(bpf_map__fd(skel->maps.decap_stats), &i, zeros, BPF_ANY);
	free(zeros);
	return err;
}

uint64_t decap_stat(enum spw_decap_stat row)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *values = calloc((size_t)cpus, sizeof(*values)), sum = 0;
	uint32_t key = row;

	assert_non_null(values);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(skel->maps.decap_stats), &key, values), 0);
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	free(values);
	return sum;
}

struct wrap decap_wrap(int family, enum wrap_kind kind)
{
	return (struct wrap){
		.family = family,
		.kind = kind,
		.from = addr_of(family == 4 ? "10.1.0.20" : "fd00:1::20"),
		.to = addr_of(family == 4 ? "10.1.0.1" : "fd00:1::1"),
		.port = DECAP_PORT,
	};
}

struct desc decap_client(int family)
{
	struct desc d = from_client(family == 4 ? UDP4 : UDP6);

	d.src = addr_of(family == 4 ? "203.0.113.77" : "2001:db8:c::77");
	d.ttl = 17;
	return d;
}

static size_t ip_len(const struct wrap *w)
{
	return w->family == 4 ? 20 + w->options * 4u : 40 + (w->limit ? 8u : 0u);
}

static size_t tunnel_len(const struct wrap *w)
{
	const size_t of_kind[] = {[WRAP_IPIP] = 0, [WRAP_GUE1] = 8, [WRAP_GUE0] = 8 + 4};

	return of_kind[w->kind] + (w->kind == WRAP_GUE0 ? w->gue_words * 4u : 0);
}

size_t wrap_payload(const struct wrap *w)
{
	return FRAME_ETH + ip_len(w) + tunnel_len(w);
}

static uint8_t wrap_proto(const struct desc *inner, const struct wrap *w)
{
	if (w->kind != WRAP_IPIP)
		return IPPROTO_UDP;
	return desc_is_v4(inner) ? IPPROTO_IPIP : IPPROTO_IPV6;
}

static void put_outer4(const struct wrap *w, uint8_t proto, size_t total, struct frame *f)
{
	uint8_t *ip = f->b + FRAME_ETH;

	ip[0] = (uint8_t)(0x45 + w->options);
	ip[1] = w->tos;
	frame_put16(f, FRAME_ETH + 2, (uint16_t)total);
	frame_put16(f, FRAME_ETH + 6, w->fragment);
	ip[8] = 64;
	ip[9] = proto;
	memcpy(ip + 12, w->from.b + 12, 4);
	memcpy(ip + 16, w->to.b + 12, 4);
	memset(ip + 20, 1, w->options * 4u); /* no operation */
	frame_fix_ip4(f);
}

static void put_outer6(const struct wrap *w, uint8_t proto, size_t total, struct frame *f)
{
	const uint8_t limit[] = {proto, 0, 4, 1, 4, 1, 1, 0};
	uint8_t *ip = f->b + FRAME_ETH;

	ip[0] = (uint8_t)(0x60 | w->tos >> 4);
	ip[1] = (uint8_t)(w->tos << 4);
	frame_put16(f, FRAME_ETH + 4, (uint16_t)(total - 40));
	ip[6] = w->limit ? IPPROTO_DSTOPTS : proto;
	ip[7] = 64;
	memcpy(ip + 8, w->from.b, 16);
	memcpy(ip + 24, w->to.b, 16);
	if (w->limit)
		memcpy(ip + 40, limit, sizeof(limit));
}

static void put_gue(const struct desc *inner, const struct wrap *w, size_t total, struct frame *f)
{
	size_t at = FRAME_ETH + ip_len(w);

	frame_put16(f, at, 50000);
	frame_put16(f, at + 2, w->port);
	frame_put16(f, at + 4, (uint16_t)(total - ip_len(w) - w->udp_shorter));
	frame_put16(f, at + 6, w->udp_sum);
	if (w->kind != WRAP_GUE0)
		return;
	f->b[at + 8] = w->gue_words;
	f->b[at + 9] = desc_is_v4(inner) ? IPPROTO_IPIP : IPPROTO_IPV6;
	memset(f->b + at + 12, 0xee, w->gue_words * 4u);
}

void decap_build(const struct desc *inner, const struct wrap *w, struct frame *out)
{
	size_t at = wrap_payload(w), total;
	struct frame f;

	frame_build(inner, &f);
	memset(out, 0, sizeof(*out));
	out->len = at + f.len - FRAME_ETH + w->padding;
	total = out->len - FRAME_ETH - w->padding - w->shorter;
	assert_true(out->len <= sizeof(out->b));
	memcpy(out->b, f.b, 12);
	frame_put16(out, 12, w->family == 4 ? 0x0800 : 0x86dd);
	memcpy(out->b + at, f.b + FRAME_ETH, f.len - FRAME_ETH);
	if (w->family == 4)
		put_outer4(w, wrap_proto(inner, w), total, out);
	else
		put_outer6(w, wrap_proto(inner, w), total, out);
	if (w->kind != WRAP_IPIP)
		put_gue(inner, w, total, out);
	if (w->tag)
		frame_tag(out, w->tag);
}

static void put16(uint8_t *b, size_t value)
{
	b[0] = (uint8_t)(value >> 8);
	b[1] = (uint8_t)value;
}

void decap_put_lengths(uint8_t *frame, size_t len, size_t at)
{
	struct frame head = {.len = FRAME_ETH + 20};

	memcpy(head.b, frame, head.len);
	put16(head.b + FRAME_ETH + 2, len - FRAME_ETH);
	frame_fix_ip4(&head);
	memcpy(frame, head.b, head.len);
	put16(frame + FRAME_ETH + 20 + 4, len - FRAME_ETH - 20);
	put16(frame + at + 2, len - at);
}

static int send_to(const struct bpf_program *program, const void *in, size_t len, void *out,
		   size_t *out_len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = (uint32_t)len,
		    .data_out = out, .data_size_out = (uint32_t)*out_len);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
	*out_len = opts.data_size_out;
	return (int)opts.retval;
}

int decap_send(const struct frame *in, struct frame *out)
{
	out->len = sizeof(out->b);
	return send_to(skel->progs.spillway_decap, in->b, in->len, out->b, &out->len);
}

int decap_send_bytes(const uint8_t *in, size_t len, uint8_t *out)
{
	size_t out_len = len;

	return send_to(skel->progs.spillway_decap, in, len, out, &out_len);
}

void decap_send_out(const struct frame *in, struct frame *out)
{
	out->len = sizeof(out->b);
	assert_int_equal(send_to(skel->progs.spillway_mss, in->b, in->len, out->b, &out->len), -1);
}

void decap_expect(const struct desc *inner, const struct wrap *w, uint8_t tos)
{
	struct desc want = *inner;
	struct frame in, out, built;

	decap_build(inner, w, &in);
	assert_int_equal(decap_send(&in, &out), XDP_PASS);
	want.tos = tos;
	frame_build(&want, &built);
	built.len += w->padding; /* zeros */
	if (w->tag)
		frame_tag(&built, w->tag);
	frame_assert_equal(&out, &built);
}

void decap_expect_dropped(const struct desc *inner, const struct wrap *w)
{
	uint64_t before = decap_stat(SPW_DECAP_DROP_ECN);
	struct frame in, out;

	decap_build(inner, w, &in);
	assert_int_equal(decap_send(&in, &out), XDP_DROP);
	assert_int_equal(decap_stat(SPW_DECAP_DROP_ECN), before + 1);
}

void decap_expect_pass(const struct frame *f, enum spw_decap_stat reason)
{
	uint64_t before = decap_stat(reason);
	struct frame out;

	assert_int_equal(decap_send(f, &out), XDP_PASS);
	frame_assert_equal(&out, f);
	assert_int_equal(decap_stat(reason), before + 1);
}
