/* SPDX-License-Identifier: BSD-2-Clause */
/* The API's paths: one row each, the first pattern that matches is taken. docs/api.md describes them. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "control/api.h"

#define PROJECTS      "/projects/"
#define CONTROL_PLANE "/control-plane"

struct route {
	const char *method;
	const char *pattern; /* {param} stands for one segment */
	void (*handle)(struct call *c);
};

#define OWN	"/apis/spillway.dev/v1alpha1"
#define GROUP	"/apis/{group}/{version}"
#define CORE	"/api/{version}"
#define SPACE	"/namespaces/{namespace}"
#define OBJECTS "/{plural}"
#define OBJECT	"/{plural}/{name}"

/* All that can be done to resources below a path. */
#define RESOURCES(head)                                                                            \
	{"GET", head OBJECTS, api_list}, {"POST", head OBJECTS, api_create},                       \
		{"GET", head OBJECT, api_get}, {"PUT", head OBJECT, api_replace},                  \
	{                                                                                          \
		"DELETE", head OBJECT, api_delete                                                  \
	}

static const struct route routes[] = {
	{"GET", "/version", api_version},
	{"GET", "/healthz", api_healthz},
	{"GET", "/readyz", api_healthz},
	{"GET", "/metrics", api_metrics},
	{"POST", OWN "/apply", api_apply},
	{"GET", OWN "/endpoints", api_endpoints},
	{"POST", OWN "/endpoints/state", api_set_state},
	{"GET", OWN "/events", api_events},
	{"GET", OWN "/drains", api_drains},
	{"POST", OWN "/drains", api_begin_drain},
	{"GET", OWN "/stats", api_stats},
	{"GET", OWN "/flows", api_flows},
	{"GET", OWN "/flows/count", api_flows_count},
	{"GET", OWN "/status", api_status},
	RESOURCES(GROUP),
	RESOURCES(GROUP SPACE),
	RESOURCES(CORE),
	RESOURCES(CORE SPACE),
};

static const char *const param_names[PARAM_MAX] = {
	[PARAM_GROUP] = "{group}",	   [PARAM_VERSION] = "{version}",
	[PARAM_NAMESPACE] = "{namespace}", [PARAM_PLURAL] = "{plural}",
	[PARAM_NAME] = "{name}",
};

static bool match_segment(struct call *c, const char *pattern, size_t pattern_len, const char *path,
			  size_t path_len)
{
	if (!path_len || pattern[0] != '{')
		return pattern_len == path_len && memcmp(pattern, path, path_len) == 0;
	for (size_t i = 0; i < PARAM_MAX; i++) {
		if (strlen(param_names[i]) != pattern_len ||
		    memcmp(param_names[i], pattern, pattern_len) != 0)
			continue;
		c->params[i] = arena_strndup(c->arena, path, path_len);
		return i != PARAM_NAMESPACE || call_is_label(path, path_len);
	}
	return true;
}

/* Both begin with a slash; an empty segment matches none. */
static bool match(struct call *c, const char *pattern, const char *path)
{
	size_t pattern_len, path_len;

	memset(c->params, 0, sizeof(c->params));
	while (*pattern == '/' && *path == '/') {
		pattern_len = strcspn(++pattern, "/");
		path_len = strcspn(++path, "/");
		if (!match_segment(c, pattern, pattern_len, path, path_len))
			return false;
		pattern += pattern_len;
		path += path_len;
	}
	return !*pattern && !*path;
}

/* Takes /projects/PROJECT/control-plane off the path; what is no such prefix matches no route. */
static const char *take_project(struct call *c)
{
	const size_t head = strlen(PROJECTS), tail = strlen(CONTROL_PLANE);
	const char *path = c->path;
	size_t len;

	c->project = "default";
	if (strncmp(path, PROJECTS, head) != 0)
		return path;
	len = strcspn(path + head, "/");
	if (!call_is_label(path + head, len) ||
	    strncmp(path + head + len, CONTROL_PLANE "/", tail + 1) != 0)
		return path;
	c->project = arena_strndup(c->arena, path + head, len);
	return path + head + len + tail;
}

/* Answers repeat parts of a request, and JSON is UTF-8. */
static bool is_text(const struct call *c)
{
	bool valid = utf8_is_valid(c->path, strlen(c->path));

	for (size_t i = 0; i < c->query_count; i++)
		valid = valid && utf8_is_valid(c->query[i].name, strlen(c->query[i].name)) &&
			utf8_is_valid(c->query[i].value, strlen(c->query[i].value));
	return valid;
}

void call_dispatch(struct call *c)
{
	const char *path = take_project(c), *pattern = NULL;

	if (!is_text(c)) {
		call_fail(c, 400, "BadRequest", "the path or the query is no UTF-8");
		return;
	}
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (pattern ? strcmp(pattern, routes[i].pattern) != 0
			    : !match(c, routes[i].pattern, path))
			continue;
		pattern = routes[i].pattern;
		if (strcmp(routes[i].method, c->method) == 0) {
			routes[i].handle(c);
			return;
		}
	}
	if (pattern)
		call_fail(c, 405, "MethodNotAllowed",
			  "the server does not allow this method on the requested resource");
	else
		call_fail(c, 404, "NotFound", "the server could not find the requested resource");
}
