/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first stages of a change: trees become checked objects, mistakes become causes, and the objects are
 * laid over those that are stored.
 */
#ifndef SPILLWAY_CONTROL_CHANGE_DECODE_H
#define SPILLWAY_CONTROL_CHANGE_DECODE_H

#include "control/change.h"

/* One object of the request. */
struct change_item {
	struct object_key key;
	struct object object; /* not for deletes; holds its body once it is merged */
	const char *version;  /* metadata.resourceVersion of the request, or NULL */
	struct object *old;   /* in the generation in force, or NULL */
	bool is_stored;	      /* its tree equals that of `old` */
	bool changed, spec_changed;
	bool remove; /* deleted or pruned */
};

/* A change under way; lives on the stack of engine_change(). */
struct change {
	struct engine *engine;
	const struct change_request *req;
	struct change_result *out;
	struct arena *answer;	     /* the caller's: what the answer needs */
	struct arena *arena;	     /* the next generation's */
	bool arena_given;	     /* a generation holds it */
	struct change_item *items;   /* by request index */
	size_t count;		     /* with what is pruned, which the request does not name */
	struct change_item **sorted; /* by key */
	bool is_settled;	     /* see change_settle() */
	struct object *objects;	     /* of the next generation */
	size_t object_count;
};

/* Fills in `items`; -EINVAL with the result filled in when there were mistakes. */
int change_decode(struct change *c);

/* The text is copied. */
void change_cause(struct change *c, int index, const char *text);
void change_warning(struct change *c, int index, const char *text);
/* Both end the change and return -EINVAL; causes with 422. */
int change_refuse(struct change *c, int code, const char *reason, const char *message);
int change_refuse_causes(struct change *c);
/* "backends.gateway.envoyproxy.io "web"", as Kubernetes names it in messages. */
const char *change_resource(struct change *c, const struct object_key *key);

/* change_merge.c. Fills in `sorted`; an object that is given twice is a mistake. */
int change_sort(struct change *c);
/* The objects of the request as the next generation is to have them. */
void change_settle(struct change *c);
/* Fills in `objects`: the stored ones that the request leaves alone, and its own. */
int change_merge(struct change *c);
/* Lets go of the trees that change_merge() took. */
void change_release(struct change *c);

#endif
