/* rewind - see rewind.h. */
#include "appliance/sync/rewind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/store/state.h"
#include "appliance/sync/apply.h"
#include "appliance/sync/change.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/lost.h"
#include "appliance/sync/restore.h"
#include "appliance/sync/secret.h"
#include "appliance/sync/settings.h"
#include "appliance/sync/writer.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

struct rewind {
	struct rewind_job *job;
	struct batch *b;
	uint64_t head, started_ms, begins; /* of the log */
	bool secret; /* a roll was dropped */
	struct wbuf differing; /* names of zones that cannot be undone exactly */
	struct ns_why *why;
};

/* ---- undone ---- */
/* As no zone is: the digest exchange finds it and fetches it whole. */
static enum ns_err
mark_differing(struct rewind *rw, const uint8_t *name)
{
	struct store_zone z;
	enum ns_err err = store_zone_find(rw->b->store, name, &z);

	if (err != NS_OK)
		return err == NS_NOTFOUND ? NS_OK
					  : ns_fail(rw->why, err, ES_STORE, "a zone is unreadable");
	z.version = 0;
	return store_zone_put(rw->b->store, &z, rw->why);
}

/* When all is undone: until then a zone's version says which change is the next. */
static enum ns_err
mark_all(struct rewind *rw)
{
	enum ns_err err = NS_OK;

	for (size_t at = 0; at < rw->differing.len && err == NS_OK;
	     at += name_len(rw->differing.base + at))
		err = mark_differing(rw, rw->differing.base + at);
	return err;
}

static bool
newest_only(void *arg, const struct store_change *row)
{
	*(struct store_change *)arg = *row;
	return false;
}

/* Whatever became of it since.  The tombstone goes with the log entry, or is that of the deletion before it. */
static enum ns_err
undo_create(struct rewind *rw, const struct store_change *row, const Ns__ChangeBody__Zone *m)
{
	struct store *s = rw->b->store;
	struct store_change gone = *row;
	struct store_zone z;
	enum ns_err err = store_zone_by_id(s, m->zone_id, &z);

	if (err == NS_NOTFOUND)
		return NS_OK;
	if (err == NS_OK && m->undelete)
		err = store_change_each(s, m->zone_id, row->revision, newest_only, &gone);
	if (err != NS_OK)
		return ns_fail(rw->why, err, ES_STORE, "a zone is unreadable");
	batch_touch(rw->b, &z, NULL)->keys = true;
	rw->b->zones--;
	return store_zone_drop(s, m->zone_id, gone.revision, gone.at_ms, rw->why);
}

static enum ns_err
undo_zone(struct rewind *rw, const struct store_change *row, const Ns__ChangeBody__Zone *z)
{
	Ns__ChangeBody body = NS__CHANGE_BODY__INIT;
	Ns__ChangeBody__Zone inv = *z, *list[1] = { &inv };
	struct store_change as = { .revision = z->base_version, .at_ms = row->at_ms };
	bool again = z->whole;
	enum ns_err err;

	inv.kind = NS__CHANGE_BODY__ZONE__KIND__EDIT;
	inv.base_version = row->revision;
	inv.serial_before = z->serial_after;
	inv.serial_after = z->serial_before;
	inv.removed = z->added;
	inv.added = z->removed;
	inv.account_given = false;
	inv.whole = false;
	if (z->kind == NS__CHANGE_BODY__ZONE__KIND__CREATE)
		return undo_create(rw, row, z);
	if (z->kind == NS__CHANGE_BODY__ZONE__KIND__DELETE) {
		inv.kind = NS__CHANGE_BODY__ZONE__KIND__CREATE;
		inv.undelete = true;
	} else {
		again = again || z->account_given;
	}
	body.n_zones = 1;
	body.zones = list;
	err = z->whole ? NS_OK : change_apply(rw->b, &as, &body, rw->why);
	if (err == NS_CONFLICT || err == NS_NOTFOUND) {
		log_warn("rewind.zone", "revision=%llu text=%s", (unsigned long long)row->revision,
		    log_quote(rw->why->text));
		*rw->why = (struct ns_why){ 0 };
		again = true;
		err = NS_OK;
	}
	if (err == NS_OK && again)
		wbuf_put(&rw->differing, z->name.data, z->name.len);
	return err;
}

/* The newest change that stays and says something of an object, or of the secret. */
struct earlier {
	struct rewind *rw;
	const Ns__ChangeBody__Object *object; /* NULL: the secret */
	bool found;
	enum ns_err err;
};

static enum ns_err
put_back(struct earlier *e, const struct store_change *row, const Ns__ChangeBody *body)
{
	Ns__ChangeBody one = NS__CHANGE_BODY__INIT;
	Ns__ChangeBody__Object *list[1];

	if (e->object == NULL) {
		e->found = body->cookie_secret.len == SECRET_SIZE;
		return e->found ? secret_apply(e->rw->b->store, body->cookie_secret.data,
				      row->at_ms, &e->rw->b->secret, e->rw->why)
				: NS_OK;
	}
	for (size_t i = 0; i < body->n_objects; i++) {
		if (strcmp(body->objects[i]->kind, e->object->kind) != 0 ||
		    strcmp(body->objects[i]->name, e->object->name) != 0)
			continue;
		e->found = true;
		list[0] = body->objects[i];
		one.n_objects = 1;
		one.objects = list;
		return list[0]->removed ? NS_OK : change_apply(e->rw->b, row, &one, e->rw->why);
	}
	return NS_OK;
}

static enum ns_err
history_ends(const struct rewind *rw)
{
	return ns_fail(rw->why, NS_NOTFOUND, ES_PRUNED,
	    "what was before change %llu is not in the log any more, which begins at change %llu: "
	    "the primary's whole state is needed",
	    (unsigned long long)rw->job->to + 1, (unsigned long long)rw->begins);
}

/* Its earlier word may be before the log's beginning. */
static enum ns_err
told(const struct earlier *e)
{
	return e->found || e->rw->begins == 1 ? NS_OK : history_ends(e->rw);
}

static bool
look_earlier(void *arg, const struct store_change *row)
{
	struct earlier *e = arg;
	struct store_change again;
	Ns__ChangeBody *body;

	if (row->revision < e->rw->begins)
		return false;
	if (!change_may_name_objects(row))
		return true;
	body = change_body_load(e->rw->b->store, row->revision, &again);
	if (body == NULL)
		return true;
	e->err = put_back(e, row, body);
	ns__change_body__free_unpacked(body, NULL);
	return e->err == NS_OK && !e->found;
}

static enum ns_err
undo_object(struct rewind *rw, const Ns__ChangeBody__Object *o)
{
	struct store *s = rw->b->store;
	struct earlier e = { .rw = rw, .object = o };
	enum ns_err err;

	err = store_object_drop(s, o->kind, o->name, rw->why);
	if (err == NS_NOTFOUND) {
		*rw->why = (struct ns_why){ 0 };
		err = NS_OK;
	}
	if (err == NS_OK)
		err = store_change_each(s, 0, rw->job->to + 1, look_earlier, &e);
	return err != NS_OK ? err : e.err != NS_OK ? e.err : told(&e);
}

static enum ns_err
undo_change(struct rewind *rw, uint64_t revision)
{
	struct store_change row;
	Ns__ChangeBody *body = change_body_load(rw->b->store, revision, &row);
	enum ns_err err = NS_OK;

	if (body == NULL)
		return ns_fail(rw->why, NS_CORRUPT, ES_BODY, "change %llu cannot be read",
		    (unsigned long long)revision);
	for (size_t i = body->n_zones; i > 0 && err == NS_OK; i--)
		err = undo_zone(rw, &row, body->zones[i - 1]);
	if (err == NS_OK && body->n_settings_before > 0)
		err = settings_apply(
		    rw->b->store, body->settings_before, body->n_settings_before, rw->why);
	for (size_t i = 0; i < body->n_objects && err == NS_OK; i++)
		err = undo_object(rw, body->objects[i]);
	rw->secret = rw->secret || body->cookie_secret.len > 0;
	ns__change_body__free_unpacked(body, NULL);
	return err;
}

/* ---- all of it ---- */
static enum ns_err
rewind_all(struct rewind *rw)
{
	struct rewind_job *j = rw->job;
	struct store *s = rw->b->store;
	struct earlier e = { .rw = rw };
	struct store_change last;
	enum ns_err err = store_history(s, &rw->begins);
	char *fact;

	if (err == NS_OK && j->to < rw->begins)
		return history_ends(rw);
	if (err == NS_OK)
		err = store_change_get(s, j->to, &last, NULL);
	if (err != NS_OK)
		return ns_fail(rw->why, err, ES_STORE, "change %llu cannot be read",
		    (unsigned long long)j->to);
	memcpy(j->hash, last.hash, STORE_HASH);
	j->log_term = last.term;
	err = lost_keep(s, j->to, rw->head, j->primary, j->file, rw->why);
	for (uint64_t r = rw->head; err == NS_OK && r > j->to; r--)
		err = undo_change(rw, r);
	if (err == NS_OK)
		err = mark_all(rw);
	if (err == NS_OK && rw->secret)
		err = store_change_each(s, 0, j->to + 1, look_earlier, &e);
	if (err == NS_OK && rw->secret)
		err = e.err != NS_OK ? e.err : told(&e);
	if (err == NS_OK)
		err = store_change_drop(s, j->to, rw->why);
	if (err != NS_OK)
		return err;
	fact = xasprintf("%s\n%s", j->file, j->text);
	err = store_fact_put(s, LOST_FACT, fact, rw->why);
	free(fact);
	/* The map holds what was dropped: a signer that adopts it starts over, even after our death. */
	fact = xasprintf("%llu", (unsigned long long)rw->started_ms);
	if (err == NS_OK)
		err = store_fact_put(s, RESTORED_FACT, fact, rw->why);
	free(fact);
	return err;
}

static void
rewind_work(struct job *job, void *thread)
{
	struct rewind_job *j = (struct rewind_job *)job;
	struct writer_thread *w = thread;
	struct batch *b = w->batch;
	struct batch_mark mark = batch_mark(b);
	struct rewind rw = { .job = j,
		.b = b,
		.head = b->revision,
		.started_ms = w->conf.started_ms,
		.differing = wbuf_grow(SIZE_MAX / 2),
		.why = &j->w.why };
	uint64_t zones;

	batch_job(b, &j->w);
	snprintf(j->file, sizeof j->file, "%s/lost-%llu-%llu.changes", j->dir,
	    (unsigned long long)j->to + 1, (unsigned long long)rw.head);
	snprintf(j->text, sizeof j->text,
	    "changes %llu to %llu of this appliance are not in the history of %s, which was "
	    "promoted without them: they were dropped here; nameserve draft lost shows them, draft "
	    "take makes drafts of them",
	    (unsigned long long)j->to + 1, (unsigned long long)rw.head, j->primary);
	j->w.err = store_mark(w->store, &j->w.why);
	if (j->w.err != NS_OK)
		return;
	j->w.err = rewind_all(&rw);
	if (j->w.err == NS_OK)
		j->w.err = store_release(w->store, &j->w.why);
	wbuf_free(&rw.differing);
	if (j->w.err != NS_OK) {
		if (j->w.why.err == NS_OK)
			ns_fail(&j->w.why, j->w.err, ES_STORE,
			    "the changes that are not the primary's cannot be dropped");
		store_undo(w->store);
		batch_undo(b, &mark);
		return;
	}
	/* The signer gets everything anew: it knows no way back. */
	zones = b->zones;
	batch_undo(b, &mark);
	b->zones = zones;
	b->revision = j->to;
	b->log_term = j->log_term;
	b->rewound = b->wrote = b->members = b->users_changed = b->windows_changed = true;
}

struct rewind_job *
rewind_job_new(
    uint64_t to, const char *dir, const char *primary, void (*done)(struct job *, struct sync *))
{
	struct rewind_job *j = xcalloc(1, sizeof *j);

	j->w.job.work = rewind_work;
	j->w.job.done = done;
	j->to = to;
	snprintf(j->dir, sizeof j->dir, "%s", dir);
	snprintf(j->primary, sizeof j->primary, "%s", primary);
	return j;
}
