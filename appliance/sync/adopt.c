/* adopt - see adopt.h. */
#include "appliance/sync/adopt.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/keys/keybody.h"
#include "appliance/sync/apply.h"
#include "appliance/sync/bodycheck.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/fold.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/writer.h"
#include "ipc/base/log.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

#define ZONE_MAX (1u << 30)

/* ---- the change's header ---- */
bool
adopt_head(const Ns__FleetChange *m, struct store_change *c)
{
	*c = (struct store_change){ .revision = m->revision,
		.term = m->term,
		.at_ms = m->at_ms,
		.added = m->added,
		.removed = m->removed,
		.zone_count = m->zone_count };
	if (m->prev.len != STORE_HASH || m->hash.len != STORE_HASH || m->at_ms < 0)
		return false;
	memcpy(c->prev, m->prev.data, STORE_HASH);
	memcpy(c->hash, m->hash.data, STORE_HASH);
	return text_take(c->author, sizeof c->author, m->author) &&
	       text_take(c->via, sizeof c->via, m->via) &&
	       text_take(c->kind, sizeof c->kind, m->kind) &&
	       text_take(c->comment, sizeof c->comment, m->comment) &&
	       text_take(c->source, sizeof c->source, m->source) &&
	       text_take(c->appliance, sizeof c->appliance, m->appliance);
}

/* ---- one change ---- */
struct adopt {
	struct batch *b;
	struct adopt_job *job;
	struct store_change c;
	const struct followed *f;
	const Ns__ChangeBody *body;
	struct fold *fold; /* of a run; NULL: it is adopted by itself */
	struct ns_why *why;
};

static enum ns_err
keep_keys(const struct adopt *a)
{
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < a->f->head->n_keys && err == NS_OK; i++) {
		const Ns__FleetChange__Key *k = a->f->head->keys[i];
		struct store_idem idem = { .principal = k->principal,
			.key = k->key,
			.at_ms = k->at_ms,
			.reply = k->reply.data,
			.reply_len = k->reply.len };

		if (k->digest.len != STORE_HASH)
			return ns_fail(a->why, NS_CORRUPT, ES_BODY, "not an idempotency key");
		memcpy(idem.digest, k->digest.data, STORE_HASH);
		err = store_idem_adopt(a->b->store, a->c.revision, &idem, a->why);
	}
	return err;
}

uint64_t *
adopt_ids(const Ns__ChangeBody *body, size_t *count)
{
	uint64_t *ids = xcalloc(body->n_zones + body->n_withheld_zones + 1, sizeof *ids);
	size_t n = body->n_zones;

	for (size_t i = 0; i < n; i++)
		ids[i] = body->zones[i]->zone_id;
	for (size_t i = 0; i < body->n_withheld_zones; i++)
		ids[n++] = body->withheld_zones[i];
	*count = n;
	return ids;
}

/* The log entry, which checks place, hash chain and stored bytes, and the keys that came with it. */
static enum ns_err
append(const struct adopt *a)
{
	const ProtobufCBinaryData *digest = &a->f->head->body_digest;
	size_t n;
	uint64_t *ids = adopt_ids(a->body, &n);
	enum ns_err err;

	err = digest->len == STORE_HASH ? store_change_adopt_part(a->b->store, &a->c, digest->data,
					      a->f->body, a->f->body_len, ids, n, a->why)
					: store_change_adopt(a->b->store, &a->c, a->f->body,
					      a->f->body_len, ids, n, a->why);
	free(ids);
	return err == NS_OK ? keep_keys(a) : err;
}

void
adopt_tell(struct batch *b, const char *kind)
{
	b->members = b->members || strcmp(kind, MEMBER_KIND) == 0;
	b->users_changed = b->users_changed || strcmp(kind, "user") == 0;
	b->residency = b->residency || strcmp(kind, RESIDENCY_KIND) == 0;
}

static enum ns_err
append_and_apply(const struct adopt *a, const Ns__ChangeBody *body)
{
	enum ns_err err = append(a);

	if (err == NS_OK)
		err = a->fold != NULL ? fold_apply(a->fold, &a->c, body, a->why)
				      : change_apply(a->b, &a->c, body, a->why);
	if (err == NS_OK && body->n_withheld_zones > 0)
		err = withhold_zones(
		    a->b, body->withheld_zones, body->n_withheld_zones, &a->job->withheld, a->why);
	return err;
}

/* The store differs from the primary's.  The log must go on all the same: the zones of this change
 * are left as they are, named, and fetched whole. */
static enum ns_err
append_alone(const struct adopt *a)
{
	Ns__ChangeBody rest = *a->body;
	char text[NAME_MAX_TEXT];

	for (size_t i = 0; i < a->body->n_zones; i++) {
		const Ns__ChangeBody__Zone *z = a->body->zones[i];

		log_error("fleet.differs", "zone=%s revision=%llu text=%s",
		    log_quote(name_to_text(z->name.data, text)), (unsigned long long)a->c.revision,
		    log_quote(a->why->text));
		if (a->job->ndiffers < ADOPT_DIFFERS)
			memcpy(a->job->differs[a->job->ndiffers++], z->name.data, z->name.len);
	}
	rest.n_zones = 0;
	*a->why = (struct ns_why){ 0 };
	return append_and_apply(a, &rest);
}

static enum ns_err
adopt_body(const struct adopt *a)
{
	struct batch_mark mark = batch_mark(a->b);
	enum ns_err err = change_body_check(a->body, a->why);

	if (err == NS_OK)
		err = append_and_apply(a, a->body);
	if (err != NS_CONFLICT || a->why->code != ES_DIVERGED || a->fold != NULL)
		return err;
	store_undo(a->b->store);
	batch_undo(a->b, &mark);
	err = store_mark(a->b->store, a->why);
	return err == NS_OK ? append_alone(a) : err;
}

static enum ns_err
adopt_one(struct batch *b, struct adopt_job *j, const struct followed *f, struct fold *fold)
{
	struct adopt a = { .b = b, .job = j, .f = f, .fold = fold, .why = &j->w.why };
	Ns__ChangeBody *body;
	enum ns_err err;

	if (!adopt_head(f->head, &a.c))
		return ns_fail(a.why, NS_CORRUPT, ES_BODY, "not a change that can be");
	body = ns__change_body__unpack(NULL, f->body_len, f->body);
	if (body == NULL)
		return ns_fail(a.why, NS_CORRUPT, ES_BODY, "the change's body cannot be read");
	a.body = body;
	err = adopt_body(&a);
	for (size_t i = 0; i < body->n_objects; i++)
		adopt_tell(b, body->objects[i]->kind);
	ns__change_body__free_unpacked(body, NULL);
	if (err != NS_OK)
		return err;
	b->revision = a.c.revision;
	b->log_term = a.c.term;
	j->adopted = a.c.revision;
	memcpy(j->hash, a.c.hash, STORE_HASH);
	return NS_OK;
}

/* In order, all or none of them.  False: something is in the way of one of them. */
static bool
adopt_run(struct batch *b, struct adopt_job *j)
{
	struct batch_mark mark = batch_mark(b);
	struct fold *fold = fold_new(b);
	enum ns_err err = store_mark(b->store, &j->w.why);
	bool marked = err == NS_OK;

	for (const struct followed *f = j->first; f != NULL && err == NS_OK; f = f->next)
		err = adopt_one(b, j, f, fold);
	if (err == NS_OK)
		err = fold_flush(fold, &j->w.why);
	if (err == NS_OK)
		err = store_release(b->store, &j->w.why);
	fold_free(&fold);
	if (err == NS_OK) {
		b->wrote = true;
		return true;
	}
	if (marked)
		store_undo(b->store);
	batch_undo(b, &mark);
	j->w.why = (struct ns_why){ 0 };
	j->adopted = j->withheld = j->ndiffers = 0;
	return false;
}

/* In order, each with its savepoint, up to the first that is refused. */
static void
adopt_each(struct batch *b, struct adopt_job *j)
{
	for (const struct followed *f = j->first; f != NULL && j->w.err == NS_OK; f = f->next) {
		struct batch_mark mark = batch_mark(b);

		j->w.err = store_mark(b->store, &j->w.why);
		if (j->w.err != NS_OK)
			return;
		j->w.err = adopt_one(b, j, f, NULL);
		if (j->w.err == NS_OK)
			j->w.err = store_release(b->store, &j->w.why);
		if (j->w.err != NS_OK) {
			store_undo(b->store);
			batch_undo(b, &mark);
			return;
		}
		b->wrote = true;
	}
}

static void
adopt_work(struct job *job, void *thread)
{
	struct adopt_job *j = (struct adopt_job *)job;
	struct writer_thread *w = thread;

	batch_job(w->batch, &j->w);
	if (j->first->next == NULL || !adopt_run(w->batch, j))
		adopt_each(w->batch, j);
}

struct adopt_job *
adopt_job_new(struct followed *first, void (*done)(struct job *, struct sync *))
{
	struct adopt_job *j = xcalloc(1, sizeof *j);

	j->w.job.work = adopt_work;
	j->w.job.done = done;
	j->first = first;
	return j;
}

void
adopt_job_destroy(struct adopt_job **jp)
{
	struct adopt_job *j = *jp;
	struct followed *f;

	while ((f = j->first) != NULL) {
		j->first = f->next;
		followed_free(&f);
	}
	free(j);
	*jp = NULL;
}

/* ---- a zone that differs ---- */
static enum ns_err
replace_keys(struct repair_job *j, struct batch *b, const struct store_zone *z)
{
	const Ns__FleetZone *m = j->zone;
	struct store_object o = { .id = m->keys_id, .version = m->keys_version };
	Ns__ZoneKeys *keys;

	if (m->keys.len == 0)
		return NS_OK;
	if ((keys = keybody_unpack(m->keys.data, m->keys.len)) == NULL)
		return ns_fail(&j->w.why, NS_CORRUPT, ES_BODY, "the zone's keys cannot be read");
	ns__zone_keys__free_unpacked(keys, NULL);
	snprintf(o.kind, sizeof o.kind, "%s", KEYS_KIND);
	keys_object_name(z->id, o.name);
	batch_touch(b, z, NULL)->keys = true;
	return store_object_adopt(b->store, &o, m->keys.data, m->keys.len, &j->w.why);
}

static enum ns_err
replace(struct repair_job *j, struct batch *b, const uint8_t *name, struct store_zone *z)
{
	const Ns__FleetZone *m = j->zone;
	enum ns_err err;

	z->id = m->zone_id;
	z->name_len = (uint8_t)name_len(name);
	memcpy(z->name, name, z->name_len);
	z->version = m->version;
	z->serial = m->serial;
	z->account = m->account;
	z->external = m->external;
	z->changed_ms = m->changed_ms;
	if ((err = store_zone_put(b->store, z, &j->w.why)) != NS_OK)
		return err;
	batch_touch(b, z, NULL);
	if ((err = replace_keys(j, b, z)) != NS_OK)
		return err;
	return store_content_put(b->store, z->id, true, j->content.base, j->content.len, &j->w.why);
}

static enum ns_err
repair(struct repair_job *j, struct batch *b, const uint8_t *name)
{
	const Ns__FleetZone *m = j->zone;
	struct store_zone z = { 0 };
	enum ns_err err = store_zone_find(b->store, name, &z);
	bool have = err == NS_OK;

	if (err != NS_OK && err != NS_NOTFOUND)
		return ns_fail(&j->w.why, err, ES_STORE, "the zone cannot be read");
	/* Nothing may have happened to the zone between what was read there and where we are. */
	if (m->version > b->revision ||
	    (m->revision < b->revision && !(have && !m->absent && z.version == m->version)))
		return NS_OK;
	j->repaired = true;
	if (have && m->withheld) {
		err = withhold_zones(b, &z.id, 1, &j->withheld, &j->w.why);
		have = false;
	} else if (have && (m->absent || z.id != m->zone_id)) {
		batch_touch(b, &z, NULL);
		err = store_zone_drop(b->store, z.id, b->revision, b->now_ms, &j->w.why);
		b->zones--;
		have = false;
	} else {
		err = NS_OK;
	}
	if (err != NS_OK || m->absent)
		return err;
	b->zones += !have;
	return replace(j, b, name, &z);
}

static void
repair_work(struct job *job, void *thread)
{
	struct repair_job *j = (struct repair_job *)job;
	struct writer_thread *w = thread;
	struct batch *b = w->batch;
	struct batch_mark mark = batch_mark(b);
	uint8_t name[NAME_MAX_WIRE];
	size_t len = name_check(j->zone->name.data, j->zone->name.len);

	batch_job(b, &j->w);
	if (len == 0 || len != j->zone->name.len)
		return;
	name_lower(name, j->zone->name.data, len);
	j->w.err = store_mark(b->store, &j->w.why);
	if (j->w.err != NS_OK)
		return;
	j->w.err = repair(j, b, name);
	if (j->w.err == NS_OK)
		j->w.err = store_release(b->store, &j->w.why);
	if (j->w.err == NS_OK) {
		b->wrote = b->wrote || j->repaired;
		return;
	}
	store_undo(b->store);
	batch_undo(b, &mark);
}

struct repair_job *
repair_job_new(void (*done)(struct job *, struct sync *))
{
	struct repair_job *j = xcalloc(1, sizeof *j);

	j->w.job.work = repair_work;
	j->w.job.done = done;
	j->content = wbuf_grow(ZONE_MAX);
	return j;
}

void
repair_job_destroy(struct repair_job **jp)
{
	struct repair_job *j = *jp;

	if (j->zone != NULL)
		ns__fleet_zone__free_unpacked(j->zone, NULL);
	wbuf_free(&j->content);
	free(j);
	*jp = NULL;
}
