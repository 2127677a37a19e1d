/* SPDX-License-Identifier: BSD-2-Clause */
/* Asked before the first privileged call: EPERM from bpf(2) does not say what is missing. */
#include "dataplane/privileges.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t effective(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	uint64_t caps = 0;
	char line[128];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "CapEff: %" SCNx64, &caps) == 1)
			break;
	}
	(void)fclose(f);
	return caps;
}

int privileges_check(struct why why)
{
	static const struct {
		unsigned int bit;
		bool in_sys_admin; /* CAP_SYS_ADMIN will do as well */
		const char *name;
	} needed[] = {
		{CAP_BPF, true, "CAP_BPF"},
		{CAP_PERFMON, true, "CAP_PERFMON"},
		{CAP_NET_ADMIN, false, "CAP_NET_ADMIN"},
		{CAP_NET_RAW, false, "CAP_NET_RAW"},
	};
	uint64_t caps = effective();
	bool admin = caps >> CAP_SYS_ADMIN & 1;
	char missing[128] = "";

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if ((caps >> needed[i].bit & 1) || (needed[i].in_sys_admin && admin))
			continue;
		(void)snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), "%s%s",
			       missing[0] ? ", " : "", needed[i].name);
	}
	if (!missing[0])
		return 0;
	return why_set(why, -EPERM,
		       "missing capability: %s: run as root, or grant it (systemd: "
		       "AmbientCapabilities=)",
		       missing);
}
