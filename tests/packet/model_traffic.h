/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two CPUs send packets of flows of their own, all the time, while the main thread changes what the
 * packets go by, step by step. A packet may see the state before a step or the one after it, when it
 * was under way during the step; else just the one that was in force. A step begins only when no
 * packet is left that began before the latest one ended, so never more than two states come into
 * question.
 */
#ifndef SPILLWAY_TESTS_MODEL_TRAFFIC_H
#define SPILLWAY_TESTS_MODEL_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#define POOL	    24 /* endpoints, number n has the address 10.0.0.n + 1 */
#define SERVER_PORT 80

struct member {
	bool present, down, drained;
	bool pickable, up; /* as compiled */
	uint32_t removals; /* so far: UDP flows of before the latest one are gone, or soon are */
};

struct moment {
	struct member pool[POOL];
};

struct traffic_sum {
	uint64_t opened, kept, moved, refused; /* flows; packets; UDP packets; new flows */
	uint64_t unsure;		       /* packets that were under way during a step */
	uint64_t wrong;
	char first_wrong[256];
};

/* `prog` is the packet path, a descriptor of the caller's, in use until traffic_prog() or the end. */
void traffic_start(int prog, const struct moment *first);
/* Waits until the next step may begin; its outcome is to be filled in, which is as before yet. */
struct moment *traffic_next(void);
/* Between these two, packets see either. */
void traffic_step_begins(void);
void traffic_step_ends(void);
/* Within a step: from now on this program. The former one may be closed when the next step begins. */
void traffic_prog(int prog);
/* Ends it, if it goes on; the sum of both CPUs. */
struct traffic_sum traffic_stop(void);

#endif
