/* object.c - small replicated things by kind and name: users, accounts, appliances, checks. */
#include <stdio.h>
#include <string.h>

#include "appliance/store/db.h"

static enum ns_err
refuse_long(struct store *s, const char *what)
{
	return db_refuse(s, NS_INVALID, STORE_E_LIMIT, "the object's %s is too long", what);
}

static enum ns_err
put(struct store *s, struct store_object *o, const void *body, size_t len)
{
	sqlite3_stmt *st;
	enum ns_err err;
	uint64_t id;

	if (len > STORE_OBJECT_MAX)
		return refuse_long(s, "body");
	if ((st = db_writer(s, ST_OBJECT_PUT)) == NULL)
		return s->why.err;
	if (o->id != 0)
		db_bind_u64(st, 1, o->id);
	db_bind_text(st, 2, o->kind);
	db_bind_text(st, 3, o->name);
	db_bind_u64(st, 4, o->version);
	db_bind_blob(st, 5, body, len);
	if ((err = db_row(s, st)) != NS_OK)
		return err == NS_NOTFOUND ? db_corrupt(s, "an object has no number") : err;
	if (!db_col_u64(st, 0, INT64_MAX, &id) || (o->id != 0 && o->id != id)) {
		db_reset(st);
		return db_corrupt(s, "an object of that name has another number");
	}
	db_reset(st);
	o->id = id;
	return NS_OK;
}

enum ns_err
store_object_put(
    struct store *s, struct store_object *o, const void *body, size_t len, struct ns_why *why)
{
	return db_tell(s, put(s, o, body, len), why);
}

enum ns_err
store_object_adopt(
    struct store *s, struct store_object *o, const void *body, size_t len, struct ns_why *why)
{
	sqlite3_stmt *st = db_writer(s, ST_OBJECT_CLEAR);
	enum ns_err err;

	if (st == NULL)
		return db_tell(s, s->why.err, why);
	db_bind_u64(st, 1, o->id);
	db_bind_text(st, 2, o->kind);
	db_bind_text(st, 3, o->name);
	err = db_run(s, st);
	return err == NS_OK ? store_object_put(s, o, body, len, why) : db_tell(s, err, why);
}

enum ns_err
store_object_drop(struct store *s, const char *kind, const char *name, struct ns_why *why)
{
	sqlite3_stmt *st = db_writer(s, ST_OBJECT_DROP);
	enum ns_err err;

	if (st == NULL)
		return db_tell(s, s->why.err, why);
	db_bind_text(st, 1, kind);
	db_bind_text(st, 2, name);
	err = db_row(s, st);
	if (err == NS_OK)
		db_reset(st);
	return err == NS_NOTFOUND ? err : db_tell(s, err, why);
}

/* The body stays SQLite's until the statement moves on. */
static enum ns_err
read_row(
    struct store *s, sqlite3_stmt *st, struct store_object *o, const uint8_t **body, size_t *len)
{
	if (!db_col_u64(st, 0, INT64_MAX, &o->id) || !db_col_text(st, 1, o->kind, sizeof o->kind) ||
	    !db_col_text(st, 2, o->name, sizeof o->name) ||
	    !db_col_u64(st, 3, INT64_MAX, &o->version) ||
	    !db_col_blob(st, 4, 0, STORE_OBJECT_MAX, body, len)) {
		db_reset(st);
		return db_corrupt(s, "an object has values that none can have");
	}
	return NS_OK;
}

enum ns_err
store_object_get(
    struct store *s, const char *kind, const char *name, struct store_object *o, struct wbuf *body)
{
	sqlite3_stmt *st = db_stmt(s, ST_OBJECT_GET);
	const uint8_t *data;
	enum ns_err err;
	size_t len;

	if (st == NULL)
		return s->why.err;
	db_bind_text(st, 1, kind);
	db_bind_text(st, 2, name);
	if ((err = db_row(s, st)) != NS_OK || (err = read_row(s, st, o, &data, &len)) != NS_OK)
		return err;
	if (body != NULL)
		wbuf_put(body, data, len);
	db_reset(st);
	return NS_OK;
}

static enum ns_err
each(struct store *s, sqlite3_stmt *st, store_object_fn *fn, void *arg)
{
	struct store_object o;
	const uint8_t *body;
	enum ns_err err;
	size_t len;

	while ((err = db_row(s, st)) == NS_OK) {
		if ((err = read_row(s, st, &o, &body, &len)) != NS_OK)
			return err;
		if (!fn(arg, &o, body, len)) {
			db_reset(st);
			return NS_OK;
		}
	}
	return err == NS_NOTFOUND ? NS_OK : err;
}

enum ns_err
store_object_each(struct store *s, const char *kind, store_object_fn *fn, void *arg)
{
	sqlite3_stmt *st = db_stmt(s, ST_OBJECT_EACH);

	if (st == NULL)
		return s->why.err;
	if (kind != NULL)
		db_bind_text(st, 1, kind);
	return each(s, st, fn, arg);
}

enum ns_err
store_object_after(
    struct store *s, const char *kind, const char *name, store_object_fn *fn, void *arg)
{
	sqlite3_stmt *st = db_stmt(s, ST_OBJECT_AFTER);

	if (st == NULL)
		return s->why.err;
	db_bind_text(st, 1, kind);
	db_bind_text(st, 2, name);
	return each(s, st, fn, arg);
}
