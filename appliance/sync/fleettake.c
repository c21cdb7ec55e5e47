/* fleettake - changes as they come from the primary: put together, queued, adopted run by run, acknowledged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/adopt.h"
#include "appliance/sync/dnssec.h"
#include "appliance/sync/fleetrep.h"
#include "appliance/sync/receipts.h"
#include "appliance/sync/status.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"

#define GAP_AGAIN_NS 200000000ull

void
rep_queue_drop(struct rep *rep)
{
	struct followed *f;

	while ((f = rep->queue) != NULL) {
		rep->queue = f->next;
		followed_free(&f);
	}
	rep->queue_end = &rep->queue;
}

/* ---- receipts ---- */
void
rep_say_receipt(struct sync *s)
{
	struct rep *rep = &s->fleet->rep;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetReceipt out = NS__FLEET_RECEIPT__INIT;
	Ns__FleetVitals vitals;
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
	out.p50_us = s->fleet->p50_us;
	out.uptime_s = status_uptime_s(s);
	vitals_put(&s->fleet->vitals, &vitals);
	out.vitals = &vitals;
	out.clock_us = clock_wall_us();
	if (rep->beat != NULL && rep->beat_term == s->head.term) {
		out.beat_us = rep->beat->at_us;
		out.held_us = clock_since(rep->receipt_ns, rep->beat_ns) / 1000;
	}
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
	rep_say_receipt(s);
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
void
rep_withheld(struct sync *s, unsigned zones)
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
	rep_withheld(s, j->w.err == NS_OK ? j->withheld : 0);
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
		rep_trouble(s, j->w.why.text);
		rep_start_over(s); /* hello follows with the next tick */
		rep->said_ns = clock_mono_ns();
	} else {
		rep_trouble(s, "");
		adopt_next(s);
	}
	settle_acks(rep);
	rep_say_receipt(s);
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
	rep_start_over(s);
}

void
rep_change(struct sync *s, const struct fleet_from *from, const Ns__FleetChange *in)
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
		rep_say_receipt(s);
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
		rep_say_hello(s);
		return;
	}
}

bool
rep_busy(const struct sync *s)
{
	return s->fleet->rep.applying || s->fleet->rep.queue != NULL;
}
