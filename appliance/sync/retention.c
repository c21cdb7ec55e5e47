/* retention - see retention.h. */
#include "appliance/sync/retention.h"

#include <stdlib.h>

#include "appliance/sync/batch.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/gate.h"
#include "appliance/sync/snapchoose.h"
#include "appliance/sync/snappub.h"
#include "appliance/sync/trash.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

struct prune_job {
	struct write_job w;
	uint64_t limit, begins;
	size_t gone;
};

/* ---- writer thread ---- */
static enum ns_err
prune(struct prune_job *j, struct batch *b)
{
	struct store_prune p = { .most = PRUNE_STEP, .trash_ms = b->now_ms - TRASH_MS };
	enum ns_err err = store_prune_below(b->store, sync_retention(), b->now_ms, &p.below);

	if (p.below > j->limit)
		p.below = j->limit;
	if (err == NS_OK)
		err = store_prune_step(b->store, &p, &j->gone, &j->w.why);
	if (err == NS_OK)
		err = store_history(b->store, &j->begins);
	return err;
}

static void
prune_work(struct job *job, void *thread)
{
	struct prune_job *j = (struct prune_job *)job;
	struct writer_thread *w = thread;
	struct batch *b = w->batch;

	batch_job(b, &j->w);
	j->w.err = store_mark(b->store, &j->w.why);
	if (j->w.err != NS_OK)
		return;
	j->w.err = prune(j, b);
	if (j->w.err == NS_OK)
		j->w.err = store_release(b->store, &j->w.why);
	if (j->w.err != NS_OK)
		store_undo(b->store);
	else
		b->wrote = b->wrote || j->gone > 0;
}

/* ---- loop ---- */
static void
pruned(struct job *job, struct sync *s)
{
	struct prune_job *j = (struct prune_job *)job;

	s->prune.busy = false;
	if (j->w.err != NS_OK)
		log_error("store.prune", "err=%d text=%s", (int)j->w.err, log_quote(j->w.why.text));
	else if (j->begins != s->head.begins)
		s->head.begins = j->begins;
	s->prune.again_ns =
	    clock_mono_ns() + (j->w.err == NS_OK && j->gone > 0 ? PRUNE_PACE_NS : s->prune.look_ns);
	free(j);
}

/* What somebody still needs: replicas that are there, snapshots that are being given. */
static uint64_t
limit_of(const struct sync *s, uint64_t now_ns)
{
	struct snap_need all[FLEET_MEMBERS + SNAP_FILES];
	const struct pub *pub = &s->fleet->pub;
	size_t n = 0;

	for (size_t i = 0; i < pub->count; i++)
		all[n++] =
		    (struct snap_need){ pub->followers[i].stored + 1, pub->followers[i].present };
	n += snaps_needs(s, now_ns, all + n);
	return snap_prune_limit(all, n, s->head.revision, gate_released(s));
}

void
retention_tick(struct sync *s, uint64_t now_ns)
{
	struct prune_job *j;

	if (s->prune.look_ns == 0) { /* a test's log is short, and so is its patience */
		bool whole = sync_retention() == &snap_retention;

		s->prune.look_ns = whole ? PRUNE_LOOK_NS : PRUNE_PACE_NS;
		s->prune.need_ns = whole ? SNAP_NEED_NS : 5 * PRUNE_PACE_NS;
	}
	if (s->prune.busy || s->fleet == NULL || now_ns < s->prune.again_ns)
		return;
	j = xcalloc(1, sizeof *j);
	j->w.job.work = prune_work;
	j->w.job.done = pruned;
	j->limit = limit_of(s, now_ns);
	s->prune.busy = queue_push(s->writes, LANE_BULK, &j->w.job);
	if (!s->prune.busy)
		free(j);
}
