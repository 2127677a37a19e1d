/* SPDX-License-Identifier: BSD-2-Clause */
/* The store's SQLite connection and its prepared statements; used inside this folder only. */
#ifndef SPILLWAY_STORE_SQLITE_H
#define SPILLWAY_STORE_SQLITE_H

#include <sqlite3.h>

#include "store/store.h"

/* Texts are in sqlite_open.c, one row each. */
enum sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_LIST,
	SQL_GET,
	SQL_PUT,
	SQL_DELETE,
	SQL_APPLIED,
	SQL_FORGET,
	SQL_VERSION,
	SQL_SET_VERSION,
	SQL_ADMIN_PUT,
	SQL_ADMIN_DELETE,
	SQL_ADMIN_LIST,
	SQL_TIMES_PUT,
	SQL_TIMES_DELETE,
	SQL_TIMES_LIST,
	SQL_MAX,
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *stmts[SQL_MAX];
	char failure[256]; /* of the latest change, since a rollback overwrites SQLite's own */
};

/* Keeps cause and remedy of what failed just now for store_error(). */
void store_note_failure(struct store *s);

/* An SQLite result as a negative errno; rows and DONE are 0. */
int store_errno(int rc);

/* The five columns of the key, from ?1. */
void store_bind_key(sqlite3_stmt *s, const struct stored *key);
/* -ESTALE when no start would find the file again. */
int store_check_place(struct store *s);

static inline void release_stmt(sqlite3_stmt **s)
{
	(void)sqlite3_reset(*s);
	(void)sqlite3_clear_bindings(*s);
}
/* A prepared statement that goes back to its start when the scope ends. */
#define STMT __attribute__((cleanup(release_stmt))) sqlite3_stmt *

#endif
