/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of HTTPRoute: matches, paths and timeouts. Those of filters are in rules_filter.c. */
#include <string.h>

#include "manifest/manifest.h"
#include "manifest/rules.h"

#define MATCHES_MOST 128

static bool is(const struct node *map, const char *path, const char *value)
{
	return strcmp(node_text_at(map, path, ""), value) == 0;
}

static enum rule_result names_differ(const struct node *self)
{
	for (size_t i = 1; i < self->count; i++) {
		const char *name = node_text_at(self->items[i], "name", NULL);

		for (size_t j = 0; name && j < i; j++) {
			if (is(self->items[j], "name", name))
				return RULE_BROKEN;
		}
	}
	return RULE_HOLDS;
}

static enum rule_result few_matches(const struct node *self)
{
	size_t total = 0;

	for (size_t i = 0; i < self->count; i++)
		total += node_count(node_member(self->items[i], "matches"));
	return rule_if(total <= MATCHES_MOST);
}

static enum rule_result redirect_alone(const struct node *self)
{
	const struct node *filters = node_member(self, "filters");

	for (size_t i = 0; node_count(node_member(self, "backendRefs")) && i < node_count(filters);
	     i++) {
		if (rule_has(filters->items[i], "requestRedirect"))
			return RULE_BROKEN;
	}
	return RULE_HOLDS;
}

/* Filters of the field that replace what a prefix matched. */
static size_t count_prefix(const struct node *filters, const char *field)
{
	size_t count = 0;

	for (size_t i = 0; i < node_count(filters); i++) {
		const struct node *path =
			node_member(node_member(filters->items[i], field), "path");

		count += is(path, "type", "ReplacePrefixMatch") &&
			 rule_has(path, "replacePrefixMatch");
	}
	return count;
}

static bool has_one_prefix(const struct node *rule)
{
	const struct node *matches = node_member(rule, "matches");

	return node_count(matches) == 1 && is(matches->items[0], "path.type", "PathPrefix");
}

/* Upstream asks only when exactly one filter does so. */
static enum rule_result prefix_of_rule(const struct node *self, const char *field)
{
	return rule_if(count_prefix(node_member(self, "filters"), field) != 1 ||
		       has_one_prefix(self));
}

static enum rule_result prefix_of_refs(const struct node *self, const char *field)
{
	const struct node *refs = node_member(self, "backendRefs");
	size_t count = 0;

	for (size_t i = 0; i < node_count(refs); i++)
		count += count_prefix(node_member(refs->items[i], "filters"), field) == 1;
	return rule_if(count != 1 || has_one_prefix(self));
}

static enum rule_result redirect_prefix(const struct node *self)
{
	return prefix_of_rule(self, "requestRedirect");
}

static enum rule_result rewrite_prefix(const struct node *self)
{
	return prefix_of_rule(self, "urlRewrite");
}

static enum rule_result ref_redirect_prefix(const struct node *self)
{
	return prefix_of_refs(self, "requestRedirect");
}

static enum rule_result ref_rewrite_prefix(const struct node *self)
{
	return prefix_of_refs(self, "urlRewrite");
}

/* The path, when its form is looked at; NULL: it is a regular expression. */
static const char *path_of(const struct node *self)
{
	return is(self, "type", "RegularExpression") ? NULL : node_text_at(self, "value", "");
}

static enum rule_result lacks(const struct node *self, const char *part)
{
	const char *path = path_of(self);

	return rule_if(!path || !strstr(path, part));
}

static enum rule_result ends_not(const struct node *self, const char *tail)
{
	const char *path = path_of(self);
	size_t len = path ? strlen(path) : 0;

	return rule_if(len < strlen(tail) || strcmp(path + len - strlen(tail), tail) != 0);
}

static enum rule_result begins_at_root(const struct node *self)
{
	const char *path = path_of(self);

	return rule_if(!path || path[0] == '/');
}

static enum rule_result no_double(const struct node *self)
{
	return lacks(self, "//");
}

static enum rule_result no_dot(const struct node *self)
{
	return lacks(self, "/./");
}

static enum rule_result no_dots(const struct node *self)
{
	return lacks(self, "/../");
}

static enum rule_result no_lower_escape(const struct node *self)
{
	return lacks(self, "%2f");
}

static enum rule_result no_upper_escape(const struct node *self)
{
	return lacks(self, "%2F");
}

static enum rule_result no_fragment(const struct node *self)
{
	return lacks(self, "#");
}

static enum rule_result ends_in_no_dots(const struct node *self)
{
	return ends_not(self, "/..");
}

static enum rule_result ends_in_no_dot(const struct node *self)
{
	return ends_not(self, "/.");
}

static enum rule_result path_chars(const struct node *self)
{
	const char *path = path_of(self);

	return rule_if(!path || match_path_chars(path, strlen(path)));
}

static enum rule_result timeouts_in_order(const struct node *self)
{
	const char *request = node_text_at(self, "request", NULL);
	const char *backend = node_text_at(self, "backendRequest", NULL);

	return rule_if(!request || !backend || duration_ms(request) == 0 ||
		       duration_ms(backend) <= duration_ms(request));
}

static enum rule_result permanent_ends(const struct node *self)
{
	return rule_if(!is(self, "cookieConfig.lifetimeType", "Permanent") ||
		       rule_has(self, "absoluteTimeout"));
}

#define OF_PLAIN " when type one of ['Exact', 'PathPrefix']"

const struct rule http_path_rules[] = {
	{begins_at_root, "value must be an absolute path and start with '/'" OF_PLAIN, NULL},
	{no_double, "must not contain '//'" OF_PLAIN, NULL},
	{no_dot, "must not contain '/./'" OF_PLAIN, NULL},
	{no_dots, "must not contain '/../'" OF_PLAIN, NULL},
	{no_lower_escape, "must not contain '%2f'" OF_PLAIN, NULL},
	{no_upper_escape, "must not contain '%2F'" OF_PLAIN, NULL},
	{no_fragment, "must not contain '#'" OF_PLAIN, NULL},
	{ends_in_no_dots, "must not end with '/..'" OF_PLAIN, NULL},
	{ends_in_no_dot, "must not end with '/.'" OF_PLAIN, NULL},
	{path_chars,
	 "must only contain valid characters (matching "
	 "^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$) for types ['Exact', "
	 "'PathPrefix']",
	 NULL},
	{0},
};
const struct rule http_rules_rules[] = {
	{names_differ, "Rule name must be unique within the route", NULL},
	{few_matches,
	 "While 16 rules and 64 matches per rule are allowed, the total number of matches across "
	 "all rules in a route must be less than 128",
	 NULL},
	{0},
};

#define ONE_PREFIX                                                                                 \
	" filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified"

const struct rule http_rule_rules[] = {
	{redirect_alone, "RequestRedirect filter must not be used together with backendRefs", NULL},
	{redirect_prefix, "When using RequestRedirect" ONE_PREFIX, NULL},
	{rewrite_prefix, "When using URLRewrite" ONE_PREFIX, NULL},
	{ref_redirect_prefix, "Within backendRefs, when using RequestRedirect" ONE_PREFIX, NULL},
	{ref_rewrite_prefix, "Within backendRefs, When using URLRewrite" ONE_PREFIX, NULL},
	{0},
};
const struct rule http_timeouts_rules[] = {
	{timeouts_in_order, "backendRequest timeout cannot be longer than request timeout", NULL},
	{0},
};
const struct rule http_session_rules[] = {
	{permanent_ends, "AbsoluteTimeout must be specified when cookie lifetimeType is Permanent",
	 NULL},
	{0},
};
