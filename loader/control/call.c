/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers are rendered at once, so that nothing of the engine is needed to send them. */
#include "control/call.h"

#include <string.h>

#include "manifest/manifest.h"

const char *call_query(const struct call *c, const char *name)
{
	for (size_t i = 0; i < c->query_count; i++) {
		if (strcmp(c->query[i].name, name) == 0)
			return c->query[i].value;
	}
	return NULL;
}

bool call_is_label(const char *text, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	return len && len <= 63 && text[0] != '-' && text[len - 1] != '-' &&
	       strspn(text, allowed) >= len;
}

struct node *call_body(struct call *c)
{
	struct node *root = NULL;
	struct diags d;

	diags_init(&d, c->arena);
	if (node_from_json(c->arena, &d, c->body ? c->body : "", c->body_len, &root)) {
		call_fail(c, 400, "BadRequest", "the body is no JSON: %s",
			  d.count ? d.items[0].text : "not understood");
		return NULL;
	}
	if (root->type != NODE_MAP) {
		call_fail(c, 400, "BadRequest", "the body is no JSON object");
		return NULL;
	}
	return root;
}

void call_answer(struct call *c, int code, const struct node *tree)
{
	free(c->answer);
	c->code = code;
	c->content_type = "application/json";
	c->answer = node_to_json(tree, 0);
}

void call_answer_text(struct call *c, int code, const char *text)
{
	free(c->answer);
	c->code = code;
	c->content_type = "text/plain; charset=utf-8";
	c->answer = strdup(text);
}

struct node *call_status(struct call *c, int code, const char *reason, const char *message)
{
	struct node *n = tree_map(c->arena);

	tree_set_text(c->arena, n, "kind", "Status");
	tree_set_text(c->arena, n, "apiVersion", "v1");
	(void)tree_set_map(c->arena, n, "metadata");
	tree_set_text(c->arena, n, "status", code < 300 ? "Success" : "Failure");
	if (message)
		tree_set_text(c->arena, n, "message", message);
	if (reason)
		tree_set_text(c->arena, n, "reason", reason);
	tree_set_int(c->arena, n, "code", code);
	return n;
}

void call_fail(struct call *c, int code, const char *reason, const char *fmt, ...)
{
	const char *message;
	va_list ap;

	va_start(ap, fmt);
	message = arena_vprintf(c->arena, fmt, ap);
	va_end(ap);
	call_answer(c, code, call_status(c, code, reason, message));
}
