/* fleetthings - settings and objects that differ from the primary's are found and fetched again (things.h).
 *
 * Loop on both sides, but for the repair, which is the writer's.  A round of the digest exchange looks at the
 * zones, then at these. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/adopt.h"
#include "appliance/sync/bodycheck.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/checks.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/keyfeed.h"
#include "appliance/sync/secret.h"
#include "appliance/sync/things.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

/* ---- the primary ---- */
static void
compared(struct job *job, struct sync *s)
{
	struct things_job *j = (struct things_job *)job;
	struct follower *fo = pub_follower(s->fleet, j->name);
	Ns__Envelope env = NS__ENVELOPE__INIT;

	if (fo != NULL && fo->present && fo->session == j->session && j->err == NS_OK) {
		for (size_t i = 0; i < j->count; i++)
			if (fleet_send(s->fleet->router_z, &fo->peer, j->packets[i]) != NS_OK)
				break; /* the next round finds what is missing */
		env.body_case = NS__ENVELOPE__BODY_FLEET_THINGS_REPLY;
		env.fleet_things_reply = j->reply;
		pub_send(s, &fo->peer, &env);
	}
	things_job_destroy(&j);
}

void
things_compare(struct sync *s, struct follower *fo, const Ns__FleetThings *in)
{
	struct things_job *j;

	if (fleet_is_replica(s))
		return; /* we may lack what others may have */
	j = things_job_new(s->head.term, compared);
	j->said = ns_message_copy(&in->base);
	snprintf(j->name, sizeof j->name, "%s", fo->name);
	snprintf(j->site, sizeof j->site, "%s", roster_site(s->fleet->roster, fo->name));
	j->session = fo->session;
	if (j->said == NULL || !queue_push(s->fleet->log, LANE_BULK, &j->job))
		things_job_destroy(&j);
}

/* ---- a replica: where it is in its round ---- */
static void
found(struct job *job, struct sync *s)
{
	struct things_job *j = (struct things_job *)job;
	struct rep *rep = &s->fleet->rep;
	Ns__Envelope env = NS__ENVELOPE__INIT;

	if (j->err == NS_OK && rep->state == REP_FOLLOW) {
		env.body_case = NS__ENVELOPE__BODY_FLEET_THINGS;
		env.fleet_things = j->found;
		(void)rep_send(s, &env);
	} else {
		if (j->err != NS_OK)
			log_error("fleet.things", "text=\"settings and objects cannot be read\"");
		rep->digest_out = false;
	}
	things_job_destroy(&j);
}

void
things_say(struct sync *s, const Ns__FleetThingsReply *detail)
{
	struct rep *rep = &s->fleet->rep;
	struct things_job *j = things_job_new(s->head.term, found);

	j->after = rep->things_after;
	if (detail != NULL) {
		j->detail = true;
		j->has_last = detail->has_last;
		(void)thing_key_read(&j->after, detail->after_kind, detail->after_name);
		(void)thing_key_read(&j->last, detail->last_kind, detail->last_name);
	}
	rep->digest_ns = clock_mono_ns();
	rep->digest_out = queue_push(s->fleet->log, LANE_BULK, &j->job);
	if (!rep->digest_out)
		things_job_destroy(&j);
}

bool
things_answer(struct sync *s, const Ns__FleetThingsReply *in)
{
	struct rep *rep = &s->fleet->rep;
	struct thing_key after, last;

	rep->digest_out = false;
	if (!thing_key_read(&after, in->after_kind, in->after_name) ||
	    !thing_key_read(&last, in->last_kind, in->last_name))
		return false;
	if (in->detail) {
		things_say(s, in);
		return false;
	}
	rep->digest_ns = clock_mono_ns();
	rep->digest_differ += in->differ;
	if (in->differ > 0)
		log_warn("fleet.things", "differ=%u", in->differ);
	rep->things_after = in->has_last ? last : (struct thing_key){ 0 };
	return !in->has_last;
}

/* ---- a replica: one that differs ---- */
struct thing_job {
	struct write_job w;
	Ns__FleetThing *thing;
	bool repaired;
};

/* What was read there must be what has to be here, at our place in the history. */
static bool
still_so(struct batch *b, const Ns__FleetThing *m)
{
	struct store_object o;

	if (m->revision == b->revision)
		return true;
	if (m->absent || m->kind[0] == '\0' || m->version > b->revision)
		return false;
	return m->revision > b->revision ||
	       (store_object_get(b->store, m->kind, m->name, &o, NULL) == NS_OK &&
		   o.version == m->version);
}

static enum ns_err
put_setting(struct batch *b, const Ns__FleetThing *m, struct ns_why *why)
{
	char *value = xmalloc(m->body.len + 1);
	enum ns_err err;

	memcpy(value, m->body.data, m->body.len);
	value[m->body.len] = '\0';
	err = store_setting_put(b->store, m->name, m->absent ? NULL : value, why);
	free(value);
	return err == NS_OK ? secret_repaired(b, m->name, why) : err;
}

static enum ns_err
put_object(struct batch *b, const Ns__FleetThing *m, struct ns_why *why)
{
	Ns__ChangeBody__Object object = NS__CHANGE_BODY__OBJECT__INIT, *list[1] = { &object };
	Ns__ChangeBody body = NS__CHANGE_BODY__INIT;
	struct store_object o = { .id = m->id, .version = m->version };
	enum ns_err err;

	object.kind = m->kind;
	object.name = m->name;
	object.id = m->absent ? 1 : m->id;
	object.removed = m->absent;
	object.body = m->body;
	body.n_objects = 1;
	body.objects = list;
	if ((err = change_body_check(&body, why)) != NS_OK)
		return err;
	if (m->absent) {
		err = store_object_get(b->store, m->kind, m->name, &o, NULL);
		object.id = o.id;
		if (err == NS_OK)
			err = store_object_drop(b->store, m->kind, m->name, why);
	} else {
		snprintf(o.kind, sizeof o.kind, "%s", m->kind);
		snprintf(o.name, sizeof o.name, "%s", m->name);
		err = store_object_adopt(b->store, &o, m->body.data, m->body.len, why);
	}
	if (err != NS_OK)
		return err == NS_NOTFOUND ? NS_OK : err;
	check_delta(b, &object, b->revision);
	keyfeed_delta(b, &object);
	adopt_tell(b, m->kind);
	return NS_OK;
}

static void
thing_work(struct job *job, void *thread)
{
	struct thing_job *j = (struct thing_job *)job;
	struct writer_thread *w = thread;
	struct batch *b = w->batch;
	struct batch_mark mark = batch_mark(b);

	batch_job(b, &j->w);
	if (!still_so(b, j->thing))
		return; /* the next round looks again */
	j->w.err = store_mark(b->store, &j->w.why);
	if (j->w.err != NS_OK)
		return;
	j->w.err = j->thing->kind[0] == '\0' ? put_setting(b, j->thing, &j->w.why)
					     : put_object(b, j->thing, &j->w.why);
	if (j->w.err == NS_OK)
		j->w.err = store_release(b->store, &j->w.why);
	if (j->w.err == NS_OK) {
		j->repaired = b->wrote = true;
		return;
	}
	store_undo(b->store);
	batch_undo(b, &mark);
}

static void
thing_done(struct job *job, struct sync *s)
{
	struct thing_job *j = (struct thing_job *)job;
	struct rep *rep = &s->fleet->rep;
	char what[sizeof rep->repaired_last];

	snprintf(what, sizeof what, "%s %s", j->thing->kind[0] != '\0' ? j->thing->kind : "setting",
	    j->thing->name);
	if (j->w.err != NS_OK) {
		log_error(
		    "fleet.repair", "what=%s text=%s", log_quote(what), log_quote(j->w.why.text));
	} else if (j->repaired) {
		rep->repaired++;
		snprintf(rep->repaired_last, sizeof rep->repaired_last, "%s", what);
		log_warn("fleet.repaired",
		    "what=%s version=%llu text=\"it differed from the primary's\"", log_quote(what),
		    (unsigned long long)j->thing->version);
	}
	ns__fleet_thing__free_unpacked(j->thing, NULL);
	free(j);
}

void
things_take(struct sync *s, const Ns__FleetThing *in)
{
	struct thing_job *j = xcalloc(1, sizeof *j);
	struct thing_key k;

	j->thing = ns_message_copy(&in->base);
	j->w.job.work = thing_work;
	j->w.job.done = thing_done;
	if (thing_key_read(&k, in->kind, in->name) && k.name[0] != '\0' &&
	    queue_push(s->writes, LANE_FAST, &j->w.job))
		return;
	ns__fleet_thing__free_unpacked(j->thing, NULL);
	free(j);
}
