/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP on the socket itself: a child plays the clients, the parent runs the loop. */
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/limits.h"
#include "control/server.h"

#include "engine_fixture.h"

#define CLIENTS	    200
#define WAIT_MS	    60000
#define GET_VERSION "GET /version HTTP/1.1\r\nHost: x\r\n\r\n"

struct served {
	struct fixture *f;
	struct server *server;
	const char *path;
};

static void open_server(struct served *s, struct fixture *f)
{
	struct server_options opts = {.path = arena_printf(f->arena, "%s/run/s", f->dir)};
	const char *why = NULL;

	s->f = f;
	s->path = opts.path;
	if (server_open(f->arena, &f->loop, f->engine, &opts, &s->server, &why))
		fail_msg("server_open: %s", why);
}

/* Runs the loop until the child has ended; its exit status. */
static int serve(struct served *s, pid_t child)
{
	const uint64_t end_ms = clock_ms() + WAIT_MS;
	int status = -1;

	while (waitpid(child, &status, WNOHANG) == 0) {
		if (clock_ms() > end_ms) {
			(void)kill(child, SIGKILL);
			(void)waitpid(child, &status, 0);
			break;
		}
		(void)uv_run(&s->f->loop, UV_RUN_NOWAIT);
		usleep(500);
	}
	server_close(s->server);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* In the child: nothing of cmocka or the sanitizers may run at its end. */
static int connect_to(const struct served *s)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", s->path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		_exit(10);
	return fd;
}

static void send_text(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
		_exit(11);
}

/* Reads until `text` has come. */
static void expect(int fd, const char *text)
{
	char got[8192] = "";
	size_t len = 0;
	ssize_t n;

	while (!strstr(got, text)) {
		n = recv(fd, got + len, sizeof(got) - 1 - len, 0);
		if (n <= 0)
			_exit(12);
		len += (size_t)n;
		got[len] = '\0';
	}
}

static pid_t fork_client(void)
{
	pid_t pid = fork();

	if (pid == 0)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static void one_connection_carries_several_requests_in_pieces(void **state)
{
	struct served s;
	pid_t pid;

	open_server(&s, *state);
	pid = fork_client();
	if (pid == 0) {
		int fd = connect_to(&s);

		send_text(fd, GET_VERSION);
		expect(fd, "\"gitVersion\"");
		send_text(fd, "POST " BACKENDS " HTTP/1.1\r\nHost: x\r\nContent-Len");
		usleep(50000);
		send_text(fd, arena_printf(s.f->arena, "gth: %zu\r\n\r\n", strlen(WEB)));
		usleep(50000);
		send_text(fd, arena_strndup(s.f->arena, WEB, 40));
		usleep(50000);
		send_text(fd, &WEB[40]);
		expect(fd, "201 Created");
		send_text(fd, "GET " OWN "/flows?limit=zero HTTP/1.1\r\nHost: x\r\n\r\n");
		expect(fd, "limit: must be a number");
		_exit(0);
	}
	assert_int_equal(serve(&s, pid), 0);
}

static void more_clients_than_places_are_all_answered(void **state)
{
	struct served s;
	pid_t pid;

	open_server(&s, *state);
	pid = fork_client();
	if (pid == 0) {
		int fds[CLIENTS];

		for (int i = 0; i < CLIENTS; i++)
			fds[i] = connect_to(&s); /* most of them wait */
		for (int i = 0; i < CLIENTS; i++) {
			send_text(fds[i], GET_VERSION);
			expect(fds[i], "200 OK");
			(void)close(fds[i]);
		}
		_exit(0);
	}
	assert_int_equal(serve(&s, pid), 0);
}

static void a_body_beyond_the_limit_is_refused(void **state)
{
	static char piece[1 << 20];
	struct served s;
	pid_t pid;

	open_server(&s, *state);
	memset(piece, ' ', sizeof(piece));
	pid = fork_client();
	if (pid == 0) {
		int fd = connect_to(&s);
		const size_t len = LIMIT_MANIFEST_BYTES + sizeof(piece);

		send_text(fd, arena_printf(s.f->arena,
					   "POST " BACKENDS " HTTP/1.1\r\nHost: x\r\n"
					   "Content-Length: %zu\r\n\r\n",
					   len));
		for (size_t sent = 0; sent < len; sent += sizeof(piece)) {
			if (send(fd, piece, sizeof(piece), MSG_NOSIGNAL) != sizeof(piece))
				_exit(13);
		}
		expect(fd, "\"code\":413");
		_exit(0);
	}
	assert_int_equal(serve(&s, pid), 0);
}

static void a_client_that_leaves_in_the_middle_harms_nobody(void **state)
{
	struct served s;
	pid_t pid;

	open_server(&s, *state);
	pid = fork_client();
	if (pid == 0) {
		int fd;

		for (int i = 0; i < CLIENTS; i++) {
			fd = connect_to(&s);
			send_text(fd, "POST " BACKENDS " HTTP/1.1\r\nHost: x\r\n"
				      "Content-Length: 1000\r\n\r\n{\"half\":");
			(void)close(fd);
		}
		fd = connect_to(&s);
		send_text(fd, GET_VERSION);
		expect(fd, "200 OK");
		_exit(0);
	}
	assert_int_equal(serve(&s, pid), 0);
}

static void a_stranger_is_told_so(void **state)
{
	struct served s;
	pid_t pid;

	open_server(&s, *state);
	if (geteuid() == 0) {
		assert_int_equal(chmod(s.f->dir, 0755), 0);
		assert_int_equal(chmod(s.path, 0666), 0);
	}
	pid = fork_client();
	if (pid == 0) {
		int fd;

		if (geteuid() != 0)
			_exit(0); /* only root can play other users */
		if (setgroups(0, NULL) || setgid(60999) || setuid(60999))
			_exit(14);
		fd = connect_to(&s);
		send_text(fd, GET_VERSION);
		expect(fd, "\"reason\":\"Forbidden\"");
		_exit(0);
	}
	assert_int_equal(serve(&s, pid), 0);
}

static void the_socket_is_gone_when_the_server_is(void **state)
{
	struct served s;

	open_server(&s, *state);
	assert_int_equal(access(s.path, F_OK), 0);
	server_close(s.server);
	assert_int_not_equal(access(s.path, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_connection_carries_several_requests_in_pieces),
		TEST(more_clients_than_places_are_all_answered),
		TEST(a_body_beyond_the_limit_is_refused),
		TEST(a_client_that_leaves_in_the_middle_harms_nobody),
		TEST(a_stranger_is_told_so),
		TEST(the_socket_is_gone_when_the_server_is),
	};

	return cmocka_run_group_tests(tests, leave_network, NULL);
}
