/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the command line's table, and their help. */
#ifndef SPILLWAY_CONTROL_OPTION_FLAGS_H
#define SPILLWAY_CONTROL_OPTION_FLAGS_H

#include "control/options.h"

/* A command line being read. */
struct reading {
	struct arena *a;
	struct daemon_options *opts;
	const char *why;
	const char **interfaces;
	size_t interface_count;
	struct spw_addr *sources;
	size_t source_count;
};

struct flag {
	const char *name;
	const char *argument; /* its name in the help; NULL: takes none */
	const char *help;
	int (*set)(struct reading *r, const char *value); /* -EINVAL with `why` when refused */
};

/* The text of --help, for the caller to free(). */
char *flags_help(const struct flag *flags, size_t count);

#endif
