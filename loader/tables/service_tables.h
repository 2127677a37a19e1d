/* SPDX-License-Identifier: BSD-2-Clause */
/* The two tables of a service, made or remembered. */
#ifndef SPILLWAY_TABLES_SERVICE_TABLES_H
#define SPILLWAY_TABLES_SERVICE_TABLES_H

#include "tables/cache.h"

struct table_maker {
	struct arena *scratch;
	const struct ids *ids;
	struct table_cache *cache;
	const struct health_view *view;
};

/* Valid as what is in the cache. */
const struct cached_service *service_tables(const struct table_maker *by, const struct service *s);

#endif
