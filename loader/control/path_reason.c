/* SPDX-License-Identifier: BSD-2-Clause */
/* All reasons, not the first: who takes TLS off an endpoint wants to know what else is in the way. */
#include "control/path_reason.h"

#include <netinet/in.h>

#include "model/mode.h"

static const char *both(struct arena *a, const char *text, const char *more)
{
	return text ? arena_printf(a, "%s, %s", text, more) : more;
}

static const char *userspace_reason(struct arena *a, const struct service *s,
				    const struct instance *i)
{
	const char *text = NULL;

	if (s->proxied || i->kind == ENDPOINT_PROXY)
		text = both(a, text, "layer 7 listener");
	if (i->tls)
		text = both(a, text, "TLS");
	if (i->kind == ENDPOINT_FQDN || i->fqdn)
		text = both(a, text, "host name");
	if (i->kind == ENDPOINT_UNIX)
		text = both(a, text, "Unix socket");
	return text ? text : "address of this host";
}

const char *path_reason(struct arena *a, const struct service *s, const struct instance *i)
{
	if (i->mode == SPW_MODE_HANDOFF)
		return userspace_reason(a, s, i);
	return arena_printf(a, "mode %s%s", mode_text(i->mode),
			    !i->fqdn		      ? ""
			    : s->proto == IPPROTO_UDP ? ", host name over UDP"
						      : ", host name by annotation");
}
