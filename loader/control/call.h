/* SPDX-License-Identifier: BSD-2-Clause */
/* One request and its answer, free of HTTP's machinery. */
#ifndef SPILLWAY_CONTROL_CALL_H
#define SPILLWAY_CONTROL_CALL_H

#include "control/engine.h"
#include "control/tree.h"

#define CALL_QUERY_MAX 16

/* Parts of a path that a route's pattern names. */
enum call_param {
	PARAM_GROUP,
	PARAM_VERSION,
	PARAM_NAMESPACE,
	PARAM_PLURAL,
	PARAM_NAME,
	PARAM_MAX,
};

struct call_query {
	const char *name, *value;
};

struct call {
	struct engine *engine;
	struct arena *arena; /* of this request */
	const char *method;
	const char *path;
	struct call_query query[CALL_QUERY_MAX];
	size_t query_count;
	const char *body;
	size_t body_len;
	const char *project;	       /* from the path; "default" */
	const char *params[PARAM_MAX]; /* from the path; NULL: not in the pattern */
	int code;		       /* of the answer */
	const char *content_type;
	char *answer; /* owned by whoever made the call */
};

/* The value of a query parameter, or NULL. */
const char *call_query(const struct call *c, const char *name);
/* Whether a namespace or project may be called this: RFC 1123 labels. */
bool call_is_label(const char *text, size_t len);
/* The body as a JSON object; answers 400 and returns NULL when it is none. */
struct node *call_body(struct call *c);

void call_answer(struct call *c, int code, const struct node *tree);
void call_answer_text(struct call *c, int code, const char *text);
/* A Kubernetes Status about a failure. */
void call_fail(struct call *c, int code, const char *reason, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The tree of such a Status, to be completed. */
struct node *call_status(struct call *c, int code, const char *reason, const char *message);

/* Finds the route and runs it; answers in any case. */
void call_dispatch(struct call *c);

#endif
