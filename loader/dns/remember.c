/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was known of a name before it was followed by this wish: by another wish, or by the daemon
 * before, which left a file. Its lines are AGE FAMILY NAME ADDRESS..., the age of the answer in seconds when
 * the file was written. It is a cache: what cannot be read is left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "dns/followed.h"

static uint64_t answered_of(const struct followed *f)
{
	const uint64_t a = f->sides[0].answered_ms, b = f->sides[1].answered_ms;

	return a > b ? a : b;
}

static size_t name_len(const char *name)
{
	const size_t len = strlen(name);

	return len && name[len - 1] == '.' ? len - 1 : len;
}

/* As names.c has it: wishes for one name share a bucket. */
static size_t bucket_of(const char *name)
{
	return hash_bytes(name, name_len(name), 0) % NAMES_BUCKETS;
}

static bool is_same_name(const char *a, const char *b)
{
	return name_len(a) == name_len(b) && strncmp(a, b, name_len(a)) == 0;
}

/* Whoever follows it; the file counts only for names that nobody has followed yet. */
static const struct followed *find_followed(const struct names *n, const struct names_wish *w)
{
	const struct followed *f = n->buckets[bucket_of(w->name)];

	while (f && (f->wish.family != w->family || f->answer.state == NAMES_UNKNOWN ||
		     !is_same_name(f->wish.name, w->name)))
		f = f->next;
	return f;
}

static const struct remembered *find_remembered(const struct names *n, const struct names_wish *w)
{
	const struct remembered *r = n->remembered[bucket_of(w->name)];

	while (r && (r->family != w->family || !is_same_name(r->name, w->name) ||
		     clock_ms() - r->answered_ms >= n->times.stale_most_ms))
		r = r->next;
	return r;
}

const struct spw_addr *names_recall(const struct names *n, const struct names_wish *wish,
				    size_t *count)
{
	const struct followed *f = find_followed(n, wish);
	const struct remembered *r = f ? NULL : find_remembered(n, wish);

	*count = f ? f->answer.count : r ? r->count : 0;
	return f ? f->answer.addrs : r ? r->addrs : NULL;
}

void remember_seed(struct followed *f, uint64_t now_ms)
{
	const struct followed *other = find_followed(f->names, &f->wish);
	const struct remembered *r = other ? NULL : find_remembered(f->names, &f->wish);

	if (other && other->answer.count)
		followed_seed(f, other->answer.addrs, other->answer.count, answered_of(other),
			      now_ms);
	else if (r)
		followed_seed(f, r->addrs, r->count, r->answered_ms, now_ms);
}

void remember_done(struct names *n)
{
	for (size_t b = 0; b < NAMES_BUCKETS; b++) {
		while (n->remembered[b]) {
			struct remembered *r = n->remembered[b];

			n->remembered[b] = r->next;
			free(r->name);
			free(r);
		}
	}
}

static void print_one(FILE *out, const struct followed *f, uint64_t now_ms)
{
	char text[ADDR_TEXT_MAX];

	(void)fprintf(out, "%llu %d %s", (unsigned long long)(now_ms - answered_of(f)) / 1000,
		      (int)f->wish.family, f->wish.name);
	for (size_t i = 0; i < f->answer.count; i++)
		(void)fprintf(out, " %s", addr_print(&f->answer.addrs[i], text));
	(void)fputc('\n', out);
}

static int print_all(const struct names *n, int fd)
{
	const uint64_t now_ms = clock_ms();
	FILE *out = fdopen(fd, "w");
	bool failed;

	if (!out) {
		(void)close(fd);
		return -ENOMEM;
	}
	for (size_t b = 0; b < NAMES_BUCKETS; b++) {
		for (const struct followed *f = n->buckets[b]; f; f = f->next) {
			if (f->answer.count && answered_of(f))
				print_one(out, f, now_ms);
		}
	}
	failed = ferror(out);
	return fclose(out) || failed ? -EIO : 0;
}

int names_save(const struct names *n, const char *path)
{
	AUTO(free) char *next = NULL;
	int fd, err;

	if (asprintf(&next, "%s.next", path) < 0) {
		next = NULL;
		return -ENOMEM;
	}
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = print_all(n, fd);
	if (!err && rename(next, path))
		err = -errno;
	return err;
}

/* The rest of a line; false when it has no address. */
static bool read_addrs(char *text, struct remembered *r)
{
	char *rest = NULL;

	for (char *word = strtok_r(text, " \n", &rest); word && r->count < DNS_ADDRS_MAX;
	     word = strtok_r(NULL, " \n", &rest)) {
		if (addr_parse(word, &r->addrs[r->count]))
			return false;
		r->count++;
	}
	return r->count > 0;
}

static struct remembered *read_line(char *line, uint64_t age_ms)
{
	AUTO(free) struct remembered *r = calloc(1, sizeof(*r));
	unsigned long long seconds;
	char name[256];
	int family, used = 0;

	if (!r || sscanf(line, "%llu %d %255s%n", &seconds, &family, name, &used) != 3 ||
	    family < 0 || family > DNS_IPV4_AND_IPV6 || !read_addrs(line + used, r))
		return NULL;
	age_ms += seconds * 1000;
	if (age_ms >= clock_ms())
		return NULL; /* older than this host's uptime */
	r->family = (enum dns_family)family;
	r->answered_ms = clock_ms() - age_ms;
	r->name = strdup(name);
	return r->name ? TAKE(r) : NULL;
}

static uint64_t age_of(FILE *f)
{
	const time_t now = time(NULL);
	struct stat st;

	if (fstat(fileno(f), &st) || st.st_mtime >= now)
		return 0;
	return (uint64_t)(now - st.st_mtime) * 1000;
}

void names_load(struct names *n, const char *path)
{
	FILE *f = fopen(path, "re");
	AUTO(free) char *line = NULL;
	struct remembered *r;
	size_t size = 0;
	uint64_t age_ms;

	if (!f)
		return;
	age_ms = age_of(f);
	while (getline(&line, &size, f) > 0) {
		r = read_line(line, age_ms);
		if (!r)
			continue;
		r->next = n->remembered[bucket_of(r->name)];
		n->remembered[bucket_of(r->name)] = r;
	}
	(void)fclose(f);
}
