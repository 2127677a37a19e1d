/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line, the lock, the operator's words: what needs no engine. */
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/addr.h"
#include "base/limits.h"
#include "control/admins.h"
#include "control/lock.h"
#include "control/options.h"
#include "control/peer.h"
#include "control/socket.h"

#define ARGS_MAX 40

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(TAKE(arena));
	return 0;
}

/* Parses "spillwayd ARGS", words split at spaces. */
static int parse(const char *args, struct daemon_options *out, const char **why)
{
	char *rest = arena_strdup(arena, args), *argv[ARGS_MAX + 1] = {arena_strdup(arena, "d")};
	int argc = 1;

	for (char *word; (word = strsep(&rest, " "));) {
		if (*word)
			argv[argc++] = word;
	}
	return options_parse(arena, argc, argv, out, why);
}

static void flags_fill_in_the_options(void **state)
{
	struct daemon_options o;
	const char *why = NULL;
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(
		parse("--interface eth0,eth1 --interface=eth2,eth0 --xdp-mode generic "
		      "--state-dir /s/ --run-dir /r --bpffs /b --source-address 192.0.2.9 "
		      "--source-address 2001:db8::9 --on-host --zone east --resolv-conf /x/resolv.conf --max-flows 1000 --max-services 7 "
		      "--max-endpoints 99 --max-slots 100 --socket-group adm --log-level debug",
		      &o, &why),
		0);
	assert_int_equal(o.action, ACTION_RUN);
	assert_int_equal(o.engine.dataplane.interface_count, 3);
	assert_string_equal(o.engine.dataplane.interfaces[2], "eth2");
	assert_int_equal(o.engine.dataplane.xdp_mode, XDP_MODE_GENERIC);
	assert_string_equal(o.engine.state_dir, "/s");
	assert_string_equal(o.engine.dataplane.run_dir, "/r");
	assert_string_equal(o.engine.dataplane.bpffs, "/b");
	assert_int_equal(o.engine.dataplane.source_count, 2);
	assert_string_equal(addr_print(&o.engine.dataplane.sources[1], text), "2001:db8::9");
	assert_true(o.engine.on_host);
	assert_string_equal(o.engine.zone, "east");
	assert_string_equal(o.engine.resolv_conf, "/x/resolv.conf");
	assert_int_equal(o.engine.dataplane.max_flows, 1000);
	assert_int_equal(o.engine.dataplane.max_services, 7);
	assert_int_equal(o.engine.dataplane.max_endpoints, 100);
	assert_int_equal(o.engine.dataplane.slot_lines, 4); /* of 32 each */
	assert_string_equal(o.socket_group, "adm");
	assert_int_equal(o.log_level, LOG_LEVEL_DEBUG);
}

static void what_is_not_given_has_its_default(void **state)
{
	struct daemon_options o;
	const char *why = NULL;

	(void)state;
	assert_int_equal(parse("--interface eth0", &o, &why), 0);
	assert_string_equal(o.engine.state_dir, DEFAULT_STATE_DIR);
	assert_string_equal(o.engine.dataplane.run_dir, DEFAULT_RUN_DIR);
	assert_string_equal(o.engine.dataplane.bpffs, DEFAULT_BPFFS);
	assert_int_equal(o.engine.dataplane.xdp_mode, XDP_MODE_AUTO);
	assert_int_equal(o.engine.dataplane.max_flows, DEFAULT_MAX_FLOWS);
	assert_int_equal(o.engine.dataplane.max_endpoints, DEFAULT_MAX_ENDPOINTS + 1);
	assert_int_equal(o.engine.dataplane.slot_lines, DEFAULT_MAX_SLOTS / SPW_LINE_SLOTS);
	assert_null(o.socket_group);
	assert_false(o.engine.on_host);
	assert_null(o.engine.zone);
	assert_null(o.engine.resolv_conf);
	assert_int_equal(o.log_level, LOG_LEVEL_INFO);
}

static void outer_headers_have_prefixes_and_a_port(void **state)
{
	struct daemon_options o;
	const struct spw_tunnels *t = &o.engine.dataplane.tunnels;
	const char *why = NULL;
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(parse("--interface eth0", &o, &why), 0);
	assert_true(addr_is_unspecified(&t->source4) && addr_is_unspecified(&t->source6));
	assert_int_equal(ntohs(t->gue_port), 6080);
	assert_int_equal(parse("--interface eth0 --tunnel-source 172.16.0.0/16,fd00:6::/112 "
			       "--gue-port 5555",
			       &o, &why),
			 0);
	assert_string_equal(addr_print(&t->source4, text), "172.16.0.0");
	assert_string_equal(addr_print(&t->source6, text), "fd00:6::");
	assert_int_equal(t->bits4, 16);
	assert_int_equal(t->bits6, 16);
	assert_int_equal(ntohs(t->gue_port), 5555);
	assert_int_equal(parse("--interface eth0 --tunnel-source 10.9.8.4/30 --tunnel-source "
			       "fd00:6::7",
			       &o, &why),
			 0);
	assert_string_equal(addr_print(&t->source4, text), "10.9.8.4");
	assert_int_equal(t->bits4, 2);
	assert_string_equal(addr_print(&t->source6, text), "fd00:6::7");
	assert_int_equal(t->bits6, 0);
}

static void room_for_slots_grows_with_services_and_endpoints(void **state)
{
	static const struct {
		const char *args;
		uint32_t slots;
	} rows[] = {
		{"--interface eth0 --max-services 7 --max-endpoints 9", 2097152},
		{"--interface eth0 --max-services 16384", 8388608},
		{"--max-endpoints 65534 --interface eth0", 8388352},
		{"--max-slots 64 --interface eth0 --max-services 16384", 64},
	};
	struct daemon_options o;
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].args, &o, &why), 0);
		assert_int_equal(o.engine.dataplane.slot_lines * SPW_LINE_SLOTS, rows[i].slots);
	}
}

static void a_wrong_command_line_is_refused_by_the_flags_name(void **state)
{
	static const struct {
		const char *args, *why;
	} rows[] = {
		{"", "--interface: missing"},
		{"eth0", "eth0: not a flag"},
		{"--interface", "--interface: needs an argument"},
		{"--interface eth0,,eth1", "--interface: an interface name is empty"},
		{"--interface abcdefghijklmnopq", "--interface: abcdefghijklmnopq: no interface"},
		{"--interface eth0 --nope", "--nope: unknown flag; see --help"},
		{"--interface eth0 --socket /x", "--socket: unknown flag; see --help"},
		{"--interf eth0", "--interf: unknown flag; see --help"},
		{"--interface eth0 --max-flows=7 --nope=1", "--nope: unknown flag; see --help"},
		{"-h", "-h: unknown flag; see --help"},
		{"--", "--: unknown flag; see --help"},
		{"--detach=no", "--detach: takes no argument; see --help"},
		{"--interface eth0 --xdp-mode sideways",
		 "--xdp-mode: sideways: must be auto, native or generic"},
		{"--interface eth0 --state-dir here", "--state-dir: here: give an absolute path"},
		{"--interface eth0 --source-address x.y", "--source-address: x.y: not an IPv4"},
		{"--interface eth0 --source-address 127.0.0.1", "--source-address: 127.0.0.1"},
		{"--interface eth0 --source-address ::", "--source-address: ::"},
		{"--interface eth0 --source-address fe80::1", "--source-address: fe80::1"},
		{"--interface eth0 --tunnel-source x/8", "--tunnel-source: x/8: not a prefix"},
		{"--interface eth0 --tunnel-source=", "--tunnel-source: : not a prefix"},
		{"--interface eth0 --tunnel-source 10.0.0.0/", "must be from 16 to 32"},
		{"--interface eth0 --tunnel-source 10.0.0.0/33", "must be from 16 to 32"},
		{"--interface eth0 --tunnel-source fd00::/1x", "must be from 112 to 128"},
		{"--interface eth0 --tunnel-source 10.0.0.0/15",
		 "at most 16 bits may vary: make it /16 or longer"},
		{"--interface eth0 --tunnel-source fd00::/64", "make it /112 or longer"},
		{"--interface eth0 --tunnel-source 10.0.1.7/24", "write 10.0.1.0/24"},
		{"--interface eth0 --tunnel-source 127.0.0.0/24", "no packet comes from there"},
		{"--interface eth0 --tunnel-source fe80::/112", "no packet comes from there"},
		{"--interface eth0 --tunnel-source 10.0.0.0/24,10.1.0.0/24",
		 "10.1.0.0/24: there is one of IPv4 already"},
		{"--interface eth0 --gue-port 65536", "--gue-port: 65536: must be a number from 1"},
		{"--interface eth0 --gue-port 0", "--gue-port: 0: must be a number from 1"},
		{"--interface eth0 --max-flows -3", "--max-flows: -3: must be a number from 1"},
		{"--interface eth0 --max-flows 0", "--max-flows: 0: must be a number from 1"},
		{"--interface eth0 --max-services 99999999999999999999", "--max-services: 9999"},
		{"--interface eth0 --max-endpoints 65536", "from 1 to 65534"},
		{"--interface eth0 --max-slots 134217729", "from 1 to 134217728"},
		{"--interface eth0 --zone=", "--zone: the name is empty"},
		{"--interface eth0 --resolv-conf x", "--resolv-conf: must be an absolute path"},
		{"--interface eth0 --log-level loud", "--log-level: loud: must be error, warn"},
	};
	struct daemon_options o;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		why = "";
		assert_int_equal(parse(rows[i].args, &o, &why), -EINVAL);
		if (!strstr(why, rows[i].why))
			fail_msg("\"%s\": \"%s\" has no \"%s\"", rows[i].args, why, rows[i].why);
	}
}

static void detach_version_and_help_need_no_interface(void **state)
{
	static const struct {
		const char *args;
		enum daemon_action action;
	} rows[] = {
		{"--detach --bpffs /b", ACTION_DETACH},
		{"--version", ACTION_VERSION},
		{"--help", ACTION_HELP},
	};
	struct daemon_options o;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].args, &o, &why), 0);
		assert_int_equal(o.action, rows[i].action);
	}
}

static void the_help_names_every_flag(void **state)
{
	static const char *const names[] = {
		"interface", "xdp-mode",     "state-dir",      "run-dir",  "haproxy",
		"bpffs",     "on-host",	     "resolv-conf",    "zone",	   "max-endpoints",
		"detach",    "socket-group", "source-address", "gue-port", "tunnel-source",
	};
	char *text = options_help();

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(strstr(text, arena_printf(arena, "\n  --%s", names[i])));
	free(text);
}

static void the_lock_is_refused_to_a_second_one_who_learns_the_pid(void **state)
{
	char dir[] = "/tmp/lock_test.XXXXXX";
	AUTO(fd_close) int first = -1, second = -1;
	const char *path, *why = NULL;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = arena_printf(arena, "%s/a/b", dir);
	assert_int_equal(lock_take(arena, path, 0700, "--run-dir", &first, &why), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(lock_take(arena, path, 0700, "--run-dir", &second, &why), -EBUSY);
	assert_non_null(strstr(why, arena_printf(arena, "pid %ld:", (long)getpid())));
	fd_close(fd_take(&first));
	assert_int_equal(lock_take(arena, path, 0700, "--run-dir", &second, &why), 0);
	assert_int_equal(system(arena_printf(arena, "rm -rf %s", dir)), 0);
}

/* A lock belongs to the open file, which a child has too. */
static pid_t let_go_soon(int fd)
{
	pid_t child = fork();

	if (child)
		return child;
	(void)usleep(100 * 1000);
	_exit(flock(fd, LOCK_UN) ? 1 : 0);
}

static void pins_have_one_owner_and_the_lock_follows_a_new_directory(void **state)
{
	char dir[] = "/tmp/pins_test.XXXXXX";
	AUTO(fd_close) int first = -1, second = -1, third = -1;
	const char *path, *why = NULL;
	pid_t child;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = arena_printf(arena, "%s/pins", dir);
	assert_int_equal(lock_pins(arena, path, &first, &why), 0);
	assert_int_equal(first, -1); /* nothing there, nothing to lock */
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(lock_pins(arena, path, &first, &why), 0);
	assert_int_equal(lock_pins(arena, path, &first, &why), 0); /* its own is no obstacle */
	assert_int_equal(lock_pins(arena, path, &second, &why), -EBUSY);
	child = let_go_soon(first);
	assert_true(child > 0);
	assert_int_equal(lock_pins_patiently(arena, path, &second, &why), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	fd_close(fd_take(&second));
	assert_int_equal(flock(first, LOCK_EX | LOCK_NB), 0);
	assert_non_null(strstr(why, "--bpffs"));
	assert_int_equal(rename(path, arena_printf(arena, "%s/old", dir)), 0);
	assert_int_equal(mkdir(path, 0700), 0); /* as a mount would */
	assert_int_equal(lock_pins(arena, path, &first, &why), 0);
	assert_int_equal(lock_pins(arena, path, &third, &why), -EBUSY);
	assert_int_equal(system(arena_printf(arena, "rm -rf %s", dir)), 0);
}

static void a_directory_that_cannot_be_made_names_its_flag(void **state)
{
	const char *why = NULL;
	int fd = -1;

	(void)state;
	assert_int_equal(lock_take(arena, "/dev/null/x", 0700, "--run-dir", &fd, &why), -ENOTDIR);
	assert_non_null(strstr(why, "--run-dir"));
	assert_int_equal(fd, -1);
}

static void words_are_found_by_address_and_port(void **state)
{
	struct admins w = {0};
	struct spw_addr a, b;

	(void)state;
	assert_int_equal(addr_parse("10.0.0.1", &a), 0);
	assert_int_equal(addr_parse("2001:db8::1", &b), 0);
	for (uint16_t port = 1; port <= 100; port++)
		admins_set(&w, &a, port, port % 2 ? SPW_ADMIN_DOWN : SPW_ADMIN_DRAIN);
	admins_set(&w, &b, 7, SPW_ADMIN_UP);
	assert_int_equal(w.count, 101);
	assert_int_equal(admins_get(&w, &a, 7), SPW_ADMIN_DOWN);
	assert_int_equal(admins_get(&w, &a, 8), SPW_ADMIN_DRAIN);
	assert_int_equal(admins_get(&w, &b, 7), SPW_ADMIN_UP);
	assert_int_equal(admins_get(&w, &b, 8), SPW_ADMIN_AUTO);
	admins_set(&w, &a, 7, SPW_ADMIN_AUTO);
	admins_set(&w, &b, 99, SPW_ADMIN_AUTO);
	assert_int_equal(admins_get(&w, &a, 7), SPW_ADMIN_AUTO);
	assert_int_equal(w.count, 100);
	admins_done(&w);
}

static void words_have_their_texts(void **state)
{
	enum spw_admin admin;

	(void)state;
	for (int i = SPW_ADMIN_AUTO; i <= SPW_ADMIN_DRAIN; i++) {
		assert_int_equal(admin_parse(admin_text((enum spw_admin)i), &admin), 0);
		assert_int_equal(admin, i);
	}
	assert_int_equal(admin_parse("draining", &admin), -EINVAL);
}

static void a_group_that_does_not_exist_is_refused_by_name_only(void **state)
{
	gid_t group;

	(void)state;
	assert_int_equal(peer_group("no-such-group-here", &group), -ENOENT);
	assert_int_equal(peer_group("root", &group), 0);
	assert_int_equal(group, 0);
	assert_int_equal(peer_group(NULL, &group), 0);
}

/* Connects to the socket as another user and tells whether the peer is allowed. */
static bool is_allowed_as(int listening, const char *path, uid_t uid, gid_t gid, gid_t extra)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	AUTO(fd_close) int fd = -1;
	bool is_allowed;
	int status;
	pid_t pid = fork();

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (uid != geteuid() && (setgroups(1, &extra) || setgid(gid) || setuid(uid)))
			_exit(1);
		if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
			_exit(1);
		(void)read(fd, &status, 1);
		_exit(0);
	}
	for (int i = 0; i < 200 && fd < 0; i++) {
		fd = accept(listening, NULL, NULL);
		if (fd < 0)
			usleep(10000);
	}
	assert_true(fd >= 0);
	is_allowed = peer_is_allowed(fd, 60123);
	fd_close(fd_take(&fd));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return is_allowed;
}

static void only_root_and_the_group_may_connect(void **state)
{
	char dir[] = "/tmp/peer_test.XXXXXX";
	AUTO(fd_close) int fd = -1;
	const gid_t group = geteuid() ? getegid() : 60123;
	const char *path, *why = NULL;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	path = arena_printf(arena, "%s/s", dir);
	assert_int_equal(socket_listen(arena, path, group, &fd, &why), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(st.st_gid, group);
	assert_int_equal(chmod(path, 0666), 0); /* the mode alone would let everybody in */
	assert_true(is_allowed_as(fd, path, geteuid(), 0, 0));
	if (geteuid() != 0)
		return; /* only root can play other users */
	assert_true(is_allowed_as(fd, path, 60999, 60123, 60999));
	assert_true(is_allowed_as(fd, path, 60999, 60999, 60123));
	assert_false(is_allowed_as(fd, path, 60999, 60999, 60999));
	assert_int_equal(system(arena_printf(arena, "rm -rf %s", dir)), 0);
}

static void a_socket_path_that_is_too_long_is_refused(void **state)
{
	char path[200];
	const char *why = NULL;
	int fd = -1;

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(socket_listen(arena, path, PEER_NO_GROUP, &fd, &why), -ENAMETOOLONG);
	assert_non_null(strstr(why, "--run-dir"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flags_fill_in_the_options),
		TEST(what_is_not_given_has_its_default),
		TEST(outer_headers_have_prefixes_and_a_port),
		TEST(room_for_slots_grows_with_services_and_endpoints),
		TEST(a_wrong_command_line_is_refused_by_the_flags_name),
		TEST(detach_version_and_help_need_no_interface),
		TEST(the_help_names_every_flag),
		TEST(the_lock_is_refused_to_a_second_one_who_learns_the_pid),
		TEST(pins_have_one_owner_and_the_lock_follows_a_new_directory),
		TEST(a_directory_that_cannot_be_made_names_its_flag),
		TEST(words_are_found_by_address_and_port),
		TEST(words_have_their_texts),
		TEST(a_group_that_does_not_exist_is_refused_by_name_only),
		TEST(only_root_and_the_group_may_connect),
		TEST(a_socket_path_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
