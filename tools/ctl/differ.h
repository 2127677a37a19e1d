/* SPDX-License-Identifier: BSD-2-Clause */
/* The program that compares two directories: the environment's, else the system's diff. */
#ifndef SPILLWAY_CTL_DIFFER_H
#define SPILLWAY_CTL_DIFFER_H

#include "base/arena.h"

/* The words to run, NULL-terminated: kubectl's reading of its variable. */
char **differ_words(struct arena *a, const char *live, const char *merged);

/*
 * Runs it and waits. SIGINT, SIGTERM and SIGCHLD must be blocked; the first two end it. Returns its
 * exit code; more than 1: it failed, and that was said; 130: interrupted.
 */
int differ_run(struct arena *a, char **words);

#endif
