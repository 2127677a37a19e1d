/* SPDX-License-Identifier: BSD-2-Clause */
/* The addresses of a Backend's endpoints, and which of them other Backends have too. */
#ifndef SPILLWAY_CONTROL_BACKEND_ENDPOINTS_H
#define SPILLWAY_CONTROL_BACKEND_ENDPOINTS_H

#include "control/operator.h"

struct backend_endpoints {
	struct operator_request request; /* one change per address and port, in their order */
	bool *shared;			 /* by change: another Backend of any project has it */
};

/* Of those that services use; `name` is "NAMESPACE/NAME". In `a`. */
void backend_endpoints_find(struct engine *e, struct arena *a, const char *project,
			    const char *name, struct backend_endpoints *out);

#endif
