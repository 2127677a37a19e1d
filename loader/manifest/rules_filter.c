/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of the filters of an HTTPRoute, and of BackendTLSPolicy. */
#include <string.h>

#include "manifest/rules.h"

static bool is_type(const struct node *map, const char *type)
{
	return strcmp(node_text_at(map, "type", ""), type) == 0;
}

static size_t count_type(const struct node *list, const char *type)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += is_type(list->items[i], type);
	return count;
}

/* The field of another type is there, or that of its own is not. */
static enum rule_result stays_away(const struct node *self, const char *type, const char *field)
{
	return rule_if(is_type(self, type) || !rule_has(self, field));
}

static enum rule_result is_there(const struct node *self, const char *type, const char *field)
{
	return rule_if(!is_type(self, type) || rule_has(self, field));
}

/* For each type of filter: nobody else's field, its own field, and at most one in a list. */
#define FILTER(name, type, field)                                                                  \
	static enum rule_result name##_alone(const struct node *self)                              \
	{                                                                                          \
		return stays_away(self, type, field);                                              \
	}                                                                                          \
	static enum rule_result name##_given(const struct node *self)                              \
	{                                                                                          \
		return is_there(self, type, field);                                                \
	}
#define FILTER_ROWS(name, type, field)                                                             \
	{name##_alone, "filter." field " must be nil if the filter.type is not " type, NULL},      \
	{                                                                                          \
		name##_given, "filter." field " must be specified for " type " filter.type", NULL  \
	}
#define ONCE(name, type)                                                                           \
	static enum rule_result name##_once(const struct node *self)                               \
	{                                                                                          \
		return rule_if(count_type(self, type) <= 1);                                       \
	}
#define ONCE_ROW(name, type) {name##_once, type " filter cannot be repeated", NULL}

FILTER(cors, "CORS", "cors")
FILTER(request_headers, "RequestHeaderModifier", "requestHeaderModifier")
FILTER(response_headers, "ResponseHeaderModifier", "responseHeaderModifier")
FILTER(mirror, "RequestMirror", "requestMirror")
FILTER(redirect, "RequestRedirect", "requestRedirect")
FILTER(rewrite, "URLRewrite", "urlRewrite")
FILTER(extension, "ExtensionRef", "extensionRef")
ONCE(cors, "CORS")
ONCE(request_headers, "RequestHeaderModifier")
ONCE(response_headers, "ResponseHeaderModifier")
ONCE(redirect, "RequestRedirect")
ONCE(rewrite, "URLRewrite")

static enum rule_result redirect_or_rewrite(const struct node *self)
{
	return rule_if(!count_type(self, "RequestRedirect") || !count_type(self, "URLRewrite"));
}

static enum rule_result full_given(const struct node *self)
{
	return is_there(self, "ReplaceFullPath", "replaceFullPath");
}

static enum rule_result full_alone(const struct node *self)
{
	return stays_away(self, "ReplaceFullPath", "replaceFullPath");
}

static enum rule_result prefix_given(const struct node *self)
{
	return is_there(self, "ReplacePrefixMatch", "replacePrefixMatch");
}

static enum rule_result prefix_alone(const struct node *self)
{
	return stays_away(self, "ReplacePrefixMatch", "replacePrefixMatch");
}

static enum rule_result one_part(const struct node *self)
{
	return rule_if(!rule_has(self, "percent") || !rule_has(self, "fraction"));
}

static enum rule_result at_most_all(const struct node *self)
{
	return rule_if(node_int_at(self, "numerator", 0) <= node_int_at(self, "denominator", 100));
}

static enum rule_result star_alone(const struct node *self)
{
	for (size_t i = 0; self->count > 1 && i < self->count; i++) {
		if (strcmp(self->items[i]->text, "*") == 0)
			return RULE_BROKEN;
	}
	return RULE_HOLDS;
}

static bool has_refs(const struct node *self)
{
	return node_count(node_member(self, "caCertificateRefs")) > 0;
}

static bool has_word(const struct node *self)
{
	return *node_text_at(self, "wellKnownCACertificates", "");
}

static enum rule_result not_both(const struct node *self)
{
	return rule_if(!has_refs(self) || !has_word(self));
}

static enum rule_result either(const struct node *self)
{
	return rule_if(has_refs(self) || has_word(self));
}

static enum rule_result hostname_given(const struct node *self)
{
	return is_there(self, "Hostname", "hostname");
}

static enum rule_result hostname_alone(const struct node *self)
{
	return stays_away(self, "Hostname", "hostname");
}

static enum rule_result uri_given(const struct node *self)
{
	return is_there(self, "URI", "uri");
}

static enum rule_result uri_alone(const struct node *self)
{
	return stays_away(self, "URI", "uri");
}

const struct rule http_filter_rules[] = {
	FILTER_ROWS(cors, "CORS", "cors"),
	FILTER_ROWS(request_headers, "RequestHeaderModifier", "requestHeaderModifier"),
	FILTER_ROWS(response_headers, "ResponseHeaderModifier", "responseHeaderModifier"),
	FILTER_ROWS(mirror, "RequestMirror", "requestMirror"),
	FILTER_ROWS(redirect, "RequestRedirect", "requestRedirect"),
	FILTER_ROWS(rewrite, "URLRewrite", "urlRewrite"),
	FILTER_ROWS(extension, "ExtensionRef", "extensionRef"),
	{0},
};
const struct rule http_filters_rules[] = {
	{redirect_or_rewrite,
	 "May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but "
	 "not both",
	 NULL},
	ONCE_ROW(cors, "CORS"),
	ONCE_ROW(request_headers, "RequestHeaderModifier"),
	ONCE_ROW(response_headers, "ResponseHeaderModifier"),
	ONCE_ROW(redirect, "RequestRedirect"),
	ONCE_ROW(rewrite, "URLRewrite"),
	{0},
};
const struct rule http_path_modifier_rules[] = {
	{full_given, "replaceFullPath must be specified when type is set to 'ReplaceFullPath'",
	 NULL},
	{full_alone, "type must be 'ReplaceFullPath' when replaceFullPath is set", NULL},
	{prefix_given,
	 "replacePrefixMatch must be specified when type is set to 'ReplacePrefixMatch'", NULL},
	{prefix_alone, "type must be 'ReplacePrefixMatch' when replacePrefixMatch is set", NULL},
	{0},
};
const struct rule http_mirror_rules[] = {
	{one_part, "Only one of percent or fraction may be specified in HTTPRequestMirrorFilter",
	 NULL},
	{0},
};
const struct rule http_fraction_rules[] = {
	{at_most_all, "numerator must be less than or equal to denominator", NULL},
	{0},
};
const struct rule http_origins_rules[] = {
	{star_alone, "AllowOrigins cannot contain '*' alongside other origins", NULL},
	{0},
};
const struct rule http_methods_rules[] = {
	{star_alone, "AllowMethods cannot contain '*' alongside other methods", NULL},
	{0},
};
/* Upstream's slip in the word: these are no methods. */
const struct rule http_headers_rules[] = {
	{star_alone, "AllowHeaders cannot contain '*' alongside other methods", NULL},
	{0},
};
const struct rule tls_validation_rules[] = {
	{not_both, "must not contain both CACertificateRefs and WellKnownCACertificates", NULL},
	{either, "must specify either CACertificateRefs or WellKnownCACertificates", NULL},
	{0},
};
const struct rule tls_alt_name_rules[] = {
	{hostname_given, "SubjectAltName element must contain Hostname, if Type is set to Hostname",
	 NULL},
	{hostname_alone,
	 "SubjectAltName element must not contain Hostname, if Type is not set to Hostname", NULL},
	{uri_given, "SubjectAltName element must contain URI, if Type is set to URI", NULL},
	{uri_alone, "SubjectAltName element must not contain URI, if Type is not set to URI", NULL},
	{0},
};
