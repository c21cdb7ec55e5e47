/* handover - see handover.h. */
#include "appliance/sync/handover.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/sync/batch.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

static bool
is_there(const struct follower *fo)
{
	return fo != NULL && fo->present &&
	       clock_since(clock_mono_ns(), fo->heard_ns) < STANDBY_SILENT_NS;
}

/* Who takes itself for the standby, as far as we know; NULL: nobody. */
static const struct member *
leaving(const struct sync *s, const struct follower **fo)
{
	const struct handover *h = &s->fleet->handover;
	const struct member *m;

	*fo = NULL;
	if (h->revision == 0 || h->term != s->head.term || fleet_is_replica(s))
		return NULL;
	m = roster_find(s->fleet->roster, h->from);
	if (m == NULL || m->removed || m->standby)
		return NULL;
	*fo = pub_follower(s->fleet, h->from);
	if (*fo != NULL && (*fo)->ever && (*fo)->stored >= h->revision)
		return NULL;
	return h->must || is_there(*fo) ? m : NULL;
}

void
handover_begin(struct sync *s, const struct handover *h)
{
	s->fleet->handover = *h;
}

bool
handover_must(const struct sync *s)
{
	const struct follower *fo;

	return leaving(s, &fo) != NULL && s->fleet->handover.must;
}

bool
handover_waits(const struct sync *s, uint64_t revision)
{
	const struct handover *h = &s->fleet->handover;
	const struct follower *fo;
	uint64_t least = revision < h->revision ? revision : h->revision;

	return leaving(s, &fo) != NULL && (fo == NULL || !fo->ever || fo->stored < least);
}

uint64_t
handover_limit(const struct sync *s, const char *name)
{
	const struct follower *fo;
	const struct member *m = leaving(s, &fo);

	return m != NULL && strcmp(m->name, name) == 0 ? s->fleet->handover.revision : 0;
}

void
handover_look(const struct sync *s, struct gate_view *v)
{
	const struct follower *fo;

	v->leaving = leaving(s, &fo) != NULL;
	v->leaving_ever = fo != NULL && fo->ever;
	v->leaving_now = is_there(fo);
}

const struct member *
handover_silent(const struct sync *s, const struct follower **fo)
{
	const struct member *m = leaving(s, fo);

	return is_there(*fo) ? NULL : m;
}

/* ---- the end of it ---- */
struct end_job {
	struct write_job w;
};

static void
end_work(struct job *job, void *thread)
{
	struct end_job *j = (struct end_job *)job;
	struct writer_thread *w = thread;
	struct handover now;

	batch_job(w->batch, &j->w);
	handover_load(w->store, &now);
	if (now.revision == 0)
		return;
	j->w.err = handover_put(w->store, &(struct handover){ 0 }, &j->w.why);
	w->batch->wrote = true;
}

static void
end_done(struct job *job, struct sync *s)
{
	(void)s;
	free(job);
}

void
handover_settle(struct sync *s)
{
	struct handover *h = &s->fleet->handover;
	const struct follower *fo;
	struct end_job *j;

	if (h->revision == 0 || leaving(s, &fo) != NULL)
		return;
	log_info(
	    "fleet.handover", "from=%s revision=%llu", h->from, (unsigned long long)h->revision);
	*h = (struct handover){ 0 };
	j = xcalloc(1, sizeof *j);
	j->w.job.work = end_work;
	j->w.job.done = end_done;
	if (!queue_push(s->writes, LANE_FAST, &j->w.job))
		free(j); /* at the next start it is found to be done */
}
