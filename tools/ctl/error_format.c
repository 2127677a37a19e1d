/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every verb says its errors on standard error, line by line, as kubectl does. For a machine all of
 * it is kept in a file in memory until the verb has ended, so that no verb need know of the form.
 */
#include "ctl/error_format.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "ctl/ctl.h"

#define FLAG   "--error-format"
#define SERVER "Error from server ("
#define ERROR  "error: "
#define SEE    "See 'spillway "
#define CHUNK  65536

static inline void cleanup_strbuf_done(struct strbuf *b)
{
	strbuf_done(b);
}

static struct {
	enum error_format format;
	int real; /* the real standard error while it is kept back */
} kept = {.real = STDERR_FILENO};

static int read_word(const char *word, enum error_format *out)
{
	static const char *const words[] = {"human", "json", "yaml"}; /* by format */

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) == 0) {
			*out = (enum error_format)i;
			return 0;
		}
	}
	(void)ctl_error("invalid value \"%s\" for " FLAG, word);
	fputs("Allowed values: human, json, yaml.\n", stderr);
	return 1;
}

int error_format_find(int argc, char **argv, enum error_format *out)
{
	const size_t len = strlen(FLAG);

	*out = ERROR_HUMAN;
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strncmp(argv[i], FLAG, len) != 0)
			continue;
		if (argv[i][len] == '=' && read_word(argv[i] + len + 1, out))
			return 1;
		if (!argv[i][len] && i + 1 < argc && read_word(argv[i + 1], out))
			return 1;
	}
	return 0;
}

int error_format_fd(void)
{
	return kept.real;
}

void error_format_begin(enum error_format format)
{
	AUTO(fd_close) int memory = -1;
	int real;

	if (format == ERROR_HUMAN)
		return;
	memory = memfd_create("spillway-errors", MFD_CLOEXEC);
	real = dup(STDERR_FILENO);
	if (memory < 0 || real < 0 || dup2(memory, STDERR_FILENO) < 0) {
		fd_close(real);
		return; /* then as for humans: better than nothing */
	}
	kept.format = format;
	kept.real = real;
}

/* Gives standard error back; the text that was kept. */
static const char *take_kept(struct arena *a)
{
	AUTO(fd_close) int memory = dup(STDERR_FILENO);
	AUTO(strbuf_done) struct strbuf text = {0};
	char chunk[CHUNK];
	ssize_t n;

	(void)fflush(stderr);
	(void)dup2(kept.real, STDERR_FILENO);
	fd_close(kept.real);
	kept.real = STDERR_FILENO;
	while ((n = pread(memory, chunk, sizeof(chunk), (off_t)text.len)) > 0)
		strbuf_add(&text, chunk, (size_t)n);
	return arena_strndup(a, text.text ? text.text : "", text.len);
}

/* The reason of the first line that has one: "NotFound". */
static const char *code_of(struct arena *a, const char *text, bool is_usage)
{
	const char *server = strstr(text, SERVER);
	const char *invalid = strstr(text, "\" is invalid: ");

	if (invalid && (!server || invalid < server))
		return "Invalid";
	if (server)
		return arena_strndup(a, server + strlen(SERVER),
				     strcspn(server + strlen(SERVER), ")"));
	if (strstr(text, "cannot reach spillwayd"))
		return "Unreachable";
	return is_usage ? "Usage" : "Error";
}

static bool is_retryable(const char *code)
{
	static const char *const codes[] = {"Unreachable", "ServiceUnavailable", "Conflict"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strcmp(code, codes[i]) == 0)
			return true;
	}
	return false;
}

static bool begins(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

/* Line by line: without "error: " in front, and without the line that is a hint. */
static const char *message_of(struct arena *a, const char *text, const char **hint)
{
	AUTO(strbuf_done) struct strbuf message = {0};
	size_t len, head;

	for (; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		head = begins(text, ERROR) ? strlen(ERROR) : 0;
		if (begins(text, SEE)) {
			*hint = arena_strndup(a, text, len);
			continue;
		}
		if (message.len)
			strbuf_puts(&message, "\n");
		strbuf_add(&message, text + head, len - head);
	}
	return arena_strndup(a, message.text ? message.text : "", message.len);
}

static void set_text(struct arena *a, struct node *map, const char *key, const char *text)
{
	node_set(a, map, key, node_new_string(a, text, (struct loc){0}));
}

struct node *error_envelope(struct arena *a, const char *text)
{
	struct loc nowhere = {0};
	struct node *envelope = node_new(a, NODE_MAP, nowhere);
	struct node *error = node_new(a, NODE_MAP, nowhere);
	const char *hint = NULL;
	const char *message = message_of(a, text, &hint);
	const char *code = code_of(a, text, hint != NULL);

	set_text(a, error, "code", code);
	set_text(a, error, "message", message);
	if (hint)
		set_text(a, error, "hint", hint);
	node_set(a, error, "retryable", node_new_bool(a, is_retryable(code), nowhere));
	node_set(a, envelope, "error", error);
	return envelope;
}

int error_format_end(struct arena *a, int code)
{
	const enum error_format format = kept.format;
	AUTO(free) char *text = NULL;
	const char *said;
	struct node *envelope;

	if (format == ERROR_HUMAN)
		return code;
	said = take_kept(a);
	kept.format = ERROR_HUMAN;
	if (!code || !said[0]) {
		fputs(said, stderr);
		return code;
	}
	envelope = error_envelope(a, said);
	text = format == ERROR_JSON ? node_to_json(envelope, 0) : node_to_yaml(envelope);
	if (text)
		fprintf(stderr, "%s%s", text,
			text[0] && text[strlen(text) - 1] == '\n' ? "" : "\n");
	return code;
}
