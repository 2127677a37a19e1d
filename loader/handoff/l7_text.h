/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of a manifest as words of HAProxy's configuration; nothing in them can end a line or an argument. */
#ifndef SPILLWAY_HANDOFF_L7_TEXT_H
#define SPILLWAY_HANDOFF_L7_TEXT_H

#include "base/strbuf.h"
#include "model/frontend.h"

/* One argument, taken as it is. */
void l7_quote(struct strbuf *b, const char *text);
/* One argument that is a format: percent signs are doubled first. */
void l7_quote_format(struct strbuf *b, const char *text);

/*
 * What a match asks for besides its host: lines that define conditions, and their names with a space in
 * front. Conditions of their own, since a line has 64 words at most.
 */
struct l7_acls {
	size_t match; /* its number in the section */
	size_t count;
	struct strbuf lines, names;
};

void l7_acls_add(struct l7_acls *a, const struct node *match);
void l7_acls_done(struct l7_acls *a);

/* The filters of a rule, as lines of its section. */
void l7_filters(struct strbuf *b, const struct frontend *f, const struct node *rule);
bool l7_is_redirect(const struct node *rule);

/* l7_frontend.c: the lines of a frontend but for those that say where it listens. */
void l7_frontend(struct arena *a, struct strbuf *b, const struct frontend *f);
const char *l7_cluster_name(struct arena *a, const struct service *s);

/* Sections for what no cluster is for: 404, 500, and a connection that is closed. */
#define L7_NO_RULE    "no-rule"
#define L7_NO_BACKEND "no-backend"
#define L7_NO_TCP     "no-connection"

/* l7_settings.c: the lines of a cluster but for its filters and servers. */
void l7_settings(struct strbuf *b, const struct frontend *f, const struct l7_rule *r);

#endif
