/* testdraft.c - see testdraft.h.  Text thread, then a reader thread, then the loop. */
#include "appliance/sync/testdraft.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/plan.h"
#include "appliance/sync/sync.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define DRAFTS_MAX (NS_MSG_MAX - (64u << 10)) /* octets of touched owners, all zones: one message */

struct testdraft {
	testdraft_fn *planned;
	struct edit_request *edits;
	size_t n, room;
	struct draft_zone {
		Ns__FeedZone m;
		struct wbuf zwire, gone;
		uint8_t apex[NAME_MAX_WIRE];
	} * zones;
	Ns__FeedZone **list;
};

void
testdraft_free(void *state)
{
	struct testdraft *d = state;

	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n; i++) {
		wbuf_free(&d->zones[i].zwire);
		wbuf_free(&d->zones[i].gone);
	}
	if (d->edits != NULL)
		edit_request_free(d->edits);
	free(d->zones);
	free(d->list);
	free(d);
}

struct testdraft *
testdraft_take(struct request *r)
{
	struct testdraft *d = r->state;

	r->state = NULL;
	r->free_state = NULL;
	return d;
}

Ns__FeedZone **
testdraft_zones(const struct testdraft *d, size_t *n)
{
	*n = d != NULL ? d->n : 0;
	return d != NULL ? d->list : NULL;
}

/* ---- text thread ---- */
static void
text_work(struct job *job, void *thread)
{
	struct request *r = (struct request *)job;
	struct testdraft *d = r->state;
	Ns__CommitRequest as_commit = NS__COMMIT_REQUEST__INIT;

	(void)thread;
	if (request_expired(r))
		return;
	as_commit.zones = r->env->test_request->zones;
	as_commit.n_zones = r->env->test_request->n_zones;
	d->edits = edit_request_read(&as_commit, &r->why);
	r->err = d->edits != NULL ? NS_OK : r->why.err;
}

/* ---- reader thread ---- */

/* As the signer would hear of it: every set of each touched owner, and the names of the emptied ones. */
static void
add_zone(struct testdraft *d, const struct zoneplan *z)
{
	struct draft_zone *to = &d->zones[d->n];

	if (diff_empty(&z->diff))
		return;
	to->zwire = wbuf_grow(DRAFTS_MAX);
	to->gone = wbuf_grow(DRAFTS_MAX);
	for (size_t i = 0; i < z->edit.count; i++) {
		const struct edit_owner *o = &z->edit.owners[i];

		if (!edit_owner_changed(o))
			continue;
		if (o->after.len > 0)
			wbuf_put(&to->zwire, o->after.base, o->after.len);
		else
			wbuf_put(&to->gone, o->name, name_len(o->name));
	}
	memcpy(to->apex, z->z.name, name_len(z->z.name));
	ns__feed_zone__init(&to->m);
	to->m.kind = NS__FEED_ZONE__KIND__DELTA;
	to->m.name = (ProtobufCBinaryData){ name_len(to->apex), to->apex };
	to->m.base_version = z->z.version;
	to->m.zwire = (ProtobufCBinaryData){ to->zwire.len, to->zwire.base };
	to->m.gone = (ProtobufCBinaryData){ to->gone.len, to->gone.base };
	d->list[d->n++] = &to->m;
}

static enum ns_err
take_plan(struct testdraft *d, const struct plan *p, struct ns_why *why)
{
	size_t octets = 0;
	bool ok = true;

	d->zones = xcalloc(p->count + 1, sizeof *d->zones);
	d->list = xcalloc(p->count + 1, sizeof(Ns__FeedZone *));
	for (size_t i = 0; i < p->count; i++)
		add_zone(d, &p->zones[i]);
	for (size_t i = 0; i < d->n; i++) {
		ok = ok && wbuf_ok(&d->zones[i].zwire) && wbuf_ok(&d->zones[i].gone);
		octets += d->zones[i].zwire.len + d->zones[i].gone.len;
	}
	if (ok && octets <= DRAFTS_MAX)
		return NS_OK;
	return ns_fail(why, NS_INVALID, ES_REQUEST,
	    "the drafts touch more than can be tested at once (%u KiB)", DRAFTS_MAX >> 10);
}

static enum ns_err
plan_drafts(struct request *r, struct store *s)
{
	struct plan_for f = { .store = s, .now_ms = clock_wall_ms(), .request = r };
	struct testdraft *d = r->state;
	struct plan p;
	enum ns_err err = store_begin(s, &r->why);

	if (err != NS_OK)
		return err;
	err = plan_edits(&p, d->edits, &f, &r->why);
	if (err == NS_OK)
		err = take_plan(d, &p, &r->why);
	store_rollback(s);
	plan_free(&p);
	return err;
}

static void
read_work(struct job *job, void *store)
{
	struct request *r = (struct request *)job;

	if (!request_expired(r))
		r->err = plan_drafts(r, store);
}

/* ---- loop ---- */
static void
read_done(struct job *job, struct sync *s)
{
	struct request *r = (struct request *)job;

	if (r->err != NS_OK)
		request_finish(s, r);
	else
		((struct testdraft *)r->state)->planned(s, r);
}

static void
text_done(struct job *job, struct sync *s)
{
	struct request *r = (struct request *)job;

	if (r->err != NS_OK) {
		request_finish(s, r);
		return;
	}
	r->job.work = read_work;
	r->job.done = read_done;
	request_push(s, s->reads, LANE_FAST, r);
}

void
testdraft_plan(struct sync *s, struct request *r, testdraft_fn *planned)
{
	struct testdraft *d = xcalloc(1, sizeof *d);

	d->planned = planned;
	r->state = d;
	r->free_state = testdraft_free;
	r->job.work = text_work;
	r->job.done = text_done;
	request_push(s, s->texts, LANE_FAST, r);
}
