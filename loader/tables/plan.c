/* SPDX-License-Identifier: BSD-2-Clause */
/* The shares of a service for those who look, by the arithmetic that its tables are made with. */
#include <string.h>

#include "tables/compile.h"
#include "tables/shares.h"

void tables_plan(struct arena *a, const struct service *s, const struct health_view *v,
		 struct service_plan *out)
{
	struct parts parts;

	shares_compute(a, s, v, &parts);
	*out = (struct service_plan){
		.shares = arena_array(a, parts.count, sizeof(*out->shares)),
		.share_count = parts.count,
	};
	memcpy(out->tiers, parts.tiers, sizeof(out->tiers));
	for (size_t i = 0; i < parts.count; i++) {
		const unsigned __int128 ppm = (unsigned __int128)parts.items[i].now * 1000000;

		out->shares[i] = (struct share){
			.locality = parts.items[i].locality,
			.instance = parts.items[i].instance,
			.backend = parts.items[i].backend,
			.zone = parts.items[i].zone,
			.share_ppm = (uint32_t)((ppm + SHARE_ONE / 2) / SHARE_ONE),
		};
	}
}
