/* SPDX-License-Identifier: BSD-2-Clause */
/* The store on a real file: outcomes, versions, refusals, and what is left after SIGKILL. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>

#include "store/sqlite.h"

#define KILLS 12

struct fixture {
	char dir[64];
	struct arena *arena;
	struct store *store;
};

static struct store *open_store(struct fixture *f)
{
	struct store *s = NULL;
	const char *why = NULL;

	if (store_open(f->arena, f->dir, &s, &why))
		fail_msg("store_open: %s", why);
	return s;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/store_test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->arena = arena_new();
	f->store = open_store(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	store_close(f->store);
	arena_free(f->arena);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static struct store_change put(const char *name, const char *body)
{
	return (struct store_change){
		.op = STORE_PUT,
		.key = {.project = "default",
			.group = "gateway.envoyproxy.io",
			.kind = "Backend",
			.namespace = "default",
			.name = name,
			.body = body},
		.changed = true,
	};
}

static void commit_one(struct fixture *f, struct store_change *c)
{
	assert_int_equal(store_commit(f->store, f->arena, c, 1), 0);
}

static void a_new_resource_gets_uid_generation_and_version(void **state)
{
	struct fixture *f = *state;
	struct store_change a = put("a", "{}"), b = put("b", "{}");

	commit_one(f, &a);
	commit_one(f, &b);
	assert_int_equal(a.outcome, STORE_CREATED);
	assert_int_equal(a.after.generation, 1);
	assert_int_equal(a.after.resource_version, 1);
	assert_int_equal(b.after.resource_version, 2);
	assert_in_range(a.after.created_s, time(NULL) - 5, time(NULL));
	assert_int_equal(strlen(a.after.uid), 36);
	assert_int_equal(a.after.uid[14], '4');
	assert_non_null(strchr("89ab", a.after.uid[19]));
	assert_string_not_equal(a.after.uid, b.after.uid);
	assert_int_equal(store_version(f->store), 2);
}

static void the_generation_follows_the_spec_and_the_version_every_change(void **state)
{
	static const struct {
		bool changed, spec_changed;
		enum store_outcome outcome;
		int64_t generation, version;
		const char *body;
	} rows[] = {
		{false, false, STORE_UNCHANGED, 1, 1, "0"},
		{true, false, STORE_CONFIGURED, 1, 2, "1"},
		{true, true, STORE_CONFIGURED, 2, 3, "2"},
		{false, false, STORE_UNCHANGED, 2, 3, "2"},
	};
	struct fixture *f = *state;
	struct store_change c = put("a", "0");
	const char *uid;

	commit_one(f, &c);
	uid = c.after.uid;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char body[2] = {(char)('0' + i), 0};

		c = put("a", body);
		c.changed = rows[i].changed;
		c.spec_changed = rows[i].spec_changed;
		commit_one(f, &c);
		assert_int_equal(c.outcome, rows[i].outcome);
		assert_int_equal(c.after.generation, rows[i].generation);
		assert_int_equal(c.after.resource_version, rows[i].version);
		assert_string_equal(c.after.uid, uid);
		assert_int_equal(store_get(f->store, f->arena, &c.key, &c.after), 0);
		assert_string_equal(c.after.body, rows[i].body);
		assert_int_equal(c.after.generation, rows[i].generation);
	}
}

static void a_delete_of_what_is_not_there_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_change c = put("a", "{}"), gone = put("a", NULL);

	gone.op = STORE_DELETE;
	commit_one(f, &gone);
	assert_int_equal(gone.outcome, STORE_NOT_FOUND);
	assert_int_equal(store_version(f->store), 0);
	commit_one(f, &c);
	commit_one(f, &gone);
	assert_int_equal(gone.outcome, STORE_DELETED);
	assert_int_equal(store_version(f->store), 2);
	assert_int_equal(store_get(f->store, f->arena, &c.key, &c.after), -ENOENT);
}

static void a_resource_made_again_gets_another_uid(void **state)
{
	struct fixture *f = *state;
	struct store_change c = put("a", "{}"), gone = put("a", NULL), again = put("a", "{}");

	gone.op = STORE_DELETE;
	commit_one(f, &c);
	commit_one(f, &gone);
	commit_one(f, &again);
	assert_string_not_equal(c.after.uid, again.after.uid);
	assert_int_equal(again.after.generation, 1);
}

static void a_failing_change_takes_the_whole_commit_back(void **state)
{
	struct fixture *f = *state;
	struct store_change c[2] = {put("a", "{}"), put("b", NULL)};
	struct stored_list all;

	/* A body of NULL breaks the NOT NULL rule of the schema. */
	assert_int_not_equal(store_commit(f->store, f->arena, c, 2), 0);
	assert_int_equal(store_list(f->store, f->arena, NULL, NULL, NULL, NULL, &all), 0);
	assert_int_equal(all.count, 0);
	assert_int_equal(store_version(f->store), 0);
	commit_one(f, c);
	assert_int_equal(c[0].outcome, STORE_CREATED);
}

/* A file that may not grow is a full disk to SQLite, which then ends the transaction itself. */
static void a_full_disk_is_named_with_the_remedy(void **state)
{
	struct fixture *f = *state;
	struct store_change c = put("big", NULL);
	char *body = arena_alloc(f->arena, 1 << 16);
	struct stored_list all;

	memset(body, 'x', (1 << 16) - 1);
	c.key.body = body;
	assert_int_equal(sqlite3_exec(f->store->db, "PRAGMA max_page_count = 1", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(store_commit(f->store, f->arena, &c, 1), -ENOSPC);
	assert_non_null(strstr(store_error(f->store), "full"));
	assert_non_null(strstr(store_error(f->store), "--state-dir"));
	assert_int_equal(store_list(f->store, f->arena, NULL, NULL, NULL, NULL, &all), 0);
	assert_int_equal(all.count, 0);
}

static void nothing_is_taken_that_no_start_would_find(void **state)
{
	struct fixture *f = *state;
	const char *path = arena_printf(f->arena, "%s/spillway.db", f->dir);
	const char *away = arena_printf(f->arena, "%s/away.db", f->dir);
	struct store_change c = put("a", "{}");

	assert_int_equal(rename(path, away), 0);
	assert_int_equal(store_commit(f->store, f->arena, &c, 1), -ESTALE);
	assert_non_null(strstr(store_error(f->store), "moved or deleted"));
	assert_int_equal(store_set_admin(f->store, "10.0.0.1:80", "down"), -ESTALE);
	assert_int_equal(rename(away, path), 0);
	commit_one(f, &c);
}

static void lists_are_ordered_and_filtered(void **state)
{
	struct fixture *f = *state;
	struct store_change c[4] = {put("b", "{}"), put("a", "{}"), put("a", "{}"), put("a", "{}")};
	struct stored_list l;

	c[2].key.namespace = "other";
	c[3].key.kind = "Gateway";
	assert_int_equal(store_commit(f->store, f->arena, c, 4), 0);
	assert_int_equal(store_list(f->store, f->arena, "default", NULL, "Backend", NULL, &l), 0);
	assert_int_equal(l.count, 3);
	assert_string_equal(l.items[0].name, "a");
	assert_string_equal(l.items[1].name, "b");
	assert_string_equal(l.items[2].namespace, "other");
	assert_int_equal(store_list(f->store, f->arena, NULL, NULL, NULL, "default", &l), 0);
	assert_int_equal(l.count, 3);
	assert_int_equal(store_list(f->store, f->arena, "nope", NULL, NULL, NULL, &l), 0);
	assert_int_equal(l.count, 0);
}

static void everything_is_there_after_opening_again(void **state)
{
	struct fixture *f = *state;
	struct store_change c = put("a", "{\"x\":1}");
	struct stored s;

	commit_one(f, &c);
	store_close(f->store);
	f->store = open_store(f);
	assert_int_equal(store_get(f->store, f->arena, &c.key, &s), 0);
	assert_string_equal(s.body, "{\"x\":1}");
	assert_string_equal(s.uid, c.after.uid);
	assert_int_equal(s.created_s, c.after.created_s);
	assert_int_equal(store_version(f->store), 1);
}

static void note_word(void *ctx, const char *endpoint, const char *word)
{
	char *text = ctx;

	(void)snprintf(text + strlen(text), 128 - strlen(text), "%s=%s ", endpoint, word);
}

static void the_operators_words_are_kept_until_forgotten(void **state)
{
	struct fixture *f = *state;
	char text[128] = "";

	assert_int_equal(store_set_admin(f->store, "10.0.0.1:80", "down"), 0);
	assert_int_equal(store_set_admin(f->store, "10.0.0.2:80", "drain"), 0);
	assert_int_equal(store_set_admin(f->store, "10.0.0.2:80", "up"), 0);
	assert_int_equal(store_set_admin(f->store, "10.0.0.1:80", NULL), 0);
	assert_int_equal(store_set_admin(f->store, "10.0.0.9:80", NULL), 0);
	assert_int_equal(store_each_admin(f->store, note_word, text), 0);
	assert_string_equal(text, "10.0.0.2:80=up ");
}

static void many_words_are_kept_together_or_not_at_all(void **state)
{
	struct fixture *f = *state;
	const struct store_word words[] = {
		{"10.0.0.1:80", "drain deadline=1767323645 then=reset"},
		{"10.0.0.2:80", "drain"},
		{"10.0.0.3:80", NULL},
	};
	const struct store_word bad[] = {{"10.0.0.1:80", NULL}, {NULL, "down"}};
	char text[128] = "";

	assert_int_equal(store_set_admin(f->store, "10.0.0.3:80", "up"), 0);
	assert_int_equal(store_set_admins(f->store, words, 3), 0);
	assert_int_equal(store_set_admins(f->store, words, 0), 0);
	assert_true(store_set_admins(f->store, bad, 2) < 0);
	assert_int_equal(store_each_admin(f->store, note_word, text), 0);
	assert_string_equal(text, "10.0.0.1:80=drain deadline=1767323645 then=reset "
				  "10.0.0.2:80=drain ");
}

static void a_second_opener_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store *second = NULL;
	const char *why = NULL;

	assert_int_equal(store_open(f->arena, f->dir, &second, &why), -EBUSY);
	assert_non_null(strstr(why, "in use by another process"));
	assert_null(second);
}

static void run_sql(struct fixture *f, const char *sql)
{
	const char *path = arena_printf(f->arena, "%s/spillway.db", f->dir);
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_newer_schema_is_refused_with_the_remedy(void **state)
{
	struct fixture *f = *state;
	const char *why = NULL;

	store_close(TAKE(f->store));
	run_sql(f, "PRAGMA user_version = 2");
	assert_int_equal(store_open(f->arena, f->dir, &f->store, &why), -ENOTSUP);
	assert_non_null(strstr(why, "schema 2, this one knows 1"));
	assert_non_null(strstr(why, "--state-dir"));
}

static void a_store_of_an_earlier_version_has_nothing_applied(void **state)
{
	struct fixture *f = *state;
	struct store_change c = put("a", "{}");

	c.apply = true;
	commit_one(f, &c);
	store_close(TAKE(f->store));
	run_sql(f, "DROP TABLE applied");
	f->store = open_store(f);
	assert_int_equal(store_get(f->store, f->arena, &c.key, &c.after), 0);
	assert_false(c.after.applied);
}

static void a_file_that_is_no_store_is_refused_with_the_remedy(void **state)
{
	struct fixture *f = *state;
	const char *path = arena_printf(f->arena, "%s/spillway.db", f->dir);
	const char *why = NULL;
	FILE *out;

	store_close(TAKE(f->store));
	out = fopen(path, "w");
	for (int i = 0; i < 1000; i++)
		(void)fputs("no database at all ", out);
	(void)fclose(out);
	assert_int_equal(store_open(f->arena, f->dir, &f->store, &why), -EBADMSG);
	assert_non_null(strstr(why, "restore it from a backup"));
}

static void a_directory_that_cannot_be_made_is_named(void **state)
{
	struct fixture *f = *state;
	const char *why = NULL;
	struct store *s = NULL;

	assert_int_equal(store_open(f->arena, "/dev/null/state", &s, &why), -ENOTDIR);
	assert_non_null(strstr(why, "/dev/null/state/spillway.db"));
}

/* Commits pairs "a"/"b" with the same number, for ever; *answered is the last one answered. */
static void commit_until_killed(struct fixture *f, volatile uint32_t *answered)
{
	for (uint32_t n = *answered + 1;; n++) {
		struct arena *a = arena_new();
		const char *body = arena_printf(a, "%u", n);
		struct store_change c[2] = {put("a", body), put("b", body)};

		c[0].spec_changed = c[1].spec_changed = true;
		if (store_commit(f->store, a, c, 2))
			_exit(1);
		*answered = n;
		arena_free(a);
	}
}

static uint32_t stored_number(struct fixture *f, const char *name)
{
	struct store_change c = put(name, NULL);
	struct stored s;

	if (store_get(f->store, f->arena, &c.key, &s))
		return 0;
	return (uint32_t)strtoul(s.body, NULL, 10);
}

static void after_sigkill_every_answered_commit_is_whole(void **state)
{
	struct fixture *f = *state;
	volatile uint32_t *answered =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t a, b, at_kill = 0;
	int status;
	pid_t pid;

	assert_true(answered != MAP_FAILED);
	srand(7);
	for (int i = 0; i < KILLS; i++) {
		store_close(TAKE(f->store));
		pid = fork();
		if (pid == 0) {
			f->store = open_store(f);
			commit_until_killed(f, answered);
		}
		usleep(20000 + (useconds_t)(rand() % 60000));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		f->store = open_store(f);
		a = stored_number(f, "a");
		b = stored_number(f, "b");
		at_kill = *answered;
		assert_int_equal(a, b);
		assert_in_range(a, at_kill, at_kill + 1);
		assert_int_equal(store_version(f->store), 2 * a);
		*answered = a;
	}
	assert_true(at_kill > KILLS);
	(void)munmap((void *)answered, 4096);
}

static void what_was_applied_is_known_until_it_is_deleted(void **state)
{
	struct fixture *f = *state;
	struct store_change made = put("a", "{}"), again = put("a", "{}"), gone = put("a", "{}");

	commit_one(f, &made);
	assert_false(made.after.applied);
	again.changed = false;
	again.apply = true;
	commit_one(f, &again);
	assert_int_equal(again.outcome, STORE_UNCHANGED);
	assert_true(again.after.applied);
	assert_int_equal(store_version(f->store), 1);

	store_close(TAKE(f->store));
	f->store = open_store(f);
	assert_int_equal(store_get(f->store, f->arena, &made.key, &made.after), 0);
	assert_true(made.after.applied);

	gone.op = STORE_DELETE;
	commit_one(f, &gone);
	made = put("a", "{}");
	commit_one(f, &made);
	assert_int_equal(store_get(f->store, f->arena, &made.key, &made.after), 0);
	assert_false(made.after.applied);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_resource_gets_uid_generation_and_version),
		TEST(the_generation_follows_the_spec_and_the_version_every_change),
		TEST(a_delete_of_what_is_not_there_changes_nothing),
		TEST(a_resource_made_again_gets_another_uid),
		TEST(a_failing_change_takes_the_whole_commit_back),
		TEST(a_full_disk_is_named_with_the_remedy),
		TEST(nothing_is_taken_that_no_start_would_find),
		TEST(lists_are_ordered_and_filtered),
		TEST(everything_is_there_after_opening_again),
		TEST(the_operators_words_are_kept_until_forgotten),
		TEST(many_words_are_kept_together_or_not_at_all),
		TEST(what_was_applied_is_known_until_it_is_deleted),
		TEST(a_second_opener_is_refused),
		TEST(a_newer_schema_is_refused_with_the_remedy),
		TEST(a_store_of_an_earlier_version_has_nothing_applied),
		TEST(a_file_that_is_no_store_is_refused_with_the_remedy),
		TEST(a_directory_that_cannot_be_made_is_named),
		TEST(after_sigkill_every_answered_commit_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
