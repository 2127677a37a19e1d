/* SPDX-License-Identifier: BSD-2-Clause */
/* Durations of the Gateway API, in both directions: at most four parts of up to five digits, no sign, no fraction. */
#include <string.h>

#include "manifest/manifest.h"
#include "manifest/pattern.h"

int64_t duration_ms(const char *text)
{
	int64_t total = 0, value;

	if (!text || !pattern_duration.match(text, strlen(text)))
		return -1;
	while (*text) {
		for (value = 0; *text >= '0' && *text <= '9'; text++)
			value = value * 10 + (*text - '0');
		if (text[0] == 'm' && text[1] == 's') {
			total += value;
			text += 2;
			continue;
		}
		total += value * (*text == 'h' ? 3600000 : *text == 'm' ? 60000 : 1000);
		text++;
	}
	return total;
}

static const char *add_part(struct arena *a, const char *text, uint32_t count, char unit)
{
	return count ? arena_printf(a, "%s%u%c", text, count, unit) : text;
}

const char *duration_text(struct arena *a, uint32_t seconds)
{
	const char *text = "";

	if (!seconds)
		return "0s";
	text = add_part(a, text, seconds / 3600, 'h');
	text = add_part(a, text, seconds / 60 % 60, 'm');
	return add_part(a, text, seconds % 60, 's');
}
