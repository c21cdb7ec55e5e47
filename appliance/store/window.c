/* window.c - changes that wait for their confirmation, and for how long still. */
#include "appliance/store/db.h"

enum ns_err
store_window_put(struct store *s, const struct store_window *w, struct ns_why *why)
{
	sqlite3_stmt *st = db_writer(s, ST_WINDOW_PUT);

	if (st == NULL)
		return db_tell(s, s->why.err, why);
	db_bind_u64(st, 1, w->revision);
	db_bind_u64(st, 2, w->total_ms);
	db_bind_u64(st, 3, w->remaining_ms);
	return db_tell(s, db_run(s, st), why);
}

enum ns_err
store_window_del(struct store *s, uint64_t revision, struct ns_why *why)
{
	sqlite3_stmt *st = db_writer(s, ST_WINDOW_DEL);

	if (st == NULL)
		return db_tell(s, s->why.err, why);
	db_bind_u64(st, 1, revision);
	return db_tell(s, db_run(s, st), why);
}

enum ns_err
store_window_each(struct store *s, store_window_fn *fn, void *arg)
{
	sqlite3_stmt *st = db_stmt(s, ST_WINDOW_EACH);
	struct store_window w;
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	while ((err = db_row(s, st)) == NS_OK) {
		bool ok = db_col_u64(st, 0, INT64_MAX, &w.revision) &&
			  db_col_u64(st, 1, INT64_MAX, &w.total_ms) &&
			  db_col_u64(st, 2, INT64_MAX, &w.remaining_ms);

		if (!ok || !fn(arg, &w)) {
			db_reset(st);
			return ok ? NS_OK : db_corrupt(s, "a time to confirm is no number");
		}
	}
	return err == NS_NOTFOUND ? NS_OK : err;
}
