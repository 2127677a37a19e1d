/* SPDX-License-Identifier: BSD-2-Clause */
/* Failures in words: the cause and the remedy, for whoever reports them. */
#ifndef SPILLWAY_DATAPLANE_WHY_H
#define SPILLWAY_DATAPLANE_WHY_H

#include "base/arena.h"

/* Where the sentence goes; its text is in `a`. */
struct why {
	struct arena *a;
	const char **text;
};

/* Returns err, so that a failure is one line. */
int why_set(struct why why, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* libbpf's messages become debug lines; its latest warnings are kept for *why. */
void libbpf_log_start(void);
void libbpf_log_clear(void);
const char *libbpf_log_text(void); /* "" when it said nothing since the clear */

#endif
