/* fleetroll - fleet roll-key: an appliance's CURVE key is replaced while the fleet goes on (fleet/roll.h).
 *
 * The command asks for it, in the roster; the appliance makes the key and tells the primary; the primary
 * announces it and, when the overlap is over, ends the old one.  The files are written by the log reader's
 * thread.  Whoever is the primary goes on with what another one began. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/fleet/codes.h"
#include "appliance/fleet/roll.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/control.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/status.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define AGAIN_NS 1000000000ull /* between two words about the same */
#define QUIET_NS 2000000000ull /* so long the port waits for those who follow to know the key, */
#define PAUSE_NS \
	300000000ull /* and at least so long for what they passed on before they heard of it */

/* ---- the command ---- */
static uint32_t
overlap(const Ns__FleetRollRequest *in)
{
	return in->overlap_s != 0 ? in->overlap_s : FLEET_OVERLAP_S;
}

/* Who does not hear of it now may not be able to come back: of the primary's key that is all there is to say. */
static Ns__FleetRollReply *
roll_reply(const struct sync *s, const Ns__FleetRollRequest *in)
{
	const struct roster *r = s->fleet->roster;
	Ns__FleetRollReply *m = xmalloc(sizeof *m);

	ns__fleet_roll_reply__init(m);
	m->name = xstrdup(in->name);
	m->overlap_s = overlap(in);
	m->silent = xcalloc(r->count + 1, sizeof *m->silent);
	for (size_t i = 0; i < r->count; i++) {
		const struct member *mb = &r->members[i];
		const struct follower *fo = pub_follower(s->fleet, mb->name);

		if (mb->enrolled && !mb->removed && strcmp(mb->name, s->name) != 0 &&
		    (fo == NULL || !follower_living(fo, clock_mono_ns())))
			m->silent[m->n_silent++] = xstrdup(mb->name);
	}
	return m;
}

void
fleet_roll_request(struct sync *s, struct request *r)
{
	const Ns__FleetRollRequest *in = r->env->fleet_roll_request;

	if (in->overlap_s > FLEET_OVERLAP_MAX_S)
		r->err = ns_fail(&r->why, NS_USAGE, EF_OVERLAP,
		    "both keys are good for at most %u hours", FLEET_OVERLAP_MAX_S / 3600);
	if (r->err != NS_OK) {
		request_finish(s, r);
		return;
	}
	request_reply(r, NS__ENVELOPE__BODY_FLEET_ROLL_REPLY, roll_reply(s, in));
	control_to_writer(s, r);
}

static enum ns_err
roll_store(struct request *r, struct batch *b, const struct member *m)
{
	const Ns__FleetRollRequest *in = r->env->fleet_roll_request;
	char comment[128];
	enum ns_err err;

	snprintf(comment, sizeof comment, "%s rolls its key", m->name);
	err = member_commit(
	    b, &r->caller, m, in->comment[0] != '\0' ? in->comment : comment, &r->why);
	if (err == NS_OK)
		r->revision = r->reply->fleet_roll_reply->revision = b->revision;
	return err;
}

enum ns_err
fleet_roll_write(struct request *r, struct batch *b)
{
	const Ns__FleetRollRequest *in = r->env->fleet_roll_request;
	struct roster *roster = members_load(b->store);
	const struct member *old = roster_find(roster, in->name);
	struct member m;
	enum ns_err err;

	if (old == NULL || old->removed || !old->enrolled) {
		err = ns_fail(
		    &r->why, NS_NOTFOUND, EF_MEMBER, "there is no appliance named %s", in->name);
	} else {
		m = *old;
		m.roll = (struct member_roll){ .asked = true, .overlap_s = overlap(in) };
		err = roll_store(r, b, &m);
	}
	roster_free(roster);
	free(roster);
	return err;
}

/* ---- what the primary makes of it ---- */
static const char *
announces(struct member *m, const struct member *given, int64_t now_ms, uint64_t revision)
{
	(void)revision;
	if (!m->roll.asked || m->roll.announced || m->removed)
		return NULL;
	m->roll.announced = true;
	m->roll.until_ms = now_ms + 1000 * (int64_t)m->roll.overlap_s;
	memcpy(m->roll.key, given->roll.key, FLEET_KEY);
	return "has a new key: both are good for a time";
}

static const char *
ends(struct member *m, const struct member *given, int64_t now_ms, uint64_t revision)
{
	(void)revision;
	if (!m->roll.announced || now_ms < m->roll.until_ms ||
	    memcmp(m->roll.key, given->roll.key, FLEET_KEY) != 0)
		return NULL;
	memcpy(m->key, m->roll.key, FLEET_KEY);
	m->roll = (struct member_roll){ 0 };
	return "has a new key: the old one is refused";
}

/* The primary knows best which one it has: a backup of before a roll was restored. */
static const char *
corrects(struct member *m, const struct member *given, int64_t now_ms, uint64_t revision)
{
	(void)now_ms;
	(void)revision;
	memcpy(m->key, given->key, FLEET_KEY);
	m->roll = (struct member_roll){ 0 };
	return "has another key than was known";
}

void
roll_announced(
    struct sync *s, const struct member *m, const struct fleet_from *from, const Ns__FleetKey *in)
{
	struct member given = *m;
	struct ns_why why = { 0 };

	if (!m->roll.asked || m->roll.announced)
		return; /* it hears so by the roster */
	if (in->key.len != FLEET_KEY || roster_has_key(s->fleet->roster, in->key.data)) {
		ns_fail(&why, NS_INVALID, EF_KEY, "not a new key");
		pub_refuse(s, from, &why);
		return;
	}
	memcpy(given.roll.key, in->key.data, FLEET_KEY);
	member_push(s, announces, &given, from);
}

static void
end_rolls(struct sync *s, uint64_t now_ns)
{
	struct fleet *f = s->fleet;

	if (clock_since(now_ns, f->roll.ended_ns) < AGAIN_NS)
		return;
	f->roll.ended_ns = now_ns;
	for (size_t i = 0; i < f->roster->count; i++) {
		const struct member *m = &f->roster->members[i];
		bool self = strcmp(m->name, s->name) == 0;

		if (m->roll.announced && clock_wall_ms() >= m->roll.until_ms &&
		    (!self || roll_now(s) == ROLL_SHOW))
			member_push(s, ends, m, NULL);
	}
}

/* ---- our own ---- */
enum roll_step
roll_now(const struct sync *s)
{
	const struct fleet *f = s->fleet;

	return roll_step(
	    roster_find(f->roster, s->name), &f->keys, f->roll.has_next ? &f->roll.next : NULL);
}

size_t
roll_dial(const struct sync *s, struct roll_choice out[ROLL_CHOICES])
{
	const struct fleet *f = s->fleet;
	struct roll_known k = { roster_find(f->roster, s->name), &f->keys,
		f->roll.has_next ? &f->roll.next : NULL, roster_find(f->roster, f->facts.primary),
		f->facts.key };

	return roll_choices(&k, out);
}

struct key_job {
	struct job job;
	const char *dir;
	bool take;
	struct fleet_keys keys;
	enum ns_err err;
	struct ns_why why;
};

static void
key_work(struct job *job, void *thread)
{
	struct key_job *j = (struct key_job *)job;

	(void)thread;
	j->err = j->take ? fleet_keys_next_take(j->dir, &j->why)
			 : fleet_keys_next_make(j->dir, &j->keys, &j->why);
}

/* All that was said with the old one is said anew. */
static void
taken(struct sync *s)
{
	struct fleet *f = s->fleet;

	f->keys = f->roll.next;
	f->roll.has_next = false;
	f->roll.rebind_ns = clock_mono_ns();
	f->roll.rebind_revision = s->head.revision;
	calls_stop(s);
	calls_start(s);
	log_info("fleet.key", "text=\"the new key is in use, the old one is gone\"");
}

static void
key_done(struct job *job, struct sync *s)
{
	struct key_job *j = (struct key_job *)job;
	struct fleet *f = s->fleet;

	f->roll.busy = false;
	if (j->err != NS_OK)
		log_error("fleet.key", "text=%s", log_quote(j->why.text));
	else if (j->take)
		taken(s);
	else {
		f->roll.next = j->keys;
		f->roll.has_next = true;
	}
	free(j);
}

static void
key_start(struct sync *s, bool take)
{
	struct key_job *j = xcalloc(1, sizeof *j);

	j->job.work = key_work;
	j->job.done = key_done;
	j->dir = s->store_dir;
	j->take = take;
	s->fleet->roll.busy = queue_push(s->fleet->log, LANE_FAST, &j->job);
	if (!s->fleet->roll.busy)
		free(j);
}

static void
tell(struct sync *s)
{
	const struct member *own = roster_find(s->fleet->roster, s->name);
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetKey out = NS__FLEET_KEY__INIT;
	struct member given = *own;

	if (!fleet_is_replica(s)) {
		memcpy(given.roll.key, s->fleet->roll.next.public_key, FLEET_KEY);
		member_push(s, announces, &given, NULL);
		return;
	}
	if (s->fleet->rep.state != REP_FOLLOW)
		return;
	out.key = (ProtobufCBinaryData){ FLEET_KEY, s->fleet->roll.next.public_key };
	env.body_case = NS__ENVELOPE__BODY_FLEET_KEY;
	env.fleet_key = &out;
	(void)rep_send(s, &env);
}

/* One step at a time; what does not succeed is tried again. */
static void
own_key(struct sync *s, uint64_t now_ns)
{
	struct fleet *f = s->fleet;
	enum roll_step step = roll_now(s);
	struct member given = { 0 };

	if (f->roll.busy ||
	    (step == f->roll.step && clock_since(now_ns, f->roll.said_ns) < AGAIN_NS))
		return;
	f->roll.step = step;
	f->roll.said_ns = now_ns;
	switch (step) {
	case ROLL_MAKE:
	case ROLL_TAKE:
		key_start(s, step == ROLL_TAKE);
		return;
	case ROLL_TELL:
		tell(s);
		return;
	case ROLL_LOST:
		if (!fleet_is_replica(s) && !roster_has_key(f->roster, f->keys.public_key)) {
			snprintf(given.name, sizeof given.name, "%s", s->name);
			memcpy(given.key, f->keys.public_key, FLEET_KEY);
			member_push(s, corrects, &given, NULL);
		}
		return;
	case ROLL_SHOW: /* rep_tick() */
	case ROLL_NONE:
		return;
	}
}

/* Connections end with the listener: not before those who follow know the key that comes next. */
static bool
all_know(const struct sync *s)
{
	const struct pub *pub = &s->fleet->pub;

	for (size_t i = 0; !fleet_is_replica(s) && i < pub->count; i++)
		if (pub->followers[i].present &&
		    pub->followers[i].stored < s->fleet->roll.rebind_revision)
			return false;
	return true;
}

/* Nobody waits for an answer over a connection that is about to end. */
static bool
is_quiet(struct sync *s, uint64_t now_ns)
{
	struct fleet *f = s->fleet;
	uint64_t paused;

	if (f->roll.paused_ns == 0) {
		f->roll.paused_ns = now_ns;
		pub_beat(s, now_ns);
	}
	paused = clock_since(now_ns, f->roll.paused_ns);
	return fleet_is_replica(s) || paused > QUIET_NS || (paused > PAUSE_NS && f->relaying == 0);
}

static void
rebind(struct sync *s, uint64_t now_ns)
{
	struct fleet *f = s->fleet;
	struct ns_why why = { 0 };

	if (f->roll.rebind_ns == 0 || f->router == NULL ||
	    (!all_know(s) && clock_since(now_ns, f->roll.rebind_ns) < QUIET_NS) ||
	    !is_quiet(s, now_ns))
		return;
	f->roll.rebind_ns = f->roll.paused_ns = 0;
	/* The socket that listens is ours: nobody is refused meanwhile, the backlog waits. */
	if (fleet_rebind(f->router_z, &f->keys, fcntl(f->listen_fd, F_DUPFD_CLOEXEC, 3),
		s->start->config->fleet->listen, &why) != NS_OK)
		fatal("fleet.listen", "text=%s", log_quote(why.text));
	ns_sock_look(f->router);
}

void
roll_tick(struct sync *s, uint64_t now_ns)
{
	own_key(s, now_ns);
	rebind(s, now_ns);
	if (!fleet_is_replica(s))
		end_rolls(s, now_ns);
}

/* Before the port is bound: what a crash left. */
void
roll_start(struct sync *s)
{
	struct fleet *f = s->fleet;
	struct ns_why why = { 0 };
	enum ns_err err = fleet_keys_next(s->store_dir, &f->roll.next, &why);

	f->roll.has_next = err == NS_OK;
	if (err != NS_OK && err != NS_NOTFOUND)
		log_error("fleet.key", "text=%s", log_quote(why.text));
	if (roll_now(s) != ROLL_TAKE)
		return;
	if (fleet_keys_next_take(s->store_dir, &why) != NS_OK)
		fatal("fleet.key", "text=%s", log_quote(why.text));
	f->keys = f->roll.next;
	f->roll.has_next = false;
}

/* ---- shown ---- */
Ns__KeyRoll *
roll_message(const struct member *m)
{
	Ns__KeyRoll *out;

	if (m == NULL || !m->roll.asked)
		return NULL;
	out = xmalloc(sizeof *out);
	ns__key_roll__init(out);
	out->state = xstrdup(m->roll.announced ? "announced" : "asked");
	out->until = m->roll.announced ? reply_time(m->roll.until_ms) : xstrdup("");
	return out;
}

void
roll_status(struct sync *s, Ns__StatusReply *m)
{
	bool behind = fleet_is_replica(s) && s->head.revision < s->fleet->rep.head;

	if (roll_now(s) == ROLL_LOST && !behind)
		status_problem(m, "key",
		    xasprintf("the fleet knows another key than data/fleet.key: %s",
			fleet_is_replica(s)
			    ? "fleet roll-key of this appliance at the primary, or, when it is "
			      "refused, "
			      "fleet remove, and an invitation with an empty data directory"
			    : "it is put right at once; if not, fleet roll-key of this appliance"));
}
