/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the followed names share: names.c asks, followed.c judges, news.c tells. */
#ifndef SPILLWAY_DNS_FOLLOWED_H
#define SPILLWAY_DNS_FOLLOWED_H

#include "base/log.h"
#include "dns/names.h"
#include "dns/resolver.h"
#include "dns/shrink.h"

#define NAMES_BUCKETS 1024

/* What is known of one address family of a name. */
struct side {
	struct followed *of;
	int family;
	bool asking;
	struct spw_addr addrs[DNS_ADDRS_MAX]; /* of the latest answer; sorted, each once */
	size_t count;
	size_t excess;	      /* addresses beyond the limit */
	uint64_t answered_ms; /* 0: never */
	uint64_t due_ms;      /* to be asked for again; 0: at once */
	uint32_t retry_ms;    /* more than 0: the latest question was not answered */
	char why[DNS_WHY_MAX];
	char refused[NAMES_REASON_MAX]; /* addresses that may not be used, or "" */
};

/* Freed when its timer is closed and no question of it is open. */
struct followed {
	struct followed *next; /* in its bucket */
	struct names *names;
	struct names_wish wish; /* the name is owned, without a trailing dot */
	bool listed;		/* in the names_follow() under way */
	bool begun;		/* that one has come to its end */
	unsigned users;
	bool dropped;
	uv_timer_t timer;
	struct side
		sides[2]; /* the second: asked for with both families, or when preferred is none */
	struct shrink set;
	struct names_answer answer;
	char trouble[NAMES_REASON_MAX]; /* what was told last of each, "" is none */
	char left_out[NAMES_REASON_MAX];
};

/* Limits what is written to the log, not the events. */
struct news {
	struct event_log *events; /* or NULL */
	uint64_t began_ms;
	unsigned lines, more;
};

/* What an earlier daemon knew of a name. */
struct remembered {
	struct remembered *next; /* in its bucket */
	char *name;		 /* owned */
	enum dns_family family;
	uint64_t answered_ms;
	struct spw_addr addrs[DNS_ADDRS_MAX];
	size_t count;
};

struct names {
	struct remembered *remembered[NAMES_BUCKETS]; /* owned */
	struct resolver *resolver;
	struct followed *buckets[NAMES_BUCKETS];
	struct names_times times;
	bool on_host;
	size_t open; /* questions */
	struct news news;
	uv_timer_t turn; /* armed: somebody changed */
	names_changed_fn *changed;
	void *ctx;
};

/* followed.c */

/* Whether the side's addresses are of interest now. */
bool side_is_wanted(const struct side *s);
void side_take(struct side *s, const struct resolver_answer *a, uint64_t now_ms);
/* Begins with an answer of `answered_ms`, which a failure leaves in force. */
void followed_seed(struct followed *f, const struct spw_addr *addrs, size_t count,
		   uint64_t answered_ms, uint64_t now_ms);
/* After side_take(): true when the addresses in force have changed or become known. */
bool followed_settle(struct side *s, uint64_t now_ms);

/* remember.c: what is known of the name of `f` by others, as if its own questions had told it. */
void remember_seed(struct followed *f, uint64_t now_ms);
void remember_done(struct names *n);

/* news.c: `from` NULL when the addresses are as before. */
void news_tell(struct news *n, const struct followed *f, const char *from, const char *reason,
	       enum log_level level);
const char *news_print(const struct spw_addr *addrs, size_t count, char text[EVENT_TEXT_MAX]);

#endif
