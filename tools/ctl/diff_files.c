/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directories are this run's own, readable by its user alone, and gone afterwards also when the
 * differ is interrupted: hence the signals are held back meanwhile.
 */
#include "ctl/diff_files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/differ.h"
#include "ctl/output.h"

static void hold_signals(int how)
{
	sigset_t held;

	(void)sigemptyset(&held);
	(void)sigaddset(&held, SIGINT);
	(void)sigaddset(&held, SIGTERM);
	(void)sigaddset(&held, SIGCHLD);
	(void)sigprocmask(how, &held, NULL);
}

/* NULL, and said so, on failure. */
static char *make_directory(struct diff_files *f, const char *name)
{
	const char *given = getenv("TMPDIR");
	const char *parent = given && given[0] ? given : "/tmp";
	char *path = arena_printf(f->arena, "%s/%s-XXXXXX", parent, name);

	if (mkdtemp(path))
		return path;
	(void)ctl_error("no directory can be made in %s: %s", parent, strerror(errno));
	return NULL;
}

int diff_files_open(struct diff_files *f)
{
	hold_signals(SIG_BLOCK);
	(void)signal(SIGCHLD, SIG_DFL); /* ignored by whoever started us, it would never come */
	f->live = make_directory(f, "LIVE");
	if (f->live)
		f->merged = make_directory(f, "MERGED");
	if (f->merged)
		return 0;
	diff_files_close(f);
	return 1;
}

static int write_file(struct diff_files *f, const char *directory, const char *name,
		      struct node *object)
{
	const char *path = arena_printf(f->arena, "%s/%s", directory, name);
	AUTO(free) char *text = NULL;
	FILE *out;
	bool failed;

	if (object)
		output_sort(object);
	text = object ? node_to_yaml(object) : strdup("");
	out = text ? fopen(path, "wxe") : NULL;
	if (!out)
		return ctl_error("%s cannot be written: %s", path, strerror(errno));
	failed = fputs(text, out) < 0;
	failed = fclose(out) != 0 || failed;
	return failed ? ctl_error("%s cannot be written: %s", path, strerror(errno)) : 0;
}

int diff_files_add(struct diff_files *f, const char *name, struct node *before, struct node *after)
{
	*arena_push(f->arena, f->names, f->name_count) = name;
	if (write_file(f, f->live, name, before))
		return 1;
	return after ? write_file(f, f->merged, name, after) : 0;
}

int diff_files_run(struct diff_files *f)
{
	return differ_run(f->arena, differ_words(f->arena, f->live, f->merged));
}

static void remove_directory(struct diff_files *f, const char *directory)
{
	if (!directory)
		return;
	for (size_t i = 0; i < f->name_count; i++)
		(void)unlink(arena_printf(f->arena, "%s/%s", directory, f->names[i]));
	(void)rmdir(directory);
}

void diff_files_close(struct diff_files *f)
{
	remove_directory(f, f->live);
	remove_directory(f, f->merged);
	hold_signals(SIG_UNBLOCK);
}
