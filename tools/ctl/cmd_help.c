/* SPDX-License-Identifier: BSD-2-Clause */
/* `spillway help [VERB]`: the same text as --help. */
#include "ctl/ctl.h"

static int run(struct ctl *c)
{
	const struct verb *verb = NULL;

	if (c->args.word_count > 1)
		return ctl_usage_error(c, "help takes one verb");
	if (c->args.word_count == 1) {
		verb = verb_find(c->args.words[0]);
		if (!verb)
			return ctl_error("unknown help topic \"%s\"", c->args.words[0]);
	}
	help_print(verb);
	return 0;
}

const struct verb verb_help = {
	.name = "help",
	.usage = "[VERB]",
	.summary = "Show help for a verb",
	.words = WORDS_VERB,
	.run = run,
};
