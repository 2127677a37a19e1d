/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a verb of `spillway` is, and what all verbs share. A verb is one file, cmd_NAME.c, that
 * defines `const struct verb verb_NAME`, and one row in verbs.c.
 */
#ifndef SPILLWAY_CTL_CTL_H
#define SPILLWAY_CTL_CTL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/diag.h"
#include "ctl/args.h"
#include "manifest/manifest.h"

struct ctl;

/* What a verb's words are, for the shell's completion. */
enum verb_words {
	WORDS_ANY,
	WORDS_KIND,	 /* a kind, then names */
	WORDS_FIELD,	 /* a kind and fields with dots between */
	WORDS_VERB,	 /* a verb */
	WORDS_THING,	 /* "endpoint", then addresses */
	WORDS_BACKEND,	 /* "backend", then a name */
	WORDS_DRAINABLE, /* "endpoint" or "backend", then addresses or names */
};

struct verb {
	const char *name;
	const char *usage;   /* what follows the name in the usage line; several lines are forms */
	const char *summary; /* one line, capital first, no full stop */
	const char *details; /* further help: paragraphs and examples, or NULL */
	const struct flag *flags; /* NULL: none of its own */
	enum verb_words words;
	bool hidden;		   /* not in `help` and not completed */
	int failure;		   /* the exit code of a mistaken command line; 0: 1 */
	int (*run)(struct ctl *c); /* the exit code */
};

/* In the order of `help`; ends with NULL. */
extern const struct verb *const verbs[];
extern const struct flag general_flags[];

const struct verb *verb_find(const char *name); /* NULL if there is none */

/* One run of the program. */
struct ctl {
	struct arena *arena; /* owned by main(), everything of the run lives in it */
	const struct verb *verb;
	struct args args; /* words: those behind the verb */
	const char *socket_path;
	const char *project;
	const char *namespace;
	int64_t timeout_ms;    /* of a request; 0: the usual one */
	bool namespace_given;  /* by -n, not by default */
	bool names_only;       /* manifests are read for what they name alone */
	size_t warnings;       /* that were told */
	struct diags *unknown; /* where unknown fields of manifests go; NULL: they are mistakes */
};

/* Parses the command line, finds the verb and runs it; main() without the end of the program. */
int ctl_main(struct arena *a, int argc, char **argv);

/* `error: TEXT` on standard error; returns the exit code 1. */
int ctl_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, and where to read about the verb's usage. */
int ctl_usage_error(const struct ctl *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* `spillway VERB --help`, or the overview without a verb, on standard output. */
void help_print(const struct verb *verb);

/*
 * Reads everything that -f names (flags "filename" and "recursive" of the verb) in the order
 * given. Mistakes are in `d`. Nonzero, and said so, when there was no -f.
 */
int ctl_load(struct ctl *c, struct diags *d, struct resources *out);
extern const char load_filename_help[];
extern const char load_recursive_help[];
extern const char load_kustomize_help[];
#define LOAD_FLAGS                                                                                 \
	{.name = "filename",                                                                       \
	 .letter = 'f',                                                                            \
	 .type = FLAG_TEXTS,                                                                       \
	 .value = "FILE",                                                                          \
	 .help = load_filename_help},                                                              \
		{.name = "recursive",                                                              \
		 .letter = 'R',                                                                    \
		 .type = FLAG_SWITCH,                                                              \
		 .help = load_recursive_help},                                                     \
	{                                                                                          \
		.name = "kustomize", .letter = 'k', .type = FLAG_TEXT, .value = "DIR",             \
		.hidden = true, .help = load_kustomize_help                                        \
	}

/* The resources against each other, as if they were all there is; see model_resolve(). */
struct model;
struct model_options;
struct model *ctl_resolve(struct ctl *c, const struct resources *rs,
			  const struct model_options *opts, struct diags *d);

/* http:// and https://, which -f takes too. */
bool ctl_is_url(const char *path);
/* As manifest_read_path(), of a URL. */
void ctl_load_url(struct ctl *c, struct diags *d, const char *url,
		  const struct manifest_options *opts, struct resources *out);

/* Puts diagnostics of one file in the order of their places; files keep their order. */
void ctl_sort_diags(struct diags *d);

/* "backend.gateway.envoyproxy.io/NAME", as kubectl names an object. */
const char *ctl_object_title(struct arena *a, const struct kind *kind, const char *name);

#endif
