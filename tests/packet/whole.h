/* SPDX-License-Identifier: BSD-2-Clause */
/* The flow table after whatever packets there were: is it whole? */
#ifndef SPILLWAY_TESTS_WHOLE_H
#define SPILLWAY_TESTS_WHOLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The flow table while no packet is under way: every entry has its partner, no key is there twice,
 * so no port of an endpoint and source address either, and heads say what lines hold. Returns how
 * many entries there are.
 */
size_t whole_expect(void);

/* Flows that are not counted as closed. */
uint64_t whole_unclosed(void);

#endif
