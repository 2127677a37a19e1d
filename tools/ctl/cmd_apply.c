/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `spillway apply`: everything that -f names becomes one request, so that it is all in force
 * afterwards or nothing is. kubectl's --dry-run=client looks at the stored objects itself and
 * leaves out the daemon's checks; so does ours.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/commit.h"
#include "ctl/ctl.h"
#include "ctl/http.h"
#include "ctl/target.h"

static const struct flag flags[] = {
	LOAD_FLAGS,
	DRY_RUN_FLAG,
	{.name = NULL},
};

static void print_line(struct ctl *c, const struct resource *r, const char *outcome,
		       enum dry_run dry)
{
	printf("%s %s%s\n", ctl_object_title(c->arena, r->kind, r->name), outcome,
	       dry_run_suffix(dry));
}

/* Absent and empty are the same. */
static bool same_part(const struct node *a, const struct node *b, const char *path)
{
	const struct node *pa = node_at(a, path), *pb = node_at(b, path);

	if (!node_count(pa) && !node_count(pb))
		return true;
	return pa && pb && node_equal(pa, pb);
}

static bool same_object(const struct node *a, const struct node *b)
{
	return same_part(a, b, "spec") && same_part(a, b, "metadata.labels") &&
	       same_part(a, b, "metadata.annotations");
}

static int compare_stored(struct ctl *c, const struct resources *rs)
{
	const struct resource *r;
	struct reply reply;

	for (size_t i = 0; i < rs->count; i++) {
		r = &rs->items[i];
		if (http_request(c, "GET", target_path(c, r->kind, r->namespace, r->name), NULL,
				 &reply))
			return 1;
		if (reply.code == 404)
			print_line(c, r, "created", DRY_RUN_CLIENT);
		else if (reply.code != 200 || !reply.body)
			return http_error(&reply);
		else
			print_line(c, r,
				   same_object(r->root, reply.body) ? "unchanged" : "configured",
				   DRY_RUN_CLIENT);
	}
	return 0;
}

static int send_all(struct ctl *c, const struct resources *rs, enum dry_run dry)
{
	const struct node *results, *item;
	const struct resource *r;
	struct node *answer;

	if (commit_send(c, COMMIT_APPLY, dry, rs, &answer))
		return 1;
	results = node_member(answer, "results");
	for (size_t i = 0; i < node_count(results); i++) {
		item = node_item(results, i);
		r = commit_resource(rs, item);
		if (r)
			print_line(c, r, node_text_at(item, "outcome", "configured"), dry);
	}
	commit_print_warnings(c, answer, rs);
	return 0;
}

static int run(struct ctl *c)
{
	struct resources rs = {0};
	enum dry_run dry;
	struct diags d;

	diags_init(&d, c->arena);
	if (dry_run_parse(c, &dry) || ctl_load(c, &d, &rs))
		return 1;
	ctl_sort_diags(&d);
	diags_print(&d, stderr);
	if (d.errors)
		return ctl_error("nothing was changed: one mistake refuses all of it");
	return dry == DRY_RUN_CLIENT ? compare_stored(c, &rs) : send_all(c, &rs, dry);
}

const struct verb verb_apply = {
	.name = "apply",
	.usage = "-f FILE|DIR|- [-f ...] [-R] [--dry-run=none|client|server]",
	.summary = "Create or change objects from manifests",
	.details =
		"All files are read and checked before anything is sent, and everything is sent as\n"
		"one change: a mistake anywhere changes nothing. Every mistake is printed, as\n"
		"FILE:LINE:COLUMN: TEXT. Objects that refer to something missing are stored, with\n"
		"a warning.\n"
		"\n"
		"Examples:\n"
		"  spillway apply -f web.yaml\n"
		"  spillway apply -R -f manifests/\n"
		"  spillway apply --dry-run=server -f web.yaml",
	.flags = flags,
	.run = run,
};
