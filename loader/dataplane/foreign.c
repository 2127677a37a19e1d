/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The remedy depends on how the program is held. One that a bpf_link holds cannot be taken off by
 * `ip link`, which says only "device busy". libxdp's dispatcher is one program that calls others,
 * which are attached to it in place of its functions.
 */
#include "dataplane/foreign.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdbool.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"

struct program {
	uint32_t id;
	const char *mode;      /* "native" */
	const char *ip_option; /* that of `ip link set` for the mode; "xdp" is not any mode */
	char name[BPF_OBJ_NAME_LEN];
};

/* Those of one program on one interface. An ifindex may name another interface elsewhere too. */
struct links {
	const char *ids; /* "12", or "12, 15" */
	size_t count;
	bool unknown; /* listing needs CAP_SYS_ADMIN */
};

static void read_name(struct program *p)
{
	AUTO(fd_close) int fd = bpf_prog_get_fd_by_id(p->id);
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	(void)strcpy(p->name, "unknown");
	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && info.name[0])
		memcpy(p->name, info.name, BPF_OBJ_NAME_LEN);
}

/* The first one; the kernel has native and generic never together. */
static bool find_program(uint32_t ifindex, struct program *out)
{
	struct bpf_xdp_query_opts q = {.sz = sizeof(q)};

	if (bpf_xdp_query((int)ifindex, 0, &q))
		return false;
	if (q.drv_prog_id)
		*out = (struct program){q.drv_prog_id, "native", "xdpdrv", ""};
	else if (q.skb_prog_id)
		*out = (struct program){q.skb_prog_id, "generic", "xdpgeneric", ""};
	else if (q.hw_prog_id)
		*out = (struct program){q.hw_prog_id, "offload", "xdpoffload", ""};
	else
		return false;
	read_name(out);
	return true;
}

static bool link_info(uint32_t id, struct bpf_link_info *info)
{
	AUTO(fd_close) int fd = bpf_link_get_fd_by_id(id);
	uint32_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, info, &len);
}

static struct links find_links(struct arena *a, uint32_t ifindex, uint32_t program)
{
	struct links found = {.ids = ""};
	struct bpf_link_info info;
	uint32_t id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		if (!link_info(id, &info) || info.type != BPF_LINK_TYPE_XDP ||
		    info.xdp.ifindex != ifindex || info.prog_id != program)
			continue;
		found.ids = arena_printf(a, "%s%s%u", found.ids, found.count ? ", " : "", id);
		found.count++;
	}
	found.unknown = errno != ENOENT;
	return found;
}

/* "xdp_filter (id 12), xdp_pass (id 14)": the programs that a dispatcher calls. */
static const char *components(struct arena *a, uint32_t dispatcher)
{
	struct bpf_link_info info;
	const char *text = "";
	uint32_t id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		struct program p = {0};

		if (!link_info(id, &info) || info.type != BPF_LINK_TYPE_TRACING ||
		    info.tracing.target_obj_id != dispatcher)
			continue;
		p.id = info.prog_id;
		read_name(&p);
		text = arena_printf(a, "%s%s%s (id %u)", text, text[0] ? ", " : "", p.name, p.id);
	}
	return text;
}

static const char *holder(struct arena *a, const struct links *l)
{
	if (l->count == 1)
		return arena_printf(a, ", held by link %s", l->ids);
	if (l->count)
		return arena_printf(a, ", held by one of the links %s", l->ids);
	return "";
}

static const char *remedy(struct arena *a, const char *interface, const struct program *p,
			  const struct links *l)
{
	const char *ip = arena_printf(a, "`ip link set dev %s %s off`", interface, p->ip_option);

	if (l->count == 1)
		return arena_printf(a,
				    "end what holds the link, or take it off with `bpftool link "
				    "detach id %s`",
				    l->ids);
	if (l->count)
		return "end what holds it, or take it off with `bpftool link detach id ID`: the "
		       "other links are in other network namespaces";
	if (l->unknown)
		return arena_printf(
			a,
			"take it off with %s, or with `bpftool link detach id ID` where "
			"`bpftool link` shows that a link holds it",
			ip);
	return arena_printf(a, "take it off with %s", ip);
}

static int refuse_dispatcher(const char *interface, const struct program *p, struct why why)
{
	const char *parts = components(why.a, p->id);

	return why_set(
		why, -EBUSY,
		"%s: another XDP program is attached (name %s, id %u, %s mode): libxdp's "
		"dispatcher%s%s: take it off, and all that it calls, with `xdp-loader unload "
		"%s --all`",
		interface, p->name, p->id, p->mode, parts[0] ? ", which calls " : "", parts,
		interface);
}

int foreign_check(const char *interface, uint32_t ifindex, struct why why)
{
	struct program p;
	struct links l;

	if (!find_program(ifindex, &p))
		return 0;
	l = find_links(why.a, ifindex, p.id);
	if (!strcmp(p.name, "xdp_dispatcher") && !l.count)
		return refuse_dispatcher(interface, &p, why);
	if (!strcmp(p.name, "spillway_xdp"))
		return why_set(why, -EBUSY,
			       "%s: another spillwayd's program is attached (id %u, %s mode%s): it "
			       "pins its links in another --bpffs; take that off with `spillwayd "
			       "--detach --bpffs DIR`, or, if its pins are lost, %s",
			       interface, p.id, p.mode, holder(why.a, &l),
			       remedy(why.a, interface, &p, &l));
	return why_set(why, -EBUSY,
		       "%s: another XDP program is attached (name %s, id %u, %s mode%s): %s",
		       interface, p.name, p.id, p.mode, holder(why.a, &l),
		       remedy(why.a, interface, &p, &l));
}
