/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start and end of `spillway`. The verbs are in verbs.c, the command line in ctl.c; here only what
 * a test cannot link. Output that could not be written is a failure: scripts rely on it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

int main(int argc, char **argv)
{
	AUTO(arena_free) struct arena *a = arena_new();
	int code;

	if (!a)
		return ctl_error("out of memory");
	code = ctl_main(a, argc - 1, argv + 1);
	errno = 0;
	if (fflush(stdout) || ferror(stdout))
		return ctl_error("cannot write to standard output: %s",
				 errno ? strerror(errno) : "an earlier write failed");
	return code;
}
