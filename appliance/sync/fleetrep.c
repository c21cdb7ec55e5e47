/* fleetrep - the replica's side of the fleet: enrol once, say where we are, take what follows.
 *
 * Everything the primary sends is numbered; a gap, a chain that does not fit or a refusal leads back to
 * hello with the position that is stored.  Nothing here is needed to answer DNS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/dns/name.h"
#include "appliance/fleet/codes.h"
#include "appliance/sync/adopt.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/fleetlog.h"
#include "appliance/sync/dnssec.h"
#include "appliance/sync/receipts.h"
#include "appliance/sync/rewind.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define GAP_AGAIN_NS   200000000ull
#define RECEIPT_NS     500000000ull
#define DIGEST_PACE_NS 2000000000ull /* between two messages of the digest exchange */
#define DIGEST_REST_NS 60000000000ull /* after a round in which all was the same */
#define DIGEST_LOST_NS 30000000000ull /* no answer: ask again */

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

static void
trouble(struct sync *s, const char *text)
{
	struct rep *rep = &s->fleet->rep;

	if (strcmp(rep->trouble, text) != 0 && text[0] != '\0')
		log_warn("fleet.trouble", "text=%s", log_quote(text));
	snprintf(rep->trouble, sizeof rep->trouble, "%s", text);
}

/* ---- where we are ---- */
static void
queue_drop(struct rep *rep)
{
	struct followed *f;

	while ((f = rep->queue) != NULL) {
		rep->queue = f->next;
		followed_free(&f);
	}
	rep->queue_end = &rep->queue;
}

static void
restart_count(struct rep *rep)
{
	rep->octets = rep->messages = rep->acked_octets = rep->acked_messages = 0;
	rep->hellos++;
}

static void
say_hello(struct sync *s)
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
	out.endpoint = (char *)(uintptr_t)fleet_advertise(s);
	out.site = s->start->config->site;
	env.body_case = NS__ENVELOPE__BODY_FLEET_HELLO;
	env.fleet_hello = &out;
	(void)rep_send(s, &env);
}

static void
say_enrol(struct sync *s)
{
	struct rep *rep = &s->fleet->rep;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetEnrol out = NS__FLEET_ENROL__INIT;

	rep->said_ns = clock_mono_ns();
	out.major = NS_PROTO_MAJOR;
	out.minor = NS_PROTO_MINOR;
	out.software = (char *)(uintptr_t) "nameserve " NS_RELEASE;
	out.name = (char *)(uintptr_t)s->name;
	out.key = (ProtobufCBinaryData){ FLEET_KEY, s->fleet->keys.public_key };
	out.endpoint = (char *)(uintptr_t)fleet_advertise(s);
	out.site = s->start->config->site;
	env.body_case = NS__ENVELOPE__BODY_FLEET_ENROL;
	env.fleet_enrol = &out;
	(void)rep_send(s, &env);
}

/* Back to what is stored, and ask from there. */
static void
start_over(struct sync *s)
{
	struct rep *rep = &s->fleet->rep;

	queue_drop(rep);
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
static void
dial(struct sync *s)
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
	start_over(s);
	if (!f->facts.joined) {
		/* The supervisor has looked at it already. */
		if (token_read(s->start->config->join, &rep->token, &why) != NS_OK)
			fatal_config("fleet.join", "text=%s", log_quote(why.text));
		rep->state = REP_ENROL;
	}
	dial(s);
}

/* Another one is the primary now, or for a while: from where we are, with our own key. */
void
rep_follow(struct sync *s, const char *endpoint, const uint8_t *key)
{
	struct rep *rep = &s->fleet->rep;

	if (rep->queue_end == NULL)
		rep->queue_end = &rep->queue;
	rep->heard = false;
	rep->digest_out = false;
	trouble(s, "");
	start_over(s);
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
	queue_drop(rep);
	trouble(s, "");
	forward_lost(s);
}

bool
rep_busy(const struct sync *s)
{
	return s->fleet->rep.applying || s->fleet->rep.queue != NULL;
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
		rep->digest_out = false;
		if (rep->state == REP_FOLLOW)
			rep->state = REP_HELLO;
		return;
	}
	if (rep->state == REP_ENROL)
		say_enrol(s);
	else if (rep->state != REP_REFUSED)
		say_hello(s);
}

void
rep_stop(struct sync *s)
{
	struct rep *rep = &s->fleet->rep;

	queue_drop(rep);
	follow_start(&rep->follow, 0);
	if (rep->zone != NULL) {
		struct repair_job *z = rep->zone;

		repair_job_destroy(&z);
	}
	if (rep->beat != NULL)
		ns__fleet_beat__free_unpacked(rep->beat, NULL);
}

/* ---- enrolment ---- */
struct join_job {
	struct write_job w;
	struct fleet_facts facts;
	uint64_t term;
	char name[FLEET_NAME];
};

static void
join_work(struct job *job, void *thread)
{
	struct join_job *j = (struct join_job *)job;
	struct writer_thread *w = thread;

	batch_job(w->batch, &j->w);
	j->w.err = fleet_facts_join(w->store, j->name, j->term, &j->facts, &j->w.why);
	w->batch->wrote = true;
	if (j->w.err == NS_OK)
		w->head.term = w->batch->term = j->term;
}

static void
join_done(struct job *job, struct sync *s)
{
	struct join_job *j = (struct join_job *)job;
	struct fleet *f = s->fleet;

	if (j->w.err == NS_OK) {
		f->facts = j->facts;
		s->head.term = j->term;
		f->rep.state = REP_HELLO;
		memset(&f->rep.token, 0, sizeof f->rep.token);
		trouble(s, "");
		log_info("fleet.joined", "primary=%s endpoint=%s", f->facts.primary,
		    log_quote(f->facts.endpoint));
		dial(s);
	} else {
		trouble(s, j->w.why.text);
	}
	free(j);
}

static void
enrolled(struct sync *s, uint64_t term, const Ns__FleetEnrolled *in)
{
	struct rep *rep = &s->fleet->rep;
	struct join_job *j;

	if (rep->state != REP_ENROL || !member_name_ok(in->primary))
		return;
	j = xcalloc(1, sizeof *j);
	j->w.job.work = join_work;
	j->w.job.done = join_done;
	j->term = term;
	j->facts.joined = true;
	snprintf(j->name, sizeof j->name, "%s", s->name);
	snprintf(j->facts.primary, sizeof j->facts.primary, "%s", in->primary);
	memcpy(j->facts.endpoint, rep->token.endpoint, sizeof j->facts.endpoint);
	memcpy(j->facts.key, rep->token.primary, FLEET_KEY);
	if (!queue_push(s->writes, LANE_FAST, &j->w.job))
		free(j); /* it is asked again */
}

/* ---- receipts ---- */
static void
say_receipt(struct sync *s)
{
	struct rep *rep = &s->fleet->rep;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetReceipt out = NS__FLEET_RECEIPT__INIT;
	uint64_t served = receipts_revision(s->receipts), late[RANGES_MAX * 2];

	if (rep->state != REP_FOLLOW)
		return;
	rep->receipt_ns = clock_mono_ns();
	out.stored = s->head.revision;
	out.served = served < s->head.revision ? served : s->head.revision;
	out.n_late = ranges_put(receipts_lacks(s->receipts), late);
	out.late = late;
	out.octets = rep->acked_octets;
	out.messages = rep->acked_messages;
	out.qps = s->fleet->qps;
	out.p99_us = s->fleet->p99_us;
	out.error_percent = s->fleet->error_percent;
	out.stored_at_ms = rep->stored_at_ms;
	out.served_at_ms = rep->served_at_ms;
	if (dnssec_public() != NULL)
		out.public_key =
		    (ProtobufCBinaryData){ DNSSEC_X25519, (uint8_t *)(uintptr_t)dnssec_public() };
	env.body_case = NS__ENVELOPE__BODY_FLEET_RECEIPT;
	env.fleet_receipt = &out;
	(void)rep_send(s, &env);
}

void
rep_served(struct sync *s)
{
	say_receipt(s);
}

/* What is taken and neither waits nor is being put together counts as done. */
static void
settle_acks(struct rep *rep)
{
	if (rep->applying || rep->queue != NULL)
		return;
	rep->acked_octets = rep->octets;
	rep->acked_messages = rep->messages;
}

/* What one transaction took: the next may come in while the one behind it is written.  Of an older
 * conversation: nothing, its octets were of another count. */
static void
settle_adopted(struct rep *rep)
{
	if (rep->adopting_hello != rep->hellos)
		return;
	rep->acked_octets = rep->adopting_octets;
	rep->acked_messages = rep->adopting_messages;
}

/* ---- changes ---- */
static void adopt_next(struct sync *);

/* A signer that comes gets all zones anew: nothing is left that tells it of those that went. */
static void
withheld(struct sync *s, unsigned zones)
{
	if (zones == 0)
		return;
	s->head.map_foreign = true;
	log_info("fleet.withheld", "zones=%u text=\"may not be held at this site\"", zones);
}

static void
adopted(struct job *job, struct sync *s)
{
	struct adopt_job *j = (struct adopt_job *)job;
	struct rep *rep = &s->fleet->rep;

	rep->applying = false;
	settle_adopted(rep);
	if (j->w.err == NS_OK || j->w.revision != 0) {
		rep->stored_at_ms = clock_wall_ms();
		if (j->adopted != 0)
			memcpy(rep->stored_hash, j->hash, STORE_HASH);
	}
	withheld(s, j->w.err == NS_OK ? j->withheld : 0);
	if (j->ndiffers > 0) {
		/* Look at everything, from the start, at once. */
		rep->digest_begun = rep->digest_rest = rep->things_due = false;
		rep->digest_again = true;
		rep->digest_ns = 0;
	}
	if (j->w.err != NS_OK) {
		log_error("fleet.adopt", "revision=%llu code=%u text=%s",
		    (unsigned long long)s->head.revision + 1, j->w.why.code,
		    log_quote(j->w.why.text));
		trouble(s, j->w.why.text);
		start_over(s); /* hello follows with the next tick */
		rep->said_ns = clock_mono_ns();
	} else {
		trouble(s, "");
		adopt_next(s);
	}
	settle_acks(rep);
	say_receipt(s);
	adopt_job_destroy(&j);
}

static void
adopt_next(struct sync *s)
{
	struct rep *rep = &s->fleet->rep;
	struct adopt_job *j;

	if (rep->applying || rep->queue == NULL)
		return;
	j = adopt_job_new(rep->queue, adopted);
	rep->adopting_octets = rep->octets;
	rep->adopting_messages = rep->messages;
	rep->adopting_hello = rep->hellos;
	rep->queue = NULL;
	rep->queue_end = &rep->queue;
	rep->applying = queue_push(s->writes, LANE_FAST, &j->w.job);
	if (rep->applying)
		return;
	adopt_job_destroy(&j); /* too much is waiting here: ask for it again */
	start_over(s);
}

static void
change(struct sync *s, const struct fleet_from *from, const Ns__FleetChange *in)
{
	struct rep *rep = &s->fleet->rep;
	struct followed *whole;

	if (rep->state != REP_FOLLOW)
		return;
	rep->octets += from->len;
	rep->messages++;
	switch (follow_put(&rep->follow, in, &whole)) {
	case FOLLOW_CHANGE:
		if (whole->head->hash.len == STORE_HASH)
			memcpy(rep->hash, whole->head->hash.data, STORE_HASH);
		rep->log_term = whole->head->term;
		*rep->queue_end = whole;
		rep->queue_end = &whole->next;
		adopt_next(s);
		return;
	case FOLLOW_PIECE:
		settle_acks(rep);
		say_receipt(s);
		return;
	case FOLLOW_OLD:
		settle_acks(rep);
		return;
	case FOLLOW_GAP:
	case FOLLOW_BAD:
		if (clock_since(clock_mono_ns(), rep->said_ns) < GAP_AGAIN_NS)
			return;
		rep->gaps++;
		log_info("fleet.gap", "have=%llu got=%llu", (unsigned long long)rep->follow.taken,
		    (unsigned long long)in->revision);
		say_hello(s);
		return;
	}
}

/* ---- zones that differ ---- */
static void
repaired(struct job *job, struct sync *s)
{
	struct repair_job *j = (struct repair_job *)job;
	struct rep *rep = &s->fleet->rep;
	char text[NAME_MAX_TEXT];

	withheld(s, j->w.err == NS_OK ? j->withheld : 0);
	if (j->w.err != NS_OK)
		log_error("fleet.repair", "text=%s", log_quote(j->w.why.text));
	else if (j->repaired) {
		rep->repaired++;
		name_to_text(j->zone->name.data, text);
		snprintf(rep->repaired_last, sizeof rep->repaired_last, "zone %.*s", 255, text);
		log_warn("fleet.repaired",
		    "zone=%s version=%llu text=\"it differed from the primary's\"", log_quote(text),
		    (unsigned long long)j->zone->version);
	}
	repair_job_destroy(&j);
}

static Ns__FleetZone *
zone_head(const Ns__FleetZone *in)
{
	Ns__FleetZone bare = *in, *out;
	uint8_t *buf;
	size_t len;

	bare.zwire = (ProtobufCBinaryData){ 0, NULL };
	len = ns__fleet_zone__get_packed_size(&bare);
	buf = xmalloc(len + 1);
	ns__fleet_zone__pack(&bare, buf);
	out = ns__fleet_zone__unpack(NULL, len, buf);
	free(buf);
	return out;
}

/* Pieces of one zone come one after the other. */
static void
zone_piece(struct sync *s, const Ns__FleetZone *in)
{
	struct rep *rep = &s->fleet->rep;
	struct repair_job *j = rep->zone;

	if (in->offset == 0) {
		if (j != NULL)
			repair_job_destroy(&j);
		j = rep->zone = repair_job_new(repaired);
		j->zone = zone_head(in);
	}
	if (j == NULL || j->zone == NULL || j->content.len != in->offset ||
	    j->zone->version != in->version)
		return;
	wbuf_put(&j->content, in->zwire.data, in->zwire.len);
	if (!in->last || !wbuf_ok(&j->content))
		return;
	rep->zone = NULL;
	if (!queue_push(s->writes, LANE_FAST, &j->w.job))
		repair_job_destroy(&j);
}

/* ---- the digest exchange ---- */
static void
digest_found(struct job *job, struct sync *s)
{
	struct digest_job *j = (struct digest_job *)job;
	struct rep *rep = &s->fleet->rep;
	Ns__Envelope env = NS__ENVELOPE__INIT;

	if (j->err == NS_OK && rep->state == REP_FOLLOW) {
		env.body_case = NS__ENVELOPE__BODY_FLEET_DIGEST;
		env.fleet_digest = j->found;
		(void)rep_send(s, &env);
	} else {
		rep->digest_out = false;
	}
	digest_job_destroy(&j);
}

static void
digest_say(struct sync *s, const Ns__FleetDigestReply *detail)
{
	struct rep *rep = &s->fleet->rep;
	struct digest_job *j = digest_job_new(s->head.term, digest_found);

	j->from_start = !rep->digest_begun;
	memcpy(j->after, rep->digest_after, sizeof j->after);
	if (detail != NULL) {
		j->detail = true;
		j->from_start = detail->after.len == 0;
		if (!j->from_start)
			memcpy(j->after, detail->after.data, detail->after.len);
		j->has_last = detail->last.len > 0;
		if (j->has_last)
			memcpy(j->last, detail->last.data, detail->last.len);
	}
	rep->digest_ns = clock_mono_ns();
	rep->digest_out = queue_push(s->fleet->log, LANE_BULK, &j->job);
	if (!rep->digest_out)
		digest_job_destroy(&j);
}

static bool
is_name(const ProtobufCBinaryData *d)
{
	return d->len == 0 || (d->len <= NAME_MAX_WIRE && name_check(d->data, d->len) == d->len);
}

/* Both sides have read and hashed all they have: where nothing was found, that can wait. */
static void
round_ended(struct rep *rep)
{
	rep->rounds++;
	rep->digest_rest = rep->digest_differ == 0 && !rep->digest_again;
	rep->digest_again = false;
	rep->digest_differ = 0;
}

static void
digest_answer(struct sync *s, const Ns__FleetDigestReply *in)
{
	struct rep *rep = &s->fleet->rep;

	rep->digest_out = false;
	if (!is_name(&in->after) || !is_name(&in->last))
		return;
	if (in->detail) {
		digest_say(s, in);
		return;
	}
	rep->digest_ns = clock_mono_ns();
	rep->digest_differ += in->differ;
	if (in->differ > 0)
		log_warn("fleet.digest", "differ=%u", in->differ);
	rep->digest_begun = in->last.len > 0;
	if (rep->digest_begun)
		memcpy(rep->digest_after, in->last.data, in->last.len);
	else
		rep->things_due = true;
}

static void
things_reply(struct rep *rep, bool ended)
{
	if (!ended || !rep->things_due)
		return; /* the zones have begun again meanwhile */
	rep->things_due = false;
	round_ended(rep);
}

static void
digest_tick(struct sync *s, uint64_t now_ns)
{
	struct rep *rep = &s->fleet->rep;
	uint64_t wait = rep->digest_out ? DIGEST_LOST_NS
			: rep->digest_rest && !rep->digest_begun && !rep->things_due
			    ? DIGEST_REST_NS
			    : DIGEST_PACE_NS;

	if (rep->state != REP_FOLLOW || rep->applying || rep->queue != NULL ||
	    clock_since(now_ns, rep->digest_ns) <= wait)
		return;
	/* A primary of an older release says nothing to these: the zones go on. */
	rep->things_due = rep->things_due && !rep->digest_out;
	if (rep->things_due)
		things_say(s, NULL);
	else
		digest_say(s, NULL);
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
	size_t len = ns__fleet_beat__get_packed_size(in);
	uint8_t *buf = xmalloc(len + 1);

	rep->head = in->revision;
	if (s->head.revision >= rep->head)
		rep->behind_ns = 0;
	else if (rep->behind_ns == 0)
		rep->behind_ns = clock_mono_ns();
	ns__fleet_beat__pack(in, buf);
	if (rep->beat != NULL)
		ns__fleet_beat__free_unpacked(rep->beat, NULL);
	rep->beat = ns__fleet_beat__unpack(NULL, len, buf);
	rep->beat_ns = clock_mono_ns();
	free(buf);
	if (in->pause)
		forward_pause(s, rep->beat_ns);
}

/* ---- a history that lost ---- */
static void
rewound(struct job *job, struct sync *s)
{
	struct rewind_job *j = (struct rewind_job *)job;
	struct fleet *f = s->fleet;

	if (j->w.err == NS_OK) {
		memcpy(f->rep.stored_hash, j->hash, STORE_HASH);
		s->head.log_term = j->log_term;
		/* What it held is in the new one, too. */
		if (f->lost_file[0] != '\0' && strcmp(f->lost_file, j->file) != 0)
			(void)unlink(f->lost_file);
		fleet_lost(s, j->text, j->file);
		log_warn("fleet.rewound", "to=%llu text=%s", (unsigned long long)j->to,
		    log_quote(j->text));
	} else {
		trouble(s, j->w.why.text);
	}
	start_over(s);
	say_hello(s);
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
	start_over(s); /* the next hello leads here again */
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
		say_hello(s);
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
	if (rep->follow.taken < s->head.revision) {
		rewind_start(s);
		return;
	}
	rep->state = REP_FOLLOW;
	rep->head = in->revision;
	trouble(s, "");
	forward_resume(s);
	log_info("fleet.following", "primary=%s from=%llu head=%llu", log_quote(in->primary),
	    (unsigned long long)rep->follow.taken, (unsigned long long)in->revision);
	say_receipt(s);
}

static void
refused(struct sync *s, const Ns__Error *in)
{
	struct rep *rep = &s->fleet->rep;

	trouble(s, in->text);
	rep->unheard = 0;
	if (rep->state == REP_FOLLOW)
		rep->state = REP_HELLO;
	/* Asking again does not help with these. */
	if (rep->state == REP_ENROL && (in->code == EF_INVITATION || in->err_class == NS_VERSION))
		rep->state = REP_REFUSED;
	rep->said_ns = clock_mono_ns();
	/* Nor, soon, with these: somebody must do something first. */
	if (in->code == EF_HISTORY || in->err_class == NS_VERSION)
		rep->said_ns += FLEET_REFUSED_NS;
}

void
rep_message(struct sync *s, const struct fleet_from *from, const Ns__Envelope *env)
{
	struct rep *rep = &s->fleet->rep;

	if (rep->state == REP_ENROL && env->body_case == NS__ENVELOPE__BODY_FLEET_ENROLLED) {
		enrolled(s, env->term, env->fleet_enrolled);
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
		change(s, from, env->fleet_change);
		return;
	case NS__ENVELOPE__BODY_FLEET_BEAT:
		beat(s, env->fleet_beat);
		return;
	case NS__ENVELOPE__BODY_FLEET_FORWARD_REPLY:
		forward_reply(s, env->fleet_forward_reply);
		return;
	case NS__ENVELOPE__BODY_FLEET_DIGEST_REPLY:
		digest_answer(s, env->fleet_digest_reply);
		return;
	case NS__ENVELOPE__BODY_FLEET_ZONE:
		zone_piece(s, env->fleet_zone);
		return;
	case NS__ENVELOPE__BODY_FLEET_THINGS_REPLY:
		things_reply(rep, things_answer(s, env->fleet_things_reply));
		return;
	case NS__ENVELOPE__BODY_FLEET_THING:
		things_take(s, env->fleet_thing);
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
	dial(s);
}

void
rep_tick(struct sync *s, uint64_t now_ns)
{
	struct rep *rep = &s->fleet->rep;

	best_tick(s, now_ns);
	if (!rep->up && rep->state != REP_REFUSED &&
	    clock_since(now_ns, rep->dialed_ns) > FLEET_REDIAL_NS)
		dial(s);
	if (rep->up && clock_since(now_ns, rep->said_ns) > FLEET_AGAIN_NS << rep->unheard) {
		rep->unheard += rep->unheard < FLEET_AGAIN_MOST;
		if (rep->state == REP_ENROL)
			say_enrol(s);
		else if (rep->state == REP_HELLO && s->fleet->facts.joined)
			say_hello(s);
	}
	if (clock_since(now_ns, rep->receipt_ns) > RECEIPT_NS)
		say_receipt(s);
	digest_tick(s, now_ns);
}
