/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A probe to a name: resolves it, and probes its addresses in turn until one connects; that one's
 * answer counts, as a client's would. An address that is silent has its share of the time that is
 * left, so that the others have theirs; the scheduler's deadline is over all of it.
 *
 * A timer of libuv's fires before the sockets are read. When it is late, the loop was busy, and an
 * answer may be there: then it gets another moment.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/clock.h"
#include "dns/dns.h"
#include "health/probe.h"

#define LATE_MS	  5
#define MOMENT_MS 20

struct name_probe {
	struct probe probe;
	const struct probe_tools *tools;
	struct probe *inner; /* under way, or NULL */
	struct dns_wait wait;
	struct dns_answer answer;
	size_t at;	       /* the address that is probed */
	struct verdict failed; /* of the first address that did, when `has_failed` */
	bool has_failed;
	uint64_t started_ms;
	uint64_t share_ends_ms;
	uv_timer_t share;
};

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void release(struct name_probe *n)
{
	dns_cancel(&n->wait);
	if (n->inner)
		n->inner->cancel(n->inner);
	n->inner = NULL;
	uv_close((uv_handle_t *)&n->share, on_closed);
}

static void cancel(struct probe *p)
{
	release((struct name_probe *)p);
}

static void finish(struct name_probe *n, const struct verdict *v)
{
	release(n);
	n->probe.done(n->probe.ctx, v);
}

static void on_share(uv_timer_t *timer);

/* Nothing is armed for the last address: it has the time up to the deadline. */
static void arm(struct name_probe *n)
{
	uint64_t now = clock_ms(), deadline = n->started_ms + n->probe.job->check->timeout_ms;
	size_t left = n->answer.count - n->at;
	uint64_t share = deadline > now ? (deadline - now) / left : 0;

	(void)uv_timer_stop(&n->share);
	if (left < 2)
		return;
	n->share_ends_ms = now + share;
	uv_update_time(n->tools->loop);
	(void)uv_timer_start(&n->share, on_share, share, 0);
}

static void on_inner(void *ctx, const struct verdict *v);

/* Keeps the first failure: the others may be of a family that this host has not. */
static void note(struct name_probe *n, const struct verdict *v)
{
	if (n->has_failed || v->kind == VERDICT_NONE)
		return;
	n->failed = *v;
	n->has_failed = true;
}

/* From address n->at on; false when the result is there: *v. */
static bool try_addresses(struct name_probe *n, struct verdict *v)
{
	for (; n->at < n->answer.count; n->at++) {
		const struct probe_order order = {n->probe.job, n->answer.addrs[n->at], on_inner,
						  n};

		arm(n);
		n->inner = probe_start(n->tools, &order, v);
		if (n->inner)
			return true;
		if (v->kind == VERDICT_GOOD || v->kind == VERDICT_BAD_AT_ONCE)
			return false;
		note(n, v);
	}
	if (n->has_failed)
		*v = n->failed;
	return false;
}

static void go_on(struct name_probe *n, const struct verdict *last)
{
	struct verdict v = *last;

	note(n, last);
	n->at++;
	if (!try_addresses(n, &v))
		finish(n, &v);
}

static void on_inner(void *ctx, const struct verdict *v)
{
	struct name_probe *n = ctx;

	n->inner = NULL;
	if (v->connected || v->kind == VERDICT_GOOD || v->kind == VERDICT_BAD_AT_ONCE)
		finish(n, v);
	else
		go_on(n, v);
}

static void on_share(uv_timer_t *timer)
{
	struct name_probe *n = timer->data;
	const struct verdict v = verdict_make(VERDICT_BAD, "timeout");
	uint64_t now = clock_ms();

	if (n->inner->connected)
		return;
	if (now > n->share_ends_ms + LATE_MS) {
		n->share_ends_ms = now + MOMENT_MS;
		(void)uv_timer_start(timer, on_share, MOMENT_MS, 0);
		return;
	}
	n->inner->cancel(n->inner);
	n->inner = NULL;
	go_on(n, &v);
}

/*
 * What a manifest may not say by an address, a name may not say either: whoever answers for it
 * would have the gateway speak to its own services.
 */
static bool is_refused(const struct name_probe *n, const struct spw_addr *a)
{
	if (addr_is_unspecified(a) || addr_is_multicast(a))
		return true;
	return addr_is_loopback(a) && !n->tools->on_host;
}

static void keep_allowed(struct name_probe *n)
{
	struct dns_answer *a = &n->answer;
	size_t kept = 0;

	for (size_t i = 0; i < a->count; i++)
		if (!is_refused(n, &a->addrs[i]))
			a->addrs[kept++] = a->addrs[i];
	a->count = kept;
}

/* False when there is a result: *v. */
static bool take_answer(struct name_probe *n, const struct dns_answer *a, struct verdict *v)
{
	n->answer = *a;
	if (a->count == 0) {
		*v = verdict_make(a->outcome == DNS_OURS ? VERDICT_NONE : VERDICT_BAD,
				  "name does not resolve (%s)", a->why);
		return false;
	}
	keep_allowed(n);
	if (n->answer.count == 0) {
		*v = verdict_make(VERDICT_BAD, "name resolves to loopback");
		return false;
	}
	return try_addresses(n, v);
}

static void on_answer(void *ctx, const struct dns_answer *a)
{
	struct name_probe *n = ctx;
	struct verdict v;

	if (!take_answer(n, a, &v))
		finish(n, &v);
}

struct probe *probe_name_start(const struct probe_tools *tools, const struct probe_order *order,
			       struct verdict *now)
{
	struct name_probe *n = calloc(1, sizeof(*n));
	const struct dns_answer *a;

	if (!n) {
		*now = verdict_errno(ENOMEM);
		return NULL;
	}
	n->probe = (struct probe){
		.job = order->job, .done = order->done, .ctx = order->ctx, .cancel = cancel};
	n->tools = tools;
	n->wait.done = on_answer;
	n->wait.ctx = n;
	n->started_ms = clock_ms();
	(void)uv_timer_init(tools->loop, &n->share); /* cannot fail */
	n->share.data = n;
	a = dns_lookup(tools->dns, order->job->host, &n->wait);
	if (!a || take_answer(n, a, now))
		return &n->probe;
	release(n);
	return NULL;
}
