/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking the daemon again and again: outlives its restarts, ends when nobody listens any more. */
#ifndef SPILLWAY_CTL_FOLLOW_H
#define SPILLWAY_CTL_FOLLOW_H

#include "ctl/ctl.h"

/* Zero but for `c`. */
struct follow {
	struct ctl *c;
	bool answered; /* there was an answer before: a daemon that is away may come back */
	bool away;     /* and that was said */
};

/* From now on ^C, SIGTERM and a reader that has gone end follow_wait(), not the process. */
void follow_begin(void);

/*
 * A GET whose answer lives in `a`, since a run may be long. -EAGAIN: the daemon is away, which is
 * said once on standard error; -EPROTO and others: said, and no use to go on.
 */
int follow_get(struct follow *f, struct arena *a, const char *path, struct node **out);

/* Waits; false when it is time to end. */
bool follow_wait(unsigned int ms);

#endif
