/* SPDX-License-Identifier: BSD-2-Clause */
/* One row per flag: name, argument, help and what it does. */
#include "control/options.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include "base/addr.h"
#include "base/limits.h"
#include "control/option_flags.h"

static int add_interface(struct reading *r, const char *name)
{
	if (!name[0])
		return flags_refuse(r, "an interface name is empty");
	if (strlen(name) >= IF_NAMESIZE)
		return flags_refuse(r,
				    arena_printf(r->a, "%s: no interface name is that long", name));
	for (size_t i = 0; i < r->interface_count; i++) {
		if (strcmp(r->interfaces[i], name) == 0)
			return 0;
	}
	*arena_push(r->a, r->interfaces, r->interface_count) = name;
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

static int set_xdp_mode(struct reading *r, const char *value)
{
	static const char *const words[] = {
		[XDP_MODE_AUTO] = "auto",
		[XDP_MODE_NATIVE] = "native",
		[XDP_MODE_GENERIC] = "generic",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(value, words[i]) == 0) {
			r->opts->engine.dataplane.xdp_mode = (enum xdp_mode)i;
			return 0;
		}
	}
	return flags_refuse(r, arena_printf(r->a, "%s: must be auto, native or generic", value));
}

/* Paths go into pins, sockets and messages: a relative one would depend on who started us. */
static int set_path(struct reading *r, const char *value, const char **out)
{
	char *path = arena_strdup(r->a, value);
	size_t len = strlen(path);

	if (path[0] != '/')
		return flags_refuse(r, arena_printf(r->a, "%s: give an absolute path", value));
	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	*out = path;
	return 0;
}

static int set_state_dir(struct reading *r, const char *value)
{
	return set_path(r, value, &r->opts->engine.state_dir);
}

static int set_run_dir(struct reading *r, const char *value)
{
	return set_path(r, value, &r->opts->engine.dataplane.run_dir);
}

static int set_bpffs(struct reading *r, const char *value)
{
	return set_path(r, value, &r->opts->engine.dataplane.bpffs);
}

static int set_source(struct reading *r, const char *value)
{
	struct spw_addr addr;

	if (addr_parse(value, &addr))
		return flags_refuse(r,
				    arena_printf(r->a, "%s: not an IPv4 or IPv6 address", value));
	if (addr_is_unspecified(&addr) || addr_is_multicast(&addr) || addr_is_loopback(&addr) ||
	    addr_is_link_local(&addr))
		return flags_refuse(r, arena_printf(r->a,
						    "%s: endpoints cannot answer it: give a global "
						    "address of this host",
						    value));
	if (r->source_count == SPW_SOURCES_MAX)
		return flags_refuse(r, arena_printf(r->a, "%s: at most %d source addresses", value,
						    SPW_SOURCES_MAX));
	for (size_t i = 0; i < r->source_count; i++) {
		if (addr_equal(&r->sources[i], &addr))
			return 0;
	}
	*arena_push(r->a, r->sources, r->source_count) = addr;
	return 0;
}

static int set_zone(struct reading *r, const char *value)
{
	if (!value[0])
		return flags_refuse(
			r, "the name is empty: give the zone as the endpoints' field `zone` "
			   "has it, or leave the flag away");
	r->opts->engine.zone = value;
	return 0;
}

/* Read again when it changes, so it need not be there now. */
static int set_resolv_conf(struct reading *r, const char *value)
{
	if (value[0] != '/')
		return flags_refuse(r, "must be an absolute path: name a file in the form of "
				       "/etc/resolv.conf");
	r->opts->engine.resolv_conf = value;
	return 0;
}

static int set_haproxy(struct reading *r, const char *value)
{
	return set_path(r, value, &r->opts->engine.haproxy);
}

static int set_local_clients(struct reading *r, const char *value)
{
	(void)value;
	r->opts->engine.local_clients = true;
	return 0;
}

static int set_on_host(struct reading *r, const char *value)
{
	(void)value;
	r->opts->engine.on_host = true;
	return 0;
}

static int set_max_flows(struct reading *r, const char *value)
{
	return flags_number(r, value, 1u << 28, &r->opts->engine.dataplane.max_flows);
}

static int set_max_flows6(struct reading *r, const char *value)
{
	return flags_number(r, value, 1u << 28, &r->opts->engine.dataplane.max_flows6);
}

static int set_max_services(struct reading *r, const char *value)
{
	return flags_number(r, value, LIMIT_SERVICES, &r->opts->engine.dataplane.max_services);
}

/* Number 0 is none, so the map has one row more than endpoints. */
static int set_max_endpoints(struct reading *r, const char *value)
{
	uint32_t *n = &r->opts->engine.dataplane.max_endpoints;
	int err = flags_number(r, value, LIMIT_ENDPOINTS, n);

	*n += !err;
	return err;
}

/* The map has lines of slots, each in one cache line. */
static int set_max_slots(struct reading *r, const char *value)
{
	uint32_t slots;
	int err = flags_number(r, value, LIMIT_SLOTS, &slots);

	if (!err)
		r->opts->engine.dataplane.slot_lines =
			(slots + SPW_LINE_SLOTS - 1) / SPW_LINE_SLOTS;
	return err;
}

static int set_socket_group(struct reading *r, const char *value)
{
	r->opts->socket_group = value;
	return 0;
}

static int set_log_level(struct reading *r, const char *value)
{
	static const char *const words[] = {"error", "warn", "info", "debug"}; /* by level */

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(value, words[i]) == 0) {
			r->opts->log_level = (enum log_level)i;
			return 0;
		}
	}
	return flags_refuse(r, arena_printf(r->a, "%s: must be error, warn, info or debug", value));
}

static int set_detach(struct reading *r, const char *value)
{
	(void)value;
	r->opts->action = ACTION_DETACH;
	return 0;
}

static int set_version(struct reading *r, const char *value)
{
	(void)value;
	r->opts->action = ACTION_VERSION;
	return 0;
}

static int set_help(struct reading *r, const char *value)
{
	(void)value;
	r->opts->action = ACTION_HELP;
	return 0;
}

#define TEXT_(x) #x
#define TEXT(x)	 TEXT_(x)

static const struct flag flags[] = {
	{"interface", "IF[,IF...]",
	 "interfaces to attach to; may be repeated. One that does not exist yet\n"
	 "is attached when it appears",
	 set_interface},
	{"xdp-mode", "MODE",
	 "native (in the driver), generic (any interface, slower), or auto:\n"
	 "native where the driver can, else generic; default auto",
	 set_xdp_mode},
	{"state-dir", "DIR", "where resources are stored; default " DEFAULT_STATE_DIR,
	 set_state_dir},
	{"run-dir", "DIR", "socket, lock and notes for --detach; default " DEFAULT_RUN_DIR,
	 set_run_dir},
	{"bpffs", "DIR",
	 "where links, maps and programs are pinned; a bpffs is mounted there\n"
	 "if there is none; default " DEFAULT_BPFFS,
	 set_bpffs},
	{"source-address", "ADDR",
	 "address of this host that endpoints see as the client; may be repeated;\n"
	 "default: what the routes to the endpoints say",
	 set_source},
	{"tunnel-source", "PREFIX[,PREFIX]",
	 "outer source addresses of ipip and gue, such as 172.16.0.0/16,fd00:6::/112;\n"
	 "flows are spread over them. Default: the source address",
	 set_tunnel_source},
	{"gue-port", "N", "UDP port that gue goes to; default " TEXT(SPW_GUE_PORT), set_gue_port},
	{"zone", "NAME", "zone that this gateway is in, for policies with zoneAware; default none",
	 set_zone},
	{"resolv-conf", "FILE", "name servers of endpoints' names; default /etc/resolv.conf",
	 set_resolv_conf},
	{"haproxy", "FILE", "program of the userspace path; default " DEFAULT_HAPROXY, set_haproxy},
	{"local-clients", NULL, "serve TCP clients on this host, too, by way of HAProxy",
	 set_local_clients},
	{"on-host", NULL, "accept endpoints on loopback addresses", set_on_host},
	{"max-flows", "N", "IPv4 flows that fit; default " TEXT(DEFAULT_MAX_FLOWS), set_max_flows},
	{"max-flows-ipv6", "N", "IPv6 flows that fit; default a quarter of --max-flows",
	 set_max_flows6},
	{"max-services", "N", "services that fit; default " TEXT(DEFAULT_MAX_SERVICES),
	 set_max_services},
	{"max-endpoints", "N", "endpoints that fit; default " TEXT(DEFAULT_MAX_ENDPOINTS),
	 set_max_endpoints},
	{"max-slots", "N",
	 "slots of pick tables that fit; default " TEXT(DEFAULT_SERVICE_SLOTS) " for each of --max-services or\n" TEXT(
		 DEFAULT_ENDPOINT_SLOTS) " for each of --max-endpoints, whichever is more, and at least\n" TEXT(DEFAULT_MAX_SLOTS),
	 set_max_slots},
	{"socket-group", "NAME",
	 "group that may use the control socket; default spillway, if that group\n"
	 "exists, else root only",
	 set_socket_group},
	{"log-level", "LEVEL", "error, warn, info or debug; default info", set_log_level},
	{"detach", NULL,
	 "take the data path off this host and undo what was changed on it, then\n"
	 "exit; stop the daemon first. Uses --bpffs and --run-dir",
	 set_detach},
	{"version", NULL, "print the version and exit", set_version},
	{"help", NULL, "print this and exit", set_help},
};

#define FLAG_COUNT (sizeof(flags) / sizeof(flags[0]))

static struct daemon_options defaults(void)
{
	return (struct daemon_options){
		.log_level = LOG_LEVEL_INFO,
		.engine =
			{
				.state_dir = DEFAULT_STATE_DIR,
				.haproxy = DEFAULT_HAPROXY,
				.dataplane =
					{
						.bpffs = DEFAULT_BPFFS,
						.run_dir = DEFAULT_RUN_DIR,
						.max_flows = DEFAULT_MAX_FLOWS,
						.max_endpoints =
							DEFAULT_MAX_ENDPOINTS + 1, /* 0 is none */
						.max_services = DEFAULT_MAX_SERVICES,
						.tunnels = {.gue_port = htons(SPW_GUE_PORT)},
					},
			},
	};
}

/* Raised with the other two, since those would be of little use without. */
static uint32_t default_slot_lines(const struct dataplane_options *o)
{
	const uint32_t services = o->max_services * DEFAULT_SERVICE_SLOTS;
	const uint32_t endpoints = (o->max_endpoints - 1) * DEFAULT_ENDPOINT_SLOTS;
	const uint32_t more = services > endpoints ? services : endpoints;

	return (more > DEFAULT_MAX_SLOTS ? more : DEFAULT_MAX_SLOTS) / SPW_LINE_SLOTS;
}

int options_parse(struct arena *a, int argc, char **argv, struct daemon_options *out,
		  const char **why)
{
	struct daemon_options opts = defaults();
	struct reading r = {.flags = flags, .flag_count = FLAG_COUNT, .a = a, .opts = &opts};
	int err = flags_read(&r, argc, argv);

	if (!err && opts.action == ACTION_RUN && !r.interface_count)
		err = flags_refuse(
			&r, "--interface: missing: name the interfaces that traffic comes in "
			    "by, as in --interface eth0");
	if (err) {
		*why = r.why;
		return err;
	}
	if (!opts.engine.dataplane.slot_lines)
		opts.engine.dataplane.slot_lines = default_slot_lines(&opts.engine.dataplane);
	opts.engine.dataplane.interfaces = r.interfaces;
	opts.engine.dataplane.interface_count = r.interface_count;
	opts.engine.dataplane.sources = r.sources;
	opts.engine.dataplane.source_count = r.source_count;
	*out = opts;
	return 0;
}

char *options_help(void)
{
	return flags_help(flags, FLAG_COUNT);
}
