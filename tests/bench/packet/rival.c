/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings are filled in equal parts at random: what the ring says is never the question here. */
#include "rival.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/addr.h"
#include "bench/conventional.skel.h"
#include "driver.h"
#include "fill.h"
#include "shared.h"
#include "world.h"

#define REAL6 16384 /* first IPv6 server */
#define BATCH 4096

static struct {
	struct conventional_bpf *skel;
	uint32_t services;
} rival;

int rival_open(uint32_t max_flows, uint32_t flags)
{
	struct conventional_bpf *s = conventional_bpf__open();
	struct bpf_program *p;
	int err;

	if (!s)
		return -errno;
	rival.skel = s;
	bpf_map__set_max_entries(s->maps.lru, 2 * max_flows);
	bpf_object__for_each_program(p, s->obj) bpf_program__set_flags(p, flags);
	err = conventional_bpf__load(s);
	if (err)
		return err;
	memcpy(s->bss->router_mac, world_router_mac, 6);
	err = driver_set_target(BENCH_IPIP, bpf_program__fd(s->progs.bench_ipip));
	return err ? err : driver_set_target(BENCH_GUE, bpf_program__fd(s->progs.bench_gue));
}

void rival_close(void)
{
	conventional_bpf__destroy(rival.skel);
}

static void as_words(const struct spw_addr *a, __be32 out[4])
{
	memset(out, 0, 16);
	if (addr_is_v4(a))
		out[0] = addr_v4(a);
	else
		memcpy(out, a, 16);
}

static int put_vip(int family, uint32_t n, uint8_t proto, uint32_t number)
{
	struct bench_vip_key key = {.proto = proto};
	struct bench_vip vip = {.number = number, .ring = family == 4 ? 0 : BENCH_RING};
	struct spw_addr a = world_vip(family, n);

	as_words(&a, key.addr);
	key.port = htons(proto == IPPROTO_TCP ? FILL_TCP_PORT : FILL_UDP_PORT);
	return bpf_map_update_elem(bpf_map__fd(rival.skel->maps.vips), &key, &vip, BPF_ANY);
}

/* Each server gets as many slots as the others, in no order. */
static void fill_ring(uint32_t *ring, uint32_t first, uint32_t count)
{
	uint32_t other, swap;

	for (uint32_t i = 0; i < BENCH_RING; i++)
		ring[i] = first + i % count;
	for (uint32_t i = BENCH_RING - 1; i > 0; i--) {
		other = (uint32_t)random() % (i + 1);
		swap = ring[i];
		ring[i] = ring[other];
		ring[other] = swap;
	}
}

static int put_rings(uint32_t endpoints)
{
	uint32_t *ring = malloc(BENCH_RING * sizeof(*ring));
	int fd = bpf_map__fd(rival.skel->maps.ring), err = 0;

	if (!ring)
		return -ENOMEM;
	for (uint32_t family = 0; family < 2 && !err; family++) {
		fill_ring(ring, family ? REAL6 : 0, endpoints);
		for (uint32_t i = 0; i < BENCH_RING && !err; i++) {
			uint32_t key = family * BENCH_RING + i;

			err = bpf_map_update_elem(fd, &key, &ring[i], BPF_ANY);
		}
	}
	free(ring);
	return err;
}

static int put_reals(uint32_t endpoints)
{
	int fd = bpf_map__fd(rival.skel->maps.reals), err = 0;

	for (uint32_t i = 0; i < 2 * endpoints && !err; i++) {
		bool v4 = i < endpoints;
		uint32_t key = v4 ? i : REAL6 + i - endpoints;
		struct spw_addr a = world_endpoint(v4 ? 4 : 6, i % endpoints);
		struct bench_real real;

		as_words(&a, real.addr);
		err = bpf_map_update_elem(fd, &key, &real, BPF_ANY);
	}
	return err;
}

int rival_services(uint32_t services, uint32_t endpoints)
{
	int fd = bpf_map__fd(rival.skel->maps.vips), err;
	struct bench_vip_key key;

	while (!bpf_map_get_next_key(fd, NULL, &key))
		(void)bpf_map_delete_elem(fd, &key);
	err = put_reals(endpoints);
	if (!err)
		err = put_rings(endpoints);
	for (uint32_t i = 0; i < services && !err; i++)
		err = put_vip(4, i, IPPROTO_TCP, i);
	if (!err)
		err = put_vip(4, 0, IPPROTO_UDP, services);
	if (!err)
		err = put_vip(6, 0, IPPROTO_TCP, services + 1);
	if (!err)
		err = put_vip(6, 0, IPPROTO_UDP, services + 2);
	rival.services = services + 3;
	return err;
}

int rival_clear(void)
{
	int fd = bpf_map__fd(rival.skel->maps.lru), err = 0;
	struct bench_flow_key *keys = calloc(BATCH, sizeof(*keys));
	struct bench_flow *values = calloc(BATCH, sizeof(*values));
	uint32_t count, position = 0;
	void *from = NULL;

	while (keys && values && !err) {
		count = BATCH;
		err = bpf_map_lookup_and_delete_batch(fd, from, &position, keys, values, &count,
						      NULL);
		from = &position;
	}
	if (!keys || !values)
		err = -ENOMEM;
	free(keys);
	free(values);
	return err == -ENOENT ? 0 : err;
}

uint64_t rival_packets(void)
{
	int fd = bpf_map__fd(rival.skel->maps.sums), cpus = libbpf_num_possible_cpus();
	struct bench_sum *row = calloc((size_t)cpus, sizeof(*row));
	uint64_t sum = 0;

	for (uint32_t i = 0; row && i < rival.services; i++) {
		if (bpf_map_lookup_elem(fd, &i, row))
			continue;
		for (int c = 0; c < cpus; c++)
			sum += row[c].packets;
	}
	free(row);
	return sum;
}
