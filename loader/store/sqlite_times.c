/* SPDX-License-Identifier: BSD-2-Clause */
/* Since when conditions hold: a text per resource, which goes with it. */
#include <errno.h>

#include "store/sqlite.h"

static int put(struct store *s, const struct stored *row)
{
	STMT stmt = s->stmts[SQL_TIMES_PUT];

	store_bind_key(stmt, row);
	(void)sqlite3_bind_text(stmt, 6, row->body, -1, SQLITE_STATIC);
	return store_errno(sqlite3_step(stmt));
}

static int run_plain(struct store *s, enum sql which)
{
	STMT stmt = s->stmts[which];

	return store_errno(sqlite3_step(stmt));
}

static int put_all(struct store *s, const struct stored *rows, size_t count)
{
	int err = run_plain(s, SQL_BEGIN);

	for (size_t i = 0; !err && i < count; i++)
		err = put(s, &rows[i]);
	return err ? err : run_plain(s, SQL_COMMIT);
}

int store_put_times(struct store *s, const struct stored *rows, size_t count)
{
	int err = store_check_place(s);

	if (err || !count)
		return err;
	err = put_all(s, rows, count);
	if (!err)
		return 0;
	store_note_failure(s);
	if (!sqlite3_get_autocommit(s->db))
		(void)run_plain(s, SQL_ROLLBACK);
	return err;
}

static const char *column(sqlite3_stmt *s, int index)
{
	const char *text = (const char *)sqlite3_column_text(s, index);

	return text ? text : "";
}

int store_each_times(struct store *s, void (*fn)(void *ctx, const struct stored *row), void *ctx)
{
	STMT stmt = s->stmts[SQL_TIMES_LIST];
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const struct stored row = {
			.project = column(stmt, 0),
			.group = column(stmt, 1),
			.kind = column(stmt, 2),
			.namespace = column(stmt, 3),
			.name = column(stmt, 4),
			.body = column(stmt, 5),
		};

		fn(ctx, &row);
	}
	return store_errno(rc);
}
