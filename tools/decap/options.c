/* SPDX-License-Identifier: BSD-2-Clause */
/* One row per flag: name, argument, help and what it does. getopt_long() splits the words. */
#include "decap/options.h"

#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "decap/prefix.h"

#define DEFAULT_BPFFS	"/sys/fs/bpf/spillway-decap"
#define DEFAULT_RUN_DIR "/run/spillway-decap"
#define DEFAULT_PORT	6080 /* IANA's for GUE */
#define MSS_MIN		88   /* Linux takes no less (TCP_MIN_MSS) */
#define MSS_MAX		65495

struct reading {
	struct arena *a;
	struct decap_options *o;
	const char *why;
};

static int refuse(struct reading *r, const char *why)
{
	r->why = why;
	return -EINVAL;
}

static int add_interface(struct reading *r, const char *name)
{
	if (!name[0] || strlen(name) >= IF_NAMESIZE)
		return refuse(r, arena_printf(r->a, "%s: no interface has that name", name));
	for (size_t i = 0; i < r->o->interface_count; i++) {
		if (!strcmp(r->o->interfaces[i], name))
			return 0;
	}
	*arena_push(r->a, r->o->interfaces, r->o->interface_count) = name;
	return 0;
}

static int set_interface(struct reading *r, const char *value)
{
	size_t len;
	int err;

	for (;; value += len + 1) {
		len = strcspn(value, ",");
		err = add_interface(r, arena_strndup(r->a, value, len));
		if (err || !value[len])
			return err;
	}
}

static int add_vip(struct reading *r, const struct spw_decap_prefix *p)
{
	if (addr_is_unspecified(&p->addr) || addr_is_multicast(&p->addr) ||
	    addr_is_loopback(&p->addr) || addr_is_link_local(&p->addr))
		return refuse(r, "no address that clients could send to");
	for (size_t i = 0; i < r->o->vip_count; i++) {
		if (prefix_equal(&r->o->vips[i], p))
			return 0;
	}
	*arena_push(r->a, r->o->vips, r->o->vip_count) = *p;
	return 0;
}

static int set_vip(struct reading *r, const char *value)
{
	struct spw_addr addr;
	struct spw_decap_prefix p;

	if (addr_parse(value, &addr))
		return refuse(r, arena_printf(r->a, "%s: not an IPv4 or IPv6 address", value));
	p = prefix_of(&addr);
	return add_vip(r, &p);
}

static int set_vip_prefix(struct reading *r, const char *value)
{
	struct spw_decap_prefix p;
	int err = prefix_parse(r->a, value, &p, &r->why);

	return err ? err : add_vip(r, &p);
}

static int set_gateway(struct reading *r, const char *value)
{
	struct spw_decap_prefix p;
	int err = prefix_parse(r->a, value, &p, &r->why);

	if (!err)
		*arena_push(r->a, r->o->gateways, r->o->gateway_count) = p;
	return err;
}

static int set_local(struct reading *r, const char *value)
{
	struct spw_addr addr;

	if (addr_parse(value, &addr))
		return refuse(r, arena_printf(r->a, "%s: not an IPv4 or IPv6 address", value));
	*arena_push(r->a, r->o->locals, r->o->local_count) = addr;
	return 0;
}

static int number(struct reading *r, const char *value, unsigned long min, unsigned long max,
		  unsigned long *out)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (value[0] < '0' || value[0] > '9' || *end || n < min || n > max)
		return refuse(r, arena_printf(r->a, "%s: must be a number from %lu to %lu", value,
					      min, max));
	*out = n;
	return 0;
}

static int set_port(struct reading *r, const char *value)
{
	unsigned long n;
	int err = number(r, value, 1, 65535, &n);

	if (err)
		return err;
	if (r->o->port_count == SPW_DECAP_PORTS_MAX)
		return refuse(
			r, arena_printf(r->a, "%s: at most %d ports", value, SPW_DECAP_PORTS_MAX));
	r->o->ports[r->o->port_count++] = (uint16_t)n;
	return 0;
}

static int set_mss(struct reading *r, const char *value)
{
	unsigned long n = 0;
	int err;

	if (!strcmp(value, "auto") || !strcmp(value, "off")) {
		r->o->mss = value[0] == 'a' ? DECAP_MSS_AUTO : DECAP_MSS_OFF;
		return 0;
	}
	err = number(r, value, MSS_MIN, MSS_MAX, &n);
	if (err)
		return err;
	r->o->mss = DECAP_MSS_NUMBER;
	r->o->mss_number = (uint32_t)n;
	return 0;
}

static int set_add_vip(struct reading *r, const char *value)
{
	(void)value;
	r->o->add_vip = true;
	return 0;
}

static int set_xdp_mode(struct reading *r, const char *value)
{
	static const char *const words[] = {
		[XDP_MODE_AUTO] = "auto",
		[XDP_MODE_NATIVE] = "native",
		[XDP_MODE_GENERIC] = "generic",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(value, words[i])) {
			r->o->xdp_mode = (enum xdp_mode)i;
			return 0;
		}
	}
	return refuse(r, arena_printf(r->a, "%s: must be auto, native or generic", value));
}

static int set_path(struct reading *r, const char *value, const char **out)
{
	if (value[0] != '/')
		return refuse(r, arena_printf(r->a, "%s: give an absolute path", value));
	*out = value;
	return 0;
}

static int set_bpffs(struct reading *r, const char *value)
{
	return set_path(r, value, &r->o->bpffs);
}

static int set_run_dir(struct reading *r, const char *value)
{
	return set_path(r, value, &r->o->run_dir);
}

static int set_log_level(struct reading *r, const char *value)
{
	static const char *const words[] = {"error", "warn", "info", "debug"}; /* by level */

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(value, words[i])) {
			r->o->log_level = (enum log_level)i;
			return 0;
		}
	}
	return refuse(r, arena_printf(r->a, "%s: must be error, warn, info or debug", value));
}

static int set_detach(struct reading *r, const char *value)
{
	(void)value;
	r->o->action = DECAP_DETACH;
	return 0;
}

static int set_version(struct reading *r, const char *value)
{
	(void)value;
	r->o->action = DECAP_VERSION;
	return 0;
}

static int set_help(struct reading *r, const char *value)
{
	(void)value;
	r->o->action = DECAP_HELP;
	return 0;
}

static const struct flag {
	const char *name;
	const char *argument; /* its name in the help; NULL: takes none */
	const char *help;
	int (*set)(struct reading *r, const char *value);
} flags[] = {
	{"interface", "IF[,IF...]",
	 "interfaces that the gateways' packets come in by; may be repeated. One\n"
	 "that does not exist yet is attached when it appears",
	 set_interface},
	{"vip", "ADDR", "address that clients send to; may be repeated", set_vip},
	{"vip-prefix", "PREFIX", "the same for all addresses of a prefix; may be repeated",
	 set_vip_prefix},
	{"gateway", "PREFIX",
	 "take tunnels of these senders only; may be repeated. Without it anybody\n"
	 "can send packets in any client's name",
	 set_gateway},
	{"port", "PORT", "UDP port of GUE; may be repeated; default 6080", set_port},
	{"local", "ADDR",
	 "take tunnels to this address only; may be repeated; default: to any\n"
	 "address of this host but the VIPs",
	 set_local},
	{"add-vip", NULL,
	 "put the VIPs on lo, and see that neighbours are not told of them\n"
	 "(arp_ignore=1 and arp_announce=2 on the interfaces)",
	 set_add_vip},
	{"mss", "N|auto|off",
	 "largest MSS that VIPs offer to clients; auto: what fits into a tunnel\n"
	 "by the interface's MTU; default auto",
	 set_mss},
	{"xdp-mode", "MODE",
	 "native (in the driver), generic (any interface, slower), or auto:\n"
	 "native where the driver can, else generic; default auto",
	 set_xdp_mode},
	{"bpffs", "DIR",
	 "where links and counters are pinned; a bpffs is mounted there if there\n"
	 "is none; default " DEFAULT_BPFFS,
	 set_bpffs},
	{"run-dir", "DIR", "notes for --detach; default " DEFAULT_RUN_DIR, set_run_dir},
	{"log-level", "LEVEL", "error, warn, info or debug; default info", set_log_level},
	{"detach", NULL,
	 "take everything off this host and undo what was changed on it, then\n"
	 "exit; stop the program first",
	 set_detach},
	{"version", NULL, "print the version and exit", set_version},
	{"help", NULL, "print this and exit", set_help},
};

#define FLAG_COUNT  (sizeof(flags) / sizeof(flags[0]))
#define HELP_COLUMN 24

void decap_options_help(void)
{
	printf("usage: spillway-decap --interface IF --vip ADDR [flags]\n"
	       "       spillway-decap stats [--bpffs DIR]\n"
	       "       spillway-decap --detach\n\n"
	       "Takes clients' packets out of the tunnels of Spillway gateways (modes ipip and gue)\n"
	       "on a real server. It goes on when this program ends, until --detach.\n\n");
	for (size_t i = 0; i < FLAG_COUNT; i++) {
		const char *text = flags[i].help, *end;
		int width = printf("  --%s%s%s", flags[i].name, flags[i].argument ? " " : "",
				   flags[i].argument ? flags[i].argument : "");

		for (int pad = HELP_COLUMN - width; *text; pad = HELP_COLUMN) {
			end = strchrnul(text, '\n');
			printf("%*s  %.*s\n", pad > 0 ? pad : 0, "", (int)(end - text), text);
			text = *end ? end + 1 : end;
		}
	}
}

static int read_flags(struct reading *r, int argc, char **argv)
{
	struct option list[FLAG_COUNT + 1] = {0};
	int index, got, err;

	for (size_t i = 0; i < FLAG_COUNT; i++)
		list[i] = (struct option){
			.name = flags[i].name,
			.has_arg = flags[i].argument ? required_argument : no_argument,
		};
	optind = 0; /* glibc: start afresh */
	opterr = 0;
	while ((got = getopt_long(argc, argv, ":", list, &index)) != -1) {
		if (got == ':' || got == '?')
			return refuse(
				r, arena_printf(r->a, "%s: %s; see --help", argv[optind - 1],
						got == ':' ? "needs an argument" : "unknown flag"));
		err = flags[index].set(r, optarg);
		if (err) {
			r->why = arena_printf(r->a, "--%s: %s", flags[index].name, r->why);
			return err;
		}
	}
	if (optind + 1 == argc && !strcmp(argv[optind], "stats"))
		r->o->action = DECAP_STATS;
	else if (optind < argc)
		return refuse(r, arena_printf(r->a, "%s: not a flag; see --help", argv[optind]));
	return 0;
}

int decap_options_parse(struct arena *a, int argc, char **argv, struct decap_options *out,
			const char **why)
{
	struct decap_options o = {
		.log_level = LOG_LEVEL_INFO, .bpffs = DEFAULT_BPFFS, .run_dir = DEFAULT_RUN_DIR};
	struct reading r = {.a = a, .o = &o};
	int err = read_flags(&r, argc, argv);

	if (!err && o.action == DECAP_RUN && !o.interface_count)
		err = refuse(&r, "--interface: missing: name the interface that the gateways' "
				 "packets come in by, as in --interface eth0");
	if (!err && o.action == DECAP_RUN && !o.vip_count)
		err = refuse(&r, "--vip: missing: name the address that clients send to, as in "
				 "--vip 192.0.2.10");
	if (err) {
		*why = r.why;
		return err;
	}
	if (!o.port_count)
		o.ports[o.port_count++] = DEFAULT_PORT;
	*out = o;
	return 0;
}
