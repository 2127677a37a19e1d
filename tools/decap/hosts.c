/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where tunnels may end: the addresses of --local, else all of this host, whichever interface has
 * them, but the VIPs and what never is in a packet from another host.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "decap.skel.h"
#include "decap/decap.h"
#include "decap/prefix.h"

struct hosts {
	struct spw_addr *items; /* owned */
	size_t count;
};

static bool in_hosts(const struct hosts *h, const struct spw_addr *addr)
{
	for (size_t i = 0; i < h->count; i++) {
		if (addr_equal(&h->items[i], addr))
			return true;
	}
	return false;
}

static bool is_end(const struct decap *d, const struct host_addr *h)
{
	for (size_t i = 0; i < d->options->vip_count; i++) {
		if (prefix_has(&d->options->vips[i], &h->addr))
			return false;
	}
	return !addr_is_loopback(&h->addr) && !addr_is_link_local(&h->addr) &&
	       h->protocol != DECAP_PROTOCOL;
}

static int read_host(struct decap *d, struct hosts *out)
{
	AUTO(free) struct host_addr *list = NULL;
	size_t count = 0;
	int err = host_addrs_read(&d->netlink, &list, &count);

	if (err)
		return err;
	out->items = calloc(count + 1, sizeof(*out->items));
	if (!out->items)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (is_end(d, &list[i]))
			out->items[out->count++] = list[i].addr;
	}
	return 0;
}

static int read_wanted(struct decap *d, struct hosts *out)
{
	const struct decap_options *o = d->options;

	if (!o->local_count)
		return read_host(d, out);
	out->items = calloc(o->local_count, sizeof(*out->items));
	if (!out->items)
		return -ENOMEM;
	memcpy(out->items, o->locals, o->local_count * sizeof(*out->items));
	out->count = o->local_count;
	return 0;
}

/* A key that is deleted has no next one any more, so the next is asked for first. */
static void remove_gone(int map, const struct hosts *wanted)
{
	struct spw_addr key, next;
	char text[ADDR_TEXT_MAX];
	bool more = !bpf_map_get_next_key(map, NULL, &next);

	while (more) {
		key = next;
		more = !bpf_map_get_next_key(map, &key, &next);
		if (in_hosts(wanted, &key))
			continue;
		(void)bpf_map_delete_elem(map, &key);
		log_info("hosts: %s: gone", addr_print(&key, text));
	}
}

int hosts_refresh(struct decap *d, struct why why)
{
	int map = bpf_map__fd(d->skel->maps.decap_hosts), err;
	const uint32_t one = 1;
	AUTO(free) struct spw_addr *items = NULL;
	struct hosts wanted = {0};
	char text[ADDR_TEXT_MAX];
	uint32_t there;

	err = read_wanted(d, &wanted);
	items = wanted.items;
	for (size_t i = 0; !err && i < wanted.count; i++) {
		if (!bpf_map_lookup_elem(map, &items[i], &there))
			continue;
		err = bpf_map_update_elem(map, &items[i], &one, BPF_ANY);
		log_info("hosts: %s: tunnels end here", addr_print(&items[i], text));
	}
	if (err)
		return why_set(why, err, "the addresses of this host cannot be noted: %s",
			       strerror(-err));
	remove_gone(map, &wanted);
	if (!wanted.count)
		log_warn("hosts: this host has no address that tunnels could end at: give it one, "
			 "or name it with --local");
	return 0;
}
