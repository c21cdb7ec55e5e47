/* dnssec - see dnssec.h: a request's way.  Loop. */
#include "appliance/sync/dnssec.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/keys/keybody.h"
#include "appliance/sync/bus.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/keyring.h"
#include "appliance/sync/keysched.h"
#include "appliance/sync/reader.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define PARENT_MS     4000u /* for the parent's servers; then nobody said anything */
#define SIGNER_NS     10000000000ull
#define SIGNATURES_NS 1000000000ull
#define ASKED_MARK    (1ull << 63)

static struct request_list asked = TAILQ_HEAD_INITIALIZER(asked);
/* The request that makes the first fleet keys, and those that come too early: they begin again at the next tick. */
static const struct dnssec *first;
static struct request_list held = TAILQ_HEAD_INITIALIZER(held);
static uint64_t last_id;
static uint8_t public_key[DNSSEC_X25519];
static bool have_key;
static char no_key[256] = "the signer is not there";

const char *
dnssec_trouble(void)
{
	return have_key ? NULL : no_key;
}

const uint8_t *
dnssec_public(void)
{
	return have_key ? public_key : NULL;
}

void
dnssec_signer_hello(struct sync *s, const Ns__RoleHello *h)
{
	(void)s;
	have_key = h->public_key.len == DNSSEC_X25519;
	if (have_key)
		memcpy(public_key, h->public_key.data, DNSSEC_X25519);
	text_copy(no_key, sizeof no_key, h->no_key);
}

static void
dnssec_free(void *arg)
{
	struct dnssec *d = arg;

	if (first == d)
		first = NULL;
	wbuf_free(&d->keys);
	free(d->wishes);
	free(d->gone);
	if (d->parent != NULL)
		ns__parent_reply__free_unpacked(d->parent, NULL);
	if (d->done != NULL)
		ns__key_work_done__free_unpacked(d->done, NULL);
	free(d);
}

static bool
is_zone_show(const struct request *r)
{
	return r->env->body_case == NS__ENVELOPE__BODY_ZONE_SHOW_REQUEST;
}

static bool
is_show(const struct request *r)
{
	return r->env->body_case == NS__ENVELOPE__BODY_DNSSEC_SHOW_REQUEST || is_zone_show(r);
}

/* ---- the signer ---- */
static uint32_t
denial_of(const Ns__DnssecSetRequest *in)
{
	uint32_t denial = 0;

	(void)denial_read(in->denial, &denial); /* checked at the start */
	return denial;
}

/* What each server said, borrowed. */
static void
fill_parent(const struct dnssec *d, Ns__KeyWork *m, Ns__KeyWork__Parent *parents,
    Ns__KeyWork__Parent **list)
{
	m->parents = list;
	m->parent_known = d->parent != NULL && d->parent->n_servers > 0;
	for (size_t i = 0; d->parent != NULL && i < d->parent->n_servers; i++) {
		const Ns__ParentReply__Server *from = d->parent->servers[i];
		Ns__KeyWork__Parent *p = &parents[m->n_parents];

		if (from->fault[0] != '\0' || !from->ds_known) {
			m->parent_known = false;
			continue;
		}
		ns__key_work__parent__init(p);
		p->n_ds = from->n_ds;
		p->ds = from->ds;
		list[m->n_parents++] = p;
	}
}

/* What is served is the signer's to say. */
static bool
ask_signatures(struct sync *s, struct request *r)
{
	struct dnssec *d = r->state;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__ZoneSignatures msg = NS__ZONE_SIGNATURES__INIT;

	if (d->told || (d->keys_version == 0 && !d->z.external))
		return false;
	d->told = true;
	d->asked = ++last_id | ASKED_MARK;
	d->at_parent = true; /* its silence is no fault */
	d->until_ns = clock_mono_ns() + SIGNATURES_NS;
	msg.zone = (ProtobufCBinaryData){ name_len(d->z.name), d->z.name };
	env.id = d->asked;
	env.body_case = NS__ENVELOPE__BODY_ZONE_SIGNATURES;
	env.zone_signatures = &msg;
	if (bus_send(s, ROLE_SIGNER, &env) != NS_OK)
		return false;
	TAILQ_INSERT_TAIL(&asked, r, waiting);
	return true;
}

/* The parent said something, or nothing. */
static void
go_on(struct sync *s, struct request *r)
{
	if (is_show(r)) {
		if (ask_signatures(s, r))
			return;
		if (is_zone_show(r))
			dnssec_show_zone(r->state, r->reply->zone_info);
		else
			request_reply(
			    r, NS__ENVELOPE__BODY_DNSSEC_SHOW_REPLY, dnssec_show_make(s, r->state));
		request_finish(s, r);
	} else {
		dnssec_ask_signer(s, r);
	}
}

/* The same for who gets the fleet keys. */
static void
fill_rings(
    struct dnssec *d, Ns__KeyWork *m, Ns__KeyWork__Recipient *rings, Ns__KeyWork__Recipient **list)
{
	for (size_t i = 0; i < d->nwishes; i++) {
		ns__key_work__recipient__init(&rings[i]);
		rings[i].name = d->wishes[i].name;
		rings[i].public_key = (ProtobufCBinaryData){ DNSSEC_X25519, d->wishes[i].key };
		rings[i].apex = d->wishes[i].apex;
		list[i] = &rings[i];
	}
	m->recipients = list;
	m->n_recipients = d->nwishes;
	m->fresh = d->fresh;
	m->rotate = d->rotate;
	m->forget_before = d->forget_before;
}

void
dnssec_ask_signer(struct sync *s, struct request *r)
{
	const Ns__DnssecSetRequest *in = r->env->dnssec_set_request;
	struct dnssec *d = r->state;
	size_t n = d->parent != NULL ? d->parent->n_servers : 0;
	Ns__KeyWork__Parent *parents = xcalloc(n + 1, sizeof *parents);
	Ns__KeyWork__Parent **list = xcalloc(n + 1, sizeof *list);
	Ns__KeyWork__Recipient *rings = xcalloc(d->nwishes + 1, sizeof *rings);
	Ns__KeyWork__Recipient **ring_list = xcalloc(d->nwishes + 1, sizeof *ring_list);
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__KeyWork m = NS__KEY_WORK__INIT;

	if (d->z.id != 0)
		m.zone = (ProtobufCBinaryData){ name_len(d->z.name), d->z.name };
	m.verb = in->verb;
	m.keys = (ProtobufCBinaryData){ d->keys.len, d->keys.base };
	m.now = d->now;
	m.algorithm = in->algorithm;
	m.denial = denial_of(in);
	m.denial_given = in->denial[0] != '\0';
	m.urgent = in->urgent;
	m.when_safe = in->when_safe;
	m.force = in->force;
	m.zone_ttl = d->zone_ttl;
	m.holder = d->holder;
	m.epoch = d->keys_version != 0;
	fill_parent(d, &m, parents, list);
	fill_rings(d, &m, rings, ring_list);
	d->asked = ++last_id;
	d->at_parent = false;
	d->until_ns = clock_mono_ns() + SIGNER_NS;
	env.id = d->asked;
	env.body_case = NS__ENVELOPE__BODY_KEY_WORK;
	env.key_work = &m;
	if (bus_send(s, ROLE_SIGNER, &env) == NS_OK)
		TAILQ_INSERT_TAIL(&asked, r, waiting);
	else
		request_refuse(s, r, NS_UNAVAILABLE, ES_NO_SIGNER,
		    "the signer process, which has the keys, is not there; try again");
	free(parents);
	free(list);
	free(rings);
	free(ring_list);
}

/* ---- the parent ---- */
static bool
wants_parent(const struct sync *s, const struct request *r)
{
	const Ns__DnssecSetRequest *in = r->env->dnssec_set_request;
	const struct dnssec *d = r->state;

	if (is_zone_show(r))
		return false;
	if (is_show(r))
		return r->env->dnssec_show_request->look && d->keys_version != 0 &&
		       s->start->config->n_resolver > 0;
	if (in->force || d->keys_version == 0 || s->start->config->n_resolver == 0)
		return false;
	return in->verb == NS__DNSSEC_SET_REQUEST__VERB__DISABLE ||
	       in->verb == NS__DNSSEC_SET_REQUEST__VERB__DS_SUBMITTED ||
	       (in->verb == NS__DNSSEC_SET_REQUEST__VERB__EVENT && d->waits_ds);
}

static void
ask_parent(struct sync *s, struct request *r)
{
	struct dnssec *d = r->state;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__ParentRequest msg = NS__PARENT_REQUEST__INIT;

	d->asked = ++last_id | ASKED_MARK;
	d->at_parent = true;
	d->until_ns = clock_mono_ns() + (PARENT_MS + 1000) * 1000000ull;
	msg.zone = (ProtobufCBinaryData){ name_len(d->z.name), d->z.name };
	msg.timeout_ms = PARENT_MS;
	env.id = d->asked;
	env.body_case = NS__ENVELOPE__BODY_PARENT_REQUEST;
	env.parent_request = &msg;
	if (bus_send(s, ROLE_PROBE, &env) == NS_OK)
		TAILQ_INSERT_TAIL(&asked, r, waiting);
	else
		go_on(s, r);
}

static struct request *
take(uint64_t id)
{
	struct request *r;

	TAILQ_FOREACH(r, &asked, waiting)
	if (((struct dnssec *)r->state)->asked == id) {
		TAILQ_REMOVE(&asked, r, waiting);
		((struct dnssec *)r->state)->asked = 0;
		return r;
	}
	return NULL;
}

void
dnssec_parent(struct sync *s, const Ns__Envelope *env)
{
	struct request *r = take(env->id);
	struct dnssec *d;

	if (r == NULL)
		return;
	d = r->state;
	d->parent = ns_message_copy(&env->parent_reply->base);
	keysched_seen(s, &d->z, d->parent);
	go_on(s, r);
}

void
dnssec_signatures(struct sync *s, const Ns__Envelope *env)
{
	struct request *r = take(env->id);

	if (r == NULL)
		return;
	((struct dnssec *)r->state)->expires = env->zone_signatures->expires;
	go_on(s, r);
}

void
dnssec_done(struct sync *s, const Ns__Envelope *env)
{
	struct request *r = take(env->id);
	struct dnssec *d;

	if (r == NULL)
		return;
	if (env->body_case == NS__ENVELOPE__BODY_ERROR) {
		ns_why_from_error(&r->why, env->error);
		r->err = r->why.err != NS_OK ? r->why.err : NS_FAILED;
		request_finish(s, r);
		return;
	}
	d = r->state;
	d->done = ns_message_copy(&env->key_work_done->base);
	if (d->done == NULL)
		request_refuse(s, r, NS_FAILED, ES_NO_SIGNER, "the signer's answer cannot be read");
	else if (r->kind->write == NULL)
		request_finish(s, r); /* nothing is to be kept of it */
	else
		control_to_writer(s, r);
}

/* ---- the beginning ---- */
static void
read_work(struct job *job, void *thread)
{
	struct request *r = (struct request *)job;

	if (request_expired(r))
		return;
	r->err = is_show(r) ? dnssec_show_read(r, thread) : dnssec_read(r, thread);
	if (r->err == NS_OK && is_zone_show(r))
		r->err = zone_show_read(r, thread);
}

/* Would it make fleet keys while another one does, or are those just made on their way to the signer? */
static bool
is_early(const struct dnssec *d)
{
	if (d->fresh && first == NULL)
		first = d;
	return (d->fresh && first != d) || (d->ringed && !keysched_ringed());
}

static void
read_done(struct job *job, struct sync *s)
{
	struct request *r = (struct request *)job;

	if (r->err != NS_OK || (r->reply != NULL && !is_zone_show(r)))
		request_finish(s, r);
	else if (is_early(r->state))
		TAILQ_INSERT_TAIL(&held, r, waiting);
	else if (wants_parent(s, r))
		ask_parent(s, r);
	else
		go_on(s, r);
}

static enum ns_err
check(const struct request *r, struct ns_why *why)
{
	const Ns__DnssecSetRequest *in = r->env->dnssec_set_request;
	bool roll = in->verb == NS__DNSSEC_SET_REQUEST__VERB__ROLL_ALGORITHM;
	uint32_t denial;

	/* Time is not a person: only the primary itself brings it. */
	if (((unsigned)in->verb > NS__DNSSEC_SET_REQUEST__VERB__EVENT &&
		in->verb != NS__DNSSEC_SET_REQUEST__VERB__NEW_KEYS) ||
	    (in->verb == NS__DNSSEC_SET_REQUEST__VERB__EVENT && r->finish == NULL))
		return ns_fail(why, NS_USAGE, ES_REQUEST, "not something to do with keys");
	if ((roll || in->algorithm != 0) && in->algorithm != 13 && in->algorithm != 15)
		return ns_fail(why, NS_INVALID, ES_DNSSEC,
		    "the algorithms are 13 (ECDSA P-256) and 15 (Ed25519)");
	if (in->denial[0] != '\0' && !denial_read(in->denial, &denial))
		return ns_fail(why, NS_INVALID, ES_DNSSEC, "denial is nsec, nsec3 or nsec3-optout");
	return NS_OK;
}

struct dnssec *
dnssec_state(struct request *r)
{
	struct dnssec *d = xcalloc(1, sizeof *d);

	r->state = d;
	r->free_state = dnssec_free;
	d->now = keysched_now();
	r->job.work = read_work;
	r->job.done = read_done;
	return d;
}

void
dnssec_show_request(struct sync *s, struct request *r)
{
	(void)dnssec_state(r);
	request_push(s, s->reads, LANE_FAST, r);
}

void
zone_show_request(struct sync *s, struct request *r)
{
	if (r->env->zone_show_request->signatures)
		dnssec_show_request(s, r);
	else
		control_to_reader(s, r);
}

static void
start(struct sync *s, struct request *r, uint64_t zone_id)
{
	struct dnssec *d = dnssec_state(r);

	d->z.id = zone_id;
	r->err = check(r, &r->why);
	if (r->err == NS_OK && !have_key)
		r->err = ns_fail(&r->why, NS_UNAVAILABLE, ES_NO_SIGNER, "%s", no_key);
	if (r->err != NS_OK) {
		request_finish(s, r);
		return;
	}
	keyring_wish_all(s, d);
	request_push(s, s->reads, LANE_FAST, r);
}

void
dnssec_set_request(struct sync *s, struct request *r)
{
	start(s, r, 0);
}

void
dnssec_event(struct sync *s, struct request *r, uint64_t zone_id)
{
	start(s, r, zone_id);
}

/* ---- time ---- */
static void
begin_held(struct sync *s)
{
	struct request *r;

	while (first == NULL && (r = TAILQ_FIRST(&held)) != NULL) {
		uint64_t zone_id = ((struct dnssec *)r->state)->z.id;

		TAILQ_REMOVE(&held, r, waiting);
		dnssec_free(r->state);
		start(s, r, zone_id);
	}
}

void
dnssec_tick(struct sync *s, uint64_t now_ns)
{
	struct request *r, *next;

	begin_held(s);

	for (r = TAILQ_FIRST(&asked); r != NULL; r = next) {
		struct dnssec *d = r->state;

		next = TAILQ_NEXT(r, waiting);
		if (now_ns < d->until_ns)
			continue;
		TAILQ_REMOVE(&asked, r, waiting);
		d->asked = 0;
		if (d->at_parent)
			go_on(s, r);
		else
			request_refuse(s, r, NS_UNAVAILABLE, ES_NO_SIGNER,
			    "the signer did not answer in time: nothing was changed");
	}
}

void
dnssec_stop(void)
{
	struct request *r;

	TAILQ_CONCAT(&asked, &held, waiting);
	while ((r = TAILQ_FIRST(&asked)) != NULL) {
		TAILQ_REMOVE(&asked, r, waiting);
		conn_detach(r);
		request_destroy(&r);
	}
}
