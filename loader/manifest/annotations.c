/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Spillway understands beyond upstream's fields is said by annotations, one row each. They are
 * checked like fields: a name of our domain with a slip in it would be ignored in silence.
 */
#include "manifest/annotations.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/network.h"
#include "manifest/manifest.h"
#include "manifest/quic_ids.h"

#define DOMAIN "spillway.dev/"
#define ON(id) (1u << (id))

#define BACKEND ON(KIND_BACKEND)
#define ROUTE	(ON(KIND_TCPROUTE) | ON(KIND_UDPROUTE))

#define WORDS(list, preset) list, preset, NULL, NULL
#define SPAN(span)	    NULL, NULL, &(span), NULL
#define FORM(refuse)	    NULL, NULL, NULL, refuse

#define COUNT_MOST 10000000 /* new flows a second: more than a host opens */

static const char *const modes[] = {"nat", "l2", "ipip", "gue", NULL};
static const char *const paths[] = {"proxy", "xdp", NULL};
static const char *const answers[] = {"answer", "unreachable", "drop", "pass", NULL};
static const char *const live_answers[] = {"leave", "answer", "drop", "pass", NULL};
static const char *const removals[] = {"leave", "reset", NULL};
static const char *const tiers[] = {"0", "1", "2", "3", "4", "5", "6", "7", NULL};
static const char *const targets[] = {"refuse", "allow", NULL};
static const char *const replies[] = {"optional", "expected", NULL};

/* Established: RFC 5382, REQ-5 asks for 2 h 4 min over TCP, RFC 4787, REQ-5 for 2 min over UDP. */
static const struct annotation_span tcp_embryonic = {"1s", "10m", "30s", NULL};
static const struct annotation_span tcp_established = {"1s", "168h", "2h4m", NULL};
static const struct annotation_span tcp_closing = {"1s", "10m", "1m",
						   "the flow's source port rests as long"};
static const struct annotation_span udp_embryonic = {"1s", "10m", "30s", NULL};
static const struct annotation_span udp_established = {"1s", "168h", "3m", NULL};

static const char *refuse_count(struct arena *a, const struct node *n)
{
	const char *digits = n->text + strspn(n->text, "0123456789");

	if (*n->text && *n->text != '0' && digits == n->text + n->text_len && n->text_len <= 8 &&
	    strtoul(n->text, NULL, 10) <= COUNT_MOST)
		return NULL;
	return arena_printf(a, "must be a whole number from 1 to %d", COUNT_MOST);
}

static const char *refuse_networks(struct arena *a, const struct node *n)
{
	struct networks list = {0};
	struct network_slip slip;

	if (!networks_add_text(a, &list, n->text, n->text_len, &slip))
		return NULL;
	return arena_printf(a,
			    "\"%.*s\" is neither an address nor a network such as 192.0.2.0/24 or "
			    "2001:db8::/32",
			    (int)slip.len, slip.text);
}

static const char *refuse_quic(struct arena *a, const struct node *n)
{
	struct quic_ids ids;

	return quic_ids_parse(a, n->text, n->text_len, &ids);
}

/* ConfigMaps, in the route's namespace. */
static const char *refuse_names(struct arena *a, const struct node *n)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-., ";

	if (n->text_len && strspn(n->text, allowed) == n->text_len)
		return NULL;
	return arena_strdup(a, "must be names of ConfigMaps, with commas between them");
}

const struct annotation annotations[] = {
	{ANNOTATION_ALLOW_SOURCES, ROUTE, FORM(refuse_networks),
	 "Networks, such as 192.0.2.0/24, 2001:db8::/32: new flows from elsewhere are dropped."},
	{ANNOTATION_ALLOW_SOURCES_FROM, ROUTE, FORM(refuse_names),
	 "ConfigMaps of the route's namespace with more of them, a network a line."},
	{ANNOTATION_DENY_SOURCES, ROUTE, FORM(refuse_networks),
	 "Networks whose new flows are dropped, also where they are among the allowed ones."},
	{ANNOTATION_DENY_SOURCES_FROM, ROUTE, FORM(refuse_names),
	 "ConfigMaps of the route's namespace with more of them, a network a line."},
	{ANNOTATION_FORWARDING, BACKEND, WORDS(modes, "nat"),
	 "How packets get to the endpoints: nat rewrites their addresses; l2, ipip and gue are direct "
	 "return, see docs/direct-return.md."},
	{ANNOTATION_FQDN_PATH, BACKEND, WORDS(paths, "proxy"),
	 "Who serves endpoints with host names: HAProxy, or XDP like plain addresses, but not over "
	 "TLS."},
	{ANNOTATION_IDLE_CLOSING, ON(KIND_TCPROUTE), SPAN(tcp_closing),
	 "After how long without a packet a flow is forgotten that had a FIN or RST; its source "
	 "port rests as long."},
	{ANNOTATION_IDLE_EMBRYONIC, ON(KIND_TCPROUTE), SPAN(tcp_embryonic),
	 "The same of a flow whose handshake is not done."},
	{ANNOTATION_IDLE_EMBRYONIC, ON(KIND_UDPROUTE), SPAN(udp_embryonic),
	 "The same of a flow that was not answered."},
	{ANNOTATION_IDLE_ESTABLISHED, ON(KIND_TCPROUTE), SPAN(tcp_established),
	 "The same of a flow whose handshake is done."},
	{ANNOTATION_IDLE_ESTABLISHED, ON(KIND_UDPROUTE), SPAN(udp_established),
	 "The same of a flow that was answered."},
	{ANNOTATION_NEW_FLOWS_BURST, ROUTE, FORM(refuse_count),
	 "How many new flows beyond new-flows-per-second may come at once; as many as in a second."},
	{ANNOTATION_SOURCE_FLOWS_BURST, ROUTE, FORM(refuse_count), "The same for each source."},
	{ANNOTATION_NEW_FLOWS, ROUTE, FORM(refuse_count),
	 "How many new flows a second the service takes on; others are dropped."},
	{ANNOTATION_SOURCE_FLOWS, ROUTE, FORM(refuse_count),
	 "The same for each source: an IPv4 address, or an IPv6 /64."},
	{ANNOTATION_NO_ENDPOINT, ROUTE, WORDS(answers, "answer"),
	 "What a new flow gets when no endpoint is left: answer is RST over TCP and ICMP port "
	 "unreachable over UDP, unreachable is ICMP for both, pass leaves it to the host."},
	{ANNOTATION_NO_ENDPOINT_ESTABLISHED, ROUTE, WORDS(live_answers, "leave"),
	 "What flows get that exist when no endpoint is left: leave lets them go on."},
	{ANNOTATION_ON_REMOVAL, BACKEND, WORDS(removals, "leave"),
	 "What becomes of the TCP flows of an endpoint that is removed: reset ends them at their "
	 "next packet."},
	{ANNOTATION_PRIVATE_TARGETS, BACKEND, WORDS(targets, "refuse"),
	 "Whether clients of a DynamicResolver may choose addresses of private networks."},
	{ANNOTATION_QUIC_SERVER_IDS, BACKEND, FORM(refuse_quic),
	 "The ids that servers put into QUIC connection IDs, so that a client whose address changes "
	 "stays with its server: address/N is the last N octets of an endpoint's address, "
	 "192.0.2.1:443=0a01 is an id; behind 0: to 6: they are of that configuration. See "
	 "docs/quic.md."},
	{ANNOTATION_TIER, BACKEND, WORDS(tiers, NULL),
	 "The tier of the endpoints, whatever fallback says; lower tiers come first."},
	{ANNOTATION_UDP_REPLIES, BACKEND, WORDS(replies, "optional"),
	 "expected: passive detection counts a UDP request without a reply as a failure."},
	{0},
};

/* The first row of any kind, and that of a kind. */
static const struct annotation *find(const char *name)
{
	for (const struct annotation *row = annotations; row->name; row++) {
		if (strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

static const struct annotation *find_on(enum kind_id kind, const char *name)
{
	for (const struct annotation *row = annotations; row->name; row++) {
		if ((row->kinds & ON(kind)) && strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

static const struct node *member_of(const struct node *root, const char *name)
{
	const struct node *map = node_at(root, "metadata.annotations");

	return node_member(map, name); /* a name holds dots, so no node_at() */
}

const char *annotation_value(const struct node *root, const char *name)
{
	const struct node *n = member_of(root, name);
	const struct annotation *row = find(name);

	if (n && n->type == NODE_STRING)
		return n->text;
	return row ? row->preset : NULL;
}

static uint32_t whole_seconds(const char *duration)
{
	return (uint32_t)(duration_ms(duration) / 1000);
}

uint32_t annotation_seconds(enum kind_id kind, const struct node *root, const char *name)
{
	const struct annotation *row = find_on(kind, name);
	const struct node *n = root ? member_of(root, name) : NULL;

	assert(row && row->span);
	return whole_seconds(n && n->type == NODE_STRING ? n->text : row->span->preset);
}

uint32_t annotation_count(const struct node *root, const char *name)
{
	const char *text = annotation_value(root, name);

	return text ? (uint32_t)strtoul(text, NULL, 10) : 0;
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

static const char *kinds_of(struct arena *a, const char *name)
{
	const char *list = NULL;

	for (unsigned int i = 0; i < KIND_MAX; i++) {
		if (find_on(kinds[i].id, name))
			list = join(a, list, kinds[i].name);
	}
	return list;
}

static const char *refuse_name(struct arena *a, enum kind_id kind, const char *name)
{
	const char *names = names_on(a, kind), *on = kinds_of(a, name);
	const char *why = on ? arena_printf(a, "is for %s", on) : "is not known";

	if (!names)
		return arena_printf(a, "%s; a %s has none", why, kinds[kind].name);
	return arena_printf(a, "%s; those of a %s are %s", why, kinds[kind].name, names);
}

static const char *refuse_word(struct arena *a, const char *const *values, const struct node *n)
{
	const char *list = NULL;

	for (const char *const *v = values; *v; v++) {
		if (strcmp(*v, n->text) == 0 && n->text_len == strlen(*v))
			return NULL;
		list = join(a, list, *v);
	}
	return arena_printf(a, "must be one of %s", list);
}

static const char *refuse_span(struct arena *a, const struct annotation_span *span,
			       const struct node *n)
{
	const int64_t ms = n->text_len == strlen(n->text) ? duration_ms(n->text) : -1;
	const char *range = arena_printf(a, "%s to %s are allowed, %s is the default", span->least,
					 span->most, span->preset);

	if (ms < 0)
		return arena_printf(a,
				    "must be a duration in h, m, s and ms without fractions, such "
				    "as 90s or 1m30s; %s",
				    range);
	if (ms < duration_ms(span->least))
		return arena_printf(a, "must be at least %s; %s", span->least, range);
	if (ms > duration_ms(span->most))
		return arena_printf(a, "must be at most %s%s%s; %s", span->most,
				    span->why ? ", as " : "", span->why ? span->why : "", range);
	if (ms % 1000)
		return arena_printf(a, "must be whole seconds, such as %llds; %s",
				    (long long)(ms / 1000), range);
	return NULL;
}

const char *annotation_refuse(struct arena *a, enum kind_id kind, const struct node *member,
			      bool *at_key)
{
	const struct annotation *row = find_on(kind, member->key);

	if (strncasecmp(member->key, DOMAIN, strlen(DOMAIN)) != 0)
		return NULL;
	*at_key = true;
	if (!row)
		return refuse_name(a, kind, member->key);
	*at_key = false;
	if (member->type != NODE_STRING)
		return NULL; /* refused as no string already */
	if (row->refuse)
		return row->refuse(a, member);
	return row->span ? refuse_span(a, row->span, member) : refuse_word(a, row->values, member);
}
