/* SPDX-License-Identifier: BSD-2-Clause */
/* --help, from the table of flags. */
#include <string.h>

#include "base/strbuf.h"
#include "control/option_flags.h"

static void add_flag(struct strbuf *b, const struct flag *f)
{
	const char *line = f->help;
	size_t len;

	strbuf_printf(b, "  --%s%s%s\n", f->name, f->argument ? " " : "",
		      f->argument ? f->argument : "");
	while (*line) {
		len = strcspn(line, "\n");
		strbuf_puts(b, "        ");
		strbuf_add(b, line, len);
		strbuf_puts(b, "\n");
		line += len + (line[len] == '\n');
	}
}

char *flags_help(const struct flag *flags, size_t count)
{
	struct strbuf b = {0};

	strbuf_puts(&b, "spillwayd loads the packet path, keeps resources and feeds the maps.\n\n"
			"Usage:\n"
			"  spillwayd --interface IF[,IF...] [flags]\n"
			"  spillwayd --detach [--bpffs DIR] [--run-dir DIR]\n\n"
			"Flags:\n");
	for (size_t i = 0; i < count; i++)
		add_flag(&b, &flags[i]);
	strbuf_puts(&b, "\nTraffic goes on when spillwayd ends; --detach stops it.\n");
	return strbuf_take(&b);
}
