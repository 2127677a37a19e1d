/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What answers mean for a name: which addresses may be used, which family counts, and what stays
 * although the answer has it not.
 */
#include "dns/followed.h"

#include <stdio.h>
#include <string.h>

#include "base/addr.h"

static const struct names *names_of(const struct side *s)
{
	return s->of->names;
}

/* What a manifest may not say by an address, a name may not say either. NULL: it may be used. */
static const char *refusal(const struct names *n, const struct spw_addr *a)
{
	if (addr_is_unspecified(a))
		return "unspecified";
	if (addr_is_multicast(a))
		return "multicast";
	if (addr_is_link_local(a))
		return "link-local";
	return addr_is_loopback(a) && !n->on_host ? "loopback" : NULL;
}

/* The lowest DNS_ADDRS_MAX, each once: the same whatever the order of the answer. */
static void insert(struct side *s, const struct spw_addr *a)
{
	size_t at = 0;

	while (at < s->count && addr_compare(&s->addrs[at], a) < 0)
		at++;
	if (at < s->count && addr_equal(&s->addrs[at], a))
		return;
	if (s->count == DNS_ADDRS_MAX)
		s->excess++;
	else
		s->count++;
	for (size_t i = s->count - 1; i > at; i--)
		s->addrs[i] = s->addrs[i - 1];
	if (at < DNS_ADDRS_MAX)
		s->addrs[at] = *a;
}

static void take_addrs(struct side *s, const struct resolver_answer *a)
{
	const struct spw_addr *least = NULL;
	const char *why = NULL;
	char text[ADDR_TEXT_MAX];
	size_t refused = 0;

	s->count = 0;
	s->excess = 0;
	s->refused[0] = '\0';
	for (size_t i = 0; i < a->count; i++) {
		if (!refusal(names_of(s), &a->addrs[i])) {
			insert(s, &a->addrs[i]);
			continue;
		}
		refused++;
		if (!least || addr_compare(&a->addrs[i], least) < 0)
			least = &a->addrs[i];
	}
	if (!refused)
		return;
	why = refusal(names_of(s), least);
	if (refused == 1)
		event_text(s->refused, sizeof(s->refused), "%s is left out: %s",
			   addr_print(least, text), why);
	else
		event_text(s->refused, sizeof(s->refused),
			   "%s (%s) and %zu more that may not be used are left out",
			   addr_print(least, text), why, refused - 1);
}

static uint64_t pause_ms(const struct side *s, const struct resolver_answer *a)
{
	const struct names_times *t = &names_of(s)->times;
	uint64_t ms = s->of->wish.refresh_ms;

	if (s->of->wish.respect_ttl && a->count)
		ms = a->ttl_ms > t->ttl_most_ms ? t->ttl_most_ms : a->ttl_ms;
	return ms < t->ttl_least_ms ? t->ttl_least_ms : ms;
}

static void take_failure(struct side *s, uint64_t now_ms)
{
	const struct names_times *t = &names_of(s)->times;

	s->retry_ms = s->retry_ms ? s->retry_ms * 2 : t->retry_least_ms;
	if (s->retry_ms > t->retry_most_ms)
		s->retry_ms = t->retry_most_ms;
	s->due_ms = now_ms + s->retry_ms;
	if (s->answered_ms && now_ms - s->answered_ms >= t->stale_most_ms) {
		s->count = 0;
		s->excess = 0;
		s->refused[0] = '\0';
	}
}

void side_take(struct side *s, const struct resolver_answer *a, uint64_t now_ms)
{
	(void)snprintf(s->why, sizeof(s->why), "%s", a->why);
	if (a->outcome == DNS_FAILED || a->outcome == DNS_OURS) {
		take_failure(s, now_ms);
		return;
	}
	take_addrs(s, a);
	s->answered_ms = now_ms;
	s->retry_ms = 0;
	s->due_ms = now_ms + pause_ms(s, a);
}

static bool is_preferring(const struct followed *f)
{
	return f->wish.family == DNS_IPV4_PREFERRED || f->wish.family == DNS_IPV6_PREFERRED;
}

static bool was_asked(const struct side *s)
{
	return s->answered_ms || s->retry_ms;
}

bool side_is_wanted(const struct side *s)
{
	const struct followed *f = s->of;

	if (s == &f->sides[0] || f->wish.family == DNS_IPV4_AND_IPV6)
		return true;
	return is_preferring(f) && was_asked(&f->sides[0]) && f->sides[0].count == 0;
}

/* The second side is asked because the first one has nothing: its answer decides. */
static bool is_waiting(const struct followed *f, uint64_t now_ms)
{
	const struct side *s = &f->sides[1];

	return is_preferring(f) && side_is_wanted(s) && (s->asking || now_ms >= s->due_ms);
}

/* The addresses of the latest answers, IPv4 first, which is their order; how many there are. */
static size_t combine(const struct followed *f, struct spw_addr to[DNS_ADDRS_MAX], size_t *excess)
{
	const struct side *v4 = &f->sides[f->sides[0].family == AF_INET ? 0 : 1];
	const struct side *v6 = &f->sides[v4 == f->sides];
	size_t a = side_is_wanted(v4) ? v4->count : 0, b = side_is_wanted(v6) ? v6->count : 0;
	size_t fits = b < DNS_ADDRS_MAX - a ? b : DNS_ADDRS_MAX - a;

	memcpy(to, v4->addrs, a * sizeof(*to));
	memcpy(to + a, v6->addrs, fits * sizeof(*to));
	*excess = (a ? v4->excess : 0) + (b ? v6->excess : 0) + b - fits;
	return a + fits;
}

static const struct side *failing_side(const struct followed *f)
{
	for (size_t i = 0; i < 2; i++)
		if (side_is_wanted(&f->sides[i]) && f->sides[i].retry_ms)
			return &f->sides[i];
	return NULL;
}

/* Why there is no address. */
static const char *why_empty(const struct followed *f)
{
	const struct side *first = &f->sides[0], *s = failing_side(f);

	if (s)
		return s->why;
	if (first->refused[0])
		return first->refused;
	s = &f->sides[1];
	if (side_is_wanted(s) && s->refused[0])
		return s->refused;
	return first->why[0] ? first->why : "no address";
}

/* What stays although the latest answer has it not; "" when nothing does. */
static void print_kept(const struct followed *f, char text[NAMES_REASON_MAX])
{
	const struct shrink *set = &f->set;
	size_t of = set->from > set->count ? set->from : set->count;

	text[0] = '\0';
	if (set->count <= set->answered)
		return;
	if (set->answered)
		event_text(text, NAMES_REASON_MAX,
			   "%zu of %zu addresses are kept though the answer has %zu", set->count,
			   of, set->answered);
	else
		event_text(text, NAMES_REASON_MAX,
			   "%zu of %zu addresses are kept though the answer has none (%s)",
			   set->count, of, why_empty(f));
}

/* What is not as it should be; "" when all is well. */
static void print_trouble(const struct followed *f, char text[NAMES_REASON_MAX])
{
	const struct side *s = failing_side(f);
	const char *family = "";

	if (!s) {
		print_kept(f, text);
		if (!f->set.count)
			event_text(text, NAMES_REASON_MAX, "%s", why_empty(f));
		return;
	}
	if (f->wish.family == DNS_IPV4_AND_IPV6)
		family = s->family == AF_INET ? " for IPv4" : " for IPv6";
	event_text(text, NAMES_REASON_MAX, "%s%s%s", s->why, family,
		   s->count ? ": the last good answer stays" : "");
}

static void print_left_out(const struct followed *f, size_t excess, char text[NAMES_REASON_MAX])
{
	const char *refused = "";

	for (size_t i = 0; i < 2 && !refused[0]; i++)
		if (side_is_wanted(&f->sides[i]))
			refused = f->sides[i].refused;
	if (excess)
		event_text(text, NAMES_REASON_MAX,
			   "%zu of %zu addresses are left out: %d is the most%s%s", excess,
			   excess + DNS_ADDRS_MAX, DNS_ADDRS_MAX, refused[0] ? "; " : "", refused);
	else
		event_text(text, NAMES_REASON_MAX, "%s", refused);
}

static void fill_answer(struct followed *f)
{
	struct names_answer *a = &f->answer;
	const struct side *failing = failing_side(f);
	const char *reason = f->trouble[0] ? f->trouble : f->left_out;

	a->addrs = f->set.addrs;
	a->count = f->set.count;
	a->state = NAMES_GOOD;
	if (!a->count)
		a->state = NAMES_EMPTY;
	else if (a->count > f->set.answered || (failing && failing->count))
		a->state = NAMES_KEPT;
	(void)snprintf(a->reason, sizeof(a->reason), "%s", reason);
}

/* Why the addresses are others than before. */
static void print_change(const struct followed *f, char text[NAMES_REASON_MAX])
{
	print_kept(f, text);
	if (text[0])
		return;
	if (!f->set.count)
		event_text(text, NAMES_REASON_MAX, "%s", why_empty(f));
	else
		event_text(text, NAMES_REASON_MAX, "%s",
			   f->answer.state == NAMES_UNKNOWN ? "resolved" : "changed");
}

/* Each thing once for as long as it is so. `from`: the addresses before; NULL: still these. */
static void tell(struct followed *f, const char *from, size_t excess)
{
	char why[NAMES_REASON_MAX] = "", trouble[NAMES_REASON_MAX], left_out[NAMES_REASON_MAX];
	struct news *news = &f->names->news;

	print_trouble(f, trouble);
	print_left_out(f, excess, left_out);
	if (from) {
		print_change(f, why);
		news_tell(news, f, from, why, LOG_LEVEL_INFO);
	}
	if (trouble[0] && strcmp(trouble, f->trouble) != 0 && strcmp(trouble, why) != 0)
		news_tell(news, f, NULL, trouble, LOG_LEVEL_WARN);
	if (!trouble[0] && f->trouble[0] && !from)
		news_tell(news, f, NULL, "answered again", LOG_LEVEL_INFO);
	if (left_out[0] && strcmp(left_out, f->left_out) != 0 && strcmp(left_out, trouble) != 0)
		news_tell(news, f, NULL, left_out, LOG_LEVEL_WARN);
	memcpy(f->trouble, trouble, sizeof(trouble));
	memcpy(f->left_out, left_out, sizeof(left_out));
}

/* A question without an answer is no word about the addresses, unless the last one is too old. */
static bool says_something(const struct side *s, uint64_t now_ms)
{
	if (!s->retry_ms)
		return true;
	return s->answered_ms && now_ms - s->answered_ms >= names_of(s)->times.stale_most_ms;
}

bool followed_settle(struct side *s, uint64_t now_ms)
{
	struct followed *f = s->of;
	const struct shrink_times times = {f->names->times.step_ms, f->names->times.confirm_ms};
	bool first = f->answer.state == NAMES_UNKNOWN, changed = false;
	struct spw_addr addrs[DNS_ADDRS_MAX];
	char from[EVENT_TEXT_MAX] = "unknown";
	size_t excess, count;

	if (is_waiting(f, now_ms))
		return false;
	if (!first)
		(void)news_print(f->set.addrs, f->set.count, from);
	count = combine(f, addrs, &excess);
	if (says_something(s, now_ms))
		changed = shrink_take(&f->set, addrs, count, now_ms, &times);
	tell(f, changed ? from : NULL, excess);
	fill_answer(f);
	return changed || first;
}

void followed_seed(struct followed *f, const struct spw_addr *addrs, size_t count,
		   uint64_t answered_ms, uint64_t now_ms)
{
	const struct shrink_times times = {f->names->times.step_ms, f->names->times.confirm_ms};

	for (size_t i = 0; i < count; i++) {
		struct side *s = &f->sides[0];

		if ((addr_is_v4(&addrs[i]) ? AF_INET : AF_INET6) != s->family)
			s++;
		insert(s, &addrs[i]);
		s->answered_ms = answered_ms;
	}
	(void)shrink_take(&f->set, addrs, count, now_ms, &times);
	fill_answer(f);
}
