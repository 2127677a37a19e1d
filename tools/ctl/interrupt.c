/* SPDX-License-Identifier: BSD-2-Clause */
/* What was asked of the daemon may have been done: only the answer is not waited for. */
#include "ctl/interrupt.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "ctl/error_format.h"

static void end(int number)
{
	static const char text[] = "Aborted.\n";
	ssize_t written = write(error_format_fd(), text, strlen(text));

	(void)written;
	(void)number;
	_exit(EXIT_INTERRUPTED);
}

static void take_over(int number)
{
	const struct sigaction action = {.sa_handler = end};
	struct sigaction before;

	if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		(void)sigaction(number, &action, NULL);
}

void interrupt_begin(void)
{
	take_over(SIGINT);
	take_over(SIGTERM);
}
