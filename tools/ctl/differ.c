/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kubectl splits its variable at blanks and takes as flags only words of letters, digits, dashes and
 * equal signs, so that the variable is no shell; flags stand behind the directories. So do ours.
 */
#include "ctl/differ.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "ctl/ctl.h"
#include "ctl/interrupt.h"

#define FAILED 2

extern char **environ;

static const char *variable(void)
{
	const char *text = getenv("SPILLWAY_EXTERNAL_DIFF");

	if (!text || !text[0])
		text = getenv("KUBECTL_EXTERNAL_DIFF");
	return text && text[0] ? text : NULL;
}

static bool is_flag(const char *word)
{
	for (const char *p = word; *p; p++) {
		if (!isalnum((unsigned char)*p) && *p != '-' && *p != '=')
			return false;
	}
	return *word != '\0';
}

static void add(struct arena *a, char ***words, size_t *count, const char *word)
{
	*arena_push(a, *words, *count) = arena_strdup(a, word);
}

char **differ_words(struct arena *a, const char *live, const char *merged)
{
	const char *text = variable();
	char **words = NULL, *rest, *word;
	size_t count = 0;

	rest = arena_strdup(a, text ? text : "diff");
	add(a, &words, &count, strsep(&rest, " "));
	if (!text) {
		add(a, &words, &count, "-u");
		add(a, &words, &count, "-N");
	}
	add(a, &words, &count, live);
	add(a, &words, &count, merged);
	while ((word = strsep(&rest, " "))) {
		if (is_flag(word))
			add(a, &words, &count, word);
	}
	*arena_push(a, words, count) = NULL;
	return words;
}

/* The differ gets the signals as usual, which are blocked here. */
static int start(char **words, pid_t *pid)
{
	posix_spawnattr_t attr;
	sigset_t none;
	int err = posix_spawnattr_init(&attr);

	if (err)
		return err;
	(void)sigemptyset(&none);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	err = posix_spawnp(pid, words[0], NULL, &attr, words, environ);
	(void)posix_spawnattr_destroy(&attr);
	return err;
}

/* True when a signal came that ends both. */
static bool wait_for(pid_t pid, int *status)
{
	bool interrupted = false;
	sigset_t awaited;
	int number;

	(void)sigemptyset(&awaited);
	(void)sigaddset(&awaited, SIGINT);
	(void)sigaddset(&awaited, SIGTERM);
	(void)sigaddset(&awaited, SIGCHLD);
	while (waitpid(pid, status, WNOHANG) == 0) {
		if (sigwait(&awaited, &number) || number == SIGCHLD)
			continue;
		interrupted = true;
		(void)kill(pid, SIGTERM);
	}
	return interrupted;
}

int differ_run(struct arena *a, char **words)
{
	int err, status = 0;
	const char *why;
	pid_t pid;

	(void)fflush(stdout);
	err = start(words, &pid);
	if (err) {
		why = err == ENOENT ? "executable file not found in $PATH" : strerror(err);
		(void)ctl_error("failed to run \"%s\": exec: \"%s\": %s", words[0], words[0], why);
		return FAILED;
	}
	if (wait_for(pid, &status)) {
		fputs("Aborted.\n", stderr);
		return EXIT_INTERRUPTED;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
		return WEXITSTATUS(status);
	why = WIFEXITED(status) ? arena_printf(a, "exit status %d", WEXITSTATUS(status))
				: arena_printf(a, "signal: %s", strsignal(WTERMSIG(status)));
	(void)ctl_error("failed to run \"%s\": %s", words[0], why);
	return FAILED;
}
