/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat rewrites addresses within one family, so an IPv4 VIP is served by the IPv4 endpoints of a
 * route and an IPv6 VIP by the others: with a Gateway that has both, a Backend of both is whole.
 * Worth a word is only an endpoint that no VIP can use, and a VIP that has no endpoint.
 */
#include "base/addr.h"
#include "model/resolver.h"

enum addr_family family_of_addr(const struct spw_addr *a)
{
	return addr_is_v4(a) ? FAMILY_V4 : FAMILY_V6;
}

static const char *name_of(enum addr_family family)
{
	return family == FAMILY_V4 ? "IPv4" : "IPv6";
}

/* The endpoints that only VIPs of one family can use by name; NULL: none. */
static const char *list_family(struct resolver *r, const struct refs *refs, enum addr_family family)
{
	struct name_list names = {0};

	for (size_t i = 0; i < refs->count; i++) {
		const struct backend *b = refs->items[i].backend;

		for (size_t n = 0; n < b->count; n++) {
			const struct endpoint *e = &b->endpoints[n];

			if (!e->handoff && !e->unusable && family_of_addr(&e->addr) == family)
				names_add(r->arena, &names, e->name);
		}
	}
	return names_text(r->arena, &names);
}

/* A name may stand for addresses of either, and a connection that is handed off may go to either. */
static bool has_any_family(const struct resolver *r, const struct refs *refs)
{
	for (size_t i = 0; i < refs->count; i++) {
		const struct backend *b = refs->items[i].backend;

		for (size_t n = 0; n < b->count; n++) {
			if (b->endpoints[n].handoff &&
			    endpoint_is_served(r, b, &b->endpoints[n], refs->proto))
				return true;
		}
	}
	return false;
}

static void check_family(struct resolver *r, struct refs *refs, enum addr_family family)
{
	const char *list = list_family(r, refs, family);
	const bool has_vip = refs->families & family;
	const char *text;

	if (has_vip && !list && !has_any_family(r, refs))
		text = arena_printf(r->arena,
				    "there is no %s endpoint for the %s addresses of the "
				    "Gateway",
				    name_of(family), name_of(family));
	else if (!has_vip && list)
		text = arena_printf(r->arena,
				    "%s: the Gateway has no %s address, and mode nat does "
				    "not translate between address families",
				    list, name_of(family));
	else
		return;
	refs->left_out = text_join(r->arena, refs->left_out, "; ", text);
}

void families_check(struct resolver *r, struct refs *refs)
{
	if (refs->families == 0 || refs->count == 0)
		return;
	check_family(r, refs, FAMILY_V4);
	check_family(r, refs, FAMILY_V6);
}
