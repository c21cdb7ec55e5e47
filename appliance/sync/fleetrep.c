/* fleetrep - the replica's side of the fleet: where it is, whom it follows, and what the primary says (fleetrep.h).
 *
 * Everything the primary sends is numbered; a gap, a chain that does not fit or a refusal leads back to
 * hello with the position that is stored.  Nothing here is needed to answer DNS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/fleet/codes.h"
#include "appliance/sync/adopt.h"
#include "appliance/sync/fleetlog.h"
#include "appliance/sync/fleetrep.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/rewind.h"
#include "appliance/sync/snappub.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define RECEIPT_NS 500000000ull

enum ns_err
rep_send(struct sync *s, Ns__Envelope *env)
{
	struct fleet *f = s->fleet;
	struct packet *p;
	enum ns_err err;

	env->term = s->head.term;
	/* Without a link it would wait in the socket, and mean something else when it leaves. */
	if (f->dealer == NULL || !f->rep.up || (p = packet_new(env)) == NULL)
		return NS_UNAVAILABLE;
	err = fleet_send(f->dealer_z, NULL, p);
	packet_unref(p);
	ns_sock_look(f->dealer);
	return err;
}

void
rep_trouble(struct sync *s, const char *text)
{
	struct rep *rep = &s->fleet->rep;

	if (strcmp(rep->trouble, text) != 0 && text[0] != '\0')
		log_warn("fleet.trouble", "text=%s", log_quote(text));
	snprintf(rep->trouble, sizeof rep->trouble, "%s", text);
}

/* ---- where we are ---- */
static void
restart_count(struct rep *rep)
{
	rep->octets = rep->messages = rep->acked_octets = rep->acked_messages = 0;
	rep->hellos++;
}

void
rep_say_hello(struct sync *s)
{
	struct rep *rep = &s->fleet->rep;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetHello out = NS__FLEET_HELLO__INIT;

	follow_start(&rep->follow, rep->follow.taken);
	restart_count(rep);
	rep->state = REP_HELLO;
	rep->said_ns = clock_mono_ns();
	out.major = NS_PROTO_MAJOR;
	out.minor = NS_PROTO_MINOR;
	out.software = (char *)(uintptr_t) "nameserve " NS_RELEASE;
	out.revision = rep->follow.taken;
	out.hash = (ProtobufCBinaryData){ STORE_HASH, rep->hash };
	out.log_term = rep->log_term;
	out.candidate = rep->candidate;
	out.snapshot = rep->snap.wanted;
	out.endpoint = (char *)(uintptr_t)fleet_advertise(s);
	out.site = s->start->config->site;
	env.body_case = NS__ENVELOPE__BODY_FLEET_HELLO;
	env.fleet_hello = &out;
	(void)rep_send(s, &env);
}

/* Back to what is stored, and ask from there. */
void
rep_start_over(struct sync *s)
{
	struct rep *rep = &s->fleet->rep;

	rep_queue_drop(rep);
	follow_start(&rep->follow, s->head.revision);
	memcpy(rep->hash, rep->stored_hash, STORE_HASH);
	rep->log_term = s->head.log_term;
	rep->state = REP_HELLO;
}

/* Either side's key may have been rolled since they met: what may be right is tried in turn. */
static void
dial_primary(struct sync *s)
{
	struct fleet *f = s->fleet;
	struct rep *rep = &f->rep;
	struct roll_choice c[ROLL_CHOICES];
	size_t n = roll_dial(s, c);
	const struct roll_choice *now = &c[rep->dials++ % n];

	memcpy(rep->dialed_own, now->own->public_key, FLEET_KEY);
	memcpy(rep->dialed_server, now->server, FLEET_KEY);
	fleet_dial(s, now->own, f->facts.endpoint, now->server);
}

/* With our own key, or with the invitation's while we have nothing else. */
void
rep_dial(struct sync *s)
{
	struct fleet *f = s->fleet;
	struct rep *rep = &f->rep;
	struct fleet_keys one;

	rep->up = false;
	rep->dialed_ns = clock_mono_ns();
	if (f->facts.joined)
		dial_primary(s);
	else if (fleet_keys_from_secret(rep->token.secret, &one))
		fleet_dial(s, &one, rep->token.endpoint, rep->token.primary);
}

void
rep_start(struct sync *s)
{
	struct fleet *f = s->fleet;
	struct rep *rep = &f->rep;
	struct ns_why why = { 0 };

	rep->queue_end = &rep->queue;
	memcpy(rep->stored_hash, s->head.hash, STORE_HASH);
	rep_start_over(s);
	if (!f->facts.joined) {
		/* The supervisor has looked at it already. */
		if (token_read(s->start->config->join, &rep->token, &why) != NS_OK)
			fatal_config("fleet.join", "text=%s", log_quote(why.text));
		rep->state = REP_ENROL;
	}
	rep_dial(s);
}

/* Another one is the primary now, or for a while: from where we are, with our own key. */
void
rep_follow(struct sync *s, const char *endpoint, const uint8_t *key)
{
	struct rep *rep = &s->fleet->rep;

	if (rep->queue_end == NULL)
		rep->queue_end = &rep->queue;
	rep->heard = rep->misled = false;
	rep->digest_out = false;
	rep_trouble(s, "");
	rep_start_over(s);
	rep->dials = 0;
	memcpy(rep->dialed_own, s->fleet->keys.public_key, FLEET_KEY);
	memcpy(rep->dialed_server, key, FLEET_KEY);
	fleet_dial(s, &s->fleet->keys, endpoint, key);
}

/* No more changes from anybody; what is being applied goes on. */
void
rep_leave(struct sync *s)
{
	struct rep *rep = &s->fleet->rep;

	rep->candidate = false;
	rep->state = REP_OFF;
	ns_sock_destroy(&s->fleet->dealer);
	s->fleet->dealer_z = NULL;
	rep_queue_drop(rep);
	rep_trouble(s, "");
	forward_lost(s);
}

void
rep_link(void *arg, bool up)
{
	struct sync *s = arg;
	struct rep *rep = &s->fleet->rep;

	rep->up = up;
	rep->unheard = 0;
	rep->dials = 0;
	rep->best_tried = false;
	rep->dialed_ns = clock_mono_ns();
	log_info("fleet.link", "up=%d primary=%s", up, log_quote(s->fleet->facts.primary));
	if (!up) {
		forward_lost(s);
		snaprep_link(s);
		rep->digest_out = false;
		if (rep->state == REP_FOLLOW)
			rep->state = REP_HELLO;
		return;
	}
	if (rep->state == REP_ENROL)
		rep_say_enrol(s);
	else if (rep->state != REP_REFUSED && rep->state != REP_SNAPSHOT)
		rep_say_hello(s);
}

void
rep_stop(struct sync *s)
{
	struct rep *rep = &s->fleet->rep;

	rep_queue_drop(rep);
	follow_start(&rep->follow, 0);
	if (rep->zone != NULL) {
		struct repair_job *z = rep->zone;

		repair_job_destroy(&z);
	}
	if (rep->beat != NULL)
		ns__fleet_beat__free_unpacked(rep->beat, NULL);
}

/* ---- what the primary says ---- */
struct term_job {
	struct write_job w;
	uint64_t term;
};

static void
term_work(struct job *job, void *thread)
{
	struct term_job *j = (struct term_job *)job;
	struct writer_thread *w = thread;
	char number[24];

	batch_job(w->batch, &j->w);
	snprintf(number, sizeof number, "%llu", (unsigned long long)j->term);
	j->w.err = store_fact_put(w->store, "term", number, &j->w.why);
	w->batch->wrote = true;
	w->head.term = j->term;
}

static void
term_done(struct job *job, struct sync *s)
{
	(void)s;
	free(job);
}

/* What nobody but a primary says.  Only these teach a newer term: whoever was our primary and follows another
 * one now refuses us in that one's term, and had we taken the term from it, the new primary's call would
 * bring no news and we would ask here for ever. */
static bool
is_leading(const Ns__Envelope *env)
{
	return env->body_case == NS__ENVELOPE__BODY_FLEET_WELCOME ||
	       env->body_case == NS__ENVELOPE__BODY_FLEET_SNAPSHOT ||
	       env->body_case == NS__ENVELOPE__BODY_FLEET_CHANGE ||
	       env->body_case == NS__ENVELOPE__BODY_FLEET_BEAT;
}

/* Of an older term: the word of a primary that is none any more. */
static bool
term_counts(struct sync *s, const Ns__Envelope *env)
{
	uint64_t term = env->term;
	struct term_job *j;

	if (term < s->head.term) {
		if (log_allowed(&s->fleet->limit, 5))
			log_warn("fleet.term", "theirs=%llu ours=%llu", (unsigned long long)term,
			    (unsigned long long)s->head.term);
		return false;
	}
	if (term == s->head.term || !is_leading(env))
		return true;
	log_info("fleet.term", "from=%llu to=%llu", (unsigned long long)s->head.term,
	    (unsigned long long)term);
	s->head.term = term;
	j = xcalloc(1, sizeof *j);
	j->w.job.work = term_work;
	j->w.job.done = term_done;
	j->term = term;
	if (!queue_push(s->writes, LANE_FAST, &j->w.job))
		free(j); /* said again with the next start */
	return true;
}

static void
beat(struct sync *s, const Ns__FleetBeat *in)
{
	struct rep *rep = &s->fleet->rep;

	rep->head = in->revision;
	if (s->head.revision >= rep->head)
		rep->behind_ns = 0;
	else if (rep->behind_ns == 0)
		rep->behind_ns = clock_mono_ns();
	if (rep->beat != NULL)
		ns__fleet_beat__free_unpacked(rep->beat, NULL);
	rep->beat = ns_message_copy(&in->base);
	rep->beat_ns = clock_mono_ns();
	rep->beat_term = s->head.term;
	if (in->pause)
		forward_pause(s, rep->beat_ns);
}

/* ---- a history that lost ---- */
static void
rewound(struct job *job, struct sync *s)
{
	struct rewind_job *j = (struct rewind_job *)job;
	struct fleet *f = s->fleet;
	struct rep *rep = &f->rep;

	if (j->w.err == NS_OK) {
		memcpy(rep->stored_hash, j->hash, STORE_HASH);
		s->head.log_term = j->log_term;
		/* What it held is in the new one, too. */
		if (f->lost_file[0] != '\0' && strcmp(f->lost_file, j->file) != 0)
			(void)unlink(f->lost_file);
		fleet_lost(s, j->text, j->file);
		log_warn("fleet.rewound", "to=%llu text=%s", (unsigned long long)j->to,
		    log_quote(j->text));
	} else {
		rep->snap.wanted = j->w.why.code == ES_PRUNED;
		rep_trouble(s, j->w.why.text);
	}
	rep_start_over(s);
	rep_say_hello(s);
	free(j);
}

static void
rewind_start(struct sync *s)
{
	struct rep *rep = &s->fleet->rep;
	struct rewind_job *j =
	    rewind_job_new(rep->follow.taken, s->store_dir, s->fleet->facts.primary, rewound);

	rep->state = REP_REWIND;
	if (queue_push(s->writes, LANE_FAST, &j->w.job))
		return;
	free(j);
	rep_start_over(s); /* the next hello leads here again */
}

static void
point_read(struct job *job, struct sync *s)
{
	struct point_job *j = (struct point_job *)job;
	struct rep *rep = &s->fleet->rep;

	if (rep->state == REP_HELLO && j->err == NS_OK) {
		follow_start(&rep->follow, j->revision);
		memcpy(rep->hash, j->hash, STORE_HASH);
		rep->log_term = j->log_term;
		rep_say_hello(s);
	} else if (rep->state == REP_HELLO && j->err == NS_NOTFOUND) {
		/* Nothing that is here is known to be of that history. */
		follow_start(&rep->follow, 0);
		memset(rep->hash, 0, STORE_HASH);
		rep->log_term = 0;
		rep->snap.wanted = true;
		rep_say_hello(s);
	}
	free(j);
}

/* What is newer here is not of the primary's history: does it know that change? */
static void
rewind_to(struct sync *s, const Ns__FleetRewind *in)
{
	struct rep *rep = &s->fleet->rep;
	struct point_job *j;

	if (rep->state != REP_HELLO || rep->applying || rep->candidate || in->revision == 0 ||
	    in->revision >= rep->follow.taken)
		return;
	j = point_job_new(in->revision, point_read);
	if (!queue_push(s->fleet->log, LANE_FAST, &j->job))
		free(j); /* hello is said again */
}

static void
welcome(struct sync *s, const Ns__FleetWelcome *in)
{
	struct rep *rep = &s->fleet->rep;

	if (in->major != NS_PROTO_MAJOR || (rep->state != REP_HELLO && rep->state != REP_FOLLOW))
		return;
	/* Where a slow primary heard hello twice, what it sent before this belongs to the first: it counts
	 * from here, and so do we, or our receipts would claim more than it sent. */
	restart_count(rep);
	rep->unheard = 0;
	rep->misled = false;
	if (rep->follow.taken < s->head.revision) {
		rewind_start(s);
		return;
	}
	rep->state = REP_FOLLOW;
	rep->snap.step = SNAP_NONE;
	rep->head = in->revision;
	rep_trouble(s, "");
	forward_resume(s);
	log_info("fleet.following", "primary=%s from=%llu head=%llu", log_quote(in->primary),
	    (unsigned long long)rep->follow.taken, (unsigned long long)in->revision);
	rep_say_receipt(s);
}

static void
refused(struct sync *s, const Ns__Error *in)
{
	struct rep *rep = &s->fleet->rep;

	rep_trouble(s, in->text);
	rep->unheard = 0;
	rep->misled = in->code == EF_NOT_PRIMARY;
	if (rep->state == REP_FOLLOW)
		rep->state = REP_HELLO;
	/* Asking again does not help with these. */
	if (rep->state == REP_ENROL && (in->code == EF_INVITATION || in->err_class == NS_VERSION))
		rep->state = REP_REFUSED;
	rep->said_ns = clock_mono_ns();
	/* Nor, soon, with these: somebody must do something first. */
	if (in->code == EF_HISTORY || in->err_class == NS_VERSION) {
		rep->said_ns += FLEET_REFUSED_NS;
		if (rep->candidate)
			promote_refused(s);
	}
}

void
rep_message(struct sync *s, const struct fleet_from *from, const Ns__Envelope *env)
{
	struct rep *rep = &s->fleet->rep;

	if (rep->state == REP_ENROL && env->body_case == NS__ENVELOPE__BODY_FLEET_ENROLLED) {
		rep_enrolled(s, env->term, env->fleet_enrolled);
		return;
	}
	if (rep->state != REP_ENROL && !term_counts(s, env))
		return;
	/* A refusal is no word of the primary: it may be of one that was. */
	if (env->body_case != NS__ENVELOPE__BODY_ERROR) {
		rep->heard_ns = clock_mono_ns();
		rep->heard = true;
	}
	switch ((int)env->body_case) {
	case NS__ENVELOPE__BODY_FLEET_WELCOME:
		welcome(s, env->fleet_welcome);
		return;
	case NS__ENVELOPE__BODY_FLEET_CHANGE:
		rep_change(s, from, env->fleet_change);
		return;
	case NS__ENVELOPE__BODY_FLEET_BEAT:
		beat(s, env->fleet_beat);
		return;
	case NS__ENVELOPE__BODY_FLEET_FORWARD_REPLY:
		forward_reply(s, env->fleet_forward_reply);
		return;
	case NS__ENVELOPE__BODY_FLEET_DIGEST_REPLY:
		zones_answer(s, env->fleet_digest_reply);
		return;
	case NS__ENVELOPE__BODY_FLEET_ZONE:
		zones_take(s, env->fleet_zone);
		return;
	case NS__ENVELOPE__BODY_FLEET_THINGS_REPLY:
		rep_things_ended(rep, things_answer(s, env->fleet_things_reply));
		return;
	case NS__ENVELOPE__BODY_FLEET_THING:
		things_take(s, env->fleet_thing);
		return;
	case NS__ENVELOPE__BODY_FLEET_SNAPSHOT:
		snaprep_offer(s, env->fleet_snapshot);
		return;
	case NS__ENVELOPE__BODY_FLEET_SNAPSHOT_PIECE:
		snaprep_piece(s, env->fleet_snapshot_piece);
		return;
	case NS__ENVELOPE__BODY_FLEET_REWIND:
		rewind_to(s, env->fleet_rewind);
		return;
	case NS__ENVELOPE__BODY_ERROR:
		refused(s, env->error);
		return;
	default:
		return; /* of a newer minor version */
	}
}

/* The new key is shown as soon as it counts, when no request is under way; a link that broke is made with what
 * is the likeliest now, before the pairs that were tried go round. */
static void
best_tick(struct sync *s, uint64_t now_ns)
{
	struct rep *rep = &s->fleet->rep;
	struct roll_choice c[ROLL_CHOICES];
	bool own, server;

	if (!s->fleet->facts.joined || rep->candidate || rep->state == REP_OFF)
		return;
	(void)roll_dial(s, c);
	if (memcmp(rep->best_own, c[0].own->public_key, FLEET_KEY) != 0 ||
	    memcmp(rep->best_server, c[0].server, FLEET_KEY) != 0) {
		memcpy(rep->best_own, c[0].own->public_key, FLEET_KEY);
		memcpy(rep->best_server, c[0].server, FLEET_KEY);
		rep->best_tried = false;
		rep->best_ns = now_ns;
	}
	own = memcmp(rep->best_own, rep->dialed_own, FLEET_KEY) != 0;
	server = memcmp(rep->best_server, rep->dialed_server, FLEET_KEY) != 0;
	if (rep->best_tried || (!own && !server) || (rep->up && !own))
		return;
	forward_pause(s, now_ns);
	if ((rep->up && !TAILQ_EMPTY(&s->fleet->forwarded) &&
		clock_since(now_ns, rep->best_ns) < FLEET_QUIET_NS))
		return;
	if (rep->up)
		rep_link(s, false);
	rep->best_tried = true;
	rep_dial(s);
}

void
rep_tick(struct sync *s, uint64_t now_ns)
{
	struct rep *rep = &s->fleet->rep;

	best_tick(s, now_ns);
	if (!rep->up && rep->state != REP_REFUSED &&
	    clock_since(now_ns, rep->dialed_ns) > FLEET_REDIAL_NS)
		rep_dial(s);
	if (rep->up && clock_since(now_ns, rep->said_ns) > FLEET_AGAIN_NS << rep->unheard) {
		rep->unheard += rep->unheard < FLEET_AGAIN_MOST;
		if (rep->state == REP_ENROL)
			rep_say_enrol(s);
		else if (rep->state == REP_HELLO && s->fleet->facts.joined)
			rep_say_hello(s);
	}
	snaprep_tick(s, now_ns);
	if (clock_since(now_ns, rep->receipt_ns) > RECEIPT_NS)
		rep_say_receipt(s);
	rep_compare_tick(s, now_ns);
}
