/* SPDX-License-Identifier: BSD-2-Clause */
/* kubectl's ways to name objects, with kubectl's complaints. */
#include "ctl/target.h"

#include <stdio.h>
#include <string.h>

#include "ctl/http.h"

static int unknown_kind(const char *word)
{
	return ctl_error("the server doesn't have a resource type \"%s\"", word);
}

static void add(struct ctl *c, struct targets *out, const struct kind *kind, const char *name)
{
	*arena_push(c->arena, out->items, out->count) = (struct target){kind, name};
}

static bool has_kind(const struct targets *t, const struct kind *kind)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->items[i].kind == kind)
			return true;
	}
	return false;
}

const char *target_category(const struct kind *kind)
{
	if (strcmp(kind->group, "gateway.envoyproxy.io") == 0)
		return "envoy-gateway";
	return *kind->group ? "gateway-api" : "";
}

static bool is_of_category(const struct kind *kind, const char *word)
{
	return *word && (strcmp(word, "all") == 0 || strcmp(word, target_category(kind)) == 0);
}

/* Not what belongs to no namespace: deleting all of one must not reach it. Whether there was any. */
static bool add_category(struct ctl *c, const char *word, struct targets *out)
{
	bool any = false;

	for (size_t i = 0; i < KIND_MAX; i++) {
		if (!is_of_category(&kinds[i], word) || kinds[i].scope != SCOPE_NAMESPACE)
			continue;
		any = true;
		if (!has_kind(out, &kinds[i]))
			add(c, out, &kinds[i], NULL);
	}
	return any;
}

/* KIND/NAME... */
static int parse_pairs(struct ctl *c, struct targets *out)
{
	const struct kind *kind;
	const char *word, *slash;

	for (size_t i = 0; i < c->args.word_count; i++) {
		word = c->args.words[i];
		slash = strchr(word, '/');
		if (!slash)
			return ctl_error(
				"there is no need to specify a resource type as a separate "
				"argument when passing arguments in resource/name form (e.g. "
				"'spillway %s resource/<resource_name>' instead of 'spillway "
				"%s resource resource/<resource_name>')",
				c->verb->name, c->verb->name);
		if (strchr(slash + 1, '/'))
			return ctl_error("arguments in resource/name form may not have more than "
					 "one slash");
		if (slash == word || !slash[1])
			return ctl_error("arguments in resource/name form must have a single "
					 "resource and name");
		word = arena_strndup(c->arena, word, (size_t)(slash - word));
		kind = kind_find(word);
		if (!kind)
			return unknown_kind(word);
		add(c, out, kind, slash + 1);
	}
	return 0;
}

/* One of KIND,KIND,... with all names behind it. */
static int add_kind(struct ctl *c, const char *word, struct targets *out)
{
	const struct kind *kind = kind_find(word);

	if (add_category(c, word, out))
		return 0;
	if (!kind)
		return unknown_kind(word);
	if (c->args.word_count == 1 && !has_kind(out, kind))
		add(c, out, kind, NULL);
	for (size_t i = 1; i < c->args.word_count; i++)
		add(c, out, kind, c->args.words[i]);
	return 0;
}

/* KIND[,KIND...] [NAME...] */
static int parse_kinds(struct ctl *c, struct targets *out)
{
	const char *word = c->args.words[0];
	size_t len;

	for (size_t i = 1; i < c->args.word_count; i++) {
		if (!c->args.words[i][0])
			return ctl_error("resource name may not be empty");
	}
	for (;; word += len + 1) {
		len = strcspn(word, ",");
		if (add_kind(c, arena_strndup(c->arena, word, len), out))
			return 1;
		if (!word[len])
			return 0;
	}
}

/* Each verb of kubectl has its own words for it. */
static int no_kind(const struct ctl *c)
{
	static const char must[] = "You must specify the type of resource to %s. Use "
				   "\"spillway api-resources\" for a complete list of supported "
				   "resources.";
	const char *verb = c->verb->name;

	if (strcmp(verb, "describe") == 0)
		return ctl_error(must, verb);
	if (strcmp(verb, "get") == 0) {
		fprintf(stderr, must, verb);
		fputs("\n\n", stderr);
	}
	(void)ctl_error("Required resource not specified.");
	if (strcmp(verb, "get") == 0)
		fputs("Use \"spillway explain <resource>\" for a detailed description of that "
		      "resource (e.g. spillway explain backends).\n",
		      stderr);
	fprintf(stderr, "See 'spillway %s -h' for help and examples\n", verb);
	return 1;
}

int targets_parse(struct ctl *c, struct targets *out)
{
	struct targets t = {0};
	bool pairs = false;

	if (!c->args.word_count)
		return no_kind(c);
	for (size_t i = 0; i < c->args.word_count; i++)
		pairs = pairs || strchr(c->args.words[i], '/');
	if (pairs ? parse_pairs(c, &t) : parse_kinds(c, &t))
		return 1;
	t.one_object = t.count == 1 && t.items[0].name;
	for (size_t i = 1; i < t.count; i++)
		t.many_kinds = t.many_kinds || t.items[i].kind != t.items[0].kind;
	*out = t;
	return 0;
}

const char *target_path(struct ctl *c, const struct kind *kind, const char *namespace,
			const char *name)
{
	const char *path = arena_printf(c->arena, "/%s/%s/", *kind->group ? "apis" : "api",
					kind_api_version(c->arena, kind, NULL));

	if (namespace && kind->scope == SCOPE_NAMESPACE)
		path = arena_printf(c->arena, "%snamespaces/%s/", path,
				    http_escape(c->arena, namespace));
	path = arena_printf(c->arena, "%s%s", path, kind->plural);
	if (name)
		path = arena_printf(c->arena, "%s/%s", path, http_escape(c->arena, name));
	return path;
}

struct node *target_complete(struct arena *a, const struct kind *kind, struct node *object)
{
	struct loc nowhere = {0};
	const char *version;

	if (!node_member(object, "kind"))
		node_set(a, object, "kind", node_new_string(a, kind->name, nowhere));
	if (!node_member(object, "apiVersion")) {
		version = kind_api_version(a, kind, NULL);
		node_set(a, object, "apiVersion", node_new_string(a, version, nowhere));
	}
	return object;
}

int target_fetch(struct ctl *c, const struct target *t, const char *namespace,
		 struct found_list *found, struct refusals *refused)
{
	struct reply r;
	struct node *items;

	if (http_request(c, "GET", target_path(c, t->kind, namespace, t->name), NULL, &r))
		return 1;
	if (r.code != 200 || !r.body) {
		*arena_push(c->arena, refused->items, refused->count) = r;
		return 0;
	}
	if (t->name) {
		*arena_push(c->arena, found->items, found->count) =
			(struct found){t->kind, target_complete(c->arena, t->kind, r.body)};
		return 0;
	}
	items = node_member(r.body, "items");
	for (size_t i = 0; i < node_count(items); i++)
		*arena_push(c->arena, found->items, found->count) = (struct found){
			t->kind, target_complete(c->arena, t->kind, node_item(items, i))};
	return 0;
}

int refusals_print(const struct refusals *refused)
{
	for (size_t i = 0; i < refused->count; i++)
		(void)http_error(&refused->items[i]);
	return refused->count ? 1 : 0;
}

void say_nothing_found(const char *namespace)
{
	(void)fflush(stdout);
	if (namespace)
		fprintf(stderr, "No resources found in %s namespace.\n", namespace);
	else
		fputs("No resources found\n", stderr);
}
