/* SPDX-License-Identifier: BSD-2-Clause */
/* The result of a change as an answer. */
#ifndef SPILLWAY_CONTROL_CHANGE_ANSWER_H
#define SPILLWAY_CONTROL_CHANGE_ANSWER_H

#include "control/call.h"
#include "control/change.h"

/* The Status of a change that was refused, with details.causes[]. */
void change_answer_failure(struct call *c, const struct change_result *r);
/* A list of {"index","path","message"}. */
struct node *change_answer_notes(struct call *c, const struct change_note *notes, size_t count);

#endif
