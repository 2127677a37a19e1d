/* SPDX-License-Identifier: BSD-2-Clause */
/* Clusters of a DynamicResolver: the client says where to, and may not say everything. */
#ifndef SPILLWAY_HANDOFF_L7_DYNAMIC_H
#define SPILLWAY_HANDOFF_L7_DYNAMIC_H

#include "base/strbuf.h"
#include "handoff/plan.h"
#include "model/frontend.h"

#define L7_RESOLVERS "names" /* the section that says who is asked */

/* The lines of such a cluster behind its settings. */
void l7_dynamic(struct strbuf *b, const struct model *m, const struct frontend *f,
		const struct l7_rule *r);
/* Its one server line without "server NAME"; certificates are added to `files`. */
const char *l7_dynamic_params(struct arena *a, struct plan *files, const char *dir,
			      const struct l7_rule *r);
/* The section L7_RESOLVERS. */
void l7_resolvers(struct strbuf *b, uint16_t port);

#endif
