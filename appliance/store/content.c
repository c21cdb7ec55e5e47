/* content.c - zone content as parts: which rows hold an owner, and how they are kept in shape.
 *
 * Rules that hold after every call: parts of a zone are in canonical order and do not overlap, none
 * is empty, none is over STORE_PART unless it holds one owner only, first_key is the key of the first
 * owner inside, and the zone's counters are the sums over its parts.  A part that shrinks below a
 * quarter looks for a neighbour to join (up to three quarters, so that the next edit does not split
 * it again). */
#include <string.h>

#include "appliance/dns/zwire.h"
#include "appliance/store/mention.h"
#include "appliance/store/part.h"
#include "appliance/store/rows.h"

#define PART_SMALL  (STORE_PART / 4)
#define PART_JOINED (STORE_PART / 4 * 3)

/* ---- reading ---- */

static enum ns_err
give(struct store *s, struct wbuf *out, const uint8_t *data, size_t len)
{
	wbuf_put(out, data, len);
	if (wbuf_ok(out))
		return NS_OK;
	return db_refuse(s, NS_UNAVAILABLE, STORE_E_LIMIT, "content does not fit the room for it");
}

enum ns_err
store_owner_get(struct store *s, uint64_t zone, const uint8_t *owner, struct wbuf *out)
{
	struct skey key;
	struct part part;
	struct part_span span;
	enum ns_err err = row_load(s, ST_PART_AT, zone, skey_of(owner, &key), &part);

	if (err != NS_OK)
		return err;
	if (!part_find(part.body, part.len, owner, &span))
		err = row_damaged(s, zone, "cannot be read");
	else if (span.from == span.to)
		err = NS_NOTFOUND;
	else
		err = give(s, out, part.body + span.from, span.to - span.from);
	db_reset(part.st);
	return err;
}

/* Parts from the one that can hold what follows `after`. */
static sqlite3_stmt *
run_start(struct store *s, uint64_t zone, const uint8_t *after, struct skey *key)
{
	sqlite3_stmt *st = db_stmt(s, ST_PART_RUN);

	if (st == NULL)
		return NULL;
	key->len = 0;
	if (after != NULL)
		skey_of(after, key);
	db_bind_u64(st, 1, zone);
	db_bind_blob(st, 2, key->octets, key->len);
	return st;
}

/* State of one walk over parts. */
struct run {
	uint64_t zone;
	const uint8_t *after; /* NULL: from the start */
	size_t want, got;
	struct wbuf *out;
	uint8_t *last; /* room for a name; may be where `after` is */
};

/* One part's share.  Only owners after the last one given are taken, so that a damaged store cannot
 * send a caller round in circles. */
static enum ns_err
run_part(struct store *s, struct run *run, const struct part *part)
{
	struct part_span span;
	size_t at;
	enum ns_err err;

	if (!part_run(part->body, part->len, run->after, run->want - run->got, &span, &at))
		return row_damaged(s, run->zone, "cannot be read");
	if (span.owners == 0)
		return NS_OK;
	if ((err = give(s, run->out, part->body + span.from, span.to - span.from)) != NS_OK)
		return err;
	memcpy(run->last, part->body + at, name_len(part->body + at));
	run->after = run->last;
	run->got += span.to - span.from;
	return NS_OK;
}

static enum ns_err
run_parts(struct store *s, struct run *run)
{
	struct skey key;
	struct part part;
	sqlite3_stmt *st = run_start(s, run->zone, run->after, &key);
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	while ((err = db_row(s, st)) == NS_OK) {
		if ((err = row_take(s, st, run->zone, &part)) != NS_OK)
			return err;
		if ((err = run_part(s, run, &part)) != NS_OK || run->got >= run->want) {
			db_reset(st);
			return err;
		}
	}
	return err == NS_NOTFOUND && run->got > 0 ? NS_OK : err;
}

enum ns_err
store_content_get(struct store *s, uint64_t zone, const uint8_t *after, size_t want,
    struct wbuf *out, uint8_t last[255])
{
	struct run run = {
		.zone = zone,
		.after = after,
		.want = want > 0 ? want : 1,
		.out = out,
		.last = last,
	};

	return run_parts(s, &run);
}

enum ns_err
store_owner_after(struct store *s, uint64_t zone, const uint8_t *owner, struct wbuf *out)
{
	uint8_t last[NAME_MAX_WIRE];

	return store_content_get(s, zone, owner, 1, out, last);
}

/* ---- writing ---- */

/* The zone's counters by so much (add) or to so much (set); `bytes` gets the zone's new size. */
static enum ns_err
zone_count(struct store *s, enum db_stmt_id id, uint64_t zone, const int64_t by[3], uint64_t *bytes)
{
	sqlite3_stmt *st = db_writer(s, id);
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, zone);
	for (int i = 0; i < 3; i++)
		sqlite3_bind_int64(st, i + 2, by[i]);
	if ((err = db_row(s, st)) == NS_NOTFOUND)
		return db_refuse(
		    s, err, STORE_E_ZONE, "no zone has the id %llu", (unsigned long long)zone);
	if (err != NS_OK)
		return err;
	if (!db_col_u64(st, 0, INT64_MAX, bytes)) {
		db_reset(st);
		return row_damaged(s, zone, "does not add up with the zone's counters");
	}
	return db_run(s, st);
}

/* Insert octets as parts, cut at about `target`. */
static enum ns_err
insert_parts(struct store *s, uint64_t zone, const uint8_t *data, size_t len, size_t target)
{
	enum ns_err err = NS_OK;

	while (len > 0 && err == NS_OK) {
		size_t cut = part_cut(data, len, target, STORE_PART);

		if (cut == 0)
			return row_damaged(s, zone, "cannot be cut");
		err = row_insert(s, zone, data, cut);
		data += cut;
		len -= cut;
	}
	return err;
}

/* The scratch becomes the content of this row, and of new ones behind it when it is too much. */
static enum ns_err
store_scratch(struct store *s, uint64_t zone, const struct part *row, bool moved, size_t target)
{
	const uint8_t *data = s->scratch.base;
	size_t len = s->scratch.len, cut = len;
	enum ns_err err;

	if (len > STORE_PART && (cut = part_cut(data, len, target, STORE_PART)) == 0)
		return row_damaged(s, zone, "cannot be cut");
	if ((err = row_update(s, zone, row, data, cut, moved)) != NS_OK)
		return err;
	return insert_parts(s, zone, data + cut, len - cut, target);
}

/* Give memory back that only one big zone needed. */
static void
scratch_done(struct store *s)
{
	if (s->scratch.cap > SCRATCH_KEEP || s->scratch.bad) {
		wbuf_free(&s->scratch);
		s->scratch = wbuf_grow(CONTENT_MAX);
	}
	s->scratch.len = 0;
}

/* The row holds the scratch, which is small: put a neighbour's content to it. */
static enum ns_err
join(struct store *s, uint64_t zone, const struct part *row, enum db_stmt_id side, bool *joined)
{
	struct skey key;
	struct part other;
	size_t len = s->scratch.len;
	uint64_t gone;
	enum ns_err err;

	*joined = false;
	if (!part_first_key(s->scratch.base, len, key.octets, &key.len))
		return row_damaged(s, zone, "cannot be read");
	if ((err = row_load(s, side, zone, &key, &other)) != NS_OK)
		return err == NS_NOTFOUND ? NS_OK : err;
	if (len + other.len > PART_JOINED) {
		db_reset(other.st);
		return NS_OK;
	}
	wbuf_put(&s->scratch, other.body, other.len);
	gone = other.id;
	db_reset(other.st);
	if (side == ST_PART_PREV) { /* what was appended belongs in front */
		struct wbuf turned = wbuf_grow(PART_JOINED);

		wbuf_put(&turned, s->scratch.base + len, s->scratch.len - len);
		wbuf_put(&turned, s->scratch.base, len);
		wbuf_free(&s->scratch);
		s->scratch = turned;
		s->scratch.max = CONTENT_MAX;
	}
	/* First away with the neighbour: its first_key may be the joined row's. */
	if ((err = row_drop(s, gone)) == NS_OK)
		err =
		    row_update(s, zone, row, s->scratch.base, s->scratch.len, side == ST_PART_PREV);
	*joined = err == NS_OK;
	return err;
}

/* The part where an owner is or belongs; NS_NOTFOUND: the zone is empty. */
static enum ns_err
part_for(struct store *s, uint64_t zone, const struct skey *key, struct part *out)
{
	enum ns_err err = row_load(s, ST_PART_AT, zone, key, out);

	return err == NS_NOTFOUND ? row_load(s, ST_PART_NEXT, zone, key, out) : err;
}

/* What is put must be sets of that one owner, in order. */
static enum ns_err
check_owner(
    struct store *s, const uint8_t *owner, const void *zwire, size_t len, struct part_span *span)
{
	size_t fattest;

	if (len > OWNER_MAX_WIRE)
		return db_refuse(s, NS_INVALID, STORE_E_OWNER,
		    "one owner name may hold %u octets, this one has %zu", OWNER_MAX_WIRE, len);
	if (!part_measure(zwire, len, span, &fattest) || span->owners > 1 ||
	    (len > 0 && !name_equal((const uint8_t *)zwire + 1, owner)))
		return db_refuse(
		    s, NS_INVALID, STORE_E_CONTENT, "these are not the sets of one owner in order");
	return NS_OK;
}

static enum ns_err
splice(struct store *s, const struct part *part, const struct part_span *old, const void *zwire,
    size_t len)
{
	s->scratch.len = 0;
	wbuf_put(&s->scratch, part->body, old->from);
	wbuf_put(&s->scratch, zwire, len);
	wbuf_put(&s->scratch, part->body + old->to, part->len - old->to);
	if (wbuf_ok(&s->scratch))
		return NS_OK;
	return db_refuse(s, NS_UNAVAILABLE, STORE_E_MEMORY, "content is over every limit");
}

/* The spliced content goes back; `bytes` is the size of the whole zone. */
static enum ns_err
put_back(struct store *s, uint64_t zone, const struct part *row, bool moved, uint64_t bytes)
{
	size_t len = s->scratch.len;
	bool joined = false;
	enum ns_err err;

	if (len == 0)
		return row_drop(s, row->id);
	err = store_scratch(s, zone, row, moved, part_target(len, STORE_PART));
	if (err != NS_OK || len >= PART_SMALL || bytes == len)
		return err;
	err = join(s, zone, row, ST_PART_NEXT, &joined);
	if (err == NS_OK && !joined)
		err = join(s, zone, row, ST_PART_PREV, &joined);
	return err;
}

/* The index of what is mentioned follows: `had` what was there before. */
static enum ns_err
owner_mentions(
    struct store *s, uint64_t zone, const uint8_t *owner, bool had, const void *zwire, size_t len)
{
	enum ns_err err = had ? mention_clear_owner(s, zone, owner) : NS_OK;

	return err == NS_OK ? mention_add(s, zone, zwire, len) : err;
}

static enum ns_err
owner_put(struct store *s, uint64_t zone, const uint8_t *owner, const void *zwire, size_t len)
{
	struct part_span new, old = { 0 };
	struct skey key;
	struct part part = { 0 };
	uint64_t bytes;
	bool moved = false, had = false;
	enum ns_err err = check_owner(s, owner, zwire, len, &new), found;

	if (err != NS_OK)
		return err;
	found = part_for(s, zone, skey_of(owner, &key), &part);
	if (found == NS_OK) {
		if (!part_find(part.body, part.len, owner, &old))
			found = row_damaged(s, zone, "cannot be read");
		else
			found = splice(s, &part, &old, zwire, len);
		had = found == NS_OK && mention_any(part.body + old.from, old.to - old.from);
		moved = old.from == 0 && (old.to == 0 || len == 0);
		db_reset(part.st);
	}
	if (found != NS_OK && found != NS_NOTFOUND)
		return found;
	const int64_t by[3] = {
		(int64_t) new.records - (int64_t)old.records,
		(int64_t) new.rrsets - (int64_t)old.rrsets,
		(int64_t)len - (int64_t)(old.to - old.from),
	};

	if ((err = zone_count(s, ST_ZONE_BUMP, zone, by, &bytes)) != NS_OK ||
	    (err = owner_mentions(s, zone, owner, had, zwire, len)) != NS_OK)
		return err;
	if (found == NS_NOTFOUND)
		return insert_parts(s, zone, zwire, len, STORE_PART);
	if (len == 0 && old.from == old.to)
		return NS_OK;
	return put_back(s, zone, &part, moved, bytes);
}

enum ns_err
store_owner_put(struct store *s, uint64_t zone, const uint8_t *owner, const void *zwire, size_t len,
    struct ns_why *why)
{
	enum ns_err err = db_need_txn(s);

	if (err != NS_OK)
		return db_tell(s, err, why);
	err = owner_put(s, zone, owner, zwire, len);
	scratch_done(s);
	/* Refused before anything was written; every other failure may be half a write. */
	if (err != NS_OK && err != NS_INVALID && err != NS_NOTFOUND)
		s->broken = true;
	return db_tell(s, err, why);
}

static enum ns_err
check_content(struct store *s, const void *zwire, size_t len, struct part_span *span)
{
	size_t fattest;

	if (!part_measure(zwire, len, span, &fattest))
		return db_refuse(
		    s, NS_INVALID, STORE_E_CONTENT, "the content is not in canonical order");
	if (fattest > OWNER_MAX_WIRE)
		return db_refuse(s, NS_INVALID, STORE_E_OWNER,
		    "one owner name may hold %u octets, one has %zu", OWNER_MAX_WIRE, fattest);
	return NS_OK;
}

static enum ns_err
content_replace(struct store *s, uint64_t zone, const void *zwire, size_t len)
{
	struct part_span span;
	uint64_t bytes;
	sqlite3_stmt *st;
	enum ns_err err = check_content(s, zwire, len, &span);

	if (err != NS_OK)
		return err;
	const int64_t to[3] = { (int64_t)span.records, (int64_t)span.rrsets, (int64_t)len };

	if ((err = zone_count(s, ST_ZONE_SET, zone, to, &bytes)) != NS_OK)
		return err;
	if ((st = db_writer(s, ST_PART_CLEAR)) == NULL)
		return s->why.err;
	db_bind_u64(st, 1, zone);
	if ((err = db_run(s, st)) != NS_OK || (err = mention_clear(s, zone)) != NS_OK ||
	    (err = mention_add(s, zone, zwire, len)) != NS_OK)
		return err;
	return insert_parts(s, zone, zwire, len, STORE_PART);
}

/* More content behind what is there; the last part is opened again, because a caller's piece may end
 * within an owner. */
static enum ns_err
content_append(struct store *s, uint64_t zone, const void *zwire, size_t len)
{
	struct part part = { 0 };
	struct part_span span, all;
	uint64_t bytes;
	enum ns_err found = row_load(s, ST_PART_LAST, zone, NULL, &part), err;

	if (found == NS_NOTFOUND)
		return content_replace(s, zone, zwire, len);
	if (found != NS_OK)
		return found;
	const struct part_span behind = { .from = part.len, .to = part.len };

	err = splice(s, &part, &behind, zwire, len);
	db_reset(part.st);
	if (err != NS_OK || (err = check_content(s, zwire, len, &span)) != NS_OK ||
	    (err = check_content(s, s->scratch.base, s->scratch.len, &all)) != NS_OK)
		return err;
	const int64_t by[3] = { (int64_t)span.records, (int64_t)span.rrsets, (int64_t)len };

	if ((err = zone_count(s, ST_ZONE_BUMP, zone, by, &bytes)) != NS_OK ||
	    (err = mention_add(s, zone, zwire, len)) != NS_OK)
		return err;
	return store_scratch(s, zone, &part, false, STORE_PART);
}

enum ns_err
store_content_put(
    struct store *s, uint64_t zone, bool first, const void *zwire, size_t len, struct ns_why *why)
{
	enum ns_err err = db_need_txn(s);

	if (err != NS_OK)
		return db_tell(s, err, why);
	if (len > CONTENT_MAX - OWNER_MAX_WIRE)
		return db_tell(s,
		    db_refuse(s, NS_INVALID, STORE_E_LIMIT, "a piece of content over %u octets",
			CONTENT_MAX - OWNER_MAX_WIRE),
		    why);
	err = first ? content_replace(s, zone, zwire, len) : content_append(s, zone, zwire, len);
	scratch_done(s);
	/* Of a zone that came in pieces, some are written: it must not be committed without the rest. */
	if (err != NS_OK && !(first && (err == NS_INVALID || err == NS_NOTFOUND)))
		s->broken = true;
	return db_tell(s, err, why);
}
