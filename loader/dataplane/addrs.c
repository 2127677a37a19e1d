/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map `addrs` lets packets that are not ours leave early. A source address stays in it while
 * flows live, though new flows may use another one by now.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include <spillway/hash.h>

#include "base/addr.h"
#include "dataplane/state.h"

static uint32_t bit_of(const struct dataplane *dp, const struct spw_addr *addr)
{
	return spw_addr_hash(addr) & (maps_addr_bits(dp->meta.max_services) - 1);
}

/* Before its address is in the map, so that no packet to it passes by. */
static void set_bit(struct dataplane *dp, const struct spw_addr *addr)
{
	uint32_t bit = bit_of(dp, addr);
	__u64 *word =
		&dp->maps.addr_bits[bit / SPW_ADDR_LINE_BITS].w[bit % SPW_ADDR_LINE_BITS / 64];

	__atomic_fetch_or(word, 1ull << bit % 64, __ATOMIC_RELEASE);
}

/* What is left of the map, word by word: a bit that stays is never off in between. */
static void rebuild_bits(struct dataplane *dp)
{
	const uint32_t words = maps_addr_bits(dp->meta.max_services) / 64;
	AUTO(free) uint64_t *bits = calloc(words, sizeof(*bits));
	struct spw_addr key, *previous = NULL;

	if (!bits)
		return;
	while (!bpf_map_get_next_key(dp->maps.fd[MAP_ADDRS], previous, &key)) {
		uint32_t bit = bit_of(dp, &key);

		bits[bit / 64] |= 1ull << bit % 64;
		previous = &key;
	}
	for (uint32_t i = 0; i < words; i++)
		__atomic_store_n(&dp->maps.addr_bits[i / 8].w[i % 8], bits[i], __ATOMIC_RELEASE);
}

static int set_flag(struct dataplane *dp, const struct spw_addr *addr, uint32_t flag)
{
	int fd = dp->maps.fd[MAP_ADDRS];
	uint32_t flags = 0;

	(void)bpf_map_lookup_elem(fd, addr, &flags);
	if (flags & flag)
		return 0;
	flags |= flag;
	set_bit(dp, addr);
	return bpf_map_update_elem(fd, addr, &flags, BPF_ANY);
}

int addrs_put(struct dataplane *dp, const struct tables *want)
{
	int err = 0;

	for (size_t i = 0; !err && i < SPW_SOURCES_MAX; i++) {
		if (!addr_is_unspecified(&dp->settings.source[i]))
			err = set_flag(dp, &dp->settings.source[i], SPW_ADDR_SOURCE);
	}
	for (size_t i = 0; !err && want && i < want->service_count; i++) {
		if (!i || !addr_equal(&want->services[i].vip, &want->services[i - 1].vip))
			err = set_flag(dp, &want->services[i].vip, SPW_ADDR_VIP);
	}
	return err;
}

static int compare(const void *a, const void *b)
{
	return addr_compare(a, b);
}

/* The flags that stay of those an address has. */
static uint32_t keep(const struct dataplane *dp, const struct spw_addr *addr, uint32_t flags,
		     const struct spw_addr *vips, size_t count)
{
	uint32_t stay = 0;

	if (bsearch(addr, vips, count, sizeof(*vips), compare))
		stay |= SPW_ADDR_VIP;
	if (dp->sweep.live || !dp->sweep.swept)
		return stay | (flags & SPW_ADDR_SOURCE);
	for (size_t i = 0; i < SPW_SOURCES_MAX; i++) {
		if (addr_equal(&dp->settings.source[i], addr))
			stay |= SPW_ADDR_SOURCE;
	}
	return stay;
}

int addrs_prune(struct dataplane *dp, const struct tables *want)
{
	AUTO(free) struct spw_addr *vips = calloc(want->service_count + 1, sizeof(*vips));
	uint32_t room = map_entries(MAP_ADDRS, &dp->meta), count = room, position, stay;
	AUTO(free) struct spw_addr *keys = calloc(room, sizeof(*keys));
	AUTO(free) uint32_t *flags = calloc(room, sizeof(*flags));
	int fd = dp->maps.fd[MAP_ADDRS], err;

	if (!vips || !keys || !flags)
		return -ENOMEM;
	for (size_t i = 0; i < want->service_count; i++)
		vips[i] = want->services[i].vip;
	qsort(vips, want->service_count, sizeof(*vips), compare);
	err = bpf_map_lookup_batch(fd, NULL, &position, keys, flags, &count, NULL);
	if (err && err != -ENOENT) /* -ENOENT: that was all of it */
		return err;
	for (uint32_t i = 0; i < count; i++) {
		stay = keep(dp, &keys[i], flags[i], vips, want->service_count);
		if (!stay)
			(void)bpf_map_delete_elem(fd, &keys[i]);
		else if (stay != flags[i])
			(void)bpf_map_update_elem(fd, &keys[i], &stay, BPF_EXIST);
	}
	rebuild_bits(dp);
	return 0;
}
