/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads templates as the parser of Kubernetes' client library does, odd corners included: an index
 * ends at the first `]`, a filter splits at its first operator, a key in quotes may have dots that
 * separate fields.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/jsonpath.h"

#define DEPTH_MAX 16 /* filters in filters */

struct parser {
	struct arena *arena;
	const char *p;
	const char *why;
	unsigned int depth;
};

static const struct loc nowhere;

static int fail(struct parser *p, const char *why)
{
	p->why = why;
	return -EINVAL;
}

static struct jsonpath *push(struct parser *p, struct jsonpath *list, enum jsonpath_type type)
{
	struct jsonpath *step = arena_alloc(p->arena, sizeof(*step));

	step->type = type;
	*arena_push(p->arena, list->items, list->count) = step;
	return step;
}

static void push_text(struct parser *p, struct jsonpath *list, const char *text, size_t len)
{
	struct jsonpath *step = push(p, list, JSONPATH_TEXT);

	step->text = arena_strndup(p->arena, text, len);
	step->value = node_new_text(p->arena, step->text, len, nowhere);
}

static bool is_terminator(char c)
{
	return !c || isspace((unsigned char)c) || strchr(".,[]$@{}", c);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* The steps of "{TEXT}". */
static int parse_action(struct parser *p, const char *text, struct jsonpath *list);

/* ".name": a backslash takes the next character as it is. */
static void parse_field(struct parser *p, struct jsonpath *list)
{
	char *name = arena_alloc(p->arena, strlen(p->p) + 1);
	const char *begin = p->p;

	for (size_t len = 0; !is_terminator(*p->p); p->p++) {
		if (*p->p == '\\' && p->p[1])
			p->p++;
		name[len++] = *p->p;
	}
	if (p->p == begin + 1 && *begin == '*')
		(void)push(p, list, JSONPATH_WILDCARD);
	else
		push(p, list, JSONPATH_FIELD)->text = name;
}

static int parse_recursive(struct parser *p, struct jsonpath *list)
{
	if (list->count && list->items[list->count - 1]->type == JSONPATH_RECURSIVE)
		return fail(p, "invalid multiple recursive descent");
	(void)push(p, list, JSONPATH_RECURSIVE);
	p->p += 2;
	if (is_word(*p->p))
		parse_field(p, list);
	return 0;
}

static int parse_number(struct parser *p, struct jsonpath *list)
{
	const char *begin = p->p;
	const char *text;
	double value;
	char *end;

	do
		p->p++;
	while (isdigit((unsigned char)*p->p) || *p->p == '.');
	text = arena_strndup(p->arena, begin, (size_t)(p->p - begin));
	value = strtod(text, &end);
	if (*end || end == text)
		return fail(p, arena_printf(p->arena, "cannot parse number %s", text));
	push(p, list, JSONPATH_NUMBER)->value = node_new_number(p->arena, value, nowhere);
	return 0;
}

static void parse_word(struct parser *p, struct jsonpath *list)
{
	const char *begin = p->p;
	struct jsonpath *step;
	const char *word;

	while (!is_terminator(*p->p))
		p->p++;
	word = arena_strndup(p->arena, begin, (size_t)(p->p - begin));
	if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
		step = push(p, list, JSONPATH_BOOL);
		step->value = node_new_bool(p->arena, word[0] == 't', nowhere);
		return;
	}
	push(p, list, JSONPATH_WORD)->text = word;
}

/* What is behind a backslash; *p moves to its last character. 0: there is no such escape. */
static char escaped(const char **p)
{
	static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
	const char c = **p;
	const char *at = c ? strchr(from, c) : NULL;
	char hex[3] = "";

	if (c != 'x')
		return at ? to[at - from] : '\0';
	if (!isxdigit((unsigned char)(*p)[1]) || !isxdigit((unsigned char)(*p)[2]))
		return '\0';
	memcpy(hex, *p + 1, 2);
	*p += 2;
	return (char)strtol(hex, NULL, 16);
}

static int parse_quote(struct parser *p, struct jsonpath *list)
{
	char *text = arena_alloc(p->arena, strlen(p->p) + 1);
	const char end = *p->p++;
	size_t len = 0;
	char c;

	for (; *p->p != end; p->p++) {
		if (!*p->p || *p->p == '\n')
			return fail(p, "unterminated quoted string");
		c = *p->p;
		if (c == '\\') {
			p->p++;
			c = escaped(&p->p);
			if (!c)
				return fail(p, *p->p ? "invalid syntax"
						     : "unterminated quoted string");
		}
		text[len++] = c;
	}
	p->p++;
	push_text(p, list, text, len);
	return 0;
}

/* "-12" up to a colon or the end; false: something else. */
static bool take_index(const char **text, struct jsonpath_param *out)
{
	const char *begin = *text;
	char *end;

	if (*begin == ':' || !*begin)
		return true;
	if (*begin == '-' ? !isdigit((unsigned char)begin[1]) : !isdigit((unsigned char)*begin))
		return false;
	errno = 0;
	out->value = strtol(begin, &end, 10);
	out->known = true;
	*text = end;
	return !errno && labs(out->value) <= INT32_MAX && (!*end || *end == ':');
}

static int parse_slice(struct parser *p, struct jsonpath *list, const char *text)
{
	struct jsonpath_param slice[3] = {0};
	const char *rest = text;
	int count = 0;

	for (;;) {
		if (!take_index(&rest, &slice[count++]))
			return fail(p, arena_printf(p->arena, "invalid array index %s", text));
		if (!*rest)
			break;
		if (count == 3)
			return fail(p, arena_printf(p->arena, "invalid array index %s", text));
		rest++;
	}
	if (count == 1)
		slice[1] = (struct jsonpath_param){true, true, slice[0].value + 1};
	memcpy(push(p, list, JSONPATH_SLICE)->slice, slice, sizeof(slice));
	return 0;
}

/* One of several in brackets, or the only one. */
static int parse_index(struct parser *p, struct jsonpath *list, const char *text)
{
	size_t len = strlen(text);

	if (strcmp(text, "*") == 0)
		text = ":";
	if (len > 1 && text[0] == '\'' && strchr(text + 1, '\'') == text + len - 1)
		return parse_action(p, arena_printf(p->arena, ".%.*s", (int)(len - 2), text + 1),
				    list);
	return parse_slice(p, list, text);
}

static int parse_union(struct parser *p, struct jsonpath *list, const char *text)
{
	struct jsonpath *set = push(p, list, JSONPATH_UNION);
	size_t len, trimmed;
	int err;

	for (;; text += len + 1) {
		text += strspn(text, " ");
		len = strcspn(text, ",");
		for (trimmed = len; trimmed && text[trimmed - 1] == ' ';)
			trimmed--;
		err = parse_index(p, push(p, set, JSONPATH_LIST),
				  arena_strndup(p->arena, text, trimmed));
		if (err || !text[len])
			return err;
	}
}

static int parse_brackets(struct parser *p, struct jsonpath *list)
{
	size_t len = strcspn(p->p, "]\n");
	const char *text;

	if (p->p[len] != ']')
		return fail(p, "unterminated array");
	text = arena_strndup(p->arena, p->p + 1, len - 1);
	p->p += len + 1;
	return strchr(text, ',') ? parse_union(p, list, text) : parse_index(p, list, text);
}

/* To the `)` that is in no quotes, which must be followed by `]`. */
static int filter_text(struct parser *p, const char **out)
{
	const char *begin = p->p + strlen("[?(");
	const char *end = begin;
	char quote = '\0';

	for (; *end && *end != '\n' && (quote || *end != ')'); end++) {
		if (quote ? *end == quote && end[-1] != '\\' : *end == '"' || *end == '\'')
			quote = quote ? '\0' : *end;
	}
	if (*end != ')')
		return fail(p, "unterminated filter");
	if (end[1] != ']')
		return fail(p, "unclosed array expect ]");
	*out = arena_strndup(p->arena, begin, (size_t)(end - begin));
	p->p = end + 2;
	return 0;
}

static int parse_filter(struct parser *p, struct jsonpath *list)
{
	struct jsonpath *step;
	const char *text;
	size_t left, op;
	int err = filter_text(p, &text);

	if (err)
		return err;
	step = push(p, list, JSONPATH_FILTER);
	step->left = arena_alloc(p->arena, sizeof(*step->left));
	left = strcspn(text, "!<>=");
	op = strspn(text + left, "!<>=");
	if (!left || !op || !text[left + op])
		return parse_action(p, text, step->left);
	step->right = arena_alloc(p->arena, sizeof(*step->right));
	step->text = arena_strndup(p->arena, text + left, op);
	err = parse_action(p, arena_strndup(p->arena, text, left), step->left);
	return err ? err : parse_action(p, text + left + op, step->right);
}

static int parse_step(struct parser *p, struct jsonpath *list)
{
	const char c = *p->p;

	if (strncmp(p->p, "[?(", 3) == 0)
		return parse_filter(p, list);
	if (strncmp(p->p, "..", 2) == 0)
		return parse_recursive(p, list);
	if (c == '[')
		return parse_brackets(p, list);
	if (c == '"' || c == '\'')
		return parse_quote(p, list);
	if (c == '+' || c == '-' || isdigit((unsigned char)c))
		return parse_number(p, list);
	if (c == ' ' || c == '@' || c == '$' || c == '.')
		p->p++;
	if (c == '.')
		parse_field(p, list);
	else if (is_word(c))
		parse_word(p, list);
	else if (c != ' ' && c != '@' && c != '$')
		return fail(p,
			    arena_printf(p->arena,
					 isprint((unsigned char)c)
						 ? "unrecognized character in action: U+%04X '%c'"
						 : "unrecognized character in action: U+%04X",
					 (unsigned char)c, c));
	return 0;
}

static int parse_action(struct parser *p, const char *text, struct jsonpath *list)
{
	struct parser inner = {.arena = p->arena, .p = text, .depth = p->depth + 1};
	int err = 0;

	if (inner.depth > DEPTH_MAX)
		return fail(p, "too many filters in each other");
	while (!err && *inner.p)
		err = parse_step(&inner, list);
	if (err)
		p->why = inner.why;
	return err;
}

static int parse_braces(struct parser *p, struct jsonpath *root)
{
	struct jsonpath *list = push(p, root, JSONPATH_LIST);
	int err;

	for (p->p++; *p->p != '}';) {
		if (!*p->p || *p->p == '\n')
			return fail(p, "unclosed action");
		err = parse_step(p, list);
		if (err)
			return err;
	}
	p->p++;
	return 0;
}

int jsonpath_parse(struct arena *a, const char *text, struct jsonpath **out, const char **why)
{
	struct jsonpath *root = arena_alloc(a, sizeof(*root));
	struct parser p = {.arena = a, .p = text};
	size_t len;

	while (*p.p) {
		len = strcspn(p.p, "{");
		if (len)
			push_text(&p, root, p.p, len);
		p.p += len;
		if (*p.p && parse_braces(&p, root)) {
			*why = p.why;
			return -EINVAL;
		}
	}
	*out = root;
	return 0;
}
