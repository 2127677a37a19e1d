/* SPDX-License-Identifier: BSD-2-Clause */
/* A resource in the model, and what was found out about it. */
#ifndef SPILLWAY_MODEL_OBJECT_H
#define SPILLWAY_MODEL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manifest/frozen.h"
#include "manifest/manifest.h"

struct condition {
	const char *type; /* "Accepted", "ResolvedRefs", "Programmed" */
	bool status;	  /* "True" or "False" */
	const char *reason;
	const char *message;
	const char *parent; /* routes: "NAMESPACE/NAME" it is about (status.parents[]); NULL else */
	const char *section;	 /* routes and gateways: listener name, or NULL */
	uint16_t port;		 /* routes: that the parentRef names; 0: none */
	const char *parent_kind; /* NULL: Gateway */
	int64_t since_s;	 /* unix time it took its status; filled in by who knows, or 0 */
};

/* A resource with what the store knows of it, and what was found out about it. */
struct object {
	struct resource res;
	struct frozen *body; /* that res.root lies in; NULL: in an arena */
	const char *project;
	const char *uid; /* NULL when it was never stored (validate) */
	int64_t generation;
	int64_t resource_version;
	int64_t created_s;
	bool applied;		      /* `apply` made or changed it at some time */
	struct condition *conditions; /* filled in by model_resolve() */
	size_t condition_count;
	struct ancestor *ancestors; /* of a policy: whose conditions these are, see ancestors.h */
	size_t ancestor_count;
	uint32_t *attached; /* of a Gateway: routes of each listener, as they are written */
	bool accepted;	    /* Backend: usable; Gateway, route: attached and used */
	bool foreign; /* of another controller: it is not looked at, and nothing is said of it */
};

#endif
