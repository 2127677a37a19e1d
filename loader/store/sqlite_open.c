/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening the store. A write-ahead log with synchronous=FULL is synced at every commit, so what was
 * answered survives kill -9 and power loss; locking_mode=EXCLUSIVE keeps the file's lock for as
 * long as the store is open, so there is one process. The schema's number is PRAGMA user_version.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/sqlite.h"

#define SCHEMA_VERSION 1

AUTO_DEFINE(struct store *, store_close)

#define COLUMNS                                                                                    \
	"project, grp, kind, namespace, name, uid, generation, resource_version, created_s, body"
#define APPLIED ", EXISTS (SELECT 1 FROM applied a WHERE a.uid = resources.uid)"
#define KEY_IS	"project = ?1 AND grp = ?2 AND kind = ?3 AND namespace = ?4 AND name = ?5"

static const char *const sql_text[SQL_MAX] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_LIST] = "SELECT " COLUMNS APPLIED " FROM resources"
		     " WHERE (?1 IS NULL OR project = ?1) AND (?2 IS NULL OR grp = ?2)"
		     " AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR namespace = ?4)"
		     " ORDER BY project, grp, kind, namespace, name",
	[SQL_GET] = "SELECT " COLUMNS APPLIED " FROM resources WHERE " KEY_IS,
	[SQL_PUT] = "INSERT OR REPLACE INTO resources (" COLUMNS ")"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[SQL_DELETE] = "DELETE FROM resources WHERE " KEY_IS,
	[SQL_APPLIED] = "INSERT OR IGNORE INTO applied (uid) VALUES (?1)",
	[SQL_FORGET] = "DELETE FROM applied WHERE uid = ?1",
	[SQL_VERSION] = "SELECT resource_version FROM counter",
	[SQL_SET_VERSION] = "UPDATE counter SET resource_version = ?1",
	[SQL_ADMIN_PUT] = "INSERT OR REPLACE INTO admin (endpoint, word) VALUES (?1, ?2)",
	[SQL_ADMIN_DELETE] = "DELETE FROM admin WHERE endpoint = ?1",
	[SQL_ADMIN_LIST] = "SELECT endpoint, word FROM admin ORDER BY endpoint",
	[SQL_TIMES_PUT] = "INSERT OR REPLACE INTO times (project, grp, kind, namespace, name, body)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_TIMES_DELETE] = "DELETE FROM times WHERE " KEY_IS,
	[SQL_TIMES_LIST] = "SELECT project, grp, kind, namespace, name, body FROM times",
};

static const char schema[] =
	"BEGIN EXCLUSIVE;"
	"CREATE TABLE resources ("
	" project TEXT NOT NULL, grp TEXT NOT NULL, kind TEXT NOT NULL,"
	" namespace TEXT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL,"
	" generation INTEGER NOT NULL, resource_version INTEGER NOT NULL,"
	" created_s INTEGER NOT NULL, body TEXT NOT NULL,"
	" PRIMARY KEY (project, grp, kind, namespace, name)) WITHOUT ROWID, STRICT;"
	"CREATE TABLE admin (endpoint TEXT PRIMARY KEY, word TEXT NOT NULL) WITHOUT ROWID, STRICT;"
	"CREATE TABLE counter (resource_version INTEGER NOT NULL) STRICT;"
	"INSERT INTO counter VALUES (0);"
	"PRAGMA user_version = 1;"
	"COMMIT;";

/*
 * Came later, without another number: a spillwayd that does not know these tables leaves them alone. A uid
 * is never given twice, so what is left behind in `applied` says nothing of other rows.
 */
static const char later_schema[] =
	"CREATE TABLE IF NOT EXISTS applied (uid TEXT PRIMARY KEY) WITHOUT ROWID, STRICT;"
	"CREATE TABLE IF NOT EXISTS times ("
	" project TEXT NOT NULL, grp TEXT NOT NULL, kind TEXT NOT NULL,"
	" namespace TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,"
	" PRIMARY KEY (project, grp, kind, namespace, name)) WITHOUT ROWID, STRICT;";

int store_errno(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		return -EACCES;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	default:
		return -EIO;
	}
}

static const char *remedy(int err)
{
	switch (err) {
	case -ENOSPC:
		return ": free some space on the file system of --state-dir";
	case -EACCES:
		return ": check that --state-dir is writable";
	case -EBADMSG:
		return ": restore spillway.db from a backup, or move it away and apply the "
		       "manifests again";
	default:
		return "";
	}
}

void store_note_failure(struct store *s)
{
	(void)snprintf(s->failure, sizeof(s->failure), "%s%s", sqlite3_errmsg(s->db),
		       remedy(store_errno(sqlite3_errcode(s->db))));
}

const char *store_error(struct store *s)
{
	if (s && s->failure[0])
		return s->failure;
	return s && s->db ? sqlite3_errmsg(s->db) : "out of memory";
}

static int pragma_int(sqlite3 *db, const char *sql, int *out)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int(s, 0);
	(void)sqlite3_finalize(s);
	return store_errno(rc);
}

/* Takes the lock for good, then makes or checks the schema. */
static int prepare_schema(struct arena *a, struct store *s, const char *path, const char **why)
{
	int version = 0, err;

	err = store_errno(sqlite3_exec(s->db,
				       "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
				       "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
				       "BEGIN EXCLUSIVE; COMMIT;",
				       NULL, NULL, NULL));
	if (!err)
		err = pragma_int(s->db, "PRAGMA user_version", &version);
	if (!err && version == 0)
		err = store_errno(sqlite3_exec(s->db, schema, NULL, NULL, NULL));
	if (!err && version > SCHEMA_VERSION) {
		*why = arena_printf(a,
				    "%s: written by a newer spillwayd (schema %d, this one knows "
				    "%d): use that version, or another --state-dir",
				    path, version, SCHEMA_VERSION);
		return -ENOTSUP;
	}
	if (!err)
		err = store_errno(sqlite3_exec(s->db, later_schema, NULL, NULL, NULL));
	for (int i = 0; !err && i < SQL_MAX; i++)
		err = store_errno(sqlite3_prepare_v3(
			s->db, sql_text[i], -1, SQLITE_PREPARE_PERSISTENT, &s->stmts[i], NULL));
	return err;
}

static const char *explain_open(struct arena *a, struct store *s, const char *path, int err)
{
	switch (err) {
	case -EBUSY:
		return arena_printf(a,
				    "%s: in use by another process: stop it, or give another "
				    "--state-dir",
				    path);
	case -EBADMSG:
		return arena_printf(
			a,
			"%s: damaged, or not a store (%s): restore it from a backup, or "
			"move it away and apply the manifests again",
			path, store_error(s));
	case -ENOSPC:
		return arena_printf(a, "%s: no space left: free some on that file system", path);
	default:
		return arena_printf(a, "%s: %s: check that --state-dir is writable", path,
				    store_error(s));
	}
}

/* mkdir -p: parents 0755, the last one 0700. */
static int make_dir(struct arena *a, const char *dir)
{
	char *path = arena_strdup(a, dir);

	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	return 0;
}

/* SQLite would make the file 0644; its log takes the mode over. The directory entry is synced. */
static int make_file(const char *dir, const char *path)
{
	AUTO(fd_close) int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(fd_close) int fd = -1;

	if (dir_fd < 0)
		return -errno;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fsync(dir_fd))
		return -errno;
	return 0;
}

int store_open(struct arena *a, const char *state_dir, struct store **out, const char **why)
{
	const char *path = arena_printf(a, "%s/spillway.db", state_dir);
	AUTO(store_close) struct store *s = calloc(1, sizeof(*s));
	int err;

	*why = "out of memory";
	if (!s)
		return -ENOMEM;
	err = make_dir(a, state_dir);
	if (!err)
		err = make_file(state_dir, path);
	if (err) {
		*why = arena_printf(a, "%s: %s: give a --state-dir that can be made and written",
				    path, strerror(-err));
		return err;
	}
	err = store_errno(
		sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
	*why = NULL;
	if (!err)
		err = prepare_schema(a, s, path, why);
	if (err) {
		if (!*why)
			*why = explain_open(a, s, path, err);
		return err;
	}
	*out = TAKE(s);
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (int i = 0; i < SQL_MAX; i++)
		(void)sqlite3_finalize(s->stmts[i]);
	(void)sqlite3_close(s->db);
	free(s);
}
