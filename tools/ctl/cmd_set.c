/* SPDX-License-Identifier: BSD-2-Clause */
/* `spillway set endpoint`: the operator's word on an endpoint, in force when this returns. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/limits.h"
#include "ctl/ctl.h"
#include "ctl/http.h"
#include "ctl/services.h"
#include "ctl/set_offline.h"

#define PATH "/apis/spillway.dev/v1alpha1/endpoints/state"

static const char *const states[] = {"up", "down", "drain", "auto", NULL};

static const struct flag flags[] = {
	{.name = "state",
	 .type = FLAG_TEXT,
	 .value = "STATE",
	 .choices = states,
	 .help = "up, down, drain or auto"},
	{.name = "bpffs",
	 .type = FLAG_TEXT,
	 .value = "DIR",
	 .initial = DEFAULT_BPFFS,
	 .help = "Where spillwayd has its maps pinned, for when it is not running"},
	{.name = NULL},
};

static bool is_address(const char *text)
{
	struct spw_addr addr;
	uint16_t port;

	return !addr_parse(text, &addr) || !addr_parse_port(text, &addr, &port);
}

static int set(struct ctl *c, const char *address, const char *state)
{
	struct loc nowhere = {0};
	struct node *body = node_new(c->arena, NODE_MAP, nowhere);
	const struct node *list, *e;
	const char *why = NULL;
	struct reply r;
	int err;

	node_set(c->arena, body, "address", node_new_string(c->arena, address, nowhere));
	node_set(c->arena, body, "state", node_new_string(c->arena, state, nowhere));
	err = http_try(c, "POST", PATH, body, &r, &why);
	if (err == -ENOENT || err == -ECONNREFUSED)
		return set_offline(c, address, state, why);
	if (err)
		return ctl_error("%s", why);
	if (r.code != 200 || !r.body)
		return endpoint_error(&r);
	list = node_member(r.body, "endpoints");
	for (size_t i = 0; i < node_count(list); i++) {
		e = node_item(list, i);
		printf("endpoint %s %s (was %s)\n", node_text_at(e, "address", address),
		       node_text_at(e, "to", state), node_text_at(e, "from", "auto"));
	}
	return 0;
}

static int run(struct ctl *c)
{
	const char *state = args_text(&c->args, "state");
	int code = 0;

	if (c->args.word_count < 1 || strcmp(c->args.words[0], "endpoint") != 0)
		return ctl_usage_error(c, "what can be set is: endpoint");
	if (c->args.word_count < 2)
		return ctl_usage_error(c, "an endpoint's address is missing");
	if (!state)
		return ctl_usage_error(c, "required flag(s) \"state\" not set");
	for (size_t i = 1; i < c->args.word_count; i++) {
		if (!is_address(c->args.words[i]))
			return ctl_error("\"%s\" is no endpoint: expected ADDRESS or ADDRESS:PORT "
					 "([ADDRESS]:PORT for IPv6)",
					 c->args.words[i]);
	}
	for (size_t i = 1; i < c->args.word_count; i++) {
		if (set(c, c->args.words[i], state))
			code = 1;
	}
	return code;
}

const struct verb verb_set = {
	.name = "set",
	.usage = "endpoint ADDRESS[:PORT]... --state up|down|drain|auto",
	.summary = "Take endpoints out of service and back",
	.details =
		"up: as if its checks passed. down: it gets no new flow, not even in panic.\n"
		"drain: like down, and its flows are left to end. auto: as its checks say.\n"
		"Without a port, all endpoints of the address. The word is in the packet path when\n"
		"the command returns, is kept over restarts, and holds in all projects. While no\n"
		"daemon runs it is written to the packet path, and the next daemon adopts it: what\n"
		"it takes out is out at once, what it brings back gets its share from that daemon.\n"
		"\n"
		"Examples:\n"
		"  spillway set endpoint 10.0.0.1:80 --state drain\n"
		"  spillway set endpoint [2001:db8::1]:80 --state auto",
	.flags = flags,
	.words = WORDS_THING,
	.run = run,
};
