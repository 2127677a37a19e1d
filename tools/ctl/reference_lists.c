/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of what belongs to no kind: annotations of our own domain, and upper bounds. */
#include "base/limits.h"
#include "ctl/reference.h"
#include "manifest/annotations.h"

static const char *kinds_of(struct arena *a, const struct annotation *row)
{
	const char *list = "";

	for (size_t i = 0; i < KIND_MAX; i++) {
		if (row->kinds & (1u << i))
			list = arena_printf(a, "%s%s%s", list, *list ? ", " : "", kinds[i].name);
	}
	return list;
}

static const char *values_of(struct arena *a, const struct annotation *row)
{
	const char *list = "";

	if (row->span)
		return arena_printf(a, "`%s` to `%s`%s%s", row->span->least, row->span->most,
				    row->span->why ? "; " : "",
				    row->span->why ? row->span->why : "");
	if (!row->values)
		return ""; /* its text says it */
	for (size_t i = 0; row->values[i]; i++)
		list = arena_printf(a, "%s%s`%s`", list, i ? ", " : "", row->values[i]);
	return list;
}

static const char *preset_of(struct arena *a, const struct annotation *row)
{
	const char *preset = row->span ? row->span->preset : row->preset;

	return preset ? arena_printf(a, "`%s`", preset) : "";
}

void reference_annotations(struct arena *a, struct strbuf *out)
{
	strbuf_puts(
		out,
		"# Annotations\n\n"
		"What upstream's fields cannot say. All values are strings: `\"2\"`. A name that "
		"begins with `spillway.dev/` and is not in the table, or is on another kind, "
		"refuses the object, as a wrong value does. "
		"[manifests](../manifests.md#annotations) says what to weigh.\n\n" REFERENCE_NOTE
		"| annotation | on | values | default | |\n|---|---|---|---|---|\n");
	for (const struct annotation *row = annotations; row->name; row++)
		strbuf_printf(out, "| `%s` | %s | %s | %s | %s |\n", row->name, kinds_of(a, row),
			      reference_cell(a, values_of(a, row)), preset_of(a, row),
			      reference_cell(a, row->text));
	strbuf_puts(out,
		    "\nDurations are those of the Gateway API in whole seconds: up to four parts "
		    "of `h`, `m`, `s` and `ms`, such as `1h30m`.\n");
}

static const struct {
	const char *what;
	unsigned long long most;
	unsigned long long preset; /* 0: it is not set by a flag */
	const char *flag;
} limits[] = {
	{"bytes of a file, or of a request to the API", LIMIT_MANIFEST_BYTES, 0, ""},
	{"files of one command", LIMIT_MANIFEST_FILES, 0, ""},
	{"bytes of request bodies that arrive at the same time", LIMIT_UPLOAD_BYTES, 0, ""},
	{"levels of a YAML or JSON document", LIMIT_DEPTH, 0, ""},
	{"values of a file, those that aliases stand for included", LIMIT_NODES, 0, ""},
	{"bytes of one key or value", LIMIT_SCALAR_BYTES, 0, ""},
	{"resources of one command, and in the store", LIMIT_RESOURCES, 0, ""},
	{"mistakes that are shown", LIMIT_MISTAKES, 0, ""},
	{"bytes of a mistake; the rest is cut off", LIMIT_MISTAKE_BYTES, 0, ""},
	{"services", LIMIT_SERVICES, DEFAULT_MAX_SERVICES, "--max-services"},
	{"endpoints", LIMIT_ENDPOINTS, DEFAULT_MAX_ENDPOINTS, "--max-endpoints"},
	{"slots of all pick tables", LIMIT_SLOTS, DEFAULT_MAX_SLOTS, "--max-slots"},
	{"IPv4 flows", 0, DEFAULT_MAX_FLOWS, "--max-flows"},
	{"IPv6 flows", 0, DEFAULT_MAX_FLOWS / 4, "--max-flows-ipv6"},
};

void reference_limits(struct arena *a, struct strbuf *out)
{
	strbuf_puts(
		out,
		"# Limits\n\n"
		"Upper bounds of what a user controls; those of fields are on the kinds' pages. "
		"More than that is refused, not cut off.\n\n" REFERENCE_NOTE
		"| what | at most | without the flag | flag of spillwayd |\n|---|---|---|---|\n");
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const char *most = limits[i].most ? arena_printf(a, "%llu", limits[i].most)
						  : "what memory holds";
		const char *preset =
			limits[i].preset ? arena_printf(a, "%llu", limits[i].preset) : "";
		const char *flag = *limits[i].flag ? arena_printf(a, "`%s`", limits[i].flag) : "";

		strbuf_printf(out, "| %s | %s | %s | %s |\n", limits[i].what, most, preset, flag);
	}
}
