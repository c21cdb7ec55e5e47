/* import - sessions; see import.h.  Loop only. */
#include "appliance/sync/import.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "appliance/sync/batch.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/feed.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/import_session.h"
#include "appliance/sync/receipts.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define ERROR_FRAME 32 /* octets around the strings of an error in a reply */

struct imports {
	TAILQ_HEAD(, session) sessions;
	unsigned count;
	uint64_t last_id;
	size_t backlog; /* octets parsed and not committed */
	uint64_t open_bytes; /* text in unfinished files */
};

/* ---- sessions ---- */
struct imports *
imports_new(void)
{
	struct imports *im = xcalloc(1, sizeof *im);

	TAILQ_INIT(&im->sessions);
	/* No session of another appliance, or of before: who goes on with one of those finds none. */
	(void)!getrandom(&im->last_id, sizeof im->last_id, GRND_NONBLOCK);
	return im;
}

static void
session_free(struct sync *s, struct session *se)
{
	struct imports *im = s->imports;

	TAILQ_REMOVE(&im->sessions, se, link);
	im->count--;
	im->open_bytes -= session_parts_free(se);
	for (size_t i = 0; i < se->nerrors; i++)
		ns__import_file_error__free_unpacked(se->errors[i], NULL);
	free(se->errors);
	import_session_unref(&se->shared);
	free(se);
}

void
imports_destroy(struct imports **imp)
{
	/* Threads are gone; sessions go with the process. */
	free(*imp);
	*imp = NULL;
}

static bool
same_caller(const struct caller *a, const struct caller *b)
{
	return a->uid == b->uid && strcmp(a->name, b->name) == 0 && strcmp(a->relay, b->relay) == 0;
}

static struct session *
session_find(struct imports *im, const struct request *r, uint64_t id)
{
	struct session *se;

	TAILQ_FOREACH(se, &im->sessions, link)
	if (se->shared->id == id && same_caller(&se->shared->caller, &r->caller))
		return se;
	return NULL;
}

static struct session *
session_by_id(struct imports *im, uint64_t id)
{
	struct session *se;

	TAILQ_FOREACH(se, &im->sessions, link)
	if (se->shared->id == id)
		return se;
	return NULL;
}

void
import_begin(struct sync *s, struct request *r)
{
	struct imports *im = s->imports;
	struct session *se;
	Ns__ImportReady *m;

	if (im->count >= IMPORT_SESSIONS) {
		request_refuse(s, r, NS_UNAVAILABLE, ES_BUSY, "busy: other imports are running");
		return;
	}
	se = xcalloc(1, sizeof *se);
	session_parts_init(se);
	se->shared = xcalloc(1, sizeof *se->shared);
	atomic_init(&se->shared->refs, 1);
	se->shared->id = ++im->last_id;
	se->shared->caller = r->caller;
	se->peer = r->peer;
	se->shared->comment = xstrdup(r->env->import_begin->comment);
	se->shared->commit = r->env->import_begin->commit;
	se->shared->want_draft = r->env->import_begin->draft;
	/* Taken out of the message, which goes first. */
	se->shared->confirm = r->env->import_begin->confirm;
	se->shared->nconfirm = r->env->import_begin->n_confirm;
	r->env->import_begin->confirm = NULL;
	r->env->import_begin->n_confirm = 0;
	se->began_ns = se->used_ns = clock_mono_ns();
	TAILQ_INSERT_TAIL(&im->sessions, se, link);
	im->count++;
	m = xmalloc(sizeof *m);
	ns__import_ready__init(m);
	m->session = se->shared->id;
	m->window = IMPORT_WINDOW;
	m->chunk = IMPORT_CHUNK;
	request_reply(r, NS__ENVELOPE__BODY_IMPORT_READY, m);
	request_finish(s, r);
}

/* ---- data ---- */
static bool
has_room(const struct sync *s)
{
	return s->imports->backlog < IMPORT_BACKLOG && feed_has_room(s->feed);
}

static void
reply_progress(struct sync *s, struct session *se, struct request *r)
{
	Ns__ImportProgress *m = xmalloc(sizeof *m);

	ns__import_progress__init(m);
	m->zones = se->zones + se->unchanged;
	m->records = se->records;
	m->failed = se->failed;
	request_reply(r, NS__ENVELOPE__BODY_IMPORT_PROGRESS, m);
	request_finish(s, r);
}

static void end_if_done(struct sync *, struct session *);

/* Answer what has been read, as long as there is room for more. */
static void
answer_read(struct sync *s, struct session *se)
{
	struct request *r;

	while ((r = TAILQ_FIRST(&se->read)) != NULL && has_room(s)) {
		TAILQ_REMOVE(&se->read, r, waiting);
		se->unanswered--;
		se->used_ns = clock_mono_ns();
		reply_progress(s, se, r);
	}
}

void
import_data(struct sync *s, struct request *r)
{
	struct imports *im = s->imports;
	struct session *se = session_find(im, r, r->env->import_data->session);
	enum ns_err err;

	if (se == NULL || se->end != NULL) {
		request_refuse(
		    s, r, NS_NOTFOUND, ES_NO_SESSION, "there is no such import, or it has ended");
		return;
	}
	if (se->unanswered >= IMPORT_WINDOW) {
		request_refuse(s, r, NS_USAGE, ES_WINDOW,
		    "more data messages are unanswered than the window allows");
		return;
	}
	err = session_admit(se, r, im->open_bytes);
	if (err != NS_OK) {
		r->err = err;
		request_finish(s, r);
		return;
	}
	se->used_ns = clock_mono_ns();
	se->unanswered++;
	se->reading++;
	/* Its time is the session's: a full pipeline is no reason to give up. */
	im->open_bytes += session_split(s, se, r);
}

/* ---- results ---- */
void
session_error(struct session *se, const char *file, const struct ns_why *why)
{
	Ns__ImportFileError *e;
	char *reason;

	se->failed++;
	if (se->nerrors >= IMPORT_ERRORS)
		return;
	reason = session_reason(why);
	se->error_octets += strlen(file) + strlen(why->zone) + strlen(reason) + ERROR_FRAME;
	if (se->error_octets > IMPORT_ERROR_OCTETS) {
		free(reason);
		return;
	}
	e = xmalloc(sizeof *e);
	ns__import_file_error__init(e);
	e->file = xstrdup(file);
	e->zone = xstrdup(why->zone);
	e->line = why->line;
	e->code = why->code;
	e->reason = reason;
	se->errors = xreallocarray(se->errors, se->nerrors + 1, sizeof *se->errors);
	se->errors[se->nerrors++] = e;
}

/* A file has been read: to the writer, or into the list of errors. */
void
import_zone_read(struct sync *s, struct session *se, struct import_zone *z)
{
	size_t octets = import_zone_octets(z);
	bool read = z->outcome != IMPORT_FAILED;

	/* Once pushed it is the writer's, which may have refused it by now. */
	if (read && queue_push(s->writes, LANE_BULK, &z->job)) {
		se->writing++;
		s->imports->backlog += octets;
		return;
	}
	if (read)
		ns_fail(&z->why, NS_UNAVAILABLE, ES_BUSY, "busy: too many zones are waiting");
	session_error(se, z->file, &z->why);
	import_zone_destroy(&z);
}

/* All of a data message has been read. */
void
import_message_read(struct sync *s, struct session *se, struct request *r)
{
	assert(se->reading > 0);
	se->reading--;
	TAILQ_INSERT_TAIL(&se->read, r, waiting);
	answer_read(s, se);
	end_if_done(s, se);
}

void
import_text_freed(struct sync *s, uint64_t octets)
{
	s->imports->open_bytes -= octets;
}

static void
reply_end(struct sync *s, struct session *se)
{
	struct request *r = se->end, *data;
	Ns__ImportReply *m = xmalloc(sizeof *m);

	while ((data = TAILQ_FIRST(&se->read)) != NULL) {
		TAILQ_REMOVE(&se->read, data, waiting);
		reply_progress(s, se, data);
	}
	ns__import_reply__init(m);
	m->zones = se->zones;
	m->records = se->records;
	m->unchanged = se->unchanged;
	m->failed = se->failed;
	m->revision = se->revision != 0 ? se->revision : s->head.revision;
	m->seconds = (double)(clock_mono_ns() - se->began_ns) / 1e9;
	m->errors = se->errors;
	m->n_errors = se->nerrors;
	se->errors = NULL;
	se->nerrors = 0;
	if (se->shared->draft != NULL) {
		m->drafts = xcalloc(1, sizeof *m->drafts);
		m->drafts[m->n_drafts++] = se->shared->draft;
		se->shared->draft = NULL;
	}
	request_reply(r, NS__ENVELOPE__BODY_IMPORT_REPLY, m);
	r->revision = se->revision;
	log_info("import.done", "zones=%llu unchanged=%llu failed=%llu revision=%llu seconds=%.3f",
	    (unsigned long long)se->zones, (unsigned long long)se->unchanged,
	    (unsigned long long)se->failed, (unsigned long long)m->revision, m->seconds);
	session_free(s, se);
	receipts_wait(s, r);
}

static void
add_tally(struct session *se, const struct import_tally *t)
{
	const struct import_zone *z;

	se->writing -= t->count;
	se->zones += t->zones;
	se->records += t->records;
	se->unchanged += t->unchanged;
	if (t->revision > se->revision)
		se->revision = t->revision;
	TAILQ_FOREACH(z, &t->failed, link)
	session_error(se, z->file, &z->why);
}

void
imports_batch(struct sync *s, struct batch *b)
{
	struct imports *im = s->imports;
	struct session *se, *next;
	const struct import_tally *t;

	TAILQ_FOREACH(t, &b->tallies, link)
	{
		im->backlog -= t->octets;
		se = session_by_id(im, t->session->id);
		if (se == NULL)
			continue;
		add_tally(se, t);
		if (t->end)
			reply_end(s, se);
	}
	for (se = TAILQ_FIRST(&im->sessions); se != NULL; se = next) {
		next = TAILQ_NEXT(se, link);
		answer_read(s, se);
	}
}

/* ---- the end ---- */
static void
end_if_done(struct sync *s, struct session *se)
{
	struct import_zone *z;

	if (se->end == NULL || se->ending || se->reading > 0)
		return;
	se->ending = true;
	s->imports->open_bytes -= session_unfinished(se);
	/* Behind all its zones in the writer's queue: when it comes back, so have they. */
	z = import_zone_new(se->shared, "");
	z->end = true;
	if (!queue_push(s->writes, LANE_BULK, &z->job)) {
		import_zone_destroy(&z);
		reply_end(s, se);
	}
}

void
import_end(struct sync *s, struct request *r)
{
	struct session *se = session_find(s->imports, r, r->env->import_end->session);

	if (se == NULL || se->end != NULL) {
		request_refuse(
		    s, r, NS_NOTFOUND, ES_NO_SESSION, "there is no such import, or it has ended");
		return;
	}
	se->end = r;
	end_if_done(s, se);
}

void
import_abandon(struct sync *s, struct request *r)
{
	struct session *se = session_find(s->imports, r, r->env->import_abandon->session);
	Ns__Done *done = xmalloc(sizeof *done);

	if (se != NULL)
		se->gone = true;
	ns__done__init(done);
	request_reply(r, NS__ENVELOPE__BODY_DONE, done);
	request_finish(s, r);
}

void
imports_gone(struct sync *s, const struct ns_peer *peer)
{
	struct session *se;

	TAILQ_FOREACH(se, &s->imports->sessions, link)
	if (se->peer.route_len == peer->route_len &&
	    memcmp(se->peer.route, peer->route, peer->route_len) == 0)
		se->gone = true;
}

/* Does anybody still hear?  ZeroMQ tells it of a peer one sends to, and only then.  Clients ignore what
 * answers no request.  Of a client elsewhere his appliance tells it (importaway.c), if that is there. */
static void
probe(struct sync *s, struct session *se)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Done done = NS__DONE__INIT;

	if (se->shared->caller.relay[0] != '\0') {
		const struct follower *fo = pub_follower(s->fleet, se->shared->caller.relay);

		se->gone = fo == NULL || !fo->present;
		return;
	}
	env.body_case = NS__ENVELOPE__BODY_DONE;
	env.done = &done;
	se->gone = ns_send(s->control, &se->peer, &env) == NS_NOTFOUND;
}

void
imports_tick(struct sync *s, uint64_t now_ns)
{
	struct session *se, *next;

	for (se = TAILQ_FIRST(&s->imports->sessions); se != NULL; se = next) {
		next = TAILQ_NEXT(se, link);
		answer_read(s, se);
		/* answer_read() may have used it since `now` was read. */
		if (!se->gone && now_ns > se->used_ns + IMPORT_PROBE_NS &&
		    now_ns > se->probed_ns + IMPORT_PROBE_NS) {
			se->probed_ns = now_ns;
			probe(s, se);
		}
		if (se->end != NULL || se->unanswered > 0 || se->writing > 0 ||
		    (!se->gone && now_ns < se->used_ns + IMPORT_IDLE_NS))
			continue;
		log_warn("import.abandoned", "session=%llu zones=%llu",
		    (unsigned long long)se->shared->id, (unsigned long long)se->zones);
		session_free(s, se);
	}
}
