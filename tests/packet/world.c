/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network namespace and the loaded program. bpf_fib_lookup() needs real interfaces, routes and
 * neighbours, and BPF_PROG_TEST_RUN takes a veth as ingress only while it has an XDP program: one
 * that passes everything is attached, so that the kernel's own packets disturb no counter.
 */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane/maps.h"
#include "dataplane/ticks.h"
#include "spillway.skel.h"

struct world world;

const uint8_t mac_gateway_client[6] = {2, 0, 0, 0, 1, 1};
const uint8_t mac_gateway_server[6] = {2, 0, 0, 0, 2, 1};
const uint8_t mac_client[6] = {2, 0, 0, 0, 1, 0x20};
const uint8_t mac_router[6] = {2, 0, 0, 0, 2, 254};

static const char topology[] =
	"link set lo up\n"
	"link add client type veth peer name client-p\n"
	"link add server type veth peer name server-p\n"
	"link add other type veth peer name other-p\n"
	"link set client address 02:00:00:00:01:01 up\n"
	"link set server address 02:00:00:00:02:01 mtu 1400 up\n"
	"link set other up\n"
	"link set client-p up\n"
	"link set server-p up\n"
	"link set other-p up\n"
	"addr add 10.1.0.1/24 dev client\n"
	"addr add 10.2.0.1/24 dev server\n"
	"addr add 10.2.0.3/24 dev server\n"
	"addr add 10.3.0.1/24 dev other\n"
	"addr add fd00:1::1/64 dev client nodad\n"
	"addr add fd00:2::1/64 dev server nodad\n"
	"route add 10.9.0.0/16 via 10.2.0.254\n"
	"route add 10.0.0.0/24 via 10.2.0.254\n"
	"route add 10.8.0.0/16 via 10.2.0.98\n"
	"neigh add 10.1.0.50 lladdr 02:00:00:00:02:32 dev client nud permanent\n"
	"neigh add 10.1.0.20 lladdr 02:00:00:00:02:14 dev client nud permanent\n"
	"neigh add 10.2.0.11 lladdr 02:00:00:00:02:0b dev server nud permanent\n"
	"neigh add 10.2.0.12 lladdr 02:00:00:00:02:0c dev server nud permanent\n"
	"neigh add 10.2.0.13 lladdr 02:00:00:00:02:0d dev server nud permanent\n"
	"neigh add 10.2.0.254 lladdr 02:00:00:00:02:fe dev server nud permanent\n"
	"neigh add 10.3.0.11 lladdr 02:00:00:00:02:0b dev other nud permanent\n"
	"neigh add fd00:2::11 lladdr 02:00:00:00:02:11 dev server nud permanent\n"
	"neigh add fd00:2::12 lladdr 02:00:00:00:02:12 dev server nud permanent\n";

void mac_of(const struct spw_addr *a, uint8_t out[6])
{
	memcpy(out, mac_gateway_server, 6);
	out[5] = a->b[15];
}

int world_sysctl(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* The kernel notices links coming up late, up to a second, and its routes change with that. */
static int await_link(const char *name)
{
	struct ifreq r = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = -ETIMEDOUT;

	if (fd < 0)
		return -errno;
	strncpy(r.ifr_name, name, sizeof(r.ifr_name) - 1);
	for (int i = 0; i < 500 && err; i++) {
		if (!ioctl(fd, SIOCGIFFLAGS, &r) && (r.ifr_flags & IFF_RUNNING))
			err = 0;
		else
			usleep(10000);
	}
	close(fd);
	return err;
}

static int make_network(void)
{
	FILE *ip;

	if (unshare(CLONE_NEWNET))
		return -errno;
	ip = popen("ip -batch -", "w");
	if (!ip)
		return -errno;
	fputs(topology, ip);
	if (pclose(ip))
		return -EIO;
	if (await_link("client") || await_link("server") || await_link("other"))
		return -ETIMEDOUT;
	world.if_client = (int)if_nametoindex("client");
	world.if_server = (int)if_nametoindex("server");
	world.if_other = (int)if_nametoindex("other");
	if (world_sysctl("/proc/sys/net/ipv4/ip_forward", "1"))
		return -EIO;
	return world_sysctl("/proc/sys/net/ipv6/conf/all/forwarding", "1");
}

static int attach_pass(int ifindex)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", insns, 2, NULL);
	int err;

	if (fd < 0)
		return fd;
	err = bpf_xdp_attach(ifindex, fd, 0, NULL);
	close(fd);
	return err;
}

int world_pass(bool attached)
{
	const int ifindexes[] = {world.if_client, world.if_server};
	int err = 0;

	for (size_t i = 0; i < 2 && !err; i++)
		err = attached ? attach_pass(ifindexes[i]) : bpf_xdp_detach(ifindexes[i], 0, NULL);
	return err;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, args);
}

static int load(void)
{
	struct spillway_bpf *s = spillway_bpf__open();

	int err;

	if (!s)
		return -errno;
	world.skel = s;
	bpf_map__set_max_entries(s->maps.service_rows, 2 * WORLD_SERVICES);
	bpf_map__set_max_entries(s->maps.service_extras, 2 * WORLD_SERVICES);
	bpf_map__set_max_entries(s->maps.service_buckets, WORLD_SERVICES);
	bpf_map__set_max_entries(s->maps.service_stats, WORLD_SERVICES);
	bpf_map__set_max_entries(s->maps.slots, WORLD_SLOT_LINES);
	bpf_map__set_max_entries(s->maps.endpoints, WORLD_ENDPOINTS);
	bpf_map__set_max_entries(s->maps.endpoint_words, WORLD_ENDPOINTS);
	bpf_map__set_max_entries(s->maps.endpoint_stats, WORLD_ENDPOINTS);
	bpf_map__set_max_entries(s->maps.endpoint_loads, WORLD_ENDPOINTS);
	bpf_map__set_max_entries(s->maps.endpoint_signals, WORLD_ENDPOINTS);
	bpf_map__set_max_entries(s->maps.cursors, WORLD_ENDPOINTS * SPW_SOURCES_MAX);
	bpf_map__set_max_entries(s->maps.next_hops, WORLD_ENDPOINTS);
	bpf_map__set_max_entries(s->maps.steer_sockets, WORLD_ENDPOINTS * SPW_STEER_FAMILIES);
	bpf_map__set_max_entries(s->maps.flows4, maps_flow_sets(WORLD_FLOWS) * SPW_SET_WAYS + 1);
	bpf_map__set_max_entries(s->maps.flows6, maps_flow_sets(WORLD_FLOWS) * SPW_SET_WAYS + 1);
	bpf_map__set_max_entries(s->maps.flow_heads, 2 * maps_flow_sets(WORLD_FLOWS));
	s->rodata->flow_sets4 = s->rodata->flow_sets6 = maps_flow_sets(WORLD_FLOWS);
	s->rodata->flow_near4 = s->rodata->flow_near6 = maps_near_sets(s->rodata->flow_sets4);
	s->rodata->ticks_a_second = ticks_a_second();
	err = spillway_bpf__load(s);
	return err ? err : world_map();
}

int world_open(void)
{
	int err;

	libbpf_set_print(quiet);
	err = make_network();
	if (!err)
		err = world_pass(true);
	if (!err)
		err = load();
	return err;
}

/* The namespace and its interfaces go with the process. */
void world_close(void)
{
	spillway_bpf__destroy(world.skel);
}
