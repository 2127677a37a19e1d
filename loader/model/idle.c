/* SPDX-License-Identifier: BSD-2-Clause */
/* The limits and presets of the annotations are in their table, not here. */
#include "model/idle.h"

#include "manifest/annotations.h"

static const char *annotation_of(enum kind_id kind, enum spw_idle state)
{
	switch (state) {
	case SPW_IDLE_ESTABLISHED:
		return ANNOTATION_IDLE_ESTABLISHED;
	case SPW_IDLE_CLOSING:
		if (kind == KIND_TCPROUTE)
			return ANNOTATION_IDLE_CLOSING;
		break;
	case SPW_IDLE_EMBRYONIC:
	case SPW_IDLE_MAX:
		break;
	}
	return ANNOTATION_IDLE_EMBRYONIC;
}

uint32_t idle_default_s(uint8_t proto, enum spw_idle state)
{
	const enum kind_id kind = proto == IPPROTO_UDP ? KIND_UDPROUTE : KIND_TCPROUTE;

	return annotation_seconds(kind, NULL, annotation_of(kind, state));
}

void idle_read(const struct object *route, uint32_t idle_s[SPW_IDLE_MAX])
{
	const struct node *root = route ? route->res.root : NULL;
	enum kind_id kind = KIND_TCPROUTE; /* what stands for the proxy's connections, too */

	if (route && route->res.kind->id == KIND_UDPROUTE)
		kind = KIND_UDPROUTE;
	for (unsigned int i = 0; i < SPW_IDLE_MAX; i++)
		idle_s[i] = annotation_seconds(kind, root, annotation_of(kind, (enum spw_idle)i));
}

bool idle_has(uint8_t proto, enum spw_idle state)
{
	return proto != IPPROTO_UDP || state != SPW_IDLE_CLOSING;
}

const char *idle_name(enum spw_idle state)
{
	switch (state) {
	case SPW_IDLE_EMBRYONIC:
		return "embryonic";
	case SPW_IDLE_ESTABLISHED:
		return "established";
	case SPW_IDLE_CLOSING:
		return "closing";
	case SPW_IDLE_MAX:
		break;
	}
	return "unknown";
}
