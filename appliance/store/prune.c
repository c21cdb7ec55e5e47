/* prune.c - where the log begins, and how it comes to begin later; see state.h.
 *
 * The fact is "BEGINS TERM": the first change from which on all are there, and the term of the one before it,
 * so that the first change of each term can be told and kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/store/chain.h"
#include "appliance/store/sql.h"
#include "appliance/store/state.h"
#include "appliance/store/db.h"
#include "ipc/base/numbers.h"
#include "ipc/base/xalloc.h"

#define FACT "history"

/* ---- where it begins ---- */
static enum ns_err
load(struct store *s, uint64_t *begins, uint64_t *term)
{
	unsigned long long b = 1, t = 0;
	char *text = NULL;
	enum ns_err err = store_fact_get(s, FACT, &text);

	if (err == NS_OK && (sscanf(text, "%llu %llu", &b, &t) != 2 || b == 0))
		err = db_corrupt(s, "where the log begins is no number");
	free(text);
	*begins = b;
	*term = t;
	return err == NS_NOTFOUND ? NS_OK : err;
}

static enum ns_err
save(struct store *s, uint64_t begins, uint64_t term, struct ns_why *why)
{
	char text[48];

	snprintf(
	    text, sizeof text, "%llu %llu", (unsigned long long)begins, (unsigned long long)term);
	return store_fact_put(s, FACT, text, why);
}

enum ns_err
store_history(struct store *s, uint64_t *begins)
{
	uint64_t term;

	return load(s, begins, &term);
}

enum ns_err
store_history_put(struct store *s, uint64_t begins, struct ns_why *why)
{
	return save(s, begins, 0, why);
}

enum ns_err
store_kept_each(struct store *s, store_change_fn *fn, void *arg)
{
	sqlite3_stmt *st = db_stmt(s, ST_KEPT_EACH);
	struct store_change c;
	uint64_t begins;
	enum ns_err err = store_history(s, &begins);

	if (st == NULL || err != NS_OK)
		return err != NS_OK ? err : s->why.err;
	db_bind_u64(st, 1, begins);
	while ((err = db_row(s, st)) == NS_OK) {
		if ((err = change_row(s, st, &c)) != NS_OK || !fn(arg, &c)) {
			db_reset(st);
			return err;
		}
	}
	return err == NS_NOTFOUND ? NS_OK : err;
}

enum ns_err
store_change_keep(struct store *s, const struct store_change *c, const uint8_t *digest,
    const void *body, size_t body_len, const uint64_t *zones, size_t nzones, struct ns_why *why)
{
	enum ns_err err = db_need_txn(s);
	uint8_t hash[STORE_HASH];

	if (err == NS_OK && body_len > STORE_BODY_MAX)
		err = db_refuse(s, NS_INVALID, STORE_E_LIMIT, "a change of %zu octets", body_len);
	if (err == NS_OK && !(digest != NULL ? chain_hash_digest(c, digest, hash)
					     : chain_hash(c, body, body_len, hash)))
		err = db_refuse(s, NS_FAILED, STORE_E_SQL, "libcrypto has no SHA-256");
	if (err == NS_OK && memcmp(hash, c->hash, STORE_HASH) != 0)
		err = db_refuse(s, NS_CORRUPT, STORE_E_CHAIN,
		    "the hash of change %llu is not that of what it holds",
		    (unsigned long long)c->revision);
	if (err == NS_OK)
		err = change_insert(s, c, body, body_len);
	if (err == NS_OK)
		err = change_touched(s, c->revision, zones, nzones);
	if (err == NS_OK && digest != NULL)
		err = change_digest_put(s, c->revision, digest);
	if (err != NS_OK)
		s->broken = true;
	return db_tell(s, err, why);
}

/* ---- what must stay ---- */
static enum ns_err
collect(struct store *s, sqlite3_stmt *st, struct numbers *n)
{
	uint64_t revision;
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	while ((err = db_row(s, st)) == NS_OK) {
		if (!db_col_u64(st, 0, INT64_MAX, &revision)) {
			db_reset(st);
			return db_corrupt(s, "a change in the log has no number");
		}
		numbers_add(n, revision);
	}
	return err == NS_NOTFOUND ? NS_OK : err;
}

/* Of deletions that can be taken back and of windows, in order. */
static enum ns_err
needed(struct store *s, uint64_t below, int64_t trash_ms, struct numbers *n)
{
	sqlite3_stmt *st = db_stmt(s, ST_PRUNE_NEEDED);

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, below);
	db_bind_u64(st, 2, trash_ms > 0 ? (uint64_t)trash_ms : 0);
	return collect(s, st, n);
}

/* ---- what would be kept ---- */
static enum ns_err
term_at(struct store *s, uint64_t revision, uint64_t *term)
{
	struct store_change c;
	enum ns_err err = store_change_get(s, revision, &c, NULL);

	*term = err == NS_OK ? c.term : 0;
	return err;
}

/* The first change of a later term in [low, high), where all are there; high: there is none. */
static enum ns_err
next_term(struct store *s, uint64_t low, uint64_t high, uint64_t term, uint64_t *out)
{
	enum ns_err err = NS_OK;

	while (low < high && err == NS_OK) {
		uint64_t mid = low + (high - low) / 2, t;

		err = term_at(s, mid, &t);
		if (t > term)
			high = mid;
		else
			low = mid + 1;
	}
	*out = low;
	return err;
}

static bool
add_kept(void *arg, const struct store_change *c)
{
	numbers_add(arg, c->revision);
	return true;
}

static enum ns_err
add_terms(struct store *s, uint64_t below, struct numbers *n)
{
	uint64_t at, term;
	enum ns_err err = load(s, &at, &term);

	while (err == NS_OK && at < below) {
		err = next_term(s, at, below, term, &at);
		if (err == NS_OK && at < below) {
			numbers_add(n, at);
			err = term_at(s, at, &term);
		}
	}
	return err;
}

enum ns_err
store_kept_below(struct store *s, uint64_t below, int64_t trash_ms, uint64_t **list, size_t *count)
{
	struct numbers n = { 0 };
	size_t kept = 0;
	enum ns_err err = needed(s, below, trash_ms, &n);

	if (err == NS_OK)
		err = store_kept_each(s, add_kept, &n);
	if (err == NS_OK)
		err = add_terms(s, below, &n);
	numbers_sort(&n);
	for (size_t i = 0; i < n.count; i++)
		if (n.list[i] < below && (kept == 0 || n.list[kept - 1] != n.list[i]))
			n.list[kept++] = n.list[i];
	*list = n.list;
	*count = err == NS_OK ? kept : 0;
	return err;
}

struct later {
	uint64_t term, found;
};

static bool
is_later(void *arg, const struct store_change *c)
{
	struct later *x = arg;

	if (c->term > x->term)
		x->found = c->revision;
	return x->found == 0;
}

enum ns_err
store_term_after(struct store *s, uint64_t term, uint64_t *after)
{
	struct later x = { .term = term };
	uint64_t begins, head, head_term, at;
	uint8_t hash[STORE_HASH];
	enum ns_err err = store_kept_each(s, is_later, &x);

	*after = x.found;
	if (err != NS_OK || x.found != 0)
		return err;
	if ((err = store_history(s, &begins)) == NS_OK)
		err = store_head(s, &head, &head_term, hash);
	if (err == NS_OK)
		err = next_term(s, begins, head + 1, term, &at);
	if (err == NS_OK && at <= head)
		*after = at;
	return err;
}

/* ---- a step ---- */
static enum ns_err
drop(struct store *s, uint64_t revision)
{
	static const enum db_stmt_id all[] = { ST_PRUNE_ZONES, ST_PRUNE_DIGEST, ST_PRUNE_WHENCE,
		ST_PRUNE_CHANGE };
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < sizeof all / sizeof all[0] && err == NS_OK; i++) {
		sqlite3_stmt *st = db_writer(s, all[i]);

		if (st == NULL)
			return s->why.err;
		db_bind_u64(st, 1, revision);
		err = db_run(s, st);
	}
	return err;
}

struct row {
	uint64_t revision, term;
};

static enum ns_err
rows_from(
    struct store *s, uint64_t begins, uint64_t below, size_t most, struct row *rows, size_t *count)
{
	sqlite3_stmt *st = db_stmt(s, ST_PRUNE_ROWS);
	enum ns_err err;

	*count = 0;
	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, begins);
	db_bind_u64(st, 2, below);
	db_bind_u64(st, 3, most);
	while ((err = db_row(s, st)) == NS_OK) {
		struct row *r = &rows[*count];

		if (!db_col_u64(st, 0, INT64_MAX, &r->revision) ||
		    !db_col_u64(st, 1, INT64_MAX, &r->term)) {
			db_reset(st);
			return db_corrupt(s, "a change in the log has no number");
		}
		++*count;
	}
	return err == NS_NOTFOUND ? NS_OK : err;
}

/* The log from its beginning on. */
static enum ns_err
prune_log(struct store *s, const struct store_prune *p, const struct numbers *keep, size_t *gone,
    struct ns_why *why)
{
	struct row *rows = xcalloc(p->most, sizeof *rows);
	uint64_t begins, term, head, head_term, below = p->below;
	uint8_t hash[STORE_HASH];
	size_t n = 0;
	enum ns_err err = store_head(s, &head, &head_term, hash);

	if (below > head)
		below = head; /* it stays: what follows is chained to it */
	if (err == NS_OK)
		err = load(s, &begins, &term);
	if (err == NS_OK)
		err = rows_from(s, begins, below, p->most, rows, &n);
	for (size_t i = 0; i < n && err == NS_OK; i++) {
		if (rows[i].term == term && !numbers_has(keep, rows[i].revision))
			err = drop(s, rows[i].revision);
		term = rows[i].term;
		begins = rows[i].revision + 1;
	}
	free(rows);
	*gone = n;
	return err == NS_OK && n > 0 ? save(s, begins, term, why) : err;
}

/* Kept ones of which nothing is needed any more: the trash was emptied, the window is over. */
struct stale {
	const struct numbers *keep;
	uint64_t term;
	struct numbers found;
	size_t most;
};

static bool
is_stale(void *arg, const struct store_change *c)
{
	struct stale *x = arg;

	if (c->term == x->term && !numbers_has(x->keep, c->revision) && x->found.count < x->most)
		numbers_add(&x->found, c->revision);
	x->term = c->term;
	return true;
}

static enum ns_err
prune_kept(struct store *s, const struct store_prune *p, const struct numbers *keep, size_t *gone)
{
	struct stale x = { .keep = keep, .most = p->most };
	enum ns_err err = store_kept_each(s, is_stale, &x);

	for (size_t i = 0; i < x.found.count && err == NS_OK; i++)
		err = drop(s, x.found.list[i]);
	*gone += x.found.count;
	numbers_free(&x.found);
	return err;
}

/* Names of what was deleted long ago: nothing in the log speaks of them any more. */
static enum ns_err
prune_tombs(struct store *s, int64_t trash_ms)
{
	sqlite3_stmt *st = db_writer(s, ST_PRUNE_TOMBS);
	uint64_t begins;
	enum ns_err err = store_history(s, &begins);

	if (st == NULL || err != NS_OK)
		return err != NS_OK ? err : s->why.err;
	db_bind_u64(st, 1, begins);
	db_bind_u64(st, 2, trash_ms > 0 ? (uint64_t)trash_ms : 0);
	return db_run(s, st);
}

enum ns_err
store_prune_step(struct store *s, const struct store_prune *p, size_t *gone, struct ns_why *why)
{
	struct numbers keep = { 0 };
	uint64_t begins = 0;
	enum ns_err err = db_need_txn(s);

	*gone = 0;
	if (err == NS_OK)
		err = store_history(s, &begins);
	if (err == NS_OK)
		err = needed(s, p->below > begins ? p->below : begins, p->trash_ms, &keep);
	if (err == NS_OK)
		err = prune_log(s, p, &keep, gone, why);
	if (err == NS_OK && *gone < p->most)
		err = prune_kept(s, p, &keep, gone);
	if (err == NS_OK && *gone < p->most)
		err = prune_tombs(s, p->trash_ms);
	numbers_free(&keep);
	if (err != NS_OK)
		s->broken = true;
	return db_tell(s, err, why);
}

/* ---- how far by age and length ---- */
/* The first change of the log that is younger: times rise with the numbers, or nearly so. */
static enum ns_err
first_after(struct store *s, uint64_t low, uint64_t head, int64_t at_ms, uint64_t *out)
{
	struct store_change c;
	enum ns_err err = NS_OK;

	while (low < head && err == NS_OK) {
		uint64_t mid = low + (head - low) / 2;

		err = store_change_get(s, mid, &c, NULL);
		if (c.at_ms > at_ms)
			head = mid;
		else
			low = mid + 1;
	}
	*out = low;
	return err;
}

static uint64_t
least_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

enum ns_err
store_prune_below(struct store *s, const struct store_retention *r, int64_t now_ms, uint64_t *below)
{
	uint64_t begins, head, term, old = 0, recent = 0;
	uint8_t hash[STORE_HASH];
	enum ns_err err = store_history(s, &begins);

	*below = 0;
	if (err == NS_OK)
		err = store_head(s, &head, &term, hash);
	if (err != NS_OK || head < begins || head - begins < r->least)
		return err;
	if ((err = first_after(s, begins, head, now_ms - r->keep_ms, &old)) == NS_OK)
		err = first_after(s, begins, head, now_ms - r->floor_ms, &recent);
	if (err != NS_OK)
		return err;
	*below = least_of(old, head - r->least + 1);
	if (head - begins >= r->most && head - r->most + 1 > *below)
		*below = head - r->most + 1;
	*below = least_of(*below, recent);
	return NS_OK;
}
