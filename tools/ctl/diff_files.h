/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects before and after in two temporary directories, and the differ that compares them. */
#ifndef SPILLWAY_CTL_DIFF_FILES_H
#define SPILLWAY_CTL_DIFF_FILES_H

#include "manifest/node.h"

/* Zero but for `arena`. */
struct diff_files {
	struct arena *arena;
	char *live, *merged; /* the directories, NULL: not made */
	const char **names;  /* of files made in either */
	size_t name_count;
};

/*
 * Makes the directories. ^C and SIGTERM wait from now on until diff_files_close(), which is needed
 * after a failure of the others too. Nonzero, and said so, on failure.
 */
int diff_files_open(struct diff_files *f);
/*
 * Writes both sides as YAML. What is new has an empty file before, as kubectl has it for differs that
 * look at common files only; what goes has none after. Nonzero, and said so, on failure.
 */
int diff_files_add(struct diff_files *f, const char *name, struct node *before, struct node *after);
/* Runs the differ. 0: the same, 1: different, more: failed, and said so; 130: interrupted. */
int diff_files_run(struct diff_files *f);
/* Removes all that was made. */
void diff_files_close(struct diff_files *f);

#endif
