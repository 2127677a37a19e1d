/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verbs share that send manifests to the daemon: apply, create, diff. */
#ifndef SPILLWAY_CTL_WRITE_H
#define SPILLWAY_CTL_WRITE_H

#include "ctl/commit.h"
#include "ctl/label_selector.h"
#include "ctl/output.h"

/* Flags that mean what they mean in kubectl, for all of them. */
extern const char write_validate_help[];
extern const char write_manager_help[];
#define WRITE_FLAGS                                                                                \
	LOAD_FLAGS,                                                                                \
		{.name = "validate",                                                               \
		 .type = FLAG_TEXT,                                                                \
		 .value = "HOW",                                                                   \
		 .initial = "strict",                                                              \
		 .bare = "strict",                                                                 \
		 .help = write_validate_help},                                                     \
		{.name = "field-manager",                                                          \
		 .type = FLAG_TEXT,                                                                \
		 .value = "NAME",                                                                  \
		 .hidden = true,                                                                   \
		 .help = write_manager_help},                                                      \
		LABEL_SELECTOR_FLAG("Only the files' objects with these labels: a=b, a!=b, "       \
				    "'a in (b, c)', 'a notin (b)', a, '!a'; joined by commas")

/*
 * Reads what -f names, drops what -l does not select. Nonzero when there was a mistake, all of them
 * said.
 */
int write_load(struct ctl *c, struct resources *out);

extern const char write_allowlist_help[];
#define PRUNE_FLAGS                                                                                \
	{.name = "prune",                                                                          \
	 .type = FLAG_SWITCH,                                                                      \
	 .help = "Also what goes: objects that were applied before and are not in the files"},     \
	{                                                                                          \
		.name = "prune-allowlist", .type = FLAG_TEXTS, .value = "KIND",                    \
		.help = write_allowlist_help                                                       \
	}

/* The request's member `prune`, NULL without --prune. Nonzero, and said so, for a mistake. */
int write_prune(struct ctl *c, struct node **out);

/* Objects as -o asks (YAML or JSON): one stands alone, several are a List. The exit code. */
int write_output(struct ctl *c, struct node **trees, size_t count, enum output_form form);

#endif
