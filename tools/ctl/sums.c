/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tier line shows Envoy's arithmetic: availability is healthy/total times the over-provisioning
 * factor 1.4, at most 100 %; what the tiers before cannot take goes to the next. A tier in panic
 * spreads its load over all its endpoints but those that the operator took out.
 */
#include "ctl/sums.h"

#include <string.h>

#include "ctl/services.h"
#include "ctl/terminal.h"
#include "manifest/manifest.h"

#define OVERPROVISIONING 140
#define FULL_HEALTH	 100

/* The first tier behind this one that has endpoints, or NULL. */
static const struct node *next_tier(const struct node *tiers, size_t index)
{
	const struct node *tier;

	for (size_t i = index + 1; i < node_count(tiers); i++) {
		tier = node_item(tiers, i);
		if (node_int_at(tier, "total", 0))
			return tier;
	}
	return NULL;
}

static bool is_only_tier(const struct node *tiers, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (node_int_at(node_item(tiers, i), "total", 0))
			return false;
	}
	return !next_tier(tiers, index);
}

static int64_t available_percent(const struct node *tier)
{
	const int64_t total = node_int_at(tier, "total", 0);
	const int64_t percent = node_int_at(tier, "healthy", 0) * OVERPROVISIONING / total;

	return node_int_at(tier, "availablePercent", percent > FULL_HEALTH ? FULL_HEALTH : percent);
}

/* Endpoints of a tier that the operator took out: not even panic picks them. */
static int64_t taken_out(const struct node *service, int64_t tier)
{
	const struct node *list = node_member(service, "endpoints"), *e;
	const char *admin;
	int64_t count = 0;

	for (size_t i = 0; i < node_count(list); i++) {
		e = node_item(list, i);
		admin = node_text_at(e, "admin", "auto");
		count += node_int_at(e, "tier", 0) == tier && endpoint_is_carried(e) &&
			 (strcmp(admin, "down") == 0 || strcmp(admin, "drain") == 0);
	}
	return count;
}

static const char *panic_text(struct arena *a, int64_t total, int64_t out)
{
	if (!out)
		return arena_printf(a, ": panic, all %lld get traffic", (long long)total);
	return arena_printf(a, ": panic, %lld of %lld get traffic, not those set down or draining",
			    (long long)(total - out), (long long)total);
}

const char *tier_text(struct arena *a, const struct node *service, size_t index)
{
	const struct node *tiers = node_member(service, "tiers");
	const struct node *tier = node_item(tiers, index);
	const struct node *next = next_tier(tiers, index);
	const int64_t number = node_int_at(tier, "tier", (int64_t)index);
	const int64_t total = node_int_at(tier, "total", 0);
	const int64_t load = node_int_at(tier, "loadPercent", 0);
	int64_t available;
	const char *text;

	if (total < 1)
		return NULL;
	available = available_percent(tier);
	text = arena_printf(a, "tier %lld: %lld/%lld up × 1.4 = %lld %%", (long long)number,
			    (long long)node_int_at(tier, "healthy", 0), (long long)total,
			    (long long)available);
	if (load != available && !is_only_tier(tiers, index))
		text = arena_printf(a, "%s, takes %lld %%", text, (long long)load);
	if (load && node_bool_at(tier, "panic", false))
		text = arena_printf(a, "%s%s", text,
				    panic_text(a, total, taken_out(service, number)));
	if (next)
		text = arena_printf(a, "%s; tier %lld takes %lld %%", text,
				    (long long)node_int_at(next, "tier", 0),
				    (long long)node_int_at(next, "loadPercent", 0));
	return text;
}

static const char *fate_text(const char *word, bool udp)
{
	if (strcmp(word, "leave") == 0)
		return "keep their endpoint";
	if (strcmp(word, "drop") == 0)
		return "are dropped";
	if (strcmp(word, "pass") == 0)
		return "go to this host itself";
	if (strcmp(word, "unreachable") == 0)
		return "get ICMP unreachable";
	return udp ? "get ICMP port unreachable" : "get a TCP RST";
}

const char *nobody_text(struct arena *a, const struct node *service)
{
	const bool udp = strcmp(node_text_at(service, "protocol", ""), "UDP") == 0;

	return arena_printf(
		a, "new flows %s, established ones %s",
		fate_text(node_text_at(service, "noEndpoint.new", "answer"), udp),
		fate_text(node_text_at(service, "noEndpoint.established", "leave"), udp));
}

static bool is_default_fate(const struct node *service)
{
	return strcmp(node_text_at(service, "noEndpoint.new", "answer"), "answer") == 0 &&
	       strcmp(node_text_at(service, "noEndpoint.established", "leave"), "leave") == 0;
}

static bool has_share(const struct node *service)
{
	const struct node *list = node_member(service, "endpoints"), *share;

	for (size_t i = 0; i < node_count(list); i++) {
		share = node_member(node_item(list, i), "sharePercent");
		if (share && (share->type == NODE_FLOAT ? share->number > 0 : share->integer > 0))
			return true;
	}
	return false;
}

static bool has_carried(const struct node *service)
{
	const struct node *list = node_member(service, "endpoints");

	for (size_t i = 0; i < node_count(list); i++) {
		if (endpoint_is_carried(node_item(list, i)))
			return true;
	}
	return false;
}

static const char *nobody_line(struct arena *a, const struct node *service, enum sums_detail detail)
{
	const char *fate = nobody_text(a, service);

	if (!node_count(node_member(service, "endpoints")))
		return arena_printf(
			a, "no endpoints: %s; `spillway describe` the route for the reason", fate);
	if (!has_carried(service))
		return arena_printf(a, "no endpoint that the packet path carries: %s", fate);
	if (node_bool_at(service, "empty", !has_share(service)))
		return arena_printf(a, "no endpoint may be picked: %s", fate);
	if (detail == SUMS_ALL || !is_default_fate(service))
		return arena_printf(a, "once no endpoint is left: %s", fate);
	return NULL;
}

/* An older daemon does not say. */
static const char *idle_line(struct arena *a, const struct node *service)
{
	static const char *const states[] = {"embryonic", "established", "closing"};
	const struct node *idle = node_member(service, "idleTimeoutSeconds");
	const char *text = NULL;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		const int64_t seconds = node_int_at(idle, states[i], 0);
		const char *before = text ? arena_printf(a, "%s,", text) : "idle flows end after:";

		if (seconds > 0)
			text = arena_printf(a, "%s %s %s", before,
					    duration_text(a, (uint32_t)seconds), states[i]);
	}
	return text;
}

/* Likewise. */
static const char *table_line(struct arena *a, const struct node *service)
{
	const char *digest = node_text_at(service, "table.digest", NULL);

	const int64_t moving = node_int_at(service, "table.inMotion", 0);

	if (!digest)
		return NULL;
	return arena_printf(a, "table: %lld slots, digest %s%s",
			    (long long)node_int_at(service, "table.size", 0), digest,
			    moving ? arena_printf(a, ", %lld in motion", (long long)moving) : "");
}

void sums_print(struct arena *a, const struct node *service, enum sums_detail detail,
		const char *indent, FILE *out)
{
	const size_t tiers = node_count(node_member(service, "tiers"));
	const char *zone = node_text_at(service, "zone", NULL);
	const char *note = node_text_at(service, "zoneNote", NULL);
	const char *text;

	for (size_t i = 0; i < tiers; i++) {
		text = tier_text(a, service, i);
		if (text)
			fprintf(out, "%s%s\n", indent, text);
	}
	if (zone && (detail == SUMS_ALL || note))
		fprintf(out, "%sthis gateway's zone: %s\n", indent, terminal_safe(a, zone));
	if (note)
		fprintf(out, "%szones: %s\n", indent, terminal_safe(a, note));
	text = nobody_line(a, service, detail);
	if (text)
		fprintf(out, "%s%s\n", indent, text);
	text = detail == SUMS_ALL ? idle_line(a, service) : NULL;
	if (text)
		fprintf(out, "%s%s\n", indent, text);
	text = detail == SUMS_ALL ? table_line(a, service) : NULL;
	if (text)
		fprintf(out, "%s%s\n", indent, terminal_safe(a, text));
}
