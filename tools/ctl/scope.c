/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * datumctl's rules and words. It reaches organizations and the platform by the same flags; a daemon
 * keeps projects only, so those are refused rather than taken for a project.
 */
#include "ctl/scope.h"

#include <stdlib.h>

static const char *variable(const char *name)
{
	const char *text = getenv(name);

	return text && text[0] ? text : NULL;
}

static int no_organizations(const char *source)
{
	return ctl_error("%s: this daemon has projects and no organizations: use --project",
			 source);
}

static int from_environment(struct ctl *c)
{
	const char *project = variable("DATUM_PROJECT");
	const char *organization = variable("DATUM_ORGANIZATION");

	if (project && organization)
		return ctl_error("DATUM_PROJECT and DATUM_ORGANIZATION cannot both be set");
	if (organization)
		return no_organizations("DATUM_ORGANIZATION");
	c->project = project ? project : "default";
	return 0;
}

int scope_read(struct ctl *c)
{
	const bool project = args_given(&c->args, "project");
	const bool organization = args_given(&c->args, "organization");

	if (args_switch(&c->args, "platform-wide")) {
		if (project || organization)
			return ctl_error("--platform-wide cannot be used with --project or "
					 "--organization");
		return ctl_error("--platform-wide: this daemon has nothing outside of projects: "
				 "use --project");
	}
	if (project && organization)
		return ctl_error("exactly one of --project or --organization must be provided");
	if (organization)
		return no_organizations("--organization");
	if (!project)
		return from_environment(c);
	c->project = args_text(&c->args, "project");
	return 0;
}
