/* SPDX-License-Identifier: BSD-2-Clause */
/* Differences of medians: quotients are printed where both sides are more than a nanosecond. */
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *column;
} targets[BENCH_TARGETS] = {
	[BENCH_EMPTY] = {"empty", NULL},
	[BENCH_REFLECTOR] = {"reflector", "reflector"},
	[BENCH_PRODUCT] = {"spillway", "spillway [quartiles]"},
	[BENCH_IPIP] = {"conventional_ipip", "conventional"},
	[BENCH_GUE] = {"conventional_gue", "with GUE"},
};

void report_head(const struct measure_options *o)
{
	printf("ns a packet, median of %u rounds of %u packets (%u new flows), the driver's own "
	       "cost taken off\n",
	       o->rounds, o->packets, o->new_packets);
	printf("%-44s%8s%11s%26s%14s%11s%17s\n", "", "driver", targets[BENCH_REFLECTOR].column,
	       targets[BENCH_PRODUCT].column, targets[BENCH_IPIP].column, targets[BENCH_GUE].column,
	       "spillway/conv.");
}

static void print_number(int width, const struct summary *s)
{
	if (s->measured)
		printf("%*.1f", width, s->median);
	else
		printf("%*s", width, "-");
}

void report_row(const struct measurement *m)
{
	const struct summary *own = &m->net[BENCH_PRODUCT], *ipip = &m->net[BENCH_IPIP];
	char text[64];

	(void)snprintf(text, sizeof(text), "%.1f [%.1f %.1f]", own->median, own->low, own->high);
	printf("%-44s%8.1f", m->scenario->name, m->empty);
	print_number(11, &m->net[BENCH_REFLECTOR]);
	printf("%26s", text);
	print_number(14, ipip);
	print_number(11, &m->net[BENCH_GUE]);
	if (ipip->measured && ipip->median > 1)
		printf("%17.2f", own->median / ipip->median);
	printf("\n");
	(void)fflush(stdout);
}

static const struct measurement *find(const struct measurement *list, size_t count,
				      const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(list[i].scenario->name, name))
			return &list[i];
	}
	return NULL;
}

void report_ratios(const struct measurement *list, size_t count)
{
	const struct measurement *over, *under;

	for (size_t i = 0; i < scenario_ratio_count; i++) {
		const struct scenario_ratio *r = &scenario_ratios[i];

		over = find(list, count, r->over);
		under = find(list, count, r->under);
		if (over && under)
			printf("  %-44s%8.2f\n", r->text,
			       over->net[BENCH_PRODUCT].median / under->net[BENCH_PRODUCT].median);
	}
}

static void json_row(FILE *f, const struct measurement *m)
{
	fprintf(f, "    {\"name\": \"%s\", \"driver_ns\": %.2f", m->scenario->name, m->empty);
	for (int t = 0; t < BENCH_TARGETS; t++) {
		const struct summary *s = &m->net[t];

		if (s->measured)
			fprintf(f,
				", \"%s\": {\"median_ns\": %.2f, \"quartiles_ns\": [%.2f, %.2f]}",
				targets[t].name, s->median, s->low, s->high);
	}
	fprintf(f, "}");
}

int report_json(const char *path, const struct measure_options *o, const struct measurement *list,
		size_t count)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return -errno;
	fprintf(f, "{\n  \"rounds\": %u, \"packets\": %u, \"new_packets\": %u,\n", o->rounds,
		o->packets, o->new_packets);
	fprintf(f, "  \"scenarios\": [\n");
	for (size_t i = 0; i < count; i++) {
		json_row(f, &list[i]);
		fprintf(f, "%s\n", i + 1 < count ? "," : "");
	}
	fprintf(f, "  ]\n}\n");
	return fclose(f) ? -errno : 0;
}
