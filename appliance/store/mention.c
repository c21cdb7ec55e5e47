/* mention.c - which names zones mention: the checks of their policies, the targets of their ALIASes.
 *
 * An index over content, kept by content.c and zone.c with every write, so that "who needs this check?" and
 * "what is to be looked up?" cost no walk over all zones. */
#include "appliance/store/mention.h"

#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"

static const char *const kinds[] = {
	[STORE_CHECKS] = "check",
	[STORE_ALIASES] = "alias",
};

bool
mention_any(const void *zwire, size_t len)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct rrset set;

	while (zwire_next(&it, &set)) {
		if (set.type == RR_ALIAS || set.type == RR_NSPOLICY)
			return true;
	}
	return false;
}

static enum ns_err
add(struct store *s, enum store_mention kind, uint64_t zone, const struct rrset *set,
    const void *name, size_t len)
{
	sqlite3_stmt *st = db_writer(s, ST_MENTION_PUT);

	if (st == NULL)
		return s->why.err;
	s->mentions++;
	db_bind_text(st, 1, kinds[kind]);
	db_bind_blob(st, 2, name, len);
	db_bind_u64(st, 3, zone);
	db_bind_blob(st, 4, set->owner, set->owner_len);
	return db_run(s, st);
}

static enum ns_err
add_checks(struct store *s, uint64_t zone, const struct rrset *set, const uint8_t *form, size_t len)
{
	struct policy po;
	struct policy_answer a;
	enum ns_err err = NS_OK;

	if (!policy_open(&po, form, len))
		return NS_OK; /* who reads it will say so */
	for (unsigned i = 0; i < po.nanswers && err == NS_OK; i++) {
		const char *name;
		size_t n;

		if (policy_answer_at(&po, i, &a) && a.check_name != 0 &&
		    (name = policy_name(&po, a.check_name, &n)) != NULL)
			err = add(s, STORE_CHECKS, zone, set, name, n);
	}
	return err;
}

enum ns_err
mention_add(struct store *s, uint64_t zone, const void *zwire, size_t len)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct rrset set;
	enum ns_err err = NS_OK;

	while (err == NS_OK && zwire_next(&it, &set)) {
		struct rbuf r = rbuf_init(set.rdata, set.rdata_len);
		const uint8_t *rdata;
		size_t n;

		if (set.type != RR_ALIAS && set.type != RR_NSPOLICY)
			continue;
		while (err == NS_OK && (rdata = rrset_next_rdata(&r, &n)) != NULL) {
			uint8_t name[NAME_MAX_WIRE];

			if (set.type == RR_NSPOLICY) {
				err = add_checks(s, zone, &set, rdata, n);
			} else if (name_check(rdata, n) == n) {
				name_lower(name, rdata, n);
				err = add(s, STORE_ALIASES, zone, &set, name, n);
			}
		}
	}
	return err;
}

static enum ns_err
clear(struct store *s, enum db_stmt_id id, uint64_t zone, const uint8_t *owner)
{
	sqlite3_stmt *st = db_writer(s, id);
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, zone);
	if (owner != NULL)
		db_bind_blob(st, 2, owner, name_len(owner));
	err = db_run(s, st);
	if (err == NS_OK && sqlite3_changes(s->db) > 0)
		s->mentions++;
	return err;
}

enum ns_err
mention_clear(struct store *s, uint64_t zone)
{
	return clear(s, ST_MENTION_CLEAR, zone, NULL);
}

enum ns_err
mention_clear_owner(struct store *s, uint64_t zone, const uint8_t *owner)
{
	return clear(s, ST_MENTION_OWNER, zone, owner);
}

enum ns_err
mention_all(struct store *s)
{
	sqlite3_stmt *st = NULL;
	enum ns_err err = NS_OK;
	int rc = sqlite3_prepare_v2(s->db, "SELECT zone_id, body FROM part", -1, &st, NULL);

	if (rc != SQLITE_OK)
		return db_fail(s, rc, "read the zones");
	while (err == NS_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		const void *body = sqlite3_column_blob(st, 1);

		if (body != NULL)
			err = mention_add(s, (uint64_t)sqlite3_column_int64(st, 0), body,
			    (size_t)sqlite3_column_bytes(st, 1));
	}
	sqlite3_finalize(st);
	if (err == NS_OK && rc != SQLITE_DONE)
		err = db_fail(s, rc, "read the zones");
	return err;
}

/* ---- who asks ---- */
static enum ns_err
each(struct store *s, sqlite3_stmt *st, enum store_mention kind, store_mention_fn *fn, void *arg)
{
	struct store_mentioned m;
	enum ns_err err;
	size_t owner_len;

	while ((err = db_row(s, st)) == NS_OK) {
		if (!db_col_blob(st, 0, 1, NAME_MAX_WIRE, &m.name, &m.len) ||
		    !db_col_u64(st, 1, INT64_MAX, &m.zone) ||
		    !db_col_blob(st, 2, 1, NAME_MAX_WIRE, &m.owner, &owner_len) ||
		    name_check(m.owner, owner_len) != owner_len ||
		    (kind == STORE_ALIASES && name_check(m.name, m.len) != m.len)) {
			db_reset(st);
			return db_corrupt(s, "the index of what zones mention is damaged");
		}
		if (!fn(arg, &m)) {
			db_reset(st);
			return NS_OK;
		}
	}
	return err == NS_NOTFOUND ? NS_OK : err;
}

enum ns_err
store_mention_each(struct store *s, enum store_mention kind, const void *name, size_t len,
    store_mention_fn *fn, void *arg)
{
	sqlite3_stmt *st = db_stmt(s, ST_MENTION_EACH);

	if (st == NULL)
		return s->why.err;
	db_bind_text(st, 1, kinds[kind]);
	if (name != NULL)
		db_bind_blob(st, 2, name, len);
	return each(s, st, kind, fn, arg);
}

enum ns_err
store_mention_zone(
    struct store *s, enum store_mention kind, uint64_t zone, store_mention_fn *fn, void *arg)
{
	sqlite3_stmt *st = db_stmt(s, ST_MENTION_ZONE);

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, zone);
	db_bind_text(st, 2, kinds[kind]);
	return each(s, st, kind, fn, arg);
}

uint64_t
store_mentions(const struct store *s)
{
	return s->mentions;
}
