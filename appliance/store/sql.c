/* sql.c - every statement that runs more than once per process, by enum db_stmt_id. */
#include "appliance/store/sql.h"

#include "appliance/store/db.h"

const char *const db_sql[ST_MAX] = {
	/* ---- zones ---- */
	[ST_ZONE_FIND] = "SELECT " ZONE_COLUMNS ", 0 FROM zone WHERE key = ?1",
	[ST_ZONE_ID] = "SELECT " ZONE_COLUMNS ", 0 FROM zone WHERE id = ?1",
	[ST_ZONE_INSERT] = "INSERT INTO zone (id, key, version, serial, account, external,"
			   " changed_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[ST_ZONE_UPDATE] = "UPDATE zone SET version = ?3, serial = ?4, account = ?5, external = ?6,"
			   " changed_ms = ?7 WHERE id = ?1 AND key = ?2"
			   " RETURNING records, rrsets, bytes",
	[ST_ZONE_WHOLE] = "UPDATE zone SET version = ?2, serial = ?3, account = ?4, external = ?5,"
			  " changed_ms = ?6, records = ?7, rrsets = ?8, bytes = ?9 WHERE id = ?1",
	[ST_ZONE_DROP] = "DELETE FROM zone WHERE id = ?1 RETURNING key",
	[ST_ZONE_COUNT] = "SELECT count(*) FROM zone",
	[ST_ZONE_EACH] = "SELECT " ZONE_COLUMNS ", 0 FROM zone WHERE key > ?1 ORDER BY key",
	/* A full scan by design: an index on version would cost every edit more than a catch-up
	 * saves (0.2 us a zone). */
	[ST_ZONES_SINCE] =
	    "SELECT " ZONE_COLUMNS ", 0 FROM zone WHERE version > ?1"
	    " UNION ALL"
	    " SELECT zone_id, key, revision, 0, 0, 0, 0, 0, 0, at_ms, 1 FROM tombstone"
	    " WHERE revision > ?1 ORDER BY 1",
	[ST_ZONE_BUMP] = "UPDATE zone SET records = records + ?2, rrsets = rrsets + ?3,"
			 " bytes = bytes + ?4 WHERE id = ?1 RETURNING bytes",
	[ST_ZONE_SET] = "UPDATE zone SET records = ?2, rrsets = ?3, bytes = ?4 WHERE id = ?1"
			" RETURNING bytes",
	[ST_TOMB_PUT] = "INSERT INTO tombstone (zone_id, key, revision, at_ms)"
			" VALUES (?1, ?2, ?3, ?4)",
	[ST_TOMB_FIND] = "SELECT 1 FROM tombstone WHERE zone_id = ?1",
	[ST_TOMB_DROP] = "DELETE FROM tombstone WHERE zone_id = ?1 RETURNING zone_id",

	[ST_TOMB_EACH] = "SELECT zone_id, key, revision, 0, 0, 0, 0, 0, 0, at_ms, 1 FROM tombstone"
			 " WHERE at_ms > ?1 ORDER BY revision DESC, zone_id",
	[ST_WINDOW_PUT] = "INSERT INTO unconfirmed (revision, total_ms, remaining_ms)"
			  " VALUES (?1, ?2, ?3) ON CONFLICT (revision) DO UPDATE SET"
			  " remaining_ms = excluded.remaining_ms",
	[ST_WINDOW_DEL] = "DELETE FROM unconfirmed WHERE revision = ?1",
	[ST_WINDOW_EACH] = "SELECT revision, total_ms, remaining_ms FROM unconfirmed"
			   " ORDER BY revision",

	/* ---- parts: columns as row_check() reads them ---- */
	[ST_PART_AT] = "SELECT id, first_key, sum, body FROM part"
		       " WHERE zone_id = ?1 AND first_key <= ?2 ORDER BY first_key DESC LIMIT 1",
	[ST_PART_NEXT] = "SELECT id, first_key, sum, body FROM part"
			 " WHERE zone_id = ?1 AND first_key > ?2 ORDER BY first_key LIMIT 1",
	[ST_PART_PREV] = "SELECT id, first_key, sum, body FROM part"
			 " WHERE zone_id = ?1 AND first_key < ?2 ORDER BY first_key DESC LIMIT 1",
	[ST_PART_LAST] = "SELECT id, first_key, sum, body FROM part"
			 " WHERE zone_id = ?1 ORDER BY first_key DESC LIMIT 1",
	[ST_PART_RUN] = "SELECT id, first_key, sum, body FROM part"
			" WHERE zone_id = ?1 AND first_key >= ifnull((SELECT first_key FROM part"
			" WHERE zone_id = ?1 AND first_key <= ?2 ORDER BY first_key DESC LIMIT 1),"
			" x'') ORDER BY first_key",
	[ST_PART_INSERT] = "INSERT INTO part (zone_id, first_key, sum, body)"
			   " VALUES (?1, ?2, ?3, ?4)",
	[ST_PART_BODY] = "UPDATE part SET sum = ?2, body = ?3 WHERE id = ?1",
	[ST_PART_MOVE] = "UPDATE part SET sum = ?2, body = ?3, first_key = ?4 WHERE id = ?1",
	[ST_PART_DROP] = "DELETE FROM part WHERE id = ?1",
	[ST_PART_CLEAR] = "DELETE FROM part WHERE zone_id = ?1",

	/* ---- log ---- */
	[ST_CHANGE_PUT] = "INSERT INTO change (revision, " CHANGE_STORED ", body)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
	[ST_CHANGE_GET] =
	    "SELECT " CHANGE_COLUMNS ", body FROM " CHANGE_FROM " WHERE revision = ?1",
	[ST_CHANGE_ROW] = "SELECT " CHANGE_COLUMNS " FROM " CHANGE_FROM " WHERE revision = ?1",
	[ST_CHANGE_EACH] = "SELECT " CHANGE_COLUMNS " FROM " CHANGE_FROM " WHERE revision < ?1"
			   " ORDER BY revision DESC",
	/* CROSS JOIN: SQLite's word for "in this order"; a zone has few changes, the log many. */
	[ST_CHANGE_EACH_ZONE] = "SELECT change.revision, " CHANGE_REST " FROM change_zone"
				" CROSS JOIN change ON change.revision = change_zone.revision"
				" LEFT JOIN whence ON whence.revision = change.revision"
				" WHERE zone_id = ?2 AND change_zone.revision < ?1"
				" ORDER BY change_zone.revision DESC",
	[ST_WHENCE_PUT] =
	    "INSERT OR REPLACE INTO whence (revision, source, appliance) VALUES (?1, ?2, ?3)",
	[ST_CHANGE_HEAD] = "SELECT revision, term, hash FROM change ORDER BY revision DESC LIMIT 1",
	[ST_CHANGE_ZONE_PUT] = "INSERT OR IGNORE INTO change_zone (zone_id, revision)"
			       " VALUES (?1, ?2)",
	[ST_CHANGE_BODY] = "UPDATE change SET body = ?2 WHERE revision = ?1",
	/* ---- the log's beginning ---- */
	[ST_KEPT_EACH] =
	    "SELECT " CHANGE_COLUMNS " FROM " CHANGE_FROM " WHERE revision < ?1 ORDER BY revision",
	[ST_PRUNE_NEEDED] = "SELECT revision FROM change WHERE revision < ?1 AND revision IN"
			    " (SELECT revision FROM tombstone WHERE at_ms > ?2"
			    " UNION SELECT revision FROM unconfirmed) ORDER BY revision",
	[ST_PRUNE_ROWS] = "SELECT revision, term FROM change WHERE revision >= ?1 AND revision < ?2"
			  " ORDER BY revision LIMIT ?3",
	[ST_PRUNE_ZONES] = "DELETE FROM change_zone WHERE revision = ?1",
	[ST_PRUNE_DIGEST] = "DELETE FROM withheld WHERE revision = ?1",
	[ST_PRUNE_WHENCE] = "DELETE FROM whence WHERE revision = ?1",
	[ST_PRUNE_CHANGE] = "DELETE FROM change WHERE revision = ?1",
	[ST_PRUNE_TOMBS] = "DELETE FROM tombstone WHERE revision < ?1 AND at_ms <= ?2",
	[ST_IDS] = "SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'zone'), 0),"
		   " ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'object'), 0)",
	[ST_WITHHELD_PUT] = "INSERT OR IGNORE INTO withheld (revision, digest) VALUES (?1, ?2)",
	[ST_WITHHELD_GET] = "SELECT digest FROM withheld WHERE revision = ?1",
	[ST_IDEM_FORGET] = "DELETE FROM idem WHERE revision = ?1",

	/* ---- settings, facts, keys ---- */
	[ST_SETTING_PUT] = "INSERT INTO setting (name, value) VALUES (?1, ?2)"
			   " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
	[ST_SETTING_DEL] = "DELETE FROM setting WHERE name = ?1",
	[ST_SETTING_GET] = "SELECT value FROM setting WHERE name = ?1",
	[ST_SETTING_EACH] = "SELECT name, value FROM setting ORDER BY name",
	[ST_FACT_PUT] = "INSERT INTO fact (name, value) VALUES (?1, ?2)"
			" ON CONFLICT (name) DO UPDATE SET value = excluded.value",
	[ST_FACT_GET] = "SELECT value FROM fact WHERE name = ?1",
	[ST_IDEM_GET] = "SELECT digest, at_ms, reply FROM idem WHERE principal = ?1 AND key = ?2",
	[ST_IDEM_PUT] =
	    "INSERT INTO idem (principal, key, digest, at_ms, reply, revision)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ifnull((SELECT max(revision) FROM change), 0))"
	    " ON CONFLICT (principal, key) DO UPDATE SET"
	    " digest = excluded.digest, at_ms = excluded.at_ms, reply = excluded.reply,"
	    " revision = excluded.revision WHERE at_ms <= ?6 RETURNING id",
	[ST_IDEM_EACH] =
	    "SELECT principal, key, digest, at_ms, reply FROM idem WHERE revision = ?1",
	[ST_IDEM_AFTER] = "SELECT principal, key, digest, at_ms, reply, revision FROM idem"
			  " WHERE at_ms > ?1 ORDER BY id",
	[ST_IDEM_ADOPT] =
	    "INSERT OR REPLACE INTO idem (principal, key, digest, at_ms, reply, revision)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	/* Two for each that comes keeps the table at what 24 h hold, without a sweep.  Those that a
	 * clock a day or more ahead of today's has left go too, or the sweep would stop at them. */
	[ST_IDEM_EXPIRE] = "DELETE FROM idem WHERE (at_ms <= ?1 OR at_ms > ?2)"
			   " AND id IN (SELECT id FROM idem ORDER BY id LIMIT 2)",

	/* ---- objects: an id that is given keeps its number on every appliance ---- */
	[ST_OBJECT_PUT] = "INSERT INTO object (id, kind, name, version, body)"
			  " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (kind, name) DO UPDATE SET"
			  " version = excluded.version, body = excluded.body RETURNING id",
	[ST_OBJECT_DROP] = "DELETE FROM object WHERE kind = ?1 AND name = ?2 RETURNING id",
	[ST_OBJECT_GET] = "SELECT id, kind, name, version, body FROM object"
			  " WHERE kind = ?1 AND name = ?2",
	[ST_OBJECT_EACH] = "SELECT id, kind, name, version, body FROM object"
			   " WHERE ?1 IS NULL OR kind = ?1 ORDER BY kind, name",
	[ST_OBJECT_AFTER] = "SELECT id, kind, name, version, body FROM object"
			    " WHERE (kind, name) > (?1, ?2) ORDER BY kind, name",
	/* What stands in the way of an object with that number and name. */
	[ST_OBJECT_CLEAR] = "DELETE FROM object WHERE (id = ?1 AND (kind <> ?2 OR name <> ?3))"
			    " OR (kind = ?2 AND name = ?3 AND id <> ?1)",

	/* ---- what zones mention ---- */
	[ST_MENTION_PUT] = "INSERT OR IGNORE INTO mention (kind, name, zone_id, owner)"
			   " VALUES (?1, ?2, ?3, ?4)",
	[ST_MENTION_CLEAR] = "DELETE FROM mention WHERE zone_id = ?1",
	[ST_MENTION_OWNER] = "DELETE FROM mention WHERE zone_id = ?1 AND owner = ?2",
	[ST_MENTION_EACH] = "SELECT name, zone_id, owner FROM mention WHERE kind = ?1"
			    " AND (?2 IS NULL OR name = ?2) ORDER BY name, zone_id, owner",
	[ST_MENTION_ZONE] = "SELECT name, zone_id, owner FROM mention"
			    " WHERE zone_id = ?1 AND kind = ?2 ORDER BY owner, name",

	/* ---- verify ---- */
	[ST_VERIFY_ZONE] = "SELECT " ZONE_COLUMNS ", 0 FROM zone WHERE id > ?1 ORDER BY id LIMIT 1",
	[ST_VERIFY_CHANGE] =
	    "SELECT " CHANGE_COLUMNS ", body FROM " CHANGE_FROM " WHERE revision > ?1"
	    " ORDER BY revision LIMIT 1",
	[ST_VERIFY_TOMB] = "SELECT tombstone.zone_id FROM tombstone"
			   " JOIN zone ON zone.id = tombstone.zone_id LIMIT 1",
	[ST_VERIFY_TOUCHED] = "SELECT max(revision) FROM change_zone WHERE zone_id = ?1"
			      " AND revision >= ?2",
};
