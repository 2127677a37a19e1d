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

/* Of the outcomes from `from` to `to`. */
static struct node *outcomes(struct call *c, const struct change_result *r, size_t from, size_t to)
{
	struct node *list = tree_list(c->arena), *n;
	const struct change_outcome *o;

	for (size_t i = from; i < to; i++) {
		o = &r->outcomes[i];
		n = tree_append_map(c->arena, list);
		tree_set_int(c->arena, n, "index", (int64_t)i);
		tree_set_text(c->arena, n, "kind", o->key.kind->name);
		tree_set_text(c->arena, n, "group", o->key.kind->group);
		tree_set_text(c->arena, n, "namespace", o->key.namespace);
		tree_set_text(c->arena, n, "name", o->key.name);
		tree_set_text(c->arena, n, "outcome", outcome_texts[o->outcome]);
		if (o->before)
			node_set(c->arena, n, "before", o->before);
		if (o->after)
			node_set(c->arena, n, "after", o->after);
	}
	return list;
}

/* The operations by name. */
static const struct {
	const char *word;
	enum change_mode mode;
} operations[] = {
	{"apply", CHANGE_APPLY},
	{"create", CHANGE_CREATE},
	{"edit", CHANGE_EDIT},
	{"delete", CHANGE_DELETE},
};

static bool find_operation(const char *word, enum change_mode *out)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (strcmp(operations[i].word, word) == 0) {
			*out = operations[i].mode;
			return true;
		}
	}
	return false;
}

static const char *const show_words[] = {
	[SHOW_NOTHING] = "nothing",
	[SHOW_AFTER] = "after",
	[SHOW_BOTH] = "both",
};

static bool find_show(const char *word, enum change_show *out)
{
	for (size_t i = 0; i < sizeof(show_words) / sizeof(show_words[0]); i++) {
		if (strcmp(show_words[i], word) == 0) {
			*out = (enum change_show)i;
			return true;
		}
	}
	return false;
}

/* What is wrong with the members besides `objects`, or NULL. Nothing is guessed: a dry run that is
 * not understood must not become a real one, and what is stored must be readable at the next start.
 */
static const char *find_mistake(const struct node *body)
{
	const struct node *namespace = node_member(body, "namespace");
	const struct node *operation = node_member(body, "operation");
	const struct node *dry_run = node_member(body, "dryRun");
	const struct node *show = node_member(body, "show");
	enum change_mode mode;
	enum change_show shown;

	if (dry_run && dry_run->type != NODE_BOOL)
		return "dryRun: must be true or false";
	if (namespace && (namespace->type != NODE_STRING ||
			  !call_is_label(namespace->text, namespace->text_len)))
		return "namespace: must be an RFC 1123 label, such as my-name";
	if (operation &&
	    (operation->type != NODE_STRING || !find_operation(operation->text, &mode)))
		return "operation: must be apply, create, edit or delete";
	if (show && (show->type != NODE_STRING || !find_show(show->text, &shown)))
		return "show: must be nothing, after or both";
	return NULL;
}

/* NULL, or what is wrong with a LabelSelector: a policy may hold on to too little, a prune not. */
static const char *selector_mistake(const struct node *selector)
{
	static const char *const ops[] = {"In", "NotIn", "Exists", "DoesNotExist"};
	const struct node *expressions = node_member(selector, "matchExpressions");
	const struct node *labels = node_member(selector, "matchLabels");

	if (selector->type != NODE_MAP ||
	    node_count(selector) != (size_t)(!!expressions + !!labels) ||
	    (labels && labels->type != NODE_MAP) || (expressions && expressions->type != NODE_LIST))
		return "prune.selector: must be a LabelSelector";
	for (size_t i = 0; i < node_count(labels); i++) {
		if (labels->items[i]->type != NODE_STRING)
			return "prune.selector.matchLabels: values must be texts";
	}
	for (size_t i = 0; i < node_count(expressions); i++) {
		const char *op = node_text_at(node_item(expressions, i), "operator", "");
		bool known = false;

		for (size_t k = 0; k < sizeof(ops) / sizeof(ops[0]); k++)
			known = known || strcmp(op, ops[k]) == 0;
		if (!known || !node_text_at(node_item(expressions, i), "key", NULL))
			return "prune.selector.matchExpressions: needs a key and an operator that "
			       "is known";
	}
	return NULL;
}

static const char *read_kinds(struct call *c, const struct node *list, struct change_prune *p)
{
	const struct kind **found = arena_array(c->arena, node_count(list) + 1, sizeof(*found));

	if (list->type != NODE_LIST)
		return "prune.kinds: must be a list";
	for (size_t i = 0; i < list->count; i++) {
		found[i] = kind_lookup(node_text_at(list->items[i], "apiVersion", ""),
				       node_text_at(list->items[i], "kind", ""));
		if (!found[i])
			return "prune.kinds: no such kind";
	}
	p->kinds = found;
	return NULL;
}

/* Nothing goes by a guess: what is no LabelSelector, or names no kind, prunes nothing. */
static bool read_prune(struct call *c, const struct node *prune, struct change_request *out)
{
	const struct node *selector = node_member(prune, "selector");
	const struct node *kinds_given = node_member(prune, "kinds");
	struct change_prune *p;
	const char *why = NULL;

	if (!prune)
		return true;
	p = arena_alloc(c->arena, sizeof(*p));
	p->selector = selector;
	if (prune->type != NODE_MAP)
		why = "prune: must be an object";
	else if (out->mode != CHANGE_APPLY)
		why = "prune: only apply can prune";
	else if (selector)
		why = selector_mistake(selector);
	if (!why && kinds_given)
		why = read_kinds(c, kinds_given, p);
	if (why)
		call_fail(c, 400, "BadRequest", "%s", why);
	out->prune = p;
	return !why;
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
		.commit = node_bool_at(body, "dryRun", false) ? CHANGE_DRY_RUN : CHANGE_COMMIT,
		.objects = objects->items,
		.count = objects->count,
	};
	(void)find_operation(operation, &out->mode);
	(void)find_show(node_text_at(body, "show", "nothing"), &out->show);
	return read_prune(c, node_member(body, "prune"), out);
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
	node_set(c->arena, answer, "results", outcomes(c, &result, 0, request.count));
	node_set(c->arena, answer, "pruned",
		 outcomes(c, &result, request.count, result.outcome_count));
	node_set(c->arena, answer, "warnings",
		 change_answer_notes(c, result.warnings, result.warning_count));
	call_answer(c, 200, answer);
}
