/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A socket that is not there does not mean that no daemon runs: it may listen elsewhere, and would
 * take back what is written behind it. It locks its directory of pins, so that lock is the proof,
 * and it is held here while the maps are written.
 */
#include "ctl/set_offline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "control/lock.h"
#include "dataplane/dataplane.h"

static const struct {
	const char *word;
	enum spw_admin admin;
} words[] = {
	{"auto", SPW_ADMIN_AUTO},
	{"up", SPW_ADMIN_UP},
	{"down", SPW_ADMIN_DOWN},
	{"drain", SPW_ADMIN_DRAIN},
};

static const char *word_of(enum spw_admin admin)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].admin == admin)
			return words[i].word;
	}
	return "unknown";
}

static enum spw_admin admin_of(const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, word) == 0)
			return words[i].admin;
	}
	return SPW_ADMIN_AUTO;
}

/* What has left the tables is in no slot: it takes a daemon to put it there. */
static bool brings_back(const char *state)
{
	return strcmp(state, "up") == 0 || strcmp(state, "auto") == 0;
}

/* One endpoint, as often as policies judge it apart: the word is one, so it is told once. */
struct told {
	const char *state;
	struct spw_addr addr;
	uint16_t port;
	bool any;
};

static void tell(void *ctx, const struct spw_addr *addr, uint16_t port, enum spw_admin before)
{
	struct told *t = ctx;
	char text[ADDR_PORT_TEXT_MAX];

	if (t->any && t->port == port && addr_equal(&t->addr, addr))
		return;
	*t = (struct told){.state = t->state, .addr = *addr, .port = port, .any = true};
	printf("endpoint %s %s (was %s): written to the packet path; no daemon is running, the next "
	       "one %s\n",
	       addr_print_port(addr, port, text), t->state, word_of(before),
	       brings_back(t->state) ? "adopts it and gives the endpoint its share" : "adopts it");
}

static int cannot_write(const char *unreachable, const char *why)
{
	return ctl_error("%s; nor can the packet path be written: %s", unreachable, why);
}

static bool is_forbidden(int err)
{
	return err == -EACCES || err == -EPERM;
}

int set_offline(struct ctl *c, const char *address, const char *state, const char *unreachable)
{
	const char *bpffs = args_text(&c->args, "bpffs");
	struct told told = {.state = state};
	AUTO(fd_close) int pins = -1;
	const char *why = NULL;
	struct spw_addr addr;
	uint16_t port = 0;
	int err;

	if (addr_parse_port(address, &addr, &port) && addr_parse(address, &addr))
		return ctl_error("\"%s\" is no endpoint", address);
	err = lock_pins(c->arena, bpffs, &pins, &why);
	if (err == -EBUSY)
		return ctl_error("nothing answers at %s, but a daemon has the maps in %s: it is "
				 "starting, or listens elsewhere (--socket)",
				 c->socket_path, bpffs);
	if (err)
		return cannot_write(
			unreachable,
			is_forbidden(err) ? arena_printf(c->arena, "%s: run as root", why) : why);
	err = dataplane_offline_set_admin(c->arena, bpffs, &addr, port, admin_of(state), tell,
					  &told, &why);
	if (err == -ENOENT)
		return ctl_error(
			"no endpoint in the packet path has %s (`spillway endpoints` lists "
			"them once spillwayd runs)",
			address);
	return err ? cannot_write(unreachable, why) : 0;
}
