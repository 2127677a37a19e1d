/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libbpf speaks to a callback without context, so what it said is kept in one static buffer; only
 * loading and attaching read it, on the loop's thread. Its hint to raise `ulimit -l` comes with
 * every EPERM and is wrong since kernel 5.11, so it is left out.
 */
#include "dataplane/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "base/log.h"

static char said[1024];

int why_set(struct why why, int err, const char *fmt, ...)
{
	va_list ap;

	if (why.text) {
		va_start(ap, fmt);
		*why.text = arena_vprintf(why.a, fmt, ap);
		va_end(ap);
	}
	return err;
}

/* Keeps the end of what was said: the cause is usually in the latest lines. */
static void keep(const char *line)
{
	size_t have = strlen(said), len = strlen(line);

	if (len > sizeof(said) / 2)
		return;
	if (have + len + 3 > sizeof(said)) {
		memmove(said, said + have / 2, have - have / 2 + 1);
		have = strlen(said);
	}
	(void)snprintf(said + have, sizeof(said) - have, "%s%s", have ? "; " : "", line);
}

static int print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[512];
	size_t len;

	(void)vsnprintf(line, sizeof(line), fmt, ap);
	len = strcspn(line, "\n");
	line[len] = '\0';
	if (!len)
		return 0;
	log_debug("%s", line);
	if (level == LIBBPF_WARN && !strstr(line, "ulimit") && !strstr(line, "-- BEGIN") &&
	    !strstr(line, "-- END"))
		keep(line);
	return 0;
}

void libbpf_log_start(void)
{
	(void)libbpf_set_print(print);
}

void libbpf_log_clear(void)
{
	said[0] = '\0';
}

const char *libbpf_log_text(void)
{
	return said;
}
