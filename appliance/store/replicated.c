/* replicated.c - the one list of what replicates; see state.h.
 *
 * Who adds a table adds a row.  A shared one also needs its record in a snapshot (sync/snapwrite.c, snapadopt.c):
 * tests/unit/snapshot_test compares this list with the schema, and both sides by what `rows` says. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "appliance/store/db.h"
#include "appliance/store/state.h"

/*   part         how content is cut into parts may differ: octets count, and how many a zone has stands in `zone`
 *   unconfirmed  each appliance counts what remains by its own clock */
const struct store_table store_tables[] = {
	{ "part", STORE_SHARED, "SELECT body FROM part ORDER BY zone_id, first_key" },
	{ "mention", STORE_MADE, NULL },
	{ "zone", STORE_SHARED,
	    "SELECT id, key, version, serial, records, rrsets, bytes, account, external, changed_ms"
	    " FROM zone ORDER BY id" },
	{ "tombstone", STORE_SHARED,
	    "SELECT zone_id, key, revision, at_ms FROM tombstone ORDER BY zone_id" },
	{ "object", STORE_SHARED,
	    "SELECT id, kind, name, version, body FROM object ORDER BY kind, name" },
	{ "setting", STORE_SHARED, "SELECT name, value FROM setting ORDER BY name" },
	{ "idem", STORE_SHARED,
	    "SELECT principal, key, digest, at_ms, reply, revision FROM idem ORDER BY principal, "
	    "key" },
	{ "unconfirmed", STORE_SHARED,
	    "SELECT revision, total_ms FROM unconfirmed ORDER BY revision" },
	{ "withheld", STORE_LOGGED, NULL },
	{ "change_zone", STORE_LOGGED, NULL },
	{ "change", STORE_LOGGED, NULL },
	{ "whence", STORE_LOGGED, NULL },
	{ "fact", STORE_OWN, NULL },
	{ "migration", STORE_OWN, NULL },
};
const size_t store_ntables = sizeof store_tables / sizeof store_tables[0];

static void
add_column(EVP_MD_CTX *sum, sqlite3_stmt *st, int i)
{
	const void *data = sqlite3_column_blob(st, i);
	int len = sqlite3_column_bytes(st, i);

	if (len > 0)
		EVP_DigestUpdate(sum, data, (size_t)len);
}

/* A column's length stands before it, but where there is one column: parts may be cut anywhere. */
static enum ns_err
add_table(struct store *s, EVP_MD_CTX *sum, const struct store_table *t)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, t->rows, -1, &st, NULL), n;

	EVP_DigestUpdate(sum, t->name, strlen(t->name) + 1);
	while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		n = sqlite3_column_count(st);
		for (int i = 0; i < n; i++) {
			uint32_t len = (uint32_t)sqlite3_column_bytes(st, i);

			if (n > 1)
				EVP_DigestUpdate(sum, &len, sizeof len);
			add_column(sum, st, i);
		}
		rc = SQLITE_OK;
	}
	sqlite3_finalize(st);
	return rc == SQLITE_OK || rc == SQLITE_DONE ? NS_OK
						    : db_fail(s, rc, "read what replicates");
}

enum ns_err
store_state_digest(struct store *s, uint8_t out[STORE_HASH])
{
	EVP_MD_CTX *sum = EVP_MD_CTX_new();
	unsigned len = STORE_HASH;
	enum ns_err err = NS_OK;

	EVP_DigestInit_ex(sum, EVP_sha256(), NULL);
	for (size_t i = 0; i < store_ntables && err == NS_OK; i++)
		if (store_tables[i].shared == STORE_SHARED)
			err = add_table(s, sum, &store_tables[i]);
	EVP_DigestFinal_ex(sum, out, &len);
	EVP_MD_CTX_free(sum);
	return err;
}

enum ns_err
store_state_clear(struct store *s, struct ns_why *why)
{
	enum ns_err err = db_need_txn(s);
	char sql[64];

	for (size_t i = 0; i < store_ntables && err == NS_OK; i++) {
		if (store_tables[i].shared == STORE_OWN)
			continue;
		snprintf(sql, sizeof sql, "DELETE FROM %s", store_tables[i].name);
		if ((err = db_exec(s, sql)) != NS_OK)
			s->broken = true;
	}
	s->mentions++;
	return db_tell(s, err, why);
}

/* ---- ids ---- */
enum ns_err
store_ids(struct store *s, uint64_t *zone, uint64_t *object)
{
	sqlite3_stmt *st = db_stmt(s, ST_IDS);
	enum ns_err err;

	*zone = *object = 0;
	if (st == NULL)
		return s->why.err;
	if ((err = db_row(s, st)) != NS_OK)
		return err;
	if (!db_col_u64(st, 0, INT64_MAX, zone) || !db_col_u64(st, 1, INT64_MAX, object))
		err = db_corrupt(s, "the newest ids are no numbers");
	db_reset(st);
	return err;
}

static enum ns_err
raise(struct store *s, const char *table, uint64_t id)
{
	char sql[320];

	snprintf(sql, sizeof sql,
	    "UPDATE sqlite_sequence SET seq = max(seq, %llu) WHERE name = '%s';"
	    "INSERT INTO sqlite_sequence (name, seq) SELECT '%s', %llu"
	    " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '%s')",
	    (unsigned long long)id, table, table, (unsigned long long)id, table);
	return db_exec(s, sql);
}

enum ns_err
store_ids_raise(struct store *s, uint64_t zone, uint64_t object, struct ns_why *why)
{
	enum ns_err err = db_need_txn(s);

	if (err == NS_OK && (zone > INT64_MAX / 2 || object > INT64_MAX / 2))
		err = db_refuse(s, NS_CORRUPT, STORE_E_LIMIT, "ids that nobody has given");
	if (err == NS_OK)
		err = raise(s, "zone", zone);
	if (err == NS_OK)
		err = raise(s, "object", object);
	if (err != NS_OK)
		s->broken = true;
	return db_tell(s, err, why);
}
