/* export - a zone as a master file, in chunks: $ORIGIN, the SOA, then everything in canonical order.
 * Reading it back gives the same digest.  Reader threads; one chunk per visit.
 *
 * With a draft it is what the draft makes of the zone, whatever the rules say of that: who mends a draft as text has
 * to see it.  Owners that the draft touches come from its plan, at their place among those of the store.
 *
 * All chunks show one version: an export has a store handle of its own, whose read transaction stays
 * open until it ends.  It is used by one thread at a time. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/text_policy.h"
#include "appliance/dns/zonetext.h"
#include "appliance/dns/zwire.h"
#include "appliance/sync/aliases.h"
#include "appliance/sync/conflict.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/reader.h"
#include "appliance/sync/sync.h"
#include "appliance/sync/zoneplan.h"
#include "ipc/base/xalloc.h"

#define EXPORTS  8 /* open handles at once */
#define SLICE    (64u << 10)
#define TEXT_MAX (64u << 20) /* of one slice: every octet as \DDD under the longest owner */

struct dump {
	struct queue *reads;
	struct store *store;
	struct store_zone zone;
	struct edit_request *draft; /* NULL: the zone as it is served */
	struct zoneplan plan; /* of the draft, with one */
	size_t planned; /* its owners that are in the text */
	uint8_t last[255];
	bool open, begun, end;
	struct wbuf text;
	size_t sent; /* of text */
};

static atomic_uint exports;

static void
export_free(void *arg)
{
	struct dump *x = arg;

	if (x->draft != NULL && x->open)
		zoneplan_free(&x->plan);
	if (x->draft != NULL)
		edit_request_free(x->draft);
	if (x->reads != NULL) {
		reader_close(x->reads, &x->store);
		atomic_fetch_sub(&exports, 1);
	}
	wbuf_free(&x->text);
	free(x);
}

enum ns_err
zone_export_text(struct request *r)
{
	Ns__CommitRequest as_commit = NS__COMMIT_REQUEST__INIT;
	struct dump *x = xcalloc(1, sizeof *x);

	r->state = x;
	r->free_state = export_free;
	if (r->env->zone_export_request->draft == NULL)
		return NS_OK;
	as_commit.zones = &r->env->zone_export_request->draft;
	as_commit.n_zones = 1;
	x->draft = edit_request_read(&as_commit, &r->why);
	return x->draft != NULL ? NS_OK : r->why.err;
}

static void
put_set(struct dump *x, const struct rrset *set)
{
	if (set->type == RR_NSPOLICY)
		policies_to_zone(set, &x->text);
	else if (set->type == RR_ALIAS)
		alias_to_zone(set, &x->text);
	else
		rrset_to_text(set, &x->text);
}

static bool
is_soa(const struct dump *x, const struct rrset *set)
{
	return set->type == RR_SOA && name_equal(set->owner, x->zone.name);
}

/* What the draft makes of that owner; NULL: it leaves it alone. */
static const struct edit_owner *
drafted(const struct dump *x, const uint8_t *owner)
{
	return x->draft != NULL ? edit_owner_find(&x->plan.edit, owner) : NULL;
}

static enum ns_err
put_soa(struct dump *x)
{
	const struct edit_owner *mine = drafted(x, x->zone.name);
	struct wbuf apex = wbuf_grow(4 * OWNER_MAX_WIRE);
	enum ns_err err = NS_OK;
	struct zwire_iter it;
	struct rrset set;

	if (mine != NULL)
		wbuf_put(&apex, mine->after.base, mine->after.len);
	else
		err = store_owner_get(x->store, x->zone.id, x->zone.name, &apex);
	it = zwire_iter(apex.base, apex.len);
	while (err == NS_OK && zwire_next(&it, &set))
		if (is_soa(x, &set))
			rrset_to_text(&set, &x->text);
	wbuf_free(&apex);
	return err;
}

/* The draft on the version that it was made of. */
static enum ns_err
plan_draft(struct request *r, struct dump *x)
{
	const struct edit_zone *ez = &x->draft->zones[0];
	enum ns_err err = zoneplan_begin(&x->plan, x->store, ez->apex, &r->why);

	if (err == NS_OK && !name_equal(ez->apex, x->zone.name))
		err = ns_fail(
		    &r->why, NS_USAGE, ES_REQUEST, "the draft is of another zone than the export");
	if (err == NS_OK && zoneplan_stale(&x->plan, ez))
		err = conflict_stale(conflict_of(r), &x->plan, ez, &r->why);
	if (err == NS_OK)
		err = zoneplan_ops(&x->plan, ez, &r->why);
	return err;
}

static enum ns_err
begin(struct request *r, struct dump *x)
{
	char line[NAME_MAX_TEXT + 16], name[NAME_MAX_TEXT];
	enum ns_err err;

	if (atomic_fetch_add(&exports, 1) >= EXPORTS) {
		atomic_fetch_sub(&exports, 1);
		return ns_fail(
		    &r->why, NS_UNAVAILABLE, ES_BUSY, "busy: other exports are running; try again");
	}
	x->reads = r->reads;
	x->text = wbuf_grow(TEXT_MAX);
	err = store_open(r->store_dir, STORE_READ, sync_vfs(), &x->store, &r->why);
	if (err == NS_OK)
		err = store_begin(x->store, &r->why);
	if (err == NS_OK)
		err = read_zone(x->store, r->env->zone_export_request->zone, &x->zone, &r->why);
	if (err != NS_OK)
		return err;
	x->open = true;
	if (x->draft != NULL && (err = plan_draft(r, x)) != NS_OK)
		return err;
	snprintf(line, sizeof line, "$ORIGIN %s\n", name_to_text(x->zone.name, name));
	wbuf_put(&x->text, line, strlen(line));
	err = put_soa(x);
	return err == NS_OK ? err : read_failed(&r->why, err);
}

/* The owners of the draft up to this one, or all that are left. */
static void
put_drafted(struct dump *x, const uint8_t *until)
{
	const struct edit *e = &x->plan.edit;
	struct zwire_iter it;
	struct rrset set;

	for (; x->draft != NULL && x->planned < e->count; x->planned++) {
		const struct edit_owner *o = &e->owners[x->planned];

		if (until != NULL && name_cmp(o->name, until) > 0)
			return;
		it = zwire_iter(o->after.base, o->after.len);
		while (zwire_next(&it, &set))
			if (!is_soa(x, &set))
				put_set(x, &set);
	}
}

/* More text behind what is left. */
static enum ns_err
refill(struct dump *x)
{
	struct wbuf piece = wbuf_grow(1u << 20);
	enum ns_err err = store_content_get(
	    x->store, x->zone.id, x->begun ? x->last : NULL, SLICE, &piece, x->last);
	struct zwire_iter it = zwire_iter(piece.base, piece.len);
	struct rrset set;

	if (err == NS_OK) {
		x->begun = true;
		while (zwire_next(&it, &set)) {
			put_drafted(x, set.owner);
			if (drafted(x, set.owner) == NULL && !is_soa(x, &set))
				put_set(x, &set);
		}
		if (!rbuf_ok(&it.r) || !wbuf_ok(&x->text))
			err = NS_CORRUPT;
	} else if (err == NS_NOTFOUND) {
		put_drafted(x, NULL);
		x->end = true;
		err = wbuf_ok(&x->text) ? NS_OK : NS_CORRUPT;
	}
	wbuf_free(&piece);
	return err;
}

static void
reply_chunk(struct request *r, struct dump *x)
{
	Ns__TextChunk *m = xmalloc(sizeof *m);
	size_t n = x->text.len - x->sent;

	if (n > NS_CHUNK)
		n = NS_CHUNK;
	ns__text_chunk__init(m);
	m->drafted = x->draft != NULL;
	if (n > 0) {
		m->text.data = xmemdup(x->text.base + x->sent, n);
		m->text.len = n;
	}
	x->sent += n;
	if (x->sent == x->text.len)
		x->sent = x->text.len = 0;
	r->again = !(x->end && x->text.len == 0);
	request_reply(r, NS__ENVELOPE__BODY_TEXT_CHUNK, m);
}

enum ns_err
zone_export_read(struct request *r, struct store *s)
{
	struct dump *x = r->state;
	enum ns_err err = NS_OK;

	(void)s;
	if (!x->open)
		err = begin(r, x);
	while (err == NS_OK && !x->end && x->text.len - x->sent < NS_CHUNK)
		if ((err = refill(x)) != NS_OK)
			read_failed(&r->why, err);
	if (err == NS_OK)
		reply_chunk(r, x);
	else
		r->again = false;
	return err;
}
