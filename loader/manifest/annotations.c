/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Spillway understands beyond upstream's fields is said by annotations, one row each. They are
 * checked like fields: a name of our domain with a slip in it would be ignored in silence.
 */
#include "manifest/annotations.h"

#include <string.h>
#include <strings.h>

#define DOMAIN "spillway.dev/"
#define ON(id) (1u << (id))

#define BACKEND ON(KIND_BACKEND)
#define ROUTE	(ON(KIND_TCPROUTE) | ON(KIND_UDPROUTE))

static const char *const modes[] = {"nat", "l2", "ipip", "gue", NULL};
static const char *const paths[] = {"proxy", "xdp", NULL};
static const char *const answers[] = {"answer", "unreachable", "drop", "pass", NULL};
static const char *const live_answers[] = {"leave", "answer", "drop", "pass", NULL};
static const char *const removals[] = {"leave", "reset", NULL};
static const char *const tiers[] = {"0", "1", "2", "3", "4", "5", "6", "7", NULL};
static const char *const replies[] = {"optional", "expected", NULL};

const struct annotation annotations[] = {
	{ANNOTATION_FORWARDING, BACKEND, modes, "nat",
	 "How packets get to the endpoints. Only nat works in this version."},
	{ANNOTATION_FQDN_PATH, BACKEND, paths, "proxy",
	 "Who serves endpoints with host names. Neither works in this version."},
	{ANNOTATION_NO_ENDPOINT, ROUTE, answers, "answer",
	 "What a new flow gets when no endpoint is left: answer is RST over TCP and ICMP port "
	 "unreachable over UDP, unreachable is ICMP for both, pass leaves it to the host."},
	{ANNOTATION_NO_ENDPOINT_ESTABLISHED, ROUTE, live_answers, "leave",
	 "What flows get that exist when no endpoint is left: leave lets them go on."},
	{ANNOTATION_ON_REMOVAL, BACKEND, removals, "leave",
	 "What becomes of the TCP flows of an endpoint that is removed: reset ends them at their "
	 "next packet."},
	{ANNOTATION_TIER, BACKEND, tiers, NULL,
	 "The tier of the endpoints, whatever fallback says; lower tiers come first."},
	{ANNOTATION_UDP_REPLIES, BACKEND, replies, "optional",
	 "expected: passive detection counts a UDP request without a reply as a failure."},
	{0},
};

static const struct annotation *find(const char *name)
{
	for (const struct annotation *row = annotations; row->name; row++) {
		if (strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

const char *annotation_value(const struct node *root, const char *name)
{
	const struct node *map = node_at(root, "metadata.annotations");
	const struct node *n = node_member(map, name); /* a name holds dots, so no node_at() */
	const struct annotation *row = find(name);

	if (n && n->type == NODE_STRING)
		return n->text;
	return row ? row->preset : NULL;
}

static const char *join(struct arena *a, const char *list, const char *word)
{
	return list ? arena_printf(a, "%s, %s", list, word) : word;
}

/* The names known on a kind, or the kinds that a name is known on. */
static const char *names_on(struct arena *a, enum kind_id kind)
{
	const char *list = NULL;

	for (const struct annotation *row = annotations; row->name; row++) {
		if (row->kinds & ON(kind))
			list = join(a, list, row->name);
	}
	return list;
}

static const char *kinds_of(struct arena *a, const struct annotation *row)
{
	const char *list = NULL;

	for (unsigned int i = 0; i < KIND_MAX; i++) {
		if (row->kinds & ON(kinds[i].id))
			list = join(a, list, kinds[i].name);
	}
	return list;
}

static const char *refuse_name(struct arena *a, enum kind_id kind, const struct annotation *row)
{
	const char *names = names_on(a, kind);
	const char *why = row ? arena_printf(a, "is for %s", kinds_of(a, row)) : "is not known";

	if (!names)
		return arena_printf(a, "%s; a %s has none", why, kinds[kind].name);
	return arena_printf(a, "%s; those of a %s are %s", why, kinds[kind].name, names);
}

const char *annotation_refuse(struct arena *a, enum kind_id kind, const struct node *member,
			      bool *at_key)
{
	const struct annotation *row = find(member->key);
	const char *list = NULL;

	if (strncasecmp(member->key, DOMAIN, strlen(DOMAIN)) != 0)
		return NULL;
	*at_key = true;
	if (!row || !(row->kinds & ON(kind)))
		return refuse_name(a, kind, row);
	*at_key = false;
	if (member->type != NODE_STRING)
		return NULL; /* refused as no string already */
	for (const char *const *v = row->values; *v; v++) {
		if (strcmp(*v, member->text) == 0 && member->text_len == strlen(*v))
			return NULL;
		list = join(a, list, *v);
	}
	return arena_printf(a, "must be one of %s", list);
}
