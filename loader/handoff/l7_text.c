/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strong quotes keep everything as it is but a quote and a line's end. Path beginnings are compared in
 * whole parts: "/foo" is "/foo" or what begins with "/foo/".
 */
#include "handoff/l7_text.h"

#include <stdio.h>
#include <string.h>

static void put_quoted(struct strbuf *b, const char *text)
{
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c == '\'')
			strbuf_puts(b, "'\\''");
		else if (c < ' ' || c == 0x7f)
			strbuf_printf(b, "'\\x%02x'", c);
		else
			strbuf_add(b, text, 1);
	}
}

void l7_quote(struct strbuf *b, const char *text)
{
	strbuf_puts(b, "'");
	put_quoted(b, text);
	strbuf_puts(b, "'");
}

static void put_format(struct strbuf *b, const char *text)
{
	char one[2] = {0};

	for (; *text; text++) {
		one[0] = *text;
		if (*text == '%')
			strbuf_puts(b, "%");
		put_quoted(b, one);
	}
}

void l7_quote_format(struct strbuf *b, const char *text)
{
	strbuf_puts(b, "'");
	put_format(b, text);
	strbuf_puts(b, "'");
}

/* Without the slash at its end. */
static size_t prefix_len(const char *path)
{
	const size_t len = strlen(path);

	return len && path[len - 1] == '/' ? len - 1 : len;
}

/* `how`: "str", "reg", "beg". */
static void add_acl(struct l7_acls *a, const char *fetch, const char *how, const char *value)
{
	strbuf_printf(&a->lines, "\tacl m%zu-%zu ", a->match, a->count);
	if (strpbrk(fetch, "#$'`")) /* may be in a header's name */
		l7_quote(&a->lines, fetch);
	else
		strbuf_puts(&a->lines, fetch);
	strbuf_printf(&a->lines, " -m %s -- ", how);
	l7_quote(&a->lines, value);
	strbuf_puts(&a->lines, "\n");
	strbuf_printf(&a->names, " m%zu-%zu", a->match, a->count++);
}

static void add_pattern(struct l7_acls *a, const char *fetch, const char *type, const char *value)
{
	struct strbuf whole = {0};

	if (strcmp(type, "RegularExpression") != 0) {
		add_acl(a, fetch, "str", value);
		return;
	}
	strbuf_printf(&whole, "^(?:%s)$", value);
	add_acl(a, fetch, "reg", whole.text);
	strbuf_done(&whole);
}

static void add_path(struct l7_acls *a, const struct node *match)
{
	const char *type = node_text_at(match, "path.type", "PathPrefix");
	const char *value = node_text_at(match, "path.value", "/");
	struct strbuf begin = {0};

	if (strcmp(type, "PathPrefix") != 0) {
		add_pattern(a, "path", type, value);
		return;
	}
	if (!prefix_len(value))
		return;
	strbuf_add(&begin, value, prefix_len(value));
	strbuf_puts(&begin, "/");
	add_acl(a, "path,concat(/)", "beg", begin.text);
	strbuf_done(&begin);
}

/* Names are tokens: nothing in them ends the parentheses. */
static void add_values(struct l7_acls *a, const struct node *list, const char *fetch)
{
	for (size_t i = 0; i < node_count(list); i++) {
		const struct node *n = node_item(list, i);
		struct strbuf named = {0};

		strbuf_printf(&named, "%s(%s)", fetch, node_text_at(n, "name", ""));
		add_pattern(a, named.text, node_text_at(n, "type", "Exact"),
			    node_text_at(n, "value", ""));
		strbuf_done(&named);
	}
}

void l7_acls_add(struct l7_acls *a, const struct node *match)
{
	const char *method = node_text_at(match, "method", NULL);

	if (!match)
		return;
	add_path(a, match);
	if (method)
		add_acl(a, "method", "str", method);
	add_values(a, node_member(match, "headers"), "req.fhdr");
	add_values(a, node_member(match, "queryParams"), "url_param");
}

void l7_acls_done(struct l7_acls *a)
{
	strbuf_done(&a->lines);
	strbuf_done(&a->names);
}

static void add_headers(struct strbuf *b, const char *way, const struct node *n)
{
	static const char *const verbs[][2] = {{"set", "set-header"}, {"add", "add-header"}};
	const struct node *removed = node_member(n, "remove");

	for (size_t v = 0; v < 2; v++) {
		const struct node *list = node_member(n, verbs[v][0]);

		for (size_t i = 0; i < node_count(list); i++) {
			strbuf_printf(b, "\t%s %s ", way, verbs[v][1]);
			l7_quote(b, node_text_at(node_item(list, i), "name", ""));
			strbuf_puts(b, " ");
			l7_quote_format(b, node_text_at(node_item(list, i), "value", ""));
			strbuf_puts(b, "\n");
		}
	}
	for (size_t i = 0; i < node_count(removed); i++) {
		strbuf_printf(b, "\t%s del-header ", way);
		l7_quote(b, node_item(removed, i)->text);
		strbuf_puts(b, "\n");
	}
}

static void put_regex(struct strbuf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr("\\^$.|?*+()[]{}", text[i]))
			strbuf_puts(out, "\\");
		strbuf_add(out, text + i, 1);
	}
}

/* The schema sees to it that such a rule has one match, by a path's beginning. */
static void replace_prefix(struct strbuf *b, const struct node *rule, const char *by)
{
	const struct node *match = node_item(node_member(rule, "matches"), 0);
	const char *path = node_text_at(match, "path.value", "/");
	struct strbuf from = {0}, to = {0};
	const size_t len = prefix_len(by);

	strbuf_puts(&from, "^");
	put_regex(&from, path, prefix_len(path));
	strbuf_puts(&from, len ? "(/.*)?$" : "/?(.*)$");
	for (size_t i = 0; i < len; i++) {
		if (by[i] == '\\' || by[i] == '%')
			strbuf_add(&to, by + i, 1);
		strbuf_add(&to, by + i, 1);
	}
	strbuf_puts(&to, len ? "\\1" : "/\\1");
	strbuf_puts(b, "\thttp-request replace-path ");
	l7_quote(b, from.text);
	strbuf_puts(b, " ");
	l7_quote(b, to.text);
	strbuf_puts(b, "\n");
	strbuf_done(&from);
	strbuf_done(&to);
}

static void add_path_change(struct strbuf *b, const struct node *rule, const struct node *path)
{
	const char *full = node_text_at(path, "replaceFullPath", NULL);

	if (!path)
		return;
	if (!full) {
		replace_prefix(b, rule, node_text_at(path, "replacePrefixMatch", "/"));
		return;
	}
	strbuf_puts(b, "\thttp-request set-path ");
	l7_quote_format(b, *full ? full : "/");
	strbuf_puts(b, "\n");
}

static void add_rewrite(struct strbuf *b, const struct node *rule, const struct node *n)
{
	const char *host = node_text_at(n, "hostname", NULL);

	add_path_change(b, rule, node_member(n, "path"));
	if (!host)
		return;
	strbuf_puts(b, "\thttp-request set-header Host ");
	l7_quote_format(b, host);
	strbuf_puts(b, "\n");
}

static bool is_usual(const char *scheme, int64_t port)
{
	return port == (strcmp(scheme, "https") == 0 ? 443 : 80);
}

/* With another scheme the port is that scheme's own; else it stays the listener's. */
static void add_redirect(struct strbuf *b, const struct frontend *f, const struct node *rule,
			 const struct node *n)
{
	const char *given = node_text_at(n, "scheme", NULL);
	const char *scheme = given ? given : f->kind == FRONTEND_HTTPS ? "https" : "http";
	const char *host = node_text_at(n, "hostname", NULL);
	const int64_t preset = !given ? f->port : strcmp(given, "https") == 0 ? 443 : 80;
	const int64_t port = node_int_at(n, "port", preset);

	add_path_change(b, rule, node_member(n, "path"));
	strbuf_printf(b, "\thttp-request redirect location '%s://", scheme);
	if (host)
		put_format(b, host);
	else
		strbuf_puts(b, "%[var(txn.host)]");
	if (!is_usual(scheme, port))
		strbuf_printf(b, ":%lld", (long long)port);
	strbuf_printf(b, "%%[pathq]' code %lld\n", (long long)node_int_at(n, "statusCode", 302));
}

bool l7_is_redirect(const struct node *rule)
{
	const struct node *filters = node_member(rule, "filters");

	for (size_t i = 0; i < node_count(filters); i++) {
		if (node_member(node_item(filters, i), "requestRedirect"))
			return true;
	}
	return false;
}

void l7_filters(struct strbuf *b, const struct frontend *f, const struct node *rule)
{
	const struct node *filters = node_member(rule, "filters");

	for (size_t i = 0; i < node_count(filters); i++) {
		const struct node *n = node_item(filters, i);

		if (node_member(n, "requestRedirect"))
			add_redirect(b, f, rule, node_member(n, "requestRedirect"));
		add_headers(b, "http-request", node_member(n, "requestHeaderModifier"));
		add_headers(b, "http-response", node_member(n, "responseHeaderModifier"));
		add_rewrite(b, rule, node_member(n, "urlRewrite"));
	}
}
