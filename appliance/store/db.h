/* db - the handle behind store.h and the one place that talks to SQLite's C interface about
 * statements and errors.  Private to this folder.
 *
 * One handle, one thread.  Every failing function here fills s->why; public functions hand it on with
 * db_tell().  After a failed write the transaction is `broken`: nothing more is written and a commit
 * is refused until the failure is undone (store_undo to the mark, or store_rollback), so half a
 * change can never be committed by a caller that overlooked an error. */
#ifndef NS_STORE_DB_H
#define NS_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/dns/name.h"
#include "appliance/store/store.h"

#define STORE_APP_ID	 0x4e537631		/* "NSv1" */
#define STORE_IDEM_MS	 (24 * 3600 * 1000LL)	/* how long a key holds */
#define STORE_REPLY_MAX	 (1u << 20)		/* a kept reply; real ones are some hundred octets */
#define STORE_BODY_MAX	 (512u << 20)		/* body of one change */
#define STORE_VALUE_MAX	 (64u << 10)		/* a setting or fact */
#define STORE_NAME_MAX	 255u			/* their names, principals, keys */
#define CONTENT_MAX	 (1u << 30)		/* one store_content_put() */
#define SCRATCH_KEEP	 (1u << 20)		/* more is given back: it was one big zone */
/* Checkpoints copy the WAL back.  Idle: 16 MB is worth two syncs.  Forced: a writer that is never
 * idle must not grow the file without end. */
#define WAL_IDLE_PAGES	 4096
#define WAL_FORCED_PAGES 16384

enum store_code {		/* E40xx, shown to people: never renumbered */
	STORE_E_OPEN = 4001,
	STORE_E_HELD = 4002,
	STORE_E_VERSION = 4003,
	STORE_E_FOREIGN = 4004,
	STORE_E_FULL = 4005,
	STORE_E_IO = 4006,
	STORE_E_CORRUPT = 4007,
	STORE_E_BUSY = 4008,
	STORE_E_BROKEN = 4009,
	STORE_E_OWNER = 4010,
	STORE_E_CONTENT = 4011,
	STORE_E_ZONE = 4012,
	STORE_E_IDEM = 4013,
	STORE_E_LIMIT = 4014,
	STORE_E_SQL = 4015,
	STORE_E_MEMORY = 4016,
	STORE_E_CHAIN = 4030,
};

enum db_stmt_id {
	ST_ZONE_FIND, ST_ZONE_ID, ST_ZONE_INSERT, ST_ZONE_UPDATE, ST_ZONE_WHOLE, ST_ZONE_DROP, ST_ZONE_COUNT,
	ST_ZONE_EACH, ST_ZONES_SINCE, ST_ZONE_BUMP, ST_ZONE_SET, ST_TOMB_PUT, ST_TOMB_FIND,
	ST_TOMB_DROP, ST_TOMB_EACH, ST_WINDOW_PUT, ST_WINDOW_DEL, ST_WINDOW_EACH,
	ST_PART_AT, ST_PART_NEXT, ST_PART_PREV, ST_PART_LAST, ST_PART_RUN, ST_PART_INSERT, ST_PART_BODY,
	ST_PART_MOVE, ST_PART_DROP, ST_PART_CLEAR,
	ST_CHANGE_PUT, ST_CHANGE_GET, ST_CHANGE_ROW, ST_CHANGE_EACH, ST_CHANGE_EACH_ZONE, ST_CHANGE_HEAD,
	ST_CHANGE_ZONE_PUT, ST_CHANGE_BODY, ST_WHENCE_PUT, ST_KEPT_EACH, ST_PRUNE_NEEDED, ST_PRUNE_ROWS,
	ST_PRUNE_ZONES, ST_PRUNE_DIGEST, ST_PRUNE_WHENCE, ST_PRUNE_CHANGE, ST_PRUNE_TOMBS, ST_IDS, ST_WITHHELD_PUT, ST_WITHHELD_GET, ST_IDEM_FORGET,
	ST_MENTION_PUT, ST_MENTION_CLEAR, ST_MENTION_OWNER, ST_MENTION_EACH, ST_MENTION_ZONE,
	ST_OBJECT_PUT, ST_OBJECT_DROP, ST_OBJECT_GET, ST_OBJECT_EACH, ST_OBJECT_AFTER, ST_OBJECT_CLEAR,
	ST_SETTING_PUT, ST_SETTING_DEL, ST_SETTING_GET, ST_SETTING_EACH, ST_FACT_PUT, ST_FACT_GET,
	ST_IDEM_GET, ST_IDEM_PUT, ST_IDEM_EXPIRE, ST_IDEM_EACH, ST_IDEM_ADOPT, ST_IDEM_AFTER,
	ST_VERIFY_ZONE, ST_VERIFY_CHANGE, ST_VERIFY_TOMB, ST_VERIFY_TOUCHED,
	ST_MAX
};

struct verify;
struct store {
	sqlite3		*db;
	enum store_mode	 mode;
	char		*dir;
	int		 lock_fd;
	uint64_t	 mentions;	/* changes of the index (mention.h) */
	bool		 in_txn, marked;
	bool		 light;		/* the transaction is a light one */
	bool		 broken;	/* a write failed since the mark, or the begin */
	bool		 poisoned;	/* a sync failed: the page cache may lie from here on */
	int		 wal_pages;	/* in the WAL and not yet brought home */
	sqlite3_stmt	*stmt[ST_MAX];
	struct wbuf	 scratch;	/* of content.c */
	struct verify	*verify;
	struct ns_why	 why;
};

/* The statement, ready to bind; NULL with s->why filled.  db_writer() also refuses on a read handle's
 * behalf, outside a transaction where one is needed, and in a broken one. */
sqlite3_stmt	*db_stmt(struct store *, enum db_stmt_id);
sqlite3_stmt	*db_writer(struct store *, enum db_stmt_id);
/* Step a reading statement: NS_OK a row, NS_NOTFOUND no (more) row, and on anything but NS_OK the
 * statement is reset already. */
enum ns_err	 db_row(struct store *, sqlite3_stmt *);
/* Step a writing statement to its end and reset it. */
enum ns_err	 db_run(struct store *, sqlite3_stmt *);
void		 db_reset(sqlite3_stmt *);

enum ns_err	 db_exec(struct store *, const char *sql);
enum ns_err	 db_fail(struct store *, int rc, const char *doing);
enum ns_err	 db_refuse(struct store *, enum ns_err, enum store_code, const char *fmt, ...)
		    __attribute__((format(printf, 4, 5)));
enum ns_err	 db_corrupt(struct store *, const char *what);
/* Hand s->why to a caller; returns err. */
enum ns_err	 db_tell(const struct store *, enum ns_err, struct ns_why *);
/* All writes of more than one row live in a transaction: it is our bug when they do not. */
enum ns_err	 db_need_txn(struct store *);

/* Sorts before every BLOB, the empty one (the root's key) included: `key > ?` from the start. */
void	 db_bind_start(sqlite3_stmt *, int);
void	 db_bind_u64(sqlite3_stmt *, int, uint64_t);
void	 db_bind_blob(sqlite3_stmt *, int, const void *, size_t);
void	 db_bind_text(sqlite3_stmt *, int, const char *);

/* Columns of rows we do not trust: false when the value is not what the schema says. */
bool	 db_col_u64(sqlite3_stmt *, int, uint64_t max, uint64_t *);
bool	 db_col_blob(sqlite3_stmt *, int, size_t min, size_t max, const uint8_t **, size_t *);
bool	 db_col_text(sqlite3_stmt *, int, char *out, size_t size);
bool	 db_col_strdup(sqlite3_stmt *, int, size_t max, char **);

/* schema.c */
enum ns_err	 schema_check(struct store *, int *version);
enum ns_err	 schema_migrate(struct store *, int from);
extern const char *const db_sql[ST_MAX];		/* sql.c */

/* verify.c */
void	 verify_free(struct verify **);
/* txn.c: copies what it can from the WAL into the database. */
void	 txn_checkpoint(struct store *);
/* zone.c: reads the columns of ZONE_COLUMNS. */
enum ns_err	 zone_row(struct store *, sqlite3_stmt *, struct store_zone *);
/* change.c: a change of another appliance; digest: of its whole body, NULL: of this one. */
enum ns_err	 change_adopt(struct store *, const struct store_change *, const uint8_t *digest,
		    const void *body, size_t body_len);
/* The row alone; withheld.c: the digest of a whole body. */
enum ns_err	 change_insert(struct store *, const struct store_change *, const void *body, size_t body_len);
enum ns_err	 change_digest_put(struct store *, uint64_t revision, const uint8_t digest[STORE_HASH]);
enum ns_err	 change_touched(struct store *, uint64_t revision, const uint64_t *zones, size_t nzones);
/* change.c: reads the columns of CHANGE_COLUMNS. */
enum ns_err	 change_row(struct store *, sqlite3_stmt *, struct store_change *);

#endif
