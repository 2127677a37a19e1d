/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a manifest: reading must end, in time and without a sanitizer's word. What was
 * accepted must survive printing as YAML and as JSON and be accepted again, unchanged.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/manifest.h"

/* A second reading of what was printed gives the same tree. */
static void check_reread(struct arena *a, const struct resource *r, char *text)
{
	struct resources again = {0};
	struct diags d;

	diags_init(&d, a);
	if (manifest_read_text(a, &d, NULL, text, strlen(text), NULL, &again) < 0 ||
	    again.count != 1 || d.count != 0 || !node_equal(again.items[0].root, r->root)) {
		fprintf(stderr, "printed and read again, it is another:\n%s\n", text);
		diags_print(&d, stderr);
		abort();
	}
	free(text);
}

static void check_json(struct arena *a, const struct resource *r)
{
	char *text = node_to_json(r->root, 4);
	struct node *again;

	if (node_from_json(a, NULL, text, strlen(text), &again) < 0 ||
	    !node_equal(again, r->root)) {
		fprintf(stderr, "not the same JSON:\n%s\n", text);
		abort();
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct resources rs = {0};
	struct diags d;

	if (!a)
		abort();
	diags_init(&d, a);
	(void)manifest_read_text(a, &d, "fuzz.yaml", (const char *)data, size, NULL, &rs);
	if (rs.refused_count && d.errors == 0)
		abort(); /* refused without a word */
	for (size_t i = 0; i < rs.count; i++) {
		check_reread(a, &rs.items[i], node_to_yaml(rs.items[i].root));
		check_reread(a, &rs.items[i], node_to_json(rs.items[i].root, 0));
		check_json(a, &rs.items[i]);
	}
	arena_free(a);
	return 0;
}
