/* fleetzones - zones that differ: the digest exchange, both sides of it in the loop, and what is fetched whole.
 *
 * A round goes over all zones in runs of one bounded message each way (fleetlog.c reads and hashes), then over
 * settings and objects (fleetthings.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/adopt.h"
#include "appliance/sync/fleetlog.h"
#include "appliance/sync/fleetrep.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/envelope.h"

#define DIGEST_PACE_NS 2000000000ull /* between two messages of the digest exchange */
#define DIGEST_REST_NS 60000000000ull /* after a round in which all was the same */
#define DIGEST_LOST_NS 30000000000ull /* no answer: ask again */

/* ---- the primary: compare ---- */
static void
digest_done(struct job *job, struct sync *s)
{
	struct digest_job *j = (struct digest_job *)job;
	struct follower *fo = pub_follower(s->fleet, j->name);
	Ns__Envelope env = NS__ENVELOPE__INIT;

	if (fo != NULL && fo->present && fo->session == j->session && j->err == NS_OK) {
		for (size_t i = 0; i < j->nzones; i++)
			if (fleet_send(s->fleet->router_z, &fo->peer, j->zones[i]) != NS_OK)
				break; /* the next round finds what is missing */
		env.body_case = NS__ENVELOPE__BODY_FLEET_DIGEST_REPLY;
		env.fleet_digest_reply = j->reply;
		pub_send(s, &fo->peer, &env);
	}
	digest_job_destroy(&j);
}

void
zones_compare(struct sync *s, struct follower *fo, const Ns__FleetDigest *in)
{
	struct digest_job *j;

	if (fleet_is_replica(s))
		return; /* we may lack what others may have */
	j = digest_job_new(s->head.term, digest_done);
	j->said = ns_message_copy(&in->base);
	snprintf(j->name, sizeof j->name, "%s", fo->name);
	snprintf(j->site, sizeof j->site, "%s", roster_site(s->fleet->roster, fo->name));
	j->session = fo->session;
	if (j->said == NULL || !queue_push(s->fleet->log, LANE_BULK, &j->job))
		digest_job_destroy(&j);
}

/* ---- zones that differ ---- */
static void
repaired(struct job *job, struct sync *s)
{
	struct repair_job *j = (struct repair_job *)job;
	struct rep *rep = &s->fleet->rep;
	char text[NAME_MAX_TEXT];

	rep_withheld(s, j->w.err == NS_OK ? j->withheld : 0);
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
	Ns__FleetZone bare = *in;

	bare.zwire = (ProtobufCBinaryData){ 0, NULL };
	return ns_message_copy(&bare.base);
}

/* Pieces of one zone come one after the other. */
void
zones_take(struct sync *s, const Ns__FleetZone *in)
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

void
zones_answer(struct sync *s, const Ns__FleetDigestReply *in)
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

void
rep_things_ended(struct rep *rep, bool ended)
{
	if (!ended || !rep->things_due)
		return; /* the zones have begun again meanwhile */
	rep->things_due = false;
	round_ended(rep);
}

void
rep_compare_tick(struct sync *s, uint64_t now_ns)
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
