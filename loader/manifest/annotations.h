/* SPDX-License-Identifier: BSD-2-Clause */
/* The annotations of our own domain: what they may say, and on which kinds. */
#ifndef SPILLWAY_MANIFEST_ANNOTATIONS_H
#define SPILLWAY_MANIFEST_ANNOTATIONS_H

#include "manifest/kind.h"
#include "manifest/node.h"

#define ANNOTATION_FORWARDING		   "spillway.dev/forwarding"
#define ANNOTATION_FQDN_PATH		   "spillway.dev/fqdn-path"
#define ANNOTATION_NO_ENDPOINT		   "spillway.dev/no-endpoint"
#define ANNOTATION_NO_ENDPOINT_ESTABLISHED "spillway.dev/no-endpoint-established"
#define ANNOTATION_ON_REMOVAL		   "spillway.dev/on-removal"
#define ANNOTATION_TIER			   "spillway.dev/tier"
#define ANNOTATION_UDP_REPLIES		   "spillway.dev/udp-replies"

struct annotation {
	const char *name;
	unsigned int kinds;	   /* bits 1 << enum kind_id */
	const char *const *values; /* NULL-terminated */
	const char *preset;	   /* what holds when it is absent; NULL: another field says it */
	const char *text;
};

extern const struct annotation annotations[]; /* by name; a NULL name ends them */

/* What the object's annotation of that name says, or its preset. */
const char *annotation_value(const struct node *root, const char *name);

/*
 * What is wrong with one member of metadata.annotations, or NULL. *at_key: it is its name, not its
 * value. Names of other domains are free.
 */
const char *annotation_refuse(struct arena *a, enum kind_id kind, const struct node *member,
			      bool *at_key);

#endif
