/* bus - see bus.h. */
#include "appliance/sync/bus.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/sync/aliases.h"
#include "appliance/sync/checks.h"
#include "appliance/sync/dnssec.h"
#include "appliance/sync/feed.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/keysched.h"
#include "appliance/sync/parentcheck.h"
#include "appliance/sync/receipts.h"
#include "appliance/sync/signatures.h"
#include "appliance/sync/stats.h"
#include "appliance/sync/tailask.h"
#include "appliance/sync/testask.h"
#include "appliance/sync/status.h"
#include "appliance/sync/verify.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

struct bus_peer {
	bool present;
	struct ns_peer peer;
	uint64_t generation; /* newest seen */
	unsigned hellos;
};
struct bus {
	struct bus_peer roles[ROLE_MAX];
	uint64_t confirm, confirm_epoch; /* asked of answer; asked again when it comes back */
	struct log_limit limit;
};

struct bus *
bus_new(void)
{
	return xcalloc(1, sizeof(struct bus));
}

void
bus_destroy(struct bus **bp)
{
	free(*bp);
	*bp = NULL;
}

bool
bus_has(const struct bus *b, enum role_id id)
{
	return b->roles[id].present;
}

unsigned
bus_hellos(const struct bus *b, enum role_id id)
{
	return b->roles[id].hellos;
}

enum ns_err
bus_send(struct sync *s, enum role_id id, const Ns__Envelope *env)
{
	const struct bus_peer *p = &s->bus->roles[id];

	return p->present ? ns_send(s->bus_sock, &p->peer, env) : NS_UNAVAILABLE;
}

void
bus_confirm(struct sync *s, uint64_t revision, uint64_t epoch)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__ConfirmServed confirm = NS__CONFIRM_SERVED__INIT;

	s->bus->confirm = revision;
	s->bus->confirm_epoch = epoch;
	confirm.revision = revision;
	confirm.epoch = epoch;
	env.body_case = NS__ENVELOPE__BODY_CONFIRM_SERVED;
	env.confirm_served = &confirm;
	/* Not there: it is asked when it says hello. */
	(void)bus_send(s, ROLE_ANSWER, &env);
}

void
bus_gone(struct sync *s, enum role_id id)
{
	if (!s->bus->roles[id].present)
		return;
	log_info("bus.gone", "peer=%s generation=%llu", role_name(id),
	    (unsigned long long)s->bus->roles[id].generation);
	s->bus->roles[id].present = false;
	if (id == ROLE_SIGNER)
		feed_signer_gone(s);
	else if (id == ROLE_ANSWER)
		status_notice(s, NULL);
	else if (id == ROLE_PROBE) {
		checkfeed_gone(s);
		aliasfeed_gone();
	}
}

/* ---- hello ---- */
static void
probe_hello(struct sync *s)
{
	votes_fleet(s); /* whose votes count comes before what they are about */
	checkfeed_hello(s);
	aliasfeed_hello(s);
}

static bool
uid_allowed(const struct sync *s, enum role_id id, const struct ns_peer *peer)
{
	const Ns__ChildStart *st = s->start;

	if (!peer->local)
		return false;
	if (st->uid == 0) /* not started as root: everybody is the same user */
		return peer->uid == st->admin_uid;
	return (size_t)id < st->n_role_uids && peer->uid == st->role_uids[id];
}

static enum role_id
role_of(const char *name)
{
	static const enum role_id ids[] = { ROLE_SIGNER, ROLE_ANSWER, ROLE_PROBE };

	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		if (strcmp(name, role_name(ids[i])) == 0)
			return ids[i];
	return ROLE_MAX;
}

static void
welcome(struct sync *s, const struct ns_peer *peer, uint64_t id)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__RoleWelcome msg = NS__ROLE_WELCOME__INIT;

	msg.revision = s->head.revision;
	msg.appliance = (char *)s->name;
	msg.key_now = keysched_now();
	env.id = id;
	env.body_case = NS__ENVELOPE__BODY_ROLE_WELCOME;
	env.role_welcome = &msg;
	(void)ns_send(s->bus_sock, peer, &env);
}

static bool
same_route(const struct ns_peer *a, const struct ns_peer *b)
{
	return a->route_len == b->route_len && memcmp(a->route, b->route, a->route_len) == 0;
}

static void
refused(struct sync *s, const struct ns_peer *peer, const Ns__RoleHello *h, const char *why)
{
	if (log_allowed(&s->bus->limit, 5))
		log_warn("bus.refused", "peer=%s uid=%u generation=%llu why=\"%s\"",
		    log_quote(h->role), peer->uid, (unsigned long long)h->generation, why);
}

static void
role_hello(struct sync *s, const struct ns_peer *peer, const Ns__Envelope *env)
{
	const Ns__RoleHello *h = env->role_hello;
	enum role_id id = role_of(h->role);
	struct bus_peer *p;

	if (id == ROLE_MAX || h->major != NS_PROTO_MAJOR) {
		refused(s, peer, h, "not a role or a version that speaks here");
		return;
	}
	if (!uid_allowed(s, id, peer)) {
		refused(s, peer, h, "not the user of that role");
		return;
	}
	p = &s->bus->roles[id];
	if (h->generation < p->generation) {
		refused(s, peer, h, "a newer process of that role has been seen");
		return;
	}
	welcome(s, peer, env->id);
	p->present = true;
	p->peer = *peer;
	p->generation = h->generation;
	p->hellos++;
	log_info("bus.hello", "peer=%s generation=%llu map_revision=%llu loaded=%d", role_name(id),
	    (unsigned long long)h->generation, (unsigned long long)h->map_revision, h->map_loaded);
	/* Each hello begins a conversation anew, also on a link that is up: a signer that lost too much
	 * asks for everything this way. */
	if (id == ROLE_SIGNER) {
		dnssec_signer_hello(s, h);
		feed_signer_hello(s, peer, h);
	} else if (id == ROLE_PROBE) {
		probe_hello(s);
	} else if (id == ROLE_ANSWER && s->bus->confirm != 0) {
		bus_confirm(s, s->bus->confirm, s->bus->confirm_epoch);
	}
}

/* ---- what roles say ---- */
static void
on_ack(struct sync *s, const Ns__Envelope *env)
{
	feed_acked(s, env->feed_ack->seq);
}

static void
on_published(struct sync *s, const Ns__Envelope *env)
{
	feed_published(s, env->published);
}

static void
on_resync(struct sync *s, const Ns__Envelope *env)
{
	feed_resync(s, env->resync_zone);
}

static void
on_served(struct sync *s, const Ns__Envelope *env)
{
	receipts_served(s, env->served->revision, env->served->epoch);
}

static void
on_parent(struct sync *s, const Ns__Envelope *env)
{
	if (dnssec_asked(env->id))
		dnssec_parent(s, env);
	else
		parentcheck_reply(s, env);
}

static const struct {
	Ns__Envelope__BodyCase body;
	enum role_id from;
	void (*fn)(struct sync *, const Ns__Envelope *);
} handlers[] = {
	{ NS__ENVELOPE__BODY_FEED_ACK, ROLE_SIGNER, on_ack },
	{ NS__ENVELOPE__BODY_PUBLISHED, ROLE_SIGNER, on_published },
	{ NS__ENVELOPE__BODY_RESYNC_ZONE, ROLE_SIGNER, on_resync },
	{ NS__ENVELOPE__BODY_DIGEST_REPLY, ROLE_SIGNER, verify_digests },
	{ NS__ENVELOPE__BODY_SERVED, ROLE_ANSWER, on_served },
	{ NS__ENVELOPE__BODY_METRICS, ROLE_ANSWER, stats_metrics },
	{ NS__ENVELOPE__BODY_EXPLAINED, ROLE_ANSWER, testask_explained },
	{ NS__ENVELOPE__BODY_TAIL_ROWS, ROLE_ANSWER, tailask_rows },
	{ NS__ENVELOPE__BODY_ANSWER_NOTICE, ROLE_ANSWER, status_notice },
	{ NS__ENVELOPE__BODY_PARENT_REPLY, ROLE_PROBE, on_parent },
	{ NS__ENVELOPE__BODY_KEY_WORK_DONE, ROLE_SIGNER, dnssec_done },
	{ NS__ENVELOPE__BODY_SIGNER_STATE, ROLE_SIGNER, signatures_state },
	{ NS__ENVELOPE__BODY_ZONE_SIGNATURES, ROLE_SIGNER, dnssec_signatures },
	{ NS__ENVELOPE__BODY_ERROR, ROLE_SIGNER, dnssec_done },
	{ NS__ENVELOPE__BODY_CHECK_REPORT, ROLE_PROBE, check_list_report },
	{ NS__ENVELOPE__BODY_HEALTH_LIST_REPLY, ROLE_PROBE, health_answer },
	{ NS__ENVELOPE__BODY_CHECK_PROBE_REPLY, ROLE_PROBE, health_answer },
	{ NS__ENVELOPE__BODY_PROBE_NOTICE, ROLE_PROBE, checkfeed_notice },
	{ NS__ENVELOPE__BODY_VOTES_OUT, ROLE_PROBE, votes_out },
};

void
bus_recv(void *arg, const struct ns_peer *peer, const Ns__Envelope *env)
{
	struct sync *s = arg;

	if (env->body_case == NS__ENVELOPE__BODY_ROLE_HELLO) {
		role_hello(s, peer, env);
		return;
	}
	for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
		const struct bus_peer *p = &s->bus->roles[handlers[i].from];

		if (handlers[i].body != env->body_case)
			continue;
		if (p->present && same_route(&p->peer, peer))
			handlers[i].fn(s, env);
		return;
	}
	if (log_allowed(&s->bus->limit, 5))
		log_warn("bus.ignored", "body=%d uid=%u", (int)env->body_case, peer->uid);
}
