/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a Backend may be used, as upstream's controller finds out. */
#ifndef SPILLWAY_MODEL_ACCEPT_H
#define SPILLWAY_MODEL_ACCEPT_H

#include "model/model.h"

/* Why a Backend is not accepted: upstream's sentence without its prefix, and the field's place. */
struct refusal {
	const char *why;
	struct loc where;
};

struct refusals {
	struct refusal *items; /* in the arena */
	size_t count;
};

/*
 * The Backend checks of upstream's controller that need no other resource but the policies around
 * it: nothing when accepted, else all mistakes, first the one that upstream stops at. `covered`:
 * BackendTLSPolicies cover it.
 */
struct refusals accept_backend(struct arena *a, const struct resource *backend, bool on_host,
			       bool covered);

#endif
