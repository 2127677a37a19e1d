/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to the daemon over its Unix socket (docs/api.md). */
#ifndef SPILLWAY_CTL_HTTP_H
#define SPILLWAY_CTL_HTTP_H

#include "ctl/ctl.h"

struct reply {
	long code;	   /* HTTP status */
	const char *text;  /* the body, in the run's arena */
	struct node *body; /* the same as a tree, or NULL when it is no JSON */
};

/*
 * Sends a request; `path` begins with "/", its variable parts went through http_escape(), and the
 * project is put in front of "/apis". `body` may be NULL. Any answer is a success here. When there
 * was none: a negative errno, and in *why a sentence with the remedy.
 */
int http_try(struct ctl *c, const char *method, const char *path, const struct node *body,
	     struct reply *out, const char **why);

/* The same; when there was no answer it says why on standard error. */
int http_request(struct ctl *c, const char *method, const char *path, const struct node *body,
		 struct reply *out);

/* A GET that must succeed: what the daemon refuses is printed too. Nonzero on any failure. */
int http_get(struct ctl *c, const char *path, struct node **out);

/* Prints the daemon's error as kubectl does: `Error from server (REASON): TEXT`; returns 1. */
int http_error(const struct reply *r);

/* One segment of a path, or the value of a query parameter (RFC 3986, 2.3). */
const char *http_escape(struct arena *a, const char *text);

#endif
