/* SPDX-License-Identifier: BSD-2-Clause */
/* The annotations of our own domain: what they may say, and on which kinds. */
#ifndef SPILLWAY_MANIFEST_ANNOTATIONS_H
#define SPILLWAY_MANIFEST_ANNOTATIONS_H

#include "manifest/kind.h"
#include "manifest/node.h"

#define ANNOTATION_ALLOW_SOURCES	   "spillway.dev/allow-sources"
#define ANNOTATION_ALLOW_SOURCES_FROM	   "spillway.dev/allow-sources-from"
#define ANNOTATION_DENY_SOURCES		   "spillway.dev/deny-sources"
#define ANNOTATION_DENY_SOURCES_FROM	   "spillway.dev/deny-sources-from"
#define ANNOTATION_FORWARDING		   "spillway.dev/forwarding"
#define ANNOTATION_FQDN_PATH		   "spillway.dev/fqdn-path"
#define ANNOTATION_IDLE_CLOSING		   "spillway.dev/idle-timeout-closing"
#define ANNOTATION_IDLE_EMBRYONIC	   "spillway.dev/idle-timeout-embryonic"
#define ANNOTATION_IDLE_ESTABLISHED	   "spillway.dev/idle-timeout-established"
#define ANNOTATION_NEW_FLOWS		   "spillway.dev/new-flows-per-second"
#define ANNOTATION_NEW_FLOWS_BURST	   "spillway.dev/new-flows-burst"
#define ANNOTATION_SOURCE_FLOWS		   "spillway.dev/new-flows-per-second-per-source"
#define ANNOTATION_SOURCE_FLOWS_BURST	   "spillway.dev/new-flows-burst-per-source"
#define ANNOTATION_NO_ENDPOINT		   "spillway.dev/no-endpoint"
#define ANNOTATION_NO_ENDPOINT_ESTABLISHED "spillway.dev/no-endpoint-established"
#define ANNOTATION_ON_REMOVAL		   "spillway.dev/on-removal"
#define ANNOTATION_PRIVATE_TARGETS	   "spillway.dev/private-targets"
#define ANNOTATION_QUIC_SERVER_IDS	   "spillway.dev/quic-server-ids"
#define ANNOTATION_TIER			   "spillway.dev/tier"
#define ANNOTATION_UDP_REPLIES		   "spillway.dev/udp-replies"

/* Durations in whole seconds, as the Gateway API writes them. */
struct annotation_span {
	const char *least, *most;
	const char *preset; /* what holds when it is absent */
	const char *why;    /* there is an upper limit, or NULL */
};

struct annotation {
	const char *name;
	unsigned int kinds;		    /* bits 1 << enum kind_id */
	const char *const *values;	    /* NULL-terminated; NULL: see span and refuse */
	const char *preset;		    /* when a word is absent; NULL: another field says it */
	const struct annotation_span *span; /* of a duration */
	/* Of anything else: what is wrong with the value, or NULL. */
	const char *(*refuse)(struct arena *a, const struct node *value);
	const char *text;
};

/* By name; one that differs between kinds has a row for each. A NULL name ends them. */
extern const struct annotation annotations[];

/* What the object's annotation of that name says, a word, or its preset. */
const char *annotation_value(const struct node *root, const char *name);

/* The same of a duration. The kind is one that knows the name. A `root` of NULL: the preset. */
uint32_t annotation_seconds(enum kind_id kind, const struct node *root, const char *name);

/* The same of a whole number; 0: it is absent. */
uint32_t annotation_count(const struct node *root, const char *name);

/*
 * What is wrong with one member of metadata.annotations, or NULL. *at_key: it is its name, not its
 * value. Names of other domains are free.
 */
const char *annotation_refuse(struct arena *a, enum kind_id kind, const struct node *member,
			      bool *at_key);

#endif
