/* fleetjoin - a new appliance comes with its invitation: it says its own key, and is a replica from the answer on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/batch.h"
#include "appliance/sync/fleetrep.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

void
rep_say_enrol(struct sync *s)
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
		rep_trouble(s, "");
		log_info("fleet.joined", "primary=%s endpoint=%s", f->facts.primary,
		    log_quote(f->facts.endpoint));
		rep_dial(s);
	} else {
		rep_trouble(s, j->w.why.text);
	}
	free(j);
}

void
rep_enrolled(struct sync *s, uint64_t term, const Ns__FleetEnrolled *in)
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
