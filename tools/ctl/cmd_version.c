/* SPDX-License-Identifier: BSD-2-Clause */
/* `spillway version`: of this tool, and of the daemon where there is one. */
#include <stdio.h>

#include "ctl/ctl.h"
#include "ctl/http.h"

static const struct flag flags[] = {
	{.name = "client", .type = FLAG_SWITCH, .help = "Only this tool's version"},
	{.name = NULL},
};

static int run(struct ctl *c)
{
	const char *why = NULL;
	struct reply r;

	puts("Client Version: v" SPILLWAY_VERSION);
	if (args_switch(&c->args, "client"))
		return 0;
	printf("Project: %s\n", c->project);
	if (http_try(c, "GET", "/version", NULL, &r, &why)) {
		(void)fflush(stdout);
		fprintf(stderr, "Server Version: unknown: %s\n", why);
		return 0;
	}
	if (r.code != 200)
		return http_error(&r);
	printf("Server Version: %s\n", node_text_at(r.body, "gitVersion", "unknown"));
	return 0;
}

const struct verb verb_version = {
	.name = "version",
	.usage = "[--client]",
	.summary = "Show the versions of this tool and of the daemon",
	.flags = flags,
	.run = run,
};
