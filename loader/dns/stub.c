/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A question waits as long as the cache does, whose patience has an end; who asked may have gone by
 * then, which costs one packet to nobody. Refused are addresses one by one: when none of the
 * family is left, there is no such name.
 */
#include "dns/stub.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "dns/dns.h"
#include "dns/stub_packet.h"
#include "dns/target.h"

#define PACKET_MAX 4096

struct waiting {
	struct dns_wait wait;
	struct stub *stub;
	struct waiting *next, **link;
	struct sockaddr_in peer;
	struct stub_question question;
};

struct stub {
	uv_udp_t udp;
	struct dns *dns;
	uint16_t port;
	struct target_rules rules; /* `extra` is owned */
	struct waiting *waiting;
	size_t waiting_count;
	struct stub_counts counts;
	char in[PACKET_MAX];
};

static void send_reply(struct stub *s, const struct stub_question *q,
		       const struct sockaddr_in *peer, const struct stub_reply *r)
{
	uint8_t out[STUB_ANSWER_MAX];
	uv_buf_t buf = uv_buf_init((char *)out, (unsigned)stub_write(q, r, out));

	if (uv_udp_try_send(&s->udp, &buf, 1, (const struct sockaddr *)peer) < 0)
		s->counts.unsent++;
}

/* The addresses of the question's family that are targets; how many of it there are in all. */
static size_t sift(struct stub *s, bool v4, const struct dns_answer *a, struct spw_addr *to,
		   size_t *kept)
{
	size_t all = 0;

	*kept = 0;
	for (size_t i = 0; i < a->count; i++) {
		if (addr_is_v4(&a->addrs[i]) != v4)
			continue;
		all++;
		if (target_is_refused(&a->addrs[i], &s->rules))
			s->counts.refused_addrs++;
		else
			to[(*kept)++] = a->addrs[i];
	}
	return all;
}

static enum stub_code code_of(enum dns_outcome outcome)
{
	switch (outcome) {
	case DNS_FOUND:
	case DNS_NO_ADDRESS:
		return STUB_NOERROR;
	case DNS_NO_NAME:
	case DNS_BAD_NAME:
		return STUB_NXDOMAIN;
	case DNS_FAILED:
	case DNS_OURS:
		break;
	}
	return STUB_SERVFAIL;
}

static uint32_t rest_s(const struct dns_answer *a)
{
	uint64_t now = clock_ms(), left = a->good_until_ms > now ? a->good_until_ms - now : 0;

	return left < 1000 ? 1 : (uint32_t)(left / 1000);
}

static void tally(struct stub_counts *c, const struct stub_reply *r)
{
	if (r->count)
		c->answered++;
	else if (r->code == STUB_NOERROR)
		c->empty++;
	else if (r->code == STUB_NXDOMAIN)
		c->no_name++;
	else
		c->failed++;
}

static void answer(struct stub *s, const struct stub_question *q, const struct sockaddr_in *peer,
		   const struct dns_answer *a)
{
	struct stub_reply r = {.code = code_of(a->outcome), .ttl_s = rest_s(a)};
	struct spw_addr addrs[DNS_ADDRS_MAX];
	size_t all = sift(s, q->type == STUB_A, a, addrs, &r.count);

	r.addrs = addrs;
	if (all && !r.count)
		r.code = STUB_NXDOMAIN;
	tally(&s->counts, &r);
	send_reply(s, q, peer, &r);
}

static void forget(struct waiting *w)
{
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	w->stub->waiting_count--;
	free(w);
}

static void on_answer(void *ctx, const struct dns_answer *a)
{
	struct waiting *w = ctx;

	answer(w->stub, &w->question, &w->peer, a);
	forget(w);
}

/* NULL: too many, or out of memory. */
static struct waiting *wait_for(struct stub *s, const struct stub_question *q,
				const struct sockaddr_in *peer)
{
	struct waiting *w = s->waiting_count < STUB_WAITING_MAX ? calloc(1, sizeof(*w)) : NULL;

	if (!w)
		return NULL;
	w->wait.done = on_answer;
	w->wait.ctx = w;
	w->stub = s;
	w->question = *q;
	w->peer = *peer;
	w->next = s->waiting;
	if (w->next)
		w->next->link = &w->next;
	w->link = &s->waiting;
	s->waiting = w;
	s->waiting_count++;
	return w;
}

static void ask(struct stub *s, const struct stub_question *q, const struct sockaddr_in *peer)
{
	struct waiting *w = wait_for(s, q, peer);
	const struct dns_answer *a;

	if (!w) {
		s->counts.full++;
		send_reply(s, q, peer, &(struct stub_reply){.code = STUB_SERVFAIL});
		return;
	}
	a = dns_lookup(s->dns, w->question.name, &w->wait);
	if (a)
		on_answer(w, a);
}

static void on_packet(uv_udp_t *udp, ssize_t len, const uv_buf_t *buf, const struct sockaddr *from,
		      unsigned flags)
{
	const struct sockaddr_in *peer = (const struct sockaddr_in *)from;
	struct stub *s = udp->data;
	struct stub_question q;
	enum stub_code code;
	enum stub_reading reading;

	if (len < 0 || !from)
		return;
	reading = stub_read((const uint8_t *)buf->base, (size_t)len, &q, &code);
	if (reading == STUB_DROP || flags & UV_UDP_PARTIAL) {
		s->counts.malformed++;
		return;
	}
	s->counts.questions++;
	if (reading == STUB_TELL) {
		s->counts.not_for_us++;
		send_reply(s, &q, peer, &(struct stub_reply){.code = code});
	} else if (stub_name_is_refused(q.name)) {
		s->counts.refused_names++;
		send_reply(s, &q, peer, &(struct stub_reply){.code = STUB_NXDOMAIN});
	} else {
		ask(s, &q, peer);
	}
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct stub *s = handle->data;

	(void)suggested;
	*buf = uv_buf_init(s->in, sizeof(s->in));
}

static int bind_to(struct stub *s, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return uv_udp_bind(&s->udp, (const struct sockaddr *)&at, 0);
}

static int open_socket(struct stub *s, uint16_t port)
{
	struct sockaddr_in at;
	int len = sizeof(at), err = bind_to(s, port);

	if (err == UV_EADDRINUSE && port)
		err = bind_to(s, 0);
	if (!err)
		err = uv_udp_getsockname(&s->udp, (struct sockaddr *)&at, &len);
	if (!err)
		err = uv_udp_recv_start(&s->udp, on_alloc, on_packet);
	if (!err)
		s->port = ntohs(at.sin_port);
	return err;
}

static void on_closed(uv_handle_t *handle)
{
	struct stub *s = handle->data;

	free((void *)s->rules.extra);
	free(s);
}

int stub_new(uv_loop_t *loop, const struct stub_options *opts, struct stub **out)
{
	struct stub *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	err = uv_udp_init(loop, &s->udp);
	if (err) {
		free(s);
		return err;
	}
	s->udp.data = s;
	s->dns = opts->dns;
	s->rules.allow_private = opts->allow_private;
	err = open_socket(s, opts->port);
	if (err) {
		stub_free(s);
		return err;
	}
	*out = s;
	return 0;
}

void stub_free(struct stub *s)
{
	if (!s)
		return;
	while (s->waiting) {
		dns_cancel(&s->waiting->wait);
		forget(s->waiting);
	}
	uv_close((uv_handle_t *)&s->udp, on_closed);
}

uint16_t stub_port(const struct stub *s)
{
	return s->port;
}

int stub_refuse(struct stub *s, const struct spw_addr *addrs, size_t count)
{
	struct spw_addr *copy = count ? calloc(count, sizeof(*copy)) : NULL;

	if (count && !copy)
		return -ENOMEM;
	if (count)
		memcpy(copy, addrs, count * sizeof(*copy));
	free((void *)s->rules.extra);
	s->rules.extra = copy;
	s->rules.extra_count = count;
	return 0;
}

const struct stub_counts *stub_counts(const struct stub *s)
{
	return &s->counts;
}
