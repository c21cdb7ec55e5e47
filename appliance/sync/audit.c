/* audit - see audit.h. */
#include "appliance/sync/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/auditnotes.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

static const struct store_audit_rules rules = { .join_ms = AUDIT_JOIN_MS,
	.span_ms = AUDIT_SPAN_MS,
	.age_ms = AUDIT_AGE_MS,
	.rows = AUDIT_ROWS,
	.person = AUDIT_HIS_ROWS };

struct audit_job {
	struct write_job w;
	struct audit_notes notes;
};
struct audit {
	struct audit_notes waiting;
	struct audit_job job, last; /* the usual one; that of the end */
	bool busy; /* the writer has it */
	uint64_t again_ns, lost;
};

struct audit *
audit_new(void)
{
	return xcalloc(1, sizeof(struct audit));
}

void
audit_destroy(struct audit **ap)
{
	free(*ap);
	*ap = NULL;
}

/* ---- writer ---- */
static enum ns_err
put_all(struct store *s, const struct audit_job *j, struct ns_why *why)
{
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < j->notes.n && err == NS_OK; i++)
		err = store_event_put(s, &j->notes.rows[i], &rules, why);
	return err;
}

/* With a batch that is gathered. */
static void
audit_work(struct job *job, void *thread)
{
	struct audit_job *j = (struct audit_job *)job;
	struct batch *b = ((struct writer_thread *)thread)->batch;

	batch_job(b, &j->w);
	if ((j->w.err = store_mark(b->store, &j->w.why)) != NS_OK)
		return;
	j->w.err = put_all(b->store, j, &j->w.why);
	if (j->w.err == NS_OK)
		j->w.err = store_release(b->store, &j->w.why);
	if (j->w.err == NS_OK)
		b->wrote = true;
	else
		store_undo(b->store);
}

bool
audit_write(struct writer_thread *w, struct job *job)
{
	struct audit_job *j = (struct audit_job *)job;

	if (job->work != audit_work)
		return false;
	j->w.revision = w->head.revision;
	if ((j->w.err = store_begin_light(w->store, &j->w.why)) == NS_OK) {
		j->w.err = put_all(w->store, j, &j->w.why);
		if (j->w.err == NS_OK)
			j->w.err = store_commit(w->store, &j->w.why);
		else
			store_rollback(w->store);
	}
	wake_post(w->conf.wake, &j->w.job);
	return true;
}

/* ---- loop ---- */
static void
add(struct audit *a, const struct store_event *e)
{
	if (!audit_notes_add(&a->waiting, e))
		a->lost += e->count;
}

static void
written(struct job *job, struct sync *s)
{
	struct audit_job *j = (struct audit_job *)job;
	struct audit *a = s->audit;

	a->busy = false;
	a->again_ns = clock_mono_ns() + AUDIT_WRITE_NS;
	if (j->w.err == NS_OK)
		return;
	a->again_ns = clock_mono_ns() + AUDIT_RETRY_NS;
	for (size_t i = 0; i < j->notes.n; i++)
		add(a, &j->notes.rows[i]);
	log_error("audit.store", "waiting=%zu lost=%llu text=%s", a->waiting.n,
	    (unsigned long long)a->lost, log_quote(j->w.why.text));
}

static bool
push(struct sync *s, struct audit_job *j)
{
	struct audit *a = s->audit;

	j->w = (struct write_job){ .job = { .work = audit_work, .done = written } };
	j->notes = a->waiting;
	if (!queue_push(s->writes, LANE_BULK, &j->w.job))
		return false;
	a->waiting.n = 0;
	return true;
}

void
audit_tick(struct sync *s, uint64_t now_ns)
{
	struct audit *a = s->audit;

	if (!a->busy && a->waiting.n > 0 && now_ns >= a->again_ns)
		a->busy = push(s, &a->job);
}

void
audit_stop(struct sync *s)
{
	if (s->audit->waiting.n > 0)
		(void)push(s, &s->audit->last);
}

static struct store_event
event_of(const char *kind, const struct caller *c)
{
	struct store_event e = { .count = 1, .first_ms = clock_wall_ms() };

	e.last_ms = e.first_ms;
	text_copy(e.kind, sizeof e.kind, kind);
	text_copy(e.who, sizeof e.who, c->name);
	text_copy(e.via, sizeof e.via, c->via);
	text_copy(e.source, sizeof e.source, c->source);
	text_copy(e.appliance, sizeof e.appliance, c->appliance);
	return e;
}

void
audit_hello(struct sync *s, const struct caller *c)
{
	struct store_event e = event_of(c->role != USER_UNKNOWN ? "login" : "refused", c);

	text_copy(e.what, sizeof e.what,
	    c->role != USER_UNKNOWN ? user_role_name(c->role) : "no user of that name");
	add(s->audit, &e);
}

void
audit_claims(struct sync *s, const struct ns_peer *peer, const Ns__Hello *m)
{
	struct caller c = { .uid = peer->uid, .via = "cli" };
	struct store_event e;

	authz_way(&c, m->software, m->source, s->name);
	snprintf(c.name, sizeof c.name, "uid-%u", peer->uid);
	e = event_of("refused", &c);
	snprintf(e.what, sizeof e.what, "says to be %s",
	    people_name_ok(m->person) ? m->person : "somebody");
	add(s->audit, &e);
}

void
audit_told(struct sync *s, const struct request *r)
{
	const uint64_t *session = ns_body_field(r->env, "session", PROTOBUF_C_TYPE_UINT64);
	char *const *name = ns_body_field(r->env, "name", PROTOBUF_C_TYPE_STRING);
	struct store_event e;

	/* Of what comes in pieces the first one counts. */
	if (!r->kind->secret || (session != NULL && *session != 0))
		return;
	e = event_of("read", &r->caller);
	snprintf(e.what, sizeof e.what, "%s%s%.64s", r->kind->name, name != NULL ? " " : "",
	    name != NULL ? *name : "");
	text_scrub(e.what);
	add(s->audit, &e);
}
