/* receipts - see receipts.h. */
#include "appliance/sync/receipts.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/fleet/codes.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/fleet.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define MARGIN_NS 300000000ull /* the reply must be there before the client gives up */

struct receipts {
	struct request_list waiting;
	uint64_t served;
	struct ranges late; /* of what is served: these are not yet */
	struct ranges next; /* those that are late once `next_epoch` is served */
	uint64_t next_epoch;
};

struct receipts *
receipts_new(void)
{
	struct receipts *rc = xcalloc(1, sizeof *rc);

	TAILQ_INIT(&rc->waiting);
	return rc;
}

void
receipts_destroy(struct receipts **rcp)
{
	struct receipts *rc = *rcp;
	struct request *r;

	if (rc == NULL)
		return;
	while ((r = TAILQ_FIRST(&rc->waiting)) != NULL) {
		TAILQ_REMOVE(&rc->waiting, r, waiting);
		conn_detach(r);
		request_destroy(&r);
	}
	free(rc);
	*rcp = NULL;
}

static void
add_served(const struct sync *s, struct request *r, Ns__CommitReply *m)
{
	Ns__CommitReply__Receipt *rec;

	/* The primary, which was asked to wait for all, has named us already. */
	for (size_t i = 0; i < m->n_served; i++)
		if (strcmp(m->served[i]->appliance, s->name) == 0)
			return;
	rec = xmalloc(sizeof *rec);
	ns__commit_reply__receipt__init(rec);
	rec->appliance = xstrdup(s->name);
	rec->ms = (double)(clock_mono_ns() - r->arrived_ns) / 1e6;
	m->served = xreallocarray(m->served, m->n_served + 1, sizeof *m->served);
	m->served[m->n_served++] = rec;
}

static void
add_missing(const struct sync *s, struct request *r, Ns__CommitReply *m)
{
	Ns__CommitReply__Missing *mis = xmalloc(sizeof *mis);

	ns__commit_reply__missing__init(mis);
	mis->name = xstrdup(s->name);
	mis->silent_s = (double)(clock_mono_ns() - r->arrived_ns) / 1e9;
	m->missing = xreallocarray(m->missing, m->n_missing + 1, sizeof *m->missing);
	m->missing[m->n_missing++] = mis;
}

static void
answer(struct sync *s, struct request *r, bool served)
{
	if (r->wait_all && r->reply->body_case == NS__ENVELOPE__BODY_COMMIT_REPLY)
		(void)fleet_all_served(s, r, r->reply->commit_reply, true);
	else if (r->reply != NULL && r->reply->body_case == NS__ENVELOPE__BODY_COMMIT_REPLY) {
		if (served)
			add_served(s, r, r->reply->commit_reply);
		else
			add_missing(s, r, r->reply->commit_reply);
	}
	request_finish(s, r);
}

bool
receipts_wants_all(const struct request *r)
{
	const protobuf_c_boolean *all = ns_body_field(r->env, "wait_served", PROTOBUF_C_TYPE_BOOL);

	return all != NULL && *all;
}

static bool
is_served(const struct receipts *rc, const struct request *r)
{
	return r->revision <= rc->served && !ranges_has(&rc->late, r->revision);
}

static bool
done(struct sync *s, struct request *r)
{
	if (r->wait_all)
		return fleet_all_served(s, r, r->reply->commit_reply, false);
	return is_served(s->receipts, r);
}

void
receipts_wait(struct sync *s, struct request *r)
{
	/* A replica has its answer from the primary, which waited. */
	r->wait_all = !fleet_is_replica(s) && receipts_wants_all(r) && r->reply != NULL &&
		      r->reply->body_case == NS__ENVELOPE__BODY_COMMIT_REPLY;
	if (done(s, r))
		answer(s, r, true);
	else
		TAILQ_INSERT_TAIL(&s->receipts->waiting, r, waiting);
}

void
receipts_fleet(struct sync *s)
{
	struct receipts *rc = s->receipts;
	struct request *r, *next;

	for (r = TAILQ_FIRST(&rc->waiting); r != NULL; r = next) {
		next = TAILQ_NEXT(r, waiting);
		if (!r->wait_all || !done(s, r))
			continue;
		TAILQ_REMOVE(&rc->waiting, r, waiting);
		answer(s, r, true);
	}
}

void
receipts_served(struct sync *s, uint64_t revision, uint64_t epoch)
{
	struct receipts *rc = s->receipts;
	struct request *r, *next;

	if (revision > s->head.revision || (revision <= rc->served && rc->late.n == 0))
		return;
	if (revision > rc->served)
		rc->served = revision;
	if (epoch >= rc->next_epoch)
		rc->late = rc->next;
	for (r = TAILQ_FIRST(&rc->waiting); r != NULL; r = next) {
		next = TAILQ_NEXT(r, waiting);
		if (r->wait_all || !is_served(rc, r))
			continue;
		TAILQ_REMOVE(&rc->waiting, r, waiting);
		answer(s, r, true);
	}
	fleet_served(s, revision);
}

void
receipts_late(struct sync *s, uint64_t revision, const struct ranges *late, uint64_t epoch)
{
	struct receipts *rc = s->receipts;

	rc->next = *late;
	rc->next_epoch = epoch;
	/* A signer that came anew is not where the one before it was. */
	ranges_add(&rc->next, revision + 1, rc->served);
	ranges_union(&rc->late, &rc->next);
}

const struct ranges *
receipts_lacks(const struct receipts *rc)
{
	return &rc->late;
}

void
receipts_term(struct sync *s, uint64_t kept)
{
	struct receipts *rc = s->receipts;
	struct request *r, *next;

	for (r = TAILQ_FIRST(&rc->waiting); r != NULL; r = next) {
		next = TAILQ_NEXT(r, waiting);
		if (r->revision <= kept)
			continue;
		TAILQ_REMOVE(&rc->waiting, r, waiting);
		r->err = ns_fail(&r->why, NS_UNKNOWN, EF_UNKNOWN,
		    "another appliance became the primary: the outcome is unknown; repeat it with "
		    "the "
		    "same --idempotency-key");
		request_finish(s, r);
	}
}

void
receipts_rewound(struct sync *s, uint64_t revision)
{
	receipts_term(s, revision);
	if (s->receipts->served <= revision)
		return;
	s->receipts->served = revision;
	s->receipts->late.n = s->receipts->next.n = 0;
}

void
receipts_give_up(struct sync *s, uint64_t revision)
{
	struct receipts *rc = s->receipts;
	struct request *r, *next;

	for (r = TAILQ_FIRST(&rc->waiting); r != NULL; r = next) {
		next = TAILQ_NEXT(r, waiting);
		if (r->revision > revision)
			continue;
		TAILQ_REMOVE(&rc->waiting, r, waiting);
		answer(s, r, false);
	}
}

static uint64_t
reply_by(const struct request *r)
{
	uint64_t margin = (r->deadline_ns - r->arrived_ns) / 5;

	return r->deadline_ns - (margin < MARGIN_NS ? margin : MARGIN_NS);
}

void
receipts_tick(struct sync *s, uint64_t now_ns)
{
	struct receipts *rc = s->receipts;
	struct request *r, *next;

	for (r = TAILQ_FIRST(&rc->waiting); r != NULL; r = next) {
		next = TAILQ_NEXT(r, waiting);
		if (now_ns < reply_by(r))
			continue;
		TAILQ_REMOVE(&rc->waiting, r, waiting);
		answer(s, r, false);
	}
}

uint64_t
receipts_revision(const struct receipts *rc)
{
	return rc->served;
}
