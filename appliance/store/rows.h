/* rows - one part as one database row: found, checked, written.  What is in it is part.h's business,
 * which rows a zone has is content.c's. */
#ifndef NS_STORE_ROWS_H
#define NS_STORE_ROWS_H

#include "appliance/store/db.h"
#include "appliance/store/part.h"

struct skey {
	size_t len;
	uint8_t octets[PART_KEY_MAX];
};

/* A row that was found; body is valid until db_reset(st). */
struct part {
	sqlite3_stmt *st;
	uint64_t id;
	const uint8_t *body;
	size_t len;
};

const struct skey	*skey_of(const uint8_t *name, struct skey *);

/* NS_CORRUPT that names the zone. */
enum ns_err	 row_damaged(struct store *, uint64_t zone, const char *how);
/* The columns id, first_key, sum, body of the row that the statement is at: types, sizes, checksum,
 * and that it lies where its first owner belongs. */
enum ns_err	 row_check(struct store *, sqlite3_stmt *, uint64_t zone, const uint8_t **body,
		    size_t *len);
/* The same as a struct part; on failure the statement is reset. */
enum ns_err	 row_take(struct store *, sqlite3_stmt *, uint64_t zone, struct part *);
/* One row by (zone, key), with a statement that finds a single part.  key NULL: it needs none. */
enum ns_err	 row_load(struct store *, enum db_stmt_id, uint64_t zone, const struct skey *key,
		    struct part *);

enum ns_err	 row_insert(struct store *, uint64_t zone, const uint8_t *body, size_t len);
/* New bytes for a row.  `moved`: its first owner is another one; else the index is left alone. */
enum ns_err	 row_update(struct store *, uint64_t zone, const struct part *, const uint8_t *body,
		    size_t len, bool moved);
enum ns_err	 row_drop(struct store *, uint64_t id);

#endif
