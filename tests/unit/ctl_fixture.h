/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests of tools/ctl share: an answer of the daemon from its text. */
#ifndef SPILLWAY_TESTS_CTL_FIXTURE_H
#define SPILLWAY_TESTS_CTL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "manifest/manifest.h"

static inline struct node *json(struct arena *a, const char *text)
{
	struct node *root = NULL;
	struct diags d;

	diags_init(&d, a);
	assert_int_equal(node_from_json(a, &d, text, strlen(text), &root), 0);
	return root;
}

#endif
