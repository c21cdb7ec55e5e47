/* schema.c - the numbered migrations, and what a file must be before we touch it.
 *
 * A migration runs in one transaction with its own number, so a power cut leaves either version.  A
 * released migration is never edited: to change the schema append one and raise STORE_SCHEMA. */
#include "appliance/store/mention.h"
#include "ipc/base/clock.h"

#include <stdio.h>

/* Index + 1 is the version it leads to.
 *   zone       counters are kept by content.c; `key` is name_sort_key(name), so that the index is in
 *              canonical order.  AUTOINCREMENT: an id is never given twice.
 *   part       `sum` is part_sum(); first_key the sort key of the first owner in body.
 *   change     body last, because listings do not read it (it may be megabytes of overflow pages).
 *   object     all small replicated things; body is checked by whoever asked for the kind.
 *   whence     a change's, where it has one; not columns of `change`, for they would stand behind its body.
 *   change_zone, tombstone  outlive their zone, hence no foreign key to it. */
static const char *const migrations[] = {
	"CREATE TABLE migration ("
	" number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, software TEXT NOT NULL) STRICT;"
	"CREATE TABLE zone ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, version INTEGER NOT NULL,"
	" serial INTEGER NOT NULL, records INTEGER NOT NULL DEFAULT 0,"
	" rrsets INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,"
	" account INTEGER NOT NULL, external INTEGER NOT NULL, changed_ms INTEGER NOT NULL) STRICT;"
	"CREATE TABLE part ("
	" id INTEGER PRIMARY KEY, zone_id INTEGER NOT NULL REFERENCES zone(id),"
	" first_key BLOB NOT NULL, sum INTEGER NOT NULL, body BLOB NOT NULL,"
	" UNIQUE (zone_id, first_key)) STRICT;"
	"CREATE TABLE change ("
	" revision INTEGER PRIMARY KEY, term INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
	" author TEXT NOT NULL, via TEXT NOT NULL, kind TEXT NOT NULL, comment TEXT NOT NULL,"
	" added INTEGER NOT NULL, removed INTEGER NOT NULL, zone_count INTEGER NOT NULL,"
	" prev BLOB NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL) STRICT;"
	"CREATE TABLE change_zone ("
	" zone_id INTEGER NOT NULL, revision INTEGER NOT NULL REFERENCES change(revision),"
	" PRIMARY KEY (zone_id, revision)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE tombstone ("
	" zone_id INTEGER PRIMARY KEY, key BLOB NOT NULL, revision INTEGER NOT NULL,"
	" at_ms INTEGER NOT NULL) STRICT;"
	"CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE idem ("
	" id INTEGER PRIMARY KEY, principal TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL,"
	" at_ms INTEGER NOT NULL, reply BLOB NOT NULL, UNIQUE (principal, key)) STRICT;",
	"CREATE TABLE object ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL,"
	" version INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE (kind, name)) STRICT;",
	/* Which change a key was answered with, so that it goes with it. */
	"ALTER TABLE idem ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX idem_revision ON idem (revision);",

	/* Changes that wait for their confirmation; what remains is saved every few seconds. */
	"CREATE TABLE unconfirmed ("
	" revision INTEGER PRIMARY KEY, total_ms INTEGER NOT NULL,"
	" remaining_ms INTEGER NOT NULL) STRICT;",

	/* Changes of which zones were taken out, with SHA-256 of the whole body: the chain holds on. */
	"CREATE TABLE withheld (revision INTEGER PRIMARY KEY, digest BLOB NOT NULL) STRICT;",

	/* Made from content, and made anew from it at the migration (mention.h). */
	"CREATE TABLE mention ("
	" kind TEXT NOT NULL, name BLOB NOT NULL, zone_id INTEGER NOT NULL, owner BLOB NOT NULL,"
	" PRIMARY KEY (kind, name, zone_id, owner)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX mention_zone ON mention (zone_id, owner);",

	/* So that a change can go without a look at all of them. */
	"CREATE INDEX change_zone_revision ON change_zone (revision);",

	/* From where a change was made, and at which appliance. */
	"CREATE TABLE whence (revision INTEGER PRIMARY KEY, source TEXT NOT NULL,"
	" appliance TEXT NOT NULL) STRICT;",
};

_Static_assert(sizeof migrations / sizeof migrations[0] == STORE_SCHEMA, "one per version");

static enum ns_err
pragma_int(struct store *s, const char *sql, int *out)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		*out = sqlite3_column_int(st, 0);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(st);
	return rc == SQLITE_OK ? NS_OK : db_fail(s, rc, "read the store's version");
}

enum ns_err
schema_check(struct store *s, int *version)
{
	int app = 0, tables = 0;
	enum ns_err err;

	if ((err = pragma_int(s, "PRAGMA application_id", &app)) != NS_OK ||
	    (err = pragma_int(s, "PRAGMA user_version", version)) != NS_OK ||
	    (err = pragma_int(s, "SELECT count(*) FROM sqlite_schema", &tables)) != NS_OK)
		return err;
	if (app != STORE_APP_ID && (app != 0 || *version != 0 || tables != 0))
		return db_refuse(s, NS_CORRUPT, STORE_E_FOREIGN,
		    "%s/store.db is not a store of NameServe: move it away, or set another data "
		    "directory",
		    s->dir);
	if (*version > STORE_SCHEMA)
		return db_refuse(s, NS_VERSION, STORE_E_VERSION,
		    "%s/store.db has version %d, this software (%s) knows %d: start the newer "
		    "software, or restore a backup",
		    s->dir, *version, NS_RELEASE, STORE_SCHEMA);
	if (*version < 0)
		return db_corrupt(s, "its version is negative");
	return NS_OK;
}

#define MIGRATION_MENTION 6

static enum ns_err
fill(struct store *s, int number)
{
	enum ns_err err;

	if (number != MIGRATION_MENTION)
		return NS_OK;
	s->in_txn = true;
	err = mention_all(s);
	s->in_txn = false;
	return err;
}

static enum ns_err
migrate_one(struct store *s, int number)
{
	char sql[192];
	enum ns_err err;

	if ((err = db_exec(s, "BEGIN IMMEDIATE")) != NS_OK)
		return err;
	snprintf(sql, sizeof sql,
	    "INSERT INTO migration VALUES (%d, %lld, '" NS_RELEASE "');"
	    "PRAGMA user_version = %d; PRAGMA application_id = %d; COMMIT",
	    number, (long long)clock_wall_ms(), number, STORE_APP_ID);
	if ((err = db_exec(s, migrations[number - 1])) == NS_OK && (err = fill(s, number)) == NS_OK)
		err = db_exec(s, sql);
	if (err != NS_OK && !sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

enum ns_err
schema_migrate(struct store *s, int from)
{
	for (int number = from + 1; number <= STORE_SCHEMA; number++) {
		enum ns_err err = migrate_one(s, number);

		if (err != NS_OK)
			return err;
	}
	return NS_OK;
}
