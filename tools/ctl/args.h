/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: flags as table rows, parsed by kubectl's habits (long, short, joined, `=`). */
#ifndef SPILLWAY_CTL_ARGS_H
#define SPILLWAY_CTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum flag_type {
	FLAG_SWITCH,   /* --flag, --flag=false */
	FLAG_TEXT,     /* the last one given counts */
	FLAG_TEXTS,    /* may be repeated */
	FLAG_NUMBER,   /* 1 or more */
	FLAG_DURATION, /* the Gateway API's, more than nothing: 90s, 10m, 1h30m */
};

/* A table of flags ends with a row without a name. */
struct flag {
	const char *name; /* without the dashes */
	char letter;	  /* short form, or 0 */
	enum flag_type type;
	const char *value;   /* what help calls the value: "FILE" */
	const char *initial; /* what args_text() answers when it was not given, or NULL */
	const char *bare;    /* the value of `--flag` alone, when it may stand alone; or NULL */
	const char *const *choices; /* all values there are, NULL-terminated; or NULL */
	/* What completion proposes where there are no choices, with commas between; or NULL. */
	const char *offers;
	const char *help;
	bool hidden; /* accepted, but neither in the help nor completed */
};

struct flag_given {
	const struct flag *flag;
	const char *value;
};

/* Zero-initialise; everything lives in `arena`, flags and words are those of argv. */
struct args {
	struct arena *arena;
	const struct flag *tables[2]; /* general flags, the verb's flags; NULL: none */
	const char **words;	      /* what is no flag */
	size_t word_count;
	struct flag_given *given;
	size_t given_count;
};

/*
 * Parses argv[0..argc) and appends to `args`. With `until_word`, it stops in front of the first
 * word. Returns how many it took; -EINVAL and a sentence in *why for a mistake.
 */
enum args_extent { ARGS_ALL, ARGS_UNTIL_WORD };
int args_parse(struct args *args, int argc, char **argv, enum args_extent extent, const char **why);

/* `name` must be in one of the tables. */
bool args_given(const struct args *args, const char *name);
bool args_switch(const struct args *args, const char *name);
const char *args_text(const struct args *args, const char *name);
const char **args_texts(const struct args *args, const char *name, size_t *count);
int64_t args_number(const struct args *args, const char *name);	     /* -1: not given, no initial */
int64_t args_duration_ms(const struct args *args, const char *name); /* likewise */

#endif
