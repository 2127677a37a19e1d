/* SPDX-License-Identifier: BSD-2-Clause */
/* `spillway flows`: who talks to whom now, or how many flows there are. */
#include <stdio.h>

#include "base/addr.h"
#include "ctl/ctl.h"
#include "ctl/flow_table.h"
#include "ctl/http.h"
#include "ctl/output.h"

#define PATH "/apis/spillway.dev/v1alpha1/flows"

static const struct flag flags[] = {
	OUTPUT_FLAG("yaml, json"),
	{.name = "count", .type = FLAG_SWITCH, .help = "Only how many there are, and may be"},
	{.name = "limit",
	 .type = FLAG_NUMBER,
	 .value = "N",
	 .initial = "1000",
	 .help = "At most so many flows"},
	{.name = "endpoint",
	 .type = FLAG_TEXT,
	 .value = "ADDRESS[:PORT]",
	 .help = "Only the flows of this endpoint, or of all with this address"},
	{.name = NULL},
};

static int count(struct ctl *c, enum output_form form)
{
	struct node *answer;

	if (http_get(c, PATH "/count", &answer))
		return 1;
	if (form != OUTPUT_TABLE)
		return output_tree(answer, form);
	printf("%lld flows of at most %lld IPv4 and %lld IPv6\n",
	       (long long)node_int_at(answer, "count", 0), (long long)node_int_at(answer, "max", 0),
	       (long long)node_int_at(answer, "maxIPv6", 0));
	return 0;
}

static int list(struct ctl *c, enum output_form form)
{
	const char *endpoint = args_text(&c->args, "endpoint");
	const char *path = arena_printf(c->arena, PATH "?limit=%lld",
					(long long)args_number(&c->args, "limit"));
	const struct node *flows;
	struct spw_addr addr;
	struct node *answer;
	uint16_t port;

	if (endpoint && addr_parse(endpoint, &addr) && addr_parse_port(endpoint, &addr, &port))
		return ctl_error("\"%s\" is no endpoint: expected ADDRESS or ADDRESS:PORT "
				 "([ADDRESS]:PORT for IPv6)",
				 endpoint);
	if (endpoint)
		path = arena_printf(c->arena, "%s&endpoint=%s", path,
				    http_escape(c->arena, endpoint));
	if (http_get(c, path, &answer))
		return 1;
	if (form != OUTPUT_TABLE)
		return output_tree(answer, form);
	flows = node_member(answer, "flows");
	if (node_count(flows))
		flow_table_print(c->arena, flows);
	else
		fputs("No flows found\n", stderr);
	(void)fflush(stdout);
	if (node_bool_at(answer, "truncated", false))
		fprintf(stderr, "Stopped at --limit %zu, there are more\n", node_count(flows));
	return 0;
}

static int run(struct ctl *c)
{
	enum output_form form;

	if (c->args.word_count)
		return ctl_usage_error(c, "unexpected argument \"%s\"", c->args.words[0]);
	if (output_parse(c, OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_YAML), &form))
		return 1;
	return args_switch(&c->args, "count") ? count(c, form) : list(c, form);
}

const struct verb verb_flows = {
	.name = "flows",
	.usage = "[--endpoint ADDRESS[:PORT]] [--limit N] [-o FORM]\n--count [-o FORM]",
	.summary = "Show the flows that are remembered",
	.details =
		"SOURCE is the address and port of this gateway that the endpoint sees; of a flow "
		"that is handed off, \"-\".",
	.flags = flags,
	.run = run,
};
