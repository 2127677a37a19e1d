/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `spillway drain`: endpoints get no new flows, and those they have are left to end, for as long
 * as a deadline says. The daemon keeps the drain; waiting for it here is a matter of looking.
 */
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "ctl/ctl.h"
#include "ctl/drain.h"
#include "ctl/http.h"
#include "ctl/services.h"

static const char *const ends[] = {"leave", "reset", NULL};

static const struct flag flags[] = {
	{.name = "deadline",
	 .type = FLAG_DURATION,
	 .value = "DURATION",
	 .help = "How long flows may go on (10m, 1h30m); without it as long as they like"},
	{.name = "then",
	 .type = FLAG_TEXT,
	 .value = "WHAT",
	 .initial = "leave",
	 .choices = ends,
	 .help = "What becomes of the flows left at the deadline: leave, or reset (TCP)"},
	{.name = "wait",
	 .type = FLAG_SWITCH,
	 .help = "Wait until no flow is left or the deadline has passed, and show how many are left"},
	{.name = "timeout",
	 .type = FLAG_DURATION,
	 .value = "DURATION",
	 .help = "With --wait: wait no longer than this; the drain goes on"},
	OUTPUT_FLAG("wide, yaml, json"),
	{.name = NULL},
};

/* What was begun, of all requests of this run. */
struct begun {
	struct node *endpoints, *shared;
};

static struct node *request_of(struct ctl *c, const char *key, const char *what)
{
	const int64_t ms = args_duration_ms(&c->args, "deadline");
	struct loc nowhere = {0};
	struct node *body = node_new(c->arena, NODE_MAP, nowhere);

	node_set(c->arena, body, key, node_new_string(c->arena, what, nowhere));
	node_set(c->arena, body, "deadlineSeconds",
		 node_new_int(c->arena, ms < 0 ? 0 : (ms + 999) / 1000, nowhere));
	node_set(c->arena, body, "then",
		 node_new_string(c->arena, args_text(&c->args, "then"), nowhere));
	return body;
}

static void append_all(struct ctl *c, struct node *to, const struct node *list)
{
	for (size_t i = 0; i < node_count(list); i++)
		node_append(c->arena, to, node_item(list, i));
}

static int begin(struct ctl *c, const char *key, const char *what, struct begun *begun)
{
	struct reply r;

	if (http_request(c, "POST", DRAINS_PATH, request_of(c, key, what), &r))
		return 1;
	if (r.code != 200 || !r.body)
		return endpoint_error(&r);
	append_all(c, begun->endpoints, node_member(r.body, "endpoints"));
	append_all(c, begun->shared, node_member(r.body, "shared"));
	return 0;
}

static void print_uncounted(const struct begun *begun)
{
	const struct node *e;

	for (size_t i = 0; i < node_count(begun->endpoints); i++) {
		e = node_item(begun->endpoints, i);
		if (!drain_is_counted(e))
			fprintf(stderr,
				"warning: the flows of %s are not counted (direct return): without "
				"--deadline its drain ends only by another word\n",
				node_text_at(e, "address", ""));
	}
}

static void print_begun(const struct ctl *c, const struct begun *begun)
{
	const struct node *e;

	for (size_t i = 0; i < node_count(begun->endpoints); i++) {
		e = node_item(begun->endpoints, i);
		printf("endpoint %s draining (was %s), %s\n", node_text_at(e, "address", ""),
		       node_text_at(e, "from", "auto"),
		       drain_is_counted(e)
			       ? arena_printf(c->arena, "%lld flows",
					      (long long)node_int_at(e, "activeFlows", 0))
			       : "flows are not counted");
	}
	(void)fflush(stdout);
	if (args_duration_ms(&c->args, "deadline") <= 0)
		print_uncounted(begun);
	for (size_t i = 0; i < node_count(begun->shared); i++)
		fprintf(stderr,
			"warning: %s is in other Backends too: they give it no new flows either\n",
			node_item(begun->shared, i)->text);
}

static int print_tree(struct ctl *c, const struct begun *begun, enum output_form form)
{
	struct loc nowhere = {0};
	struct node *map = node_new(c->arena, NODE_MAP, nowhere);

	node_set(c->arena, map, "endpoints", begun->endpoints);
	node_set(c->arena, map, "shared", begun->shared);
	return output_tree(map, form);
}

static bool is_among(const char *const *addresses, size_t count, const char *address)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(addresses[i], address) == 0)
			return true;
	}
	return false;
}

static int wait_for(struct ctl *c, const struct begun *begun, enum output_form form)
{
	const char **addresses = NULL, *address;
	size_t count = 0;

	for (size_t i = 0; i < node_count(begun->endpoints); i++) {
		address = node_text_at(node_item(begun->endpoints, i), "address", "");
		if (!is_among(addresses, count, address))
			*arena_push(c->arena, addresses, count) = address;
	}
	return drain_wait(c, addresses, count, args_duration_ms(&c->args, "timeout"), form);
}

/* All of what was named is begun, whatever becomes of one; then they are waited for together. */
static int drain(struct ctl *c, const char *key, enum output_form form)
{
	struct loc nowhere = {0};
	struct begun begun = {.endpoints = node_new(c->arena, NODE_LIST, nowhere),
			      .shared = node_new(c->arena, NODE_LIST, nowhere)};
	const bool wait = args_switch(&c->args, "wait");
	const bool tree = form == OUTPUT_JSON || form == OUTPUT_YAML;
	const char *what;
	int code = 0;

	for (size_t i = 1; i < c->args.word_count; i++) {
		what = c->args.words[i];
		if (strcmp(key, "backend") == 0 && !strchr(what, '/'))
			what = arena_printf(c->arena, "%s/%s", c->namespace, what);
		if (begin(c, key, what, &begun))
			code = 1;
	}
	if (!tree)
		print_begun(c, &begun);
	if (!node_count(begun.endpoints))
		return code;
	if (wait && wait_for(c, &begun, form))
		code = 1;
	if (tree && !wait && print_tree(c, &begun, form))
		code = 1;
	return code;
}

static int check_addresses(const struct ctl *c)
{
	struct spw_addr addr;
	uint16_t port;

	for (size_t i = 1; i < c->args.word_count; i++) {
		if (addr_parse(c->args.words[i], &addr) &&
		    addr_parse_port(c->args.words[i], &addr, &port))
			return ctl_error("\"%s\" is no endpoint: expected ADDRESS or ADDRESS:PORT "
					 "([ADDRESS]:PORT for IPv6)",
					 c->args.words[i]);
	}
	return 0;
}

/* Flags that mean nothing where drains are listed. */
static bool is_about_draining(const struct ctl *c)
{
	return args_given(&c->args, "deadline") || args_given(&c->args, "then") ||
	       args_switch(&c->args, "wait") || args_given(&c->args, "timeout");
}

static int check_flags(const struct ctl *c)
{
	const bool deadline = args_given(&c->args, "deadline");

	if (args_given(&c->args, "then") && !deadline)
		return ctl_usage_error(c,
				       "--then says what happens at the deadline: give --deadline");
	if (args_given(&c->args, "timeout") && !args_switch(&c->args, "wait"))
		return ctl_usage_error(c, "--timeout is for --wait");
	return 0;
}

static int run(struct ctl *c)
{
	const char *thing = c->args.word_count ? c->args.words[0] : NULL;
	enum output_form form;

	if (output_parse(
		    c, OUTPUT_BIT(OUTPUT_WIDE) | OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_YAML),
		    &form))
		return 1;
	if (!thing && is_about_draining(c))
		return ctl_usage_error(c, "what is to be drained is missing: endpoint ADDRESS, or "
					  "backend NAME");
	if (!thing)
		return drain_list(c, form);
	if (strcmp(thing, "endpoint") != 0 && strcmp(thing, "backend") != 0)
		return ctl_usage_error(c, "what can be drained is: endpoint, backend");
	if (c->args.word_count < 2)
		return ctl_usage_error(c, strcmp(thing, "endpoint") == 0
						  ? "an endpoint's address is missing"
						  : "a Backend's name is missing");
	if (check_flags(c) || (strcmp(thing, "endpoint") == 0 && check_addresses(c)))
		return 1;
	return drain(c, strcmp(thing, "endpoint") == 0 ? "address" : "backend", form);
}

const struct verb verb_drain = {
	.name = "drain",
	.usage = "endpoint ADDRESS[:PORT]... [--deadline DURATION [--then leave|reset]] [--wait "
		 "[--timeout DURATION]]\n"
		 "backend NAME... [flags]\n"
		 "[-o FORM]",
	.summary = "Take endpoints out gently, and see how far that is",
	.details =
		"No new flows from now on; those that are there are left to end, at most until the\n"
		"deadline. Then flows left are left to go on, or with --then=reset TCP ones are reset\n"
		"at their next packet. An address is drained in all Backends that have it. A drain is\n"
		"kept over restarts; given again, the new deadline holds. It ends with\n"
		"`spillway set endpoint ADDRESS --state auto`.\n"
		"Flows of direct return are not counted: their drain ends at the deadline only.\n"
		"Without words, the drains under way; -o wide also lists the flows that live longest.\n"
		"With --wait the exit code is 0 when no flow was left or the deadline was kept.\n"
		"\n"
		"Examples:\n"
		"  spillway drain endpoint 10.0.0.1:80 --wait\n"
		"  spillway drain backend web --deadline 10m --then reset\n"
		"  spillway drain -o wide",
	.flags = flags,
	.words = WORDS_DRAINABLE,
	.run = run,
};
