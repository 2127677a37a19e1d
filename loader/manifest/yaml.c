/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Documents of a YAML text, over libyaml's events: its own documents keep no place of keys, expand
 * nothing and know no YAML 1.1 scalars. After a syntax error reading goes on at the next `---`,
 * so that one run shows the mistakes of all documents.
 */
#include "manifest/yaml.h"

#include "base/limits.h"
#include "manifest/compose.h"
#include "manifest/json.h"

/* What the parser was given. */
static struct text rest_of(const struct reader *r)
{
	return (struct text){.bytes = r->text.bytes + r->start, .len = r->end - r->start};
}

struct loc yaml_loc(const struct reader *r, const yaml_mark_t *mark)
{
	return (struct loc){.file = r->file,
			    .line = r->first_line + (int)mark->line,
			    .column = 1 + (int)mark->column};
}

void yaml_complain(struct reader *r, struct loc loc, const char *text)
{
	r->bad = true;
	if (r->file)
		diag_add(
			r->diags, loc,
			"error: error parsing %s: error converting YAML to JSON: yaml: line %d: %s",
			r->file, loc.line, text);
	else
		diag_add(r->diags, loc, "error: error converting YAML to JSON: yaml: line %d: %s",
			 loc.line, text);
}

struct node *yaml_give_up(struct reader *r, const yaml_mark_t *mark, const char *text)
{
	yaml_complain(r, yaml_loc(r, mark), text);
	r->broken = r->start + text_offset(rest_of(r), mark->index);
	return NULL;
}

static bool syntax_error(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "out of memory";
	struct loc loc;

	if (p->error == YAML_SCANNER_ERROR || p->error == YAML_PARSER_ERROR) {
		(void)yaml_give_up(r, &p->problem_mark, problem);
		return false;
	}
	r->unreadable = p->error == YAML_READER_ERROR;
	r->broken = r->start + p->problem_offset;
	if (r->broken > r->end)
		r->broken = r->end;
	loc = text_loc(rest_of(r), r->broken - r->start, r->file, r->first_line);
	yaml_complain(r, loc, problem);
	return false;
}

bool yaml_next(struct reader *r, yaml_event_t *event)
{
	if (r->broken != SIZE_MAX)
		return false;
	return yaml_parser_parse(&r->parser, event) ? true : syntax_error(r);
}

static void read_document(struct reader *r, struct documents *out)
{
	struct node *root;
	yaml_event_t event;

	r->anchors = (struct anchors){0};
	r->bad = false;
	if (!yaml_next(r, &event))
		return;
	if (out->count >= LIMIT_RESOURCES) {
		(void)yaml_give_up(r, &event.start_mark,
				   arena_printf(r->arena, "more than %u documents: split the file",
						LIMIT_RESOURCES));
		r->full = true;
		yaml_event_delete(&event);
		return;
	}
	root = compose(r, &event, 1);
	yaml_event_delete(&event);
	if (root && root->type != NODE_NULL && !r->bad)
		*arena_push(r->arena, out->items, out->count) = root;
}

/* From r->start to r->end, or to r->broken. */
static void read_stream(struct reader *r, struct documents *out)
{
	yaml_event_type_t type;
	yaml_event_t event;

	if (!yaml_parser_initialize(&r->parser))
		abort(); /* as the arena would */
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)r->text.bytes + r->start,
				     r->end - r->start);
	r->broken = SIZE_MAX;
	r->unreadable = false;
	while (!r->full && yaml_next(r, &event)) {
		type = event.type;
		yaml_event_delete(&event);
		if (type == YAML_STREAM_END_EVENT)
			break;
		if (type == YAML_DOCUMENT_START_EVENT)
			read_document(r, out);
	}
	yaml_parser_delete(&r->parser);
}

/*
 * libyaml reads ahead, and a byte that it cannot read ends the documents in front of it too. Then
 * these are read again, as if the text ended with them.
 */
static void read_documents(struct reader *r, struct documents *out)
{
	struct diags before = *r->diags;
	size_t had = out->count, last;

	r->end = r->text.len;
	read_stream(r, out);
	if (!r->unreadable || r->full)
		return;
	last = text_last_document(r->text, r->start, r->broken);
	if (last == r->start)
		return;
	*r->diags = before;
	out->count = had;
	r->end = last;
	read_stream(r, out);
	if (r->broken == SIZE_MAX)
		r->broken = last;
}

/* A syntax error is often noticed at the `---` itself, hence the step back over a line break. */
static size_t restart_at(const struct reader *r)
{
	size_t from = r->broken >= r->start + 2 ? r->broken - 2 : r->start;

	return text_next_document(r->text, from);
}

/* JSON that is no YAML: several objects in a row, keys of more than 1024 bytes. */
static bool read_as_json(struct reader *r, struct documents *out, size_t had, struct diags before)
{
	struct documents found = {0};

	if (r->start != text_json_start(r->text) ||
	    !json_read_stream(r->arena, r->text.bytes, r->text.len,
			      (struct loc){.file = r->file, .line = 1, .column = 1}, &found))
		return false;
	*r->diags = before;
	out->count = had;
	for (size_t i = 0; i < found.count; i++)
		*arena_push(r->arena, out->items, out->count) = found.items[i];
	return true;
}

void yaml_read(struct arena *a, struct diags *d, const char *file, const char *text, size_t len,
	       struct documents *out)
{
	struct reader r = {.arena = a, .diags = d, .file = file, .first_line = 1};
	struct diags before = *d;
	size_t had = out->count, next;

	r.text = text_join_surrogates(a, text_decode(a, text, len));
	/* YAML takes no tab in front of a value. */
	if (text_json_start(r.text) != SIZE_MAX)
		r.start = text_json_start(r.text);
	r.first_line += text_lines(r.text, 0, r.start);
	while (r.start < r.text.len) {
		read_documents(&r, out);
		if (r.full || r.broken == SIZE_MAX || read_as_json(&r, out, had, before))
			return;
		next = restart_at(&r);
		r.first_line += text_lines(r.text, r.start, next);
		r.start = next;
	}
}
