/* SPDX-License-Identifier: BSD-2-Clause */
/* kubectl's forms of the two, with the keys in order. */
#include "ctl/describe_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/describe.h"
#include "ctl/terminal.h"

#define HIDDEN "*** " /* how the daemon shows a value: `*** 7 bytes ***` */
#define GAP    2

static void print_head(struct arena *a, const struct node *object)
{
	struct description d = {.arena = a};

	describe_head(&d, object);
	describe_print(&d, stdout);
}

static const char *text_of(const struct node *n)
{
	return n->type == NODE_STRING ? n->text : "";
}

/* The size of a value in base64, or of one that is not shown. */
static size_t size_of(const struct node *n)
{
	const char *text = text_of(n);
	const size_t len = strlen(text);

	if (strncmp(text, HIDDEN, strlen(HIDDEN)) == 0)
		return strtoul(text + strlen(HIDDEN), NULL, 10);
	return strcspn(text, "=") * 3 / 4 * (len > 0);
}

void describe_configmap(struct arena *a, const struct node *object)
{
	const struct node *data = node_member(object, "data");
	const struct node *binary = node_member(object, "binaryData");
	struct node **sorted = describe_sorted(a, data);

	print_head(a, object);
	puts("\nData\n====");
	for (size_t i = 0; i < node_count(data); i++)
		printf("%s:\n----\n%s\n\n", terminal_safe(a, sorted[i]->key),
		       terminal_safe(a, text_of(sorted[i])));
	puts("\nBinaryData\n====");
	sorted = describe_sorted(a, binary);
	for (size_t i = 0; i < node_count(binary); i++)
		printf("%s: %zu bytes\n", terminal_safe(a, sorted[i]->key), size_of(sorted[i]));
	puts("\nEvents:  <none>");
}

void describe_secret(struct arena *a, const struct node *object)
{
	const struct node *data = node_member(object, "data");
	struct node **sorted = describe_sorted(a, data);
	size_t width = 0, len;

	print_head(a, object);
	printf("\nType:  %s\n\nData\n====\n", terminal_safe(a, node_text_at(object, "type", "")));
	for (size_t i = 0; i < node_count(data); i++) {
		len = strlen(sorted[i]->key) + 1;
		width = len > width ? len : width;
	}
	for (size_t i = 0; i < node_count(data); i++)
		printf("%-*s%zu bytes\n", (int)(width + GAP),
		       arena_printf(a, "%s:", terminal_safe(a, sorted[i]->key)),
		       size_of(sorted[i]));
}
