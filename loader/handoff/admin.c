/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection for each command: HAProxy closes it at the end of its answer. */
#include "handoff/admin.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

#define ANSWER_MOST (64u << 20)
#define PATIENCE_MS 5000 /* for one answer: HAProxy may be busy, but not that long */

struct command {
	struct command *next;
	char *text;
	admin_done_fn *done;
	void *ctx;
};

/* One command under way; outlives its admin until it is closed. */
struct exchange {
	uv_pipe_t pipe;
	uv_connect_t connect;
	uv_write_t write;
	uv_timer_t timer;
	struct admin *admin; /* NULL: nobody waits any more */
	struct command *command;
	struct strbuf answer;
	int open_handles;
	char chunk[16384];
};

struct admin {
	uv_loop_t *loop;
	char *path;
	struct command *first, **last;
	struct exchange *now;
};

static void start_next(struct admin *a);

static void command_free(struct command *c)
{
	free(c->text);
	free(c);
}

static void tell(struct command *c, int err, const char *answer)
{
	if (c->done)
		c->done(c->ctx, err, answer);
	command_free(c);
}

static void on_closed(uv_handle_t *h)
{
	struct exchange *x = h->data;

	if (--x->open_handles)
		return;
	strbuf_done(&x->answer);
	free(x);
}

static void close_handles(struct exchange *x)
{
	if (!uv_is_closing((uv_handle_t *)&x->pipe))
		uv_close((uv_handle_t *)&x->pipe, on_closed);
	if (!uv_is_closing((uv_handle_t *)&x->timer))
		uv_close((uv_handle_t *)&x->timer, on_closed);
}

static char *trim(struct strbuf *b)
{
	char *text;

	if (!b->text)
		return (char *)"";
	while (b->len && isspace((unsigned char)b->text[b->len - 1]))
		b->text[--b->len] = '\0';
	for (text = b->text; isspace((unsigned char)*text); text++)
		continue;
	return text;
}

/* The callee may send more, or free the admin. */
static void finish(struct exchange *x, int err)
{
	struct admin *a = TAKE(x->admin);
	struct command *c = TAKE(x->command);

	close_handles(x);
	if (!a)
		return;
	a->now = NULL;
	start_next(a);
	tell(c, err, err ? "" : trim(&x->answer));
}

static void on_alloc(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
	struct exchange *x = h->data;

	(void)size;
	*buf = uv_buf_init(x->chunk, sizeof(x->chunk));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct exchange *x = s->data;

	if (n > 0 && x->answer.len + (size_t)n > ANSWER_MOST)
		finish(x, -EMSGSIZE);
	else if (n > 0)
		strbuf_add(&x->answer, buf->base, (size_t)n);
	else if (n < 0)
		finish(x, n == UV_EOF ? 0 : (int)n);
}

static void on_written(uv_write_t *w, int status)
{
	struct exchange *x = w->data;

	if (status && x->admin)
		finish(x, status);
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct exchange *x = connect->data;
	uv_buf_t buf;
	int err = status;

	if (!x->admin)
		return;
	if (!err)
		err = uv_read_start((uv_stream_t *)&x->pipe, on_alloc, on_read);
	if (!err) {
		buf = uv_buf_init(x->command->text, (unsigned int)strlen(x->command->text));
		err = uv_write(&x->write, (uv_stream_t *)&x->pipe, &buf, 1, on_written);
	}
	if (err)
		finish(x, err);
}

static void on_late(uv_timer_t *t)
{
	finish(t->data, -ETIMEDOUT);
}

static void start(struct admin *a, struct exchange *x)
{
	(void)uv_pipe_init(a->loop, &x->pipe, 0);
	(void)uv_timer_init(a->loop, &x->timer);
	x->open_handles = 2;
	x->pipe.data = x->timer.data = x->connect.data = x->write.data = x;
	(void)uv_timer_start(&x->timer, on_late, PATIENCE_MS, 0);
	uv_pipe_connect(&x->connect, &x->pipe, a->path, on_connected);
}

static void start_next(struct admin *a)
{
	struct exchange *x;

	if (a->now || !a->first)
		return;
	x = calloc(1, sizeof(*x));
	if (!x)
		return; /* the next command tries again */
	x->admin = a;
	x->command = a->first;
	a->first = x->command->next;
	if (!a->first)
		a->last = &a->first;
	a->now = x;
	start(a, x);
}

int admin_send(struct admin *a, const char *command, admin_done_fn *done, void *ctx)
{
	AUTO(free) struct command *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->text = strdup(command);
	if (!c->text)
		return -ENOMEM;
	c->done = done;
	c->ctx = ctx;
	*a->last = c;
	a->last = &c->next;
	(void)TAKE(c);
	start_next(a);
	return 0;
}

int admin_new(uv_loop_t *loop, const char *path, struct admin **out)
{
	AUTO(free) struct admin *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->path = strdup(path);
	if (!a->path)
		return -ENOMEM;
	a->loop = loop;
	a->last = &a->first;
	*out = TAKE(a);
	return 0;
}

void admin_free(struct admin *a)
{
	struct command *c, *next;

	if (!a)
		return;
	if (a->now) {
		struct exchange *x = TAKE(a->now);

		c = TAKE(x->command);
		x->admin = NULL;
		close_handles(x);
		c->next = a->first;
		a->first = c;
	}
	for (c = a->first; c; c = next) {
		next = c->next;
		tell(c, -ECANCELED, "");
	}
	free(a->path);
	free(a);
}
