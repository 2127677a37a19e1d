/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HAProxy's configuration and the map that it reads, as texts. Slots are what ties them together: slot
 * n is a pair of listening sockets, called "p<n>" there; the map says for each the section and the
 * server that its connections go to, and can be changed while HAProxy runs. Pure.
 */
#ifndef SPILLWAY_HANDOFF_RENDER_H
#define SPILLWAY_HANDOFF_RENDER_H

#include "base/strbuf.h"
#include "handoff/l7_render.h"

/* One server as HAProxy has it, or is to have it. */
struct render_server {
	size_t slot;
	uint64_t number; /* its name is "s<number>", never used twice */
	const char *pool, *address, *params;
	size_t line; /* out: of the configuration, from 1 */
};

struct render_input {
	const char *dir;  /* of the map and the admin socket */
	uint64_t process; /* number of the process, part of its admin socket's name */
	unsigned int max_connections;
	size_t slot_count;
	int first_fd; /* what HAProxy inherits: slot n's IPv4 socket is first_fd + 2 n */
	bool has_v6;  /* and its IPv6 socket the next one */
	const struct plan_pool *pools;
	size_t pool_count;
	struct render_server *servers;
	size_t server_count;
	struct l7_render_input l7; /* without a plan: there is no layer 7 */
	size_t l7_first_line;	   /* out: of what l7_render() wrote, from 1 */
};

void render_config(struct strbuf *out, struct render_input *in);
/* From slots to "SECTION/SERVER". */
void render_map(struct strbuf *out, const struct render_input *in);

#define RENDER_MAP "slots.map" /* its name below the directory */

#endif
