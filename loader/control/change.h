/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request to change resources. All of it is decoded, checked, merged over what is stored, and the
 * whole next generation is compiled before the first byte is written: all or nothing.
 */
#ifndef SPILLWAY_CONTROL_CHANGE_H
#define SPILLWAY_CONTROL_CHANGE_H

#include "control/engine.h"

enum change_mode {
	CHANGE_APPLY,	/* create, or replace what differs */
	CHANGE_CREATE,	/* refuse what exists */
	CHANGE_REPLACE, /* as apply, but heeds metadata.resourceVersion */
	CHANGE_EDIT,	/* what has a metadata.resourceVersion is replaced, the rest created */
	CHANGE_DELETE,	/* objects need apiVersion, kind and metadata only */
};

enum change_commit { CHANGE_COMMIT, CHANGE_DRY_RUN };

/* What of the objects is in the answer besides outcomes. */
enum change_show {
	SHOW_NOTHING,
	SHOW_AFTER, /* as they are afterwards */
	SHOW_BOTH,  /* as they were, too: of a Secret it can be seen which values differ */
};

/* Takes away what was applied before and is not in the request. */
struct change_prune {
	const struct node *selector;	 /* a LabelSelector; NULL: any */
	const struct kind *const *kinds; /* NULL-terminated; NULL: all that have a namespace */
};

struct change_request {
	const char *project;
	const char *namespace; /* of objects that name none */
	enum change_mode mode;
	enum change_commit commit;
	enum change_show show;
	const struct change_prune *prune; /* or NULL; of an apply only */
	struct node *const *objects;	  /* taken over, and changed */
	size_t count;
};

struct change_note {
	int index; /* in the request; -1: an object that was stored before */
	const char *message;
};

struct change_outcome {
	struct object_key key;
	enum store_outcome outcome;
	struct node *before, *after; /* as asked for; NULL: is not there */
};

/* In the caller's arena. */
struct change_result {
	int code;		    /* HTTP's; 200: done */
	const char *reason;	    /* Kubernetes', when code is not 200 */
	const char *message;	    /* likewise */
	struct change_note *causes; /* of a 422 */
	size_t cause_count;
	struct change_note *warnings;
	size_t warning_count;
	struct change_outcome *outcomes; /* by request index, then what was pruned; of a 200 */
	size_t outcome_count;
};

void engine_change(struct engine *e, struct arena *a, const struct change_request *r,
		   struct change_result *out);

#endif
