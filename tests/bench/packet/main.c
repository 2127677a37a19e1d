/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_packet: what the packet path costs, in nanoseconds a packet, beside programs that do less
 * or do it otherwise. Root; everything happens in a network namespace of its own.
 */
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "driver.h"
#include "fill.h"
#include "measure.h"
#include "report.h"
#include "rival.h"
#include "world.h"

#define MAX_FLOWS (1u << 20)

struct options {
	struct measure_options measure;
	const char *pattern; /* of scenarios' names */
	const char *json;
	bool list;
};

static const char usage[] =
	"usage: bench_packet [--quick] [--rounds N] [--packets N] [--match PATTERN] [--json FILE]\n"
	"                    [--list]\n"
	"  --quick    3 rounds of half of the packets\n"
	"  --rounds   rounds, 7\n"
	"  --packets  packets of a run, 500000; a tenth of them where each is a new flow\n"
	"  --match    scenarios whose names match, with * and ?\n"
	"  --json     write the figures there\n"
	"  --list     name the scenarios\n";

static void set_packets(struct measure_options *m, uint32_t packets)
{
	m->packets = packets;
	m->new_packets = packets / 10;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"quick", no_argument, NULL, 'q'},
		{"rounds", required_argument, NULL, 'r'},
		{"packets", required_argument, NULL, 'p'},
		{"match", required_argument, NULL, 'm'},
		{"json", required_argument, NULL, 'j'},
		{"list", no_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	int c;

	o->measure.rounds = 7;
	set_packets(&o->measure, 500000);
	while ((c = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		switch (c) {
		case 'q':
			o->measure.rounds = 3;
			set_packets(&o->measure, 250000);
			break;
		case 'r':
			o->measure.rounds = (uint32_t)atoi(optarg);
			break;
		case 'p':
			set_packets(&o->measure, (uint32_t)atoi(optarg));
			break;
		case 'm':
			o->pattern = optarg;
			break;
		case 'j':
			o->json = optarg;
			break;
		case 'l':
			o->list = true;
			break;
		default:
			return -EINVAL;
		}
	}
	if (optind < argc || o->measure.rounds < 1 || o->measure.rounds > MEASURE_ROUNDS_MAX ||
	    o->measure.packets < 1000 || o->measure.packets > 4000000)
		return -EINVAL;
	return 0;
}

/* One CPU for all: counters of each CPU and caches are met as they were left. */
static void stay_here(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static int open_all(void)
{
	int err = world_open();

	if (!err)
		err = fill_open(MAX_FLOWS, WORLD_INTERFACE);
	if (!err)
		err = driver_open(fill_program_flags());
	if (!err)
		err = driver_set_target(BENCH_PRODUCT, fill_program());
	if (!err)
		err = rival_open(MAX_FLOWS, fill_program_flags());
	return err;
}

static bool is_chosen(const struct options *o, const struct scenario *s)
{
	return !o->pattern || !fnmatch(o->pattern, s->name, 0);
}

/* A scenario that cannot be measured fails the run, but not the other scenarios. */
static int run(const struct options *o)
{
	struct measurement *list = calloc(scenario_count, sizeof(*list));
	size_t count = 0;
	int failed = 0;

	if (!list)
		return 1;
	report_head(&o->measure);
	for (size_t i = 0; i < scenario_count; i++) {
		if (!is_chosen(o, &scenarios[i]))
			continue;
		if (measure(&scenarios[i], &o->measure, &list[count]))
			failed = 1;
		else
			report_row(&list[count++]);
	}
	report_ratios(list, count);
	if (o->json && report_json(o->json, &o->measure, list, count)) {
		fprintf(stderr, "%s: cannot be written\n", o->json);
		failed = 1;
	}
	free(list);
	return failed;
}

int main(int argc, char **argv)
{
	struct options o = {0};
	int err = parse(argc, argv, &o);

	if (err) {
		fputs(usage, stderr);
		return 2;
	}
	for (size_t i = 0; o.list && i < scenario_count; i++)
		puts(scenarios[i].name);
	if (o.list)
		return 0;
	stay_here();
	log_set_level(LOG_LEVEL_WARN);
	err = open_all();
	if (err) {
		fprintf(stderr, "bench_packet: cannot set up: %s (root?)\n", strerror(-err));
		return 1;
	}
	err = run(&o);
	rival_close();
	driver_close();
	fill_close();
	return err;
}
