/* setting.c - small named texts: settings (part of changes) and facts (of this appliance alone). */
#include <stdlib.h>
#include <string.h>

#include "appliance/store/db.h"

/* ---- settings and facts ---- */

static enum ns_err
check_text(struct store *s, const char *what, const char *text, size_t max)
{
	if (strlen(text) <= max)
		return NS_OK;
	return db_refuse(s, NS_INVALID, STORE_E_LIMIT, "%s is longer than %zu octets", what, max);
}

static enum ns_err
put(struct store *s, enum db_stmt_id id, const char *name, const char *value)
{
	sqlite3_stmt *st;
	enum ns_err err = check_text(s, "the name", name, STORE_NAME_MAX);

	if (err == NS_OK && value != NULL)
		err = check_text(s, "the value", value, STORE_VALUE_MAX);
	if (err != NS_OK)
		return err;
	if ((st = db_writer(s, id)) == NULL)
		return s->why.err;
	db_bind_text(st, 1, name);
	if (value != NULL)
		db_bind_text(st, 2, value);
	return db_run(s, st);
}

static enum ns_err
get(struct store *s, enum db_stmt_id id, const char *name, char **value)
{
	sqlite3_stmt *st = db_stmt(s, id);
	enum ns_err err;

	*value = NULL;
	if (st == NULL)
		return s->why.err;
	db_bind_text(st, 1, name);
	if ((err = db_row(s, st)) != NS_OK)
		return err;
	if (!db_col_strdup(st, 0, STORE_VALUE_MAX, value))
		err = db_corrupt(s, "a setting or fact has no readable value");
	db_reset(st);
	return err;
}

enum ns_err
store_setting_put(struct store *s, const char *name, const char *value, struct ns_why *why)
{
	return db_tell(
	    s, put(s, value != NULL ? ST_SETTING_PUT : ST_SETTING_DEL, name, value), why);
}

enum ns_err
store_setting_get(struct store *s, const char *name, char **value)
{
	return get(s, ST_SETTING_GET, name, value);
}

enum ns_err
store_setting_each(struct store *s, store_setting_fn *fn, void *arg)
{
	sqlite3_stmt *st = db_stmt(s, ST_SETTING_EACH);
	char name[STORE_NAME_MAX + 1];
	char *value;
	enum ns_err err;
	bool more = true;

	if (st == NULL)
		return s->why.err;
	while (more && (err = db_row(s, st)) == NS_OK) {
		if (!db_col_text(st, 0, name, sizeof name) ||
		    !db_col_strdup(st, 1, STORE_VALUE_MAX, &value)) {
			db_reset(st);
			return db_corrupt(s, "a setting has no readable name or value");
		}
		more = fn(arg, name, value);
		free(value);
	}
	if (!more)
		db_reset(st);
	return !more || err == NS_NOTFOUND ? NS_OK : err;
}

enum ns_err
store_fact_put(struct store *s, const char *name, const char *value, struct ns_why *why)
{
	return db_tell(s, put(s, ST_FACT_PUT, name, value), why);
}

enum ns_err
store_fact_get(struct store *s, const char *name, char **value)
{
	return get(s, ST_FACT_GET, name, value);
}
