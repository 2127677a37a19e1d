/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's word without a daemon: written into the pinned maps, as the packet path heeds it.
 * Runs in the control tool, so it needs neither a loop nor the rest of this folder's state. The
 * words are mapped, since only a compare-and-swap spares what another writer does meanwhile; all
 * else is only read.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/addr.h"
#include "dataplane/dataplane.h"
#include "dataplane/maps.h"
#include "dataplane/why.h"

struct mapped {
	void *mem; /* NULL: not mapped */
	size_t bytes;
};

static void unmap(struct mapped *m)
{
	if (m->mem)
		(void)munmap(m->mem, m->bytes);
}

/* A map of this directory; an error says what to do about it. */
static int open_map(const char *bpffs, enum map_id id, uint32_t flags, struct why why)
{
	const struct bpf_obj_get_opts opts = {.sz = sizeof(opts), .file_flags = flags};
	char path[PATH_MAX];
	int fd, err;

	if (snprintf(path, sizeof(path), "%s/maps/%s", bpffs, map_name(id)) >= (int)sizeof(path))
		return why_set(why, -ENAMETOOLONG, "%s: the path is too long", bpffs);
	fd = bpf_obj_get_opts(path, &opts);
	if (fd >= 0)
		return fd;
	err = -errno;
	if (err == -ENOENT || err == -ENOTDIR)
		return why_set(why, -ENOTCONN,
			       "%s: no maps of Spillway are pinned there: start spillwayd, or name "
			       "its directory with --bpffs",
			       bpffs);
	if (err == -EPERM || err == -EACCES)
		return why_set(why, err, "%s: cannot be opened (%s): run as root", path,
			       strerror(-err));
	return why_set(why, err, "%s: cannot be opened: %s", path, strerror(-err));
}

static bool is_like(int fd, size_t value_bytes, uint32_t entries)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == BPF_MAP_TYPE_ARRAY &&
	       info.value_size == value_bytes && info.max_entries == entries;
}

/* The same check as at a daemon's start: a layout that could be misread is left alone. */
static int read_meta(const char *bpffs, struct spw_meta *out, struct why why)
{
	AUTO(fd_close) int fd = open_map(bpffs, MAP_META, BPF_F_RDONLY, why);
	struct spw_meta meta = {0};
	uint32_t zero = 0;

	if (fd < 0)
		return fd;
	if (!is_like(fd, sizeof(meta), 1) || bpf_map_lookup_elem(fd, &zero, &meta) ||
	    meta.magic != SPW_ABI_MAGIC)
		return why_set(why, -EINVAL, "%s: the maps there are not Spillway's", bpffs);
	if (meta.abi_version != SPW_ABI_VERSION)
		return why_set(
			why, -EPROTO,
			"%s: the pinned maps have layout %u (made by version %.39s), this is "
			"version %s with layout %u: use the tool of that version",
			bpffs, meta.abi_version, meta.version, SPILLWAY_VERSION, SPW_ABI_VERSION);
	*out = meta;
	return 0;
}

static int map_memory(int fd, size_t value_bytes, uint32_t entries, int protection,
		      struct mapped *out)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes = (value_bytes * entries + page - 1) / page * page;
	void *mem;

	if (!is_like(fd, value_bytes, entries))
		return -EINVAL;
	mem = mmap(NULL, bytes, protection, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	*out = (struct mapped){mem, bytes};
	return 0;
}

/* A reset that a drain's deadline began ends with the drain. */
static enum spw_admin swap_admin(struct spw_word *w, enum spw_admin admin)
{
	__u32 mask = SPW_WORD_ADMIN_MASK | SPW_WORD_BY_HAND |
		     (admin == SPW_ADMIN_DRAIN ? 0 : SPW_WORD_RESET);
	__u32 bits = (__u32)admin << SPW_WORD_ADMIN_SHIFT | SPW_WORD_BY_HAND;
	__u32 old = __atomic_load_n(&w->word, __ATOMIC_RELAXED);

	while (!__atomic_compare_exchange_n(&w->word, &old, spw_word_with(old, mask, bits), false,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	return (enum spw_admin)((old & SPW_WORD_ADMIN_MASK) >> SPW_WORD_ADMIN_SHIFT);
}

struct wish {
	struct spw_addr addr;
	uint16_t port; /* 0: all */
	enum spw_admin admin;
	void (*was)(void *ctx, const struct spw_addr *addr, uint16_t port, enum spw_admin before);
	void *ctx;
	bool *told; /* by port */
};

static bool is_meant(const struct wish *w, const struct spw_endpoint *row)
{
	return row->mode != SPW_MODE_NONE && addr_equal(&row->addr, &w->addr) &&
	       (!w->port || ntohs(row->port) == w->port);
}

/* Services of different policies have rows of their own for an endpoint: it is told once. */
static int write_all(const struct spw_endpoint *rows, struct spw_word *words, uint32_t count,
		     const struct wish *w)
{
	enum spw_admin before;
	int err = -ENOENT;
	uint16_t port;

	for (uint32_t id = 1; id < count; id++) {
		if (!is_meant(w, &rows[id]))
			continue;
		before = swap_admin(&words[id], w->admin);
		port = ntohs(rows[id].port);
		if (!w->told[port])
			w->was(w->ctx, &w->addr, port, before);
		w->told[port] = true;
		err = 0;
	}
	return err;
}

static int set_in(const char *bpffs, const struct spw_meta *meta, const struct wish *w,
		  struct why why)
{
	struct mapped rows = {0}, words = {0};
	AUTO(fd_close) int words_fd = -1;
	/* A map opened for reading alone cannot be mapped into memory; the mapping is read-only. */
	AUTO(fd_close) int rows_fd = open_map(bpffs, MAP_ENDPOINTS, 0, why);
	char text[ADDR_PORT_TEXT_MAX];
	int err;

	if (rows_fd < 0)
		return rows_fd;
	words_fd = open_map(bpffs, MAP_ENDPOINT_WORDS, 0, why);
	if (words_fd < 0)
		return words_fd;
	err = map_memory(rows_fd, sizeof(struct spw_endpoint), meta->max_endpoints, PROT_READ,
			 &rows);
	if (!err)
		err = map_memory(words_fd, sizeof(struct spw_word), meta->max_endpoints,
				 PROT_READ | PROT_WRITE, &words);
	if (err) {
		err = why_set(why, err, "%s: the maps there cannot be mapped into memory: %s",
			      bpffs, strerror(-err));
	} else {
		err = write_all(rows.mem, words.mem, meta->max_endpoints, w);
		if (err && w->port)
			addr_print_port(&w->addr, w->port, text);
		else
			addr_print(&w->addr, text);
		if (err)
			err = why_set(why, err, "%s: no endpoint in the pinned maps", text);
	}
	unmap(&rows);
	unmap(&words);
	return err;
}

int dataplane_offline_set_admin(struct arena *a, const char *bpffs, const struct spw_addr *addr,
				uint16_t port, enum spw_admin admin,
				void (*was)(void *ctx, const struct spw_addr *addr, uint16_t port,
					    enum spw_admin before),
				void *ctx, const char **why)
{
	const struct wish w = {.addr = *addr,
			       .port = port,
			       .admin = admin,
			       .was = was,
			       .ctx = ctx,
			       .told = arena_array(a, UINT16_MAX + 1, sizeof(bool))};
	struct spw_meta meta = {0};
	struct why y = {a, why};
	int err = read_meta(bpffs, &meta, y);

	return err ? err : set_in(bpffs, &meta, &w, y);
}
