/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One HAProxy from its configuration to its end. The configuration is checked first, and a server line
 * that HAProxy refuses is left out and told of, so that one bad certificate does not stop the others. The
 * process before it goes on accepting until this one answers; then it is asked to finish what it has.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "handoff/state.h"

#define READY_EVERY_MS	20
#define READY_WITHIN_MS 10000

static void spawn(struct process *p);

static void on_closed(uv_handle_t *handle)
{
	struct process *p = handle->data;

	if (--p->open_handles)
		return;
	arena_free(p->arena);
	free(p);
}

static void close_one(uv_handle_t *handle)
{
	if (handle->data && !uv_is_closing(handle))
		uv_close(handle, on_closed);
}

/* One that still runs is waited for, or it would be left dead and unburied. */
static void close_child(uv_process_t *child)
{
	if (uv_is_active((uv_handle_t *)child))
		uv_unref((uv_handle_t *)child);
	else
		close_one((uv_handle_t *)child);
}

/* Its handles; the process itself goes on. */
void process_forget(struct process *p)
{
	if (!p)
		return;
	p->handoff = NULL;
	admin_free(TAKE(p->admin));
	for (int i = 0; i < 2; i++) {
		close_child(&p->child[i]);
		close_one((uv_handle_t *)&p->output[i]);
	}
	close_one((uv_handle_t *)&p->timer);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct process *p = handle->data;

	(void)size;
	if (p->said_len > sizeof(p->said) / 2) { /* the end says why */
		memmove(p->said, p->said + p->said_len / 2, p->said_len - p->said_len / 2);
		p->said_len -= p->said_len / 2;
	}
	*buf = uv_buf_init(p->said + p->said_len,
			   (unsigned int)(sizeof(p->said) - 1 - p->said_len));
}

static void log_lines(const char *text)
{
	for (size_t len; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (len && strncmp(text, "[ALERT]", 7) == 0)
			log_error("proxy: haproxy: %.*s", (int)len, text);
		else if (len) /* it repeats what it is told */
			log_debug("proxy: haproxy: %.*s", (int)len, text);
	}
}

/* The next line of the configuration that the check complains of, and what it says; NULL: no more. */
static const char *complaint(const struct process *p, const char *from, size_t *line)
{
	const size_t len = strlen(p->config);

	while ((from = strstr(from, p->config))) {
		from += len;
		if (sscanf(from, ":%zu]", line) == 1)
			return from + strcspn(from, "]\n") + 1;
	}
	return NULL;
}

/* HAProxy's own words, without their line's rest; it goes on with what it had unless that is at fault. */
static void refuse_line(struct handoff *h, const struct process *p, const struct config_line *l,
			const char *text)
{
	struct entry *e = h->entries[l->id];

	if (!e || (l->number != e->want.number && l->number != e->have.number))
		return;
	if (strstr(text, "' : "))
		text = strstr(text, "' : ") + 1; /* behind the name that it has here */
	text += strspn(text, " :");
	text = arena_printf(p->arena, "HAProxy refuses it: %.*s", (int)strcspn(text, "\n"), text);
	if (l->number == e->have.number)
		entry_lose(h, e);
	if (l->number == e->want.number)
		entry_refuse(h, e, text);
}

static bool refuse_l7(struct handoff *h, const struct process *p, size_t line, const char *text)
{
	if (line < p->l7_first_line || line >= p->l7_first_line + p->l7_key_count)
		return false;
	text += strspn(text, " :");
	return l7_refuse(h, p->l7_keys[line - p->l7_first_line],
			 arena_printf(p->arena, "%.*s", (int)strcspn(text, "\n"), text));
}

/* All that the check complains of, each of them once. */
static bool refuse_lines(struct handoff *h, const struct process *p)
{
	const char *text = p->said;
	bool any = false;
	size_t line;

	while ((text = complaint(p, text, &line))) {
		for (size_t i = 0; i < p->line_count; i++) {
			if (p->lines[i].line != line)
				continue;
			refuse_line(h, p, &p->lines[i], text);
			p->lines[i].line = 0;
			any = true;
		}
		any = refuse_l7(h, p, line, text) || any;
	}
	return any;
}

static void check_failed(struct process *p)
{
	struct handoff *h = p->handoff;

	if (refuse_lines(h, p)) {
		h->next = NULL;
		process_forget(p);
		process_begin(h);
		return;
	}
	log_error("proxy: the configuration is refused: %s", p->said);
	handoff_failed(h, p);
}

/* What it said last is read after its end was told, or before. */
static void on_over(struct process *p)
{
	struct handoff *h = p->handoff;

	if (!h || !p->has_ended || !p->has_said_all)
		return;
	p->has_ended = p->has_said_all = false;
	if (p->state == PROCESS_CHECKING && p->status == 0 && p->signal_number == 0) {
		p->state = PROCESS_STARTING;
		spawn(p);
		return;
	}
	if (p->state == PROCESS_CHECKING) {
		check_failed(p);
		return;
	}
	if (p->signal_number)
		log_error("proxy: haproxy ended by signal %d", p->signal_number);
	else
		log_error("proxy: haproxy ended with status %" PRId64, p->status);
	handoff_failed(h, p);
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct process *p = stream->data;

	if (n < 0) {
		(void)uv_read_stop(stream);
		p->has_said_all = true;
		on_over(p);
		return;
	}
	p->said_len += (size_t)n;
	p->said[p->said_len] = '\0';
	if (p->state != PROCESS_CHECKING && n > 0)
		log_lines(buf->base);
}

static void on_ended(uv_process_t *child, int64_t status, int signal_number)
{
	struct process *p = child->data;

	if (!p->handoff) {
		close_one((uv_handle_t *)child);
		return;
	}
	p->has_ended = true;
	p->status = status;
	p->signal_number = signal_number;
	on_over(p);
}

static void on_ready_try(uv_timer_t *timer);

static void on_answer(void *ctx, int err, const char *answer)
{
	struct process *p = ctx;
	struct handoff *h = p->handoff;

	(void)answer;
	if (!h || p->state != PROCESS_STARTING)
		return;
	if (!err) {
		p->state = PROCESS_RUNNING;
		handoff_took_over(h, p);
	} else if (clock_ms() - p->started_ms < READY_WITHIN_MS) {
		(void)uv_timer_start(&p->timer, on_ready_try, READY_EVERY_MS, 0);
	} else {
		log_error("proxy: haproxy does not answer on its admin socket");
		(void)uv_process_kill(&p->child[1], SIGKILL);
	}
}

static void on_ready_try(uv_timer_t *timer)
{
	struct process *p = timer->data;

	if (admin_send(p->admin, "show version\n", on_answer, p))
		(void)uv_timer_start(&p->timer, on_ready_try, READY_EVERY_MS, 0);
}

/* What the child inherits: its output, and the listening sockets in their places. */
static uv_stdio_container_t *containers(struct process *p, uv_pipe_t *output, int *count)
{
	const struct handoff *h = p->handoff;
	const size_t n = FIRST_FD + 2 * p->slot_count;
	uv_stdio_container_t *c = arena_array(p->arena, n, sizeof(*c));

	c[0].flags = UV_IGNORE;
	c[1].flags = UV_IGNORE;
	c[2].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
	c[2].data.stream = (uv_stream_t *)output;
	for (size_t i = 0; i < p->slot_count; i++) {
		uv_stdio_container_t *v4 = &c[FIRST_FD + 2 * i], *v6 = v4 + 1;

		v4->flags = UV_INHERIT_FD;
		v4->data.fd = h->sockets[i].v4;
		v6->flags = h->sockets[i].v6 < 0 ? UV_IGNORE : UV_INHERIT_FD;
		v6->data.fd = h->sockets[i].v6;
	}
	*count = (int)n;
	return c;
}

/* First as a check, then in earnest. */
static void spawn(struct process *p)
{
	struct handoff *h = p->handoff;
	const bool checks = p->state == PROCESS_CHECKING;
	const char *args[] = {h->haproxy, checks ? "-c" : "-db", "-f", p->config, NULL};
	uv_process_t *child = &p->child[!checks];
	uv_pipe_t *output = &p->output[!checks];
	uv_process_options_t o = {
		.exit_cb = on_ended,
		.file = h->haproxy,
		.args = (char **)args,
		.cwd = h->dir,
		.flags = geteuid() == 0 ? UV_PROCESS_SETUID | UV_PROCESS_SETGID : 0,
		.uid = h->uid,
		.gid = h->gid,
	};
	int err;

	(void)uv_pipe_init(h->loop, output, 0);
	output->data = child->data = p;
	p->open_handles += 2; /* uv_spawn() makes a handle of it in any case */
	o.stdio = containers(p, output, &o.stdio_count);
	err = uv_spawn(h->loop, child, &o);
	if (err) {
		log_error("proxy: %s cannot be started: %s", h->haproxy, uv_strerror(err));
		handoff_failed(h, p);
		return;
	}
	p->said_len = 0;
	(void)uv_read_start((uv_stream_t *)output, on_alloc, on_output);
	if (checks)
		return;
	p->started_ms = clock_ms();
	files_note_process(h, uv_process_get_pid(child));
	(void)uv_timer_start(&p->timer, on_ready_try, READY_EVERY_MS, 0);
}

static struct process *process_new(struct handoff *h)
{
	struct process *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->arena = arena_new();
	if (!p->arena) {
		free(p);
		return NULL;
	}
	p->handoff = h;
	p->number = h->next_process++;
	p->numbered = h->next_number;
	p->slot_count = h->slot_count;
	p->config = arena_printf(p->arena, "%s/haproxy-%" PRIu64 ".cfg", h->dir, p->number);
	(void)uv_timer_init(h->loop, &p->timer);
	p->timer.data = p;
	p->open_handles = 1;
	return p;
}

void process_begin(struct handoff *h)
{
	struct process *p = process_new(h);
	int err;

	if (!p) {
		log_error("proxy: out of memory: haproxy is not started");
		handoff_arm(h, READY_WITHIN_MS);
		return;
	}
	h->next = p;
	err = configuration_write(p);
	if (!err)
		err = admin_new(
			h->loop,
			arena_printf(p->arena, "%s/admin-%" PRIu64 ".sock", h->dir, p->number),
			&p->admin);
	if (err) {
		log_error("proxy: %s: %s", h->dir, strerror(-err));
		handoff_failed(h, p);
		return;
	}
	spawn(p);
}

static void finish_old(void *ctx, pid_t pid)
{
	if (pid != *(const pid_t *)ctx)
		(void)kill(pid, SIGUSR1); /* HAProxy: finish what there is, and end */
}

void process_stop_old(struct handoff *h, const struct process *but)
{
	const pid_t keep = uv_process_get_pid(&but->child[1]);

	files_each_process(h->dir, finish_old, (void *)&keep);
}

static void finish(void *ctx, pid_t pid)
{
	(void)ctx;
	(void)kill(pid, SIGUSR1);
}

void process_stop_all(const char *dir)
{
	files_each_process(dir, finish, NULL);
}

static void end(void *ctx, pid_t pid)
{
	(void)ctx;
	(void)kill(pid, SIGTERM);
}

void process_end_all(const char *dir)
{
	files_each_process(dir, end, NULL);
}

void process_kill(struct process *p)
{
	log_error("proxy: haproxy does not answer any more: it is killed and started again");
	(void)uv_process_kill(&p->child[1], SIGKILL);
}
