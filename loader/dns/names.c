/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The set of followed names, their timers and their questions. A name that is not followed any more
 * may have a question open, which c-ares cannot take back: it goes when that is answered.
 */
#include "dns/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "dns/followed.h"

#define OPEN_MOST 256 /* questions at a time: answers must fit the socket */
#define QUEUE_MS  20  /* until a name that found that many looks again */

static const struct names_times usual_times = {
	.ttl_least_ms = 1000,
	.ttl_most_ms = 300000,
	.step_ms = 10000,
	.confirm_ms = 60000,
	.retry_least_ms = 1000,
	.retry_most_ms = 30000,
	.stale_most_ms = 86400000,
};

static void tend(struct followed *f);

static void release(struct followed *f)
{
	if (--f->users)
		return;
	free((char *)f->wish.name);
	free(f);
}

static void on_closed(uv_handle_t *handle)
{
	release(handle->data);
}

static void drop(struct followed *f)
{
	f->dropped = true;
	uv_close((uv_handle_t *)&f->timer, on_closed);
}

static void on_turn(uv_timer_t *timer)
{
	const struct names *n = timer->data;

	n->changed(n->ctx);
}

static void on_answer(void *ctx, const struct resolver_answer *a)
{
	struct side *s = ctx;
	struct followed *f = s->of;
	struct names *n = f->names;
	uint64_t now = clock_ms();

	s->asking = false;
	n->open--;
	if (a && !f->dropped) {
		side_take(s, a, now);
		if (followed_settle(s, now) && n->changed)
			(void)uv_timer_start(&n->turn, on_turn, 0, 0);
		tend(f);
	}
	release(f);
}

static void ask(struct side *s)
{
	struct followed *f = s->of;

	s->asking = true;
	f->users++;
	f->names->open++;
	resolver_ask(f->names->resolver,
		     &(struct resolver_question){f->wish.name, s->family, on_answer, s});
}

static void on_timer(uv_timer_t *timer)
{
	tend(timer->data);
}

static bool is_due(const struct side *s, uint64_t now)
{
	return side_is_wanted(s) && !s->asking && now >= s->due_ms;
}

/* Asks what is due, and is called again when the next one is. An answer may come from within. */
static void tend(struct followed *f)
{
	uint64_t now = clock_ms(), next = UINT64_MAX;

	for (size_t i = 0; i < 2; i++)
		if (is_due(&f->sides[i], now) && f->names->open < OPEN_MOST)
			ask(&f->sides[i]);
	for (size_t i = 0; i < 2; i++) {
		const struct side *s = &f->sides[i];

		if (is_due(s, now))
			next = now + QUEUE_MS;
		else if (side_is_wanted(s) && !s->asking && s->due_ms < next)
			next = s->due_ms;
	}
	if (next == UINT64_MAX)
		return;
	uv_update_time(f->timer.loop);
	(void)uv_timer_start(&f->timer, on_timer, next - now, 0);
}

static size_t name_len(const char *name)
{
	size_t len = strlen(name);

	return len && name[len - 1] == '.' ? len - 1 : len;
}

static struct names_wish canonical(const struct names_wish *w)
{
	struct names_wish c = *w;

	if (!c.refresh_ms)
		c.refresh_ms = NAMES_REFRESH_MS;
	return c;
}

static bool is_of(const struct followed *f, const struct names_wish *w, size_t len)
{
	return strncmp(f->wish.name, w->name, len) == 0 && f->wish.name[len] == '\0' &&
	       f->wish.family == w->family && f->wish.refresh_ms == w->refresh_ms &&
	       f->wish.respect_ttl == w->respect_ttl;
}

/* In its bucket, or where it would be. */
static struct followed *const *find(const struct names *n, const struct names_wish *w)
{
	size_t len = name_len(w->name);
	struct followed *const *at = &n->buckets[hash_bytes(w->name, len, 0) % NAMES_BUCKETS];

	while (*at && !is_of(*at, w, len))
		at = &(*at)->next;
	return at;
}

static struct followed *add(struct names *n, const struct names_wish *w, struct followed **at)
{
	bool v6_first = w->family == DNS_IPV6 || w->family == DNS_IPV6_PREFERRED;
	struct followed *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->wish = *w;
	f->wish.name = strndup(w->name, name_len(w->name));
	if (!f->wish.name) {
		free(f);
		return NULL;
	}
	f->names = n;
	f->users = 1;				      /* the timer */
	(void)uv_timer_init(n->turn.loop, &f->timer); /* cannot fail */
	f->timer.data = f;
	f->sides[0] = (struct side){.of = f, .family = v6_first ? AF_INET6 : AF_INET};
	f->sides[1] = (struct side){.of = f, .family = v6_first ? AF_INET : AF_INET6};
	remember_seed(f, clock_ms());
	*at = f;
	return f;
}

static int list(struct names *n, const struct names_wish *wishes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct names_wish w = canonical(&wishes[i]);
		struct followed **at = (struct followed **)find(n, &w);
		struct followed *f = *at ? *at : add(n, &w, at);

		if (!f)
			return -ENOMEM;
		f->listed = true;
	}
	return 0;
}

/* Those that were made a moment ago when nothing is to change, else those that are not listed. */
static void drop_others(struct names *n, int err)
{
	for (size_t b = 0; b < NAMES_BUCKETS; b++) {
		struct followed **link = &n->buckets[b];

		while (*link) {
			struct followed *f = *link;

			if (err ? f->begun : f->listed) {
				f->listed = false;
				link = &f->next;
				continue;
			}
			*link = f->next;
			drop(f);
		}
	}
}

int names_follow(struct names *n, const struct names_wish *wishes, size_t count)
{
	int err = list(n, wishes, count);

	drop_others(n, err);
	for (size_t b = 0; !err && b < NAMES_BUCKETS; b++)
		for (struct followed *f = n->buckets[b]; f; f = f->next)
			if (!f->begun) {
				f->begun = true;
				tend(f);
			}
	return err;
}

const struct names_answer *names_get(const struct names *n, const struct names_wish *wish)
{
	struct names_wish w = canonical(wish);
	const struct followed *f = *find(n, &w);

	return f ? &f->answer : NULL;
}

int names_new(uv_loop_t *loop, const struct names_options *opts, struct names **out)
{
	AUTO(free) struct names *n = calloc(1, sizeof(*n));
	struct dns_options dns = opts->dns;
	int err;

	if (!n)
		return -ENOMEM;
	dns.search = DNS_SEARCH_NONE;
	err = resolver_new(loop, &dns, &n->resolver);
	if (err)
		return err;
	n->times = opts->times ? *opts->times : usual_times;
	n->on_host = opts->on_host;
	n->news.events = opts->events;
	n->changed = opts->changed;
	n->ctx = opts->ctx;
	(void)uv_timer_init(loop, &n->turn); /* cannot fail */
	n->turn.data = n;
	*out = TAKE(n);
	return 0;
}

static void on_turn_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void names_free(struct names *n)
{
	if (!n)
		return;
	(void)names_follow(n, NULL, 0);
	resolver_free(n->resolver);
	remember_done(n);
	uv_close((uv_handle_t *)&n->turn, on_turn_closed);
}
