/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source addresses and their places in settings.source[]: an endpoint's row names a run of
 * them. An address keeps its place while it is used, so rows stay true across switches; pure.
 */
#ifndef SPILLWAY_DATAPLANE_SOURCES_H
#define SPILLWAY_DATAPLANE_SOURCES_H

#include <spillway/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sources {
	struct spw_addr fixed[SPW_SOURCES_MAX]; /* --source-address: IPv4 first */
	size_t fixed_v4, fixed_v6;
};

/* 0 or -ENOSPC when there are more than SPW_SOURCES_MAX. */
int sources_fix(struct sources *s, const struct spw_addr *list, size_t count);

/*
 * The first place of `list` as a run in source[]: where it is already, else in free places. -1
 * when there is no room; source[] is as it was then.
 */
int sources_place(struct spw_addr source[SPW_SOURCES_MAX], const struct spw_addr *list,
		  size_t count);

/* Frees the places whose bit is not set in `used`. True when something was freed. */
bool sources_keep(struct spw_addr source[SPW_SOURCES_MAX], uint32_t used);

#endif
