/* fleetpub - the primary's side of the fleet: replicas say where they are, and get what follows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/fleet/codes.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/fleetlog.h"
#include "appliance/sync/gate.h"
#include "appliance/sync/handover.h"
#include "appliance/sync/keyring.h"
#include "appliance/sync/receipts.h"
#include "appliance/sync/snappub.h"
#include "appliance/sync/status.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

static void pump(struct sync *, struct follower *);

struct follower *
pub_follower(struct fleet *f, const char *name)
{
	for (size_t i = 0; i < f->pub.count; i++)
		if (strcmp(f->pub.followers[i].name, name) == 0)
			return &f->pub.followers[i];
	return NULL;
}

void
pub_send(struct sync *s, const struct fleet_from *to, Ns__Envelope *env)
{
	struct packet *p;

	env->term = s->head.term;
	p = packet_new(env);
	if (p == NULL) {
		log_error("fleet.size", "body=%d", (int)env->body_case);
		return;
	}
	(void)fleet_send(s->fleet->router_z, to, p);
	packet_unref(p);
	ns_sock_look(s->fleet->router);
}

void
pub_refuse(struct sync *s, const struct fleet_from *to, struct ns_why *why)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Error error;

	log_warn("fleet.refuse", "user=%s code=%u text=%s", log_quote(to->user), why->code,
	    log_quote(why->text));
	ns_error_from_why(&error, why);
	env.body_case = NS__ENVELOPE__BODY_ERROR;
	env.error = &error;
	pub_send(s, to, &env);
}

static bool
version_fits(struct sync *s, const struct fleet_from *from, uint32_t major)
{
	struct ns_why why = { 0 };

	if (major == NS_PROTO_MAJOR)
		return true;
	ns_fail(&why, NS_VERSION, NS_CODE_OTHER_MAJOR,
	    "%s speaks version %u.%u of the protocol, you speak version %u: bring both to the same "
	    "release",
	    s->name, NS_PROTO_MAJOR, NS_PROTO_MINOR, major);
	pub_refuse(s, from, &why);
	return false;
}

static bool
is_primary(struct sync *s, const struct fleet_from *from)
{
	struct ns_why why = { 0 };

	if (!fleet_is_replica(s))
		return true;
	ns_fail(&why, NS_UNAVAILABLE, EF_NOT_PRIMARY, "%s is a replica; the primary is %s", s->name,
	    s->fleet->facts.primary);
	pub_refuse(s, from, &why);
	return false;
}

/* ---- enrolment ---- */
void
pub_enrol(struct sync *s, const struct member *m, struct fleet_from *from, const Ns__FleetEnrol *in)
{
	struct member given = *m;
	struct ns_why why = { 0 };

	if (!is_primary(s, from) || !version_fits(s, from, in->major))
		return;
	if (strcmp(in->name, m->name) != 0)
		ns_fail(&why, NS_DENIED, EF_INVITATION,
		    "this invitation is for %s, not for an appliance named %s", m->name, in->name);
	else if (in->key.len != FLEET_KEY)
		ns_fail(&why, NS_INVALID, EF_INVITATION, "a key of 32 octets is needed");
	else if (m->enrolled && memcmp(m->key, in->key.data, FLEET_KEY) != 0)
		ns_fail(&why, NS_DENIED, EF_INVITATION,
		    "this invitation was used by another key: invite %s again", m->name);
	if (why.err != NS_OK) {
		pub_refuse(s, from, &why);
		return;
	}
	memcpy(given.key, in->key.data, FLEET_KEY);
	member_take_endpoint(&given, in->endpoint);
	if (given.site[0] == '\0' && text_is_clean(in->site, strlen(in->site))) {
		given.site_claimed = true;
		snprintf(
		    given.site, sizeof given.site, "%.*s", (int)sizeof given.site - 1, in->site);
	}
	member_push(s, member_enrols, &given, from);
}

/* ---- hello ---- */
static void
not_ours(struct sync *s, struct follower *fo, const struct place_job *j)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetRewind out = NS__FLEET_REWIND__INIT;
	struct position at = { j->log_term, j->revision };
	struct ns_why why = { 0 };

	if (!fleet_is_replica(s) && j->older != 0 &&
	    rewind_judge(s->head.term, at, j->here, j->older, &out.revision) == REWIND_BACK) {
		env.body_case = NS__ENVELOPE__BODY_FLEET_REWIND;
		env.fleet_rewind = &out;
		pub_send(s, &fo->peer, &env);
		return;
	}
	ns_fail(&why, NS_CONFLICT, EF_HISTORY,
	    "change %llu of %s is not a change of this fleet's history: let it join again with an "
	    "empty data directory",
	    (unsigned long long)j->revision, fo->name);
	pub_refuse(s, &fo->peer, &why);
}

/* A candidate needs the changes themselves, and a replica's own state may lack what is kept to sites. */
static void
no_replay(struct sync *s, struct follower *fo, const struct place_job *j)
{
	struct ns_why why = { 0 };

	if (j->choice == SNAP_TAKE && !fleet_is_replica(s)) {
		gate_heard(s, false);
		snaps_due(s, fo);
		return;
	}
	ns_fail(&why, NS_CONFLICT, EF_HISTORY,
	    "%s needs changes from %llu on, and the history that %s keeps begins at change %llu: "
	    "promote %s instead",
	    fo->name, (unsigned long long)j->revision + 1, s->name, (unsigned long long)j->begins,
	    s->name);
	pub_refuse(s, &fo->peer, &why);
}

static void
place_done(struct job *job, struct sync *s)
{
	struct place_job *j = (struct place_job *)job;
	struct follower *fo = pub_follower(s->fleet, j->name);
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetWelcome out = NS__FLEET_WELCOME__INIT;

	if (fo != NULL && fo->session == j->session && !j->candidate && fleet_is_replica(s)) {
		/* By now: a welcome would be one of the newer term. */
		(void)is_primary(s, &fo->peer);
	} else if (fo != NULL && fo->session == j->session && !j->ours) {
		not_ours(s, fo, j);
	} else if (fo != NULL && fo->session == j->session && j->choice != SNAP_REPLAY) {
		no_replay(s, fo, j);
	} else if (fo != NULL && fo->session == j->session) {
		out.major = NS_PROTO_MAJOR;
		out.minor = NS_PROTO_MINOR;
		out.software = (char *)(uintptr_t) "nameserve " NS_RELEASE;
		out.primary = (char *)(uintptr_t)s->name;
		out.revision = s->head.revision;
		env.body_case = NS__ENVELOPE__BODY_FLEET_WELCOME;
		env.fleet_welcome = &out;
		fo->present = true;
		fo->stored = j->revision;
		gate_heard(s, false);
		pub_send(s, &fo->peer, &env);
		log_info("fleet.follower", "name=%s from=%llu head=%llu", fo->name,
		    (unsigned long long)j->revision, (unsigned long long)s->head.revision);
		pump(s, fo);
		gate_pump(s);
	}
	free(j);
}

static void
hello(
    struct sync *s, const struct member *m, const struct fleet_from *from, const Ns__FleetHello *in)
{
	struct follower *fo = pub_follower(s->fleet, m->name);
	static const uint8_t none[STORE_HASH];
	struct member fresh = *m;
	struct place_job *j;

	/* A candidate fetches what it lacks from anybody. */
	if ((!in->candidate && !is_primary(s, from)) || !version_fits(s, from, in->major))
		return;
	if (fo == NULL) {
		if (s->fleet->pub.count == FLEET_MEMBERS)
			return;
		fo = &s->fleet->pub.followers[s->fleet->pub.count++];
		*fo = (struct follower){ 0 };
		snprintf(fo->name, sizeof fo->name, "%s", m->name);
	}
	fo->peer = *from;
	fo->present = false;
	fo->reading = false;
	fo->session++;
	fo->ever = true;
	fo->heard_ns = clock_mono_ns();
	fo->next = (struct cursor){ in->revision + 1, 0 };
	fo->sent = fo->acked = fo->sent_msgs = fo->acked_msgs = 0;
	snprintf(fo->version, sizeof fo->version, "%.*s", (int)sizeof fo->version - 1,
	    strncmp(in->software, "nameserve ", 10) == 0 ? in->software + 10 : in->software);
	j = place_job_new(
	    in->revision, in->hash.len == STORE_HASH ? in->hash.data : none, place_done);
	snprintf(j->name, sizeof j->name, "%s", m->name);
	j->session = fo->session;
	j->log_term = in->log_term;
	j->wanted = in->snapshot;
	j->candidate = in->candidate;
	if (!queue_push(s->fleet->log, LANE_FAST, &j->job))
		free(j); /* it says hello again */
	if (fleet_is_replica(s))
		return;
	member_take_endpoint(&fresh, in->endpoint);
	if (strcmp(fresh.endpoint, m->endpoint) != 0)
		member_push(s, member_moves, &fresh, from);
}

/* ---- out ---- */
/* The standby gets what is committed, the others what the standby has stored, the standby before what says so. */
uint64_t
pub_limit(const struct sync *s, const struct follower *fo)
{
	const struct member *m = roster_standby(s->fleet->roster);
	uint64_t released = gate_released(s), handed = handover_limit(s, fo->name);

	if (m != NULL ? strcmp(m->name, fo->name) == 0 : !handover_waits(s, s->head.revision))
		return s->head.revision;
	return handed > released ? handed : released;
}

static enum ns_err
send_piece(struct sync *s, struct follower *fo, const struct piece *p)
{
	enum ns_err err = fleet_send(s->fleet->router_z, &fo->peer, p->packet);

	if (err == NS_OK)
		follower_sent(fo, p);
	else if (err == NS_NOTFOUND)
		fo->present = false;
	return err;
}

static void
log_done(struct job *job, struct sync *s)
{
	struct log_job *j = (struct log_job *)job;
	struct follower *fo = pub_follower(s->fleet, j->name);

	if (j->err != NS_OK)
		log_error("fleet.log", "revision=%llu err=%d", (unsigned long long)j->from.revision,
		    (int)j->err);
	if (fo != NULL && fo->session == j->session) {
		fo->reading = false;
		for (size_t i = 0; i < j->count && fo->present; i++) {
			if (cursor_cmp(j->pieces[i].at, fo->next) != 0 ||
			    fo->next.revision > pub_limit(s, fo) ||
			    !follower_open(fo, j->pieces[i].packet->len) ||
			    send_piece(s, fo, &j->pieces[i]) != NS_OK)
				break;
		}
		ns_sock_look(s->fleet->router);
		if (j->err == NS_OK && j->count > 0)
			pump(s, fo);
		else if (j->err == NS_OK && j->from.revision < s->head.begins)
			snaps_due(s, fo); /* it was too slow for the log's end */
	}
	log_job_destroy(&j);
}

/* From the ring while it has what is next, else from the log; as far as the window is open. */
static void
pump(struct sync *s, struct follower *fo)
{
	struct fleet *f = s->fleet;
	const struct piece *p = NULL;
	uint64_t limit = pub_limit(s, fo);
	struct log_job *j;

	while (fo->present && !fo->reading && fo->next.revision <= limit &&
	       (p = ring_at(&f->pub.ring, fo->next)) != NULL && !p->kept &&
	       follower_open(fo, p->packet->len))
		if (send_piece(s, fo, p) != NS_OK)
			break;
	ns_sock_look(f->router);
	if ((p != NULL && !p->kept) || !fo->present || fo->reading || fo->next.revision > limit ||
	    cursor_cmp(fo->next, f->pub.tail) == 0 || !follower_open(fo, FLEET_PIECE))
		return;
	j = log_job_new(fo->next, s->head.term, log_done);
	snprintf(j->name, sizeof j->name, "%s", fo->name);
	snprintf(j->site, sizeof j->site, "%s", roster_site(f->roster, fo->name));
	j->whole = fleet_is_replica(s); /* whoever asks a replica is about to be the primary */
	j->session = fo->session;
	fo->reading = queue_push(f->log, LANE_BULK, &j->job);
	if (!fo->reading)
		log_job_destroy(&j);
}

static void
pump_all(struct sync *s)
{
	for (size_t i = 0; i < s->fleet->pub.count; i++)
		if (s->fleet->pub.followers[i].present)
			pump(s, &s->fleet->pub.followers[i]);
}

static void
tail_done(struct job *job, struct sync *s)
{
	struct log_job *j = (struct log_job *)job;
	struct pub *pub = &s->fleet->pub;

	pub->reading = false;
	for (size_t i = 0; i < j->count; i++) {
		struct piece p = j->pieces[i];

		packet_ref(p.packet);
		ring_push(&pub->ring, &p);
		pub->tail = p.next;
	}
	if (j->err != NS_OK)
		log_error("fleet.log", "revision=%llu err=%d", (unsigned long long)j->from.revision,
		    (int)j->err);
	log_job_destroy(&j);
	pump_all(s);
	if (pub->tail.revision <= s->head.revision)
		pub_committed(s);
}

void
pub_committed(struct sync *s)
{
	struct pub *pub = &s->fleet->pub;
	struct log_job *j;
	bool any = false;

	for (size_t i = 0; i < pub->count; i++)
		any = any || pub->followers[i].present;
	if (!any) {
		/* Nobody listens: whoever comes reads the log. */
		ring_clear(&pub->ring);
		if (!pub->reading)
			pub->tail = (struct cursor){ s->head.revision + 1, 0 };
		return;
	}
	if (pub->reading || pub->tail.revision > s->head.revision) {
		pump_all(s); /* the standby has stored what others wait for */
		return;
	}
	j = log_job_new(pub->tail, s->head.term, tail_done);
	pub->reading = queue_push(s->fleet->log, LANE_FAST, &j->job);
	if (!pub->reading)
		log_job_destroy(&j);
}

/* ---- in ---- */
static void
receipt(struct sync *s, struct follower *fo, const Ns__FleetReceipt *in)
{
	struct ack a = { in->octets, in->messages, in->stored, in->served };

	if (!fo->present)
		return; /* it answers what came before its last hello */
	if (!follower_ack(fo, &a, s->head.revision, fo->heard_ns)) {
		if (log_allowed(&s->fleet->limit, 5))
			log_warn("fleet.receipt",
			    "name=%s stored=%llu served=%llu text=\"cannot be\"", fo->name,
			    (unsigned long long)in->stored, (unsigned long long)in->served);
		return;
	}
	keyring_seen(fo->name, in->public_key.data, in->public_key.len);
	ranges_read(&fo->late, in->late, in->n_late);
	fo->qps = in->qps;
	fo->p99_us = in->p99_us;
	fo->error_percent = in->error_percent;
	fo->p50_us = in->p50_us;
	fo->uptime_s = in->uptime_s;
	vitals_read(&fo->vitals, in->vitals);
	(void)clockdiff_take(&fo->clock,
	    &(const struct clock_trip){ in->beat_us, clock_wall_us(), in->clock_us, in->held_us },
	    fo->heard_ns);
	fo->vitals.clocked = fo->clock.known;
	fo->vitals.clock_us = fo->clock.offset_us;
	fo->stored_at_ms = in->stored_at_ms;
	fo->served_at_ms = in->served_at_ms;
	pump(s, fo);
	gate_pump(s);
	receipts_fleet(s);
}

static bool
same_peer(const struct fleet_from *a, const struct fleet_from *b)
{
	return a->route_len == b->route_len && memcmp(a->route, b->route, a->route_len) == 0;
}

void
pub_message(
    struct sync *s, const struct member *m, struct fleet_from *from, const Ns__Envelope *env)
{
	struct follower *fo;
	struct ns_why why = { 0 };

	if (call_asks(s, m, from, env))
		return;
	fleet_newer(s, m->name, env->term);
	if (env->body_case == NS__ENVELOPE__BODY_FLEET_HELLO && env->term <= s->head.term) {
		hello(s, m, from, env->fleet_hello);
		return;
	}
	fo = pub_follower(s->fleet, m->name);
	/* What a link that broke left in a queue is not of this conversation. */
	if (fo == NULL || !same_peer(&fo->peer, from))
		return;
	if (env->term != s->head.term && env->body_case == NS__ENVELOPE__BODY_FLEET_FORWARD) {
		forward_refuse(s, fo, env->fleet_forward, env->term);
		return;
	}
	if (env->term != s->head.term) {
		ns_fail(&why, NS_CONFLICT, EF_TERM, "term %llu is over: this is term %llu",
		    (unsigned long long)env->term, (unsigned long long)s->head.term);
		pub_refuse(s, from, &why);
		return;
	}
	fo->heard_ns = clock_mono_ns();
	switch ((int)env->body_case) {
	case NS__ENVELOPE__BODY_FLEET_RECEIPT:
		receipt(s, fo, env->fleet_receipt);
		return;
	case NS__ENVELOPE__BODY_FLEET_FORWARD:
		forward_take(s, fo, m, env->fleet_forward);
		return;
	case NS__ENVELOPE__BODY_FLEET_DIGEST:
		zones_compare(s, fo, env->fleet_digest);
		return;
	case NS__ENVELOPE__BODY_FLEET_THINGS:
		things_compare(s, fo, env->fleet_things);
		return;
	case NS__ENVELOPE__BODY_FLEET_SNAPSHOT_ASK:
		snaps_ask(s, fo, env->fleet_snapshot_ask);
		return;
	case NS__ENVELOPE__BODY_FLEET_KEY:
		roll_announced(s, m, from, env->fleet_key);
		return;
	default:
		return; /* of a newer minor version */
	}
}

/* ---- now and then ---- */
Ns__FleetBeat__Peer *
pub_peer(const struct sync *s, const struct member *m, uint64_t now_ns)
{
	const struct follower *fo = pub_follower(s->fleet, m->name);
	struct {
		Ns__FleetBeat__Peer peer;
		Ns__FleetVitals vitals;
	} *both = xmalloc(sizeof *both);
	Ns__FleetBeat__Peer *p = &both->peer;

	ns__fleet_beat__peer__init(p);
	p->vitals = &both->vitals;
	p->name = (char *)(uintptr_t)m->name;
	if (strcmp(m->name, s->name) == 0) {
		vitals_put(&(const struct vitals){ s->fleet->vitals.memory_mib,
			       s->fleet->vitals.geo_day, true, 0 },
		    p->vitals);
		p->stored = s->head.revision;
		p->served = receipts_revision(s->receipts);
		p->qps = s->fleet->qps;
		p->p99_us = s->fleet->p99_us;
		p->error_percent = s->fleet->error_percent;
		p->p50_us = s->fleet->p50_us;
		p->uptime_s = status_uptime_s(s);
		p->version = (char *)(uintptr_t)NS_RELEASE;
		p->stored_at_ms = s->fleet->rep.stored_at_ms;
		p->served_at_ms = s->fleet->rep.served_at_ms;
	} else if (fo == NULL || !fo->ever) {
		vitals_put(&(const struct vitals){ 0 }, p->vitals);
		p->never = true;
	} else {
		vitals_put(&fo->vitals, p->vitals);
		p->stored = fo->stored;
		p->served = fo->served;
		p->qps = fo->qps;
		p->p99_us = fo->p99_us;
		p->error_percent = fo->error_percent;
		p->p50_us = fo->p50_us;
		p->uptime_s = fo->uptime_s;
		p->version = (char *)(uintptr_t)fo->version;
		p->silent_s = (double)clock_since(now_ns, fo->heard_ns) / 1e9;
		p->stored_at_ms = fo->stored_at_ms;
		p->served_at_ms = fo->served_at_ms;
		if (fo->served < s->head.revision && fo->behind_ns != 0)
			p->lag_s = (double)clock_since(now_ns, fo->behind_ns) / 1e9;
	}
	return p;
}

void
pub_beat(struct sync *s, uint64_t now_ns)
{
	const struct roster *r = s->fleet->roster;
	Ns__FleetBeat__Peer *peers[FLEET_MEMBERS];
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetBeat out = NS__FLEET_BEAT__INIT;
	struct packet *p;

	out.revision = gate_released(s);
	out.primary = (char *)(uintptr_t)s->name;
	out.peers = peers;
	out.pause = s->fleet->roll.paused_ns != 0;
	out.at_us = clock_wall_us();
	for (size_t i = 0; i < r->count; i++)
		if (r->members[i].enrolled && !r->members[i].removed)
			peers[out.n_peers++] = pub_peer(s, &r->members[i], now_ns);
	env.term = s->head.term;
	env.body_case = NS__ENVELOPE__BODY_FLEET_BEAT;
	env.fleet_beat = &out;
	p = packet_new(&env);
	for (size_t i = 0; i < out.n_peers; i++)
		free(peers[i]);
	for (size_t i = 0; i < s->fleet->pub.count && p != NULL; i++) {
		struct follower *fo = &s->fleet->pub.followers[i];

		if (fo->present && fleet_send(s->fleet->router_z, &fo->peer, p) == NS_NOTFOUND)
			fo->present = false;
	}
	packet_unref(p);
}

void
pub_tick(struct sync *s, uint64_t now_ns)
{
	if (s->fleet->router == NULL)
		return;
	pub_beat(s, now_ns);
	pump_all(s); /* a full queue has room again */
	ns_sock_look(s->fleet->router);
}

void
pub_members(struct sync *s)
{
	struct fleet *f = s->fleet;
	bool invite;

	for (size_t i = 0; i < f->pub.count; i++) {
		struct follower *fo = &f->pub.followers[i];

		if (roster_user(f->roster, fo->peer.user, clock_wall_ms(), &invite) != NULL)
			continue;
		log_info("fleet.cut", "name=%s", fo->name);
		fleet_cut(&fo->peer);
		*fo = f->pub.followers[--f->pub.count];
		i--;
	}
}
