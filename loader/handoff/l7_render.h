/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections of layer 7 as a text, and what of it HAProxy refuses, line by line. Pure. */
#ifndef SPILLWAY_HANDOFF_L7_RENDER_H
#define SPILLWAY_HANDOFF_L7_RENDER_H

#include "base/strbuf.h"
#include "handoff/l7_plan.h"

/* Slots of this remainder are those of frontends, so that no other section ever listens on them. */
#define L7_SLOT_EVERY 4
#define L7_SLOT_AT    3

static inline bool l7_slot_is_frontends(size_t slot)
{
	return slot % L7_SLOT_EVERY == L7_SLOT_AT;
}

/* Lines that HAProxy refuses, by l7_key; each is left out, and what depends on it answers 500. */
struct l7_refused {
	uint64_t *keys; /* malloc()ed */
	size_t count;
};

struct l7_render_input {
	const struct l7_plan *plan;
	const struct l7_refused *refused;
	size_t (*slot_of)(void *ctx, uint32_t id); /* of a frontend; SIZE_MAX: it has none */
	void *ctx;
	int first_fd;
	bool has_v6;
	bool as_structure; /* without servers: equal texts need no new process */
	struct arena *arena;
	uint64_t *keys; /* out: by line of this text */
	size_t key_count;
};

void l7_render(struct strbuf *out, struct l7_render_input *in);

#endif
