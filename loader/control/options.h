/* SPDX-License-Identifier: BSD-2-Clause */
/* spillwayd's command line. */
#ifndef SPILLWAY_CONTROL_OPTIONS_H
#define SPILLWAY_CONTROL_OPTIONS_H

#include "base/log.h"
#include "control/engine.h"

enum daemon_action {
	ACTION_RUN,
	ACTION_DETACH,
	ACTION_VERSION,
	ACTION_HELP,
};

struct daemon_options {
	enum daemon_action action;
	struct engine_options engine;
	const char *socket_group; /* NULL: the default, if there is such a group */
	enum log_level log_level;
};

/*
 * Strings stay argv's or live in `a`. -EINVAL and in *why the flag, the cause and the remedy. Flags
 * are given by their whole names.
 */
int options_parse(struct arena *a, int argc, char **argv, struct daemon_options *out,
		  const char **why);

/* The text of --help, for the caller to free(). */
char *options_help(void);

#endif
