/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the command line's table, and their help. */
#ifndef SPILLWAY_CONTROL_OPTION_FLAGS_H
#define SPILLWAY_CONTROL_OPTION_FLAGS_H

#include "control/options.h"

struct flag;

/* A command line being read. */
struct reading {
	const struct flag *flags;
	size_t flag_count;
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

/* Every flag of the command line; -EINVAL with `why` when one is refused. */
int flags_read(struct reading *r, int argc, char **argv);
/* For a row's `set`: returns -EINVAL. */
int flags_refuse(struct reading *r, const char *why);
/* A number from 1 to `max`, likewise. */
int flags_number(struct reading *r, const char *value, uint32_t max, uint32_t *out);

/* option_tunnels.c */
int set_tunnel_source(struct reading *r, const char *value);
int set_gue_port(struct reading *r, const char *value);

/* The text of --help, for the caller to free(). */
char *flags_help(const struct flag *flags, size_t count);

#endif
