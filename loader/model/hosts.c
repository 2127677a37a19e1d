/* SPDX-License-Identifier: BSD-2-Clause */
/* Host names of listeners and routes: "a.example", or "*.example" for all names below. */
#include <string.h>
#include <strings.h>

#include "model/l7.h"

static bool is_wildcard(const char *name)
{
	return name[0] == '*' && name[1] == '.';
}

/* Is `name`, which may be a wildcard itself, all within the wildcard? */
static bool is_below(const char *name, const char *wildcard)
{
	const char *suffix = wildcard + 1;
	const size_t len = strlen(name), tail = strlen(suffix);

	return len > tail && strcasecmp(name + len - tail, suffix) == 0;
}

const char *hosts_meet(const char *a, const char *b)
{
	if (!a || !*a)
		return b ? b : "";
	if (!b || !*b || strcasecmp(a, b) == 0)
		return a;
	if (is_wildcard(a) && is_below(b, a))
		return b;
	return is_wildcard(b) && is_below(a, b) ? a : NULL;
}

static int rank(const char *name)
{
	if (!name || !*name)
		return 2;
	return is_wildcard(name);
}

int hosts_compare(const char *a, const char *b)
{
	int order = rank(a) - rank(b);

	if (order || rank(a) == 2)
		return order;
	if (strlen(a) != strlen(b))
		return strlen(a) > strlen(b) ? -1 : 1;
	return strcasecmp(a, b);
}
