/* SPDX-License-Identifier: BSD-2-Clause */
/* ConfigMap and Secret: data by key. Values of a Secret are kept, and never shown. */
#ifndef SPILLWAY_MANIFEST_CONFIG_H
#define SPILLWAY_MANIFEST_CONFIG_H

#include "manifest/kind.h"
#include "manifest/node.h"

/*
 * What an API server decodes and validates, and the form it keeps: values in base64 without line
 * breaks, stringData laid over data.
 */
void config_check(struct check *c, struct node *root);

/*
 * Of a Secret that is to be shown: every value becomes `*** N bytes ***`, and so does what kubectl
 * noted of them in an annotation. config_check() refuses such values. Other kinds stay as they are.
 */
void config_redact(struct arena *a, const struct kind *kind, struct node *root);

#endif
