/* SPDX-License-Identifier: BSD-2-Clause */
/* kubectl's flags of apply: which of them go together, and the words for those that do not. */
#include "ctl/apply_plan.h"

#include <string.h>

#include "ctl/http.h"
#include "ctl/target.h"

#define FORMS (OUTPUT_BIT(OUTPUT_NAME) | OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_YAML))

static int check_server_side(struct ctl *c, enum dry_run dry)
{
	const bool server_side = args_switch(&c->args, "server-side");

	if (args_switch(&c->args, "force-conflicts") && !server_side)
		return ctl_error("--force-conflicts only works with --server-side");
	if (server_side && dry == DRY_RUN_CLIENT)
		return ctl_error("--dry-run=client doesn't work with --server-side (did you mean "
				 "--dry-run=server instead?)");
	if (!args_switch(&c->args, "overwrite"))
		return ctl_error("--overwrite=false cannot be done: an object becomes what the "
				 "manifest says; see what would change with spillway diff");
	return 0;
}

static int check_prune(struct ctl *c)
{
	const char *selector = args_text(&c->args, "selector");
	const bool selected = selector && selector[0];
	const bool all = args_switch(&c->args, "all");

	if (all && selected)
		return ctl_error("cannot set --all and --selector at the same time");
	if (args_switch(&c->args, "prune") && !all && !selected)
		return ctl_error(
			"all resources selected for prune without explicitly passing --all. To "
			"prune all resources, pass the --all flag. If you did not mean to prune "
			"all resources, specify a label selector");
	return 0;
}

static int check_timeout(struct ctl *c)
{
	const char *timeout = args_text(&c->args, "timeout");

	if (timeout && duration_ms(timeout) < 0)
		return ctl_usage_error(c,
				       "invalid argument \"%s\" for \"--timeout\" flag: time: "
				       "invalid duration \"%s\"",
				       timeout, timeout);
	return 0;
}

int apply_plan_read(struct apply_plan *p)
{
	struct ctl *c = p->c;

	p->server_side = args_switch(&c->args, "server-side");
	if (output_parse(c, FORMS, &p->form) || dry_run_parse(c, &p->dry) ||
	    check_server_side(c, p->dry) || check_prune(c) || check_timeout(c))
		return 1;
	return write_prune(c, &p->prune) || write_load(c, &p->rs) ? 1 : 0;
}

/* Absent and empty are the same. */
static bool same_part(const struct node *a, const struct node *b, const char *path)
{
	const struct node *pa = node_at(a, path), *pb = node_at(b, path);

	if (!node_count(pa) && !node_count(pb) && (!pa || pa->type >= NODE_LIST) &&
	    (!pb || pb->type >= NODE_LIST))
		return true;
	return pa && pb && node_equal(pa, pb);
}

static bool is_compared(const char *key)
{
	static const char *const others[] = {"apiVersion", "kind", "metadata", "status"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(key, others[i]) == 0)
			return false;
	}
	return true;
}

static bool has_all_of(const struct node *a, const struct node *b)
{
	for (size_t i = 0; i < node_count(a); i++) {
		if (is_compared(a->items[i]->key) && !same_part(a, b, a->items[i]->key))
			return false;
	}
	return true;
}

static bool same_object(const struct node *a, const struct node *b)
{
	return has_all_of(a, b) && has_all_of(b, a) && same_part(a, b, "metadata.labels") &&
	       same_part(a, b, "metadata.annotations");
}

/* Values of a Secret never leave the daemon: it must be asked. */
static int ask_outcome(const struct apply_plan *p, const struct resource *r, const char **outcome)
{
	struct resource one = *r;
	const struct resources rs = {.items = &one, .count = 1};
	const struct commit commit = {.op = COMMIT_APPLY, .dry = DRY_RUN_SERVER, .rs = &rs};
	struct node *answer;

	if (commit_send(p->c, &commit, &answer))
		return 1;
	*outcome =
		node_text_at(node_item(node_member(answer, "results"), 0), "outcome", "configured");
	return 0;
}

int apply_foresee(const struct apply_plan *p, const struct resource *r, const char **outcome)
{
	struct reply reply;

	if (http_request(p->c, "GET", target_path(p->c, r->kind, r->namespace, r->name), NULL,
			 &reply))
		return 1;
	if (reply.code != 404 && (reply.code != 200 || !reply.body))
		return http_error(&reply);
	if (reply.code == 404)
		*outcome = "created";
	else if (r->kind->id == KIND_SECRET)
		return ask_outcome(p, r, outcome);
	else
		*outcome = same_object(r->root, reply.body) ? "unchanged" : "configured";
	return 0;
}
