/* released - see released.h. */
#include "appliance/sync/released.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/members.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define ALL UINT64_MAX /* the fact is absent */

static uint64_t
fact_load(struct store *s)
{
	char *text = NULL;
	uint64_t revision = ALL;

	if (store_fact_get(s, RELEASED_FACT, &text) == NS_OK && text[0] != '\0')
		revision = strtoull(text, NULL, 10);
	free(text);
	return revision;
}

/* A standby is named, or one is leaving. */
static bool
is_gated(const struct writer_thread *w)
{
	struct roster *r = members_load(w->store);
	struct handover h;
	bool named = roster_standby(r) != NULL;

	handover_load(w->store, &h);
	roster_free(r);
	free(r);
	return named || (h.revision != 0 && h.term == w->head.term);
}

static enum ns_err
fact_put(struct writer_thread *w, uint64_t revision, struct ns_why *why)
{
	char text[24] = "";

	w->fact_next = revision;
	if (revision == w->fact)
		return NS_OK;
	if (revision != ALL)
		snprintf(text, sizeof text, "%llu", (unsigned long long)revision);
	return store_fact_put(w->store, RELEASED_FACT, text, why);
}

void
released_open(struct writer_thread *w)
{
	w->fact = w->fact_next = fact_load(w->store);
	w->gated = w->gated_next = is_gated(w);
	w->released = w->fact < w->head.revision ? w->fact : w->head.revision;
	w->head.released = w->released;
}

enum ns_err
released_settle(struct writer_thread *w, const struct batch *b, struct ns_why *why)
{
	w->gated_next = b->members ? is_gated(w) : w->gated;
	w->fact_next = w->fact;
	/* A replica's next change, or the way back, says that what waited is settled. */
	if (strcmp(w->head.role, "primary") != 0) {
		if (b->rewound || (b->revision != w->head.revision && !b->role_changed))
			return fact_put(w, ALL, why);
		return NS_OK;
	}
	if (!w->gated_next)
		return fact_put(w, ALL, why);
	/* Until now nothing waited. */
	if (!w->gated)
		w->released = w->head.revision;
	return fact_put(w, w->released, why);
}

void
released_settled(struct writer_thread *w, bool committed)
{
	struct mark_job *j = w->told;

	if (committed) {
		w->fact = w->fact_next;
		w->gated = w->gated_next;
	}
	w->told = NULL;
	if (j != NULL)
		wake_post(w->conf.wake, &j->job);
}

/* ---- the loop's order ---- */
static void
take(struct writer_thread *w, struct mark_job *j)
{
	w->told = j;
	if (j->revision > w->released)
		w->released = j->revision;
}

/* With the batch that is gathered. */
static void
mark_work(struct job *job, void *thread)
{
	struct writer_thread *w = thread;

	take(w, (struct mark_job *)job);
	w->batch->wrote = w->batch->wrote || w->gated;
}

struct mark_job *
mark_job_new(uint64_t revision, void (*done)(struct job *, struct sync *))
{
	struct mark_job *j = xcalloc(1, sizeof *j);

	j->job.work = mark_work;
	j->job.done = done;
	j->revision = revision;
	return j;
}

bool
released_mark(struct writer_thread *w, struct job *job)
{
	struct ns_why why = { 0 };
	enum ns_err err = NS_OK;

	if (job->work != mark_work)
		return false;
	take(w, (struct mark_job *)job);
	w->fact_next = w->fact;
	w->gated_next = w->gated;
	if (w->gated && w->released != w->fact &&
	    (err = store_begin_light(w->store, &why)) == NS_OK) {
		err = fact_put(w, w->released, &why);
		if (err == NS_OK)
			err = store_commit(w->store, &why);
		else
			store_rollback(w->store);
	}
	/* What waits is told all the same: the standby has it. */
	if (err != NS_OK)
		log_error("store.released", "text=%s", log_quote(why.text));
	released_settled(w, err == NS_OK);
	return true;
}
