/* SPDX-License-Identifier: BSD-2-Clause */
/* A free place is the unspecified address (all zero), which no packet can have as its source. */
#include "dataplane/sources.h"

#include <errno.h>
#include <string.h>

#include "base/addr.h"

static const struct spw_addr nothing;

int sources_fix(struct sources *s, const struct spw_addr *list, size_t count)
{
	struct sources out = {0};

	if (count > SPW_SOURCES_MAX)
		return -ENOSPC;
	for (size_t i = 0; i < count; i++) {
		if (addr_is_v4(&list[i]))
			out.fixed[out.fixed_v4++] = list[i];
	}
	for (size_t i = 0; i < count; i++) {
		if (!addr_is_v4(&list[i]))
			out.fixed[out.fixed_v4 + out.fixed_v6++] = list[i];
	}
	*s = out;
	return 0;
}

static bool run_equals(const struct spw_addr *at, const struct spw_addr *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!addr_equal(&at[i], &list[i]))
			return false;
	}
	return true;
}

static bool run_free(const struct spw_addr *at, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!addr_equal(&at[i], &nothing))
			return false;
	}
	return true;
}

int sources_place(struct spw_addr source[SPW_SOURCES_MAX], const struct spw_addr *list,
		  size_t count)
{
	if (!count || count > SPW_SOURCES_MAX)
		return -1;
	for (size_t i = 0; i + count <= SPW_SOURCES_MAX; i++) {
		if (run_equals(&source[i], list, count))
			return (int)i;
	}
	for (size_t i = 0; i + count <= SPW_SOURCES_MAX; i++) {
		if (!run_free(&source[i], count))
			continue;
		memcpy(&source[i], list, count * sizeof(*list));
		return (int)i;
	}
	return -1;
}

bool sources_keep(struct spw_addr source[SPW_SOURCES_MAX], uint32_t used)
{
	bool freed = false;

	for (size_t i = 0; i < SPW_SOURCES_MAX; i++) {
		if ((used & (1u << i)) || addr_equal(&source[i], &nothing))
			continue;
		source[i] = nothing;
		freed = true;
	}
	return freed;
}
