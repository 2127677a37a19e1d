/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of spillway-decap. */
#ifndef SPILLWAY_DECAP_OPTIONS_H
#define SPILLWAY_DECAP_OPTIONS_H

#include <spillway/decap.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/log.h"
#include "dataplane/dataplane.h"

enum decap_action { DECAP_RUN, DECAP_STATS, DECAP_DETACH, DECAP_VERSION, DECAP_HELP };

/* What VIPs may offer as MSS: what fits by the interface's MTU, what was given, or anything. */
enum decap_mss { DECAP_MSS_AUTO, DECAP_MSS_NUMBER, DECAP_MSS_OFF };

struct decap_options {
	enum decap_action action;
	enum log_level log_level;
	const char **interfaces;
	size_t interface_count;
	struct spw_decap_prefix *vips;
	size_t vip_count;
	struct spw_decap_prefix *gateways; /* none: any */
	size_t gateway_count;
	struct spw_addr *locals; /* none: all of this host */
	size_t local_count;
	uint16_t ports[SPW_DECAP_PORTS_MAX];
	size_t port_count;
	enum decap_mss mss;
	uint32_t mss_number;
	bool add_vip;
	enum xdp_mode xdp_mode;
	const char *bpffs;
	const char *run_dir;
};

/* -EINVAL, and in *why what is wrong with it. All of it is in `a`. */
int decap_options_parse(struct arena *a, int argc, char **argv, struct decap_options *out,
			const char **why);
void decap_options_help(void);

#endif
