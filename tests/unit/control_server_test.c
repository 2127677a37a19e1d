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
	if (WIFSIGNALED(status))
		print_error("the client ended by signal %d\n", WTERMSIG(status));
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

static void slow_clients_keep_nobody_waiting(void **state)
{
	struct served s;
	pid_t pid;

	open_server(&s, *state);
	pid = fork_client();
	if (pid == 0) {
		const uint64_t start_ms = clock_ms();
		int slow[48], fd;

		for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
			slow[i] = connect_to(&s);
			send_text(slow[i], i % 2 ? "GET /ver" : "POST " OWN "/apply HTTP/1.1\r\n");
		}
		for (int i = 0; i < 20; i++) {
			send_text(slow[2 * i], "X: y\r\n"); /* and these go on */
			fd = connect_to(&s);
			send_text(fd, GET_VERSION);
			expect(fd, "200 OK");
			(void)close(fd);
		}
		if (clock_ms() - start_ms > WAIT_MS / 4)
			_exit(13);
		send_text(slow[1], "sion HTTP/1.1\r\nHost: x\r\n\r\n");
		expect(slow[1], "200 OK");
		_exit(0);
	}
	assert_int_equal(serve(&s, pid), 0);
}

/* The connection ends, with an answer or without. */
static void expect_end(int fd)
{
	char got[4096];

	(void)shutdown(fd, SHUT_WR);
	while (recv(fd, got, sizeof(got), 0) > 0)
		;
	(void)close(fd);
}

static void what_is_no_http_ends_its_own_connection_only(void **state)
{
	static char large[300000];
	struct served s;
	pid_t pid;

	open_server(&s, *state);
	memset(large, 'x', sizeof(large) - 1);
	pid = fork_client();
	if (pid == 0) {
		const char *const texts[] = {
			"\x16\x03\x01\x02\x01\xfc\x03\x03 no TLS here\r\n\r\n",
			GET_VERSION "garbage behind it\r\n\r\n\r\n\x01\x02",
			"GET /version HTTP/9.9\r\n\r\n",
			"POST " OWN "/apply HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
			"POST " OWN "/apply HTTP/1.1\r\nHost: x\r\nContent-Length: "
			"99999999999999999999\r\n\r\n{}",
			"POST " OWN "/apply HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
			"\r\nffffffffffffffffff\r\n{}",
			arena_printf(s.f->arena, "GET /version HTTP/1.1\r\nHost: %s\r\n\r\n",
				     large),
			arena_printf(s.f->arena, "GET /%s HTTP/1.1\r\nHost: x\r\n\r\n", large),
		};
		int fd, other = connect_to(&s);

		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
			fd = connect_to(&s);
			(void)!send(fd, texts[i], strlen(texts[i]), MSG_NOSIGNAL);
			expect_end(fd);
			send_text(other, GET_VERSION);
			expect(other, "200 OK");
		}
		_exit(0);
	}
	assert_int_equal(serve(&s, pid), 0);
}

static void a_client_that_only_listens_on_gets_its_answer(void **state)
{
	struct served s;
	pid_t pid;

	open_server(&s, *state);
	pid = fork_client();
	if (pid == 0) {
		int fd = connect_to(&s);

		send_text(fd, GET_VERSION);
		(void)shutdown(fd, SHUT_WR);
		expect(fd, "\"gitVersion\"");
		_exit(0);
	}
	assert_int_equal(serve(&s, pid), 0);
}

/* Reads an answer with a status: its code. */
static int answered_code(int fd)
{
	char got[8192] = "", *code;
	size_t len = 0;
	ssize_t n;

	while (!(code = strstr(got, "\"code\":")) || !strchr(code, '}')) {
		n = recv(fd, got + len, sizeof(got) - 1 - len, 0);
		if (n <= 0)
			_exit(12);
		len += (size_t)n;
		got[len] = '\0';
	}
	return atoi(code + strlen("\"code\":"));
}

/* Four of 60 MiB are more than all may hold: one gives way, the one whose next piece is read first. */
static void large_bodies_at_once_are_bounded(void **state)
{
	static char piece[1 << 20];
	struct served s;
	pid_t pid;

	open_server(&s, *state);
	memset(piece, ' ', sizeof(piece));
	pid = fork_client();
	if (pid == 0) {
		int fds[4], refused = 0, read_whole = 0;

		for (int i = 0; i < 4; i++) {
			fds[i] = connect_to(&s);
			send_text(fds[i], arena_printf(s.f->arena,
						       "POST " BACKENDS " HTTP/1.1\r\nHost: x\r\n"
						       "Content-Length: %d\r\n\r\n",
						       60 << 20));
		}
		for (int n = 0; n < 60; n++) {
			for (int i = 0; i < 4; i++) {
				if (send(fds[i], piece, sizeof(piece), MSG_NOSIGNAL) !=
				    sizeof(piece))
					_exit(13);
			}
		}
		for (int i = 0; i < 4; i++) {
			const int code = answered_code(fds[i]);

			refused += code == 503;
			read_whole += code == 400;
			(void)close(fds[i]);
		}
		if (refused != 1 || read_whole != 3)
			_exit(20);
		fds[0] = connect_to(&s); /* and there is room again */
		send_text(fds[0], GET_VERSION);
		expect(fds[0], "200 OK");
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
		TEST(slow_clients_keep_nobody_waiting),
		TEST(what_is_no_http_ends_its_own_connection_only),
		TEST(a_client_that_only_listens_on_gets_its_answer),
		TEST(large_bodies_at_once_are_bounded),
		TEST(a_stranger_is_told_so),
		TEST(the_socket_is_gone_when_the_server_is),
	};

	return cmocka_run_group_tests(tests, leave_network, NULL);
}
