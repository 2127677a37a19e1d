/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command line by the table of flags, and --help. Whole names only: an abbreviation could mean another
 * flag in the next version.
 */
#include <errno.h>
#include <string.h>

#include "base/strbuf.h"
#include "control/option_flags.h"

int flags_refuse(struct reading *r, const char *why)
{
	r->why = why;
	return -EINVAL;
}

int flags_number(struct reading *r, const char *value, uint32_t max, uint32_t *out)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end || errno || n < 1 || n > max)
		return flags_refuse(
			r, arena_printf(r->a, "%s: must be a number from 1 to %u", value, max));
	*out = (uint32_t)n;
	return 0;
}

static const struct flag *find_flag(const struct reading *r, const char *name, size_t len)
{
	for (size_t i = 0; i < r->flag_count; i++) {
		if (strlen(r->flags[i].name) == len && strncmp(r->flags[i].name, name, len) == 0)
			return &r->flags[i];
	}
	return NULL;
}

/* Reads one flag, and the word behind it where that is its value. Returns how many it took. */
static int read_flag(struct reading *r, const char *word, const char *next)
{
	const char *name = word + strlen("--");
	const size_t len = strcspn(name, "=");
	const struct flag *f = strncmp(word, "--", 2) == 0 ? find_flag(r, name, len) : NULL;
	const char *value = name[len] ? name + len + 1 : NULL;
	int used = 1, err;

	if (word[0] != '-' || !word[1])
		return flags_refuse(r, arena_printf(r->a, "%s: not a flag; see --help", word));
	if (!f)
		return flags_refuse(r, arena_printf(r->a, "%.*s: unknown flag; see --help",
						    (int)strcspn(word, "="), word));
	if (!f->argument && value)
		return flags_refuse(
			r, arena_printf(r->a, "--%s: takes no argument; see --help", f->name));
	if (f->argument && !value) {
		value = next;
		used = 2;
	}
	if (f->argument && !value)
		return flags_refuse(
			r, arena_printf(r->a, "--%s: needs an argument; see --help", f->name));
	err = f->set(r, value);
	if (err)
		r->why = arena_printf(r->a, "--%s: %s", f->name, r->why);
	return err ? err : used;
}

int flags_read(struct reading *r, int argc, char **argv)
{
	int used;

	for (int i = 1; i < argc; i += used) {
		used = read_flag(r, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
		if (used < 0)
			return used;
	}
	return 0;
}

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
