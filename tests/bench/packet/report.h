/* SPDX-License-Identifier: BSD-2-Clause */
/* The table on stdout, and JSON. */
#ifndef SPILLWAY_BENCH_REPORT_H
#define SPILLWAY_BENCH_REPORT_H

#include <stddef.h>

#include "measure.h"

void report_head(const struct measure_options *o);
void report_row(const struct measurement *m);
void report_ratios(const struct measurement *list, size_t count);
int report_json(const char *path, const struct measure_options *o, const struct measurement *list,
		size_t count);

#endif
