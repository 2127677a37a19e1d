/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of an HTTPRoute that cannot be carried out. */
#include <string.h>

#include "model/l7.h"

/* A filter of somebody else's: upstream answers 500, too, when it is not there. */
bool route_rule_is_void(const struct node *rule)
{
	const struct node *filters = node_member(rule, "filters");

	for (size_t i = 0; i < node_count(filters); i++) {
		if (strcmp(node_text_at(node_item(filters, i), "type", ""), "ExtensionRef") == 0)
			return true;
	}
	return false;
}
