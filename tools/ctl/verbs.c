/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs, one row each: the file cmd_NAME.c defines verb_NAME (with _ for -). Help shows them in this order. */
#include <stddef.h>
#include <string.h>

#include "ctl/ctl.h"

#define VERBS(X)                                                                                   \
	X(apply)                                                                                   \
	X(create)                                                                                  \
	X(diff)                                                                                    \
	X(validate)                                                                                \
	X(get)                                                                                     \
	X(describe)                                                                                \
	X(explain)                                                                                 \
	X(delete)                                                                                  \
	X(expose)                                                                                  \
	X(endpoints)                                                                               \
	X(set)                                                                                     \
	X(drain)                                                                                   \
	X(events)                                                                                  \
	X(stats)                                                                                   \
	X(flows)                                                                                   \
	X(status)                                                                                  \
	X(version)                                                                                 \
	X(api_resources)                                                                           \
	X(api_versions)                                                                            \
	X(help)                                                                                    \
	X(completion)                                                                              \
	X(compile)                                                                                 \
	X(reference)
#define VERB_DECLARE(name) extern const struct verb verb_##name;
#define VERB_ROW(name)	   &verb_##name,

VERBS(VERB_DECLARE)

const struct verb *const verbs[] = {VERBS(VERB_ROW) NULL};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *const *v = verbs; *v; v++) {
		if (strcmp((*v)->name, name) == 0)
			return *v;
	}
	return NULL;
}
