/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A c-ares channel reads resolv.conf once. When the file has changed, a new channel takes the next
 * questions, and the old one goes when its last question is answered. Channels are freed only
 * where no c-ares function is on the stack.
 *
 * c-ares goes on to the next server after SERVFAIL and REFUSED, and has one word for "all of them
 * did" and "none could be reached".
 */
#include "dns/resolver.h"

#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/addr.h"
#include "base/cleanup.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define TIMEOUT_MS  1000 /* of the first try; c-ares' 5 s are longer than probes wait */
#define TRIES	    3

struct channel {
	ares_channel ares;
	struct resolver *resolver;
	struct channel *next;
	struct watched *sockets;
	size_t open; /* questions */
};

/* A socket of c-ares. */
struct watched {
	uv_poll_t poll;
	struct channel *channel;
	struct watched *next;
	ares_socket_t fd;
};

struct question {
	struct channel *channel;
	resolver_done_fn *done;
	void *ctx;
};

struct resolver {
	uv_timer_t timer;
	struct channel *channels; /* the first one takes new questions */
	char *servers, *resolv_conf;
	enum dns_search search;
	struct stat seen; /* resolv.conf when the first channel was made */
	resolver_tick_fn *tick;
	void *tick_ctx;
};

static void after(struct resolver *r);

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watched *w = poll->data;
	struct resolver *r = w->channel->resolver;
	ares_socket_t fd = w->fd;
	bool in = status < 0 || events & UV_READABLE, out = status < 0 || events & UV_WRITABLE;

	ares_process_fd(w->channel->ares, in ? fd : ARES_SOCKET_BAD, out ? fd : ARES_SOCKET_BAD);
	after(r);
}

static void on_poll_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static struct watched *watch(struct channel *c, ares_socket_t fd)
{
	struct watched *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL; /* then the question times out */
	if (uv_poll_init_socket(c->resolver->timer.loop, &w->poll, fd)) {
		free(w);
		return NULL;
	}
	w->poll.data = w;
	w->channel = c;
	w->fd = fd;
	w->next = c->sockets;
	c->sockets = w;
	return w;
}

/* c-ares calls this before it closes a socket, as libuv asks for. */
static void on_socket_state(void *ctx, ares_socket_t fd, int in, int out)
{
	struct channel *c = ctx;
	struct watched **link = &c->sockets, *w;

	while (*link && (*link)->fd != fd)
		link = &(*link)->next;
	w = *link;
	if (!in && !out) {
		if (!w)
			return;
		*link = w->next;
		uv_close((uv_handle_t *)&w->poll, on_poll_closed);
		return;
	}
	if (!w)
		w = watch(c, fd);
	if (w)
		(void)uv_poll_start(&w->poll, (in ? UV_READABLE : 0) | (out ? UV_WRITABLE : 0),
				    on_poll);
}

static void channel_free(struct channel *c)
{
	if (c->ares)
		ares_destroy(c->ares);
	free(c);
}

static struct channel *channel_new(struct resolver *r)
{
	struct channel *c = calloc(1, sizeof(*c));
	struct ares_options o = {.timeout = TIMEOUT_MS, .tries = TRIES};
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;

	if (!c)
		return NULL;
	c->resolver = r;
	o.sock_state_cb = on_socket_state;
	o.sock_state_cb_data = c;
	if (r->resolv_conf) {
		o.resolvconf_path = r->resolv_conf;
		mask |= ARES_OPT_RESOLVCONF;
	}
	if (r->search == DNS_SEARCH_NONE)
		mask |= ARES_OPT_DOMAINS; /* none of them */
	if (ares_init_options(&c->ares, &o, mask) != ARES_SUCCESS) {
		free(c);
		return NULL;
	}
	if (r->servers && ares_set_servers_ports_csv(c->ares, r->servers) != ARES_SUCCESS) {
		channel_free(c);
		return NULL;
	}
	return c;
}

/* The channel for a new question; an old one rather than none. */
static struct channel *current(struct resolver *r)
{
	struct stat now = {0};
	struct channel *c;

	(void)stat(r->resolv_conf ? r->resolv_conf : RESOLV_CONF, &now);
	if (r->channels && now.st_ino == r->seen.st_ino && now.st_size == r->seen.st_size &&
	    memcmp(&now.st_mtim, &r->seen.st_mtim, sizeof(now.st_mtim)) == 0)
		return r->channels;
	c = channel_new(r);
	if (!c)
		return r->channels;
	r->seen = now;
	c->next = r->channels;
	r->channels = c;
	return c;
}

/* Milliseconds until a channel wants to be called again, at most a tick; -1: nothing is open. */
static int64_t next_call_ms(const struct resolver *r)
{
	int64_t best = -1;

	for (const struct channel *c = r->channels; c; c = c->next) {
		struct timeval most = {.tv_usec = RESOLVER_TICK_MS * 1000}, buf;
		const struct timeval *in; /* one of them */
		int64_t ms;

		if (!c->open)
			continue;
		in = ares_timeout(c->ares, &most, &buf);
		ms = (int64_t)in->tv_sec * 1000 + (in->tv_usec + 999) / 1000;
		if (ms > RESOLVER_TICK_MS)
			ms = RESOLVER_TICK_MS;
		if (best < 0 || ms < best)
			best = ms;
	}
	return best;
}

static void on_timer(uv_timer_t *timer)
{
	struct resolver *r = timer->data;

	for (struct channel *c = r->channels; c; c = c->next)
		ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	if (r->tick)
		r->tick(r->tick_ctx);
	after(r);
}

static void arm(struct resolver *r)
{
	int64_t ms = next_call_ms(r);

	if (ms < 0)
		(void)uv_timer_stop(&r->timer);
	else
		(void)uv_timer_start(&r->timer, on_timer, (uint64_t)ms, 0);
}

/* Called from the loop alone: no c-ares function is on the stack. */
static void after(struct resolver *r)
{
	struct channel **link = r->channels ? &r->channels->next : &r->channels;

	while (*link) {
		struct channel *c = *link;

		if (c->open) {
			link = &c->next;
			continue;
		}
		*link = c->next;
		channel_free(c);
	}
	arm(r);
}

struct word {
	int status;
	enum dns_outcome outcome;
	const char *why;
};

static struct word word_of(int status)
{
	static const struct word words[] = {
		{ARES_SUCCESS, DNS_FOUND, ""},
		{ARES_ENOTFOUND, DNS_NO_NAME, "NXDOMAIN"},
		{ARES_ENODATA, DNS_NO_ADDRESS, "no address"},
		{ARES_EBADNAME, DNS_BAD_NAME, "not a valid name"},
		{ARES_ENOMEM, DNS_OURS, "out of memory"},
		{ARES_ESERVFAIL, DNS_FAILED, "SERVFAIL"},
		{ARES_EREFUSED, DNS_FAILED, "REFUSED"},
		{ARES_ETIMEOUT, DNS_FAILED, "timeout"},
		{ARES_ECONNREFUSED, DNS_FAILED, "no name server could tell"}, /* SERVFAIL, too */
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (words[i].status == status)
			return words[i];
	return (struct word){status, DNS_FAILED, ares_strerror(status)};
}

/* CNAMEs count: what a name points to may change before its address does. */
static uint64_t ttl_ms(const struct ares_addrinfo *from)
{
	uint64_t least = UINT32_MAX;

	for (const struct ares_addrinfo_node *n = from->nodes; n; n = n->ai_next)
		if ((uint64_t)n->ai_ttl < least)
			least = (uint64_t)n->ai_ttl;
	for (const struct ares_addrinfo_cname *n = from->cnames; n; n = n->next)
		if ((uint64_t)n->ttl < least)
			least = (uint64_t)n->ttl;
	return least * 1000;
}

static size_t collect(const struct ares_addrinfo *from, int family, struct spw_addr *to)
{
	size_t count = 0;

	for (const struct ares_addrinfo_node *n = from->nodes; n; n = n->ai_next) {
		if (n->ai_family != family)
			continue;
		if (to && family == AF_INET)
			to[count] = addr_from_v4(
				((const struct sockaddr_in *)n->ai_addr)->sin_addr.s_addr);
		else if (to)
			to[count] =
				addr_from_v6(&((const struct sockaddr_in6 *)n->ai_addr)->sin6_addr);
		count++;
	}
	return count;
}

static void hand_over(const struct question *q, int status, const struct ares_addrinfo *result)
{
	size_t v4 = result ? collect(result, AF_INET, NULL) : 0;
	size_t v6 = result ? collect(result, AF_INET6, NULL) : 0;
	AUTO(free) struct spw_addr *addrs = v4 + v6 ? calloc(v4 + v6, sizeof(*addrs)) : NULL;
	struct resolver_answer a = {0};
	struct word word;

	if (v4 + v6 && !addrs)
		status = ARES_ENOMEM;
	else if (status == ARES_SUCCESS && v4 + v6 == 0)
		status = ARES_ENODATA;
	word = word_of(status);
	a.outcome = word.outcome;
	a.why = word.why;
	if (status == ARES_SUCCESS) {
		(void)collect(result, AF_INET, addrs);
		(void)collect(result, AF_INET6, addrs + v4);
		a.addrs = addrs;
		a.count = v4 + v6;
		a.ttl_ms = ttl_ms(result);
	}
	q->done(q->ctx, &a);
}

static void on_answer(void *ctx, int status, int timeouts, struct ares_addrinfo *result)
{
	struct question q = *(struct question *)ctx;

	(void)timeouts;
	free(ctx);
	q.channel->open--;
	if (status == ARES_EDESTRUCTION)
		q.done(q.ctx, NULL);
	else
		hand_over(&q, status, result);
	if (result)
		ares_freeaddrinfo(result);
}

void resolver_ask(struct resolver *r, const struct resolver_question *question)
{
	const struct ares_addrinfo_hints hints = {.ai_family = question->family,
						  .ai_socktype = SOCK_STREAM,
						  .ai_flags = ARES_AI_NOSORT};
	struct channel *c = current(r);
	struct question *q = c ? malloc(sizeof(*q)) : NULL;

	if (!q) {
		hand_over(&(struct question){NULL, question->done, question->ctx}, ARES_ENOMEM,
			  NULL);
		return;
	}
	*q = (struct question){c, question->done, question->ctx};
	c->open++;
	ares_getaddrinfo(c->ares, question->name, NULL, &hints, on_answer, q);
	arm(r);
}

void resolver_on_tick(struct resolver *r, resolver_tick_fn *tick, void *ctx)
{
	r->tick = tick;
	r->tick_ctx = ctx;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct resolver *r = handle->data;

	free(r->servers);
	free(r->resolv_conf);
	free(r);
}

int resolver_new(uv_loop_t *loop, const struct dns_options *opts, struct resolver **out)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (!r || ares_library_init(ARES_LIB_INIT_ALL)) {
		free(r);
		return -ENOMEM;
	}
	if (opts && opts->servers)
		r->servers = strdup(opts->servers);
	if (opts && opts->resolv_conf)
		r->resolv_conf = strdup(opts->resolv_conf);
	if (opts)
		r->search = opts->search;
	(void)uv_timer_init(loop, &r->timer); /* cannot fail */
	r->timer.data = r;
	*out = r;
	return 0;
}

void resolver_free(struct resolver *r)
{
	struct channel *next;

	for (struct channel *c = r->channels; c; c = next) {
		next = c->next;
		channel_free(c);
	}
	r->channels = NULL;
	ares_library_cleanup();
	uv_close((uv_handle_t *)&r->timer, on_timer_closed);
}
