/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel gives an errno and perhaps a line in dmesg; what is likely behind it is told from the
 * interface. A link in generic mode that an earlier start pinned is kept, since trying native mode
 * means to take it off first: then only that start's log has the kernel's answer.
 */
#include "dataplane/native.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/state.h"

#define TEXT_BYTES 192

struct reason {
	char cause[TEXT_BYTES], remedy[TEXT_BYTES];
};

#define CAUSE(r, ...)  ((void)snprintf((r)->cause, TEXT_BYTES, __VA_ARGS__))
#define REMEDY(r, ...) ((void)snprintf((r)->remedy, TEXT_BYTES, __VA_ARGS__))

static void refused(const struct interface *i, int err, struct reason *r)
{
	const char *name = i->link.name;

	if (err == -EOPNOTSUPP) {
		CAUSE(r, "its driver has no native XDP");
		REMEDY(r, "use a network card whose driver has it");
	} else if (i->link.mtu > MTU_ONE_PAGE) {
		CAUSE(r,
		      "native XDP was refused (%s): its MTU of %u, or its peer's, is probably too "
		      "big",
		      strerror(-err), i->link.mtu);
		REMEDY(r, "`ip link set dev %s mtu 1500`", name);
	} else {
		CAUSE(r,
		      "native XDP was refused (%s): the driver may lack queues or memory, or forbid "
		      "its present offloads",
		      strerror(-err));
		REMEDY(r, "see dmesg and `ethtool -k %s`", name);
	}
}

int native_refuse(const struct interface *i, int err, struct why why)
{
	struct reason r;

	refused(i, err, &r);
	return why_set(why, err, "%s: %s: %s; or use --xdp-mode generic (slower)", i->link.name,
		       r.cause, r.remedy);
}

static void note(struct interface *i, const char *cause, const char *first)
{
	(void)snprintf(i->generic_why, sizeof(i->generic_why),
		       "%s: %s, then start once with --xdp-mode native, at which packets pass "
		       "untouched for a moment",
		       cause, first);
}

void native_note_generic(struct interface *i, enum xdp_mode asked, int err)
{
	struct reason r;

	if (asked == XDP_MODE_GENERIC) {
		note(i, "--xdp-mode generic asks for it", "leave that out");
	} else if (!err) {
		note(i, "an earlier start attached it so", "see in its log why");
	} else if (err == -EOPNOTSUPP) {
		refused(i, err, &r);
		(void)snprintf(i->generic_why, sizeof(i->generic_why), "%s: %s", r.cause, r.remedy);
	} else {
		refused(i, err, &r);
		note(i, r.cause, r.remedy);
	}
}
