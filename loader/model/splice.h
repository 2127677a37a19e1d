/* SPDX-License-Identifier: BSD-2-Clause */
/* A part of a model that was resolved anew in the place of what it was. For patch.c. */
#ifndef SPILLWAY_MODEL_SPLICE_H
#define SPILLWAY_MODEL_SPLICE_H

#include "model/patch.h"

struct splice {
	struct arena *arena, *lasting; /* see model_patch() */
	const struct model *before;
	struct instance *const *by_place; /* instances of `before` */
	const struct model *part;
	const size_t *places; /* by object of `part`: its place in `before` */
	struct patched *patched;

	/* Worked out on the way: */
	struct model *now;
	uint32_t *service_of; /* by service of `before`: that of `part`, plus 1; 0: it stays */
	uint32_t *place_of_service; /* by service of `part` */
	uint32_t *instance_of;	    /* by instance of `part`: its index now */
};

/* NULL: the part cannot be put in; nothing but arenas was touched then. */
struct model *splice(struct splice *s);

/* splice_instances.c: fills in now->instances, patched->instances and instance_of. */
bool splice_instances(struct splice *s);

#endif
