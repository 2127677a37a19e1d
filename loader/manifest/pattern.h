/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The patterns of the resource definitions: the text that messages quote, and a matcher of our own.
 * POSIX regular expressions read backslashes in brackets differently and stop at NUL bytes.
 */
#ifndef SPILLWAY_MANIFEST_PATTERN_H
#define SPILLWAY_MANIFEST_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct pattern {
	const char *text;
	bool (*match)(const char *s, size_t len);
};

extern const struct pattern pattern_subdomain;	  /* a.b.c, no trailing dot */
extern const struct pattern pattern_fqdn;	  /* one trailing dot allowed */
extern const struct pattern pattern_label;	  /* a namespace */
extern const struct pattern pattern_group;	  /* empty, or a subdomain */
extern const struct pattern pattern_kind;	  /* CamelCase word */
extern const struct pattern pattern_hostname;	  /* *. allowed in front */
extern const struct pattern pattern_ip;		  /* upstream's, and every valid address */
extern const struct pattern pattern_well_known;	  /* System, or domain/word */
extern const struct pattern pattern_address_type; /* of a Gateway */
extern const struct pattern pattern_protocol;	  /* of a listener */
extern const struct pattern pattern_duration;	  /* 1m30s */
extern const struct pattern pattern_label_value;  /* of metadata.labels */
extern const struct pattern pattern_header;	  /* name of a header, a token of RFC 9110 */
extern const struct pattern pattern_controller;	  /* domain/path */
extern const struct pattern pattern_origin;	  /* of CORS */
extern const struct pattern pattern_uri;	  /* absolute */
extern const struct pattern pattern_quantity;	  /* 1.5Gi, 100m, 1e6 */
extern const struct pattern pattern_positive;	  /* of quantities: whole ones above 0 */
extern const struct pattern pattern_one_line;	  /* no line breaks, no NUL */
extern const struct pattern pattern_authority;	  /* the same, as upstream writes it elsewhere */
extern const struct pattern pattern_module;	  /* name of a dynamic module */
extern const struct pattern pattern_reason;	  /* of a condition */
extern const struct pattern pattern_condition;	  /* type of a condition */
extern const struct pattern pattern_meta_key;	  /* of a label or annotation, in messages */

/* The characters of a path of an HTTPRoute. */
bool match_path_chars(const char *s, size_t len);

bool match_base64(const char *s, size_t len);
bool match_qualified_name(const char *s, size_t len); /* the part of a label key after the `/` */

#endif
