/* parentcheck.c - see parentcheck.h. */
#include "appliance/sync/parentcheck.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "appliance/store/store.h"
#include "appliance/sync/bus.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/delegation.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/reader.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define NS_MAX    64 /* of an apex; more are not compared */
#define MARGIN_MS 400 /* for the way back */
#define LEAST_MS  200

struct pcheck {
	uint64_t id; /* of the question to the probe */
	struct delegation ours;
};

static struct request_list asked = TAILQ_HEAD_INITIALIZER(asked); /* loop */
static uint64_t last_id;

static void
pcheck_free(void *arg)
{
	struct pcheck *k = arg;

	delegation_free(&k->ours);
	free(k);
}

/* ---- reader thread: our side ---- */

static void
take_apex(struct delegation *d, const struct rrset *set)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	const uint8_t *rdata;
	size_t len;

	while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
		if (set->type == RR_NS && d->nns < NS_MAX)
			delegation_add_ns(d, rdata);
		else if (set->type == RR_DNSKEY)
			delegation_add_key(d, rdata, len);
		else if (set->type == RR_CDS)
			delegation_add_cds(d, rdata, len);
	}
}

static void
take_addresses(struct delegation *d, const struct rrset *set)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	const uint8_t *rdata;
	size_t len;

	if (set->type != RR_A && set->type != RR_AAAA)
		return;
	while ((rdata = rrset_next_rdata(&r, &len)) != NULL)
		delegation_add_address(d, set->owner, rdata, len);
}

static enum ns_err
each_set(struct store *s, uint64_t zone, const uint8_t *owner, struct delegation *d,
    void (*take)(struct delegation *, const struct rrset *))
{
	struct wbuf buf = wbuf_grow(4 * OWNER_MAX_WIRE);
	enum ns_err err = store_owner_get(s, zone, owner, &buf);
	struct zwire_iter it = zwire_iter(buf.base, buf.len);
	struct rrset set;

	while (err == NS_OK && zwire_next(&it, &set))
		take(d, &set);
	wbuf_free(&buf);
	return err == NS_NOTFOUND ? NS_OK : err;
}

static enum ns_err
read_ours(struct request *r, struct store *s)
{
	struct pcheck *k = r->state;
	struct store_zone z;
	enum ns_err err = read_zone(s, r->env->zone_check_request->zone, &z, &r->why);

	if (err != NS_OK)
		return err;
	memcpy(k->ours.zone, z.name, z.name_len);
	err = each_set(s, z.id, z.name, &k->ours, take_apex);
	for (size_t i = 0; err == NS_OK && i < k->ours.nns; i++)
		if (name_in(k->ours.ns[i].wire, z.name))
			err = each_set(s, z.id, k->ours.ns[i].wire, &k->ours, take_addresses);
	return err == NS_OK ? err : read_failed(&r->why, err);
}

static void
read_work(struct job *job, void *thread)
{
	struct request *r = (struct request *)job;

	if (!request_expired(r))
		r->err = read_ours(r, thread);
}

/* ---- loop ---- */

static void
ask(struct sync *s, struct request *r)
{
	struct pcheck *k = r->state;
	uint64_t left = (r->deadline_ns - clock_mono_ns()) / 1000000;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__ParentRequest msg = NS__PARENT_REQUEST__INIT;

	k->id = ++last_id;
	msg.zone = (ProtobufCBinaryData){ name_len(k->ours.zone), k->ours.zone };
	msg.timeout_ms = left > MARGIN_MS + LEAST_MS ? (uint32_t)left - MARGIN_MS : LEAST_MS;
	env.id = k->id;
	env.body_case = NS__ENVELOPE__BODY_PARENT_REQUEST;
	env.parent_request = &msg;
	if (bus_send(s, ROLE_PROBE, &env) == NS_OK)
		TAILQ_INSERT_TAIL(&asked, r, waiting);
	else
		request_refuse(s, r, NS_UNAVAILABLE, ES_NO_PROBE,
		    "the probe process, which asks the parent, is not there; try again");
}

static void
read_done(struct job *job, struct sync *s)
{
	struct request *r = (struct request *)job;

	if (r->err != NS_OK || !request_awaited(r) || clock_mono_ns() >= r->deadline_ns)
		request_finish(s, r);
	else
		ask(s, r);
}

void
parentcheck_request(struct sync *s, struct request *r)
{
	r->state = xcalloc(1, sizeof(struct pcheck));
	r->free_state = pcheck_free;
	r->job.work = read_work;
	r->job.done = read_done;
	request_push(s, s->reads, LANE_FAST, r);
}

void
parentcheck_reply(struct sync *s, const Ns__Envelope *env)
{
	Ns__ZoneCheckReply *m;
	struct request *r;
	const char *why;

	TAILQ_FOREACH(r, &asked, waiting)
	if (((struct pcheck *)r->state)->id == env->id)
		break;
	if (r == NULL)
		return;
	TAILQ_REMOVE(&asked, r, waiting);
	m = delegation_judge(&((struct pcheck *)r->state)->ours, env->parent_reply, &why);
	if (m != NULL)
		request_reply(r, NS__ENVELOPE__BODY_ZONE_CHECK_REPLY, m);
	else
		r->err = ns_fail(&r->why, NS_UNAVAILABLE, ES_PARENT,
		    "what the parent says cannot be found out: %s", why);
	request_finish(s, r);
}

/* Those whose deadline is before `now_ns`, and those whom nobody waits for. */
static void
give_up(struct sync *s, uint64_t now_ns, const char *text)
{
	struct request *r, *next;

	for (r = TAILQ_FIRST(&asked); r != NULL; r = next) {
		next = TAILQ_NEXT(r, waiting);
		if (now_ns < r->deadline_ns && request_awaited(r))
			continue;
		TAILQ_REMOVE(&asked, r, waiting);
		request_refuse(s, r, NS_UNAVAILABLE, ES_NO_PROBE, text);
	}
}

void
parentcheck_tick(struct sync *s, uint64_t now_ns)
{
	give_up(s, now_ns + MARGIN_MS / 2 * 1000000ull, "the probe process did not answer in time");
}

void
parentcheck_gone(struct sync *s)
{
	give_up(s, UINT64_MAX, "the probe process ended while it asked; try again");
}

void
parentcheck_stop(void)
{
	struct request *r;

	while ((r = TAILQ_FIRST(&asked)) != NULL) {
		TAILQ_REMOVE(&asked, r, waiting);
		conn_detach(r);
		request_destroy(&r);
	}
}
