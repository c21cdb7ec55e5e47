/* audit.c - see audit.h. */
#include "appliance/store/audit.h"

#include <string.h>

#include "appliance/store/db.h"

#define SWEEP 64u /* old rows that one event takes away at most */

bool
store_event_same(const struct store_event *a, const struct store_event *b)
{
	return strcmp(a->kind, b->kind) == 0 && strcmp(a->who, b->who) == 0 &&
	       strcmp(a->via, b->via) == 0 && strcmp(a->source, b->source) == 0 &&
	       strcmp(a->appliance, b->appliance) == 0 && strcmp(a->what, b->what) == 0;
}

static void
bind_event(sqlite3_stmt *st, const struct store_event *e)
{
	db_bind_u64(st, 1, (uint64_t)e->first_ms);
	db_bind_u64(st, 2, (uint64_t)e->last_ms);
	db_bind_u64(st, 3, e->count);
	db_bind_text(st, 4, e->kind);
	db_bind_text(st, 5, e->who);
	db_bind_text(st, 6, e->via);
	db_bind_text(st, 7, e->source);
	db_bind_text(st, 8, e->appliance);
	db_bind_text(st, 9, e->what);
}

/* NS_NOTFOUND: there is no row that it belongs to. */
static enum ns_err
count_in(struct store *s, const struct store_event *e, const struct store_audit_rules *rules)
{
	sqlite3_stmt *st = db_writer(s, ST_AUDIT_COUNT);
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	bind_event(st, e);
	db_bind_u64(st, 10, (uint64_t)rules->join_ms);
	db_bind_u64(st, 11, (uint64_t)rules->span_ms);
	err = db_row(s, st);
	db_reset(st);
	return err;
}

static enum ns_err
run3(struct store *s, enum db_stmt_id id, const char *who, uint64_t a, uint64_t b)
{
	sqlite3_stmt *st = db_writer(s, id);

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, a);
	db_bind_u64(st, 2, b);
	if (who != NULL)
		db_bind_text(st, 3, who);
	return db_run(s, st);
}

static enum ns_err
make_row(struct store *s, const struct store_event *e, const struct store_audit_rules *rules)
{
	sqlite3_stmt *st = db_writer(s, ST_AUDIT_PUT);
	int64_t old = e->last_ms - rules->age_ms;
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	bind_event(st, e);
	if ((err = db_run(s, st)) == NS_OK)
		err = run3(s, ST_AUDIT_PERSON, e->who, rules->person, SWEEP);
	if (err == NS_OK)
		err = run3(s, ST_AUDIT_ROWS, NULL, rules->rows, SWEEP);
	if (err == NS_OK)
		err = run3(s, ST_AUDIT_OLD, NULL, old > 0 ? (uint64_t)old : 0, SWEEP);
	return err;
}

enum ns_err
store_event_put(struct store *s, const struct store_event *e, const struct store_audit_rules *rules,
    struct ns_why *why)
{
	enum ns_err err = db_need_txn(s);

	if (err == NS_OK && (err = count_in(s, e, rules)) == NS_NOTFOUND)
		err = make_row(s, e, rules);
	if (err != NS_OK)
		s->broken = true;
	return db_tell(s, err, why);
}

static bool
event_row(sqlite3_stmt *st, struct store_event *e)
{
	uint64_t first, last;

	if (!db_col_u64(st, 0, INT64_MAX, &e->id) || !db_col_u64(st, 1, INT64_MAX, &first) ||
	    !db_col_u64(st, 2, INT64_MAX, &last) || !db_col_u64(st, 3, INT64_MAX, &e->count) ||
	    !db_col_text(st, 4, e->kind, sizeof e->kind) ||
	    !db_col_text(st, 5, e->who, sizeof e->who) ||
	    !db_col_text(st, 6, e->via, sizeof e->via) ||
	    !db_col_text(st, 7, e->source, sizeof e->source) ||
	    !db_col_text(st, 8, e->appliance, sizeof e->appliance) ||
	    !db_col_text(st, 9, e->what, sizeof e->what))
		return false;
	e->first_ms = (int64_t)first;
	e->last_ms = (int64_t)last;
	return true;
}

enum ns_err
store_event_each(struct store *s, uint64_t before, store_event_fn *fn, void *arg)
{
	sqlite3_stmt *st = db_stmt(s, ST_AUDIT_EACH);
	struct store_event e;
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, before != 0 && before <= INT64_MAX ? before : INT64_MAX);
	while ((err = db_row(s, st)) == NS_OK) {
		bool ok = event_row(st, &e);

		if (!ok || !fn(arg, &e)) {
			db_reset(st);
			return ok ? NS_OK : db_corrupt(s, "an event has values that none can have");
		}
	}
	return err == NS_NOTFOUND ? NS_OK : err;
}

struct taking {
	struct store *to;
	enum ns_err err;
};

static bool
take_row(void *arg, const struct store_event *e)
{
	struct taking *t = arg;
	sqlite3_stmt *st = db_writer(t->to, ST_AUDIT_TAKE);

	if (st == NULL) {
		t->err = t->to->why.err;
		return false;
	}
	bind_event(st, e);
	db_bind_u64(st, 10, e->id);
	t->err = db_run(t->to, st);
	return t->err == NS_OK;
}

enum ns_err
store_audit_take(struct store *to, struct store *from, struct ns_why *why)
{
	struct taking t = { to, db_need_txn(to) };

	if (t.err == NS_OK)
		t.err = db_exec(to, "DELETE FROM audit");
	if (t.err == NS_OK && from != NULL)
		(void)store_event_each(from, 0, take_row, &t);
	if (t.err != NS_OK)
		to->broken = true;
	return db_tell(to, t.err, why);
}
