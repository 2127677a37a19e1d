/* SPDX-License-Identifier: BSD-2-Clause */
/* `spillway api-versions`: every GROUP/VERSION that a manifest may have, without a daemon. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

static int compare(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int run(struct ctl *c)
{
	const char **list = NULL;
	size_t count = 0;

	if (c->args.word_count) {
		(void)ctl_error("unexpected arguments: [%s]", c->args.words[0]);
		fprintf(stderr, "See 'spillway %s -h' for help and examples\n", c->verb->name);
		return 1;
	}
	for (size_t i = 0; i < KIND_MAX; i++) {
		for (const char *const *v = kinds[i].versions; *v; v++)
			*arena_push(c->arena, list, count) =
				kind_api_version(c->arena, &kinds[i], *v);
	}
	qsort(list, count, sizeof(*list), compare);
	for (size_t i = 0; i < count; i++) {
		if (!i || strcmp(list[i - 1], list[i]) != 0)
			puts(list[i]);
	}
	return 0;
}

const struct verb verb_api_versions = {
	.name = "api-versions",
	.usage = "",
	.summary = "Show the API versions of all kinds",
	.details = "Needs no daemon.",
	.run = run,
};
