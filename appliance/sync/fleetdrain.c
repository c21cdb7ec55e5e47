/* fleetdrain - fleet drain, undrain: an appliance out of service and back, and what is said of it.
 *
 * A drain is a word in the roster that every appliance has: whoever assigns health checks passes the appliance
 * by, whoever announces its addresses takes them back.  The appliance itself goes on answering: queries come
 * until the routes are gone, and a cache asks again only when what it has expires.  How long that can be, the
 * largest TTL, or what is left of a larger one that was lowered lately, is read once, when it begins. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/zwire.h"
#include "appliance/fleet/codes.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/cachetime.h"
#include "appliance/sync/change.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/fleet.h"
#include "ipc/base/clock.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

#define READ_PIECE (256u << 10)

/* ---- the largest TTL: a reader thread ---- */
struct ttl_walk {
	struct store *store;
	struct wbuf piece;
	uint64_t until_ns;
	uint32_t ttl;
	bool partial;
	enum ns_err err;
};

static void
largest_of(struct ttl_walk *w)
{
	struct zwire_iter it = zwire_iter(w->piece.base, w->piece.len);
	struct rrset s;

	while (zwire_next(&it, &s))
		if (cachetime_ttl(&s) > w->ttl)
			w->ttl = cachetime_ttl(&s);
}

static bool
walk_zone(void *arg, const struct store_zone *z)
{
	struct ttl_walk *w = arg;
	uint8_t last[NAME_MAX_WIRE];
	const uint8_t *after = NULL;
	enum ns_err err = NS_OK;

	while (!w->partial) {
		w->piece.len = 0;
		err = store_content_get(w->store, z->id, after, READ_PIECE, &w->piece, last);
		if (err != NS_OK)
			break;
		largest_of(w);
		after = last;
		w->partial = clock_mono_ns() > w->until_ns;
	}
	/* A zone that cannot be read is verify's to report. */
	w->partial = w->partial || (err != NS_OK && err != NS_NOTFOUND);
	return clock_mono_ns() <= w->until_ns;
}

/* Of the time that the caller has half is for this, a quarter for the log: an appliance in trouble is drained in any
 * case. */
static void
ttl_work(struct job *job, void *thread)
{
	struct request *r = (struct request *)job;
	struct member_drain *d = r->state;
	uint64_t now = clock_mono_ns();
	struct ttl_walk w = { .store = thread, .piece = wbuf_grow(1u << 20), .until_ns = now };
	struct cachetime ct = { .store = thread, .now_ms = clock_wall_ms() };
	enum ns_err err;

	if (request_expired(r))
		return;
	w.until_ns += (r->deadline_ns - now) / 2;
	err = store_zone_each(w.store, NULL, walk_zone, &w);
	wbuf_free(&w.piece);
	cachetime_now(&ct, w.ttl);
	ct.until_ns = now + (r->deadline_ns - now) / 4 * 3;
	cachetime_past(&ct, 0, NULL, NULL);
	d->ttl = cachetime_seconds(&ct);
	d->ttl_partial = w.partial || ct.partial || err != NS_OK;
}

static void
ttl_done(struct job *job, struct sync *s)
{
	struct request *r = (struct request *)job;

	if (r->err != NS_OK)
		request_finish(s, r);
	else
		control_to_writer(s, r);
}

void
fleet_drain_request(struct sync *s, struct request *r)
{
	if (r->env->fleet_drain_request->undrain) {
		control_to_writer(s, r);
		return;
	}
	r->state = xcalloc(1, sizeof(struct member_drain));
	r->free_state = free;
	r->job.work = ttl_work;
	r->job.done = ttl_done;
	request_push(s, s->reads, LANE_BULK, r);
}

/* ---- the change ---- */
static enum ns_err
drain_check(const struct roster *roster, const Ns__FleetDrainRequest *in, struct ns_why *why)
{
	const struct member *m = roster_find(roster, in->name);

	if (m == NULL || m->removed || !m->enrolled)
		return ns_fail(
		    why, NS_NOTFOUND, EF_MEMBER, "there is no appliance named %s", in->name);
	if (m->drained != in->undrain)
		return ns_fail(why, NS_CONFLICT, EF_DRAINED,
		    in->undrain ? "%s is not drained"
				: "%s is drained already: fleet list says by whom",
		    in->name);
	if (!in->undrain && roster_serving(roster) < 2)
		return ns_fail(why, NS_INVALID, EF_LAST,
		    "%s is the last appliance in service: undrain or add another one first",
		    in->name);
	return NS_OK;
}

static void
drain_mark(struct member *m, const struct request *r, const struct batch *b)
{
	const Ns__FleetDrainRequest *in = r->env->fleet_drain_request;

	m->drained = !in->undrain;
	if (in->undrain) {
		m->drain = (struct member_drain){ 0 };
		return;
	}
	m->drain = *(const struct member_drain *)r->state;
	m->drain.at_ms = b->now_ms;
	text_copy(m->drain.author, sizeof m->drain.author, r->caller.name);
	text_copy(m->drain.reason, sizeof m->drain.reason, in->comment);
}

static enum ns_err
drain_store(struct request *r, struct batch *b, const struct member *m)
{
	const Ns__FleetDrainRequest *in = r->env->fleet_drain_request;
	char comment[128];
	enum ns_err err;

	snprintf(comment, sizeof comment, "%s %s", in->undrain ? "undrained" : "drained", in->name);
	err = member_commit(
	    b, &r->caller, m, in->comment[0] != '\0' ? in->comment : comment, &r->why);
	if (err == NS_OK)
		r->revision = b->revision;
	return err;
}

static void
drain_reply(struct request *r, const struct member *m)
{
	Ns__FleetDrainReply *out = xmalloc(sizeof *out);

	ns__fleet_drain_reply__init(out);
	out->revision = r->revision;
	out->name = xstrdup(m->name);
	out->drained = drained_message(m);
	request_reply(r, NS__ENVELOPE__BODY_FLEET_DRAIN_REPLY, out);
}

enum ns_err
fleet_drain_write(struct request *r, struct batch *b)
{
	const Ns__FleetDrainRequest *in = r->env->fleet_drain_request;
	struct roster *roster = members_load(b->store);
	enum ns_err err = drain_check(roster, in, &r->why);
	struct member m;

	if (err == NS_OK) {
		m = *roster_find(roster, in->name);
		drain_mark(&m, r, b);
		err = drain_store(r, b, &m);
	}
	if (err == NS_OK)
		drain_reply(r, &m);
	roster_free(roster);
	free(roster);
	return err;
}

/* ---- shown ---- */
Ns__Drained *
drained_message(const struct member *m)
{
	Ns__Drained *out;

	if (m == NULL || !m->drained)
		return NULL;
	out = xmalloc(sizeof *out);
	ns__drained__init(out);
	out->author = xstrdup(m->drain.author);
	out->reason = xstrdup(m->drain.reason);
	out->since = reply_time(m->drain.at_ms);
	out->ttl = m->drain.ttl;
	out->ttl_partial = m->drain.ttl_partial;
	out->until = reply_time(m->drain.at_ms + 1000 * (int64_t)m->drain.ttl);
	return out;
}
