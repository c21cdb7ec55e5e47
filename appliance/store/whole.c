/* whole.c - row and content of a small zone in one stroke: for whoever has both in memory. */
#include <string.h>

#include "appliance/store/mention.h"
#include "appliance/store/part.h"
#include "appliance/store/rows.h"

/* What it is to become. */
struct whole {
	struct store_zone *z;
	const void *zwire;
	size_t len;
	struct part_span span;
};

static enum ns_err
put_row(struct store *s, const struct whole *w)
{
	const struct store_zone *z = w->z;
	sqlite3_stmt *st = db_writer(s, ST_ZONE_WHOLE);
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, z->id);
	db_bind_u64(st, 2, z->version);
	db_bind_u64(st, 3, z->serial);
	db_bind_u64(st, 4, z->account);
	db_bind_u64(st, 5, z->external);
	db_bind_u64(st, 6, (uint64_t)z->changed_ms);
	db_bind_u64(st, 7, w->span.records);
	db_bind_u64(st, 8, w->span.rrsets);
	db_bind_u64(st, 9, w->len);
	err = db_run(s, st);
	if (err == NS_OK && sqlite3_changes(s->db) != 1)
		err = db_refuse(s, NS_NOTFOUND, STORE_E_ZONE, "no zone has the id %llu",
		    (unsigned long long)z->id);
	return err;
}

/* The part that is all of the zone now, when it can be all of it afterwards; NS_NOTFOUND: there is none.  *had: it
 * mentions something. */
static enum ns_err
one_part(struct store *s, const struct whole *w, struct part *part, bool *had, bool *moved)
{
	struct skey now, then;
	enum ns_err err;

	if (w->len == 0 || w->len > STORE_PART)
		return NS_NOTFOUND;
	err = row_load(s, ST_PART_LAST, w->z->id, NULL, part);
	if (err != NS_OK)
		return err;
	*had = mention_any(part->body, part->len);
	if (part->len != w->z->bytes ||
	    !part_first_key(part->body, part->len, then.octets, &then.len) ||
	    !part_first_key(w->zwire, w->len, now.octets, &now.len))
		err = NS_NOTFOUND;
	else
		*moved = now.len != then.len || memcmp(now.octets, then.octets, now.len) != 0;
	db_reset(part->st);
	return err;
}

static enum ns_err
in_place(struct store *s, const struct whole *w, const struct part *part, bool had, bool moved)
{
	enum ns_err err = put_row(s, w);

	if (err == NS_OK && had)
		err = mention_clear(s, w->z->id);
	if (err == NS_OK)
		err = mention_add(s, w->z->id, w->zwire, w->len);
	if (err == NS_OK)
		err = row_update(s, w->z->id, part, w->zwire, w->len, moved);
	return err;
}

enum ns_err
store_zone_write(
    struct store *s, struct store_zone *z, const void *zwire, size_t len, struct ns_why *why)
{
	struct whole w = { .z = z, .zwire = zwire, .len = len };
	struct part part;
	size_t fattest;
	bool had, moved;
	enum ns_err err = db_need_txn(s);

	if (err == NS_OK && part_measure(zwire, len, &w.span, &fattest) &&
	    (err = one_part(s, &w, &part, &had, &moved)) == NS_OK) {
		err = in_place(s, &w, &part, had, moved);
		if (err == NS_OK) {
			z->records = w.span.records;
			z->rrsets = w.span.rrsets;
			z->bytes = len;
			return NS_OK;
		}
		s->broken = true;
	}
	if (err != NS_OK && err != NS_NOTFOUND)
		return db_tell(s, err, why);
	err = store_content_put(s, z->id, true, zwire, len, why);
	return err == NS_OK ? store_zone_put(s, z, why) : err;
}
