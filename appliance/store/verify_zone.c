/* verify_zone.c - one zone of a verify: its row, its parts, and whether they belong together. */
#include <stdio.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "appliance/store/sql.h"
#include "appliance/store/verify.h"

static void
zone_fault(struct verify *v, const char *text)
{
	char name[NAME_MAX_TEXT] = "";

	if (v->in_zone)
		name_to_text(v->zone.name, name);
	verify_fault(v, "zone", name, text);
}

/* ---- the row ---- */

static enum ns_err
next_zone(struct store *s, struct verify *v)
{
	sqlite3_stmt *st = db_stmt(s, ST_VERIFY_ZONE);
	enum ns_err err;

	v->in_zone = false;
	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, v->at);
	if ((err = db_row(s, st)) == NS_NOTFOUND) {
		v->phase = VERIFY_TOMBS;
		v->at = 0;
		return NS_OK;
	}
	if (err != NS_OK)
		return err;
	if (!db_col_u64(st, 0, INT64_MAX, &v->at))
		err = db_corrupt(s, "a zone's row has no id");
	else if (zone_row(s, st, &v->zone) != NS_OK)
		zone_fault(v, s->why.text);
	else
		v->in_zone = true;
	db_reset(st);
	v->records = v->rrsets = v->bytes = 0;
	v->any = v->fresh_piece = false;
	return err;
}

/* Has the zone changed since its check began (in an earlier piece)?  Then it is begun again. */
static bool
zone_moved(struct store *s, struct verify *v)
{
	sqlite3_stmt *st = db_stmt(s, ST_ZONE_ID);
	struct store_zone now;
	bool same = false;

	if (st == NULL)
		return true;
	db_bind_u64(st, 1, v->zone.id);
	if (db_row(s, st) == NS_OK) {
		same = zone_row(s, st, &now) == NS_OK && now.version == v->zone.version &&
		       now.bytes == v->zone.bytes && now.records == v->zone.records;
		db_reset(st);
	}
	return !same;
}

/* ---- its parts ---- */

/* The serial in SOA rdata: two names, then it. */
static bool
soa_serial(const struct rrset *set, uint32_t *serial)
{
	struct rbuf all = rbuf_init(set->rdata, set->rdata_len), r;
	uint8_t name[NAME_MAX_WIRE];

	r = rbuf_sub(&all, rbuf_u16(&all));
	name_read(&r, name);
	name_read(&r, name);
	*serial = rbuf_u32(&r);
	return rbuf_ok(&r);
}

static void
check_sets(struct verify *v, const struct part *part)
{
	struct zwire_iter it = zwire_iter(part->body, part->len);
	struct rrset set;
	uint32_t serial;

	while (zwire_next(&it, &set)) {
		if (!name_in(set.owner, v->zone.name))
			zone_fault(v, "holds an owner that is not in the zone");
		if (set.type == RR_SOA && (!soa_serial(&set, &serial) || serial != v->zone.serial))
			zone_fault(v, "its row has another serial than its SOA");
		memcpy(v->last, set.owner, set.owner_len);
	}
}

static void
check_part(struct verify *v, const struct part *part)
{
	struct part_span span;
	struct ns_why why = { 0 };
	char text[sizeof why.text + sizeof why.owner + 32];
	size_t fattest;

	if (zwire_check(part->body, part->len, &why) != NS_OK ||
	    !part_measure(part->body, part->len, &span, &fattest)) {
		snprintf(
		    text, sizeof text, "bad content at %s %s: %s", why.owner, why.type, why.text);
		zone_fault(v, text);
		return;
	}
	if (part->len > STORE_PART && span.owners > 1)
		zone_fault(v, "has a part that is too long");
	if (v->any && name_cmp(v->last, part->body + 1) >= 0)
		zone_fault(v, "has parts that overlap");
	v->records += span.records;
	v->rrsets += span.rrsets;
	v->bytes += part->len;
	check_sets(v, part);
}

static void
end_zone(struct store *s, struct verify *v)
{
	sqlite3_stmt *st = db_stmt(s, ST_VERIFY_TOUCHED);
	uint64_t touched;

	if (v->records != v->zone.records || v->rrsets != v->zone.rrsets ||
	    v->bytes != v->zone.bytes)
		zone_fault(v, "its counters do not match its content");
	if (st != NULL) {
		db_bind_u64(st, 1, v->zone.id);
		db_bind_u64(st, 2, v->begins);
		if (db_row(s, st) == NS_OK) {
			/* NULL: a zone that came without its history. */
			if (sqlite3_column_type(st, 0) != SQLITE_NULL &&
			    (!db_col_u64(st, 0, INT64_MAX, &touched) || touched != v->zone.version))
				zone_fault(v, "its version is not the last change that touched it");
			db_reset(st);
		}
	}
	v->in_zone = false;
	v->restarts = 0;
}

/* The next part.  A damaged one is told by its key and passed by. */
static enum ns_err
next_part(struct store *s, struct verify *v)
{
	sqlite3_stmt *st = db_stmt(s, ST_PART_NEXT);
	struct part part = { 0 };
	const uint8_t *key;
	size_t key_len;
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, v->zone.id);
	if (v->any)
		db_bind_blob(st, 2, v->key.octets, v->key.len);
	else
		db_bind_start(st, 2);
	if ((err = db_row(s, st)) != NS_OK)
		return err;
	if (!db_col_blob(st, 1, 0, PART_KEY_MAX, &key, &key_len)) {
		db_reset(st);
		return db_corrupt(s, "a part has no key");
	}
	if (row_check(s, st, v->zone.id, &part.body, &part.len) != NS_OK)
		zone_fault(v, s->why.text);
	else
		check_part(v, &part);
	if (key_len > 0)
		memcpy(v->key.octets, key, key_len);
	v->key.len = key_len;
	v->any = true;
	db_reset(st);
	return NS_OK;
}

enum ns_err
verify_step_zone(struct store *s, struct verify *v)
{
	enum ns_err err;

	if (!v->in_zone)
		return next_zone(s, v);
	if (v->fresh_piece && zone_moved(s, v)) {
		v->in_zone = false;
		v->restarts++;
		v->at--;
		return NS_OK;
	}
	v->fresh_piece = false;
	err = next_part(s, v);
	if (err == NS_NOTFOUND) {
		end_zone(s, v);
		return NS_OK;
	}
	if (err == NS_CORRUPT) { /* tell it here, where the zone is known; go on behind it */
		zone_fault(v, s->why.text);
		v->in_zone = false;
		return NS_OK;
	}
	return err;
}
