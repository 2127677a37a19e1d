/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of the end-to-end benchmark that are no script's: sends packets as live XDP frames out of
 * the namespace's interface `port`, and attaches the sink and the plain router. See live.py.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "../packet/driver.h"
#include "../packet/traffic.h"
#include "bench/live.skel.h"

static const char usage[] = "usage: bench_live send FLOWS PACKETS | each FLOWS\n"
			    "       bench_live drop INTERFACE\n"
			    "       bench_live redirect|forward INTERFACE OUT\n";

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/*
 * All that a packet does on its way is done on the CPU that sends it, and for as long as it takes that
 * is this process's alone: what else runs on the machine gives way, and kernel threads do not take part
 * of the work elsewhere.
 */
static void stay_here(void)
{
	const struct sched_param first = {.sched_priority = 1};
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
	(void)sched_setscheduler(0, SCHED_FIFO, &first);
}

/* Packets of flows at random, or with `packets` 0 one of each; prints how long it took. */
static int send_flows(uint32_t flows, uint32_t packets)
{
	struct traffic t = {0};
	uint32_t rows;
	double start;
	int err = driver_open(0);

	if (!err)
		err = traffic_clients(4, IPPROTO_UDP, flows, 1, &t);
	if (err)
		return err;
	rows = traffic_load(&t, 0, packets ? ORDER_UNIFORM : ORDER_EACH);
	start = now_s();
	err = driver_send(packets ? packets : rows);
	if (!err)
		printf("%.6f\n", now_s() - start);
	traffic_done(&t);
	driver_close();
	return err;
}

/* Stays attached: the interface keeps the program, and goes with its namespace. */
static int attach(const char *verb, const char *interface, const char *out)
{
	struct live_bpf *s = live_bpf__open_and_load();
	uint32_t zero = 0, index = out ? if_nametoindex(out) : 0;
	struct bpf_program *p;
	char name[32];
	int err;

	if (!s)
		return -errno;
	(void)snprintf(name, sizeof(name), "live_%s", verb);
	p = bpf_object__find_program_by_name(s->obj, name);
	if (!p)
		return -EINVAL;
	if (out && bpf_map_update_elem(bpf_map__fd(s->maps.way), &zero, &index, BPF_ANY))
		return -errno;
	err = bpf_xdp_attach((int)if_nametoindex(interface), bpf_program__fd(p), XDP_FLAGS_DRV_MODE,
			     NULL);
	live_bpf__destroy(s);
	return err;
}

static uint32_t number(const char *text)
{
	return (uint32_t)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int err;

	stay_here();
	if (argc == 4 && !strcmp(verb, "send") && number(argv[2]) && number(argv[3])) {
		err = send_flows(number(argv[2]), number(argv[3]));
	} else if (argc == 3 && !strcmp(verb, "each") && number(argv[2])) {
		err = send_flows(number(argv[2]), 0);
	} else if (argc == 3 && !strcmp(verb, "drop")) {
		err = attach(verb, argv[2], NULL);
	} else if (argc == 4 && (!strcmp(verb, "redirect") || !strcmp(verb, "forward"))) {
		err = attach(verb, argv[2], argv[3]);
	} else {
		fputs(usage, stderr);
		return 2;
	}
	if (err)
		fprintf(stderr, "bench_live: %s: %s\n", verb, strerror(-err));
	return err ? 1 : 0;
}
