/* SPDX-License-Identifier: BSD-2-Clause */
/* One request that changes stored objects, all of them or none (docs/api.md, apply). */
#ifndef SPILLWAY_CTL_COMMIT_H
#define SPILLWAY_CTL_COMMIT_H

#include "ctl/ctl.h"

enum commit_op { COMMIT_APPLY, COMMIT_CREATE, COMMIT_EDIT, COMMIT_DELETE };
enum commit_show { COMMIT_SHOW_NOTHING, COMMIT_SHOW_AFTER, COMMIT_SHOW_BOTH };
enum dry_run { DRY_RUN_NONE, DRY_RUN_CLIENT, DRY_RUN_SERVER };

#define DRY_RUN_FLAG                                                                               \
	{.name = "dry-run",                                                                        \
	 .type = FLAG_TEXT,                                                                        \
	 .value = "MODE",                                                                          \
	 .initial = "none",                                                                        \
	 .bare = "client",                                                                         \
	 .help = "Change nothing, only say what would be: none, client, or server, which "         \
		 "also runs the daemon's checks"}

/* Flag "dry-run" of the verb; nonzero, and said so, for another word. */
int dry_run_parse(struct ctl *c, enum dry_run *out);
/* What kubectl adds to a line: "", " (dry run)", " (server dry run)". */
const char *dry_run_suffix(enum dry_run dry);

struct commit {
	enum commit_op op;
	enum dry_run dry;
	enum commit_show show;	    /* objects that the answer has besides outcomes */
	const struct resources *rs; /* for a delete only their names are sent */
	struct node *prune;	    /* the request's member, or NULL */
};

/*
 * Sends the resources. *answer is the daemon's `results`, `pruned` and `warnings`. Nonzero, and
 * everything said with places, when it did not take them.
 */
int commit_send(struct ctl *c, const struct commit *commit, struct node **answer);

/* Mistakes were printed: says what they mean. Returns 1. */
int commit_refused(const struct ctl *c);

/* The resource that a result speaks of, or NULL for an index that was never sent. */
const struct resource *commit_resource(const struct resources *rs, const struct node *result);

/* The answer's warnings on standard error: `FILE:LINE:COLUMN: warning: TEXT`. */
void commit_print_warnings(struct ctl *c, const struct node *answer, const struct resources *rs);

/*
 * Where the value at `path` ("spec.endpoints[0].ip.port") of an object was written; as much of the
 * path as is there counts, and an empty path is the object itself.
 */
struct loc commit_place(const struct resource *r, const char *path);

#endif
