/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of the flow table, read whole. */
#ifndef SPILLWAY_DATAPLANE_FLOW_LINES_H
#define SPILLWAY_DATAPLANE_FLOW_LINES_H

#include <spillway/flow.h>
#include <stdbool.h>

struct flow_line {
	struct spw_flow_key key;
	struct spw_flow_core core;
	struct spw_addr to_saddr, to_daddr;
};

/* false: nobody is there, or the tenant changed just now. Not for the heads of sets. */
bool flow_line4(const struct spw_flow4 *line, struct flow_line *out);
bool flow_line6(const struct spw_flow6 *line, struct flow_line *out);

#endif
