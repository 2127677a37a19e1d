/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wait watches standard output too: a pipe whose reader has gone shows it at once, not only
 * when there is something to write. A second ^C ends the process whatever it is doing.
 */
#include "ctl/follow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "ctl/http.h"

#define HTTP_UNAVAILABLE 503 /* also while it starts or ends */

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

void follow_begin(void)
{
	const struct sigaction action = {.sa_handler = end, .sa_flags = (int)SA_RESETHAND};

	ended = 0;
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)signal(SIGPIPE, SIG_DFL); /* a write to nobody ends the process without a word */
}

static int say_away(struct follow *f, const char *why)
{
	if (!f->away) {
		(void)fflush(stdout);
		fprintf(stderr, "warning: the daemon is away, waiting for it: %s\n", why);
	}
	f->away = true;
	return -EAGAIN;
}

int follow_get(struct follow *f, struct arena *a, const char *path, struct node **out)
{
	struct ctl once = *f->c;
	const char *why = NULL;
	struct reply r;
	int err;

	once.arena = a;
	err = http_try(&once, "GET", path, NULL, &r, &why);
	if (err && f->answered)
		return say_away(f, why);
	if (err) {
		(void)ctl_error("%s", why);
		return err == -EAGAIN ? -EIO : err;
	}
	if (r.code == HTTP_UNAVAILABLE && f->answered)
		return say_away(f, node_text_at(r.body, "message", "it cannot serve now"));
	if (r.code != 200 || !r.body) {
		(void)http_error(&r);
		return -EPROTO;
	}
	if (f->away)
		fputs("The daemon is back\n", stderr);
	f->away = false;
	f->answered = true;
	*out = r.body;
	return 0;
}

bool follow_wait(unsigned int ms)
{
	struct pollfd reader = {.fd = STDOUT_FILENO};

	if (ended)
		return false;
	if (poll(&reader, 1, (int)ms) > 0)
		return false; /* nothing but an end is waited for */
	return !ended;
}
