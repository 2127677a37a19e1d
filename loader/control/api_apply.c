/* SPDX-License-Identifier: BSD-2-Clause */
/* `apply` and `delete` of many objects at once. */
#include <string.h>

#include "control/api.h"
#include "control/change_answer.h"

static const char *const outcome_texts[] = {
	[STORE_CREATED] = "created",	 [STORE_CONFIGURED] = "configured",
	[STORE_UNCHANGED] = "unchanged", [STORE_DELETED] = "deleted",
	[STORE_NOT_FOUND] = "notfound",
};

struct node *change_answer_notes(struct call *c, const struct change_note *notes, size_t count)
{
	struct node *list = tree_list(c->arena), *n;

	for (size_t i = 0; i < count; i++) {
		n = tree_append_map(c->arena, list);
		tree_set_int(c->arena, n, "index", notes[i].index);
		tree_set_text(c->arena, n, "path", "");
		tree_set_text(c->arena, n, "message", notes[i].message);
	}
	return list;
}

void change_answer_failure(struct call *c, const struct change_result *r)
{
	struct node *status = call_status(c, r->code, r->reason, r->message), *details;

	if (r->cause_count) {
		details = tree_set_map(c->arena, status, "details");
		node_set(c->arena, details, "causes",
			 change_answer_notes(c, r->causes, r->cause_count));
	}
	call_answer(c, r->code, status);
}

static struct node *outcomes(struct call *c, const struct change_result *r)
{
	struct node *list = tree_list(c->arena), *n;
	const struct change_outcome *o;

	for (size_t i = 0; i < r->outcome_count; i++) {
		o = &r->outcomes[i];
		n = tree_append_map(c->arena, list);
		tree_set_int(c->arena, n, "index", (int64_t)i);
		tree_set_text(c->arena, n, "kind", o->key.kind->name);
		tree_set_text(c->arena, n, "group", o->key.kind->group);
		tree_set_text(c->arena, n, "namespace", o->key.namespace);
		tree_set_text(c->arena, n, "name", o->key.name);
		tree_set_text(c->arena, n, "outcome", outcome_texts[o->outcome]);
	}
	return list;
}

/* What is wrong with the members besides `objects`, or NULL. Nothing is guessed: a dry run that is
 * not understood must not become a real one, and what is stored must be readable at the next start.
 */
static const char *find_mistake(const struct node *body)
{
	const struct node *namespace = node_member(body, "namespace");
	const struct node *operation = node_member(body, "operation");
	const struct node *dry_run = node_member(body, "dryRun");

	if (dry_run && dry_run->type != NODE_BOOL)
		return "dryRun: must be true or false";
	if (namespace && (namespace->type != NODE_STRING ||
			  !call_is_label(namespace->text, namespace->text_len)))
		return "namespace: must be an RFC 1123 label, such as my-name";
	if (operation &&
	    (operation->type != NODE_STRING ||
	     (strcmp(operation->text, "apply") != 0 && strcmp(operation->text, "delete") != 0)))
		return "operation: must be apply or delete";
	return NULL;
}

static bool read_request(struct call *c, const struct node *body, struct change_request *out)
{
	const char *operation = node_text_at(body, "operation", "apply");
	const struct node *objects = node_member(body, "objects");
	const char *mistake = find_mistake(body);

	if (mistake) {
		call_fail(c, 400, "BadRequest", "%s", mistake);
		return false;
	}
	if (!objects || objects->type != NODE_LIST || !objects->count) {
		call_fail(c, 400, "BadRequest", "no objects passed to %s", operation);
		return false;
	}
	for (size_t i = 0; i < objects->count; i++) {
		if (objects->items[i]->type == NODE_MAP)
			continue;
		call_fail(c, 400, "BadRequest", "objects[%zu] is no object", i);
		return false;
	}
	*out = (struct change_request){
		.project = c->project,
		.namespace = node_text_at(body, "namespace", "default"),
		.mode = operation[0] == 'd' ? CHANGE_DELETE : CHANGE_APPLY,
		.commit = node_bool_at(body, "dryRun", false) ? CHANGE_DRY_RUN : CHANGE_COMMIT,
		.objects = objects->items,
		.count = objects->count,
	};
	return true;
}

void api_apply(struct call *c)
{
	const struct node *body = call_body(c);
	struct change_request request;
	struct change_result result;
	struct node *answer;

	if (!body || !read_request(c, body, &request))
		return;
	engine_change(c->engine, c->arena, &request, &result);
	if (result.code != 200) {
		change_answer_failure(c, &result);
		return;
	}
	answer = tree_map(c->arena);
	node_set(c->arena, answer, "results", outcomes(c, &result));
	node_set(c->arena, answer, "warnings",
		 change_answer_notes(c, result.warnings, result.warning_count));
	call_answer(c, 200, answer);
}
