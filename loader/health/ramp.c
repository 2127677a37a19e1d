/* SPDX-License-Identifier: BSD-2-Clause */
/* See ramp.h. */
#include "health/ramp.h"

uint8_t ramp_percent(uint64_t elapsed_ms, uint32_t window_ms)
{
	uint64_t percent;

	if (elapsed_ms >= window_ms)
		return 0;
	percent = elapsed_ms * 100 / window_ms;
	percent -= percent % RAMP_STEP_PERCENT;
	return (uint8_t)(percent < RAMP_LEAST_PERCENT ? RAMP_LEAST_PERCENT : percent);
}

uint64_t ramp_next_ms(uint64_t elapsed_ms, uint32_t window_ms)
{
	const uint64_t next = (uint64_t)ramp_percent(elapsed_ms, window_ms) + RAMP_STEP_PERCENT;

	if (elapsed_ms >= window_ms)
		return 0;
	return (next * window_ms + 99) / 100 - elapsed_ms;
}
