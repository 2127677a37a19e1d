/* SPDX-License-Identifier: BSD-2-Clause */
/* What a request relies on: that objects are not there yet, or are in the version it has seen. */
#include "control/precondition.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int check_version(struct change *c, const struct change_item *it)
{
	char now[24];

	(void)snprintf(now, sizeof(now), "%lld",
		       (long long)(it->old ? it->old->resource_version : 0));
	if (!it->version || (it->old && strcmp(it->version, now) == 0))
		return 0;
	return change_refuse(
		c, 409, "Conflict",
		arena_printf(c->answer,
			     "Operation cannot be fulfilled on %s: the object has been "
			     "modified; please apply your changes to the latest version and "
			     "try again",
			     change_resource(c, &it->key)));
}

/* All that exist are named, as all other mistakes of a request are. */
static int check_absent(struct change *c, const struct change_item *it)
{
	if (it->old)
		change_cause(
			c, (int)(it - c->items),
			arena_printf(c->answer, "%s already exists", change_resource(c, &it->key)));
	return 0;
}

static int check_precondition(struct change *c, const struct change_item *it)
{
	switch (c->req->mode) {
	case CHANGE_APPLY:
	case CHANGE_DELETE:
		return 0;
	case CHANGE_CREATE:
		return check_absent(c, it);
	case CHANGE_REPLACE:
		return check_version(c, it);
	case CHANGE_EDIT:
		return it->version ? check_version(c, it) : check_absent(c, it);
	}
	return -EINVAL;
}

static int refuse_existing(struct change *c)
{
	(void)change_refuse_causes(c);
	c->out->code = 409;
	c->out->reason = "AlreadyExists";
	return -EINVAL;
}

int precondition_check(struct change *c)
{
	struct change_item *it;
	int err;

	for (size_t i = 0; i < c->count; i++) {
		it = &c->items[i];
		it->old = generation_find(c->engine->now, &it->key);
		err = check_precondition(c, it);
		if (err)
			return err;
	}
	return c->out->cause_count ? refuse_existing(c) : 0;
}
