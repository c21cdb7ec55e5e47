/* importwrite - read zones into the store, in changes of at most IMPORT_CHANGE_ZONES.  Writer thread.
 *
 * One zone is one unit of work: between two, the writer looks at its queue.  An open change has the
 * transaction's savepoint; what a single zone may be refused for is found before it writes, so a
 * refusal undoes nothing, and a failing store undoes the open change as a whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/serial.h"
#include "appliance/dns/zwire.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/keyfeed.h"
#include "appliance/sync/place.h"
#include "appliance/sync/policycheck.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/storeview.h"
#include "appliance/sync/users.h"
#include "appliance/sync/window.h"
#include "appliance/sync/writer.h"
#include "appliance/sync/zonedraft.h"
#include "appliance/zonemap/image.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define OWNERS_PUT 256 /* owners that differ, up to which a large zone is edited in place */

/* ---- the open change ---- */
static void
opened_done(struct writer_thread *w)
{
	struct import_zone *z;

	while ((z = TAILQ_FIRST(&w->opened)) != NULL) {
		TAILQ_REMOVE(&w->opened, z, link);
		TAILQ_INSERT_TAIL(&w->batch->imported, z, link);
	}
	change_free(&w->change);
	import_session_unref(&w->open);
}

static void
change_fail(struct writer_thread *w, const struct ns_why *why)
{
	struct import_zone *z;

	batch_trouble(w->batch, why);
	store_undo(w->store);
	batch_undo(w->batch, &w->mark);
	TAILQ_FOREACH(z, &w->opened, link)
	{
		if (z->outcome == IMPORT_FAILED)
			continue;
		z->outcome = IMPORT_FAILED;
		z->why = *why;
	}
	opened_done(w);
}

void
import_change_close(struct writer_thread *w)
{
	struct ns_why why = { 0 };
	struct import_zone *z;
	enum ns_err err = NS_OK;

	if (w->open == NULL)
		return;
	if (w->change.count > 0)
		err = change_end(&w->change, w->store, &why);
	if (err == NS_OK)
		err = store_release(w->store, &why);
	if (err != NS_OK) {
		change_fail(w, &why);
		return;
	}
	if (w->change.count > 0) {
		w->batch->revision = w->change.row.revision;
		w->batch->wrote = true;
	}
	TAILQ_FOREACH(z, &w->opened, link)
	z->revision = w->batch->revision;
	opened_done(w);
}

static enum ns_err
change_open(struct writer_thread *w, struct import_session *s, struct ns_why *why)
{
	enum ns_err err;

	if (w->open != NULL && (w->open != s || w->change.count >= IMPORT_CHANGE_ZONES ||
				   w->change.bytes >= IMPORT_CHANGE_BYTES))
		import_change_close(w);
	if (w->open != NULL)
		return NS_OK;
	if ((err = store_mark(w->store, why)) != NS_OK)
		return err;
	w->mark = batch_mark(w->batch);
	w->open = import_session_ref(s);
	w->opened_ns = clock_mono_ns();
	change_begin(
	    &w->change, &s->caller, "import", s->comment, w->batch->now_ms, w->batch->term);
	return NS_OK;
}

/* ---- a zone that is new ---- */
static enum ns_err
create(struct writer_thread *w, struct import_zone *in, struct ns_why *why)
{
	struct batch *b = w->batch;
	struct store_zone z = { .external = in->external, .serial = in->serial };
	struct change_zone *cz;
	enum ns_err err;

	z.name_len = (uint8_t)name_len(in->name);
	memcpy(z.name, in->name, z.name_len);
	z.version = b->revision + 1;
	z.changed_ms = b->now_ms;
	if (in->session->caller.role < USER_ADMIN &&
	    (err = account_may_have(b->store, z.name, 0, why)) != NS_OK)
		return err == NS_CONFLICT ? NS_USAGE : err; /* of this zone alone */
	if ((err = store_zone_put(b->store, &z, why)) != NS_OK)
		return err;
	err = store_content_put(b->store, z.id, true, in->zwire.base, in->zwire.len, why);
	if (err != NS_OK)
		return err;
	batch_touch(b, &z, NULL)->fresh = in;
	cz = change_zone(&w->change, NS__CHANGE_BODY__ZONE__KIND__CREATE, &z, NULL);
	cz->msg.serial_after = z.serial;
	change_zone_added(&w->change, cz, in->zwire.base, in->zwire.len, in->records);
	b->zones++;
	in->outcome = IMPORT_CREATED;
	return NS_OK;
}

/* ---- a zone that is known ---- */
/* The file's serial when it is newer, else the next one.  A signed file is taken as it is: a changed
 * SOA would not fit its signature. */
static void
settle_serial(struct import_zone *in, const struct store_zone *z, int64_t now_ms)
{
	uint32_t serial;
	size_t at;

	if (in->external || serial_newer(in->serial, z->serial) ||
	    !soa_serial_find(in->name, in->zwire.base, in->zwire.len, &at, &serial))
		return;
	in->serial = serial_next(z->serial, now_ms);
	put_u32(in->zwire.base + at, in->serial);
}

/* Owners in removed or added, each once; SIZE_MAX: more than OWNERS_PUT. */
static size_t
changed_owners(const struct diff *d, const uint8_t *names[OWNERS_PUT])
{
	struct zwire_iter it[2] = { zwire_iter(d->removed.base, d->removed.len),
		zwire_iter(d->added.base, d->added.len) };
	struct rrset s[2];
	bool has[2] = { zwire_next(&it[0], &s[0]), zwire_next(&it[1], &s[1]) };
	size_t n = 0;

	while (has[0] || has[1]) {
		int i = !has[0] ? 1 : !has[1] ? 0 : name_cmp(s[0].owner, s[1].owner) <= 0 ? 0 : 1;

		if (n == 0 || !name_equal(names[n - 1], s[i].owner)) {
			if (n == OWNERS_PUT)
				return SIZE_MAX;
			names[n++] = s[i].owner;
		}
		has[i] = zwire_next(&it[i], &s[i]);
	}
	return n;
}

/* The RRsets of one owner inside a whole zone: first octet and length. */
static size_t
owner_slice(const struct wbuf *zwire, const uint8_t *owner, const uint8_t **at)
{
	struct zwire_iter it = zwire_iter(zwire->base, zwire->len);
	struct rrset s;
	size_t len = 0;

	while (zwire_next(&it, &s)) {
		int c = name_cmp(s.owner, owner);

		if (c > 0)
			break;
		if (c < 0)
			continue;
		if (len == 0)
			*at = s.raw;
		len += s.raw_len;
	}
	return len;
}

static enum ns_err
put_content(struct writer_thread *w, struct import_zone *in, const struct store_zone *z,
    const struct diff *d, struct ns_why *why)
{
	const uint8_t *names[OWNERS_PUT], *at = NULL;
	size_t n = changed_owners(d, names);
	enum ns_err err = NS_OK;

	/* Each owner is looked for in all of the zone, so only few of a large one go this way. */
	if (n == SIZE_MAX || z->bytes <= IMAGE_FLAT || n * in->zwire.len > (64u << 20)) {
		batch_touch(w->batch, z, NULL)->fresh = in;
		return store_content_put(w->store, z->id, true, in->zwire.base, in->zwire.len, why);
	}
	for (size_t i = 0; i < n && err == NS_OK; i++) {
		size_t len = owner_slice(&in->zwire, names[i], &at);

		batch_touch(w->batch, z, names[i]);
		err = store_owner_put(w->store, z->id, names[i], len > 0 ? at : NULL, len, why);
	}
	return err;
}

static enum ns_err
replace(struct writer_thread *w, struct import_zone *in, struct store_zone *z, struct diff *d,
    struct ns_why *why)
{
	struct change_zone *cz;
	enum ns_err err = put_content(w, in, z, d, why);

	if (err != NS_OK)
		return err;
	cz = change_zone(&w->change, NS__CHANGE_BODY__ZONE__KIND__REPLACE, z, d);
	cz->msg.serial_after = in->serial;
	cz->msg.external = in->external;
	/* The row says "external" before its counters are read back. */
	z->external = in->external;
	if ((err = store_zone_put(w->store, z, why)) != NS_OK)
		return err;
	in->outcome = IMPORT_REPLACED;
	return zone_row_update(w->batch, z, in->serial, why);
}

static enum ns_err
compare(struct store *s, const struct store_zone *z, const struct import_zone *in, struct diff *d,
    struct ns_why *why)
{
	struct wbuf old = wbuf_grow(IMPORT_ZONE_MAX);
	enum ns_err err = store_content_all(s, z, &old);

	if (err != NS_OK)
		err = ns_fail(why, err, ES_STORE, "the stored zone cannot be read");
	else if (!diff_zwire(d, old.base, old.len, in->zwire.base, in->zwire.len))
		err = ns_fail(why, NS_CORRUPT, ES_STORE, "the stored zone is damaged");
	wbuf_free(&old);
	return err;
}

/* What is there cannot be read: all of it goes. */
static enum ns_err
replace_damaged(
    struct writer_thread *w, struct import_zone *in, struct store_zone *z, struct ns_why *why)
{
	struct change_zone *cz;
	enum ns_err err;

	if (window_check(w->store, z, NULL, 0, NULL, why) != NS_OK)
		return NS_USAGE;
	batch_touch(w->batch, z, NULL)->fresh = in;
	err = store_content_put(w->store, z->id, true, in->zwire.base, in->zwire.len, why);
	if (err != NS_OK)
		return err;
	cz = change_zone(&w->change, NS__CHANGE_BODY__ZONE__KIND__REPLACE, z, NULL);
	change_zone_added(&w->change, cz, in->zwire.base, in->zwire.len, in->records);
	cz->msg.whole = true;
	cz->msg.serial_after = in->serial;
	cz->msg.external = z->external = in->external;
	if ((err = store_zone_put(w->store, z, why)) != NS_OK)
		return err;
	in->outcome = IMPORT_REPLACED;
	return zone_row_update(w->batch, z, in->serial, why);
}

/* It differs and is not to be replaced at once. */
static enum ns_err
draft_or_refuse(struct store *store, struct import_zone *in, const struct store_zone *z,
    const struct diff *d, bool newer, struct ns_why *why)
{
	struct import_session *s = in->session;

	if (!s->want_draft || s->draft != NULL || in->external || z->external)
		return ns_fail(why, NS_USAGE, ES_NEEDS_COMMIT,
		    "the zone exists and the file differs (%llu records to add, %llu to remove): "
		    "--commit -m TEXT replaces it",
		    (unsigned long long)d->nadded, (unsigned long long)d->nremoved);
	if (residency_may_tell(store, z, &s->caller, why) != NS_OK)
		return NS_USAGE;
	s->draft = zone_draft(z, d, newer, &(size_t){ ZONEDRAFT_OCTETS }, why);
	if (s->draft == NULL)
		return NS_USAGE;
	in->outcome = IMPORT_UNCHANGED;
	return NS_OK;
}

/* NS_USAGE, whatever why says: this file is refused and nothing was written. */
static enum ns_err
may_replace(struct store *store, const struct import_zone *in, const struct store_zone *z,
    const struct diff *d, struct ns_why *why)
{
	uint64_t touched = d->nremoved - (diff_soa_serial_only(d, in->name) ? 1 : 0);
	const struct import_session *s = in->session;

	if (rail_check(z, touched, s->confirm, s->nconfirm, why) != NS_OK ||
	    window_check(store, z, d, 0, NULL, why) != NS_OK)
		return NS_USAGE;
	return NS_OK;
}

/* NS_USAGE: this file is refused and nothing was written. */
static enum ns_err
update(struct writer_thread *w, struct import_zone *in, struct store_zone *z, struct ns_why *why)
{
	bool newer = serial_newer(in->serial, z->serial);
	struct diff d;
	enum ns_err err;

	/* Before it is known whether anything differs: a large zone is compared only once, and what is
	 * shown has the serial that it would get. */
	settle_serial(in, z, w->batch->now_ms);
	if (keys_check_added(w->store, z->id, in->zwire.base, in->zwire.len, why) != NS_OK)
		return NS_USAGE;
	diff_init(&d);
	err = compare(w->store, z, in, &d, why);
	if (err == NS_CORRUPT && in->session->commit)
		err = replace_damaged(w, in, z, why);
	else if (err == NS_CORRUPT) /* of this zone alone: the others of the change go in */
		err = NS_USAGE;
	else if (err != NS_OK)
		;
	else if (diff_empty(&d) || (!in->external && !newer && diff_same_but_serial(&d, in->name)))
		in->outcome = IMPORT_UNCHANGED;
	else if (!in->session->commit)
		err = draft_or_refuse(w->store, in, z, &d, newer, why);
	else if ((err = may_replace(w->store, in, z, &d, why)) == NS_OK)
		err = replace(w, in, z, &d, why);
	diff_free(&d);
	return err;
}

void
import_zone_work(struct job *job, void *thread)
{
	struct import_zone *z = (struct import_zone *)job;
	struct writer_thread *w = thread;
	struct store_zone row;
	enum ns_err err, found;

	if (z->end) {
		import_change_close(w);
		TAILQ_INSERT_TAIL(&w->batch->imported, z, link);
		return;
	}
	found = store_zone_find(w->store, z->name, &row);
	/* A zone is in a change once: a second file for it begins the next one. */
	if (found == NS_OK && w->open != NULL && row.version == w->batch->revision + 1)
		import_change_close(w);
	err = writer_is_primary(w, &z->why);
	if (err == NS_OK)
		err = found == NS_OK || found == NS_NOTFOUND
			  ? change_open(w, z->session, &z->why)
			  : ns_fail(&z->why, found, ES_STORE, "the store cannot be read");
	if (err != NS_OK) {
		z->outcome = IMPORT_FAILED;
		TAILQ_INSERT_TAIL(&w->batch->imported, z, link);
		return;
	}
	TAILQ_INSERT_TAIL(&w->opened, z, link);
	w->batch->bulk_bytes += z->zwire.len;
	if (z->policies &&
	    policy_checks(w->store, z->name, z->zwire.base, z->zwire.len, &z->why) != NS_OK)
		err = NS_USAGE;
	else
		err = found == NS_OK ? update(w, z, &row, &z->why) : create(w, z, &z->why);
	if (err == NS_OK)
		return;
	z->outcome = IMPORT_FAILED;
	place_names(&z->why, z->name, NULL, 0);
	if (err != NS_USAGE)
		change_fail(w, &z->why);
}
