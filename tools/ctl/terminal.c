/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An annotation or a probe's answer may hold escape sequences that move the cursor or rename the
 * window of whoever looks at it. UTF-8 passes; its C1 controls (U+0080 to U+009F) do not.
 */
#include "ctl/terminal.h"

#include <stdbool.h>

#include "base/strbuf.h"

#define C1_LEAD 0xc2 /* of U+0080 to U+00BF */
#define C1_LAST 0x9f

static bool is_control(const unsigned char *p)
{
	return (p[0] < ' ' && p[0] != '\n' && p[0] != '\t') || p[0] == 0x7f;
}

static bool is_c1(const unsigned char *p)
{
	return p[0] == C1_LEAD && p[1] >= 0x80 && p[1] <= C1_LAST;
}

static bool is_safe(const unsigned char *p)
{
	for (; *p; p++) {
		if (is_control(p) || is_c1(p))
			return false;
	}
	return true;
}

const char *terminal_safe(struct arena *a, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	struct strbuf out = {0};
	const char *safe;

	if (is_safe(p))
		return text;
	for (; *p; p++) {
		if (is_c1(p))
			strbuf_printf(&out, "<U+%04X>", *++p);
		else if (is_control(p))
			strbuf_printf(&out, "^%c", *p ^ 0x40);
		else
			strbuf_add(&out, (const char *)p, 1);
	}
	safe = arena_strndup(a, out.text, out.len);
	strbuf_done(&out);
	return safe;
}
