/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of the store. One commit is one transaction: every change reads the row it is about, decides
 * the outcome and writes; the first failure rolls all of it back.
 */
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "store/sqlite.h"

#define UUID_TEXT_MAX 37

/* Steps a statement that returns no rows. */
static int run(sqlite3_stmt *s)
{
	return store_errno(sqlite3_step(s));
}

static int run_plain(struct store *s, enum sql which)
{
	STMT stmt = s->stmts[which];

	return run(stmt);
}

/* Texts outlive the step, hence SQLITE_STATIC; NULL binds NULL. */
static void bind_text(sqlite3_stmt *s, int index, const char *text)
{
	(void)sqlite3_bind_text(s, index, text, -1, SQLITE_STATIC);
}

void store_bind_key(sqlite3_stmt *s, const struct stored *key)
{
	bind_text(s, 1, key->project);
	bind_text(s, 2, key->group);
	bind_text(s, 3, key->kind);
	bind_text(s, 4, key->namespace);
	bind_text(s, 5, key->name);
}

static const char *column_text(sqlite3_stmt *s, struct arena *a, int index)
{
	const char *text = (const char *)sqlite3_column_text(s, index);

	return arena_strndup(a, text ? text : "", (size_t)sqlite3_column_bytes(s, index));
}

static void read_row(sqlite3_stmt *s, struct arena *a, struct stored *out)
{
	out->project = column_text(s, a, 0);
	out->group = column_text(s, a, 1);
	out->kind = column_text(s, a, 2);
	out->namespace = column_text(s, a, 3);
	out->name = column_text(s, a, 4);
	out->uid = column_text(s, a, 5);
	out->generation = sqlite3_column_int64(s, 6);
	out->resource_version = sqlite3_column_int64(s, 7);
	out->created_s = sqlite3_column_int64(s, 8);
	out->body = column_text(s, a, 9);
	out->applied = sqlite3_column_int(s, 10) != 0;
}

static int new_uid(struct arena *a, const char **out)
{
	static const char hex[] = "0123456789abcdef";
	char text[UUID_TEXT_MAX];
	unsigned char b[16];
	size_t n = 0;

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return -EIO;
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* version 4, variant 1: RFC 4122 4.4 */
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[n++] = '-';
		text[n++] = hex[b[i] >> 4];
		text[n++] = hex[b[i] & 0xf];
	}
	*out = arena_strndup(a, text, n);
	return 0;
}

int store_list(struct store *s, struct arena *a, const char *project, const char *group,
	       const char *kind, const char *namespace, struct stored_list *out)
{
	STMT stmt = s->stmts[SQL_LIST];
	struct stored_list list = {0};
	int rc;

	bind_text(stmt, 1, project);
	bind_text(stmt, 2, group);
	bind_text(stmt, 3, kind);
	bind_text(stmt, 4, namespace);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		read_row(stmt, a, arena_push(a, list.items, list.count));
	if (rc != SQLITE_DONE) {
		store_note_failure(s);
		return store_errno(rc);
	}
	*out = list;
	return 0;
}

int store_get(struct store *s, struct arena *a, const struct stored *key, struct stored *out)
{
	STMT stmt = s->stmts[SQL_GET];
	int rc;

	store_bind_key(stmt, key);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_DONE)
		return -ENOENT;
	if (rc == SQLITE_ROW)
		read_row(stmt, a, out);
	return store_errno(rc);
}

static int write_row(struct store *s, const struct stored *row)
{
	STMT stmt = s->stmts[SQL_PUT];

	store_bind_key(stmt, row);
	bind_text(stmt, 6, row->uid);
	(void)sqlite3_bind_int64(stmt, 7, row->generation);
	(void)sqlite3_bind_int64(stmt, 8, row->resource_version);
	(void)sqlite3_bind_int64(stmt, 9, row->created_s);
	bind_text(stmt, 10, row->body);
	return run(stmt);
}

static int run_uid(struct store *s, enum sql which, const char *uid)
{
	STMT stmt = s->stmts[which];

	bind_text(stmt, 1, uid);
	return run(stmt);
}

static int note_applied(struct store *s, struct store_change *c)
{
	if (!c->apply || c->after.applied)
		return 0;
	c->after.applied = true;
	return run_uid(s, SQL_APPLIED, c->after.uid);
}

static int put_new(struct store *s, struct arena *a, struct store_change *c, int64_t version)
{
	struct stored row = c->key;
	int err = new_uid(a, &row.uid);

	row.applied = false;
	if (err)
		return err;
	row.generation = 1;
	row.resource_version = version + 1;
	if (!row.created_s)
		row.created_s = (int64_t)time(NULL);
	c->after = row;
	c->outcome = STORE_CREATED;
	return write_row(s, &row);
}

static int put_one(struct store *s, struct arena *a, struct store_change *c, int64_t version)
{
	int err = store_get(s, a, &c->key, &c->after);

	if (err == -ENOENT)
		return put_new(s, a, c, version);
	if (err)
		return err;
	c->outcome = STORE_UNCHANGED;
	if (!c->changed && !c->spec_changed)
		return 0;
	c->outcome = STORE_CONFIGURED;
	c->after.generation += c->spec_changed;
	c->after.resource_version = version + 1;
	c->after.body = c->key.body;
	return write_row(s, &c->after);
}

static int delete_one(struct store *s, struct arena *a, struct store_change *c)
{
	STMT stmt = s->stmts[SQL_DELETE];
	STMT times = s->stmts[SQL_TIMES_DELETE];
	int err = store_get(s, a, &c->key, &c->after);

	c->outcome = STORE_NOT_FOUND;
	if (err)
		return err == -ENOENT ? 0 : err;
	c->outcome = STORE_DELETED;
	store_bind_key(times, &c->key);
	err = run(times);
	store_bind_key(stmt, &c->key);
	if (!err)
		err = run(stmt);
	return err || !c->after.applied ? err : run_uid(s, SQL_FORGET, c->after.uid);
}

static int change_one(struct store *s, struct arena *a, struct store_change *c, int64_t *version)
{
	int err = -EINVAL;

	switch (c->op) {
	case STORE_PUT:
		err = put_one(s, a, c, *version);
		if (!err)
			err = note_applied(s, c);
		break;
	case STORE_DELETE:
		err = delete_one(s, a, c);
		break;
	}
	if (!err && c->outcome != STORE_UNCHANGED && c->outcome != STORE_NOT_FOUND)
		(*version)++;
	return err;
}

static int set_version(struct store *s, int64_t version)
{
	STMT stmt = s->stmts[SQL_SET_VERSION];

	(void)sqlite3_bind_int64(stmt, 1, version);
	return run(stmt);
}

static int read_version(struct store *s, int64_t *out)
{
	STMT stmt = s->stmts[SQL_VERSION];
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	return rc == SQLITE_DONE ? -EBADMSG : store_errno(rc);
}

static int commit_all(struct store *s, struct arena *a, struct store_change *changes, size_t count)
{
	int64_t before, version;
	int err = read_version(s, &before);

	if (err)
		return err;
	version = before;
	for (size_t i = 0; i < count; i++) {
		err = change_one(s, a, &changes[i], &version);
		if (err)
			return err;
	}
	if (version != before)
		err = set_version(s, version);
	return err ? err : run_plain(s, SQL_COMMIT);
}

/* A file that somebody moved or deleted can be written, but no start would find it again. */
int store_check_place(struct store *s)
{
	int moved = 0;

	if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
	    !moved)
		return 0;
	(void)snprintf(s->failure, sizeof(s->failure),
		       "spillway.db was moved or deleted: put it back, or restart spillwayd");
	return -ESTALE;
}

int store_commit(struct store *s, struct arena *a, struct store_change *changes, size_t count)
{
	int err = store_check_place(s);

	if (err)
		return err;
	err = run_plain(s, SQL_BEGIN);
	if (!err)
		err = commit_all(s, a, changes, count);
	if (!err)
		return 0;
	store_note_failure(s);
	if (!sqlite3_get_autocommit(s->db)) /* some failures end the transaction themselves */
		(void)run_plain(s, SQL_ROLLBACK);
	return err;
}

int64_t store_version(struct store *s)
{
	int64_t version = 0;

	(void)read_version(s, &version);
	return version;
}

static int write_word(struct store *s, const struct store_word *w)
{
	STMT stmt = s->stmts[w->word ? SQL_ADMIN_PUT : SQL_ADMIN_DELETE];

	bind_text(stmt, 1, w->endpoint);
	if (w->word)
		bind_text(stmt, 2, w->word);
	return run(stmt);
}

static int write_words(struct store *s, const struct store_word *words, size_t count)
{
	int err = run_plain(s, SQL_BEGIN);

	for (size_t i = 0; !err && i < count; i++)
		err = write_word(s, &words[i]);
	return err ? err : run_plain(s, SQL_COMMIT);
}

int store_set_admins(struct store *s, const struct store_word *words, size_t count)
{
	int err = store_check_place(s);

	if (err || !count)
		return err;
	err = write_words(s, words, count);
	if (!err)
		return 0;
	store_note_failure(s);
	if (!sqlite3_get_autocommit(s->db))
		(void)run_plain(s, SQL_ROLLBACK);
	return err;
}

int store_set_admin(struct store *s, const char *endpoint, const char *word)
{
	const struct store_word w = {.endpoint = endpoint, .word = word};

	return store_set_admins(s, &w, 1);
}

int store_each_admin(struct store *s, void (*fn)(void *ctx, const char *endpoint, const char *word),
		     void *ctx)
{
	STMT stmt = s->stmts[SQL_ADMIN_LIST];
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		fn(ctx, (const char *)sqlite3_column_text(stmt, 0),
		   (const char *)sqlite3_column_text(stmt, 1));
	return store_errno(rc);
}
