/* SPDX-License-Identifier: BSD-2-Clause */
/* What only this folder needs of the JSON side; the rest is in manifest.h. */
#ifndef SPILLWAY_MANIFEST_JSON_H
#define SPILLWAY_MANIFEST_JSON_H

#include "manifest/yaml.h"

/*
 * A stream of JSON objects without places (every node has `loc`): for texts that the YAML parser
 * does not take. False, with nothing added, when it is no such stream.
 */
bool json_read_stream(struct arena *a, const char *text, size_t len, struct loc loc,
		      struct documents *out);

/* node_from_json() by way of jansson, which judges all that json_plain.h leaves. */
int json_read_any(struct arena *a, struct diags *d, const char *text, size_t len,
		  struct node **out);

#endif
