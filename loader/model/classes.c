/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classes of Gateways. A class that nobody has described is this controller's, so that a Gateway needs no
 * GatewayClass; one whose GatewayClass names another controller is that one's, with its Gateways.
 */
#include <string.h>

#include "model/resolver.h"

void classes_read(struct resolver *r)
{
	size_t count;
	struct object **list = names_of_kind(r, r->by_name, KIND_GATEWAYCLASS, &count);

	for (size_t i = 0; i < count; i++)
		list[i]->foreign =
			strcmp(node_text_at(list[i]->res.root, "spec.controllerName", ""),
			       CONTROLLER_NAME) != 0;
	list = names_of_kind(r, r->by_name, KIND_GATEWAY, &count);
	for (size_t i = 0; i < count; i++) {
		const char *name = node_text_at(list[i]->res.root, "spec.gatewayClassName", "");
		const struct object *class =
			names_find(r, KIND_GATEWAYCLASS, list[i]->project, "", name);

		list[i]->foreign = class && class->foreign;
	}
}

void classes_report(struct resolver *r)
{
	size_t count;
	struct object **list = names_of_kind(r, r->by_name, KIND_GATEWAYCLASS, &count);

	for (size_t i = 0; i < count; i++) {
		if (list[i]->foreign)
			continue;
		condition_plain(r, list[i], "Accepted", true, "Accepted",
				node_at(list[i]->res.root, "spec.parametersRef")
					? "Valid GatewayClass, but spec.parametersRef has no effect"
					: "Valid GatewayClass");
	}
}
