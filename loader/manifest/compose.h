/* SPDX-License-Identifier: BSD-2-Clause */
/* What reading YAML shares between its two halves: events and places, and making trees of them. */
#ifndef SPILLWAY_MANIFEST_COMPOSE_H
#define SPILLWAY_MANIFEST_COMPOSE_H

#include <yaml.h>

#include "manifest/anchors.h"
#include "manifest/node.h"
#include "manifest/text.h"

struct reader {
	yaml_parser_t parser;
	struct arena *arena;
	struct diags *diags;
	const char *file;
	struct text text;	/* all of it */
	size_t start;		/* where the parser began */
	int first_line;		/* the line of `start` */
	struct anchors anchors; /* of the document */
	size_t nodes;		/* of the whole text, aliases expanded */
	size_t expanded;	/* those of them that came by aliases */
	bool bad;		/* the document has a mistake */
	bool full;		/* there are too many documents */
	size_t end;		/* where the parser must stop */
	bool unreadable;	/* what broke it is a byte, found ahead of the parser */
	size_t broken;		/* offset at which reading must stop, or SIZE_MAX */
};

/* yaml.c */
struct loc yaml_loc(const struct reader *r, const yaml_mark_t *mark);
/* Reports a mistake of the document, which is read on. */
void yaml_complain(struct reader *r, struct loc loc, const char *text);
/* The same, and the document ends here; returns NULL for the caller to return. */
struct node *yaml_give_up(struct reader *r, const yaml_mark_t *mark, const char *text);
/* False at the end of what can be read; the caller owns the event otherwise. */
bool yaml_next(struct reader *r, yaml_event_t *event);

/* compose.c: the tree that begins with `event`; NULL when the document was given up. */
struct node *compose(struct reader *r, const yaml_event_t *event, int depth);

#endif
