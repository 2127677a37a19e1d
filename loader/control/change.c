/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stages of a change, in the order of engine_change() at the end. Each stage that fails fills in
 * the result and ends the change; nothing was written until commit().
 */
#include "control/change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/carry.h"
#include "control/change_decode.h"
#include "control/change_show.h"
#include "control/immutable.h"
#include "control/precondition.h"
#include "control/prune.h"
#include "control/rebuild.h"

#define LOG_EACH_MAX 20 /* a larger change is one line, its parts are debug */

/* Says what would differ from what is stored. */
static int match(struct change *c)
{
	struct change_item *it;
	const char *why;

	for (size_t i = 0; i < c->count; i++) {
		it = &c->items[i];
		if (it->remove || it->is_stored)
			continue;
		why = it->old ? immutable_refuse(c->answer, it->old, &it->object) : NULL;
		if (why)
			change_cause(c, (int)i, why);
		it->changed = !it->old || !node_equal(it->old->res.root, it->object.res.root);
		it->spec_changed =
			!it->old || !node_equal(node_member(it->old->res.root, "spec"),
						node_member(it->object.res.root, "spec"));
	}
	return c->out->cause_count ? change_refuse_causes(c) : 0;
}

/*
 * Then the next generation would be the one in force once more. One with warnings is made all the
 * same, since only resolving tells which of them are about the request's objects.
 */
static bool is_in_force(const struct change *c)
{
	const struct change_item *it;

	if (c->req->show != SHOW_NOTHING || c->engine->now->warnings.count)
		return false;
	for (size_t i = 0; i < c->count; i++) {
		it = &c->items[i];
		if (it->remove || it->changed)
			return false;
		/* From now on it may be pruned. */
		if (c->req->mode == CHANGE_APPLY && !it->old->applied)
			return false;
	}
	return true;
}

/* Both generations warn in much the same order: *at is where to look first. */
static bool is_known(const struct diags *d, const char *text, size_t *at)
{
	for (size_t i = 0; i < d->count; i++) {
		const size_t place = (*at + i) % d->count;

		if (strcmp(d->items[place].text, text) == 0) {
			*at = place + 1;
			return true;
		}
	}
	return false;
}

/* Of what the request leaves alone only what it brought about is worth a word. */
static void note_warnings(struct change *c, const struct diags *d)
{
	const struct diag *item;
	size_t at = 0;

	for (size_t i = 0; i < d->count; i++) {
		item = &d->items[i];
		if (item->loc.file)
			change_warning(c, atoi(item->loc.file), item->text);
		else if (!is_known(&c->engine->now->warnings, item->text, &at))
			change_warning(c, -1, item->text);
	}
}

/* What does not create or delete may be a patch: by far less work, where it is possible. */
static struct generation *try_patch(struct change *c, const struct model_options *opts)
{
	const struct generation *now = c->engine->now;
	struct patch_object *objects = arena_array(c->answer, c->count, sizeof(*objects));

	for (size_t i = 0; i < c->count; i++) {
		const struct change_item *it = &c->items[i];

		if (it->remove || !it->old || (it->changed && it->key.kind->id != KIND_BACKEND))
			return NULL;
		objects[i] = (struct patch_object){
			.place = (size_t)(it->old - now->model->objects),
			.is_changed = it->changed,
		};
	}
	change_settle(c);
	for (size_t i = 0; i < c->count; i++)
		objects[i].object = c->items[i].object;
	return generation_patch(c->arena, objects, c->count, opts, c->engine->now);
}

/* The arena is the generation's from here on. */
static int make_generation(struct change *c, struct generation **out)
{
	const struct model_options opts = engine_model_options(c->engine, c->arena);
	struct generation *g = try_patch(c, &opts);
	int err;

	if (!g) {
		err = change_merge(c);
		if (err)
			return err;
		g = generation_new(c->arena, c->objects, c->object_count, &opts, c->engine->now);
	}
	c->arena_given = true;
	*out = g;
	return 0;
}

/* The generation to be, if it can be. */
static int build(struct change *c, struct generation **out)
{
	struct engine *e = c->engine;
	AUTO(generation_free) struct generation *g = NULL;
	const char *why = NULL;
	int err = make_generation(c, &g);

	if (err)
		return err;
	note_warnings(c, &g->warnings);
	if (carry_check(c, g))
		return -EINVAL;
	err = rebuild_trial(e, g, c->answer, &why);
	if (err) {
		rebuild_renumber(e);
		return change_refuse(c, err == -ENOSPC ? 507 : 503,
				     err == -ENOSPC ? "InsufficientStorage" : "ServiceUnavailable",
				     arena_printf(c->answer, "%s; nothing was changed", why));
	}
	*out = TAKE(g);
	return 0;
}

static enum store_outcome foreseen_outcome(const struct change_item *it)
{
	if (it->remove)
		return it->old ? STORE_DELETED : STORE_NOT_FOUND;
	if (!it->old)
		return STORE_CREATED;
	return it->changed ? STORE_CONFIGURED : STORE_UNCHANGED;
}

static void note_outcomes(struct change *c, const struct store_change *changes)
{
	struct change_outcome *o;
	const struct object_key *key;

	c->out->outcomes = arena_array(c->answer, c->count, sizeof(*c->out->outcomes));
	c->out->outcome_count = c->count;
	for (size_t i = 0; i < c->count; i++) {
		o = &c->out->outcomes[i];
		key = &c->items[i].key;
		o->key = (struct object_key){
			.project = arena_strdup(c->answer, key->project),
			.kind = key->kind,
			.namespace = arena_strdup(c->answer, key->namespace),
			.name = arena_strdup(c->answer, key->name),
		};
		o->outcome = changes ? changes[i].outcome : foreseen_outcome(&c->items[i]);
	}
}

static struct store_change *store_changes(struct change *c)
{
	struct store_change *changes = arena_array(c->answer, c->count, sizeof(*changes));
	struct change_item *it;
	char *body;

	for (size_t i = 0; i < c->count; i++) {
		it = &c->items[i];
		changes[i].key = object_stored_key(&it->key);
		changes[i].op = it->remove ? STORE_DELETE : STORE_PUT;
		changes[i].apply = c->req->mode == CHANGE_APPLY;
		if (changes[i].op == STORE_DELETE || !it->changed)
			continue;
		body = object_body(&it->object);
		changes[i].key.body = arena_strdup(c->answer, body);
		free(body);
		changes[i].key.created_s = it->object.created_s;
		changes[i].changed = true;
		changes[i].spec_changed = it->spec_changed;
	}
	return changes;
}

/* A row that was refused at start is another one now. */
static void forget_refused(struct engine *e, const struct stored *key)
{
	struct refused *r;

	for (size_t i = 0; i < e->refused_count; i++) {
		r = &e->refused[i];
		if (strcmp(r->key.project, key->project) == 0 &&
		    strcmp(r->key.kind, key->kind) == 0 && strcmp(r->key.group, key->group) == 0 &&
		    strcmp(r->key.namespace, key->namespace) == 0 &&
		    strcmp(r->key.name, key->name) == 0)
			r->why = NULL;
	}
}

static const char *const outcome_words[] = {
	[STORE_CREATED] = "created", [STORE_CONFIGURED] = "configured", [STORE_UNCHANGED] = NULL,
	[STORE_DELETED] = "deleted", [STORE_NOT_FOUND] = NULL,
};

/* The store's numbers go into the generation's objects; says what changed. */
static bool finish_objects(struct change *c, struct generation *g,
			   const struct store_change *changes)
{
	const struct object_key *key;
	struct object *o;
	size_t count = 0;

	for (size_t i = 0; i < c->count; i++) {
		key = &c->items[i].key;
		forget_refused(c->engine, &changes[i].key);
		o = generation_find(g, key);
		if (o)
			object_stamp(g->lasting, o, &changes[i].after);
		if (c->items[i].old && changes[i].outcome == STORE_UNCHANGED)
			c->items[i].old->applied = changes[i].after.applied;
		if (!outcome_words[changes[i].outcome])
			continue;
		count++;
		log_write(c->count > LOG_EACH_MAX ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
			  "resource %s %s%s%s: %s", key->kind->name, key->namespace,
			  key->namespace[0] ? "/" : "", key->name,
			  outcome_words[changes[i].outcome]);
	}
	if (c->count > LOG_EACH_MAX)
		log_info("resources: %zu of %zu changed", count, c->count);
	return count > 0;
}

/* Writes the store, then the maps. Takes the generation over. */
static int commit(struct change *c, struct generation *next)
{
	struct engine *e = c->engine;
	AUTO(generation_free) struct generation *g = next;
	struct store_change *changes = store_changes(c);
	bool any;
	int err = store_commit(e->store, c->answer, changes, c->count);

	if (err) {
		rebuild_renumber(e);
		log_error("store: %s", store_error(e->store));
		return change_refuse(c, 503, "ServiceUnavailable",
				     arena_printf(c->answer, "store: %s; nothing was changed",
						  store_error(e->store)));
	}
	note_outcomes(c, changes);
	any = finish_objects(c, g, changes);
	change_show(c, g);
	if (!any) {
		rebuild_renumber(e);
		return 0;
	}
	err = engine_install(e, TAKE(g));
	if (err)
		return change_refuse(
			c, 503, "ServiceUnavailable",
			arena_printf(c->answer,
				     "stored, but not in the packet path yet: %s; it is "
				     "tried again every second",
				     e->problem ? e->problem : strerror(-err)));
	return 0;
}

void engine_change(struct engine *e, struct arena *a, const struct change_request *r,
		   struct change_result *out)
{
	struct change c = {.engine = e, .req = r, .out = out, .answer = a, .arena = arena_new()};
	struct generation *g = NULL;
	int err;

	*out = (struct change_result){.code = 200};
	err = c.arena ? change_decode(&c)
		      : change_refuse(&c, 503, "ServiceUnavailable", "out of memory");
	if (!err)
		err = change_sort(&c);
	if (!err && r->prune && prune_find(&c))
		err = change_sort(&c);
	if (!err)
		err = precondition_check(&c);
	if (!err)
		err = match(&c);
	if (!err && is_in_force(&c)) {
		note_outcomes(&c, NULL);
		arena_free(c.arena);
		return;
	}
	if (!err)
		err = build(&c, &g);
	if (!c.arena_given)
		arena_free(c.arena);
	if (!err && r->commit == CHANGE_DRY_RUN) {
		note_outcomes(&c, NULL);
		change_show(&c, g);
		generation_free(g);
		rebuild_renumber(e);
	} else if (!err) {
		(void)commit(&c, g);
	}
	change_release(&c);
}
